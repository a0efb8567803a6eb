//! What a security policy takes, by content: a name proves nothing, and lists of names rot.

use super::inventory::{Inventory, Listener, LoadBalancer, LoadBalancerType, SslPolicy};
use crate::elb_policies::{ElbPolicy, elb_policies, elb_policy, elb_policy_of};
use crate::wire::registry::{Group, ProtocolVersion, Suite};

/// A policy by content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyContent {
    /// Its name.
    pub name: String,
    /// The versions, newest first.
    pub versions: Vec<ProtocolVersion>,
    /// The suites, the most preferred first.
    pub suites: Vec<Suite>,
    /// AWS's names of suites and versions that are not known here: they are judged by nobody.
    pub unknown: Vec<String>,
    /// The groups to expect, where something is known: AWS documents none.
    pub groups: Option<Vec<Group>>,
    /// From where.
    pub source: PolicySource,
}

/// From where a policy's content is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// `DescribeSSLPolicies`, or the listener's own.
    Aws,
    /// The table that ships (`elb_policies`).
    Table,
}

impl Inventory {
    /// What the policy of a listener takes; none where it has no TLS, or a policy that nobody knows.
    pub fn policy_of(&self, listener: &Listener) -> Option<PolicyContent> {
        if !listener.has_tls() {
            return None;
        }
        if let Some(own) = &listener.own_policy {
            return Some(PolicyContent::from_aws(own));
        }
        let name = listener.ssl_policy.as_deref()?;
        if listener.instance.is_some() {
            // `DescribeSSLPolicies` knows nothing of Classic ones, which have other content under one name.
            return elb_policy_of(name, LoadBalancerType::Classic).map(PolicyContent::from);
        }
        self.policy(name)
    }

    /// What the policy of this name takes: as AWS tells it, else from the table that ships.
    pub fn policy(&self, name: &str) -> Option<PolicyContent> {
        let told = self.ssl_policies.read().into_iter().flatten();
        let mut told = told.filter(|policy| policy.name.eq_ignore_ascii_case(name));
        told.next()
            .map(PolicyContent::from_aws)
            .or_else(|| elb_policy(name).map(PolicyContent::from))
    }
}

impl PolicyContent {
    /// From `DescribeSSLPolicies`; groups, which that does not tell, from the table.
    fn from_aws(told: &SslPolicy) -> Self {
        let mut versions: Vec<_> = told
            .protocols
            .iter()
            .filter_map(|name| version(name))
            .collect();
        versions.sort_unstable();
        versions.reverse();
        let mut content = Self {
            name: told.name.clone(),
            versions,
            suites: Vec::new(),
            unknown: Vec::new(),
            groups: elb_policy(&told.name).and_then(|policy| policy.groups.clone()),
            source: PolicySource::Aws,
        };
        for name in &told.ciphers {
            match Suite::parse(name) {
                Some(suite) => content.suites.push(suite),
                None => content.unknown.push(name.clone()),
            }
        }
        let unknown = told.protocols.iter().filter(|name| version(name).is_none());
        content.unknown.extend(unknown.cloned());
        content
    }
}

impl From<&ElbPolicy> for PolicyContent {
    fn from(policy: &ElbPolicy) -> Self {
        Self {
            name: policy.name.clone(),
            versions: policy.versions.clone(),
            suites: policy.suites.clone(),
            unknown: Vec::new(),
            groups: policy.groups.clone(),
            source: PolicySource::Table,
        }
    }
}

/// A version as AWS spells it: TLS 1.0 is `TLSv1`.
fn version(name: &str) -> Option<ProtocolVersion> {
    match name.strip_prefix("Protocol-").unwrap_or(name) {
        "TLSv1" => Some(ProtocolVersion::TLS1_0),
        name => ProtocolVersion::parse(name),
    }
}

/// The policy families that decide about the one towards targets, the first that any listener is of.
const BACKEND: [&str; 5] = [
    "ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07",
    "ELBSecurityPolicy-TLS13-1-0-FIPS-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-0-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-0-2021-06",
];

/// Where no listener's policy is of such a family.
const BACKEND_OTHERWISE: &str = "ELBSecurityPolicy-2016-08";

/// The policy that an Application or Network Load Balancer has towards its targets, which follows from the
/// policies of all its listeners. None where the listeners were not read, where a listener has a policy
/// that nobody knows (a stricter family could be its own), or for a Classic one.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html>,
/// "Backend connections"
pub fn backend_policy(balancer: &LoadBalancer) -> Option<&'static ElbPolicy> {
    if balancer.kind == LoadBalancerType::Classic {
        return None;
    }
    let mut families = Vec::new();
    for listener in balancer
        .listeners
        .read()?
        .iter()
        .filter(|listener| listener.has_tls())
    {
        families.push(
            elb_policy(listener.ssl_policy.as_deref()?)?
                .backend
                .as_deref(),
        );
    }
    let first = BACKEND
        .into_iter()
        .find(|name| families.contains(&Some(name)));
    elb_policy(first.unwrap_or(BACKEND_OTHERWISE))
}

/// Every policy that ships.
pub fn shipped() -> impl Iterator<Item = PolicyContent> {
    elb_policies().iter().map(PolicyContent::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Section;

    fn with(policies: &[&str]) -> LoadBalancer {
        let listener = |policy: &&str| Listener {
            protocol: "HTTPS".into(),
            ssl_policy: Some((*policy).into()),
            ..Listener::default()
        };
        LoadBalancer {
            listeners: Section::Read(policies.iter().map(listener).collect()),
            ..LoadBalancer::default()
        }
    }

    fn backend(policies: &[&str]) -> Option<&'static str> {
        backend_policy(&with(policies)).map(|policy| policy.name.as_str())
    }

    #[test]
    fn the_strictest_family_of_all_listeners_decides_about_the_targets() {
        let old = "ELBSecurityPolicy-2016-08";
        let new = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06";
        let quantum = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09";
        let fips = "ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04";
        assert_eq!(backend(&[]), Some("ELBSecurityPolicy-2016-08"));
        assert_eq!(backend(&[old]), Some("ELBSecurityPolicy-2016-08"));
        assert_eq!(
            backend(&[old, new]),
            Some("ELBSecurityPolicy-TLS13-1-0-2021-06")
        );
        assert_eq!(
            backend(&[new, quantum]),
            Some("ELBSecurityPolicy-TLS13-1-0-PQ-2025-09")
        );
        assert_eq!(
            backend(&[quantum, fips]),
            Some("ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04")
        );
        assert_eq!(
            backend(&[old, "ELBSecurityPolicy-Next-2027-01"]),
            None,
            "unknown family"
        );
        assert_eq!(backend_policy(&LoadBalancer::default()), None, "not read");
    }

    #[test]
    fn what_aws_tells_wins_over_the_table() {
        let inventory = Inventory {
            ssl_policies: Section::Read(vec![SslPolicy {
                name: "ELBSecurityPolicy-2016-08".into(),
                protocols: vec!["TLSv1".into(), "TLSv1.2".into()],
                ciphers: vec!["AES128-SHA".into(), "NEW-SUITE".into()],
                load_balancer_types: Vec::new(),
            }]),
            ..Inventory::default()
        };
        let content = inventory.policy("ELBSecurityPolicy-2016-08").unwrap();
        assert_eq!(content.source, PolicySource::Aws);
        assert_eq!(
            content.versions,
            [ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_0]
        );
        assert_eq!(content.suites, [Suite::TLS_RSA_WITH_AES_128_CBC_SHA]);
        assert_eq!(content.unknown, ["NEW-SUITE"]);
        let other = inventory
            .policy("elbsecuritypolicy-tls13-1-3-2021-06")
            .unwrap();
        assert_eq!(other.source, PolicySource::Table);
        assert_eq!(
            inventory.policy("ELBSecurityPolicy-TLS-1-3-1-2-2021-06"),
            None
        );
    }
}
