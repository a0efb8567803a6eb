//! Pasted text and logs of any size: the lines that a record knows, grouped, each with its cause, what
//! else it could be, how to decide, and what to change. Nothing is confirmed here: no probe was run.

pub mod groups;
pub mod scan;
pub(crate) mod text;

use std::collections::BTreeSet;

use gladhand_probes::Untrusted;
use serde::Serialize;

use self::groups::{Group, Groups};
use super::model::{Correction, DeadEnd, Diagnosis, Fix, Record};
use super::{Catalogue, cause, product};

/// What was found in texts and logs.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// The lines that a record knows, grouped, in the order of their first occurrence.
    pub matches: Vec<Match>,
    /// How many lines were read.
    pub lines: u64,
    /// How many lines are in groups of which only the first is told, because there are too many kinds.
    pub crowded: u64,
}

/// Equal lines: equal but for numbers, times and requests.
#[derive(Clone, Debug, Serialize)]
pub struct Match {
    /// The file; none for text from the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Untrusted>,
    /// The first of them, counted from 1.
    pub line_no: u64,
    /// How many there are.
    pub count: u64,
    /// The first one.
    pub text: Untrusted,
    /// The time in the first one, as it stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Untrusted>,
    /// The time in the last one, as it stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Untrusted>,
    /// What a code in it says, where a code was all that was known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoded: Option<String>,
    /// The product that printed it.
    pub product: Option<String>,
    /// The record that knows it.
    pub record: String,
    /// The record's signature.
    pub signature: String,
    /// Its cause; none where the record names none of the vocabulary.
    pub cause: Option<String>,
    /// The cause in words.
    pub about: Option<String>,
    /// Why it happens.
    pub root_cause: Option<String>,
    /// How much the text alone says.
    pub verdict: Verdict,
    /// Where it does not decide: every cause that it leaves open.
    pub could_be: Vec<Candidate>,
    /// Probes that decide between them: `gladhand check HOST --only …`.
    pub decided_by: Vec<String>,
    /// What to change: for the product that printed it, else for every product concerned.
    pub fix: Vec<ProductFix>,
    /// What people try, and why it fails.
    pub dead_ends: Vec<DeadEnd>,
    /// What is often written about it, and wrong.
    pub corrections: Vec<Correction>,
    /// Other records that know the line as well.
    pub also: Vec<String>,
    /// Primary sources.
    pub sources: Vec<String>,
}

/// A cause that a text leaves open, in JSON its slug alone.
pub type Candidate = String;

/// How much a text says. `confirmed` and `excluded` take a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The text leaves one cause.
    Likely,
    /// The text leaves several, or names none.
    Undetermined,
}

/// What to change on one product.
#[derive(Clone, Debug, Serialize)]
pub struct ProductFix {
    /// The product; `any` for all.
    pub product: String,
    /// What, with a snippet and the command that shows whether it worked.
    #[serde(flatten)]
    pub fix: Fix,
}

/// What the groups amount to.
pub fn explain(groups: Groups<'_>) -> Explained {
    let catalogue = groups.catalogue();
    let (lines, crowded) = (groups.lines(), groups.crowded());
    let mut groups = groups.into_groups();
    groups.sort_by_key(|group| (group.place, group.line_no));
    let matches = groups
        .into_iter()
        .map(|group| describe(group, catalogue))
        .collect();
    Explained {
        matches,
        lines,
        crowded,
    }
}

fn describe(group: Group, catalogue: &Catalogue) -> Match {
    let known = |number: usize| &catalogue.entries()[number].record;
    let record = known(group.hit.record);
    let diagnosis = record.diagnosis.as_ref();
    let could_be = record.could_be(group.hit.pattern).to_vec();
    let product = product::of(&group.text).map(str::to_owned).or_else(|| {
        let pattern = diagnosis?.patterns.get(group.hit.pattern?)?;
        pattern.product.clone()
    });
    let (first, last) = (time(&group.text), time(&group.last));
    Match {
        file: group.file.map(|name| Untrusted::from(&*name)),
        line_no: group.line_no,
        count: group.count,
        text: Untrusted::from_bytes(&group.text),
        first,
        last,
        decoded: group.decoded,
        fix: fixes(diagnosis, product.as_deref()),
        product,
        record: record.id.clone(),
        signature: record.signature.clone(),
        cause: record.cause().map(str::to_owned),
        about: record.cause().map(cause::about),
        root_cause: record.root_cause.clone(),
        verdict: verdict(record, &could_be),
        decided_by: deciding(record, &could_be, catalogue),
        could_be,
        dead_ends: record.dead_ends.clone(),
        corrections: diagnosis
            .map(|own| own.corrections.clone())
            .unwrap_or_default(),
        also: group
            .also
            .iter()
            .map(|number| known(*number).id.clone())
            .collect(),
        sources: diagnosis.map(|own| own.sources.clone()).unwrap_or_default(),
    }
}

fn verdict(record: &Record, could_be: &[String]) -> Verdict {
    let names = record.cause().is_some_and(|cause| cause != cause::WRAPPER);
    if names && could_be.len() < 2 {
        Verdict::Likely
    } else {
        Verdict::Undetermined
    }
}

/// The probes that decide between the open causes.
fn deciding(record: &Record, could_be: &[String], catalogue: &Catalogue) -> Vec<String> {
    let own = record.diagnosis.iter();
    let others = could_be.iter().flat_map(|cause| catalogue.of_cause(cause));
    let others = others.filter_map(|record| record.diagnosis.as_ref());
    let probes = own
        .chain(others)
        .flat_map(|diagnosis| &diagnosis.decided_by);
    let mut seen = BTreeSet::new();
    probes
        .filter(|probe| seen.insert(probe.as_str()))
        .cloned()
        .collect()
}

/// The fixes of the product, or of whatever it is a kind of; those for all behind them. Where there are
/// none of either, all: the other end is to be changed.
fn fixes(diagnosis: Option<&Diagnosis>, product: Option<&str>) -> Vec<ProductFix> {
    let Some(diagnosis) = diagnosis else {
        return Vec::new();
    };
    let of = |name: &str| {
        let name = name.to_owned();
        let fixes = diagnosis.fixes.get(&name).cloned().unwrap_or_default();
        fixes.into_iter().map(move |fix| ProductFix {
            product: name.clone(),
            fix,
        })
    };
    let names = product.map(product::fixes_of).unwrap_or_default();
    let own: Vec<_> = names
        .iter()
        .map(|name| of(name).collect())
        .find(|all: &Vec<_>| !all.is_empty())
        .unwrap_or_default();
    if own.is_empty() {
        return diagnosis.fixes.keys().flat_map(|name| of(name)).collect();
    }
    own.into_iter().chain(of("any")).collect()
}

/// The time in a line, as it stands there.
fn time(line: &[u8]) -> Option<Untrusted> {
    use regex::bytes::Regex;
    use std::sync::LazyLock;
    const TIMES: &str = concat!(
        r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?",
        r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d(?:\.\d+)? \d{4}",
        r"|\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?:[. ][+-]?\d+)?",
        r"|[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d",
    );
    static TIME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(TIMES).unwrap_or_else(|error| panic!("{error}")));
    // A time further back is one that the line tells of.
    let head = line.get(..96).unwrap_or(line);
    let found = TIME.find(head)?;
    Some(Untrusted::from_bytes(found.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Option<String> {
        time(line.as_bytes()).map(|time| time.to_string())
    }

    #[test]
    fn times_are_found_as_products_write_them() {
        for (line, told) in [
            ("2026/11/20 05:54:40 [error] x", "2026/11/20 05:54:40"),
            ("2026-11-20T05:55:36Z ERR x", "2026-11-20T05:55:36Z"),
            (
                "[Fri Nov 20 05:56:08.844478 2026] [ssl:info] x",
                "Fri Nov 20 05:56:08.844478 2026",
            ),
            ("Nov 20 05:54:40 lb haproxy[3]: x", "Nov 20 05:54:40"),
            (
                r#"::1 - - [20/Nov/2026:05:54:40 +0000] "GET"#,
                "20/Nov/2026:05:54:40 +0000",
            ),
        ] {
            assert_eq!(found(line).as_deref(), Some(told), "{line}");
        }
        assert_eq!(found("curl: (60) x"), None);
    }
}
