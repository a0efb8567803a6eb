//! Every check has a fixture that makes it fire, and it alone, and one that leaves it silent.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use gladhand_probes::tls::verification::{Problem, Reason, Verdict};
use gladhand_probes::{Answer, Attempt};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use super::*;

/// `fixtures/observations/<rule>.json`.
#[derive(Deserialize)]
pub(super) struct Fixture {
    /// The time of the run.
    #[serde(with = "time::serde::rfc3339")]
    pub(super) now: OffsetDateTime,
    /// Other rules that may fire beside it, for the same observations.
    #[serde(default)]
    also: Vec<String>,
    /// Each of these makes the rule fire, and no other one but those of `also`.
    pub(super) fires: Vec<TargetReport>,
    /// None of these makes the rule fire.
    pub(super) silent: Vec<TargetReport>,
}

pub(super) fn fixture(rule: &str) -> Fixture {
    let path = observations().join(format!("{rule}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(super) fn findings_at(target: &TargetReport, now: OffsetDateTime) -> Vec<Finding> {
    judge(std::slice::from_ref(target), now).findings
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn observations() -> PathBuf {
    root().join("fixtures/observations")
}

fn rules() -> impl Iterator<Item = &'static Rule> {
    CHECKS.iter().map(|check| check.rule())
}

/// Compares a generated file with the one in the repository, or writes it.
pub(super) fn assert_up_to_date(path: &Path, expected: &str) {
    if std::env::var_os("GLADHAND_UPDATE").is_some() {
        std::fs::write(path, expected).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is out of date: run the tests with GLADHAND_UPDATE=1 and look at the difference",
        path.display()
    );
}

#[test]
fn every_check_has_fixtures_that_fire_and_fixtures_that_do_not() {
    for rule in rules() {
        let fixture = fixture(rule.id);
        assert!(
            !fixture.fires.is_empty() && !fixture.silent.is_empty(),
            "{}",
            rule.id
        );
        for (n, target) in fixture.fires.iter().enumerate() {
            let findings = findings_at(target, fixture.now);
            let fired: Vec<&str> = findings.iter().map(|found| found.rule.as_str()).collect();
            assert!(
                fired.contains(&rule.id),
                "{} fires[{n}]: {fired:?}",
                rule.id
            );
            let others: Vec<_> = fired
                .iter()
                .filter(|id| **id != rule.id && !fixture.also.iter().any(|also| also == *id))
                .collect();
            assert!(others.is_empty(), "{} fires[{n}]: also {others:?}", rule.id);
        }
        for (n, target) in fixture.silent.iter().enumerate() {
            let findings = findings_at(target, fixture.now);
            let fired = findings.iter().find(|found| found.rule == rule.id);
            assert!(fired.is_none(), "{} silent[{n}]: {fired:?}", rule.id);
        }
    }
}

#[test]
fn every_observation_belongs_to_a_check() {
    for entry in std::fs::read_dir(observations()).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let id = path.file_stem().unwrap().to_str().unwrap();
            assert!(
                id == "healthy" || rule(id).is_some(),
                "no check for {}",
                path.display()
            );
        }
    }
}

#[test]
fn a_healthy_server_has_no_findings() {
    let fixture = fixture("healthy");
    for target in &fixture.silent {
        assert_eq!(findings_at(target, fixture.now), []);
    }
}

/// The wording of every finding, in one file that can be read.
#[test]
fn findings_read_as_recorded() {
    let mut text = String::new();
    for rule in rules() {
        let fixture = fixture(rule.id);
        for target in &fixture.fires {
            for found in findings_at(target, fixture.now)
                .iter()
                .filter(|f| f.rule == rule.id)
            {
                let (severity, key) = (found.severity.name(), &found.evidence.key);
                writeln!(text, "{} [{severity}] {key}", rule.id).unwrap();
                writeln!(text, "  {}", found.message).unwrap();
                for seen in &found.evidence.seen {
                    writeln!(text, "    - {seen}").unwrap();
                }
                for command in &found.reproduce {
                    writeln!(text, "    $ {command}").unwrap();
                }
                text.push('\n');
            }
        }
    }
    assert_up_to_date(&observations().join("findings.txt"), &text);
}

#[test]
fn the_page_of_the_docs_is_up_to_date() {
    assert_up_to_date(&root().join("docs/checks.md"), &docs());
}

#[test]
fn ids_are_unique_and_never_change() {
    let ids: Vec<&str> = rules().map(|rule| rule.id).collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len());
    for id in &ids {
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(id.chars().all(kebab), "{id}");
    }
    assert_eq!(ids.join("\n"), IDS.trim());
}

/// Scripts and baselines know these words: add to the list, change nothing in it.
const IDS: &str = "
certificate-expired
certificate-expires-soon
certificate-not-yet-valid
certificate-name-mismatch
certificate-ip-san-missing
certificate-cn-only
certificate-self-signed
certificate-untrusted-root
certificate-weak-key
certificate-weak-signature
certificate-wrong-usage
certificate-name-constraints
certificate-x509-v1
certificate-transparency-missing
chain-incomplete
chain-out-of-order
chain-superfluous-root
chain-intermediate-expired
chain-duplicate
chain-unrelated
chain-path-length
certificate-revoked
stapling-must-staple-missing
stapling-expired
stapling-wrong-certificate
stapling-invalid
stapling-revoked
ssl-2-accepted
ssl-3-accepted
tls-1-0-accepted
tls-1-1-accepted
tls-1-2-missing
tls-1-3-missing
handshake-fails
large-hello-dropped
hello-intolerance
client-certificate-required
client-certificate-rejected
suite-null
suite-anonymous
suite-export
suite-rc4
suite-3des
suite-cbc-sha1
suite-no-forward-secrecy
dh-group-small
group-post-quantum-missing
renegotiation-insecure
renegotiation-client-initiated
extended-master-secret-missing
compression-accepted
fallback-scsv-missing
alpn-http2-missing
dh-public-value-reused
signature-sha1-accepted
hsts-missing
http-redirect-missing
session-resumption-broken
sni-required
sni-default-certificate-differs
sni-unknown-name-rejected
mozilla-profile-missed
plaintext-on-tls-port
starttls-refused
port-closed
port-silent
server-throttles
nodes-disagree
addresses-disagree
not-measured
alb-target-no-common-version
alb-target-no-common-suite
alb-target-sni-required
alb-target-client-certificate-required
alb-target-handshake-fails
alb-target-handshake-slow
alb-target-plaintext
alb-target-tls-on-http-group
alb-target-unreachable
alb-target-certificate-invalid
alb-target-keep-alive-too-short
alb-target-response-invalid
alb-target-response-header-too-large
alb-target-health-check-fails
alb-target-request-fails
alb-target-protocol-version-mismatch
";

#[test]
fn every_rule_is_documented() {
    for rule in rules() {
        assert_documented(rule);
    }
}

pub(super) fn assert_documented(rule: &Rule) {
    let id = rule.id;
    for text in [rule.title, rule.what, rule.why] {
        assert!(text.len() > 10, "{id}: {text:?}");
        assert!(
            !text.contains("  ") && text == text.trim(),
            "{id}: {text:?}"
        );
    }
    assert!(!rule.title.ends_with('.'), "{id}");
    assert!(rule.what.ends_with('.') && rule.why.ends_with('.'), "{id}");
    assert!(!rule.fix.is_empty(), "{id}");
    for fix in rule.fix {
        let known = [
            "nginx",
            "HAProxy",
            "AWS",
            "AWS ALB",
            "AWS NLB",
            "AWS CLB",
            "JVM",
            "Node.js",
            "Apache",
            "Terraform",
            "any",
        ];
        assert!(known.contains(&fix.product), "{id}: {}", fix.product);
        assert!(
            fix.text.ends_with('.') && !fix.text.contains("  "),
            "{id}: {}",
            fix.text
        );
        assert!(
            fix.snippet.is_none_or(|snippet| !snippet.contains("  ")),
            "{id}"
        );
    }
    assert!(!rule.references.is_empty(), "{id}");
    for url in rule.references {
        assert!(
            url.starts_with("https://") && !url.contains(' '),
            "{id}: {url}"
        );
    }
}

/// Every reason that the verification may give, and the rule that tells it.
const REASONS: &[(Reason, &str)] = &[
    (Reason::CertificateExpired, "certificate-expired"),
    (Reason::CertificateNotYetValid, "certificate-not-yet-valid"),
    (Reason::CertificateNameMismatch, "certificate-name-mismatch"),
    (
        Reason::CertificateIpSanMissing,
        "certificate-ip-san-missing",
    ),
    (Reason::CertificateCnOnly, "certificate-cn-only"),
    (Reason::CertificateSelfSigned, "certificate-self-signed"),
    (
        Reason::CertificateUntrustedRoot,
        "certificate-untrusted-root",
    ),
    (Reason::CertificateWeakKey, "certificate-weak-key"),
    (
        Reason::CertificateWeakSignature,
        "certificate-weak-signature",
    ),
    (Reason::CertificateWrongUsage, "certificate-wrong-usage"),
    (
        Reason::CertificateNameConstraints,
        "certificate-name-constraints",
    ),
    (Reason::CertificateX509V1, "certificate-x509-v1"),
    (Reason::ChainIncomplete, "chain-incomplete"),
    (
        Reason::ChainIntermediateExpired,
        "chain-intermediate-expired",
    ),
    (Reason::ChainPathLength, "chain-path-length"),
    (Reason::BadSignature, "chain-incomplete"),
    (Reason::Other, "certificate-untrusted-root"),
];

#[test]
fn every_reason_of_the_verification_is_the_rule_that_explains_it() {
    for (reason, id) in REASONS {
        assert!(rule(id).is_some(), "{id}");
        if !matches!(reason, Reason::BadSignature | Reason::Other) {
            assert_eq!(serde_json::to_value(reason).unwrap(), *id);
        }
    }
}

#[test]
fn an_untrusted_chain_is_never_without_a_finding() {
    let fixture = fixture("healthy");
    let reasons = REASONS.iter().map(|(reason, id)| (Some(*reason), *id));
    for (reason, id) in reasons.chain([(None, "certificate-untrusted-root")]) {
        let mut target = fixture.silent[0].clone();
        let Attempt::Seen(seen) = &mut target.endpoints[0].observations.verification else {
            panic!("not verified");
        };
        seen.verdict = Verdict::Untrusted;
        seen.reason = reason;
        let problem = |reason| Problem {
            reason,
            certificate: Some(0),
            detail: "the particulars".into(),
        };
        seen.problems = reason.map(problem).into_iter().collect();
        let findings = findings_at(&target, fixture.now);
        let rules: Vec<&str> = findings.iter().map(|found| found.rule.as_str()).collect();
        assert_eq!(rules, [id], "{reason:?}");
        assert!(findings[0].severity >= Severity::High, "{reason:?}");
    }
}

#[test]
fn a_fingerprint_has_no_address_and_no_date() {
    for rule in rules() {
        let fixture = fixture(rule.id);
        for target in &fixture.fires {
            let prints = |target: &TargetReport, now| -> BTreeSet<String> {
                let findings = findings_at(target, now).into_iter();
                findings
                    .filter(|f| f.rule == rule.id)
                    .map(|f| f.fingerprint)
                    .collect()
            };
            let mut moved = target.clone();
            for (n, endpoint) in moved.endpoints.iter_mut().enumerate() {
                endpoint.ip = format!("203.0.113.{}", n + 1).parse().unwrap();
                endpoint.duration_ms += 17;
            }
            let later = fixture.now + Duration::MINUTE;
            assert_eq!(
                prints(target, fixture.now),
                prints(&moved, later),
                "{}",
                rule.id
            );
        }
    }
}

#[test]
fn the_same_finding_at_several_addresses_is_one() {
    let fixture = fixture("tls-1-0-accepted");
    let mut target = fixture.fires[0].clone();
    let mut second = target.endpoints[0].clone();
    second.ip = "192.0.2.77".parse().unwrap();
    target.endpoints.push(second);
    let findings = findings_at(&target, fixture.now);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].evidence.addresses.len(), 2);
}

#[test]
fn undetermined_versions_judge_nothing() {
    let fixture = fixture("healthy");
    let mut target = fixture.silent[0].clone();
    let Attempt::Seen(seen) = &mut target.endpoints[0].observations.versions else {
        panic!("no versions");
    };
    for version in seen.0.values_mut() {
        version.answer = Answer::Undetermined;
    }
    let findings = findings_at(&target, fixture.now);
    let rules: Vec<&str> = findings.iter().map(|found| found.rule.as_str()).collect();
    assert_eq!(rules, ["not-measured"]);
}

#[test]
fn the_most_severe_finding_comes_first() {
    let mut targets = Vec::new();
    for id in ["port-closed", "certificate-expired", "tls-1-0-accepted"] {
        targets.push(fixture(id).fires.remove(0));
    }
    let severities: Vec<Severity> = judge(&targets, fixture("port-closed").now)
        .findings
        .iter()
        .map(|found| found.severity)
        .collect();
    assert!(severities.is_sorted_by(|a, b| a >= b), "{severities:?}");
}

/// What a peer or a target's name may contain goes into no message and no command as it is.
#[test]
fn hostile_text_is_escaped_and_quoted() {
    for rule in rules() {
        let fixture = fixture(rule.id);
        for target in &fixture.fires {
            let json = serde_json::to_string(target).unwrap();
            let hostile = json.replace("example.com", "e'$(id)\\u001b[2J\\u202e.com");
            let target: TargetReport = serde_json::from_str(&hostile).unwrap();
            for found in findings_at(&target, fixture.now) {
                for text in found.reproduce.iter().chain([&found.message]) {
                    let raw = |c: char| c == '\u{1b}' || c == '\u{202e}';
                    assert!(!text.contains(raw), "{}: {text:?}", rule.id);
                }
                for command in found.reproduce {
                    assert!(!unquoted(&command).contains("$("), "{}: {command}", rule.id);
                }
            }
        }
    }
}

/// A command without what stands in single quotes, and without escaped quotes.
fn unquoted(command: &str) -> String {
    let command = command.replace(r"\'", "");
    command.split('\'').step_by(2).collect()
}
