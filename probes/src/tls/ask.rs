//! From an answer to a fact: a refusal counts when the RFCs define it, or when a control probe shows
//! that the server still answers what it is known to answer.

use std::time::Duration;

use crate::cx::{Cx, Told};
use crate::net::NetError;
use crate::tls::hellos::{Hello, HelloOutcome};

/// How often a hello is sent again, alone, where there is no connection; and the first pause.
const RETRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(150);

/// Alerts by which a server refuses what a hello offers (RFC 8446 §6.2, RFC 5246 §7.2.2).
pub(crate) const REFUSALS: &[u8] = &[
    40, // handshake_failure
    47, // illegal_parameter
    70, // protocol_version
    71, // insufficient_security
];

/// protocol_version
pub(crate) const PROTOCOL_VERSION: u8 = 70;

/// Alerts that no other list of suites would change: protocol_version, inappropriate_fallback,
/// unrecognized_name.
pub(crate) const NOT_ABOUT_SUITES: &[u8] = &[70, 86, 112];

/// Alerts that only a TLS server sends that has read the hello, but that no RFC defines as a refusal of
/// an offer: close_notify, internal_error.
const ODD_REFUSALS: &[u8] = &[0, 80];

/// What an answer amounts to.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// The server took up an offer.
    Accepted(HelloOutcome),
    /// The server refused all of it.
    Refused(Refusal),
    /// Neither; why.
    Unclear(String),
    /// The question could not be put.
    Unasked(NetError),
}

/// A refusal beyond doubt.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// The number of the alert, where it was one.
    pub(crate) alert: Option<u8>,
    /// What came back, and how it was confirmed.
    pub(crate) evidence: String,
    /// Whether it took a control probe to be sure.
    pub(crate) by_control: bool,
}

impl Refusal {
    /// Whether a shorter list might have been taken.
    pub(crate) fn may_be_about_length(&self) -> bool {
        !self
            .alert
            .is_some_and(|alert| NOT_ABOUT_SUITES.contains(&alert))
    }

    /// The refusal of an alert that the RFCs define as one.
    fn by_alert(outcome: &HelloOutcome) -> Option<Self> {
        match outcome {
            HelloOutcome::Alert(alert) if REFUSALS.contains(&alert.description.0) => Some(Self {
                alert: Some(alert.description.0),
                evidence: outcome.to_string(),
                by_control: false,
            }),
            _ => None,
        }
    }
}

/// Puts a question. `control` is a hello that differs from it in one thing and is known to be
/// answered; without one, the hello that reached the server serves.
pub(crate) async fn question(cx: &Cx, hello: &Hello, control: Option<&Hello>) -> Reply {
    cx.reply(hello, find_out(cx, hello, control)).await
}

/// Whether an answer is neither a hello nor a clear refusal.
pub(crate) fn is_ambiguous(told: &Told) -> bool {
    told.outcome
        .as_ref()
        .is_ok_and(|outcome| !outcome.is_hello() && Refusal::by_alert(outcome).is_none())
}

async fn find_out(cx: &Cx, hello: &Hello, control: Option<&Hello>) -> Reply {
    let told = connected(cx, hello).await;
    let outcome = match &told.outcome {
        Err(error) => return Reply::Unasked(error.clone()),
        Ok(outcome) if outcome.is_hello() => return Reply::Accepted(outcome.clone()),
        // Who sends half a ServerHello has not refused.
        Ok(HelloOutcome::Malformed(error)) => {
            return Reply::Unclear(HelloOutcome::Malformed(error.clone()).to_string());
        }
        Ok(outcome) => outcome,
    };
    if let Some(refusal) = Refusal::by_alert(outcome) {
        // Where the version is known to be spoken, a refusal of the version contradicts that.
        if control.is_none() || refusal.alert != Some(PROTOCOL_VERSION) {
            if refusal.may_be_about_length() {
                cx.note_clear_refusal();
            }
            return Reply::Refused(refusal);
        }
    }
    let usual = cx.way_of_refusing();
    let as_usual = is_close_notify(outcome) || usual.is_some_and(|usual| usual.same_kind(outcome));
    if is_odd_refusal(outcome)
        && as_usual
        && !is_longest(cx, hello)
        && cx.answers_since(control, told.at).await
    {
        return Reply::Refused(Refusal {
            alert: alert_of(outcome),
            evidence: format!("{outcome}; a control hello was answered"),
            by_control: true,
        });
    }
    confirm(cx, hello, outcome, &told, control).await
}

/// Whether the server ended the connection in form: s2n-tls, the stack of AWS load balancers, refuses
/// that way. Nothing on the way does, and no server by chance: it takes a control, but no repetition.
pub(crate) fn is_close_notify(outcome: &HelloOutcome) -> bool {
    alert_of(outcome) == Some(0)
}

/// Whether no hello is known to be answered that is as long.
fn is_longest(cx: &Cx, hello: &Hello) -> bool {
    hello.bytes() > cx.longest_in_bytes() * 5 / 4
}

/// Whether it is an alert by which some servers refuse.
fn is_odd_refusal(outcome: &HelloOutcome) -> bool {
    alert_of(outcome).is_some_and(|alert| ODD_REFUSALS.contains(&alert))
}

fn alert_of(outcome: &HelloOutcome) -> Option<u8> {
    match outcome {
        HelloOutcome::Alert(alert) => Some(alert.description.0),
        _ => None,
    }
}

/// An answer that could mean several things: does the server answer what it is known to answer, and
/// this hello the same way again, when nothing else is asked at the same time?
async fn confirm(
    cx: &Cx,
    hello: &Hello,
    outcome: &HelloOutcome,
    told: &Told,
    control: Option<&Hello>,
) -> Reply {
    let quiet = match cx.quiet().await {
        Ok(quiet) => quiet,
        Err(error) => return Reply::Unclear(format!("{outcome}; and then {error}")),
    };
    match quiet.control(control, told.at).await {
        None => return Reply::Unclear(format!("{outcome}; no hello is known that it answers")),
        Some(false) => {
            return Reply::Unclear(format!(
                "{outcome}; a control hello was not answered either"
            ));
        }
        Some(true) => {}
    }
    // What fits into no hello that was ever answered may be refused for its length.
    if control.is_none() && is_longest(cx, hello) {
        return Reply::Unclear(format!(
            "{outcome}; of no hello so long is it known that it is answered"
        ));
    }
    let wait = match outcome {
        HelloOutcome::Silent => cx.silence(),
        _ => cx.settings.timeout,
    };
    let mut repeats = 0;
    while repeats < cx.repeats() {
        let second = quiet.ask(hello, wait).await;
        match second.outcome.clone() {
            Ok(again) if again.same_kind(outcome) => repeats += 1,
            Ok(again) => {
                cx.note_lost(told);
                cx.correct(hello, &second);
                // The first answer may have been a glitch, where this one is clear.
                return match Refusal::by_alert(&again) {
                    _ if again.is_hello() => Reply::Accepted(again),
                    Some(refusal) => Reply::Refused(refusal),
                    None => Reply::Unclear(format!("{outcome}; asked again: {again}")),
                };
            }
            Err(error) => return Reply::Unclear(format!("{outcome}; asked again: {error}")),
        }
    }
    cx.note_way_of_refusing(outcome);
    Reply::Refused(Refusal {
        alert: alert_of(outcome),
        evidence: format!("{outcome}, again and again; a control hello was answered"),
        by_control: true,
    })
}

/// The answer to a hello; where there is no connection, after a pause once more, and alone.
async fn connected(cx: &Cx, hello: &Hello) -> Told {
    let mut told = cx.ask(hello).await;
    let may_pass = |told: &Told| {
        matches!(
            told.outcome,
            Err(NetError::Refused | NetError::Other { .. } | NetError::Unreachable { .. })
        )
    };
    if !may_pass(&told) || cx.is_gone() {
        return told;
    }
    let Ok(quiet) = cx.quiet().await else {
        return told;
    };
    let mut pause = FIRST_PAUSE;
    for _ in 0..RETRIES {
        if cx.is_gone() || cx.pause(pause).await.is_err() {
            break;
        }
        pause *= 2;
        let again = quiet.ask(hello, cx.settings.timeout).await;
        if !may_pass(&again) {
            cx.note_lost(&told);
            cx.correct(hello, &again);
            return again;
        }
        told = again;
    }
    told
}
