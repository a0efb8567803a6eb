//! The two sides of a handshake, parameter by parameter.

use std::collections::BTreeMap;
use std::fmt::Display;

use gladhand_probes::clients::Offer;
use gladhand_probes::fact::Answer;
use gladhand_probes::tls::suites::Order;
use gladhand_probes::wire::names::{GroupName, SchemeName, SuiteName};
use gladhand_probes::wire::registry::{
    Authentication, ExtensionType, Group, ProtocolVersion, SignatureScheme, SuiteTraits,
};

use super::{Against, Parameters, Verdict};
use crate::hello::counterpart::{Capabilities, Taken};

/// The two sides, as code points.
pub(super) struct Comparison<'a> {
    offer: &'a Offer,
    counterpart: &'a Capabilities,
    /// What the client offers, newest first.
    pub(super) versions: Vec<ProtocolVersion>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(offer: &'a Offer, counterpart: &'a Capabilities) -> Self {
        let parsed = offer
            .versions
            .iter()
            .filter_map(|name| ProtocolVersion::parse(name));
        let mut versions: Vec<_> = parsed.collect();
        versions.sort_unstable_by(|a, b| b.cmp(a));
        Self {
            offer,
            counterpart,
            versions,
        }
    }

    /// Whether the client says no more than its newest version. SSLv2 is offered by its suites.
    pub(super) const fn only_newest(&self) -> bool {
        self.offer.only_newest_known
    }

    pub(super) fn offered_versions(&self) -> String {
        match self.versions.as_slice() {
            [newest, _, ..] if self.only_newest() => format!("{newest} or older"),
            all => list(all),
        }
    }

    pub(super) fn spoken(&self, version: ProtocolVersion) -> Answer {
        // A draft, or something newer than what is asked: nobody knows.
        let answer = self.counterpart.versions.get(&version);
        answer.copied().unwrap_or(Answer::Undetermined)
    }

    pub(super) fn spoken_versions(&self) -> Vec<ProtocolVersion> {
        let all = self.counterpart.versions.iter().rev();
        all.filter(|(_, answer)| **answer == Answer::Yes)
            .map(|(version, _)| *version)
            .collect()
    }

    pub(super) fn common_versions(&self) -> Vec<String> {
        let both = self
            .versions
            .iter()
            .filter(|version| self.spoken(**version) == Answer::Yes);
        both.map(ToString::to_string).collect()
    }

    /// What a handshake in this version finds.
    pub(super) fn in_version(&self, version: ProtocolVersion, against: &mut Against) {
        let tls13 = version >= ProtocolVersion::TLS1_3;
        let mut suites = Found::of(self.suites_for(version), |suite| {
            self.takes_suite(version, suite)
        });
        if suites.both.is_empty() {
            let takes = self.counterpart.suites.get(&version);
            suites.tell(
                against,
                &format!("suite in {version}"),
                takes.map(|taken| &taken.known),
            );
            return;
        }
        let groups = self.groups_for(version);
        let curves = Found::of(groups.clone(), |group| self.takes_group(tls13, *group));
        let named = self.offer.has_extension(ExtensionType::SUPPORTED_GROUPS);
        let taken = self.taken_groups(tls13);
        if tls13 {
            if curves.both.is_empty() && self.offer.psk_identities == 0 {
                curves.tell(against, "group", Some(&taken.known));
                return;
            }
        } else if named && curves.both.is_empty() {
            // Without a curve, only what needs none.
            let before = std::mem::take(&mut suites.both);
            let (need, free): (Vec<_>, _) = before
                .into_iter()
                .partition(|suite| traits(suite).is_some_and(SuiteTraits::uses_named_group));
            suites.both = free;
            if suites.both.is_empty() && !need.is_empty() {
                curves.tell(against, "group", Some(&taken.known));
                return;
            }
        }
        against.common.suites.clone_from(&suites.both);
        against.common.groups = curves.both.iter().copied().map(Into::into).collect();
        against.suite = self.expected(version, &suites.both);
        self.signatures(version, &suites.both, against);
        if against.verdict == Verdict::Works {
            against.because.push(match &against.suite {
                Some(suite) => format!("a handshake would have {version} and {suite}"),
                None => format!("a handshake would have {version} and one of the suites in common"),
            });
            let only = one_authentication(&suites.both) == Some(Authentication::Ecdsa);
            if only && self.counterpart.addresses.is_empty() && !tls13 {
                let told = "every suite in common needs an ECDSA certificate on the listener";
                against.because.push(told.into());
            }
        }
    }

    /// Whether there is a scheme to sign the handshake with, where it is signed.
    fn signatures(&self, version: ProtocolVersion, suites: &[SuiteName], against: &mut Against) {
        let tls13 = version >= ProtocolVersion::TLS1_3;
        let signed = suites.iter().all(|suite| {
            traits(suite).is_some_and(|traits| traits.forward_secrecy() && traits.certificate())
        });
        let given = self
            .offer
            .has_extension(ExtensionType::SIGNATURE_ALGORITHMS);
        if version < ProtocolVersion::TLS1_2 || !signed || (!given && !tls13) {
            return;
        }
        if tls13 && self.offer.psk_identities > 0 && !given {
            return;
        }
        let usable = self.schemes().filter(|scheme| !tls13 || in_tls13(*scheme));
        let found = Found::of(usable.collect(), |scheme| {
            self.counterpart.schemes.takes(scheme)
        });
        against.common.signature_algorithms = found.both.iter().copied().map(Into::into).collect();
        if !found.both.is_empty() {
            return;
        }
        let known = &self.counterpart.schemes.known;
        // Of a server only what it prefers is known, which tells the kind of its key.
        let open = !self.counterpart.schemes.complete && !found.offered.is_empty();
        let kinds: Vec<_> = known.iter().map(|scheme| kind(*scheme)).collect();
        let fits = found
            .offered
            .iter()
            .any(|scheme| kinds.contains(&kind(*scheme)));
        if open && (known.is_empty() || fits) {
            return;
        }
        found.tell(against, "signature scheme", Some(known));
    }

    fn expected(&self, version: ProtocolVersion, both: &[SuiteName]) -> Option<SuiteName> {
        let order = self.counterpart.order.get(&version);
        // Of a policy nobody knows which certificates go with it.
        let unknown = self.counterpart.addresses.is_empty() && version < ProtocolVersion::TLS1_3;
        if unknown && one_authentication(both).is_none() {
            return None;
        }
        let theirs = self.counterpart.suites.get(&version);
        match order {
            _ if both.len() == 1 => both.first().cloned(),
            Some(Order::Server) => {
                let mut known = theirs.iter().flat_map(|taken| &taken.known);
                known.find(|suite| both.contains(suite)).cloned()
            }
            Some(Order::Client) => both.first().cloned(),
            _ => None,
        }
    }

    /// The suites that the client offers for a version.
    fn suites_for(&self, version: ProtocolVersion) -> Vec<SuiteName> {
        let fits = |suite: &&SuiteName| match suite.suite() {
            Some(suite) => {
                version > ProtocolVersion::SSL2
                    && suite.is_tls13() == (version >= ProtocolVersion::TLS1_3)
            }
            None => version == ProtocolVersion::SSL2,
        };
        self.offer.suites.iter().filter(fits).cloned().collect()
    }

    fn takes_suite(&self, version: ProtocolVersion, suite: &SuiteName) -> Answer {
        let Some(taken) = self.counterpart.suites.get(&version) else {
            return Answer::Undetermined;
        };
        match taken.takes(suite) {
            // Only suites with a name were asked.
            Answer::No if suite.suite().is_some_and(|suite| suite.name().is_none()) => {
                Answer::Undetermined
            }
            answer => answer,
        }
    }

    fn groups_for(&self, version: ProtocolVersion) -> Vec<Group> {
        let all = self.offer.groups.iter().filter_map(GroupName::group);
        let tls13 = version >= ProtocolVersion::TLS1_3;
        all.filter(|group| tls13 || (!group.post_quantum() && !group.ffdhe()))
            .collect()
    }

    fn taken_groups(&self, tls13: bool) -> &Taken<Group> {
        if tls13 {
            &self.counterpart.groups
        } else {
            &self.counterpart.curves
        }
    }

    fn takes_group(&self, tls13: bool, group: Group) -> Answer {
        let asked = if tls13 {
            Group::tls13()
        } else {
            Group::tls12_curves()
        };
        match self.taken_groups(tls13).takes(&group) {
            Answer::No if !asked.contains(&group) => Answer::Undetermined,
            answer => answer,
        }
    }

    fn schemes(&self) -> impl Iterator<Item = SignatureScheme> {
        self.offer
            .signature_algorithms
            .iter()
            .filter_map(SchemeName::scheme)
    }

    /// What the client offers and the counterpart refuses, each in every version where it could be.
    pub(super) fn server_lacks(&self) -> Parameters {
        let refused = |version: &&ProtocolVersion| self.spoken(**version) == Answer::No;
        let certain = if self.only_newest() { 1 } else { usize::MAX };
        let versions = self.versions.iter().take(certain).filter(refused);
        let relevant: Vec<_> = self
            .versions
            .iter()
            .copied()
            .filter(|version| self.spoken(*version) != Answer::No)
            .collect();
        let suites = self.offer.suites.iter().filter(|suite| {
            relevant.iter().all(|version| {
                !self.suites_for(*version).contains(suite)
                    || self.takes_suite(*version, suite) == Answer::No
            })
        });
        let groups = self.offer.groups.iter().filter(|name| {
            name.group().is_some_and(|group| {
                let relevant = relevant
                    .iter()
                    .filter(|version| **version >= ProtocolVersion::TLS1_0);
                let mut answers = relevant
                    .filter(|version| self.groups_for(**version).contains(&group))
                    .map(|version| self.takes_group(*version >= ProtocolVersion::TLS1_3, group))
                    .peekable();
                answers.peek().is_some() && answers.all(|answer| answer == Answer::No)
            })
        });
        let schemes = self
            .schemes()
            .filter(|scheme| self.counterpart.schemes.takes(scheme) == Answer::No);
        Parameters {
            versions: versions.map(ToString::to_string).collect(),
            suites: suites.cloned().collect(),
            groups: groups.cloned().collect(),
            signature_algorithms: schemes.map(Into::into).collect(),
        }
    }

    pub(super) fn client_lacks(&self) -> Parameters {
        let versions = self.spoken_versions().into_iter();
        let versions = versions.filter(|version| !self.versions.contains(version));
        let mut suites: Vec<SuiteName> = Vec::new();
        for suite in by_newest(&self.counterpart.suites) {
            if !self.offer.suites.contains(suite) && !suites.contains(suite) {
                suites.push(suite.clone());
            }
        }
        let mut groups: Vec<GroupName> = Vec::new();
        let both = [&self.counterpart.groups, &self.counterpart.curves];
        for group in both.into_iter().flat_map(|taken| &taken.known) {
            let name = GroupName::from(*group);
            if !self.offer.groups.contains(&name) && !groups.contains(&name) {
                groups.push(name);
            }
        }
        let offered: Vec<_> = self.schemes().collect();
        let schemes = self.counterpart.schemes.known.iter().copied();
        let schemes = schemes.filter(|scheme| !offered.contains(scheme));
        Parameters {
            versions: versions.map(|version| version.to_string()).collect(),
            suites,
            groups,
            signature_algorithms: schemes.map(Into::into).collect(),
        }
    }
}

/// What of a client's list the counterpart takes.
struct Found<T> {
    offered: Vec<T>,
    both: Vec<T>,
    open: Vec<T>,
}

impl<T: Clone + Display> Found<T> {
    fn of(offered: Vec<T>, takes: impl Fn(&T) -> Answer) -> Self {
        let with = |wanted: Answer| -> Vec<T> {
            let fit = offered.iter().filter(|one| takes(one) == wanted);
            fit.cloned().collect()
        };
        Self {
            both: with(Answer::Yes),
            open: with(Answer::Undetermined),
            offered,
        }
    }

    /// Says that there is nothing in common, or that it is not known.
    fn tell<K: Display>(&self, against: &mut Against, what: &str, known: Option<&Vec<K>>) {
        let theirs = match known {
            Some(known) if !known.is_empty() => format!("takes {}", list(known)),
            _ if self.open.is_empty() => "takes none".into(),
            _ => "takes some that are not documented, and were not measured".into(),
        };
        if self.open.is_empty() {
            against.verdict = Verdict::Fails;
            against.because.push(format!(
                "no {what} in common: the client offers {}, the counterpart {theirs}",
                list(&self.offered)
            ));
        } else {
            against.verdict = Verdict::Undetermined;
            against.because.push(format!(
                "no {what} is known to be in common: the client offers {}, the counterpart {theirs}",
                list(&self.offered)
            ));
        }
    }
}

fn by_newest(
    suites: &BTreeMap<ProtocolVersion, Taken<SuiteName>>,
) -> impl Iterator<Item = &SuiteName> {
    suites.values().rev().flat_map(|taken| &taken.known)
}

/// What may sign a handshake of TLS 1.3: neither PKCS #1 nor SHA-1 (RFC 8446 §4.2.3).
fn in_tls13(scheme: SignatureScheme) -> bool {
    SignatureScheme::tls13().contains(&scheme)
        && !scheme.weak_hash()
        && !matches!(
            scheme,
            SignatureScheme::RSA_PKCS1_SHA256
                | SignatureScheme::RSA_PKCS1_SHA384
                | SignatureScheme::RSA_PKCS1_SHA512
        )
}

/// The kind of key that a scheme needs: the first word of its name.
fn kind(scheme: SignatureScheme) -> Option<&'static str> {
    scheme.name()?.split(['_', '/']).next()
}

fn traits(suite: &SuiteName) -> Option<SuiteTraits> {
    suite.suite()?.traits()
}

/// What the suites need of a certificate, where all need the same.
fn one_authentication(suites: &[SuiteName]) -> Option<Authentication> {
    let mut all = suites
        .iter()
        .map(|suite| traits(suite).map(|traits| traits.authentication));
    let first = all.next()??;
    all.all(|one| one == Some(first)).then_some(first)
}

/// Some of a list, and how many more there are.
pub(super) fn list<T: Display>(all: &[T]) -> String {
    const SOME: usize = 6;
    let shown: Vec<_> = all.iter().take(SOME).map(ToString::to_string).collect();
    match all.len() {
        0 => "none".into(),
        count if count > SOME => format!("{} and {} more", shown.join(", "), count - SOME),
        _ => shown.join(", "),
    }
}
