//! Folders of answers as the AWS CLI prints them (`fixtures/aws`), and what has to be read from them.

mod hostile;
mod kinds;
mod refusals;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;
use crate::aws::inventory::{Listener, TargetGroup};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/aws")
}

/// The commands of the AWS CLI under which answers are saved, and their actions.
const COMMANDS: [(&str, &str); 26] = [
    ("describe-certificate", "acm:DescribeCertificate"),
    (
        "describe-instance-health",
        "elasticloadbalancing:DescribeInstanceHealth",
    ),
    ("describe-instances", "ec2:DescribeInstances"),
    (
        "describe-listener-attributes",
        "elasticloadbalancing:DescribeListenerAttributes",
    ),
    (
        "describe-listener-certificates",
        "elasticloadbalancing:DescribeListenerCertificates",
    ),
    (
        "describe-listeners",
        "elasticloadbalancing:DescribeListeners",
    ),
    (
        "describe-load-balancer-attributes",
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
    ),
    (
        "describe-load-balancer-policies",
        "elasticloadbalancing:DescribeLoadBalancerPolicies",
    ),
    (
        "describe-load-balancers",
        "elasticloadbalancing:DescribeLoadBalancers",
    ),
    ("describe-network-acls", "ec2:DescribeNetworkAcls"),
    (
        "describe-network-interfaces",
        "ec2:DescribeNetworkInterfaces",
    ),
    ("describe-rules", "elasticloadbalancing:DescribeRules"),
    ("describe-security-groups", "ec2:DescribeSecurityGroups"),
    (
        "describe-ssl-policies",
        "elasticloadbalancing:DescribeSSLPolicies",
    ),
    ("describe-subnets", "ec2:DescribeSubnets"),
    ("describe-tags", "elasticloadbalancing:DescribeTags"),
    (
        "describe-target-group-attributes",
        "elasticloadbalancing:DescribeTargetGroupAttributes",
    ),
    (
        "describe-target-groups",
        "elasticloadbalancing:DescribeTargetGroups",
    ),
    (
        "describe-target-health",
        "elasticloadbalancing:DescribeTargetHealth",
    ),
    (
        "describe-trust-store-revocations",
        "elasticloadbalancing:DescribeTrustStoreRevocations",
    ),
    (
        "describe-trust-stores",
        "elasticloadbalancing:DescribeTrustStores",
    ),
    ("get-caller-identity", "sts:GetCallerIdentity"),
    ("get-certificate", "acm:GetCertificate"),
    (
        "get-managed-prefix-list-entries",
        "ec2:GetManagedPrefixListEntries",
    ),
    ("get-metric-data", "cloudwatch:GetMetricData"),
    ("get-server-certificate", "iam:GetServerCertificate"),
];

/// `describe-target-health@targetgroup_web_6d0ecf831eec9f09.json`; `elb-…` for Classic ones.
fn answers(folder: &str) -> Answers {
    let folder = fixtures().join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let all = files.iter().map(|path| {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let (command, resource) = match stem.split_once('@') {
            Some((command, resource)) => (command, Some(resource.to_owned())),
            None => (stem, None),
        };
        let classic = command.starts_with("elb-");
        let command = command.strip_prefix("elb-").unwrap_or(command);
        let action = match COMMANDS.iter().find(|(known, _)| *known == command) {
            Some((_, action)) => (*action).to_owned(),
            None if command == "get-web-acl-for-resource" => "wafv2:GetWebACLForResource".into(),
            None => panic!("{stem}: which action?"),
        };
        let text = std::fs::read_to_string(path).unwrap();
        let body = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{stem}: {error}"));
        Answer {
            action,
            classic,
            resource,
            outcome: Ok(body),
        }
    });
    let all: Vec<Answer> = all.collect();
    assert!(!all.is_empty());
    Answers { all }
}

fn listeners(inventory: &Inventory) -> Vec<&Listener> {
    let all = inventory.load_balancers.iter();
    all.flat_map(|balancer| balancer.listeners.read().unwrap())
        .collect()
}

fn listener(inventory: &Inventory, port: u16) -> &Listener {
    let mut all = listeners(inventory).into_iter();
    all.find(|listener| listener.port == port).unwrap()
}

fn group<'a>(inventory: &'a Inventory, name: &str) -> &'a TargetGroup {
    let mut all = inventory.target_groups.read().unwrap().iter();
    all.find(|group| group.name == name).unwrap()
}

/// An ALB, an NLB and a Classic Load Balancer in one VPC, whole: the inventory was written by hand.
#[test]
fn a_whole_account_is_read_as_it_is() {
    let text = std::fs::read_to_string(fixtures().join("healthy.json")).unwrap();
    let expected: Inventory = serde_json::from_str(&text).unwrap();
    let read = inventory(&answers("healthy"));
    let json = |inventory: &Inventory| serde_json::to_value(inventory).unwrap();
    let (Value::Object(expected), Value::Object(read)) = (json(&expected), json(&read)) else {
        unreachable!()
    };
    for (key, value) in &expected {
        let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
        assert_eq!(pretty(value), pretty(&read[key]), "{key}");
    }
}

#[test]
fn one_load_balancer_is_read_without_the_others() {
    let answers = answers("healthy");
    let arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188";
    for wanted in [
        arn,
        "shop",
        " SHOP-1234567890.eu-central-1.elb.amazonaws.com. ",
        "dualstack.shop-1234567890.eu-central-1.elb.amazonaws.com",
    ] {
        let one = inventory_of(&answers, wanted);
        let names: Vec<_> = one.load_balancers.iter().map(|one| &one.name).collect();
        assert_eq!(names, ["shop"], "{wanted}");
        let groups = one.target_groups.read().unwrap();
        let names: Vec<_> = groups.iter().map(|group| &group.name).collect();
        assert_eq!(names, ["web", "api"], "{wanted}");
        let interfaces = one.interfaces.read().unwrap();
        assert_eq!(interfaces.len(), 6, "two nodes, four targets");
        assert_eq!(one.not_read, [], "{wanted}");
    }
    assert_eq!(inventory_of(&answers, "shop2").load_balancers, []);
}

#[test]
fn a_classic_one_is_found_by_its_made_up_arn() {
    let arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/legacy";
    let one = inventory_of(&answers("healthy"), arn);
    assert_eq!(one.load_balancers.len(), 1);
    assert_eq!(one.load_balancers[0].arn, arn);
    assert_eq!(one.target_groups.read().unwrap().len(), 1);
    assert_eq!(one.certificates.len(), 1);
    assert_eq!(one.not_read, []);
}
