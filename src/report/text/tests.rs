//! The text report on samples: what it says, and what it never lets through.

use serde_json::Value;

use super::*;
use crate::exit::Exit;
use crate::report::sample;

fn text(report: &Report, options: &RenderOptions) -> String {
    let mut out = Vec::new();
    Text.render(report, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn normal(report: &Report) -> String {
    text(report, &RenderOptions::default())
}

#[test]
fn the_verdict_is_the_first_line() {
    let text = normal(&sample::expired());
    let first = text.lines().next().unwrap();
    assert!(
        first.starts_with("✗ example.com:443  Clients refuse the certificate: it"),
        "{first}"
    );
}

#[test]
fn a_finding_says_what_why_how_and_with_what_it_is_seen() {
    let text = normal(&sample::expired());
    for told in [
        "CRITICAL  ",
        "certificate-expired",
        "expired 12 days ago",
        "at 192.0.2.1, 192.0.2.2",
        "nginx: Renew it and reload.",
        "nginx -s reload",
        "openssl s_client -connect 192.0.2.1:443",
        "rfc5280",
    ] {
        assert!(text.contains(told), "{told} is missing in\n{text}");
    }
}

#[test]
fn notes_are_short_unless_all_is_asked_for() {
    let report = sample::expired();
    let told = "info     Something worth knowing. (tls-1-3-missing)";
    assert!(normal(&report).contains(told), "{}", normal(&report));
    let verbose = RenderOptions {
        detail: Detail::Verbose,
        ..RenderOptions::default()
    };
    assert!(text(&report, &verbose).contains("INFO  "));
}

#[test]
fn addresses_with_the_same_facts_share_a_block() {
    let text = normal(&sample::expired());
    assert_eq!(text.matches("  versions ").count(), 1, "{text}");
    assert!(text.contains("192.0.2.1") && text.contains("192.0.2.2"));
}

#[test]
fn what_is_undetermined_is_a_question_mark() {
    let text = normal(&sample::undetermined());
    assert!(text.contains("TLSv1.0 ?"), "{text}");
    assert!(!text.contains("TLSv1.0 no"), "{text}");
    assert!(
        text.contains("? undetermined: TLS_RSA_WITH_AES_128_GCM_SHA256"),
        "{text}"
    );
    assert!(
        text.contains("groups        ? not measured: silence"),
        "{text}"
    );
    assert!(
        text.contains("Not everything asked was measured."),
        "{text}"
    );
}

#[test]
fn the_facts_name_suites_twice_and_mark_post_quantum_groups() {
    let text = normal(&sample::healthy());
    for told in [
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256  ECDHE-ECDSA-AES128-GCM-SHA256",
        "TLSv1.3 in the server's order",
        "TLSv1.3 yes",
        "0  CN=example.com",
        "2026-10-01 to 2027-03-01, 101 days left",
        "a wrong one: the alert unrecognized_name (112)",
    ] {
        assert!(text.contains(told), "{told} is missing in\n{text}");
    }
}

#[test]
fn quiet_is_verdicts_and_one_line_a_finding() {
    let quiet = RenderOptions {
        detail: Detail::Quiet,
        ..RenderOptions::default()
    };
    let text = text(&sample::expired(), &quiet);
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn says_what_the_exit_code_means() {
    let options = RenderOptions {
        exit: Some(Exit::Findings),
        ..RenderOptions::default()
    };
    let text = text(&sample::expired(), &options);
    let told = "Everything asked was measured. Exit code 1: findings at or above high.";
    assert!(text.ends_with(&format!("{told}\n")), "{text}");
}

#[test]
fn several_targets_end_in_a_table() {
    let mut report = sample::expired();
    report.targets.extend(sample::refused().targets);
    let text = normal(&report);
    assert!(
        text.contains("2 targets: 1 broken  1 not (fully) measured"),
        "{text}"
    );
}

#[test]
fn no_line_is_wider_than_asked_but_those_to_copy() {
    let to_copy = |line: &&str| {
        let line = line.trim_start();
        !["TLS_", "sha256", "see it"]
            .iter()
            .any(|start| line.starts_with(start))
    };
    for (name, report) in sample::all() {
        for line in normal(&report).lines().filter(to_copy) {
            assert!(textwrap::core::display_width(line) <= 80, "{name}: {line}");
        }
    }
}

#[test]
fn styles_only_where_wanted() {
    let options = RenderOptions {
        color: true,
        ..RenderOptions::default()
    };
    assert!(text(&sample::expired(), &options).contains("\u{1b}["));
    assert!(!normal(&sample::expired()).contains('\u{1b}'));
}

/// Every text of a report in turn is hostile; nothing a terminal would obey comes through.
#[test]
fn nothing_hostile_comes_through() {
    const HOSTILE: &str =
        "a\u{1b}]0;P\u{7}\u{1b}[2J\r\nb\u{8}\u{9b}\u{7f}\u{202e}\u{2066}\u{200b}c";
    let options = RenderOptions {
        detail: Detail::Evidence,
        ..RenderOptions::default()
    };
    let mut tried = 0;
    for (name, report) in sample::all() {
        let json = serde_json::to_value(&report).unwrap();
        let mut paths = Vec::new();
        strings(&json, &mut String::new(), &mut paths);
        for path in paths {
            let mut changed = json.clone();
            *changed.pointer_mut(&path).unwrap() = Value::String(HOSTILE.into());
            // Dates, addresses and the like cannot be hostile: such a report is not read.
            let Ok(hostile) = serde_json::from_value::<Report>(changed) else {
                continue;
            };
            tried += 1;
            let shown = text(&hostile, &options);
            let bad = shown.chars().find(|c| {
                (c.is_control() && *c != '\n')
                    || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            });
            assert_eq!(bad, None, "{name} {path}");
            assert!(
                !shown.lines().any(|line| line.starts_with('b')),
                "{name} {path}"
            );
        }
    }
    assert!(tried > 100, "only {tried} texts");
}

/// The same where many targets are told together.
#[test]
fn nothing_hostile_comes_through_of_many() {
    const HOSTILE: &str = "a\u{1b}[2J\nb\u{9b}\u{202e}";
    let mut report = sample::expired();
    let (target, finding) = (report.targets[0].clone(), report.findings[0].clone());
    for number in 0..MANY {
        let name = format!("{HOSTILE}{number}:443");
        let mut target = target.clone();
        target.target.clone_from(&name);
        report.targets.push(target);
        let mut finding = finding.clone();
        finding.message = HOSTILE.into();
        finding.target = name;
        report.findings.push(finding);
    }
    let shown = normal(&report);
    let told = format!("{} targets  Clients refuse the certificate", MANY + 1);
    assert!(shown.contains(&told), "{shown}");
    assert!(
        !shown.contains(['\u{1b}', '\u{9b}', '\u{202e}']),
        "{shown:?}"
    );
    assert!(!shown.lines().any(|line| line.starts_with('b')), "{shown}");
}

/// The JSON pointers of every string.
fn strings(value: &Value, at: &mut String, paths: &mut Vec<String>) {
    let length = at.len();
    let mut descend = |key: &str, value: &Value| {
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        strings(value, at, paths);
        at.truncate(length);
    };
    match value {
        Value::String(_) => paths.push(at.clone()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                descend(&index.to_string(), item);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                descend(key, field);
            }
        }
        _ => {}
    }
}
