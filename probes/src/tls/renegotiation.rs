//! Whether the server knows secure renegotiation (RFC 5746), and whether clients may start one.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Answer, Fact};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::ask::{Reply, question};
use crate::tls::clear;
use crate::tls::handshake;
use crate::tls::hellos::Extras;
use crate::tls::renegotiate;
use crate::tls::session::SessionSpec;
use crate::tls::versions;
use crate::wire::client_hello::Extension;
use crate::wire::flight::Flight;
use crate::wire::registry::{ExtensionType, ProtocolVersion};

/// Reads it off the flights that show that a version is spoken: every hello below TLS 1.3 has the
/// signalling value. A server that does not answer to that is asked once more, by the extension. In TLS
/// 1.2 a handshake is finished, and another one asked for on the same connection.
pub struct Renegotiation;

impl Probe for Renegotiation {
    const ID: &'static str = "renegotiation";
    const ABOUT: &'static str =
        "secure renegotiation below TLS 1.3, and whether clients may renegotiate";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach", "versions"];
    type Seen = RenegotiationSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<RenegotiationSeen, ProbeError> {
        let flights = clear::flights(cx).await?;
        let asked = flights.iter().map(|(version, flight)| async move {
            let mut seen = SecureRenegotiation::read(flight, Signal::Scsv);
            if seen.answer == Answer::No {
                seen = by_extension(cx, *version).await;
            }
            (*version, seen)
        });
        let mut seen: BTreeMap<_, _> = join_all(asked).await.into_iter().collect();
        if let Some((version, newest)) = seen.last_entry().map(|entry| (*entry.key(), entry)) {
            // What was seen so far stands, whatever becomes of this.
            newest.into_mut().client_initiated = match client_initiated(cx, version).await {
                Ok(fact) => fact,
                Err(error) => Some(Fact::new(Answer::Undetermined, error.to_string())),
            };
        }
        Ok(RenegotiationSeen(seen))
    }
}

/// Whether another handshake begins where a client asks for one.
async fn client_initiated(cx: &Cx, newest: ProtocolVersion) -> Result<Option<Fact>, ProbeError> {
    let ordinary = cx.session(&SessionSpec::ordinary(cx.sni())).await?;
    if ordinary.client_certificate_sent || handshake::refused(cx).await?.is_some() {
        return Ok(None);
    }
    if newest != ProtocolVersion::TLS1_2 {
        let why = format!("this program finishes no handshake of {newest}");
        return Ok(Some(Fact::new(Answer::Undetermined, why)));
    }
    Ok(Some(renegotiate::fact(&cx.renegotiate().await?)))
}

/// The answer to the extension in place of the signalling value.
async fn by_extension(cx: &Cx, version: ProtocolVersion) -> SecureRenegotiation {
    let control = versions::answered_hello(cx, version, cx.sni()).await;
    let hello = control.clone().with(Extras {
        extensions: vec![Extension::renegotiation_info()],
        ..Extras::default()
    });
    let why = match question(cx, &hello, Some(&control)).await {
        Reply::Accepted(outcome) => match outcome.flight() {
            Some(flight) if flight.hello.version() == version => {
                return SecureRenegotiation::read(flight, Signal::Extension);
            }
            _ => format!("answered with {outcome}"),
        },
        Reply::Refused(refusal) => refusal.evidence,
        Reply::Unclear(why) => why,
        Reply::Unasked(error) => error.to_string(),
    };
    SecureRenegotiation {
        answer: Answer::Undetermined,
        by: None,
        client_initiated: None,
        evidence: format!(
            "a ServerHello without renegotiation_info in answer to {}; to the extension: {why}",
            Signal::Scsv.name()
        ),
    }
}

impl SecureRenegotiation {
    fn read(flight: &Flight, by: Signal) -> Self {
        let sent = flight.hello.extension(ExtensionType::RENEGOTIATION_INFO.0);
        let (answer, what) = match sent {
            Some([0]) => (Answer::Yes, "renegotiation_info in answer to"),
            Some(_) => (
                Answer::Undetermined,
                "renegotiation_info that is not empty, which RFC 5746 forbids, in answer to",
            ),
            None => (
                Answer::No,
                "a ServerHello without renegotiation_info in answer to",
            ),
        };
        let heard = match by {
            Signal::Extension if answer == Answer::No => {
                format!("{}, and to the extension", Signal::Scsv.name())
            }
            by => by.name().to_owned(),
        };
        Self {
            answer,
            by: (answer == Answer::Yes).then_some(by),
            client_initiated: None,
            evidence: format!("{what} {heard}"),
        }
    }
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Scsv => "TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
            Self::Extension => "the extension",
        }
    }
}

/// Whether the server knows secure renegotiation, for each of TLS 1.0 to 1.2 that is spoken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RenegotiationSeen(pub BTreeMap<ProtocolVersion, SecureRenegotiation>);

/// Whether the server says renegotiation_info in one version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SecureRenegotiation {
    /// Said or not. A server that does not may still refuse to renegotiate: that does not show here.
    pub answer: Answer,
    /// What it answers to. The extension is asked only where the signalling value is passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Signal>,
    /// Whether another handshake begins where a client asks for one on a connection that has finished
    /// its first. Tried in the newest of these versions alone; none where no handshake is finished without
    /// a client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_initiated: Option<Fact>,
    /// What was sent and what came back.
    pub evidence: String,
}

/// How a client says in its first hello that it knows RFC 5746.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// By the signalling value TLS_EMPTY_RENEGOTIATION_INFO_SCSV among the suites.
    Scsv,
    /// By an empty renegotiation_info extension.
    Extension,
}
