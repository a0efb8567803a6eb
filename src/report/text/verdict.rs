//! The verdict: what an on-call engineer reads first, in one sentence. Pure.
//!
//! It is built from how far a client gets (name, connection, hello, handshake, certificate), and
//! only then from the most severe finding. It never calls undetermined facts a success.

use std::net::IpAddr;

use gladhand_probes::tls::backend::BackendSeen;
use gladhand_probes::tls::reach::ReachOutcome;
use gladhand_probes::tls::verification::Verdict as Trusted;
use gladhand_probes::wire::registry::ProtocolVersion;
use gladhand_probes::{Answer, Attempt, Observations};
use time::OffsetDateTime;

use super::words::{self, plural};
use crate::gaps::{answers_http, unreachable};
use crate::report::model::{Finding, Of, Severity, Status, TargetReport};

/// Begins the sentence of a target or address without facts.
const UNKNOWN: &str = "Could not be measured: ";

/// How a target stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Mark {
    /// Clients get through.
    Works,
    /// Clients get through, and something is weak.
    Weak,
    /// It could not be measured, or not enough of it.
    Unknown,
    /// Clients do not get through, or it is insecure.
    Broken,
}

/// The verdict on one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) mark: Mark,
    /// A sentence.
    pub(crate) sentence: String,
}

impl Verdict {
    fn new(mark: Mark, sentence: impl Into<String>) -> Self {
        Self {
            mark,
            sentence: sentence.into(),
        }
    }
}

/// The verdict on one target, at the time of the run.
pub(crate) fn verdict(of: &Of<'_>, now: OffsetDateTime) -> Verdict {
    let target = of.target;
    if let Some(error) = &target.error {
        return Verdict::new(Mark::Unknown, format!("{UNKNOWN}{}", end(error)));
    }
    let states: Vec<(IpAddr, Verdict)> = target
        .endpoints
        .iter()
        .map(|endpoint| {
            (
                endpoint.ip,
                endpoint_state(target, &endpoint.observations, now),
            )
        })
        .collect();
    let Some((_, worst)) = states.iter().max_by_key(|(_, state)| state.mark) else {
        return Verdict::new(Mark::Unknown, format!("{UNKNOWN}it has no address."));
    };
    match worst.mark {
        Mark::Broken => Verdict::new(Mark::Broken, at_addresses(worst, &states)),
        Mark::Unknown if states.iter().all(|(_, state)| state.mark == Mark::Unknown) => {
            Verdict::new(Mark::Unknown, at_addresses(worst, &states))
        }
        _ => by_findings(of, &states),
    }
}

/// Clients get through at some address at least: the findings decide.
fn by_findings(of: &Of<'_>, states: &[(IpAddr, Verdict)]) -> Verdict {
    let findings = open(of);
    let through = states
        .iter()
        .filter(|(_, state)| state.mark < Mark::Unknown);
    let through = through
        .max_by_key(|(_, state)| state.mark)
        .map(|(_, state)| state);
    let works = through.map_or("It answers", |state| state.sentence.as_str());
    let mark = through.map_or(Mark::Works, |state| state.mark);
    let notes = findings
        .iter()
        .filter(|finding| finding.severity < Severity::Medium)
        .count();
    let serious = findings.len() - notes;
    match findings.first() {
        Some(first) if first.severity >= Severity::High => Verdict::new(
            Mark::Broken,
            format!("{works}, but{}", told(first, serious - 1)),
        ),
        _ if !of.not_measured.is_empty() => {
            Verdict::new(Mark::Unknown, format!("{works}, {}", as_far_as(of, states)))
        }
        Some(first) if first.severity == Severity::Medium => Verdict::new(
            Mark::Weak,
            format!("{works}, but{}", told(first, serious - 1)),
        ),
        Some(_) => Verdict::new(mark, format!("{works}. {}.", plural(notes, "note"))),
        None => Verdict::new(mark, format!("{works}.")),
    }
}

/// The open findings of one target, the most severe first.
pub(crate) fn open<'a>(of: &Of<'a>) -> Vec<&'a Finding> {
    let all = of.findings.iter().copied();
    all.filter(|finding| finding.status == Status::Open)
        .collect()
}

/// How far a client gets at one address. The sentences of those that get through have no full stop:
/// they go on.
/// HTTP where it is meant to be: as the command line says, or as the listener is configured.
fn plaintext(target: &TargetReport) -> &'static str {
    match target.role {
        Some(_) => "Speaks HTTP without TLS, as configured",
        None => "Speaks HTTP without TLS, as asked",
    }
}

fn endpoint_state(target: &TargetReport, seen: &Observations, now: OffsetDateTime) -> Verdict {
    let reach = match &seen.reach {
        Attempt::Seen(reach) => reach,
        Attempt::Failed(error) => {
            let error = end(&error.to_string());
            return Verdict::new(Mark::Unknown, format!("{UNKNOWN}{error}"));
        }
        _ => return Verdict::new(Mark::Unknown, format!("{UNKNOWN}it was not probed.")),
    };
    let unreachable = unreachable(reach)
        .map(|reason| end(&reason))
        .unwrap_or_default();
    let backend = seen.backend.seen();
    if let Some(backend) = backend.filter(|seen| seen.is_refused() || seen.is_given_up()) {
        return backend_state(backend);
    }
    match reach.outcome {
        _ if target.plaintext_expected && answers_http(seen) => {
            Verdict::new(Mark::Works, plaintext(target))
        }
        ReachOutcome::Tls if target.plaintext_expected => Verdict::new(
            Mark::Broken,
            "Speaks TLS, though plaintext HTTP was expected.",
        ),
        ReachOutcome::Tls => match seen.backend.seen() {
            Some(backend) => backend_state(backend),
            None => tls_state(seen, now),
        },
        ReachOutcome::PlaintextHttp if target.plaintext_expected => {
            Verdict::new(Mark::Works, plaintext(target))
        }
        ReachOutcome::PlaintextHttp | ReachOutcome::PlaintextOther => Verdict::new(
            Mark::Broken,
            format!(
                "Speaks {} without TLS on this port.",
                words::protocol(reach)
            ),
        ),
        // Something answers, and every client fails: that is measured well enough to say so.
        ReachOutcome::Reset
        | ReachOutcome::Closed
        | ReachOutcome::Alert
        | ReachOutcome::ProtocolError => Verdict::new(
            Mark::Broken,
            format!("No handshake is possible: {unreachable}"),
        ),
        ReachOutcome::OpeningFailed
            if reach
                .starttls_failure()
                .is_some_and(|(_, failure)| failure.problem.is_answer()) =>
        {
            Verdict::new(
                Mark::Broken,
                format!("No handshake is possible: {unreachable}"),
            )
        }
        ReachOutcome::Silent
        | ReachOutcome::Refused
        | ReachOutcome::Timeout
        | ReachOutcome::OpeningFailed => {
            Verdict::new(Mark::Unknown, format!("{UNKNOWN}{unreachable}"))
        }
    }
}

/// How far its load balancer gets at a target.
fn backend_state(seen: &BackendSeen) -> Verdict {
    let broken = |told: String| Verdict::new(Mark::Broken, format!("The load balancer {told}"));
    match seen.hello.taken.answer {
        _ if seen.is_too_slow() => broken("gives up before the handshake is done.".into()),
        Answer::No => broken(format!(
            "cannot connect: its hello is refused: {}",
            end(&seen.hello.taken.evidence)
        )),
        Answer::Undetermined if !seen.causes().is_empty() => {
            broken("cannot connect: the target wants a server name.".into())
        }
        Answer::Undetermined => Verdict::new(
            Mark::Unknown,
            format!("{UNKNOWN}{}", end(&seen.hello.taken.evidence)),
        ),
        Answer::Yes => match &seen.handshake {
            Some(handshake) if handshake.completes.answer == Answer::No => broken(format!(
                "cannot connect: the handshake breaks: {}",
                end(&handshake.completes.evidence)
            )),
            Some(handshake) if handshake.completes.answer == Answer::Yes => {
                Verdict::new(Mark::Works, "The load balancer gets through")
            }
            _ => Verdict::new(Mark::Works, "The load balancer's hello is answered"),
        },
    }
}

fn tls_state(seen: &Observations, now: OffsetDateTime) -> Verdict {
    let handshake = seen.handshake.seen();
    let how = handshake.and_then(words::handshake_break);
    let wants_certificate = handshake.is_some_and(|seen| seen.client_certificate_requested);
    if let Some(how) = how.as_ref().filter(|_| !wants_certificate) {
        let sentence = match only_old_versions(seen) {
            Some(old) => format!("Today's clients cannot connect: the server speaks only {old}."),
            None => format!("The handshake fails: {}", end(how)),
        };
        return Verdict::new(Mark::Broken, sentence);
    }
    let verification = seen.verification.seen();
    if let Some(refused) = verification.filter(|seen| seen.verdict == Trusted::Untrusted) {
        let why = words::refusal(seen, refused, now);
        return Verdict::new(
            Mark::Broken,
            format!("Clients refuse the certificate: {}", end(&why)),
        );
    }
    if let Some(how) = how {
        // Not broken, but made so: that cannot be told from here.
        let sentence = format!("The handshake needs a client certificate: without one {how}");
        return Verdict::new(Mark::Weak, sentence);
    }
    let trusted = verification.is_some_and(|seen| seen.verdict == Trusted::Trusted);
    let works = match (&seen.handshake, trusted) {
        (Attempt::Seen(_), true) => "TLS works",
        (Attempt::Seen(_), false) => "A handshake completes (the certificate was not verified)",
        (Attempt::Skipped, true) => "The certificate is trusted (no handshake was asked for)",
        (Attempt::Skipped, false) => "Speaks TLS (no handshake was asked for)",
        (_, true) => "The certificate is trusted (no handshake was completed)",
        (_, false) => "Speaks TLS (no handshake was completed)",
    };
    Verdict::new(Mark::Works, works)
}

/// The versions, where they are known and today's clients speak none of them.
fn only_old_versions(seen: &Observations) -> Option<String> {
    let spoken: Vec<_> = seen.versions.seen()?.spoken().collect();
    let newest = spoken.last()?;
    (*newest < ProtocolVersion::TLS1_2).then(|| {
        let names: Vec<_> = spoken.iter().map(ToString::to_string).collect();
        names.join(" and ")
    })
}

/// The sentence, with where it holds and what the other addresses do.
fn at_addresses(worst: &Verdict, states: &[(IpAddr, Verdict)]) -> String {
    let same: Vec<_> = states.iter().filter(|(_, state)| state == worst).collect();
    let mut sentence = worst.sentence.clone();
    if same.len() == states.len() {
        return sentence;
    }
    let place = match same.as_slice() {
        [(ip, _)] => format!("at {ip}, 1 of {} addresses", states.len()),
        many => format!("at {} of {} addresses", many.len(), states.len()),
    };
    if sentence.ends_with('.') {
        sentence.pop();
    }
    format!("{sentence} ({place}).")
}

/// What restricts a success.
fn as_far_as(of: &Of<'_>, states: &[(IpAddr, Verdict)]) -> String {
    let unknown: Vec<_> = states
        .iter()
        .filter(|(_, state)| state.mark == Mark::Unknown)
        .collect();
    match unknown.as_slice() {
        [] => {}
        [(ip, state)] => {
            let why = state.sentence.trim_start_matches(UNKNOWN);
            return format!("but {ip} could not be measured: {why}");
        }
        many => {
            let all = states.len();
            return format!(
                "but {} of {all} addresses could not be measured.",
                many.len()
            );
        }
    }
    let mut what: Vec<&str> = of
        .not_measured
        .iter()
        .map(|gap| gap.what.as_str())
        .collect();
    what.sort_unstable();
    what.dedup();
    format!(
        "as far as it was measured; undetermined: {}.",
        what.join(", ")
    )
}

/// The end of a sentence that goes on with `but`: a finding, and how many more there are.
fn told(finding: &Finding, more: usize) -> String {
    let message = &finding.message;
    let told = match message.strip_prefix("The ") {
        Some(rest) => format!(" the {rest}"),
        None => format!(": {message}"),
    };
    if more == 0 {
        told
    } else {
        format!("{told} And {}.", plural(more, "more finding"))
    }
}

/// With a full stop.
fn end(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?', '…']) {
        text.into()
    } else {
        format!("{text}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::Report;
    use crate::report::sample;
    use gladhand_probes::ProbeError;

    fn of(report: &Report) -> (Mark, String) {
        let verdict = verdict(&report.by_target()[0], report.started_at);
        (verdict.mark, verdict.sentence)
    }

    #[test]
    fn a_healthy_server_works() {
        assert_eq!(of(&sample::healthy()), (Mark::Works, "TLS works.".into()));
    }

    #[test]
    fn notes_are_counted() {
        let report = sample::with_severity(Severity::Low);
        assert_eq!(of(&report), (Mark::Works, "TLS works. 1 note.".into()));
    }

    #[test]
    fn a_medium_finding_is_told() {
        let (mark, sentence) = of(&sample::with_severity(Severity::Medium));
        assert_eq!(mark, Mark::Weak);
        assert_eq!(sentence, "TLS works, but: Something worth knowing.");
    }

    #[test]
    fn a_server_that_wants_a_client_certificate_is_not_called_broken() {
        let mut report = sample::old();
        let seen = &mut report.targets[0].endpoints[0].observations;
        if let Attempt::Seen(handshake) = &mut seen.handshake {
            handshake.client_certificate_requested = true;
        }
        let told = "The handshake needs a client certificate: without one the server ends it with \
                    the alert protocol_version (70).";
        assert_eq!(of(&report), (Mark::Weak, told.into()));
    }

    #[test]
    fn an_expired_certificate_is_told_in_days() {
        let told = "Clients refuse the certificate: it expired 12 days ago.";
        assert_eq!(of(&sample::expired()), (Mark::Broken, told.into()));
    }

    #[test]
    fn tells_where_it_holds() {
        let told = "Clients refuse the certificate: it expired 12 days ago \
                    (at 192.0.2.1, 1 of 2 addresses).";
        assert_eq!(
            of(&sample::expired_and_refused()),
            (Mark::Broken, told.into())
        );
    }

    #[test]
    fn what_cannot_be_reached_is_unknown() {
        let (mark, sentence) = of(&sample::refused());
        assert_eq!(mark, Mark::Unknown);
        assert_eq!(
            sentence,
            "Could not be measured: the connection is refused."
        );
        let (mark, sentence) = of(&sample::unresolved());
        assert_eq!(mark, Mark::Unknown);
        assert!(sentence.contains("no such name"), "{sentence}");
    }

    #[test]
    fn plaintext_is_broken_where_tls_is_expected() {
        let told = "Speaks HTTP without TLS on this port.";
        assert_eq!(of(&sample::plaintext()), (Mark::Broken, told.into()));
        let mut asked = sample::plaintext();
        asked.targets[0].plaintext_expected = true;
        assert_eq!(of(&asked).0, Mark::Works);
    }

    #[test]
    fn undetermined_facts_are_never_a_success() {
        let (mark, sentence) = of(&sample::undetermined());
        assert_eq!(mark, Mark::Unknown);
        let told = "TLS works, as far as it was measured; undetermined: groups, suites, versions.";
        assert_eq!(sentence, told);
    }

    #[test]
    fn what_an_interrupt_took_away_is_never_a_success() {
        assert_eq!(of(&sample::interrupted()).0, Mark::Unknown);
        let mut cut = sample::healthy();
        let seen = &mut cut.targets[0].endpoints[0].observations;
        seen.suites = Attempt::Failed(ProbeError::undecided("interrupted"));
        cut.not_measured = crate::gaps::not_measured(&cut.targets);
        cut.interrupted = true;
        assert_eq!(of(&cut).0, Mark::Unknown);
    }

    #[test]
    fn an_old_server_is_named_as_such() {
        let told = "Today's clients cannot connect: the server speaks only TLSv1.0.";
        assert_eq!(of(&sample::old()), (Mark::Broken, told.into()));
    }
}
