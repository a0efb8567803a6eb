//! What was asked and could not be measured: the gaps that keep a run from being complete. Pure.

use std::net::SocketAddr;

use gladhand_probes::http::{AnswerEnd, HttpAnswer, HttpOutcome};
use gladhand_probes::tls::backend::BackendSeen;
use gladhand_probes::tls::handshake::HandshakeOutcome;
use gladhand_probes::tls::reach::{ReachOutcome, ReachSeen};
use gladhand_probes::tls::sni::SniOutcome;
use gladhand_probes::tls::verification::{Verdict, VerificationSeen};
use gladhand_probes::wire::registry::ProtocolVersion;
use gladhand_probes::x509::{
    RevocationStatus, SCTS_OUTSIDE, SctFacts, SctSource, StatusProblem, scts_suffice,
};
use gladhand_probes::{Answer, Attempt, Fact, Observations, ProbeError};

use crate::mozilla;
use crate::report::model::{EndpointReport, NotMeasured, TargetReport};

/// Every gap of the targets, in their order.
pub fn not_measured(targets: &[TargetReport]) -> Vec<NotMeasured> {
    let mut gaps = Vec::new();
    for target in targets.iter().filter(|target| !nothing_listens(target)) {
        if let Some(error) = &target.error {
            gaps.push(NotMeasured {
                subject: target.target.clone(),
                what: "name".into(),
                reason: error.clone(),
            });
        }
        for endpoint in &target.endpoints {
            let subject = subject(target, endpoint);
            let mut gap = |what: &str, reason| {
                gaps.push(NotMeasured {
                    subject: subject.clone(),
                    what: what.into(),
                    reason,
                });
            };
            of_endpoint(target, &endpoint.observations, &mut gap);
            if let Some(reason) = mozilla::gap(endpoint) {
                gap("mozilla", reason);
            }
        }
    }
    gaps
}

/// Whether this is an address of a range at which nothing listens. Who asks for a range asks where
/// something listens: "not here" is an answer, and no gap.
pub fn nothing_listens(target: &TargetReport) -> bool {
    let dead = |endpoint: &EndpointReport| {
        let reach = endpoint.observations.reach.seen();
        reach.is_some_and(|reach| {
            matches!(reach.outcome, ReachOutcome::Refused | ReachOutcome::Timeout)
        })
    };
    target.range.is_some() && !target.endpoints.is_empty() && target.endpoints.iter().all(dead)
}

/// The gap of a range of so many addresses at which nothing listens at all: then the question is
/// whether this machine reaches that network.
pub fn dead_range(range: &str, addresses: usize) -> NotMeasured {
    NotMeasured {
        subject: range.into(),
        what: "tls".into(),
        reason: match addresses {
            1 => "its address accepts no connection".into(),
            many => format!("none of its {many} addresses accepts a connection"),
        },
    }
}

/// The target with the address: `example.com:443 (192.0.2.1)`.
pub fn subject(target: &TargetReport, endpoint: &EndpointReport) -> String {
    let port = format!(":{}", endpoint.port);
    if target.target.ends_with(&port) {
        format!("{} ({})", target.target, endpoint.ip)
    } else {
        format!(
            "{} ({})",
            target.target,
            SocketAddr::new(endpoint.ip, endpoint.port)
        )
    }
}

/// What a client meets on a port where no TLS can be measured, in words; none where TLS or
/// plaintext answers.
pub fn unreachable(reach: &ReachSeen) -> Option<String> {
    let reason = match reach.outcome {
        ReachOutcome::Tls | ReachOutcome::PlaintextHttp | ReachOutcome::PlaintextOther => {
            return None;
        }
        ReachOutcome::Refused => "the connection is refused".into(),
        ReachOutcome::Timeout => match &reach.error {
            Some(error) => error.to_string(),
            None => "no answer to the connection attempt".into(),
        },
        ReachOutcome::Silent => "the connection is accepted, but no hello is ever answered".into(),
        ReachOutcome::Reset => "the connection is reset in answer to every hello".into(),
        ReachOutcome::Closed => "the connection is closed in answer to every hello".into(),
        ReachOutcome::Alert => format!("every hello is answered with {}", alert_words(reach)),
        ReachOutcome::ProtocolError => match &reach.error {
            Some(error) => format!("the answer breaks the TLS protocol: {error}"),
            None => "the answer breaks the TLS protocol".into(),
        },
        ReachOutcome::OpeningFailed => match reach.starttls_failure() {
            Some((protocol, failure)) => {
                format!("the server does not begin with TLS (STARTTLS for {protocol}): {failure}")
            }
            None => "the server does not begin with TLS".into(),
        },
    };
    Some(reason)
}

fn alert_words(reach: &ReachSeen) -> String {
    match (&reach.alert_name, reach.alert) {
        (Some(name), Some(alert)) => format!("the alert {name} ({alert})"),
        (None, Some(alert)) => format!("the alert {alert}"),
        _ => "an alert".into(),
    }
}

/// Calls `gap(what, reason)` for each thing that is missing.
fn of_endpoint(target: &TargetReport, seen: &Observations, gap: &mut dyn FnMut(&str, String)) {
    let everything = if target.plaintext_expected {
        "reach"
    } else {
        "tls"
    };
    match &seen.reach {
        Attempt::Seen(reach) => {
            if target.plaintext_expected && answers_http(seen) {
                behind_balancer(seen, gap);
                return;
            }
            // What a load balancer lacks to be answered may be known where ordinary hellos are not either.
            let known = seen.backend.seen().is_some_and(BackendSeen::is_refused);
            if let Some(reason) = unreachable(reach).filter(|_| !known) {
                gap(everything, reason);
                return;
            }
            if known {
                return undetermined(seen, gap);
            }
            if target.plaintext_expected && reach.outcome != ReachOutcome::PlaintextHttp {
                let protocol = match (&reach.protocol, reach.outcome) {
                    (_, ReachOutcome::Tls) => "TLS".into(),
                    (Some(protocol), _) => protocol.to_uppercase(),
                    (None, _) => "another protocol".to_owned(),
                };
                gap(
                    everything,
                    format!("plaintext HTTP was expected, but the port speaks {protocol}"),
                );
                return;
            }
            if reach.outcome != ReachOutcome::Tls {
                // Plaintext is an answer: there is no TLS to measure.
                behind_balancer(seen, gap);
                return;
            }
        }
        Attempt::Failed(error) => {
            gap(everything, error.to_string());
            return;
        }
        Attempt::NotApplicable(reason) => {
            gap(everything, reason.clone());
            return;
        }
        Attempt::Skipped => {}
    }
    let failures = seen.failures();
    for (probe, error) in &failures {
        // What only lacks another probe's result is said by that one.
        let said = matches!(error, ProbeError::Missing { needs }
            if failures.iter().any(|(other, _)| other == needs));
        if !said {
            gap(probe, error.to_string());
        }
    }
    undetermined(seen, gap);
}

/// Whether a request to a target was answered in HTTP, well or badly: then the port speaks it, whatever it
/// says to other questions.
pub(crate) fn answers_http(seen: &Observations) -> bool {
    let Some(seen) = seen.target_response.seen() else {
        return false;
    };
    let answers = seen
        .request
        .iter()
        .chain(seen.health_check.iter().map(|check| &check.answer));
    let is_yes = |fact: &Option<Fact>| fact.as_ref().is_some_and(|fact| fact.answer == Answer::Yes);
    answers.into_iter().any(|answer| answer.head.is_some())
        || is_yes(&seen.http1)
        || is_yes(&seen.http2)
}

/// What was asked of a target without TLS.
fn behind_balancer(seen: &Observations, gap: &mut dyn FnMut(&str, String)) {
    for (probe, error) in seen.failures() {
        gap(probe, error.to_string());
    }
    target(seen, gap);
}

/// What a target's answers leave open.
fn target(seen: &Observations, gap: &mut dyn FnMut(&str, String)) {
    if let Some(seen) = seen
        .target_response
        .seen()
        .filter(|seen| !seen.speaks_another_version())
    {
        let check = seen
            .health_check
            .as_ref()
            .map(|check| ("the health check", &check.answer));
        let request = seen.request.as_ref().map(|answer| ("a request", answer));
        for (what, answer) in check.into_iter().chain(request) {
            let why = match (answer.unsteady, answer.outcome) {
                (Some(_), _) => "is answered in another way when it is asked again",
                (None, AnswerEnd::Silent) => "has no answer in time",
                (None, AnswerEnd::Unfinished) => "has an answer that is not over in time",
                (None, AnswerEnd::NotReadFurther) => {
                    "has an answer that is not read further than 1 MiB of its body"
                }
                _ => continue,
            };
            gap(
                "target_response",
                format!("{what} ({} {}) {why}", answer.method, answer.path),
            );
        }
    }
    if let Some(seen) = seen.keep_alive.seen().filter(|seen| seen.interrupted) {
        let (seconds, watched) = (seen.seconds, seen.watched);
        let why = format!("interrupted: still open after {seconds:.1} s of {watched} s");
        gap("keep_alive", why);
    }
}

/// What the probes asked and the answers did not decide.
fn undetermined(seen: &Observations, gap: &mut dyn FnMut(&str, String)) {
    if let Some(versions) = seen.versions.seen() {
        for (version, answer) in &versions.0 {
            if answer.answer == Answer::Undetermined {
                gap(
                    "versions",
                    format!("{version} is undetermined: {}", answer.evidence),
                );
            }
        }
    }
    if let Some(suites) = seen.suites.seen() {
        for (version, list) in suites.0.iter().filter(|(_, list)| !list.complete) {
            let what = list_gap("suite", list.undetermined.len(), why(&list.evidence));
            gap("suites", format!("{version}: {what}"));
        }
    }
    if let Some(groups) = seen.groups.seen().filter(|groups| !groups.complete) {
        let what = list_gap("group", groups.undetermined.len(), why(&groups.evidence));
        gap("groups", what);
    }
    backend(seen, gap);
    features(seen, gap);
    transparency(seen, gap);
    certificates(seen, gap);
    target(seen, gap);
    if let Some(what) = seen.http.seen().and_then(|seen| unread(&seen.answer)) {
        gap("http", what.into());
    }
    let verification = seen.verification.seen();
    if let Some(open) = verification.filter(|seen| seen.verdict == Verdict::Undetermined) {
        let reason = open.error.clone();
        gap(
            "verification",
            reason.unwrap_or_else(|| "the verdict is undetermined".into()),
        );
    }
    revocation(seen, gap);
    if let Some(sni) = seen.sni.seen() {
        let answers = [
            ("with the name", sni.with.as_ref()),
            ("without a name", Some(&sni.without)),
            ("with a wrong name", Some(&sni.wrong)),
        ];
        for (how, answer) in answers {
            if let Some(answer) = answer.filter(|a| a.outcome == SniOutcome::Undetermined) {
                gap("sni", format!("{how}: {}", answer.evidence));
            }
        }
    }
}

/// What a load balancer gets from a target.
fn backend(seen: &Observations, gap: &mut dyn FnMut(&str, String)) {
    let Some(seen) = seen.backend.seen() else {
        return;
    };
    let mut open = |what: &str, fact: &Fact| {
        if fact.answer == Answer::Undetermined {
            gap(
                "backend",
                format!("{what} is undetermined: {}", fact.evidence),
            );
        }
    };
    if seen.causes().is_empty() {
        open(
            "whether the load balancer's hello is answered",
            &seen.hello.taken,
        );
    }
    let Some(handshake) = &seen.handshake else {
        return;
    };
    open("whether its handshake completes", &handshake.completes);
    // One that breaks shows no CertificateRequest of TLS 1.3, and is a finding.
    if let (Answer::Yes, Some(asked)) = (handshake.completes.answer, &seen.client_certificate) {
        open(
            "whether a client certificate is asked for",
            &asked.requested,
        );
        if let Some(required) = &asked.required_by_handshake {
            open("whether a client certificate is required", required);
        }
    }
}

/// SCTs that may come in a way that could not be looked at. It matters where browsers want some, and
/// where the others are not enough.
fn transparency(seen: &Observations, gap: &mut dyn FnMut(&str, String)) {
    let verification = seen.verification.seen();
    if !verification.is_some_and(VerificationSeen::publicly_trusted) {
        return;
    }
    let Some(seen) = seen.certificate_transparency.seen() else {
        return;
    };
    let Some(tls) = &seen.tls else { return };
    let outside = |sct: &SctFacts| sct.source != SctSource::Certificate;
    if seen.scts.iter().any(outside) && scts_suffice(seen.scts.iter(), SCTS_OUTSIDE) {
        return;
    }
    for fact in [&seen.ocsp, tls] {
        if fact.answer == Answer::Undetermined {
            let why = format!("SCTs are undetermined: {}", fact.evidence);
            gap("certificate_transparency", why);
        }
    }
}

/// Why an answer tells nothing that is one in HTTP all the same. Who speaks something else, or nothing,
/// gives an answer by that.
fn unread(answer: &HttpAnswer) -> Option<&'static str> {
    Some(match (answer.outcome, &answer.first) {
        (HttpOutcome::TooLarge, _) => "the head of the answer does not end",
        (HttpOutcome::Malformed, _) => "the head of the answer cannot be read",
        (HttpOutcome::Broken, _) => "the session broke before an answer was there",
        (HttpOutcome::Silent | HttpOutcome::Closed | HttpOutcome::Reset, Some(_)) => {
            "the head of the answer breaks off"
        }
        _ => return None,
    })
}

/// The certificates of the client, and those of the server besides the ordinary one.
fn certificates(seen: &Observations, gap: &mut dyn FnMut(&str, String)) {
    use HandshakeOutcome::{Completed, ProtocolError};
    let mut open = |probe: &str, what: &str, fact: &Fact| {
        if fact.answer == Answer::Undetermined {
            gap(probe, format!("{what} undetermined: {}", fact.evidence));
        }
    };
    if let Some(seen) = seen.certificates.seen() {
        for (name, fact) in &seen.key_types {
            open("certificates", &format!("{name} is"), fact);
        }
    }
    let handshake = seen.handshake.seen().map(|seen| seen.outcome);
    // What TLS 1.3 asks for shows in a handshake; that there is none is told of that.
    let broke = handshake.is_some_and(|outcome| !matches!(outcome, Completed | ProtocolError));
    let Some(seen) = seen.client_auth.seen() else {
        return;
    };
    for (version, fact) in &seen.versions {
        if !broke || *version != ProtocolVersion::TLS1_3 {
            open("client_auth", &format!("{version} is"), fact);
        }
    }
    if let Some(fact) = &seen.required_by_handshake {
        open("client_auth", "whether one is required is", fact);
    }
    let ours = seen.ours.as_ref();
    if let Some(fact) = ours.and_then(|ours| ours.accepted.as_ref()) {
        open("client_auth", "whether ours is accepted is", fact);
    }
}

/// What issuers say of the certificates.
fn revocation(seen: &Observations, gap: &mut dyn FnMut(&str, String)) {
    if let Some(stapling) = seen.stapling.seen() {
        if stapling.stapled.answer == Answer::Undetermined {
            let why = &stapling.stapled.evidence;
            gap("stapling", format!("it is undetermined: {why}"));
        }
        // What else keeps a response from being relied on is a finding.
        let beyond_us = |problem| {
            use StatusProblem::{NoIssuer, NotYetValid, Unreadable, Unsupported};
            matches!(problem, NoIssuer | NotYetValid | Unreadable | Unsupported)
        };
        let response = stapling.response.as_ref();
        if let Some(open) = response.filter(|response| response.problem.is_some_and(beyond_us)) {
            gap(
                "stapling",
                format!("the stapled response: {}", open.evidence),
            );
        }
    }
    let certificates = seen.revocation.seen().map(|seen| &seen.certificates);
    for certificate in certificates.into_iter().flatten() {
        let why = match (certificate.status, certificate.sources.last()) {
            (RevocationStatus::Good | RevocationStatus::Revoked, _) => continue,
            (_, None) => "it names neither an OCSP responder nor a CRL".into(),
            (_, Some(source)) => format!("{}: {}", source.url, source.result.evidence),
        };
        let (subject, status) = (&certificate.subject, certificate.status);
        gap("revocation", format!("{subject} is {status}: {why}"));
    }
}

/// What is answered besides version and suite.
fn features(seen: &Observations, gap: &mut dyn FnMut(&str, String)) {
    let mut open = |probe: &str, what: &str, answer: Answer, evidence: &str| {
        if answer == Answer::Undetermined {
            gap(probe, format!("{what} undetermined: {evidence}"));
        }
    };
    if let Some(seen) = seen.alpn.seen().filter(|seen| !seen.complete) {
        let why = why(&seen.evidence).map_or("", String::as_str);
        let what = format!("{} protocols are", seen.undetermined.len());
        open("alpn", &what, Answer::Undetermined, why);
    }
    for (version, fact) in seen.renegotiation.seen().iter().flat_map(|seen| &seen.0) {
        let what = format!("{version} is");
        open("renegotiation", &what, fact.answer, &fact.evidence);
        if let Some(fact) = &fact.client_initiated {
            let what = format!("{version}, started by a client, is");
            open("renegotiation", &what, fact.answer, &fact.evidence);
        }
    }
    let of_secret = seen.extended_master_secret.seen();
    for (version, fact) in of_secret.iter().flat_map(|seen| &seen.0) {
        let what = format!("{version} is");
        open("extended_master_secret", &what, fact.answer, &fact.evidence);
    }
    if let Some(seen) = seen.encrypt_then_mac.seen() {
        open("encrypt_then_mac", "it is", seen.answer, &seen.evidence);
    }
    if let Some(seen) = seen.compression.seen() {
        open("compression", "it is", seen.answer, &seen.evidence);
    }
    if let Some(seen) = seen.dh_parameters.seen() {
        let (answer, evidence) = (seen.reused.answer, &seen.reused.evidence);
        open("dh_parameters", "reuse is", answer, evidence);
    }
    if let Some(seen) = seen.signature_algorithms.seen() {
        let tls13 = seen.tls13.as_ref().map(|tls13| &tls13.sha1);
        for (version, fact) in [("TLSv1.2", seen.weak.as_ref()), ("TLSv1.3", tls13)] {
            let Some(fact) = fact else { continue };
            let what = format!("SHA-1 in {version} is");
            open("signature_algorithms", &what, fact.answer, &fact.evidence);
        }
    }
    for (version, sessions) in seen.session.seen().iter().flat_map(|seen| &seen.0) {
        for (what, by) in [("ids", &sessions.ids), ("tickets", &sessions.tickets)] {
            let Some(by) = by else { continue };
            let fact = by.resumed.as_ref().unwrap_or(&by.issued);
            let what = format!("resumption by {what} in {version} is");
            open("session", &what, fact.answer, &fact.evidence);
        }
    }
    if let Some(seen) = seen.large_hello.seen() {
        for length in [&seen.large].into_iter().chain(&seen.larger) {
            let what = format!("a hello of {} bytes is", length.bytes);
            open("large_hello", &what, length.answer, &length.evidence);
        }
        let in_two = &seen.in_two;
        open(
            "large_hello",
            "a hello in two pieces is",
            in_two.answer,
            &in_two.evidence,
        );
    }
    for (quirk, fact) in seen.intolerance.seen().iter().flat_map(|seen| &seen.0) {
        open(
            "intolerance",
            &format!("{quirk}:"),
            fact.answer,
            &fact.evidence,
        );
    }
    if let Some(seen) = seen.fallback_scsv.seen() {
        open("fallback_scsv", "it is", seen.answer, &seen.evidence);
    }
}

/// The line of the evidence that says why something is open.
fn why(evidence: &[String]) -> Option<&String> {
    evidence
        .iter()
        .find(|line| line.starts_with("undetermined"))
        .or(evidence.first())
}

fn list_gap(what: &str, undetermined: usize, evidence: Option<&String>) -> String {
    let count = match undetermined {
        0 => format!("not every {what} was asked"),
        1 => format!("1 {what} is undetermined"),
        n => format!("{n} {what}s are undetermined"),
    };
    match evidence {
        Some(evidence) => format!("{count}: {evidence}"),
        None => count,
    }
}

/// A row for an endpoint whose task died: a bug costs this row and no other.
pub(super) fn panicked(message: &str) -> Observations {
    Observations {
        reach: Attempt::Failed(ProbeError::Panicked {
            message: message.into(),
        }),
        ..Observations::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn gaps(report: &crate::report::model::Report) -> Vec<(String, String)> {
        let gaps = not_measured(&report.targets);
        gaps.into_iter()
            .map(|gap| (gap.subject, gap.what))
            .collect()
    }

    #[test]
    fn a_healthy_server_has_no_gap() {
        assert_eq!(not_measured(&sample::healthy().targets), []);
    }

    #[test]
    fn a_refused_connection_is_one_gap_in_words() {
        let found = not_measured(&sample::refused().targets);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].subject, "down.example.com:443 (192.0.2.9)");
        assert_eq!(found[0].what, "tls");
        assert!(found[0].reason.contains("refused"), "{found:?}");
    }

    #[test]
    fn a_name_that_does_not_resolve_is_a_gap() {
        let found = gaps(&sample::unresolved());
        assert_eq!(found, [("nowhere.example.com:443".into(), "name".into())]);
    }

    #[test]
    fn plaintext_is_an_answer() {
        assert_eq!(not_measured(&sample::plaintext().targets), []);
    }

    #[test]
    fn each_undetermined_fact_is_a_gap() {
        let what: Vec<_> = gaps(&sample::undetermined())
            .into_iter()
            .map(|gap| gap.1)
            .collect();
        assert_eq!(what, ["groups", "versions", "suites"]);
    }

    #[test]
    fn a_probe_that_panicked_is_a_gap() {
        let found = not_measured(&sample::panicked().targets);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].what, "suites");
        assert!(found[0].reason.contains("internal error"), "{found:?}");
    }

    #[test]
    fn what_a_target_leaves_open_is_a_gap() {
        let what = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut target = serde_json::json!({
                "target": "10.0.1.25:8080", "plaintext_expected": true,
                "endpoints": [{
                    "ip": "10.0.1.25", "port": 8080, "connections": 4, "duration_ms": 9,
                    "observations": {
                        "reach": {"outcome": "plaintext-http", "evidence": []},
                        "target_response": {
                            "protocol_version": "HTTP1",
                            "request": {
                                "method": "GET", "host": "a", "path": "/", "outcome": "complete",
                                "body_bytes": 0
                            }
                        },
                        "keep_alive": {
                            "seconds": 12.0, "ended_by": "still-open", "persistent": true,
                            "idle_timeout": 60.0, "watched": 63.0, "method": "GET", "host": "a",
                            "path": "/", "status": 200
                        }
                    }
                }]
            });
            change(&mut target["endpoints"][0]["observations"]);
            let target: TargetReport = serde_json::from_value(target).unwrap();
            let gaps = not_measured(&[target]);
            gaps.into_iter().map(|gap| gap.what).collect::<Vec<_>>()
        };
        assert_eq!(what(&|_| ()), [""; 0]);
        assert_eq!(
            what(&|seen| seen["keep_alive"]["interrupted"] = true.into()),
            ["keep_alive"]
        );
        for outcome in ["silent", "unfinished", "not-read-further"] {
            let open = what(&|seen| seen["target_response"]["request"]["outcome"] = outcome.into());
            assert_eq!(open, ["target_response"], "{outcome}");
        }
        let unsteady =
            what(&|seen| seen["target_response"]["request"]["unsteady"] = "reset".into());
        assert_eq!(unsteady, ["target_response"]);
        let failed = serde_json::json!({
            "status": "failed", "error": {"kind": "undecided", "reason": "no answer"}
        });
        assert_eq!(
            what(&|seen| seen["keep_alive"] = failed.clone()),
            ["keep_alive"]
        );
    }

    #[test]
    fn scts_that_cannot_be_seen_are_a_gap_of_public_certificates() {
        let path = "fixtures/observations/certificate-transparency-missing.json";
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let text = std::fs::read_to_string(path).unwrap();
        let mut fixture: serde_json::Value = serde_json::from_str(&text).unwrap();
        let silent = fixture["silent"].as_array_mut().unwrap();
        let is_hidden = |target: &&mut serde_json::Value| {
            let seen = &target["endpoints"][0]["observations"];
            seen["certificate_transparency"]["tls"]["answer"] == "undetermined"
        };
        let hidden = silent.iter_mut().find(is_hidden).unwrap();
        let what = |target: &serde_json::Value| {
            let target: TargetReport = serde_json::from_value(target.clone()).unwrap();
            let gaps = not_measured(&[target]);
            gaps.into_iter().map(|gap| gap.what).collect::<Vec<_>>()
        };
        assert_eq!(what(hidden), ["certificate_transparency"]);
        hidden["endpoints"][0]["observations"]["verification"]["trust"] = "root.pem".into();
        assert_eq!(what(hidden), [""; 0]);
    }
}
