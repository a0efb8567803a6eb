//! Lines that products really printed against servers with a known fault: is the cause told?
//!
//! `GLADHAND_ERROR_LINES=FILE cargo test --test it error_lines -- --nocapture` measures another file of
//! the same form, and prints the figures and every line that is told wrongly.

use std::collections::BTreeMap;

use gladhand::records::Catalogue;
use gladhand::records::explain::groups::Groups;
use gladhand::records::explain::{Match, Verdict, explain};
use gladhand::records::matcher::Matcher;
use serde::Deserialize;

/// 251 lines of 14 products against 50 faulty servers.
const LINES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/fixtures/lines/error_lines.jsonl"
);

/// The share of lines that has to be right.
const ENOUGH: f64 = 0.97;

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "line")]
    text: String,
    product: String,
    slugs: Vec<String>,
}

/// Causes that one line cannot tell apart by their names.
const SAME: &[&[&str]] = &[
    &[
        "alert:40",
        "handshake-failure-unspecified",
        "cipher-mismatch",
    ],
    &["alert:70", "protocol-version-mismatch"],
    &["alert:112", "sni-missing", "sni-wrong", "sni-unrecognized"],
    &["alert:116", "client-cert-required"],
    &["alert:120", "alpn-mismatch"],
    &["alert:86", "fallback-scsv"],
    &["alert:80", "server-internal-error"],
    &["alert:42", "client-rejected-cert", "client-cert-rejected"],
    &["alert:48", "client-rejected-cert", "client-cert-rejected"],
    &["alert:71", "weak-key", "dh-key-small", "cipher-mismatch"],
    &["alert:50", "server-bug"],
    &["alert:47", "server-bug"],
    &["timeout", "handshake-timeout"],
    &["size-intolerance", "large-hello-dropped"],
    &["not-tls", "tls-to-plaintext-port"],
];

fn is(slug: &str, cause: &str) -> bool {
    slug == cause
        || SAME
            .iter()
            .any(|same| same.contains(&slug) && same.contains(&cause))
}

/// More open causes than this beside those that are open are a long list.
fn too_many(slugs: usize) -> usize {
    slugs * 2 + 2
}

fn is_right(line: &Line, found: Option<&Match>) -> bool {
    let slugs: Vec<String> = line
        .slugs
        .iter()
        .map(|slug| slug.replace('_', "-"))
        .collect();
    let Some(found) = found else { return false };
    if let [slug] = slugs.as_slice() {
        return found.cause.as_deref().is_some_and(|cause| is(slug, cause));
    }
    // The cause's name where it is one, `timeout` apart: that is not the name of a cause.
    let named = |slug: &String| {
        let name = if slug == "timeout" {
            "handshake-timeout"
        } else {
            slug
        };
        found.could_be.iter().any(|open| open == name)
    };
    slugs.iter().all(named)
        && found.could_be.len() <= too_many(slugs.len())
        && found.verdict == Verdict::Undetermined
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are what it is run for")]
fn the_cause_of_real_lines_is_told() {
    let own = std::env::var("GLADHAND_ERROR_LINES");
    let file = own.as_deref().unwrap_or(LINES);
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let catalogue = Catalogue::embedded();
    let matcher = Matcher::new(&catalogue);
    let mut figures: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for row in text.lines() {
        let line: Line = serde_json::from_str(row).expect("a line of the form above");
        let mut groups = Groups::new(&catalogue, &matcher);
        groups.begin(None);
        for (number, part) in line.text.lines().enumerate() {
            groups.take_text(number as u64 + 1, part);
        }
        let explained = explain(groups);
        let found = explained.matches.first();
        let kind = if line.slugs.len() == 1 {
            "decided"
        } else {
            "ambiguous"
        };
        let figure = figures.entry(kind).or_default();
        figure.1 += 1;
        if is_right(&line, found) {
            figure.0 += 1;
        } else {
            println!("wrong ({kind}, {}): {:?}", line.product, line.slugs);
            println!("  {}", line.text);
            match found {
                Some(found) => {
                    println!("  {} {:?} {:?}", found.record, found.cause, found.could_be);
                }
                None => println!("  no record knows it"),
            }
        }
    }
    for (kind, (right, all)) in figures {
        let share = f64::from(right) / f64::from(all);
        println!("{kind}: {right} of {all} right, {:.1} %", share * 100.0);
        assert!(share >= ENOUGH, "{kind}: {right} of {all}");
    }
}
