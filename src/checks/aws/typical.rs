//! Load balancers as they are usually set up: exactly what is to be said of each, and nothing else.

use std::fmt::Write;

use serde::Deserialize;
use time::OffsetDateTime;

use super::tests::{Case, findings_of, read};

/// `fixtures/audits/typical.json`.
#[derive(Deserialize)]
struct Typical {
    /// The time of the run.
    #[serde(with = "time::serde::rfc3339")]
    now: OffsetDateTime,
    cases: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    #[serde(flatten)]
    case: Case,
    /// `low alb-logs-off`, the worst first.
    expected: Vec<String>,
}

#[test]
fn what_is_usual_makes_exactly_the_findings_that_it_deserves() {
    let typical: Typical = read("typical.json");
    assert!(typical.cases.len() > 25);
    let mut differing = String::new();
    for Expected { case, expected } in &typical.cases {
        let findings = findings_of(case, typical.now);
        let told = findings
            .iter()
            .map(|found| format!("{} {}", found.severity.name(), found.rule));
        let told: Vec<String> = told.collect();
        if told == *expected {
            continue;
        }
        writeln!(differing, "{}: not {expected:?}", case.about).unwrap();
        for found in &findings {
            let (severity, rule) = (found.severity.name(), &found.rule);
            let (subject, message) = (&found.subject, &found.message);
            writeln!(differing, "  {severity} {rule} {subject}: {message}").unwrap();
            for seen in &found.evidence.seen {
                writeln!(differing, "    - {seen}").unwrap();
            }
        }
    }
    assert!(differing.is_empty(), "\n{differing}");
}
