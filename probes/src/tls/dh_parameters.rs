//! The finite-field Diffie-Hellman group that the server gives, and whether its key is a new one in
//! each handshake.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Answer, Fact};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::ask::{Reply, question};
use crate::tls::clear;
use crate::tls::hellos::{Hello, HelloOutcome};
use crate::tls::versions;
use crate::wire::messages::DhParameters as Numbers;
use crate::wire::names::SuiteName;
use crate::wire::registry::{ProtocolVersion, Suite, dh_prime_name};
use crate::x509::sha256;

/// Handshakes whose public values are compared with the first one's: behind one address there may be
/// several servers.
const MORE: u32 = 2;

/// Bytes of a generator that are shown.
const SHOWN: usize = 16;

/// Offers the DHE suites that are accepted and nothing else, in the newest version that has them, and
/// again.
pub struct DhParameters;

impl Probe for DhParameters {
    const ID: &'static str = "dh_parameters";
    const ABOUT: &'static str =
        "the Diffie-Hellman group of DHE suites, and whether its key is reused";
    const STAGE: Stage = Stage::Recheck;
    const NEEDS: &'static [&'static str] = &["reach", "suites"];
    type Seen = DhParametersSeen;

    async fn run(cx: &Cx, so_far: &Observations) -> Result<DhParametersSeen, ProbeError> {
        let (version, suites) = clear::accepted(so_far, "DHE suites", |traits| {
            traits.uses_ffdhe() && !traits.psk()
        })?;
        let control = versions::answered_hello(cx, version, cx.sni()).await;
        let hello = Hello::suites(version, &suites, cx.sni());
        let outcome = match question(cx, &hello, Some(&control)).await {
            Reply::Accepted(outcome) => outcome,
            Reply::Refused(refusal) => return Err(ProbeError::undecided(refusal.evidence)),
            Reply::Unclear(why) => return Err(ProbeError::undecided(why)),
            Reply::Unasked(error) => return Err(error.into()),
        };
        let Some((numbers, suite)) = numbers(&outcome) else {
            return Err(ProbeError::undecided(format!(
                "{outcome}, without parameters that can be read"
            )));
        };
        let prime_sha256 = sha256(&numbers.prime);
        Ok(DhParametersSeen {
            version,
            suite: suite.into(),
            bits: numbers.bits(),
            generator: hex(&numbers.generator),
            group: dh_prime_name(&prime_sha256).map(Into::into),
            prime_sha256,
            reused: reused(cx, &hello, numbers).await,
        })
    }
}

fn numbers(outcome: &HelloOutcome) -> Option<(&Numbers, Suite)> {
    let flight = outcome.flight()?;
    Some((
        flight.key_exchange.as_ref()?.dh.as_ref()?,
        flight.hello.suite,
    ))
}

/// Whether the same public value comes again.
async fn reused(cx: &Cx, hello: &Hello, first: &Numbers) -> Fact {
    let mut others = 0;
    for _ in 0..MORE {
        let told = cx.ask_again(hello).await;
        let Ok(outcome) = &told.outcome else { continue };
        match numbers(outcome) {
            Some((again, _)) if again.public == first.public => {
                return Fact::new(Answer::Yes, "the same public value in two handshakes");
            }
            Some(_) => others += 1,
            None => {}
        }
    }
    if others == MORE {
        Fact::new(
            Answer::No,
            format!("other public values in {MORE} more handshakes"),
        )
    } else {
        Fact::new(Answer::Undetermined, "asked again: no parameters came")
    }
}

fn hex(number: &[u8]) -> String {
    let digits: String = number
        .iter()
        .take(SHOWN)
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let more = if number.len() > SHOWN { "…" } else { "" };
    format!("0x{digits}{more}")
}

/// The group that the server gives to a client with DHE suites alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DhParametersSeen {
    /// The version that it was given in: the newest with DHE suites, of TLS 1.0 to 1.2.
    pub version: ProtocolVersion,
    /// The suite that was taken.
    pub suite: SuiteName,
    /// Bits of the prime.
    pub bits: u32,
    /// The generator, in hex; a long one is cut after its first 16 bytes.
    pub generator: String,
    /// SHA-256 of the prime (big-endian, without leading zeros), in lower-case hex.
    pub prime_sha256: String,
    /// Where the prime is known from: a standard, or the default of a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether the public value is the same in several handshakes.
    pub reused: Fact,
}
