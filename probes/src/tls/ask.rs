//! From an answer to a fact: a refusal counts when the RFCs define it, or when a control probe shows
//! that the server still answers what it is known to answer.

use std::time::Duration;

use crate::cx::{Cx, Told};
use crate::net::NetError;
use crate::tls::hellos::{Hello, HelloOutcome};

/// How often a hello is sent again where there is no connection, and the first pause.
const RETRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(150);

/// Alerts by which a server refuses what a hello offers (RFC 8446 §6.2, RFC 5246 §7.2.2).
pub(crate) const REFUSALS: &[u8] = &[
    40, // handshake_failure
    47, // illegal_parameter
    70, // protocol_version
    71, // insufficient_security
];

/// Alerts that no other list of suites would change: protocol_version, inappropriate_fallback,
/// unrecognized_name.
pub(crate) const NOT_ABOUT_SUITES: &[u8] = &[70, 86, 112];

/// What an answer amounts to.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// The server took up an offer.
    Accepted(HelloOutcome),
    /// The server refused all of it.
    Refused(Refusal),
    /// Neither; why.
    Unclear(String),
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

async fn find_out(cx: &Cx, hello: &Hello, control: Option<&Hello>) -> Reply {
    let told = connected(cx, hello).await;
    let outcome = match told.outcome {
        Err(error) => return Reply::Unclear(error.to_string()),
        Ok(outcome) if outcome.is_hello() => return Reply::Accepted(outcome),
        Ok(outcome) => outcome,
    };
    if let Some(refusal) = Refusal::by_alert(&outcome) {
        return Reply::Refused(refusal);
    }
    confirm(cx, hello, &outcome, told.at, control).await
}

/// An answer that could mean several things: does the server answer what it is known to answer, and
/// this hello the same way again?
async fn confirm(
    cx: &Cx,
    hello: &Hello,
    outcome: &HelloOutcome,
    since: tokio::time::Instant,
    control: Option<&Hello>,
) -> Reply {
    let answered = match control {
        Some(control) => {
            let told = cx.ask_again(control).await;
            Some(told.outcome.is_ok_and(|outcome| outcome.is_hello()))
        }
        None => cx.still_answers(since).await,
    };
    match answered {
        None => return Reply::Unclear(format!("{outcome}; no hello is known that it answers")),
        Some(false) => {
            return Reply::Unclear(format!(
                "{outcome}; a control hello was not answered either"
            ));
        }
        Some(true) => {}
    }
    // Silence costs a whole deadline: once is enough. Anything else has to come twice.
    if !matches!(outcome, HelloOutcome::Silent) {
        match cx.ask_again(hello).await.outcome {
            Ok(again) if again.is_hello() => return Reply::Accepted(again),
            Ok(again) if again.same_kind(outcome) => {}
            // The first answer may have been a glitch, where this one is clear.
            Ok(again) => {
                return match Refusal::by_alert(&again) {
                    Some(refusal) => Reply::Refused(refusal),
                    None => Reply::Unclear(format!("{outcome}; asked again: {again}")),
                };
            }
            Err(error) => return Reply::Unclear(format!("{outcome}; asked again: {error}")),
        }
    }
    let alert = match outcome {
        HelloOutcome::Alert(alert) => Some(alert.description.0),
        _ => None,
    };
    Reply::Refused(Refusal {
        alert,
        evidence: format!("{outcome}; a control hello was answered"),
        by_control: true,
    })
}

/// The answer to a hello; where there is no connection, after a pause once more.
async fn connected(cx: &Cx, hello: &Hello) -> Told {
    let mut told = cx.ask(hello).await;
    let mut pause = FIRST_PAUSE;
    for _ in 0..RETRIES {
        match &told.outcome {
            Err(NetError::Refused | NetError::Other { .. } | NetError::Unreachable { .. }) => {
                tokio::time::sleep(pause).await;
                pause *= 2;
                told = cx.ask_again(hello).await;
            }
            _ => break,
        }
    }
    told
}
