//! What is missing between a hello and a counterpart. Pure: no network, no clock.
//!
//! A server takes the newest version that both have, and looks for the rest there; it does not fall back
//! to an older one. What could not be measured makes a verdict undetermined, never a refusal.

mod comparison;

use gladhand_probes::clients::Offer;
use gladhand_probes::fact::Answer;
use gladhand_probes::wire::names::{GroupName, SchemeName, SuiteName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::counterpart::Capabilities;
use comparison::{Comparison, list};

/// A hello held against a counterpart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Against {
    /// The host and port, or the policy.
    pub counterpart: String,
    /// The addresses that this was measured at; empty for a policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// What the counterpart's side stands on: `measured`, or who published it and when.
    pub source: String,
    /// Whether a handshake can come about.
    pub verdict: Verdict,
    /// Why, a sentence each.
    pub because: Vec<String>,
    /// The version that a handshake would have.
    pub version: Option<String>,
    /// The suite that it would have; none where the counterpart's order is not known.
    pub suite: Option<SuiteName>,
    /// What both have, in that version.
    pub common: Parameters,
    /// What the client offers and the counterpart refuses.
    pub server_lacks: Parameters,
    /// What the counterpart takes and the client does not offer.
    pub client_lacks: Parameters,
}

/// Whether a handshake can come about, as far as its parameters go: certificates are another matter.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Version, suite, group and signature scheme have something in common.
    Works,
    /// What decides could not be measured, or is not documented.
    Undetermined,
    /// Something has nothing in common.
    Fails,
}

/// Parameters of a handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Parameters {
    /// Versions, newest first.
    pub versions: Vec<String>,
    /// Suites.
    pub suites: Vec<SuiteName>,
    /// Named groups.
    pub groups: Vec<GroupName>,
    /// Signature schemes.
    pub signature_algorithms: Vec<SchemeName>,
}

/// Holds a hello against the addresses of a counterpart: the one of them that is worst for the client.
pub fn worst(offer: &Offer, all: &[Capabilities]) -> Option<Against> {
    let mut seen: Vec<Against> = Vec::new();
    for capabilities in all {
        let one = compare(offer, capabilities);
        let same = seen.iter_mut().find(|known| {
            (known.verdict, &known.because, &known.suite) == (one.verdict, &one.because, &one.suite)
                && (&known.server_lacks, &known.client_lacks)
                    == (&one.server_lacks, &one.client_lacks)
        });
        match same {
            Some(known) => known.addresses.extend(one.addresses),
            None => seen.push(one),
        }
    }
    let differ = seen.len() > 1;
    let mut worst = seen.into_iter().rev().max_by_key(|one| one.verdict)?;
    if differ {
        let told = "the addresses differ; this is what the least favourable of them says";
        worst.because.push(told.into());
    }
    Some(worst)
}

/// Holds a hello against what a counterpart takes.
pub fn compare(offer: &Offer, counterpart: &Capabilities) -> Against {
    let side = Comparison::new(offer, counterpart);
    let mut against = Against {
        counterpart: counterpart.name.clone(),
        addresses: counterpart.addresses.clone(),
        source: counterpart.source.clone(),
        verdict: Verdict::Works,
        because: Vec::new(),
        version: None,
        suite: None,
        common: Parameters::default(),
        server_lacks: side.server_lacks(),
        client_lacks: side.client_lacks(),
    };
    for version in &side.versions {
        match side.spoken(*version) {
            Answer::No => {}
            Answer::Undetermined => {
                against.verdict = Verdict::Undetermined;
                let told = format!("it is not known whether the counterpart speaks {version}");
                against.because.push(told);
                return against;
            }
            Answer::Yes => {
                against.version = Some(version.to_string());
                against.common.versions = side.common_versions();
                side.in_version(*version, &mut against);
                if side.only_newest() && Some(version) != side.versions.first() {
                    against.verdict = against.verdict.max(Verdict::Undetermined);
                    against.because.push(format!(
                        "the hello names its newest version alone: whether the client takes {version} is not said"
                    ));
                }
                return against;
            }
        }
    }
    against.verdict = Verdict::Fails;
    against.because.push(format!(
        "no version in common: the client offers {}, the counterpart speaks {}",
        side.offered_versions(),
        list(&side.spoken_versions()),
    ));
    against
}

#[cfg(test)]
mod tests;
