//! What a hello is held against: what a server, or a policy, takes.

use std::collections::BTreeMap;

use gladhand_probes::elb_policies::{ElbPolicy, elb_policies, elb_policies_date, elb_policy};
use gladhand_probes::fact::Answer;
use gladhand_probes::mozilla::{Profile, ProfileName};
use gladhand_probes::tls::suites::Order;
use gladhand_probes::wire::names::{GroupName, SchemeName, SuiteName};
use gladhand_probes::wire::registry::{Group, ProtocolVersion, SignatureScheme, Suite};
use gladhand_probes::{Observations, Untrusted};

/// What a counterpart takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Capabilities {
    /// The host and port, or the policy.
    pub name: String,
    /// Where it was measured; empty for a policy.
    pub addresses: Vec<String>,
    /// Where it is from, or what it stands on.
    pub source: String,
    /// Whether a version is spoken; what is not in it is undetermined.
    pub versions: BTreeMap<ProtocolVersion, Answer>,
    /// The suites of each version, the most preferred first.
    pub suites: BTreeMap<ProtocolVersion, Taken<SuiteName>>,
    /// The groups of TLS 1.3.
    pub groups: Taken<Group>,
    /// The groups of TLS 1.2 and below.
    pub curves: Taken<Group>,
    /// The signature schemes.
    pub schemes: Taken<SignatureScheme>,
    /// Whose preference decides which suite is taken.
    pub order: BTreeMap<ProtocolVersion, Order>,
}

/// What is taken of a kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken<T> {
    /// For certain.
    pub known: Vec<T>,
    /// What is not known is refused.
    pub complete: bool,
    /// Neither taken nor refused beyond doubt; only where the rest is refused.
    pub undetermined: Vec<T>,
}

impl<T> Default for Taken<T> {
    /// Nothing is known.
    fn default() -> Self {
        Self {
            known: Vec::new(),
            complete: false,
            undetermined: Vec::new(),
        }
    }
}

impl<T: PartialEq> Taken<T> {
    /// Whether one is taken.
    pub fn takes(&self, one: &T) -> Answer {
        if self.known.contains(one) {
            Answer::Yes
        } else if self.complete && !self.undetermined.contains(one) {
            Answer::No
        } else {
            Answer::Undetermined
        }
    }
}

/// A kind of counterpart that is known by content: what stands before the colon, and how one is found.
struct Kind {
    prefix: &'static str,
    noun: &'static str,
    find: fn(&str) -> Option<Capabilities>,
    names: fn() -> Vec<&'static str>,
}

/// Each kind that `--against PREFIX:NAME` takes.
const KINDS: &[Kind] = &[
    Kind {
        prefix: "policy",
        noun: "ELB security policy",
        find: policy,
        names: || {
            // Load balancers of two types have a policy each under one name.
            let mut all: Vec<&str> = Vec::new();
            for policy in elb_policies() {
                if !all.contains(&policy.name.as_str()) {
                    all.push(&policy.name);
                }
            }
            all
        },
    },
    Kind {
        prefix: "mozilla",
        noun: "Mozilla profile",
        find: mozilla,
        names: || ProfileName::all().collect(),
    },
];

/// A name that no counterpart of its kind has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// What its kind is called.
    pub noun: &'static str,
    /// As given.
    pub name: Untrusted,
    /// The names that there are.
    pub known: Vec<&'static str>,
}

/// The counterpart that is known by content under this name; none where it names none, but a host.
///
/// # Errors
/// Its kind is known, and the name is not.
pub fn known(text: &str) -> Option<Result<Capabilities, Unknown>> {
    let (prefix, name) = text.split_once(':')?;
    let kind = KINDS
        .iter()
        .find(|kind| kind.prefix.eq_ignore_ascii_case(prefix.trim()))?;
    let found = (kind.find)(name.trim());
    Some(found.ok_or_else(|| Unknown {
        noun: kind.noun,
        name: name.trim().into(),
        known: (kind.names)(),
    }))
}

fn policy(name: &str) -> Option<Capabilities> {
    elb_policy(name).map(Into::into)
}

fn mozilla(name: &str) -> Option<Capabilities> {
    let profile = name.parse::<ProfileName>().ok()?.profile();
    profile.map(Into::into)
}

/// A server that is set up by the profile to the letter.
impl From<&Profile> for Capabilities {
    fn from(profile: &Profile) -> Self {
        let versions = ProtocolVersion::all().iter().map(|version| {
            let spoken = profile.versions.contains(version);
            (*version, if spoken { Answer::Yes } else { Answer::No })
        });
        let order = if profile.server_order {
            Order::Server
        } else {
            Order::Client
        };
        let spoken = || profile.versions.iter().copied();
        let complete = |known| Taken {
            known,
            complete: true,
            undetermined: Vec::new(),
        };
        Self {
            name: format!("Mozilla {} {}", profile.guideline, profile.name),
            addresses: Vec::new(),
            source: "Mozilla's guidelines for servers".into(),
            versions: versions.collect(),
            suites: spoken()
                .map(|version| (version, suites(&profile.suites, version)))
                .collect(),
            groups: complete(profile.groups.clone()),
            curves: complete(classical(profile.groups.iter().copied())),
            // What the certificate signs with is not the profile's alone.
            schemes: Taken::default(),
            order: spoken().map(|version| (version, order)).collect(),
        }
    }
}

/// Those of the suites that a version has, as all that is taken.
fn suites(all: &[Suite], version: ProtocolVersion) -> Taken<SuiteName> {
    let fits = |suite: &&Suite| {
        suite.is_tls13() == (version == ProtocolVersion::TLS1_3) && oldest(**suite) <= version
    };
    Taken {
        known: all
            .iter()
            .filter(fits)
            .copied()
            .map(SuiteName::from)
            .collect(),
        complete: true,
        undetermined: Vec::new(),
    }
}

impl From<&ElbPolicy> for Capabilities {
    fn from(policy: &ElbPolicy) -> Self {
        let versions = ProtocolVersion::all().iter().map(|version| {
            let spoken = policy.versions.contains(version);
            (*version, if spoken { Answer::Yes } else { Answer::No })
        });
        let spoken = || policy.versions.iter().copied();
        Self {
            name: policy.name.clone(),
            addresses: Vec::new(),
            source: format!("AWS, {}", elb_policies_date()),
            versions: versions.collect(),
            suites: spoken()
                .map(|version| (version, suites(&policy.suites, version)))
                .collect(),
            // AWS says nothing of them: what is expected proves no refusal.
            groups: Taken {
                known: policy.groups.clone().unwrap_or_default(),
                ..Taken::default()
            },
            curves: Taken {
                known: classical(policy.groups.iter().flatten().copied()),
                ..Taken::default()
            },
            schemes: Taken {
                known: policy.signature_schemes.clone().unwrap_or_default(),
                ..Taken::default()
            },
            order: spoken().map(|version| (version, Order::Server)).collect(),
        }
    }
}

/// The oldest version in which a suite can be negotiated: what hashes with more than SHA-1 came with TLS 1.2
/// (RFC 5246 §1.2, RFC 5288, RFC 5289).
fn oldest(suite: Suite) -> ProtocolVersion {
    let newer = suite
        .name()
        .is_some_and(|name| name.ends_with("_SHA256") || name.ends_with("_SHA384"));
    if suite.is_tls13() {
        ProtocolVersion::TLS1_3
    } else if newer {
        ProtocolVersion::TLS1_2
    } else {
        ProtocolVersion::SSL3
    }
}

/// Those that TLS 1.2 has, too.
fn classical(groups: impl Iterator<Item = Group>) -> Vec<Group> {
    groups.filter(|group| !group.post_quantum()).collect()
}

/// The probes whose observations make [`Capabilities`].
pub const PROBES: [&str; 4] = ["versions", "suites", "groups", "signature_algorithms"];

/// What was seen at an address.
pub fn measured(name: &str, address: String, seen: &Observations) -> Capabilities {
    let mut it = Capabilities {
        name: name.into(),
        addresses: vec![address],
        source: "measured".into(),
        ..Capabilities::default()
    };
    if let Some(versions) = seen.versions.seen() {
        it.versions = versions
            .0
            .iter()
            .map(|(version, seen)| (*version, seen.answer))
            .collect();
    }
    for (version, list) in seen.suites.seen().iter().flat_map(|suites| &suites.0) {
        let taken = Taken {
            known: list.accepted.clone(),
            complete: list.complete || !list.undetermined.is_empty(),
            undetermined: list.undetermined.clone(),
        };
        it.suites.insert(*version, taken);
        it.order.insert(*version, list.order);
    }
    if let Some(groups) = seen.groups.seen() {
        let each = |names: &[GroupName]| -> Vec<Group> {
            names.iter().filter_map(GroupName::group).collect()
        };
        let taken = |known| Taken {
            known,
            complete: groups.complete || !groups.undetermined.is_empty(),
            undetermined: each(&groups.undetermined),
        };
        it.groups = taken(each(&groups.tls13));
        it.curves = taken(classical(each(&groups.accepted).into_iter()));
    }
    if let Some(schemes) = seen.signature_algorithms.seen() {
        let seen = [&schemes.preferred, &schemes.weak_scheme]
            .into_iter()
            .flatten();
        it.schemes.known = seen.filter_map(SchemeName::scheme).collect();
    }
    it
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_takes_in_each_version_what_can_be_negotiated_there() {
        let policy = known("policy:ELBSecurityPolicy-2016-08").unwrap().unwrap();
        let suites = |version| &policy.suites[&version].known;
        assert_eq!(suites(ProtocolVersion::TLS1_2).len(), 18);
        assert_eq!(suites(ProtocolVersion::TLS1_0).len(), 6);
        assert_eq!(policy.versions[&ProtocolVersion::TLS1_3], Answer::No);
        assert!(!policy.suites.contains_key(&ProtocolVersion::TLS1_3));
        assert_eq!(policy.groups.takes(&Group::X448), Answer::Undetermined);
        assert_eq!(policy.groups.takes(&Group::SECP256R1), Answer::Yes);
    }

    #[test]
    fn a_host_is_no_kind() {
        assert!(known("example.com:443").is_none());
        assert!(known("example.com").is_none());
        let unknown = known("policy:ELBSecurityPolicy-2016-80")
            .unwrap()
            .unwrap_err();
        assert_eq!(unknown.known.len(), 47);
    }

    #[test]
    fn what_is_undetermined_is_not_refused() {
        let taken = Taken {
            known: vec![1],
            complete: true,
            undetermined: vec![2],
        };
        assert_eq!(
            [1, 2, 3].map(|one| taken.takes(&one)),
            [Answer::Yes, Answer::Undetermined, Answer::No]
        );
        assert_eq!(Taken::default().takes(&1), Answer::Undetermined);
    }
}
