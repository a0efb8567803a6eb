//! What the server answers to the right name, to no name and to a wrong name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::Attempt;
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::ask::{REFUSALS, Reply, question};
use crate::tls::handshake::{HandshakeOutcome, beyond_rustls};
use crate::tls::hellos::{Hello, HelloOutcome};
use crate::tls::nodes::NodesSeen;
use crate::tls::reach::ReachOutcome;
use crate::tls::session::{Session, SessionSpec};
use crate::tls::versions;
use crate::untrusted::Untrusted;
use crate::wire::flight::Flight;
use crate::wire::registry::ProtocolVersion;
use crate::x509::CertificateFacts;

/// A name that no server can know (RFC 6761 §6.4).
const WRONG_NAME: &str = "no-such-name.invalid";

/// Asks three times, with nothing changed but the server name.
pub struct Sni;

impl Probe for Sni {
    const ID: &'static str = "sni";
    const ABOUT: &'static str = "the answers to the right name, to none and to a wrong one";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach", "versions"];
    type Seen = SniSeen;

    async fn run(cx: &Cx, so_far: &Observations) -> Result<SniSeen, ProbeError> {
        let spoken: Vec<_> = match so_far.reach.seen() {
            Some(reach) if reach.outcome == ReachOutcome::Tls => {
                versions::all(cx).await.spoken().collect()
            }
            _ => Vec::new(),
        };
        // The certificate shows in clear up to TLS 1.2; SSLv3 and below know no server name.
        let legacy = spoken
            .iter()
            .rev()
            .copied()
            .find(|v| (ProtocolVersion::TLS1_0..=ProtocolVersion::TLS1_2).contains(v));
        if !spoken.is_empty() && spoken.iter().all(|v| *v <= ProtocolVersion::SSL3) {
            return Err(ProbeError::not_applicable(
                "SSLv3 and SSLv2 know no server name",
            ));
        }
        let name = cx.sni();
        let ask = async |sni: Option<String>| {
            // The handshake with the right name is the ordinary one, and made already.
            let aftermath = sni.is_some() && sni == name;
            let spec = SessionSpec {
                aftermath,
                ..SessionSpec::ordinary(sni.clone())
            };
            match (legacy, spoken.is_empty()) {
                (Some(version), _) => {
                    let usual = versions::usual_hello(cx, version, sni.clone()).await;
                    // Not longer than what this server is known to take.
                    clear(cx, usual.unwrap_or_else(|| Hello::lean(sni)), spec).await
                }
                (None, true) => clear(cx, Hello::ordinary(sni), spec).await,
                (None, false) => completed(cx, spec).await,
            }
        };
        let with = async {
            match &name {
                Some(name) => Some(ask(Some(name.clone())).await),
                None => None,
            }
        };
        let (with, without, wrong) =
            tokio::join!(with, ask(None), ask(Some(WRONG_NAME.to_owned())));
        Ok(SniSeen {
            name: name.clone(),
            with,
            without,
            wrong,
            wrong_name: WRONG_NAME.into(),
        })
    }

    /// Names are told apart by certificates: those differ as well.
    fn doubt(attempt: &mut Attempt<SniSeen>, _: &NodesSeen, why: &str) {
        attempt.withdraw(why);
    }
}

/// The answer of a clear flight; where the certificate does not come in clear, of a handshake.
async fn clear(cx: &Cx, hello: Hello, spec: SessionSpec) -> SniAnswer {
    let first = match cx.ask(&hello).await.outcome {
        // The one alert that is about the name needs no second opinion.
        Ok(outcome) if outcome.rejects_the_name() => return SniAnswer::alert(112, &outcome),
        Ok(outcome) => Some(outcome),
        Err(_) => None,
    };
    match question(cx, &hello, None).await {
        Reply::Accepted(outcome) => {
            let flight = outcome.flight();
            let leaf = flight.and_then(Flight::leaf);
            let encrypted = flight.is_some_and(|flight| {
                flight.hello.is_retry() || flight.hello.version() >= ProtocolVersion::TLS1_3
            });
            match leaf {
                Some(der) => SniAnswer::certificate(der, outcome.to_string()),
                None if encrypted => completed(cx, spec).await,
                None if flight.is_some_and(|flight| !flight.whole) => SniAnswer::new(
                    SniOutcome::Undetermined,
                    format!("{outcome}; the flight broke off before the certificate"),
                ),
                None => SniAnswer::new(SniOutcome::NoCertificate, outcome.to_string()),
            }
        }
        Reply::Refused(refusal) => {
            let outcome = match (refusal.alert, first) {
                (Some(_), _) => SniOutcome::Alert,
                (None, Some(HelloOutcome::Closed)) => SniOutcome::Closed,
                (None, Some(HelloOutcome::Reset)) => SniOutcome::Reset,
                (None, Some(HelloOutcome::Silent)) => SniOutcome::Silent,
                _ => SniOutcome::Undetermined,
            };
            SniAnswer {
                alert: refusal.alert,
                ..SniAnswer::new(outcome, refusal.evidence)
            }
        }
        // Where no hello at all is answered, the alert is all that there is to say.
        Reply::Unclear(why) => match first {
            Some(HelloOutcome::Alert(alert)) if !cx.answers_anything() => {
                SniAnswer::alert(alert.description.0, &HelloOutcome::Alert(alert))
            }
            _ => SniAnswer::new(SniOutcome::Undetermined, why),
        },
        Reply::Unasked(error) => SniAnswer::new(SniOutcome::Undetermined, error.to_string()),
    }
}

/// The answer of a completed handshake, where the certificate does not come in clear.
async fn completed(cx: &Cx, spec: SessionSpec) -> SniAnswer {
    let since = tokio::time::Instant::now();
    let session = match cx.session(&spec).await {
        Ok(session) => session,
        Err(error) => return SniAnswer::new(SniOutcome::Undetermined, error.to_string()),
    };
    if let Some(der) = session.chain.first() {
        return SniAnswer::certificate(der, described(&session));
    }
    let clear = session
        .alert
        .is_some_and(|alert| alert.0 == 112 || REFUSALS.contains(&alert.0));
    if session.outcome == HandshakeOutcome::Alert
        && let Some(beyond) = beyond_rustls(cx, spec.sni).await
    {
        return SniAnswer::new(SniOutcome::Undetermined, beyond);
    }
    let outcome = match session.outcome {
        HandshakeOutcome::Alert if clear => SniOutcome::Alert,
        HandshakeOutcome::Completed => SniOutcome::NoCertificate,
        HandshakeOutcome::ProtocolError => SniOutcome::Undetermined,
        _ if !still_answers(cx, since).await => SniOutcome::Undetermined,
        HandshakeOutcome::Alert => SniOutcome::Alert,
        HandshakeOutcome::Closed => SniOutcome::Closed,
        HandshakeOutcome::Reset => SniOutcome::Reset,
        HandshakeOutcome::Silent => SniOutcome::Silent,
    };
    SniAnswer {
        alert: session.alert.map(|alert| alert.0),
        ..SniAnswer::new(outcome, described(&session))
    }
}

async fn still_answers(cx: &Cx, since: tokio::time::Instant) -> bool {
    match cx.quiet().await {
        Ok(quiet) => quiet.still_answers(since).await == Some(true),
        Err(_) => false,
    }
}

fn described(session: &Session) -> String {
    match (&session.error, session.version, session.suite) {
        (None, Some(version), Some(suite)) => format!("handshake completed, {version} {suite}"),
        (error, ..) => error
            .clone()
            .unwrap_or_else(|| "no certificate came".into()),
    }
}

impl SniAnswer {
    fn new(outcome: SniOutcome, evidence: String) -> Self {
        Self {
            outcome,
            sha256: None,
            subject: None,
            alert: None,
            evidence,
        }
    }

    fn alert(number: u8, outcome: &HelloOutcome) -> Self {
        Self {
            alert: Some(number),
            ..Self::new(SniOutcome::Alert, outcome.to_string())
        }
    }

    fn certificate(der: &[u8], evidence: String) -> Self {
        let facts = CertificateFacts::read(der);
        Self {
            sha256: Some(facts.sha256),
            subject: Some(facts.subject),
            ..Self::new(SniOutcome::Certificate, evidence)
        }
    }
}

/// The answers to three hellos that differ in the server name only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SniSeen {
    /// The name that was asked for, if one can be sent (an address cannot).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// With that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<SniAnswer>,
    /// Without a name.
    pub without: SniAnswer,
    /// With a name that the server cannot know.
    pub wrong: SniAnswer,
    /// That name.
    pub wrong_name: String,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SniAnswer {
    /// What kind of answer.
    pub outcome: SniOutcome,
    /// SHA-256 of the certificate, in lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The certificate's subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Untrusted>,
    /// The number of the alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<u8>,
    /// What came back, in words.
    pub evidence: String,
}

/// The kind of answer to a server name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SniOutcome {
    /// A certificate.
    Certificate,
    /// A handshake without a certificate: anonymous or pre-shared keys.
    NoCertificate,
    /// A fatal alert.
    Alert,
    /// The connection was closed, and a control probe succeeded.
    Closed,
    /// The connection was reset, and a control probe succeeded.
    Reset,
    /// Nothing came, and a control probe succeeded.
    Silent,
    /// The answer does not decide.
    Undetermined,
}
