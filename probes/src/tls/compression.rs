//! Whether the server compresses what it encrypts (RFC 3749): CRIME.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::Answer;
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::alpn;
use crate::tls::ask::{Reply, question};
use crate::tls::clear;
use crate::tls::hellos::{Extras, HelloOutcome};
use crate::wire::registry::ProtocolVersion;

/// DEFLATE (RFC 3749 §2).
pub(crate) const DEFLATE: u8 = 1;

/// Offers DEFLATE before no compression, in the newest version that has compression.
pub struct Compression;

impl Probe for Compression {
    const ID: &'static str = "compression";
    const ABOUT: &'static str = "whether TLS compression is taken up";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach", "versions"];
    type Seen = CompressionSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<CompressionSeen, ProbeError> {
        let (version, control) = clear::newest(cx).await?;
        // The hello that offers protocols offers DEFLATE as well: where it is answered, one is enough.
        if let Some(outcome) = alpn::shared(cx, &control).await {
            let (answer, evidence) = read(&outcome);
            return Ok(CompressionSeen {
                answer,
                version,
                evidence,
            });
        }
        let hello = control.clone().with(Extras {
            compression: vec![DEFLATE],
            ..Extras::default()
        });
        let (answer, evidence) = match question(cx, &hello, Some(&control)).await {
            Reply::Accepted(outcome) => read(&outcome),
            // Who refuses the offer compresses nothing.
            Reply::Refused(refusal) => (Answer::No, refusal.evidence),
            Reply::Unclear(why) => (Answer::Undetermined, why),
            Reply::Unasked(error) => return Err(error.into()),
        };
        Ok(CompressionSeen {
            answer,
            version,
            evidence,
        })
    }
}

fn read(outcome: &HelloOutcome) -> (Answer, String) {
    match outcome.flight().map(|flight| flight.hello.compression) {
        Some(DEFLATE) => (Answer::Yes, format!("{outcome}, with DEFLATE")),
        Some(0) => (Answer::No, format!("{outcome}, without compression")),
        other => (
            Answer::Undetermined,
            format!("{outcome}, with compression method {other:?}, which was not offered"),
        ),
    }
}

/// Whether the server takes up DEFLATE.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CompressionSeen {
    /// Taken up or not.
    pub answer: Answer,
    /// The version that it was offered in: the newest that is spoken, of TLS 1.0 to 1.2.
    pub version: ProtocolVersion,
    /// What was sent and what came back.
    pub evidence: String,
}
