//! The report for people: the verdict first, then the findings, then the facts.
//!
//! It says what the report says and adds no judgement of its own; what is undetermined stays a `?`.

mod facts;
mod findings;
pub(crate) mod page;
mod summary;
pub(crate) mod verdict;
mod words;

use std::io::{self, Write};

use anstyle::Style;

use super::model::{Report, TargetReport};
use super::{Detail, Format, RenderOptions};
use page::{BAD, BOLD, DIM, GOOD, Page, Span, WEAK};
use verdict::Mark;
use words::plural;

pub(crate) use findings::style as severity_style;

/// See the module.
pub struct Text;

impl Format for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn about(&self) -> &'static str {
        "for people: the verdict, the findings and how to fix them, the facts"
    }

    fn render(
        &self,
        report: &Report,
        options: &RenderOptions,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut page = Page::new(options.width, options.color);
        for target in &report.targets {
            write_target(&mut page, report, target, options.detail);
        }
        summary::write(&mut page, report, options);
        out.write_all(page.text().as_bytes())
    }
}

/// One target: verdict, findings, facts.
pub(crate) fn write_target(
    page: &mut Page,
    report: &Report,
    target: &TargetReport,
    detail: Detail,
) {
    let quiet = detail == Detail::Quiet;
    if !quiet {
        page.blank();
    }
    let verdict = verdict::verdict(report, target);
    let (sign, style) = shown(verdict.mark);
    let lead = [
        Span::new(style.bold(), format!("{sign} ")),
        Span::new(BOLD, format!("{}  ", target.target)),
    ];
    let sentence = Span::new(style, verdict.sentence);
    if quiet {
        // On one line, for `grep`.
        page.line(0, &lead.into_iter().chain([sentence]).collect::<Vec<_>>());
    } else {
        page.paragraph(0, &lead, 2, &sentence);
    }
    let found = verdict::findings(report, target);
    if !quiet {
        page.line(2, &[Span::new(DIM, meta(report, target, found.len()))]);
    }
    findings::write(page, &found, detail);
    if !quiet && !target.endpoints.is_empty() {
        facts::write(page, target, detail, report.started_at);
    }
}

/// The sign of a verdict, and its colour.
pub(crate) fn shown(mark: Mark) -> (&'static str, Style) {
    match mark {
        Mark::Works => ("✓", GOOD),
        Mark::Weak => ("!", WEAK),
        Mark::Unknown => ("?", WEAK),
        Mark::Broken => ("✗", BAD),
    }
}

/// Under the verdict: how much there is to read, and whether it is all.
fn meta(report: &Report, target: &TargetReport, findings: usize) -> String {
    let mut told = vec![match findings {
        0 => "no findings".into(),
        count => plural(count, "finding"),
    }];
    if !target.endpoints.is_empty() {
        let connections: u32 = target
            .endpoints
            .iter()
            .map(|endpoint| endpoint.connections)
            .sum();
        let addresses = target.endpoints.len();
        let addresses = if addresses == 1 {
            "1 address".into()
        } else {
            format!("{addresses} addresses")
        };
        told.push(addresses);
        told.push(plural(connections as usize, "connection"));
    }
    match verdict::gaps(report, target).count() {
        0 => {}
        gaps => told.push(format!("{} not measured", plural(gaps, "thing"))),
    }
    told.join(" · ")
}

#[cfg(test)]
mod tests;
