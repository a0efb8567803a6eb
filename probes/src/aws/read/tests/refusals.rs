//! What is refused is not read, says so, and takes nothing else with it.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::aws::read::sound::missing;

const DENIED: &str = "User: arn:aws:iam::123456789012:user/a is not authorized";

fn denied() -> Refusal {
    Refusal {
        code: "AccessDenied".into(),
        message: DENIED.into(),
    }
}

fn actions(answers: &Answers) -> BTreeSet<(String, bool)> {
    let all = answers.all.iter();
    all.map(|answer| (answer.action.clone(), answer.classic))
        .collect()
}

/// Without the answers to an action, or with a refusal instead of each.
fn without(answers: &Answers, (action, classic): &(String, bool), refused: bool) -> Answers {
    let mut left = answers.clone();
    let is_it = |answer: &Answer| answer.action == *action && answer.classic == *classic;
    if refused {
        for answer in left.all.iter_mut().filter(|answer| is_it(answer)) {
            answer.outcome = Err(denied());
        }
    } else {
        left.all.retain(|answer| !is_it(answer));
    }
    left
}

/// Every place of an inventory that was not read, with its action.
fn not_read(value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) if members.get("status") == Some(&json!("not-read")) => {
            let action = members["action"].as_str().unwrap_or("none");
            found.push((at.to_owned(), action.to_owned()));
        }
        Value::Object(members) => {
            for (key, value) in members {
                not_read(value, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(all) => {
            for (place, value) in all.iter().enumerate() {
                not_read(value, &format!("{at}/{place}"), found);
            }
        }
        _ => {}
    }
}

fn places(inventory: &Inventory) -> Vec<(String, String)> {
    let mut found = Vec::new();
    not_read(&serde_json::to_value(inventory).unwrap(), "", &mut found);
    found
}

#[test]
fn a_refusal_of_any_action_is_a_gap_and_no_emptiness() {
    let all = answers("healthy");
    let whole = inventory(&all);
    assert_eq!(places(&whole), []);
    for action in actions(&all) {
        let read = inventory(&without(&all, &action, true));
        let gaps: BTreeSet<&str> = read
            .not_read
            .iter()
            .map(|gap| gap.action.as_str())
            .collect();
        assert_eq!(gaps, BTreeSet::from([action.0.as_str()]), "{action:?}");
        for gap in &read.not_read {
            assert_eq!(gap.reason, format!("AccessDenied: {DENIED}"));
            assert!(!gap.subject.is_empty(), "{action:?}");
        }
        for (place, of) in places(&read) {
            assert_eq!(of, action.0, "{place}");
        }
        // These have no section of their own: what they tell is missing where it would stand.
        let own_section = !matches!(
            action.0.as_str(),
            "sts:GetCallerIdentity"
                | "ec2:DescribeInstances"
                | "elasticloadbalancing:DescribeLoadBalancers"
                | "elasticloadbalancing:DescribeLoadBalancerPolicies"
        );
        assert_eq!(!places(&read).is_empty(), own_section, "{action:?}");
    }
}

#[test]
fn what_is_missing_is_not_read_either() {
    let all = answers("healthy");
    let quiet = [
        "acm:GetCertificate",
        "cloudwatch:GetMetricData",
        "elasticloadbalancing:DescribeSSLPolicies",
        "elasticloadbalancing:DescribeTags",
        "sts:GetCallerIdentity",
        "wafv2:GetWebACLForResource",
    ];
    for action in actions(&all) {
        if action.0 == "elasticloadbalancing:DescribeLoadBalancers" {
            continue;
        }
        let read = inventory(&without(&all, &action, false));
        let gaps: BTreeSet<&str> = read
            .not_read
            .iter()
            .map(|gap| gap.action.as_str())
            .collect();
        let expected: BTreeSet<&str> = [action.0.as_str()]
            .into_iter()
            .filter(|action| !quiet.contains(action))
            .collect();
        assert_eq!(gaps, expected, "{action:?}");
        for (place, of) in places(&read) {
            assert_eq!(of, action.0, "{place}");
        }
    }
}

#[test]
fn gaps_say_what_they_are_about() {
    let all = answers("healthy");
    let subjects = |action: &str, classic| -> Vec<String> {
        let read = inventory(&without(&all, &(action.to_owned(), classic), true));
        let gaps = read.not_read.into_iter();
        gaps.map(|gap| gap.subject).collect()
    };
    assert_eq!(
        subjects("elasticloadbalancing:DescribeRules", false),
        ["listener HTTP:80", "listener HTTPS:443"]
    );
    assert_eq!(
        subjects("elasticloadbalancing:DescribeTargetHealth", false),
        [
            "target group web",
            "target group api",
            "target group edge-web"
        ]
    );
    assert_eq!(
        subjects("elasticloadbalancing:DescribeInstanceHealth", true),
        ["legacy"]
    );
    assert_eq!(subjects("ec2:DescribeSubnets", false), ["subnets"]);
}

#[test]
fn instances_that_were_not_described_have_the_addresses_of_their_interfaces() {
    let all = answers("healthy");
    let instances = ("ec2:DescribeInstances".to_owned(), false);
    let read = inventory(&without(&all, &instances, true));
    let addresses = |read: &Inventory| -> Vec<_> {
        let targets = group(read, "legacy").targets.read().unwrap().iter();
        targets
            .map(|target| (target.address, target.address_unknown.clone()))
            .collect()
    };
    let known = |last: u8| (Some([10, 0, last, 40].into()), None);
    assert_eq!(addresses(&read), [known(1), known(2)]);

    let interfaces = ("ec2:DescribeNetworkInterfaces".to_owned(), false);
    let neither = without(&without(&all, &instances, true), &interfaces, true);
    let why = format!("ec2:DescribeInstances: AccessDenied: {DENIED}");
    let unknown = (None, Some(why));
    assert_eq!(addresses(&inventory(&neither)), [unknown.clone(), unknown]);
}

/// Nobody asked for it by name, but it must be the one of this load balancer.
#[test]
fn a_refusal_that_names_nothing_counts_for_everything() {
    let mut all = answers("healthy");
    let action = "elasticloadbalancing:DescribeTargetHealth";
    all.all.retain(|answer| answer.action != action);
    all.all.push(Answer {
        action: action.into(),
        classic: false,
        resource: None,
        outcome: Err(denied()),
    });
    let read = inventory(&all);
    assert_eq!(read.not_read.len(), 3);
    assert!(
        read.not_read
            .iter()
            .all(|gap| gap.reason.contains("AccessDenied"))
    );
}

#[test]
fn an_answer_about_something_unknown_is_taken_for_nothing() {
    let mut all = answers("healthy");
    for answer in &mut all.all {
        if answer.action == "elasticloadbalancing:DescribeTargetHealth" {
            answer.resource = None;
        }
    }
    let read = inventory(&all);
    assert!(group(&read, "web").targets.read().is_none());
    assert_eq!(read.not_read.len(), 3);
}

#[test]
fn there_being_none_is_no_gap() {
    let mut all = answers("healthy");
    let target_groups = "elasticloadbalancing:DescribeTargetGroups";
    for answer in &mut all.all {
        let code = match answer.action.as_str() {
            action if action == target_groups => "TargetGroupNotFound",
            "wafv2:GetWebACLForResource" => "WAFNonexistentItemException",
            _ => continue,
        };
        answer.outcome = Err(Refusal {
            code: code.into(),
            message: String::new(),
        });
    }
    let read = inventory_of(&all, "shop");
    assert_eq!(read.target_groups, Section::Read(Vec::new()));
    assert_eq!(read.load_balancers[0].web_acl, Section::Read(None));
    assert_eq!(read.not_read, []);
}

#[test]
fn an_unknown_policy_name_leaves_the_others_known() {
    let mut all = answers("healthy");
    all.all.push(Answer {
        action: "elasticloadbalancing:DescribeSSLPolicies".into(),
        classic: false,
        resource: None,
        outcome: Err(Refusal {
            code: "SSLPolicyNotFound".into(),
            message: "SSL policy 'x' not found".into(),
        }),
    });
    let read = inventory(&all);
    assert_eq!(read.ssl_policies, Section::Read(Vec::new()));
    assert_eq!(read.not_read, []);
}

#[test]
fn nothing_at_all_is_read_as_nothing() {
    let read = inventory(&Answers::default());
    assert_eq!(read.load_balancers, []);
    assert_eq!(read.not_read, []);
}

/// What `--query 'Rules[].Priority'` leaves, and files that hold something else.
#[test]
fn what_is_no_answer_is_not_read_as_none() {
    let action = "elasticloadbalancing:DescribeRules";
    for body in [
        json!(["10", "default"]),
        json!({}),
        json!({"Rules": null}),
        json!({"Rules": "10"}),
        json!({"Listeners": []}),
    ] {
        let mut all = answers("healthy");
        for answer in &mut all.all {
            if answer.action == action {
                answer.outcome = Ok(body.clone());
            }
        }
        let read = inventory(&all);
        for listener in listeners(&read).iter().take(2) {
            assert!(listener.rules.read().is_none(), "{body}");
        }
        let reasons: BTreeSet<&str> = read
            .not_read
            .iter()
            .map(|gap| gap.reason.as_str())
            .collect();
        assert_eq!(
            reasons,
            BTreeSet::from(["the answer has no `Rules`"]),
            "{body}"
        );
    }
}

/// Each answer is known by the member that it must have: without it, it is told.
#[test]
fn every_answer_has_a_member_that_it_must_have() {
    for folder in ["healthy", "kinds", "network", "classic", "moto"] {
        for answer in answers(folder).all {
            assert_eq!(missing(&answer), None, "{folder}: {}", answer.action);
            let emptied = Answer {
                outcome: Ok(json!({})),
                ..answer
            };
            let may_be_empty = emptied.action == "wafv2:GetWebACLForResource";
            assert_eq!(
                missing(&emptied).is_none(),
                may_be_empty,
                "{}",
                emptied.action
            );
        }
    }
}

#[test]
fn where_nothing_has_security_groups_none_are_missing() {
    let gaps = |folder: &str| {
        let mut all = answers(folder);
        all.all
            .retain(|answer| answer.action != "ec2:DescribeSecurityGroups");
        inventory(&all).not_read.len()
    };
    assert_eq!(gaps("healthy"), 1);
    assert_eq!(gaps("network"), 0);
}
