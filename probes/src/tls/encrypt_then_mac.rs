//! Whether suites in CBC mode are encrypted before they are authenticated (RFC 7366).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::Answer;
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::ask::{Reply, question};
use crate::tls::clear;
use crate::tls::hellos::{Extras, Hello, HelloOutcome};
use crate::wire::client_hello::Extension;
use crate::wire::names::SuiteName;
use crate::wire::registry::{CipherMode, ExtensionType, ProtocolVersion, Suite};

/// Offers the suites in CBC mode that are accepted and nothing else, with the extension.
pub struct EncryptThenMac;

impl Probe for EncryptThenMac {
    const ID: &'static str = "encrypt_then_mac";
    const ABOUT: &'static str = "whether suites in CBC mode are encrypted before authentication";
    const STAGE: Stage = Stage::Recheck;
    const NEEDS: &'static [&'static str] = &["reach", "suites"];
    type Seen = EncryptThenMacSeen;

    async fn run(cx: &Cx, so_far: &Observations) -> Result<EncryptThenMacSeen, ProbeError> {
        let (version, suites) = clear::accepted(so_far, "suites in CBC mode", |traits| {
            traits.mode == CipherMode::Cbc
        })?;
        let control = Hello::suites(version, &suites, cx.sni());
        let hello = control.clone().with(Extras {
            extensions: vec![Extension::encrypt_then_mac()],
            ..Extras::default()
        });
        match question(cx, &hello, Some(&control)).await {
            Reply::Accepted(outcome) => EncryptThenMacSeen::read(&outcome, version, &suites),
            Reply::Refused(refusal) => Err(ProbeError::undecided(format!(
                "a hello with encrypt_then_mac is refused: {}",
                refusal.evidence
            ))),
            Reply::Unclear(why) => Err(ProbeError::undecided(why)),
            Reply::Unasked(error) => Err(error.into()),
        }
    }
}

impl EncryptThenMacSeen {
    fn read(
        outcome: &HelloOutcome,
        version: ProtocolVersion,
        suites: &[Suite],
    ) -> Result<Self, ProbeError> {
        let Some(flight) = outcome.flight() else {
            return Err(ProbeError::undecided(outcome.to_string()));
        };
        if !suites.contains(&flight.hello.suite) {
            return Err(ProbeError::undecided(format!(
                "{outcome}, which was not offered"
            )));
        }
        let sent = flight.hello.extension(ExtensionType::ENCRYPT_THEN_MAC.0);
        let (answer, how) = match sent {
            Some([]) => (Answer::Yes, "with encrypt_then_mac"),
            Some(_) => (
                Answer::Undetermined,
                "with an encrypt_then_mac that is not empty",
            ),
            None => (Answer::No, "without encrypt_then_mac"),
        };
        Ok(Self {
            answer,
            version,
            suite: flight.hello.suite.into(),
            evidence: format!("{outcome}, {how}"),
        })
    }
}

/// Whether the server takes up encrypt_then_mac.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EncryptThenMacSeen {
    /// Taken up or not.
    pub answer: Answer,
    /// The version that it was offered in: the newest with such suites, of TLS 1.0 to 1.2.
    pub version: ProtocolVersion,
    /// The suite that was taken.
    pub suite: SuiteName,
    /// What was sent and what came back.
    pub evidence: String,
}
