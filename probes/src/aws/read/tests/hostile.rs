//! Whatever the JSON is, nothing panics, what is kept is bounded, and it survives being written.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const FOLDERS: [&str; 5] = ["healthy", "moto", "kinds", "network", "classic"];

/// Values of every type, as somebody may put them anywhere.
fn oddity() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!("")),
        Just(json!("default")),
        Just(json!(-1)),
        Just(json!(65_536)),
        Just(json!(1e308)),
        Just(json!(u64::MAX)),
        Just(json!(-9_999_999_999_999_i64)),
        Just(json!(true)),
        Just(json!([[[[[["deep"]]]]]])),
        Just(json!([{"Key": {}, "Value": []}])),
        Just(json!("9999-12-31T23:59:59-23:59")),
        Just(json!(
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
        )),
        "\\PC{0,12}".prop_map(Value::String),
        any::<f64>().prop_map(|number| json!(number)),
    ]
}

/// How many values there are in it, itself included.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(all) => all.iter().map(size).sum(),
        Value::Object(members) => members.values().map(size).sum(),
        _ => 0,
    }
}

/// The value at this place, in the order of reading.
fn nth<'v>(value: &'v mut Value, place: &mut usize) -> Option<&'v mut Value> {
    if *place == 0 {
        return Some(value);
    }
    *place -= 1;
    match value {
        Value::Array(all) => all.iter_mut().find_map(|one| nth(one, place)),
        Value::Object(members) => members.values_mut().find_map(|one| nth(one, place)),
        _ => None,
    }
}

/// Reads it, writes it, reads that: the same.
fn survives(answers: &Answers) {
    let read = inventory(answers);
    let text = serde_json::to_string(&read).unwrap();
    let again: Inventory = serde_json::from_str(&text).unwrap();
    assert_eq!(read, again);
    let one = inventory_of(answers, "shop");
    assert!(one.load_balancers.len() <= read.load_balancers.len());
    for balancer in &read.load_balancers {
        let _ = crate::aws::policy::backend_policy(balancer);
        assert!(
            read.node_interfaces(balancer).count() <= read.interfaces.read().map_or(0, Vec::len)
        );
        for listener in balancer.listeners.read().into_iter().flatten() {
            let _ = (read.policy_of(listener), read.server_names(listener));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_value_may_be_replaced_by_any_other(
        folder in 0..FOLDERS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), oddity()), 1..6),
    ) {
        let mut all = answers(FOLDERS[folder]);
        for (which, place, new) in changes {
            let which = which.index(all.all.len());
            let Ok(body) = &mut all.all[which].outcome else { continue };
            let mut place = place.index(size(body));
            if let Some(value) = nth(body, &mut place) {
                *value = new;
            }
        }
        survives(&all);
    }

    #[test]
    fn any_json_may_be_an_answer(
        bodies in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), oddity()), 1..8),
    ) {
        let wrap = |(command, classic, body): (prop::sample::Index, bool, Value)| Answer {
            action: COMMANDS[command.index(COMMANDS.len())].1.into(),
            classic,
            resource: None,
            outcome: Ok(json!({"LoadBalancers": body, "LoadBalancerDescriptions": body, "Certificate": body})),
        };
        survives(&Answers { all: bodies.into_iter().map(wrap).collect() });
    }
}

fn answer(action: &str, resource: Option<&str>, body: Value) -> Answer {
    Answer {
        action: action.into(),
        classic: false,
        resource: resource.map(Into::into),
        outcome: Ok(body),
    }
}

#[test]
fn what_is_kept_is_bounded() {
    let arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/a/b";
    let long = "é".repeat(100_000);
    let balancers = json!({"LoadBalancers": [
        {"LoadBalancerArn": arn, "LoadBalancerName": "a", "SecurityGroups": vec![long; 3]},
    ]});
    let many: Vec<Value> = (0..30_000)
        .map(|number| json!({"ListenerArn": format!("l{number}"), "LoadBalancerArn": arn}))
        .collect();
    let all = vec![
        answer(
            "elasticloadbalancing:DescribeLoadBalancers",
            None,
            balancers,
        ),
        answer(
            "elasticloadbalancing:DescribeListeners",
            Some(arn),
            json!({"Listeners": many}),
        ),
    ];
    let read = inventory(&Answers { all });
    assert_eq!(listeners(&read).len(), json::MOST);
    let groups = &read.load_balancers[0].security_groups;
    assert!(groups.iter().all(|group| group.len() <= 4096));
}

/// As deep as serde_json reads.
#[test]
fn depth_is_no_matter() {
    let mut deep = json!("bottom");
    for _ in 0..120 {
        deep = json!({"LoadBalancers": [deep], "State": {}, "Certificates": []});
    }
    survives(&Answers {
        all: vec![answer(
            "elasticloadbalancing:DescribeLoadBalancers",
            None,
            deep,
        )],
    });
}
