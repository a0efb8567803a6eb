//! The text report on many targets: what they have in common, once, with where it holds. What works
//! is counted.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::Hash;

use time::OffsetDateTime;

use super::findings::{LABEL, heading, why_and_fix};
use super::page::{BOLD, DIM, Page, Span};
use super::shown;
use super::verdict::{self, Mark, verdict};
use super::words::plural;
use crate::report::model::{Finding, Of, Severity};

/// Targets named at most in one place.
const NAMED: usize = 6;

/// Lines of verdicts at most.
const VERDICTS: usize = 40;

/// The verdicts of all targets, and the findings by rule.
pub(super) fn write(page: &mut Page, all: &[Of<'_>], now: OffsetDateTime) {
    let verdicts = all.iter().map(|of| (verdict(of, now), of));
    let bad = verdicts.filter(|(verdict, _)| verdict.mark != Mark::Works);
    let mut groups = group(bad.map(|(verdict, of)| {
        let name = of.target.target.as_str();
        ((verdict.mark, verdict.sentence), name)
    }));
    groups.sort_by_key(|((mark, _), names)| (Reverse(*mark), Reverse(names.len())));
    for ((mark, sentence), names) in groups.iter().take(VERDICTS) {
        let (sign, style) = shown(*mark);
        let who = match names.as_slice() {
            [only] => (*only).to_owned(),
            many => plural(many.len(), "target"),
        };
        let lead = [
            Span::new(style.bold(), format!("{sign} ")),
            Span::new(BOLD, format!("{who}  ")),
        ];
        page.paragraph(0, &lead, 2, &Span::new(style, sentence));
        if names.len() > 1 {
            page.paragraph(2, &[], 0, &Span::new(DIM, named(names)));
        }
    }
    if let Some(more @ 1..) = groups.len().checked_sub(VERDICTS) {
        let told = format!("+{more} more verdicts (-q has a line for each target)");
        page.line(2, &[Span::new(DIM, told)]);
    }
    findings(page, all);
}

/// Names, the first few of many.
pub(super) fn named(names: &[&str]) -> String {
    let some = names.iter().take(NAMED).copied().collect::<Vec<_>>();
    match names.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!("{}, +{more} more", some.join(", ")),
        _ => some.join(", "),
    }
}

/// Values by key, keys and values in the order in which they came.
pub(super) fn group<K: Eq + Hash + Clone, V>(
    pairs: impl Iterator<Item = (K, V)>,
) -> Vec<(K, Vec<V>)> {
    let mut places: HashMap<K, usize> = HashMap::new();
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    for (key, value) in pairs {
        let place = *places.entry(key.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}

/// The findings by rule: those that matter in full, the others in a line.
fn findings(page: &mut Page, all: &[Of<'_>]) {
    let found = all.iter().flat_map(verdict::open);
    let mut groups: Vec<(_, Vec<&Finding>)> =
        group(found.map(|finding| ((finding.severity, finding.rule.as_str()), finding)));
    groups.sort_by_key(|((severity, _), found)| (Reverse(*severity), Reverse(found.len())));
    let (full, compact): (Vec<_>, Vec<_>) = groups
        .into_iter()
        .partition(|((severity, _), _)| *severity >= Severity::Medium);
    for (_, found) in &full {
        let Some(first) = found.first() else { continue };
        page.blank();
        heading(page, 2, first);
        let targets = targets(found);
        page.field(4, "at", LABEL, &Span::plain(at(&targets, all.len())));
        let example = match targets.as_slice() {
            [_] => first.message.clone(),
            _ => format!("{}: {}", first.target, first.message),
        };
        page.field(4, "seen", LABEL, &Span::plain(example));
        why_and_fix(page, first);
        if let Some(command) = first.reproduce.first() {
            for (number, line) in command.lines().enumerate() {
                let label = if number == 0 { "see it" } else { "" };
                let lead = Span::new(DIM, format!("{label:LABEL$}"));
                page.line(4, &[lead, Span::new(super::page::COMMAND, line)]);
            }
        }
    }
    if !compact.is_empty() {
        page.blank();
    }
    for ((severity, rule), found) in compact {
        let lead = Span::new(
            super::findings::style(severity),
            format!("{:9}", severity.name()),
        );
        let title = crate::checks::rule(rule).map_or(rule, |rule| rule.title);
        let told = format!("{title} ({rule}): {}", at(&targets(&found), all.len()));
        page.paragraph(2, &[lead], 9, &Span::plain(told));
    }
}

/// The targets of findings, each once.
fn targets<'a>(found: &[&'a Finding]) -> Vec<&'a str> {
    let mut targets: Vec<&str> = found.iter().map(|f| f.target.as_str()).collect();
    targets.dedup();
    targets
}

fn at(targets: &[&str], all: usize) -> String {
    match targets {
        [only] => (*only).to_owned(),
        every if every.len() == all => format!("all {all} targets"),
        many => format!("{} targets: {}", many.len(), named(many)),
    }
}
