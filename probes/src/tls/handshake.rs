//! One ordinary handshake, completed: version, suite and group, or exactly how it broke.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::cx::Cx;
use crate::fact::{Attempt, milliseconds};
use crate::net::NetError;
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::ask::REFUSALS;
use crate::tls::hellos::Hello;
use crate::tls::nodes::NodesSeen;
use crate::tls::session::{Session, SessionSpec, can_complete};
use crate::untrusted::Untrusted;
use crate::wire::registry::{AlertDescription, ProtocolVersion};

/// Makes one handshake as an ordinary modern client would, without verifying the certificate.
pub struct Handshake;

impl Probe for Handshake {
    const ID: &'static str = "handshake";
    const ABOUT: &'static str = "one ordinary handshake, completed: or exactly how it broke";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach"];
    type Seen = HandshakeSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<HandshakeSeen, ProbeError> {
        let session = cx.session(&SessionSpec::ordinary(cx.sni())).await?;
        if session.may_be_chance()
            && cx.answers_anything()
            && !cx.answers_since(None, Instant::now()).await
        {
            let why = session.error.as_deref().unwrap_or("it broke");
            return Err(ProbeError::undecided(format!(
                "{why}; nor is a hello answered any more that was answered before"
            )));
        }
        let refused = session
            .alert
            .is_some_and(|alert| REFUSALS.contains(&alert.0));
        if refused
            && session.client_certificate.is_none()
            && let Some(beyond) = beyond_rustls(cx, cx.sni()).await
        {
            return Err(ProbeError::undecided(beyond));
        }
        Ok(HandshakeSeen::from(&*session))
    }

    /// It is one handshake, with one of them.
    fn doubt(_: &mut Attempt<HandshakeSeen>, _: &NodesSeen, _: &str) {}
}

/// A refusal says nothing about an ordinary client where the server would take something that
/// ordinary clients have, but rustls has not. What that is, in words; none where rustls has it.
pub(crate) async fn beyond_rustls(cx: &Cx, sni: Option<String>) -> Option<String> {
    let told = cx.ask(&Hello::ordinary(sni)).await;
    let flight = told.outcome.as_ref().ok()?.flight()?;
    let (version, suite) = (flight.hello.version(), flight.hello.suite);
    let group = flight.hello.group().or_else(|| {
        flight
            .key_exchange
            .as_ref()
            .and_then(|exchange| exchange.group)
    });
    if version < ProtocolVersion::TLS1_2 || can_complete(version, suite, group) {
        return None;
    }
    let group = group.map_or_else(String::new, |group| format!(" with {group}"));
    Some(format!(
        "the server takes {version} {suite}{group}, which this program cannot complete a handshake \
         with; what shows before Finished was read from the clear flight"
    ))
}

/// Why a question makes no sense that is put behind Finished: the handshake of an ordinary client is
/// refused. None where one is completed, or where only this program cannot.
pub(crate) async fn refused(cx: &Cx) -> Result<Option<String>, NetError> {
    let session = cx.session(&SessionSpec::ordinary(cx.sni())).await?;
    if session.completed() || beyond_rustls(cx, cx.sni()).await.is_some() {
        return Ok(None);
    }
    let why = session.error.as_deref().unwrap_or("it was not finished");
    Ok(Some(format!(
        "an ordinary client's handshake is not completed: {why}"
    )))
}

impl From<&Session> for HandshakeSeen {
    fn from(session: &Session) -> Self {
        Self {
            outcome: session.outcome,
            version: session.version.map(|version| version.to_string()),
            suite: session.suite.map(|suite| suite.to_string()),
            group: session.group.map(|group| group.to_string()),
            alert: session.alert.map(|alert| alert.0),
            alert_name: session
                .alert
                .and_then(AlertDescription::name)
                .map(Into::into),
            error: session.error.clone().map(Into::into),
            client_certificate_requested: session.client_certificate.is_some(),
            handshake_ms: Some(milliseconds(session.took)),
        }
    }
}

/// How one ordinary handshake went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HandshakeSeen {
    /// How it ended.
    pub outcome: HandshakeOutcome,
    /// The negotiated version: `TLSv1.2` or `TLSv1.3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The negotiated cipher suite, by its IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// The negotiated group, by its IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The number of the alert that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<u8>,
    /// That alert's IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_name: Option<String>,
    /// How it broke, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Untrusted>,
    /// Whether the server asked for a client certificate on the way.
    pub client_certificate_requested: bool,
    /// Milliseconds from the first byte of the hello to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake_ms: Option<f64>,
}

/// How a handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HandshakeOutcome {
    /// Both sides sent Finished.
    Completed,
    /// The server sent a fatal alert.
    Alert,
    /// The server closed the connection.
    Closed,
    /// The server reset the connection.
    Reset,
    /// The server stopped answering.
    Silent,
    /// The server broke the protocol.
    ProtocolError,
}
