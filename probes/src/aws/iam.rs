//! The least that an audit has to be allowed, as an IAM policy.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Arn;
use super::inventory::LoadBalancerType;
use super::operations::{Limit, OPERATIONS, Operation};
use super::subject::Subject;

/// What is going to be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// `aws`, `aws-cn`, …; none: `aws`.
    pub partition: Option<String>,
    /// The region; none: every one.
    pub region: Option<String>,
    /// The account; none: whatever account the policy is in.
    pub account: Option<String>,
    /// The type; none: any.
    pub kind: Option<LoadBalancerType>,
    /// Whether something is going to be probed.
    pub probe: bool,
}

impl Wanted {
    /// As much as the name of a load balancer tells.
    pub fn of(subject: Option<&Subject>, probe: bool) -> Self {
        let mut wanted = Self {
            probe,
            region: subject.and_then(Subject::region).map(str::to_owned),
            ..Self::default()
        };
        if let Some(Subject::Arn(arn) | Subject::Classic(arn) | Subject::TargetGroup(arn)) = subject
        {
            wanted.partition = Some(arn.partition.clone());
            wanted.account = Some(arn.account.clone()).filter(|account| !account.is_empty());
        }
        wanted.kind = match subject {
            Some(Subject::Arn(arn)) => Some(kind(arn)),
            Some(Subject::Classic(_)) => Some(LoadBalancerType::Classic),
            _ => None,
        };
        wanted
    }

    /// Whether this is asked. `DescribeLoadBalancers` is the same action for every type.
    fn has(&self, operation: &Operation) -> bool {
        let of_type = self
            .kind
            .is_none_or(|kind| operation.types.is_empty() || operation.types.contains(&kind));
        of_type && (self.probe || !operation.probing)
    }
}

/// The policy: which actions, and on what. `Describe…` of ELB and EC2 and `GetMetricData` know no
/// resources, so those are allowed for all.
pub fn policy(wanted: &Wanted) -> Value {
    let mut statements: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for operation in OPERATIONS.iter().filter(|operation| wanted.has(operation)) {
        let resources = match operation.limit {
            Limit::Free => continue,
            Limit::No => vec!["*".to_owned()],
            Limit::To(patterns) => patterns
                .iter()
                .map(|pattern| fill(pattern, wanted))
                .collect(),
        };
        let actions = statements.entry(resources).or_default();
        actions.push(operation.action());
        actions.extend(operation.also.iter().map(|action| (*action).to_owned()));
    }
    let statements = statements.into_iter().map(|(resources, mut actions)| {
        actions.sort_unstable();
        actions.dedup();
        json!({ "Effect": "Allow", "Action": actions, "Resource": resources })
    });
    json!({ "Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>() })
}

fn fill(pattern: &str, wanted: &Wanted) -> String {
    let or =
        |value: &Option<String>, default: &str| value.clone().unwrap_or_else(|| default.to_owned());
    pattern
        .replace("{partition}", &or(&wanted.partition, "aws"))
        .replace("{region}", &or(&wanted.region, "*"))
        .replace("{account}", &or(&wanted.account, "*"))
}

fn kind(arn: &Arn) -> LoadBalancerType {
    match arn.resource.split('/').nth(1) {
        Some("net") => LoadBalancerType::Network,
        _ => LoadBalancerType::Application,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALB: &str = "arn:aws-cn:elasticloadbalancing:cn-north-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188";

    fn of(what: &str, probe: bool) -> String {
        let subject = Subject::parse(what).unwrap();
        policy(&Wanted::of(Some(&subject), probe)).to_string()
    }

    #[test]
    fn is_limited_to_the_account_and_the_region_of_the_arn() {
        let policy = of(ALB, true);
        assert!(policy.contains("arn:aws-cn:acm:cn-north-1:123456789012:certificate/*"));
        assert!(policy.contains("wafv2:GetWebACLForResource"));
        assert!(!policy.contains("DescribeInstanceHealth"), "{policy}");
        assert!(!policy.contains("sts:"), "needs no permission");
    }

    #[test]
    fn certificates_themselves_are_for_probing() {
        assert!(of(ALB, true).contains("acm:GetCertificate"));
        assert!(!of(ALB, false).contains("acm:GetCertificate"));
    }

    #[test]
    fn a_network_load_balancer_has_no_web_acl_and_no_rules() {
        let policy = of(&ALB.replace("/app/", "/net/"), true);
        assert!(!policy.contains("wafv2"), "{policy}");
        assert!(!policy.contains("DescribeRules"), "{policy}");
    }

    #[test]
    fn a_name_may_be_of_any_type() {
        let policy = of("shop", true);
        assert!(policy.contains("DescribeInstanceHealth"));
        assert!(policy.contains("DescribeTargetHealth"));
        assert!(policy.contains("arn:aws:acm:*:*:certificate/*"));
    }

    #[test]
    fn each_action_stands_once_and_changes_nothing() {
        let policy = policy(&Wanted {
            probe: true,
            ..Wanted::default()
        });
        let mut all: Vec<&str> = policy["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|statement| statement["Action"].as_array().unwrap())
            .map(|action| action.as_str().unwrap())
            .collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        for action in all {
            let (_, name) = action.split_once(':').unwrap();
            assert!(
                name.starts_with("Describe") || name.starts_with("Get"),
                "{action}"
            );
        }
    }
}
