//! Whether an answer is one: where it lacks what every answer has, nothing is known.

use std::borrow::Cow;

use serde_json::Value;

use super::json::at;
use crate::aws::answers::{Answer, Answers, Refusal};

/// What every answer has, however little there is to tell. One without it, say what `--query` left of it, is
/// none: else it would look like "there is nothing".
const MEMBERS: [(&str, &str); 26] = [
    ("acm:DescribeCertificate", "Certificate"),
    ("acm:GetCertificate", "Certificate"),
    ("cloudwatch:GetMetricData", "MetricDataResults"),
    ("ec2:DescribeInstances", "Reservations"),
    ("ec2:DescribeNetworkAcls", "NetworkAcls"),
    ("ec2:DescribeNetworkInterfaces", "NetworkInterfaces"),
    ("ec2:DescribeSecurityGroups", "SecurityGroups"),
    ("ec2:DescribeSubnets", "Subnets"),
    ("ec2:GetManagedPrefixListEntries", "Entries"),
    (
        "elasticloadbalancing:DescribeListenerAttributes",
        "Attributes",
    ),
    (
        "elasticloadbalancing:DescribeListenerCertificates",
        "Certificates",
    ),
    ("elasticloadbalancing:DescribeListeners", "Listeners"),
    (
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "Attributes",
    ),
    (
        "elasticloadbalancing:DescribeLoadBalancers",
        "LoadBalancers",
    ),
    ("elasticloadbalancing:DescribeRules", "Rules"),
    ("elasticloadbalancing:DescribeSSLPolicies", "SslPolicies"),
    ("elasticloadbalancing:DescribeTags", "TagDescriptions"),
    (
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        "Attributes",
    ),
    ("elasticloadbalancing:DescribeTargetGroups", "TargetGroups"),
    (
        "elasticloadbalancing:DescribeTargetHealth",
        "TargetHealthDescriptions",
    ),
    ("elasticloadbalancing:DescribeTrustStores", "TrustStores"),
    (
        "elasticloadbalancing:DescribeTrustStoreRevocations",
        "TrustStoreRevocations",
    ),
    (
        "elasticloadbalancing:DescribeInstanceHealth",
        "InstanceStates",
    ),
    (
        "elasticloadbalancing:DescribeLoadBalancerPolicies",
        "PolicyDescriptions",
    ),
    ("iam:GetServerCertificate", "ServerCertificate"),
    ("sts:GetCallerIdentity", "Account"),
];

/// Those that Classic Load Balancers' API calls otherwise.
const CLASSIC_MEMBERS: [(&str, &str); 2] = [
    (
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "LoadBalancerAttributes",
    ),
    (
        "elasticloadbalancing:DescribeLoadBalancers",
        "LoadBalancerDescriptions",
    ),
];

/// The answers, and a refusal for each that is none.
pub(super) fn sound(answers: &Answers) -> Cow<'_, Answers> {
    if answers.all.iter().all(|answer| missing(answer).is_none()) {
        return Cow::Borrowed(answers);
    }
    let sound = |answer: &Answer| match missing(answer) {
        None => answer.clone(),
        Some(member) => Answer {
            outcome: Err(Refusal {
                code: String::new(),
                message: format!("the answer has no `{member}`"),
            }),
            action: answer.action.clone(),
            resource: answer.resource.clone(),
            classic: answer.classic,
        },
    };
    Cow::Owned(Answers {
        all: answers.all.iter().map(sound).collect(),
    })
}

/// The member that an answer should have, and has not.
pub(super) fn missing(answer: &Answer) -> Option<&'static str> {
    let body = answer.outcome.as_ref().ok()?;
    let classic: &[_] = if answer.classic {
        &CLASSIC_MEMBERS
    } else {
        &[]
    };
    let mut known = classic.iter().chain(&MEMBERS);
    let (_, member) = known.find(|(action, _)| *action == answer.action)?;
    let is_there = match at(body, member) {
        Value::Array(_) | Value::Object(_) => true,
        // PEM, or an account.
        Value::String(text) => !text.is_empty() && matches!(*member, "Certificate" | "Account"),
        _ => false,
    };
    (!is_there).then_some(*member)
}
