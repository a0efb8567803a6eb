//! The report for people: the verdict first, then the findings, then the facts.
//!
//! It says what the report says and adds no judgement of its own; what is undetermined stays a `?`.

mod balancer;
mod facts;
mod findings;
mod many;
pub(crate) mod page;
mod summary;
pub(crate) mod verdict;
mod words;

use std::io::{self, Write};

use anstyle::Style;

use time::OffsetDateTime;

use super::model::{Of, Report};
use super::{Detail, Format, RenderOptions};
use crate::gaps::nothing_listens;
use page::{BAD, BOLD, DIM, GOOD, Page, Span, WEAK};
use verdict::Mark;
use words::plural;

pub(crate) use findings::{Told, style as severity_style};

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
        if report.inventory.is_some() {
            balancer::write(&mut page, report, options);
            return out.write_all(page.text().as_bytes());
        }
        let all = report.by_target();
        let (dead, listed): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|of| nothing_listens(of.target));
        if listed.len() > MANY && options.detail == Detail::Normal {
            many::write(&mut page, &listed, report.started_at);
        } else {
            let mut told = Told::default();
            for of in &listed {
                write_target(&mut page, of, report.started_at, options.detail, &mut told);
            }
        }
        summary::write(&mut page, report, &listed, &dead, options);
        out.write_all(page.text().as_bytes())
    }
}

/// Targets that are told one by one, at most, unless all is asked for.
const MANY: usize = 12;

/// One target: verdict, findings, facts. `told` is what was told of others before.
pub(crate) fn write_target(
    page: &mut Page,
    of: &Of<'_>,
    now: OffsetDateTime,
    detail: Detail,
    told: &mut Told,
) {
    let quiet = detail == Detail::Quiet;
    if !quiet {
        page.blank();
    }
    let verdict = verdict::verdict(of, now);
    let (sign, style) = shown(verdict.mark);
    let lead = [
        Span::new(style.bold(), format!("{sign} ")),
        Span::new(BOLD, format!("{}  ", of.target.target)),
    ];
    let sentence = Span::new(style, verdict.sentence);
    if quiet {
        // On one line, for `grep`.
        page.line(0, &lead.into_iter().chain([sentence]).collect::<Vec<_>>());
    } else {
        page.paragraph(0, &lead, 2, &sentence);
    }
    let found = verdict::open(of);
    if !quiet {
        page.line(2, &[Span::new(DIM, meta(of, found.len()))]);
    }
    findings::write(page, &found, detail, told);
    if !quiet && !of.target.endpoints.is_empty() {
        facts::write(page, of.target, detail, now);
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
fn meta(of: &Of<'_>, findings: usize) -> String {
    let target = of.target;
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
        told.push(plural(target.endpoints.len(), "address"));
        told.push(plural(connections as usize, "connection"));
    }
    match of.not_measured.len() {
        0 => {}
        gaps => told.push(format!("{} not measured", plural(gaps, "thing"))),
    }
    told.join(" · ")
}

#[cfg(test)]
mod tests;
