//! Whether a client with a given trust store would accept the chain, and if not, why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::Attempt;
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::certificate::CertificateSeen;
use crate::tls::issuers::chain;
use crate::tls::nodes::NodesSeen;
use crate::untrusted::Untrusted;
use crate::x509::{chain_facts, verify};

pub use crate::x509::{Problem, Reason, Verdict};

/// Holds the served chain against the trust store, the name and the time of the run.
pub struct Verification;

impl Probe for Verification {
    const ID: &'static str = "verification";
    const ABOUT: &'static str =
        "whether a client with this trust store accepts the chain, and why not";
    const STAGE: Stage = Stage::Conclude;
    const NEEDS: &'static [&'static str] = &["reach", "certificate", "issuers"];
    type Seen = VerificationSeen;

    async fn run(cx: &Cx, so_far: &Observations) -> Result<VerificationSeen, ProbeError> {
        let seen = chain(so_far)?;
        Ok(VerificationSeen {
            completed: completed(cx, so_far, seen),
            ..held(cx, seen)
        })
    }

    /// It is about the chain that one of them sends.
    fn doubt(_: &mut Attempt<VerificationSeen>, _: &NodesSeen, _: &str) {}
}

/// A chain held against the trust store, the name and the time of the run.
pub(crate) fn held(cx: &Cx, seen: &CertificateSeen) -> VerificationSeen {
    let (trust, now) = (&cx.settings.trust, cx.settings.now);
    let expected = &cx.endpoint.expected;
    let verified = verify(&seen.served, &seen.chain, trust, expected, now);
    VerificationSeen {
        trust: trust.label().into(),
        verdict: verified.verdict,
        reason: verified.reason,
        problems: verified.problems,
        name: expected.clone(),
        anchor: verified.anchor.map(Into::into),
        error: verified.error,
        completed: None,
    }
}

/// The verdict on the chain with the certificates added that were fetched.
fn completed(cx: &Cx, so_far: &Observations, seen: &CertificateSeen) -> Option<Completed> {
    let fetched = &so_far.issuers.seen()?.fetched;
    if fetched.is_empty() {
        return None;
    }
    let added = fetched.iter().map(|issuer| issuer.certificate.clone());
    let all: Vec<_> = seen.served.iter().cloned().chain(added).collect();
    let settings = &cx.settings;
    let verified = verify(
        &all,
        &chain_facts(&all),
        &settings.trust,
        &cx.endpoint.expected,
        settings.now,
    );
    Some(Completed {
        verdict: verified.verdict,
        reason: verified.reason,
    })
}

/// The verdict of a verifying client, with its reasons in our own terms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VerificationSeen {
    /// Against which roots: `mozilla`, `system` or the file's path.
    pub trust: String,
    /// Accepted or not.
    pub verdict: Verdict,
    /// The first reason against it: the id of the rule that explains it, such as
    /// `chain-incomplete`, `certificate-expired`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Every reason found, the decisive one first.
    pub problems: Vec<Problem>,
    /// The name or address that the certificate was held against.
    pub name: String,
    /// The trust anchor that the chain ends in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Untrusted>,
    /// What the verifying library said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The verdict with the certificates added that were fetched (`issuers`); none where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<Completed>,
}

/// A verdict on a chain that was completed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Completed {
    /// Accepted or not.
    pub verdict: Verdict,
    /// The first reason against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl VerificationSeen {
    /// Whether the chain leads to a root that browsers have.
    pub fn publicly_trusted(&self) -> bool {
        self.verdict == Verdict::Trusted && self.trust == "mozilla"
    }
}
