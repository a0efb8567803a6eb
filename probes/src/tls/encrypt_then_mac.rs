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

/// Offers the usual suites in CBC mode and nothing else, with the extension.
pub struct EncryptThenMac;

impl Probe for EncryptThenMac {
    const ID: &'static str = "encrypt_then_mac";
    const ABOUT: &'static str = "whether suites in CBC mode are encrypted before authentication";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach", "versions"];
    type Seen = EncryptThenMacSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<EncryptThenMacSeen, ProbeError> {
        let (version, known) = clear::newest(cx).await?;
        let without = Hello::suites(version, &suites(), cx.sni());
        let hello = without.clone().with(Extras {
            extensions: vec![Extension::encrypt_then_mac()],
            ..Extras::default()
        });
        // Whether such suites are accepted at all is not known yet, so what is known to be answered is
        // the first control, and the same hello without the extension the second.
        let outcome = match question(cx, &hello, Some(&known)).await {
            Reply::Accepted(outcome) => outcome,
            Reply::Refused(refusal) => {
                return match question(cx, &without, Some(&known)).await {
                    Reply::Refused(_) => Err(ProbeError::not_applicable(format!(
                        "none of the usual suites in CBC mode is accepted in {version}"
                    ))),
                    Reply::Accepted(_) => Err(ProbeError::undecided(format!(
                        "with the extension: {}; without it, the hello is answered",
                        refusal.evidence
                    ))),
                    Reply::Unclear(why) => Err(ProbeError::undecided(why)),
                    Reply::Unasked(error) => Err(error.into()),
                };
            }
            Reply::Unclear(why) => return Err(ProbeError::undecided(why)),
            Reply::Unasked(error) => return Err(error.into()),
        };
        EncryptThenMacSeen::read(&outcome, version)
    }
}

/// The usual suites in CBC mode.
fn suites() -> Vec<Suite> {
    let cbc = |suite: &Suite| {
        suite
            .traits()
            .is_some_and(|traits| traits.mode == CipherMode::Cbc)
    };
    Suite::common().iter().copied().filter(cbc).collect()
}

impl EncryptThenMacSeen {
    fn read(outcome: &HelloOutcome, version: ProtocolVersion) -> Result<Self, ProbeError> {
        let Some(flight) = outcome.flight() else {
            return Err(ProbeError::undecided(outcome.to_string()));
        };
        if !suites().contains(&flight.hello.suite) {
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
    /// The version that it was offered in: the newest that is spoken, of TLS 1.0 to 1.2.
    pub version: ProtocolVersion,
    /// The suite that was taken.
    pub suite: SuiteName,
    /// What was sent and what came back.
    pub evidence: String,
}
