//! What a security policy takes, by content: a name proves nothing, and lists of names rot.

use super::inventory::{Inventory, Listener, LoadBalancer, LoadBalancerType, SslPolicy};
use crate::elb_policies::{ElbPolicy, elb_policies, elb_policy, elb_policy_of};
use crate::wire::registry::{CipherMode, Group, KeyExchange, ProtocolVersion, Suite, SuiteTraits};

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

/// What follows from the content: none where names that are not known here could decide it.
impl PolicyContent {
    /// The oldest version that it takes.
    pub fn min_version(&self) -> Option<ProtocolVersion> {
        self.versions.iter().min().copied()
    }

    /// Whether every suite keeps what was recorded secret when the certificate's key becomes known.
    pub fn forward_secrecy(&self) -> Option<bool> {
        let without = self.any(|suite| !suite.forward_secrecy())?;
        (without || !self.suites.is_empty()).then_some(!without)
    }

    /// Whether it takes suites whose records are CBC.
    pub fn cbc(&self) -> Option<bool> {
        self.any(|suite| suite.mode == CipherMode::Cbc)
    }

    /// Whether it takes suites whose secret is encrypted to the certificate's RSA key.
    pub fn rsa_key_exchange(&self) -> Option<bool> {
        self.any(|suite| suite.key_exchange == KeyExchange::Rsa)
    }

    /// Whether it has a hybrid group with ML-KEM, which TLS 1.3 alone can use. AWS documents which policies have
    /// some, and no groups otherwise.
    pub fn post_quantum(&self) -> Option<bool> {
        if !self.unknown.is_empty() {
            return None;
        }
        if !self.versions.contains(&ProtocolVersion::TLS1_3) {
            return Some(false);
        }
        match &self.groups {
            Some(groups) => Some(groups.iter().any(|group| group.post_quantum())),
            None => elb_policy(&self.name).map(|_| false),
        }
    }

    /// Whether AWS calls it a FIPS policy; none where AWS's documentation, as of the table, does not have it.
    pub fn fips(&self) -> Option<bool> {
        elb_policy(&self.name).map(|policy| policy.fips)
    }

    fn any(&self, is_such: impl Fn(SuiteTraits) -> bool) -> Option<bool> {
        let traits = self.suites.iter().map(|suite| suite.traits());
        let mut unclear = !self.unknown.is_empty();
        for suite in traits {
            match suite {
                Some(suite) if is_such(suite) => return Some(true),
                Some(_) => {}
                None => unclear = true,
            }
        }
        (!unclear).then_some(false)
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

    /// From AWS's documentation: the name, the oldest version; forward secrecy, post-quantum (q), FIPS (i), CBC,
    /// RSA key exchange.
    const DOCUMENTED: &str = "
        TLS13-1-3-2021-06 1.3 f----
        TLS13-1-3-PQ-2025-09 1.3 fq---
        TLS13-1-2-2021-06 1.2 f--c-
        TLS13-1-2-PQ-2025-09 1.2 fq-c-
        TLS13-1-2-Res-2021-06 1.2 f----
        TLS13-1-2-Res-PQ-2025-09 1.2 fq---
        TLS13-1-2-Ext2-2021-06 1.2 ---cr
        TLS13-1-2-Ext2-PQ-2025-09 1.2 -q-cr
        TLS13-1-2-Ext1-2021-06 1.2 ---cr
        TLS13-1-2-Ext1-PQ-2025-09 1.2 -q-cr
        TLS13-1-1-2021-06 1.1 ---cr
        TLS13-1-0-2021-06 1.0 ---cr
        TLS13-1-0-PQ-2025-09 1.0 -q-cr
        TLS-1-2-Ext-2018-06 1.2 ---cr
        TLS-1-2-2017-01 1.2 ---cr
        TLS-1-1-2017-01 1.1 ---cr
        2016-08 1.0 ---cr
        2015-05 1.0 ---cr
        TLS13-1-3-FIPS-2023-04 1.3 f-i--
        TLS13-1-3-FIPS-PQ-2025-09 1.3 fqi--
        TLS13-1-2-FIPS-2023-04 1.2 f-ic-
        TLS13-1-2-FIPS-PQ-2025-09 1.2 fqic-
        TLS13-1-2-Res-FIPS-2023-04 1.2 f-i--
        TLS13-1-2-Res-FIPS-PQ-2025-09 1.2 fqi--
        TLS13-1-2-Ext2-FIPS-2023-04 1.2 --icr
        TLS13-1-2-Ext2-FIPS-PQ-2025-09 1.2 -qicr
        TLS13-1-2-Ext1-FIPS-2023-04 1.2 --icr
        TLS13-1-2-Ext1-FIPS-PQ-2025-09 1.2 -qicr
        TLS13-1-2-Ext0-FIPS-2023-04 1.2 f-ic-
        TLS13-1-2-Ext0-FIPS-PQ-2025-09 1.2 fqic-
        TLS13-1-1-FIPS-2023-04 1.1 --icr
        TLS13-1-0-FIPS-2023-04 1.0 --icr
        TLS13-1-0-FIPS-PQ-2025-09 1.0 -qicr
        TLS13-1-3-RFC9151-FIPS-2023-07 1.3 f-i--
        TLS13-1-2-RFC9151-FIPS-2023-07 1.2 f-i--
        TLS13-1-2-Ext0-RFC9151-FIPS-2023-07 1.2 --i-r
        TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07 1.2 f-i--
        TLS13-1-2-RFC9151-INTEROP2-FIPS-2023-07 1.2 f-ic-
        TLS13-1-2-RFC9151-INTEROP3-FIPS-2023-07 1.2 f-ic-
        TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07 1.2 --icr
        FS-1-2-Res-2020-10 1.2 f----
        FS-1-2-Res-2019-08 1.2 f--c-
        FS-1-2-2019-08 1.2 f--c-
        FS-1-1-2019-08 1.1 f--c-
        FS-2018-06 1.0 f--c-
    ";

    fn classified(content: &PolicyContent) -> (String, String) {
        let flags = [
            ('f', content.forward_secrecy()),
            ('q', content.post_quantum()),
            ('i', content.fips()),
            ('c', content.cbc()),
            ('r', content.rsa_key_exchange()),
        ];
        let letter = |(letter, flag): (char, Option<bool>)| match flag {
            Some(true) => letter,
            Some(false) => '-',
            None => '?',
        };
        let oldest = content.min_version().unwrap().to_string();
        (oldest, flags.into_iter().map(letter).collect())
    }

    #[test]
    fn every_documented_policy_is_classified_by_its_content() {
        let rows: Vec<_> = DOCUMENTED.split_whitespace().collect();
        assert_eq!(rows.len(), 3 * 45);
        for row in rows.chunks(3) {
            let name = format!("ELBSecurityPolicy-{}", row[0]);
            let content = PolicyContent::from(elb_policy(&name).expect(&name));
            let expected = (format!("TLSv{}", row[1]), row[2].to_owned());
            assert_eq!(classified(&content), expected, "{name}");
        }
        let modern =
            |policy: &&ElbPolicy| policy.load_balancers.iter().any(|kind| kind != "classic");
        assert_eq!(elb_policies().iter().filter(modern).count(), 45);
    }

    #[test]
    fn classic_policies_are_classified_too() {
        for (name, suites) in [
            ("TLS-1-2-2017-01", 12),
            ("TLS-1-1-2017-01", 18),
            ("2016-08", 18),
            ("2015-05", 19),
            ("2015-03", 21),
            ("2015-02", 20),
        ] {
            let name = format!("ELBSecurityPolicy-{name}");
            let policy = elb_policy_of(&name, LoadBalancerType::Classic).expect(&name);
            assert_eq!(policy.suites.len(), suites, "{name}");
            assert_eq!(classified(&policy.into()).1, "---cr", "{name}");
        }
    }

    #[test]
    fn a_suite_that_is_not_known_leaves_open_what_it_could_change() {
        let mut content =
            PolicyContent::from(elb_policy("ELBSecurityPolicy-TLS13-1-3-2021-06").unwrap());
        assert_eq!(content.cbc(), Some(false));
        content.unknown.push("NEW-SUITE".into());
        assert_eq!(content.cbc(), None);
        assert_eq!(content.forward_secrecy(), None);
        assert_eq!(content.post_quantum(), None);
        content.suites.push(Suite::TLS_RSA_WITH_AES_128_CBC_SHA);
        assert_eq!(
            (content.cbc(), content.forward_secrecy()),
            (Some(true), Some(false))
        );
        content.suites.clear();
        content.unknown.clear();
        assert_eq!(content.forward_secrecy(), None, "nothing is known");
        content.name = "ELBSecurityPolicy-Next-2027-01".into();
        content.groups = None;
        assert_eq!((content.fips(), content.post_quantum()), (None, None));
    }
}
