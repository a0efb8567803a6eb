//! Reports for the tests of formats, exit codes and gaps: made from JSON, as a saved report is.

use serde_json::{Value, json};

use super::model::{Counts, Report, Severity};
use crate::gaps::not_measured;

/// Every sample, with its name.
pub(crate) fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("healthy", healthy()),
        ("expired", expired()),
        ("refused", refused()),
        ("expired_and_refused", expired_and_refused()),
        ("unresolved", unresolved()),
        ("plaintext", plaintext()),
        ("undetermined", undetermined()),
        ("panicked", panicked()),
        ("interrupted", interrupted()),
        ("old", old()),
    ]
}

/// Nothing to complain about.
pub(crate) fn healthy() -> Report {
    report(
        &[target(
            "example.com:443",
            &[endpoint("192.0.2.1", &healthy_observations())],
        )],
        &[],
    )
}

/// An expired certificate, at two addresses.
pub(crate) fn expired() -> Report {
    let seen = expired_observations();
    let endpoints = [endpoint("192.0.2.1", &seen), endpoint("192.0.2.2", &seen)];
    report(
        &[target("example.com:443", &endpoints)],
        &[expired_finding(), note("tls-1-3-missing", "info")],
    )
}

/// The connection is refused.
pub(crate) fn refused() -> Report {
    report(
        &[target(
            "down.example.com:443",
            &[endpoint("192.0.2.9", &refused_observations())],
        )],
        &[],
    )
}

/// One address serves an expired certificate, the other is down.
pub(crate) fn expired_and_refused() -> Report {
    let endpoints = [
        endpoint("192.0.2.1", &expired_observations()),
        endpoint("192.0.2.9", &refused_observations()),
    ];
    report(
        &[target("example.com:443", &endpoints)],
        &[expired_finding()],
    )
}

/// The name has no address.
pub(crate) fn unresolved() -> Report {
    let target = json!({
        "target": "nowhere.example.com:443",
        "error": "no such name: nowhere.example.com",
        "endpoints": []
    });
    report(&[target], &[])
}

/// HTTP answers where TLS is expected.
pub(crate) fn plaintext() -> Report {
    let reach = json!({
        "outcome": "plaintext-http", "protocol": "http",
        "banner": "HTTP/1.1 400 Bad Request", "connect_ms": 0.2,
        "evidence": ["a ClientHello was answered with HTTP/1.1 400 Bad Request"]
    });
    let seen = json!({ "reach": reach });
    report(
        &[target("example.com:80", &[endpoint("192.0.2.1", &seen)])],
        &[],
    )
}

/// TLS 1.0 and a suite are undetermined, and the groups failed.
pub(crate) fn undetermined() -> Report {
    let mut seen = healthy_observations();
    seen["versions"]["TLSv1.0"] =
        json!({"answer": "undetermined", "evidence": "silence, also to the control hello"});
    seen["suites"]["TLSv1.2"]["complete"] = json!(false);
    seen["suites"]["TLSv1.2"]["undetermined"] = json!([suite(
        "0x009C",
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "AES128-GCM-SHA256"
    )]);
    seen["groups"] = json!({
        "status": "failed", "reason": "silence",
        "error": {"kind": "undecided", "reason": "silence"}
    });
    report(
        &[target("example.com:443", &[endpoint("192.0.2.1", &seen)])],
        &[],
    )
}

/// A probe panicked.
pub(crate) fn panicked() -> Report {
    let mut seen = healthy_observations();
    seen["suites"] = json!({
        "status": "failed", "reason": "internal error: on purpose",
        "error": {"kind": "panicked", "message": "on purpose"}
    });
    report(
        &[target("example.com:443", &[endpoint("192.0.2.1", &seen)])],
        &[],
    )
}

/// A signal came before anything was probed.
pub(crate) fn interrupted() -> Report {
    let seen = json!({"reach": {
        "status": "failed", "reason": "interrupted before it was probed",
        "error": {"kind": "undecided", "reason": "interrupted before it was probed"}
    }});
    let mut report = report(
        &[target("example.com:443", &[endpoint("192.0.2.1", &seen)])],
        &[],
    );
    report.interrupted = true;
    report.complete = false;
    report
}

/// A server that speaks TLS 1.0 only.
pub(crate) fn old() -> Report {
    let mut seen = healthy_observations();
    seen["handshake"] = json!({
        "outcome": "alert", "alert": 70, "alert_name": "protocol_version",
        "client_certificate_requested": false
    });
    seen["versions"] = versions(&["TLSv1.0"]);
    report(
        &[target(
            "old.example.com:443",
            &[endpoint("192.0.2.1", &seen)],
        )],
        &[],
    )
}

/// One finding of this severity.
pub(crate) fn with_severity(severity: Severity) -> Report {
    let targets = [target(
        "example.com:443",
        &[endpoint("192.0.2.1", &healthy_observations())],
    )];
    report(&targets, &[note("sample-rule", severity.name())])
}

fn report(targets: &[Value], findings: &[Value]) -> Report {
    let mut report: Report = serde_json::from_value(json!({
        "schema": "1.0",
        "tool": {"name": "gladhand", "version": "0.0.0"},
        "started_at": "2026-11-20T08:00:00Z",
        "finished_at": "2026-11-20T08:00:01.25Z",
        "complete": true,
        "not_measured": [],
        "targets": targets,
        "findings": findings,
        "summary": {"findings": {"critical": 0, "high": 0, "medium": 0, "low": 0, "info": 0}}
    }))
    .unwrap();
    report.not_measured = not_measured(&report.targets);
    report.complete = report.not_measured.is_empty();
    report.summary.findings = Counts::of(&report.findings);
    report
}

fn target(target: &str, endpoints: &[Value]) -> Value {
    json!({"target": target, "endpoints": endpoints})
}

fn endpoint(ip: &str, observations: &Value) -> Value {
    json!({
        "ip": ip, "port": 443, "sni": "example.com", "client": null,
        "connections": 29, "duration_ms": 137, "observations": observations
    })
}

fn refused_observations() -> Value {
    json!({"reach": {"outcome": "refused", "evidence": ["connection refused"]}})
}

fn expired_observations() -> Value {
    let mut seen = healthy_observations();
    seen["certificate"]["served"][0]["not_after"] = json!("2026-11-08T08:00:00Z");
    seen["verification"] = json!({
        "trust": "mozilla", "verdict": "untrusted", "reason": "certificate-expired",
        "problems": [{
            "reason": "certificate-expired", "certificate": 0,
            "detail": "not valid after 2026-11-08"
        }],
        "name": "example.com"
    });
    seen
}

fn healthy_observations() -> Value {
    json!({
        "reach": {
            "outcome": "tls", "connect_ms": 0.21,
            "evidence": ["a ServerHello answered the first ClientHello"]
        },
        "handshake": {
            "outcome": "completed", "version": "TLSv1.3", "suite": "TLS_AES_256_GCM_SHA384",
            "group": "X25519MLKEM768", "client_certificate_requested": false, "handshake_ms": 3.1
        },
        "versions": versions(&["TLSv1.2", "TLSv1.3"]),
        "suites": {
            "TLSv1.2": {
                "accepted": [suite(
                    "0xC02B", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                    "ECDHE-ECDSA-AES128-GCM-SHA256"
                )],
                "undetermined": [], "complete": true, "order": "not-applicable"
            },
            "TLSv1.3": {
                "accepted": [
                    suite("0x1302", "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
                    suite("0x1301", "TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256")
                ],
                "undetermined": [], "complete": true, "order": "server"
            }
        },
        "groups": {
            "accepted": [group("X25519MLKEM768"), group("x25519"), group("secp256r1")],
            "undetermined": [], "complete": true,
            "tls13": [group("X25519MLKEM768"), group("x25519"), group("secp256r1")],
            "tls12_only": [group("x25519"), group("secp256r1")]
        },
        "certificate": {
            "served": [
                certificate("CN=example.com", "CN=Sample Intermediate", &["example.com"]),
                certificate("CN=Sample Intermediate", "CN=Sample Root", &[])
            ],
            "chain": {
                "path": [0, 1], "in_order": true, "duplicates": [], "unrelated": [], "roots": []
            },
            "version": "TLSv1.2"
        },
        "verification": {
            "trust": "mozilla", "verdict": "trusted", "problems": [], "name": "example.com",
            "anchor": "CN=Sample Root"
        },
        "sni": {
            "name": "example.com",
            "with": answer("certificate"), "without": answer("certificate"),
            "wrong": {
                "outcome": "alert", "alert": 112,
                "evidence": "fatal alert unrecognized_name (112)"
            },
            "wrong_name": "gladhand-unknown-name.invalid"
        }
    })
}

fn versions(spoken: &[&str]) -> Value {
    let all = ["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
    let answer = |version: &str| {
        let (answer, evidence) = if spoken.contains(&version) {
            ("yes", "a ServerHello of this version")
        } else {
            ("no", "fatal alert protocol_version (70)")
        };
        (
            version.to_owned(),
            json!({"answer": answer, "evidence": evidence}),
        )
    };
    Value::Object(all.into_iter().map(answer).collect())
}

fn suite(id: &str, iana: &str, openssl: &str) -> Value {
    json!({"id": id, "iana": iana, "openssl": openssl})
}

fn group(name: &str) -> Value {
    json!({"id": "0x0000", "name": name})
}

fn answer(outcome: &str) -> Value {
    json!({
        "outcome": outcome, "sha256": "ab".repeat(32), "subject": "CN=example.com",
        "evidence": "a certificate for CN=example.com"
    })
}

fn certificate(subject: &str, issuer: &str, sans: &[&str]) -> Value {
    json!({
        "subject": subject, "issuer": issuer, "serial": "0a",
        "not_before": "2026-10-01T08:00:00Z", "not_after": "2027-03-01T08:00:00Z",
        "sans": sans, "key": {"algorithm": "EC", "bits": 256, "curve": "secp256r1"},
        "signature": "ecdsa-with-SHA256", "signature_hash": "sha256", "sha256": "ab".repeat(32),
        "version": 3, "ca": sans.is_empty(), "self_issued": false, "self_signed": false
    })
}

fn expired_finding() -> Value {
    json!({
        "rule": "certificate-expired", "severity": "critical",
        "target": "example.com:443", "subject": "example.com:443",
        "message": "The certificate of example.com expired 12 days ago.",
        "evidence": {
            "key": "leaf", "seen": ["not valid after 2026-11-08 08:00 UTC"],
            "addresses": ["192.0.2.1", "192.0.2.2"]
        },
        "fix": [
            {"product": "nginx", "text": "Renew it and reload.", "snippet": "nginx -s reload"},
            {"product": "any", "text": "Automate the renewal."}
        ],
        "reproduce": [
            "openssl s_client -connect 192.0.2.1:443 -servername example.com </dev/null \
             | openssl x509 -noout -dates"
        ],
        "references": ["https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5"],
        "fingerprint": "00112233445566778899aabbccddeeff", "status": "open"
    })
}

fn note(rule: &str, severity: &str) -> Value {
    json!({
        "rule": rule, "severity": severity,
        "target": "example.com:443", "subject": "example.com:443",
        "message": "Something worth knowing.",
        "evidence": {"key": "", "seen": ["what was seen"], "addresses": ["192.0.2.1"]},
        "fix": [], "reproduce": [], "references": [],
        "fingerprint": "ffeeddccbbaa99887766554433221100", "status": "open"
    })
}
