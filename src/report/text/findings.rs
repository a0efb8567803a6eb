//! Findings in the text report: in full where they matter, else in a line or two. What is the same
//! for several targets (why, and what to do) is told once.

use std::collections::HashMap;

use anstyle::Style;

use super::page::{BAD, BOLD, COMMAND, DIM, PLAIN, Page, Span, WEAK};
use crate::report::Detail;
use crate::report::model::{Finding, Fix, Severity};

pub(super) const LABEL: usize = 10;

/// Notes that are all there is to say of an address: told in full.
const DECISIVE: [&str; 2] = ["port-closed", "port-silent"];

/// What was told already: why a rule matters and what to do, and at which target that stands.
#[derive(Debug, Default)]
pub(crate) struct Told {
    at: HashMap<String, Vec<(Vec<Fix>, String)>>,
    /// Whether each finding says what it is about: those of a load balancer's parts.
    subjects: bool,
}

impl Told {
    /// Nothing yet; each finding is to say what it is about.
    pub(super) fn with_subjects() -> Self {
        Self {
            subjects: true,
            ..Self::default()
        }
    }

    /// The target at which the same was told before; else it is remembered as told at this one.
    fn before(&mut self, finding: &Finding) -> Option<String> {
        let known = self.at.entry(finding.rule.clone()).or_default();
        let before = known.iter().find(|(fix, _)| *fix == finding.fix);
        let before = before.map(|(_, target)| target.clone());
        if before.is_none() {
            known.push((finding.fix.clone(), finding.target.clone()));
        }
        before
    }
}

/// The findings of one target, the most severe first.
pub(super) fn write(page: &mut Page, findings: &[&Finding], detail: Detail, told: &mut Told) {
    let (full, compact): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| match detail {
        Detail::Quiet => false,
        Detail::Normal => {
            finding.severity >= Severity::Medium || DECISIVE.contains(&finding.rule.as_str())
        }
        Detail::Verbose | Detail::Evidence => true,
    });
    for finding in full {
        page.blank();
        in_full(page, finding, detail, told);
    }
    if !compact.is_empty() && detail != Detail::Quiet {
        page.blank();
    }
    for finding in compact {
        in_a_line(page, finding, detail, told);
    }
}

/// Badge, message and rule id; in the quiet report on one line, for `grep`.
fn in_a_line(page: &mut Page, finding: &Finding, detail: Detail, told: &Told) {
    let lead = Span::new(
        style(finding.severity),
        format!("{:9}", finding.severity.name()),
    );
    let subject = if told.subjects {
        format!("{}: ", finding.subject)
    } else {
        String::new()
    };
    let body = Span::plain(format!("{subject}{} ({})", finding.message, finding.rule));
    if detail == Detail::Quiet {
        page.line(2, &[lead, body]);
    } else {
        page.paragraph(2, &[lead], 9, &body);
    }
}

fn in_full(page: &mut Page, finding: &Finding, detail: Detail, told: &mut Told) {
    heading(page, 2, finding);
    if told.subjects {
        page.field(4, "on", LABEL, &Span::plain(&finding.subject));
    }
    seen(page, finding, detail);
    match told.before(finding) {
        Some(target) if target == finding.target => {
            page.field(4, "fix", LABEL, &Span::plain("As above."));
        }
        Some(target) => {
            let above = format!("As above, at {target}.");
            page.field(4, "fix", LABEL, &Span::plain(above));
        }
        None => why_and_fix(page, finding),
    }
    for (number, command) in finding.reproduce.iter().enumerate() {
        let label = if number == 0 { "see it" } else { "" };
        commands(page, label, command);
    }
    let shown = if detail >= Detail::Verbose {
        usize::MAX
    } else {
        1
    };
    for (number, reference) in finding.references.iter().take(shown).enumerate() {
        let label = if number == 0 { "read" } else { "" };
        let lead = Span::new(DIM, format!("{label:LABEL$}"));
        page.line(4, &[lead, Span::plain(reference)]);
    }
}

/// Badge, title and rule id.
pub(super) fn heading(page: &mut Page, indent: usize, finding: &Finding) {
    let rule = crate::checks::rule(&finding.rule);
    let title = rule.map_or(finding.message.as_str(), |rule| rule.title);
    let badge = finding.severity.name().to_uppercase();
    page.line(
        indent,
        &[
            Span::new(style(finding.severity).bold(), badge),
            Span::plain("  "),
            Span::new(BOLD, title),
            Span::new(DIM, format!("  {}", finding.rule)),
        ],
    );
}

/// Why a rule matters, and what to change, product by product.
pub(super) fn why_and_fix(page: &mut Page, finding: &Finding) {
    if let Some(rule) = crate::checks::rule(&finding.rule) {
        page.field(4, "why", LABEL, &Span::plain(rule.why));
    }
    for (number, fix) in finding.fix.iter().enumerate() {
        let label = if number == 0 { "fix" } else { "" };
        let product = match fix.product.as_str() {
            "any" => String::new(),
            product => format!("{product}: "),
        };
        let lead = [
            Span::new(DIM, format!("{label:LABEL$}")),
            Span::new(BOLD, product),
        ];
        page.paragraph(4, &lead, LABEL, &Span::plain(&fix.text));
        if let Some(snippet) = &fix.snippet {
            page.block(4 + LABEL + 2, COMMAND, snippet);
        }
    }
}

fn seen(page: &mut Page, finding: &Finding, detail: Detail) {
    page.field(4, "seen", LABEL, &Span::plain(&finding.message));
    let evidence = &finding.evidence;
    let shown = if detail >= Detail::Verbose {
        usize::MAX
    } else {
        6
    };
    for line in evidence
        .seen
        .iter()
        .take(shown)
        .filter(|line| **line != finding.message)
    {
        let lead = Span::new(DIM, format!("{:LABEL$}· ", ""));
        page.paragraph(4, &[lead], LABEL + 2, &Span::plain(line));
    }
    if let Some(more @ 1..) = evidence.seen.len().checked_sub(shown) {
        page.field(
            4,
            "",
            LABEL,
            &Span::new(DIM, format!("· {more} more lines (-v)")),
        );
    }
    if evidence.addresses.len() > 1 {
        let addresses: Vec<_> = evidence.addresses.iter().map(ToString::to_string).collect();
        page.field(
            4,
            "",
            LABEL,
            &Span::plain(format!("at {}", addresses.join(", "))),
        );
    }
}

/// A command that can be copied: never wrapped.
fn commands(page: &mut Page, label: &str, command: &str) {
    for (number, line) in command.lines().enumerate() {
        let label = if number == 0 { label } else { "" };
        let lead = Span::new(DIM, format!("{label:LABEL$}"));
        page.line(4, &[lead, Span::new(COMMAND, line)]);
    }
}

/// The colour of a severity.
pub(crate) fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => BAD,
        Severity::Medium => WEAK,
        Severity::Low => PLAIN,
        Severity::Info => DIM,
    }
}
