//! Whether the server binds the master secret to the handshake (RFC 7627).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Answer, Fact};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::clear;
use crate::wire::registry::{ExtensionType, ProtocolVersion};

/// Reads it off the flights that show that a version is spoken: every hello below TLS 1.3 offers it.
pub struct ExtendedMasterSecret;

impl Probe for ExtendedMasterSecret {
    const ID: &'static str = "extended_master_secret";
    const ABOUT: &'static str = "whether each version below TLS 1.3 has the extended master secret";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach", "versions"];
    type Seen = ExtendedMasterSecretSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<ExtendedMasterSecretSeen, ProbeError> {
        let seen = clear::flights(cx).await?.into_iter();
        let seen = seen.map(|(version, flight)| {
            let sent = flight
                .hello
                .extension(ExtensionType::EXTENDED_MAIN_SECRET.0);
            let fact = match sent {
                Some([]) => Fact::new(Answer::Yes, "extended_master_secret in the ServerHello"),
                Some(_) => Fact::new(
                    Answer::Undetermined,
                    "extended_master_secret in the ServerHello with a body, which RFC 7627 forbids",
                ),
                None => Fact::new(
                    Answer::No,
                    "a ServerHello without extended_master_secret, which was offered",
                ),
            };
            (version, fact)
        });
        Ok(ExtendedMasterSecretSeen(seen.collect()))
    }
}

/// Whether the server takes up extended_master_secret, for each of TLS 1.0 to 1.2 that is spoken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ExtendedMasterSecretSeen(pub BTreeMap<ProtocolVersion, Fact>);
