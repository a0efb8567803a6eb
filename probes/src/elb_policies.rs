//! The security policies of Elastic Load Balancing by content: what a listener with such a policy takes.
//!
//! Data (`data/elb-policies.json`), read once. AWS documents versions and suites; groups and signature
//! schemes are those of s2n-tls under the same name, which says what to expect and proves no refusal.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::aws::inventory::LoadBalancerType;
use crate::wire::registry::{Group, ProtocolVersion, SignatureScheme, Suite};

/// A security policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElbPolicy {
    /// Its name: `ELBSecurityPolicy-TLS13-1-2-2021-06`.
    pub name: String,
    /// The load balancers that take it: `application`, `network`, `classic`.
    pub load_balancers: Vec<String>,
    /// The versions, newest first.
    pub versions: Vec<ProtocolVersion>,
    /// The suites, most preferred first: those of TLS 1.3, then those below.
    pub suites: Vec<Suite>,
    /// The groups to expect; none where nothing is known.
    pub groups: Option<Vec<Group>>,
    /// The signature schemes to expect; none where nothing is known.
    pub signature_schemes: Option<Vec<SignatureScheme>>,
    /// The policy towards targets, while a listener has this one and none of a stricter family.
    pub backend: Option<String>,
    /// Whether AWS calls it a FIPS policy: TLS is done by its module that is validated under FIPS 140-3. No
    /// content tells that.
    pub fips: bool,
    /// Whether AWS's documentation recommends it.
    pub recommended: bool,
    /// Where it is taken when nobody asks for one: `console`, or `api` (the CLI, CloudFormation and Terraform,
    /// too).
    pub default: Option<String>,
}

/// The policy of this name.
pub fn elb_policy(name: &str) -> Option<&'static ElbPolicy> {
    let name = name.trim();
    elb_policies()
        .iter()
        .find(|policy| policy.name.eq_ignore_ascii_case(name))
}

/// The policy of this name as load balancers of a type have it: `ELBSecurityPolicy-2015-05` of a Classic one
/// takes 3DES, that of a Network Load Balancer does not.
pub fn elb_policy_of(name: &str, kind: LoadBalancerType) -> Option<&'static ElbPolicy> {
    let name = name.trim();
    elb_policies()
        .iter()
        .find(|policy| policy.name.eq_ignore_ascii_case(name) && policy.is_for(kind))
}

impl ElbPolicy {
    /// Whether load balancers of that type take it.
    pub fn is_for(&self, kind: LoadBalancerType) -> bool {
        let kind = match kind {
            LoadBalancerType::Application => "application",
            LoadBalancerType::Network => "network",
            LoadBalancerType::Gateway => "gateway",
            LoadBalancerType::Classic => "classic",
        };
        self.load_balancers.iter().any(|known| known == kind)
    }
}

/// Every policy.
pub fn elb_policies() -> &'static [ElbPolicy] {
    &DATA.policies
}

/// The day on which the policies were taken from their sources.
pub fn elb_policies_date() -> &'static str {
    &DATA.date
}

static DATA: LazyLock<Data> = LazyLock::new(|| {
    let file = serde_json::from_str::<File>(include_str!("../data/elb-policies.json"));
    file.map(Into::into).unwrap_or_default()
});

#[derive(Default)]
struct Data {
    date: String,
    policies: Vec<ElbPolicy>,
}

#[derive(Deserialize)]
struct File {
    date: String,
    policies: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    load_balancers: Vec<String>,
    versions: Vec<ProtocolVersion>,
    suites: String,
    groups: Option<String>,
    signature_schemes: Option<String>,
    backend: Option<String>,
    #[serde(default)]
    fips: bool,
    #[serde(default)]
    recommended: bool,
    default: Option<String>,
}

impl From<File> for Data {
    fn from(file: File) -> Self {
        let policies = file.policies.into_iter().map(|row| ElbPolicy {
            name: row.name,
            load_balancers: row.load_balancers,
            versions: row.versions,
            suites: codes(&row.suites).map(Suite).collect(),
            groups: row.groups.map(|text| codes(&text).map(Group).collect()),
            signature_schemes: row
                .signature_schemes
                .map(|text| codes(&text).map(SignatureScheme).collect()),
            backend: row.backend,
            fips: row.fips,
            recommended: row.recommended,
            default: row.default,
        });
        Self {
            date: file.date,
            policies: policies.collect(),
        }
    }
}

fn codes(text: &str) -> impl Iterator<Item = u16> {
    text.split_whitespace()
        .filter_map(|code| u16::from_str_radix(code, 16).ok())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_policy_is_read() {
        assert_eq!(elb_policies().len(), 48);
        assert_eq!(elb_policies_date(), "2026-11-20");
        let each = |policy: &'static ElbPolicy| {
            let kinds = policy.load_balancers.iter();
            kinds.map(move |kind| (&policy.name, kind))
        };
        let all: Vec<_> = elb_policies().iter().flat_map(each).collect();
        let unique: HashSet<_> = all.iter().collect();
        assert_eq!(unique.len(), all.len(), "one of a name for each type");
        for policy in elb_policies() {
            assert!(!policy.versions.is_empty(), "{}", policy.name);
            assert!(
                policy.versions.is_sorted_by(|a, b| a > b),
                "{}",
                policy.name
            );
            assert!(!policy.load_balancers.is_empty(), "{}", policy.name);
            if let Some(backend) = &policy.backend {
                assert!(elb_policy(backend).is_some(), "{backend}");
            }
        }
    }

    #[test]
    fn every_code_point_has_a_name() {
        let file: File = serde_json::from_str(include_str!("../data/elb-policies.json")).unwrap();
        for (policy, row) in elb_policies().iter().zip(file.policies) {
            assert_eq!(policy.suites.len(), row.suites.split(' ').count());
            assert!(policy.suites.iter().all(|suite| suite.iana().is_some()));
            for group in policy.groups.iter().flatten() {
                assert!(group.name().is_some(), "{}", group.id());
            }
            for scheme in policy.signature_schemes.iter().flatten() {
                assert!(scheme.name().is_some(), "{}", scheme.id());
            }
        }
    }

    #[test]
    fn versions_and_suites_go_together() {
        for policy in elb_policies() {
            let newest = policy.versions.contains(&ProtocolVersion::TLS1_3);
            let suites = policy.suites.iter().any(|suite| suite.is_tls13());
            assert_eq!(newest, suites, "{}", policy.name);
        }
    }

    #[test]
    fn what_the_api_gives_where_nothing_is_asked_for() {
        let policy = elb_policy("elbsecuritypolicy-2016-08").unwrap();
        assert_eq!(policy.versions.first(), Some(&ProtocolVersion::TLS1_2));
        assert_eq!(policy.suites.len(), 18);
        assert_eq!(elb_policy("ELBSecurityPolicy-2016-07"), None);
    }

    #[test]
    fn the_type_of_the_load_balancer_decides_what_a_name_stands_for() {
        let of = |kind| elb_policy_of("ELBSecurityPolicy-2015-05", kind);
        let triple_des = Suite::TLS_RSA_WITH_3DES_EDE_CBC_SHA;
        assert_eq!(of(LoadBalancerType::Application), None);
        let network = of(LoadBalancerType::Network).unwrap();
        assert!(!network.suites.contains(&triple_des));
        let classic = of(LoadBalancerType::Classic).unwrap();
        assert!(classic.suites.contains(&triple_des));
        assert_eq!(classic.suites.len(), network.suites.len() + 1);
    }
}
