//! A server with several chains: each is judged alone, by the same checks as the ordinary one.
//!
//! What a check says of an endpoint of which nothing but a chain is known is about that chain.

use gladhand_probes::{Attempt, Observations};

use super::Found;
use crate::report::model::{EndpointReport, Finding};

/// A chain of a server that has several.
pub(super) struct Chain {
    /// The endpoint, with nothing else known of it.
    pub(super) endpoint: EndpointReport,
    /// `EC`, `RSA`.
    pub(super) key_type: String,
    /// How its findings are told apart from those of the others; none for the ordinary chain.
    distinct: Option<String>,
}

impl Chain {
    /// The chains of an endpoint, the ordinary one first; none where that is the only one.
    pub(super) fn of(endpoint: &EndpointReport) -> Vec<Self> {
        let seen = &endpoint.observations;
        let others = seen.certificates.seen().map(|seen| seen.others.as_slice());
        let (Some(others @ [_, ..]), Some(first)) = (others, seen.certificate.seen()) else {
            return Vec::new();
        };
        let leaf = first.served.first();
        let ordinary = leaf.map_or("unknown", |leaf| leaf.key.algorithm.as_str());
        let alone = |certificate, verification| EndpointReport {
            observations: Observations {
                reach: seen.reach.clone(),
                certificate,
                verification,
                ..Observations::default()
            },
            ..endpoint.clone()
        };
        let mut chains = vec![Self {
            endpoint: alone(seen.certificate.clone(), seen.verification.clone()),
            key_type: ordinary.into(),
            distinct: None,
        }];
        chains.extend(others.iter().map(|other| Self {
            endpoint: alone(
                Attempt::Seen(other.certificate.clone()),
                Attempt::Seen(other.verification.clone()),
            ),
            key_type: other.key_type.clone(),
            distinct: Some(if other.key_type == ordinary {
                format!("another {}", other.key_type)
            } else {
                other.key_type.clone()
            }),
        }));
        chains
    }

    /// What is found of the chain, as a finding of its own; none where `known`, what was found before at
    /// this address, says it already: then that says of which chain.
    pub(super) fn tell<'f>(
        &self,
        mut found: Found,
        mut known: impl Iterator<Item = &'f mut Finding>,
    ) -> Option<Found> {
        let same = known.find(|known| {
            let seen = known.evidence.seen.get(..found.seen.len());
            known.message == found.message && seen == Some(found.seen.as_slice())
        });
        let label = self.distinct.as_ref().unwrap_or(&self.key_type);
        if let Some(same) = same {
            let line = format!("seen in the chain with the {label} key");
            if !same.evidence.seen.contains(&line) {
                same.evidence.seen.push(line);
            }
            return None;
        }
        let label = self.distinct.as_ref()?;
        found.message = format!("With the {label} key: {}", found.message);
        found.key = format!("{}-{}", found.key, label.to_lowercase().replace(' ', "-"));
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use gladhand_probes::tls::key_types::{CertificatesSeen, OtherChain};
    use gladhand_probes::tls::verification::VerificationSeen;

    use super::super::tests::{Fixture, findings_at, fixture};
    use super::*;
    use crate::report::model::TargetReport;

    /// A target whose ordinary chain is one, and whose chain with an RSA key is another.
    fn with_both(ordinary: &TargetReport, other: &TargetReport) -> TargetReport {
        let seen = &other.endpoints[0].observations;
        let mut certificate = seen.certificate.seen().unwrap().clone();
        let key = &mut certificate.served[0].key;
        (key.algorithm, key.bits, key.curve) = ("RSA".into(), Some(2048), None);
        certificate.served[0].sha256 = "aa".repeat(32);
        let verification: VerificationSeen = seen.verification.seen().unwrap().clone();
        let mut target = ordinary.clone();
        target.endpoints[0].observations.certificates = Attempt::Seen(CertificatesSeen {
            others: vec![OtherChain {
                key_type: "RSA".into(),
                certificate,
                verification,
            }],
            ..CertificatesSeen::default()
        });
        target
    }

    fn found(ordinary: &TargetReport, other: &TargetReport, fixture: &Fixture) -> Vec<Finding> {
        findings_at(&with_both(ordinary, other), fixture.now)
    }

    #[test]
    fn each_chain_is_judged_and_named() {
        let fixture = fixture("certificate-expired");
        let (expired, good) = (&fixture.fires[1], &fixture.silent[0]);
        assert_eq!(found(good, good, &fixture), []);

        let other = found(good, expired, &fixture);
        assert_eq!(other.len(), 1, "{other:#?}");
        assert!(
            other[0]
                .message
                .starts_with("With the RSA key: The certificate expired")
        );
        assert_eq!(other[0].evidence.key, "leaf-rsa");
        assert!(other[0].reproduce[0].contains("-sigalgs RSA"), "{other:#?}");

        let ordinary = found(expired, good, &fixture);
        assert_eq!(ordinary.len(), 1, "{ordinary:#?}");
        let alone = findings_at(expired, fixture.now);
        assert_eq!(ordinary[0].fingerprint, alone[0].fingerprint);
        let label = "seen in the chain with the EC key";
        assert_eq!(ordinary[0].evidence.seen.last().unwrap(), label);

        let both = found(expired, expired, &fixture);
        let keys: Vec<_> = both.iter().map(|f| f.evidence.key.as_str()).collect();
        assert_eq!(keys, ["leaf", "leaf-rsa"]);
    }

    #[test]
    fn what_is_the_same_in_both_is_one_finding() {
        let fixture = fixture("chain-incomplete");
        let incomplete = &fixture.fires[0];
        let both = found(incomplete, incomplete, &fixture);
        assert_eq!(both.len(), 1, "{both:#?}");
        let seen = &both[0].evidence.seen;
        for key in ["EC", "RSA"] {
            let line = format!("seen in the chain with the {key} key");
            assert!(seen.contains(&line), "{seen:#?}");
        }
    }
}
