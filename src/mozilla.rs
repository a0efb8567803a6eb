//! Holds what was observed against a profile of Mozilla's guidelines. Pure.
//!
//! The lists of a profile are upper bounds: a server may have fewer versions, suites and groups, as long
//! as it speaks the newest version and has a suite and a group of the profile. HSTS and the stapled OCSP
//! response are told, and do not decide.

mod certificate;

use std::collections::BTreeMap;
use std::fmt;

use gladhand_probes::mozilla::{Guideline, Profile, ProfileName};
use gladhand_probes::tls::reach::ReachOutcome;
use gladhand_probes::tls::suites::{Order, SuitesSeen};
use gladhand_probes::wire::names::{GroupName, SuiteName};
use gladhand_probes::wire::registry::{ProtocolVersion, SuiteTraits};
use gladhand_probes::{Answer, Attempt, Observations};

use crate::report::model::{EndpointReport, MozillaStanding};

/// One point in which a server differs from a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Of which kind.
    pub kind: Kind,
    /// In what: `versions`, `suites`, `order`, `groups`, `certificate`, `dh`, `HSTS`, `stapling`.
    pub aspect: &'static str,
    /// What it is.
    pub what: String,
}

/// How a server differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It has what the profile does not allow.
    Excess,
    /// It lacks what the profile asks for.
    Lacking,
    /// It was not measured, and it decides.
    Undetermined,
    /// The profile recommends otherwise; it does not count.
    Note,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (aspect, what) = (self.aspect, &self.what);
        match self.kind {
            Kind::Excess => write!(f, "{aspect}: has {what}"),
            Kind::Lacking => write!(f, "{aspect}: lacks {what}"),
            Kind::Undetermined => write!(f, "{aspect}: undetermined: {what}"),
            Kind::Note => write!(f, "{aspect}: does not count: {what}"),
        }
    }
}

/// Every point in which a server differs from a profile.
pub fn compare(seen: &Observations, profile: &Profile) -> Vec<Difference> {
    let mut comparison = Comparison {
        profile,
        all: Vec::new(),
    };
    comparison.versions(seen);
    comparison.suites(seen);
    comparison.groups(seen);
    comparison.certificate(seen);
    comparison.dh(seen);
    comparison.recommendations(seen);
    comparison.all
}

/// Whether a profile with these differences is met.
pub fn is_met(differences: &[Difference]) -> Answer {
    let has = |kind| differences.iter().any(|one| one.kind == kind);
    if has(Kind::Excess) || has(Kind::Lacking) {
        Answer::No
    } else if has(Kind::Undetermined) {
        Answer::Undetermined
    } else {
        Answer::Yes
    }
}

/// How an endpoint stands to the guidelines; none where too little was seen, and nothing asked.
pub fn standing(seen: &Observations, wanted: Option<&ProfileName>) -> Option<MozillaStanding> {
    let measured = seen.versions.seen().is_some() && seen.suites.seen().is_some();
    if !measured && wanted.is_none() {
        return None;
    }
    let version = wanted.map_or(Guideline::CURRENT, |name| name.guideline);
    let mut standing = MozillaStanding {
        version: version.into(),
        wanted: wanted.map(|name| name.profile.clone()),
        ..MozillaStanding::default()
    };
    for profile in &Guideline::of(version)?.profiles {
        let list = match is_met(&compare(seen, profile)) {
            Answer::Yes => &mut standing.met,
            Answer::No => &mut standing.missed,
            Answer::Undetermined => &mut standing.undetermined,
        };
        list.push(profile.name.clone());
    }
    Some(standing)
}

/// The profile that an endpoint is to meet.
pub fn wanted(endpoint: &EndpointReport) -> Option<&'static Profile> {
    let standing = endpoint.mozilla.as_ref()?;
    Guideline::of(&standing.version)?.profile(standing.wanted.as_deref()?)
}

/// Why it is undetermined whether the profile is met that is to be, where it is.
pub fn gap(endpoint: &EndpointReport) -> Option<String> {
    let reach = endpoint.observations.reach.seen();
    // Where no TLS answers, that is the gap.
    let profile = wanted(endpoint)
        .filter(|_| reach.is_none_or(|reach| reach.outcome == ReachOutcome::Tls))?;
    let differences = compare(&endpoint.observations, profile);
    let open = |one: &&Difference| one.kind == Kind::Undetermined;
    let open = differences.iter().find(open);
    open.filter(|_| is_met(&differences) == Answer::Undetermined)
        .map(|one| format!("whether {} is met is open: {one}", profile.name))
}

struct Comparison<'a> {
    profile: &'a Profile,
    all: Vec<Difference>,
}

impl Comparison<'_> {
    fn add(&mut self, kind: Kind, aspect: &'static str, what: impl Into<String>) {
        self.all.push(Difference {
            kind,
            aspect,
            what: what.into(),
        });
    }

    /// Tells why something has no result.
    fn unmeasured<T>(&mut self, aspect: &'static str, attempt: &Attempt<T>) {
        let why = match attempt {
            Attempt::Failed(error) => error.to_string(),
            Attempt::NotApplicable(reason) => reason.clone(),
            _ => "not measured".into(),
        };
        self.add(Kind::Undetermined, aspect, why);
    }

    fn versions(&mut self, seen: &Observations) {
        const ASPECT: &str = "versions";
        let Some(versions) = seen.versions.seen() else {
            return self.unmeasured(ASPECT, &seen.versions);
        };
        let newest = self.profile.versions.last();
        for version in ProtocolVersion::all() {
            let kind = match versions.answer(*version) {
                Answer::Yes if !self.profile.versions.contains(version) => Kind::Excess,
                Answer::No if Some(version) == newest => Kind::Lacking,
                Answer::Undetermined
                    if Some(version) == newest || !self.profile.versions.contains(version) =>
                {
                    Kind::Undetermined
                }
                _ => continue,
            };
            self.add(kind, ASPECT, version.to_string());
        }
    }

    fn suites(&mut self, seen: &Observations) {
        const ASPECT: &str = "suites";
        let Some(suites) = seen.suites.seen() else {
            return self.unmeasured(ASPECT, &seen.suites);
        };
        let profile = self.profile;
        let allowed = |name: &SuiteName| {
            let suite = name.suite();
            suite.is_some_and(|suite| profile.suites.contains(&suite))
        };
        for (name, versions) in by_suite(suites) {
            if !allowed(name) {
                self.add(Kind::Excess, ASPECT, format!("{name} in {versions}"));
            }
        }
        for (version, list) in &suites.0 {
            let open = list.undetermined.iter().filter(|name| !allowed(name));
            let open = open.count();
            if open > 0 || (!list.complete && list.undetermined.is_empty()) {
                let many = if open == 0 {
                    "not every suite was asked".to_owned()
                } else {
                    format!("{open} that the profile does not allow")
                };
                self.add(Kind::Undetermined, ASPECT, format!("{many}, in {version}"));
            }
            if !profile.versions.contains(version) || list.accepted.iter().any(allowed) {
                continue;
            }
            let kind = if list.undetermined.iter().any(allowed) {
                Kind::Undetermined
            } else {
                Kind::Lacking
            };
            self.add(kind, ASPECT, format!("any of the profile's in {version}"));
        }
        self.order(suites);
    }

    fn order(&mut self, suites: &SuitesSeen) {
        const ASPECT: &str = "order";
        for (version, list) in &suites.0 {
            if !self.profile.versions.contains(version) {
                continue;
            }
            let (kind, what) = match (self.profile.server_order, list.order) {
                (true, Order::Client) => (Kind::Lacking, "an order of the server's"),
                (true, Order::Undetermined) => (Kind::Undetermined, "whose order counts"),
                (false, Order::Server) => {
                    (Kind::Note, "the server's order decides, not the client's")
                }
                _ => continue,
            };
            self.add(kind, ASPECT, format!("{what}, in {version}"));
        }
    }

    fn groups(&mut self, seen: &Observations) {
        const ASPECT: &str = "groups";
        let groups = match &seen.groups {
            Attempt::Seen(groups) => groups,
            // No version that names groups: the versions say that.
            Attempt::NotApplicable(_) => return,
            other => return self.unmeasured(ASPECT, other),
        };
        let profile = self.profile;
        let allowed = |name: &GroupName| {
            let group = name.group();
            group.is_some_and(|group| profile.groups.contains(&group))
        };
        for name in groups.accepted.iter().filter(|name| !allowed(name)) {
            self.add(Kind::Excess, ASPECT, name.to_string());
        }
        for name in groups.undetermined.iter().filter(|name| !allowed(name)) {
            self.add(Kind::Undetermined, ASPECT, name.to_string());
        }
        if !groups.complete && groups.undetermined.is_empty() {
            self.add(Kind::Undetermined, ASPECT, "not every group was asked");
        }
        if !groups.accepted.is_empty() && !groups.accepted.iter().any(allowed) {
            let kind = if groups.undetermined.iter().any(allowed) {
                Kind::Undetermined
            } else {
                Kind::Lacking
            };
            self.add(kind, ASPECT, "any of the profile's");
        }
    }

    fn dh(&mut self, seen: &Observations) {
        const ASPECT: &str = "dh";
        let (Some(least), Some(suites)) = (self.profile.dh_bits, seen.suites.seen()) else {
            return;
        };
        let accepted = suites.0.values().flat_map(|list| &list.accepted);
        let mut accepted = accepted.filter_map(|name| name.suite()?.traits());
        if !accepted.any(SuiteTraits::uses_ffdhe) {
            return;
        }
        let lists = suites.0.values().filter_map(|list| list.dh_bits);
        let probed = seen.dh_parameters.seen().map(|seen| seen.bits);
        match lists.chain(probed).min() {
            None => self.add(Kind::Undetermined, ASPECT, "the group of the DHE suites"),
            Some(bits) if bits < least => {
                let what = format!("a group of {bits} bits, and {least} is the least");
                self.add(Kind::Excess, ASPECT, what);
            }
            Some(_) => {}
        }
    }

    /// What the profile recommends, and does not decide: HSTS is for browsers alone, and few CAs still have
    /// OCSP.
    fn recommendations(&mut self, seen: &Observations) {
        let least = self.profile.hsts_seconds;
        let head = seen.http.seen().and_then(|seen| seen.answer.head.as_ref());
        let told = match head {
            None => Some("not measured".to_owned()),
            // An error may come from somebody else than the site.
            Some(head) if head.status >= 400 => Some(format!("not in an answer {}", head.status)),
            Some(head) => match head.hsts.as_ref().and_then(|hsts| hsts.max_age) {
                None => Some("none".to_owned()),
                Some(seconds) if seconds < least => Some(format!("{seconds} seconds")),
                Some(_) => None,
            },
        };
        if let Some(told) = told {
            self.add(
                Kind::Note,
                "HSTS",
                format!("{told}; {least} seconds is the least"),
            );
        }
        if self.profile.ocsp_staple {
            let what = "not compared; recommended where the CA still has OCSP";
            self.add(Kind::Note, "stapling", what);
        }
    }
}

/// Each accepted suite once, with the versions that have it.
fn by_suite(suites: &SuitesSeen) -> Vec<(&SuiteName, String)> {
    let mut all: BTreeMap<&str, (&SuiteName, String)> = BTreeMap::new();
    for (version, list) in &suites.0 {
        for name in &list.accepted {
            all.entry(&name.id)
                .and_modify(|(_, versions)| *versions = format!("{versions}, {version}"))
                .or_insert_with(|| (name, version.to_string()));
        }
    }
    all.into_values().collect()
}

#[cfg(test)]
mod tests;
