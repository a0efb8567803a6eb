//! Which application protocols the server negotiates (RFC 7301).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::Answer;
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::ask::{Reply, question};
use crate::tls::clear;
use crate::tls::compression::DEFLATE;
use crate::tls::handshake::{HandshakeOutcome, beyond_rustls};
use crate::tls::hellos::{Extras, Hello, HelloOutcome};
use crate::tls::session::SessionSpec;
use crate::tls::versions;
use crate::untrusted::Untrusted;
use crate::wire::client_hello::Extension;
use crate::wire::registry::ProtocolVersion;

/// What is offered: the registered protocols that run over TCP, as a browser has them first. Not http/1.0
/// and http/0.9: who has them has http/1.1.
const PROTOCOLS: &[&str] = &[
    "h2",
    "http/1.1",
    "spdy/3",
    "ftp",
    "imap",
    "pop3",
    "managesieve",
    "nntp",
    "irc",
    "sip/2",
    "xmpp-client",
    "xmpp-server",
    "mqtt",
    "coap",
    "dot",
    "ntske/1",
    "stun.turn",
    "postgresql",
    "tds/8.0",
    "smb",
    "sunrpc",
    "radius/1.1",
    "acme-tls/1",
];

/// Protocols that are counted: a server that has more takes anything.
const MOST: usize = 8;

/// no_application_protocol: the alert that is about nothing else.
const NO_APPLICATION_PROTOCOL: u8 = 120;

/// Offers everything, takes away what the server picks, until it picks nothing: that is also the
/// answer to a client that has no protocol in common with it.
pub struct Alpn;

impl Probe for Alpn {
    const ID: &'static str = "alpn";
    const ABOUT: &'static str =
        "which application protocols are negotiated: h2, http/1.1 and others";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach", "versions"];
    type Seen = AlpnSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<AlpnSeen, ProbeError> {
        let way = Way::find(cx).await?;
        let mut seen = AlpnSeen {
            chosen: None,
            accepted: Vec::new(),
            undetermined: Vec::new(),
            complete: true,
            without_overlap: WithoutOverlap::Undetermined,
            alert: None,
            version: way.version(),
            evidence: Vec::new(),
        };
        let mut left = PROTOCOLS.to_vec();
        loop {
            let (picked, evidence) = way.ask(cx, &left).await?;
            match picked {
                Picked::Protocol(name) => {
                    seen.accepted.push(name.into());
                    left.retain(|other| *other != name);
                    if seen.accepted.len() < MOST {
                        continue;
                    }
                    seen.evidence
                        .push(format!("it took the first {MOST} of those offered in turn"));
                    seen.undetermined = left.iter().map(ToString::to_string).collect();
                }
                Picked::Nothing(how, alert) => {
                    seen.without_overlap = how;
                    seen.alert = alert;
                    seen.evidence.push(format!("without overlap: {evidence}"));
                }
                Picked::Unclear => {
                    seen.evidence.push(format!("undetermined: {evidence}"));
                    seen.undetermined = left.iter().map(ToString::to_string).collect();
                }
            }
            break;
        }
        seen.complete = seen.undetermined.is_empty();
        seen.chosen = seen.accepted.first().cloned();
        Ok(seen)
    }
}

/// What the server made of an offer.
enum Picked {
    Protocol(&'static str),
    /// None of them; how it said so, and the alert.
    Nothing(WithoutOverlap, Option<u8>),
    Unclear,
}

/// How to ask: TLS 1.3 encrypts the answer.
enum Way {
    /// By the clear flight of a version; a hello that is answered.
    Clear(ProtocolVersion, Hello),
    /// By a handshake of TLS 1.3.
    Session,
}

impl Way {
    async fn find(cx: &Cx) -> Result<Self, ProbeError> {
        match clear::newest(cx).await {
            Ok((version, control)) => Ok(Self::Clear(version, control)),
            Err(why) => {
                let tls13 = versions::spoken(cx, ProtocolVersion::TLS1_3).await.answer;
                match tls13.answer {
                    Answer::Yes => Ok(Self::Session),
                    Answer::Undetermined => Err(ProbeError::undecided(tls13.evidence)),
                    Answer::No => Err(match why {
                        ProbeError::NotApplicable { .. } => ProbeError::not_applicable(
                            "no version is spoken that negotiates application protocols",
                        ),
                        why => why,
                    }),
                }
            }
        }
    }

    fn version(&self) -> ProtocolVersion {
        match self {
            Self::Clear(version, _) => *version,
            Self::Session => ProtocolVersion::TLS1_3,
        }
    }

    async fn ask(&self, cx: &Cx, offered: &[&'static str]) -> Result<(Picked, String), ProbeError> {
        match self {
            Self::Clear(_, control) => clear_answer(cx, control, offered).await,
            Self::Session => session_answer(cx, offered).await,
        }
    }
}

/// What other probes want to know of the hello that offers protocols: its answer, where protocols are asked
/// for and it is taken up.
pub(crate) async fn shared(cx: &Cx, control: &Hello) -> Option<HelloOutcome> {
    if !cx.chosen(Alpn::ID) {
        return None;
    }
    first_taken_up(cx, control).await
}

async fn first_taken_up(cx: &Cx, control: &Hello) -> Option<HelloOutcome> {
    let outcome = cx.ask(&first_hello(control)).await.outcome.ok()?;
    outcome.is_hello().then_some(outcome)
}

/// The first question in clear: every protocol; DEFLATE for the compression probe, and the extension for SCTs
/// for that of certificate transparency.
fn first_hello(control: &Hello) -> Hello {
    control.clone().with(Extras {
        extensions: vec![
            Extension::alpn(PROTOCOLS),
            Extension::signed_certificate_timestamp(),
        ],
        compression: vec![DEFLATE],
        ..Extras::default()
    })
}

fn read(outcome: &HelloOutcome, offered: &[&'static str]) -> (Picked, String) {
    match outcome.flight().map(|flight| flight.hello.alpn()) {
        Some(Ok(None)) => (
            Picked::Nothing(WithoutOverlap::Ignored, None),
            format!("{outcome}, without ALPN"),
        ),
        Some(Ok(Some(name))) => chosen(offered, name),
        Some(Err(error)) => (Picked::Unclear, error.to_string()),
        None => (Picked::Unclear, outcome.to_string()),
    }
}

async fn clear_answer(
    cx: &Cx,
    control: &Hello,
    offered: &[&'static str],
) -> Result<(Picked, String), ProbeError> {
    let hello = control.clone().with(Extras {
        extensions: vec![Extension::alpn(offered)],
        ..Extras::default()
    });
    // Everything is offered together with what other probes ask for; a server that does not take up that
    // hello is asked for the protocols alone.
    if offered.len() == PROTOCOLS.len()
        && let Some(outcome) = first_taken_up(cx, control).await
    {
        return Ok(read(&outcome, offered));
    }
    let first = cx.ask(&hello).await.outcome.ok();
    // The one alert that is about the protocols needs no second opinion.
    if let Some(outcome @ HelloOutcome::Alert(alert)) = &first
        && alert.description.0 == NO_APPLICATION_PROTOCOL
    {
        let picked = Picked::Nothing(WithoutOverlap::Alert, Some(NO_APPLICATION_PROTOCOL));
        return Ok((picked, outcome.to_string()));
    }
    Ok(match question(cx, &hello, Some(control)).await {
        Reply::Accepted(outcome) => read(&outcome, offered),
        Reply::Refused(refusal) => {
            let how = match (refusal.alert, first) {
                (Some(_), _) => WithoutOverlap::Alert,
                (None, Some(HelloOutcome::Closed)) => WithoutOverlap::Closed,
                (None, Some(HelloOutcome::Reset)) => WithoutOverlap::Reset,
                (None, Some(HelloOutcome::Silent)) => WithoutOverlap::Silent,
                _ => WithoutOverlap::Undetermined,
            };
            (Picked::Nothing(how, refusal.alert), refusal.evidence)
        }
        Reply::Unclear(why) => (Picked::Unclear, why),
        Reply::Unasked(error) => return Err(error.into()),
    })
}

async fn session_answer(cx: &Cx, offered: &[&'static str]) -> Result<(Picked, String), ProbeError> {
    let names = offered.iter().map(ToString::to_string).collect();
    let session = cx
        .session(&SessionSpec {
            alpn: names,
            ..SessionSpec::brief(cx.sni())
        })
        .await?;
    let error = session.error.clone().unwrap_or_default();
    Ok(match (session.outcome, &session.alpn, session.alert) {
        (HandshakeOutcome::Completed, Some(name), _) => chosen(offered, name),
        (HandshakeOutcome::Completed, None, _) => (
            Picked::Nothing(WithoutOverlap::Ignored, None),
            "handshake completed, without ALPN".into(),
        ),
        (HandshakeOutcome::Alert, _, Some(alert)) if alert.0 == NO_APPLICATION_PROTOCOL => {
            (Picked::Nothing(WithoutOverlap::Alert, Some(alert.0)), error)
        }
        _ => match beyond_rustls(cx, cx.sni()).await {
            Some(beyond) => return Err(ProbeError::undecided(beyond)),
            None => (Picked::Unclear, error),
        },
    })
}

fn chosen(offered: &[&'static str], name: &[u8]) -> (Picked, String) {
    let shown = Untrusted::from_bytes(name);
    match offered.iter().find(|known| known.as_bytes() == name) {
        Some(known) => (Picked::Protocol(known), format!("chose {known}")),
        None => (
            Picked::Unclear,
            format!("it chose \"{shown}\", which was not offered"),
        ),
    }
}

/// Which application protocols the server negotiates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlpnSeen {
    /// What it chose when everything was offered, h2 and http/1.1 first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<String>,
    /// Every protocol that it chose, in the order in which it did; what it chose was not offered again.
    pub accepted: Vec<String>,
    /// Neither chosen nor passed over beyond doubt.
    pub undetermined: Vec<String>,
    /// Whether every protocol that was offered is either accepted or passed over.
    pub complete: bool,
    /// What it does where it has none of the protocols that are offered.
    pub without_overlap: WithoutOverlap,
    /// The number of the alert, where that is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<u8>,
    /// The version that it was asked in.
    pub version: ProtocolVersion,
    /// Why something is undetermined, and what came back without overlap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
}

/// What a server does where it has none of the protocols that a client offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WithoutOverlap {
    /// It ends the handshake by an alert: no_application_protocol (120) is the one for it.
    Alert,
    /// It goes on as if nothing had been offered. A server without ALPN does so always.
    Ignored,
    /// It closes the connection, and a control probe succeeded.
    Closed,
    /// It resets the connection, and a control probe succeeded.
    Reset,
    /// It says nothing, and a control probe succeeded.
    Silent,
    /// The answers do not decide.
    Undetermined,
}
