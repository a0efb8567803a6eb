//! `gladhand demo`: the first command of the README.

use crate::harness::gladhand;

#[test]
fn it_finds_what_it_planted() {
    let ran = gladhand(&["demo"]);
    ran.ends_with(0);
    assert_eq!(ran.stderr, "", "{ran:#?}");
    for rule in [
        "certificate-expired",
        "certificate-name-mismatch",
        "chain-incomplete",
        "tls-1-3-missing",
        "plaintext-on-tls-port",
        "port-silent",
    ] {
        assert!(ran.stdout.contains(rule), "{rule}:\n{}", ran.stdout);
    }
}

#[test]
fn its_json_is_a_report() {
    let report = gladhand(&["demo", "-o", "json"]).report();
    report.ends_with(0);
    assert!(
        report
            .at("/targets")
            .as_array()
            .is_some_and(|targets| targets.len() >= 7),
        "{report}"
    );
}
