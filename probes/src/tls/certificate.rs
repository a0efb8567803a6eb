//! The certificate chain exactly as the server sends it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Answer, Attempt};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::hellos::{Hello, HelloOutcome};
use crate::tls::nodes::NodesSeen;
use crate::tls::session::SessionSpec;
use crate::tls::versions;
use crate::wire::registry::ProtocolVersion;
use crate::x509::{CertificateFacts, ChainFacts, chain_facts};

/// Reads the chain that an ordinary client gets: from the completed handshake; where there is none,
/// from the clear flight of TLS 1.2 and below.
pub struct Certificate;

impl Probe for Certificate {
    const ID: &'static str = "certificate";
    const ABOUT: &'static str = "the certificate chain, exactly as sent";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach"];
    type Seen = CertificateSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<CertificateSeen, ProbeError> {
        let session = cx.session(&SessionSpec::ordinary(cx.sni())).await;
        if let Ok(session) = &session
            && !session.chain.is_empty()
        {
            let version = session.version.map_or_else(String::new, |v| v.to_string());
            return Ok(read(&session.chain, version));
        }
        let mut without = None;
        // The newest first; of those that are spoken, where that is asked anyway.
        for version in ProtocolVersion::all().iter().rev().copied() {
            let hello = match version {
                ProtocolVersion::TLS1_3 => continue,
                _ if cx.chosen("versions")
                    && versions::spoken(cx, version).await.answer.answer == Answer::No =>
                {
                    continue;
                }
                ProtocolVersion::SSL2 => Hello::ssl2(),
                version if cx.chosen("versions") => {
                    versions::answered_hello(cx, version, cx.sni()).await
                }
                version => Hello::common(version, cx.sni()),
            };
            match cx.ask(&hello).await.outcome {
                Ok(HelloOutcome::ServerHello(flight)) => match &flight.certificates {
                    Some(chain) if !chain.is_empty() => {
                        return Ok(read(chain, flight.hello.version().to_string()));
                    }
                    _ if flight.whole => without = Some(flight.hello.suite),
                    _ => {}
                },
                Ok(HelloOutcome::Ssl2(hello)) => {
                    if let Some(certificate) = hello.certificate {
                        return Ok(read(&[certificate], version.to_string()));
                    }
                }
                _ => {}
            }
        }
        if let Some(suite) = without {
            return Err(ProbeError::not_applicable(format!(
                "the server sends no certificate: it chose {suite}"
            )));
        }
        Err(match session {
            Err(error) => error.into(),
            Ok(session) => ProbeError::undecided(format!(
                "no handshake came as far as a certificate: {}",
                session.error.as_deref().unwrap_or("none was sent")
            )),
        })
    }

    /// It is the chain that one of them sends.
    fn doubt(_: &mut Attempt<CertificateSeen>, _: &NodesSeen, _: &str) {}
}

/// The facts of a chain that was read in this version.
pub(crate) fn read(chain: &[Vec<u8>], version: String) -> CertificateSeen {
    let served: Vec<_> = chain
        .iter()
        .map(|der| CertificateFacts::read(der))
        .collect();
    CertificateSeen {
        chain: chain_facts(&served),
        served,
        version,
    }
}

/// The chain as sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateSeen {
    /// Every certificate, in the order of the Certificate message; the first is the server's own.
    pub served: Vec<CertificateFacts>,
    /// How the certificates belong together.
    pub chain: ChainFacts,
    /// The version of the handshake that it was read from.
    pub version: String,
}
