//! What the server answers to the right name, to no name and to a wrong name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::net::NetError;
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::ask::{Reply, question};
use crate::tls::handshake::{HandshakeOutcome, beyond_rustls};
use crate::tls::hellos::{Hello, HelloOutcome};
use crate::tls::session::{Session, SessionSpec};
use crate::untrusted::Untrusted;
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
        let spoken: Vec<_> = so_far
            .versions
            .seen()
            .map_or_else(Vec::new, |v| v.spoken().collect());
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
        let ask = async |sni: Option<String>| match (legacy, spoken.is_empty()) {
            (Some(version), _) => clear(cx, Hello::common(version, sni)).await,
            (None, true) => clear(cx, Hello::ordinary(sni)).await,
            // The handshake with the right name is the ordinary one, and made already.
            (None, false) => {
                let aftermath = sni.is_some() && sni == name;
                completed(cx, SessionSpec { sni, aftermath }).await
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
            with: with.transpose()?,
            without: without?,
            wrong: wrong?,
            wrong_name: WRONG_NAME.into(),
        })
    }
}

/// The answer of a clear flight.
async fn clear(cx: &Cx, hello: Hello) -> Result<SniAnswer, NetError> {
    let first = cx.ask(&hello).await.outcome?;
    // An alert about the name is an answer; anything else ambiguous needs its control.
    if let HelloOutcome::Alert(alert) = &first {
        return Ok(SniAnswer {
            alert: Some(alert.description.0),
            ..SniAnswer::new(SniOutcome::Alert, first.to_string())
        });
    }
    Ok(match question(cx, &hello, None).await {
        Reply::Accepted(outcome) => {
            let chain = outcome
                .flight()
                .and_then(|flight| flight.certificates.as_ref());
            let leaf = chain.and_then(|chain| chain.first());
            match leaf {
                Some(der) => SniAnswer::certificate(der, outcome.to_string()),
                // Nothing can be said of a certificate that is not in clear.
                None if matches!(outcome, HelloOutcome::Retry(_)) => {
                    SniAnswer::new(SniOutcome::Undetermined, outcome.to_string())
                }
                None => SniAnswer::new(SniOutcome::NoCertificate, outcome.to_string()),
            }
        }
        Reply::Refused(refusal) => {
            let outcome = match first {
                HelloOutcome::Closed => SniOutcome::Closed,
                HelloOutcome::Reset => SniOutcome::Reset,
                HelloOutcome::Silent => SniOutcome::Silent,
                _ => SniOutcome::Undetermined,
            };
            SniAnswer::new(outcome, refusal.evidence)
        }
        Reply::Unclear(why) => SniAnswer::new(SniOutcome::Undetermined, why),
    })
}

/// The answer of a completed handshake, for servers that speak TLS 1.3 only.
async fn completed(cx: &Cx, spec: SessionSpec) -> Result<SniAnswer, NetError> {
    let since = tokio::time::Instant::now();
    let session = cx.session(&spec).await?;
    if let Some(der) = session.chain.first() {
        return Ok(SniAnswer::certificate(der, described(&session)));
    }
    if session.outcome == HandshakeOutcome::Alert
        && let Some(beyond) = beyond_rustls(cx, spec.sni).await
    {
        return Ok(SniAnswer::new(SniOutcome::Undetermined, beyond));
    }
    let outcome = match session.outcome {
        HandshakeOutcome::Alert => SniOutcome::Alert,
        HandshakeOutcome::Completed => SniOutcome::NoCertificate,
        HandshakeOutcome::ProtocolError => SniOutcome::Undetermined,
        _ if cx.still_answers(since).await != Some(true) => SniOutcome::Undetermined,
        HandshakeOutcome::Closed => SniOutcome::Closed,
        HandshakeOutcome::Reset => SniOutcome::Reset,
        HandshakeOutcome::Silent => SniOutcome::Silent,
    };
    Ok(SniAnswer {
        alert: session.alert.map(|alert| alert.0),
        ..SniAnswer::new(outcome, described(&session))
    })
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
    /// A ServerHello, but no certificate came (anonymous or pre-shared keys).
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
