//! Collecting from AWS: against answers replayed as they are on the wire, and against moto.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gladhand_probes::aws::answers::{Answer, Answers, LoadError, Refusal};
use gladhand_probes::aws::collect::{CollectError, Keys, Progress, Request, collect};
use gladhand_probes::aws::iam::{Wanted, policy};
use gladhand_probes::aws::operations::OPERATIONS;
use gladhand_probes::aws::subject::{Subject, SubjectError};
use gladhand_testkit::aws::{FakeAws, Reply, moto};
use serde_json::{Value, json};
use time::macros::datetime;

const ALB: &str =
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188";
const NLB: &str =
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/mail/0123456789abcdef";
const CLB: &str = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/old";
const WORLDS: [(&str, &str); 3] = [("alb", ALB), ("nlb", NLB), ("classic", CLB)];

fn world(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/aws-wire")
        .join(name)
}

fn request(what: &str, endpoint: &str) -> Request {
    Request {
        endpoint_url: Some(endpoint.into()),
        keys: Some(Keys {
            access_key_id: "AKIAEXAMPLE".into(),
            secret_access_key: "secret".into(),
            session_token: None,
        }),
        ..Request::new(what, datetime!(2026-11-20 17:42:10 UTC))
    }
}

fn run(request: &Request) -> Result<Answers, CollectError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(collect(request, &|_| ()))
}

fn refusals(answers: &Answers) -> Vec<(&str, Option<&str>, &Refusal)> {
    answers
        .all
        .iter()
        .filter_map(|answer| {
            let refusal = answer.outcome.as_ref().err()?;
            Some((answer.action.as_str(), answer.resource.as_deref(), refusal))
        })
        .collect()
}

/// Every file of a folder, by name.
fn files(folder: &Path) -> BTreeMap<String, Value> {
    let entries = folder.read_dir().unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let text = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, serde_json::from_slice(&text).unwrap())
    });
    entries.collect()
}

#[test]
fn answers_are_saved_as_the_aws_cli_prints_them() {
    for (name, arn) in WORLDS {
        let aws = FakeAws::replay(&world(name));
        let answers = run(&request(arn, &aws.url())).unwrap();
        assert_eq!(refusals(&answers), [], "{name}");
        let folder = tempfile::tempdir().unwrap();
        answers.save(folder.path()).unwrap();
        let (ours, theirs) = (files(folder.path()), files(&world(name).join("cli")));
        let names = |files: &BTreeMap<String, Value>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&ours), names(&theirs), "{name}");
        for (file, expected) in theirs {
            assert_eq!(ours[&file], expected, "{name}/{file}");
        }
    }
}

#[test]
fn what_was_saved_is_loaded_as_it_was() {
    for (name, arn) in WORLDS {
        let aws = FakeAws::replay(&world(name));
        aws.refuse("ec2.DescribeSubnets", "UnauthorizedOperation");
        aws.refuse("acm.DescribeCertificate", "AccessDeniedException");
        let answers = run(&request(arn, &aws.url())).unwrap();
        assert!(refusals(&answers).len() >= 2);
        let folder = tempfile::tempdir().unwrap();
        answers.save(folder.path()).unwrap();
        for what in [None, Some(arn)] {
            assert_eq!(
                Answers::load(folder.path(), what).unwrap(),
                answers,
                "{name}"
            );
        }
    }
}

#[test]
fn each_refused_action_costs_its_own_answer_only() {
    for (name, arn) in WORLDS {
        let aws = FakeAws::replay(&world(name));
        let whole = run(&request(arn, &aws.url())).unwrap();
        let asked: BTreeSet<(String, String)> = aws
            .asked()
            .into_iter()
            .map(|call| (call.operation, call.action))
            .collect();
        for (operation, action) in asked {
            let finds = operation.ends_with(".DescribeLoadBalancers");
            aws.refuse(&operation, "AccessDenied");
            let outcome = run(&request(arn, &aws.url()));
            aws.throttle(&operation, 0);
            if finds {
                let Err(CollectError::Refused {
                    action: said, code, ..
                }) = outcome
                else {
                    panic!("{outcome:?}");
                };
                assert_eq!((said, code.as_str()), (action, "AccessDenied"));
                continue;
            }
            let answers = outcome.unwrap();
            let refused = refusals(&answers);
            assert!(!refused.is_empty(), "{operation}");
            for (said, resource, refusal) in refused {
                assert_eq!(said, action);
                assert_eq!(refusal.code, "AccessDenied");
                assert!(
                    refusal.message.contains("is not") || refusal.message.contains("user/audit")
                );
                assert!(
                    resource.is_some() || operation == "sts.GetCallerIdentity",
                    "{operation}"
                );
            }
            // What does not follow from it is there as before.
            let of = |answers: &Answers, wanted: &str| {
                answers.to(wanted, false).cloned().collect::<Vec<_>>()
            };
            for other in [
                "cloudwatch:GetMetricData",
                "sts:GetCallerIdentity",
                "elasticloadbalancing:DescribeLoadBalancers",
            ] {
                if other != action {
                    assert_eq!(of(&answers, other), of(&whole, other), "{operation}");
                }
            }
        }
    }
}

#[test]
fn the_policy_allows_what_is_asked_and_no_more() {
    let mut seen = BTreeSet::new();
    for (name, arn) in WORLDS {
        let aws = FakeAws::replay(&world(name));
        run(&request(arn, &aws.url())).unwrap();
        let subject = Subject::parse(arn).unwrap();
        let policy = policy(&Wanted::of(Some(&subject), true));
        let allowed: BTreeSet<String> = policy["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|statement| statement["Action"].as_array().unwrap())
            .map(|action| action.as_str().unwrap().to_owned())
            .collect();
        let asked: BTreeSet<String> = aws.asked().into_iter().map(|call| call.action).collect();
        for action in &asked {
            assert!(
                allowed.contains(action) || action == "sts:GetCallerIdentity",
                "{action}"
            );
        }
        seen.extend(asked);
    }
    // Nothing stands in the table that no load balancer is asked for.
    let all: BTreeSet<String> = OPERATIONS
        .iter()
        .map(|operation| operation.action())
        .collect();
    assert_eq!(all, seen);
}

#[test]
fn without_probing_no_certificate_is_fetched() {
    let aws = FakeAws::replay(&world("alb"));
    let mut request = request(ALB, &aws.url());
    request.probe = false;
    let answers = run(&request).unwrap();
    assert!(
        aws.asked()
            .iter()
            .all(|call| call.action != "acm:GetCertificate")
    );
    // And the folder does not lack it.
    let folder = tempfile::tempdir().unwrap();
    answers.save(folder.path()).unwrap();
    assert_eq!(Answers::load(folder.path(), None).unwrap(), answers);
}

#[test]
fn calls_are_signed_for_the_region_of_the_arn() {
    let aws = FakeAws::replay(&world("alb"));
    let mut request = request(ALB, &aws.url());
    request.region = Some("us-west-2".into());
    run(&request).unwrap();
    for call in aws.asked() {
        let expected = if call.operation == "iam.GetServerCertificate" {
            "us-east-1"
        } else {
            "eu-central-1"
        };
        assert_eq!(
            (call.region.as_str(), call.access_key.as_str()),
            (expected, "AKIAEXAMPLE")
        );
    }
}

#[test]
fn every_way_to_name_it_leads_to_it() {
    let aws = FakeAws::replay(&world("alb"));
    let listener = format!(
        "{}/f2f7dc8efc522ab2",
        ALB.replace(":loadbalancer/", ":listener/")
    );
    let group =
        "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/api/73e2d6bc24d8a067";
    aws.reply(
        "elbv2.DescribeTargetGroups",
        Reply::Made(Arc::new({
            let folder = world("alb");
            move |call| {
                let by = if call.params.contains_key("LoadBalancerArn")
                    || call.params.values().any(|value| value.contains("/api/"))
                {
                    "50dc6c495c0c9188"
                } else {
                    "2453ed029918f21f"
                };
                fs::read_to_string(folder.join(format!("elbv2.DescribeTargetGroups@{by}.wire")))
                    .unwrap()
            }
        })),
    );
    let expected = run(&request(ALB, &aws.url())).unwrap();
    for what in [
        "shop",
        "shop-1234567890.eu-central-1.elb.amazonaws.com",
        "dualstack.SHOP-1234567890.eu-central-1.elb.amazonaws.com.",
        &listener,
        group,
    ] {
        let mut request = request(what, &aws.url());
        request.region = Some("eu-central-1".into());
        assert_eq!(run(&request).unwrap(), expected, "{what}");
    }
}

#[test]
fn a_classic_one_is_found_by_name_and_dns_name() {
    let aws = FakeAws::replay(&world("classic"));
    let expected = run(&request(CLB, &aws.url())).unwrap();
    for what in ["old", "old-987654321.eu-central-1.elb.amazonaws.com"] {
        let mut request = request(what, &aws.url());
        request.region = Some("eu-central-1".into());
        assert_eq!(run(&request).unwrap(), expected, "{what}");
    }
    // The recorded one is not called so: it is another load balancer.
    let what = "internal-old-987654321.eu-central-1.elb.amazonaws.com";
    let error = run(&request(what, &aws.url())).unwrap_err();
    assert!(
        matches!(error, CollectError::Subject(SubjectError::NotFound { .. })),
        "{error}"
    );
}

#[test]
fn what_does_not_exist_is_told_with_names_that_come_near() {
    let aws = FakeAws::replay(&world("alb"));
    let mut request = request("shopp", &aws.url());
    request.region = Some("eu-central-1".into());
    let error = run(&request).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no load balancer \"shopp\" in eu-central-1; did you mean shop?"
    );
    request.what = ALB.replace("shop", "gone");
    let error = run(&request).unwrap_err();
    assert!(
        matches!(error, CollectError::Subject(SubjectError::NotFound { .. })),
        "{error}"
    );
}

#[test]
fn errors_of_the_credentials_are_told_apart() {
    for (code, expected) in [
        ("ExpiredToken", "expired"),
        ("InvalidClientTokenId", "does not accept the credentials"),
        (
            "AccessDenied",
            "elasticloadbalancing:DescribeLoadBalancers was refused",
        ),
    ] {
        let aws = FakeAws::replay(&world("alb"));
        aws.refuse("elbv2.DescribeLoadBalancers", code);
        let error = run(&request(ALB, &aws.url())).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn an_endpoint_where_nothing_listens_is_named() {
    let port = gladhand_testkit::net::free_port();
    let url = format!("http://127.0.0.1:{port}");
    let error = run(&request(ALB, &url)).unwrap_err();
    let CollectError::Unreachable { endpoint, message } = error else {
        panic!("{error}");
    };
    assert_eq!(endpoint, url);
    assert!(message.contains("refused"), "{message}");
}

#[test]
fn fifty_pages_are_one_answer() {
    const PAGES: usize = 50;
    let aws = FakeAws::replay(&world("alb"));
    aws.reply(
        "elbv2.DescribeRules",
        Reply::Made(Arc::new(|call| {
            let page: usize = call.params.get("Marker").map_or(0, |marker| marker.parse().unwrap());
            let listener = &call.params["ListenerArn"].replace(":listener/", ":listener-rule/");
            let mut rules = String::new();
            for rule in 0..10 {
                let number = page * 10 + rule;
                let _ = write!(
                    rules,
                    "<member><RuleArn>{listener}/{number:016x}</RuleArn><Priority>{number}</Priority></member>"
                );
            }
            let next = if page + 1 < PAGES {
                format!("<NextMarker>{}</NextMarker>", page + 1)
            } else {
                String::new()
            };
            format!("<DescribeRulesResponse><DescribeRulesResult><Rules>{rules}</Rules>{next}</DescribeRulesResult></DescribeRulesResponse>")
        })),
    );
    let answers = run(&request(ALB, &aws.url())).unwrap();
    let all: Vec<&Answer> = answers
        .to("elasticloadbalancing:DescribeRules", false)
        .collect();
    assert_eq!(all.len(), 2);
    for answer in all {
        let value = answer.outcome.as_ref().unwrap();
        let rules = value["Rules"].as_array().unwrap();
        assert_eq!(rules.len(), PAGES * 10);
        assert_eq!(rules[499]["Priority"], "499");
        assert_eq!(value.get("NextMarker"), None);
    }
}

#[test]
fn pages_that_go_round_in_a_circle_are_no_answer() {
    let aws = FakeAws::replay(&world("alb"));
    let body = "<DescribeRulesResponse><DescribeRulesResult><Rules/><NextMarker>x</NextMarker></DescribeRulesResult></DescribeRulesResponse>";
    aws.reply("elbv2.DescribeRules", Reply::Body(200, body.into()));
    let answers = run(&request(ALB, &aws.url())).unwrap();
    let refused = refusals(&answers);
    assert_eq!(refused.len(), 2);
    assert!(
        refused[0].2.message.contains("leads to itself"),
        "{refused:?}"
    );
}

#[test]
fn a_page_that_fails_makes_no_short_list() {
    let aws = FakeAws::replay(&world("alb"));
    let first = AtomicUsize::new(0);
    aws.reply(
        "elbv2.DescribeListeners",
        Reply::Made(Arc::new(move |_| {
            if first.fetch_add(1, Ordering::SeqCst) > 0 {
                return "<html>".into();
            }
            "<DescribeListenersResponse><DescribeListenersResult><Listeners/><NextMarker>2</NextMarker></DescribeListenersResult></DescribeListenersResponse>".into()
        })),
    );
    let answers = run(&request(ALB, &aws.url())).unwrap();
    let mut listeners = answers.to("elasticloadbalancing:DescribeListeners", false);
    assert!(listeners.next().unwrap().outcome.is_err());
}

#[test]
fn what_is_throttled_is_asked_again() {
    let aws = FakeAws::replay(&world("nlb"));
    for operation in [
        "elbv2.DescribeListeners",
        "acm.DescribeCertificate",
        "ec2.DescribeSubnets",
    ] {
        aws.throttle(operation, 2);
    }
    aws.reply(
        "cloudwatch.GetMetricData",
        Reply::First(Arc::new(AtomicUsize::new(1)), 503, "ServiceUnavailable"),
    );
    let answers = run(&request(NLB, &aws.url())).unwrap();
    assert_eq!(refusals(&answers), []);
}

#[test]
fn what_stays_throttled_is_a_refusal() {
    let aws = FakeAws::replay(&world("nlb"));
    aws.throttle("elbv2.DescribeTags", 1_000);
    let answers = run(&request(NLB, &aws.url())).unwrap();
    let refused = refusals(&answers);
    assert!(refused.iter().all(|(action, _, refusal)| {
        *action == "elasticloadbalancing:DescribeTags" && refusal.code == "Throttling"
    }));
    assert!(!refused.is_empty());
}

#[test]
fn garbage_and_bodies_without_end_cost_one_answer_each() {
    let aws = FakeAws::replay(&world("alb"));
    aws.reply(
        "elbv2.DescribeTargetHealth",
        Reply::Body(200, "<html>hello".into()),
    );
    aws.reply(
        "acm.DescribeCertificate",
        Reply::Body(200, "\u{1b}[31m{".into()),
    );
    aws.reply(
        "elbv2.DescribeListenerAttributes",
        Reply::Body(200, "<a>".repeat(100_000)),
    );
    aws.reply("wafv2.GetWebACLForResource", Reply::Endless);
    aws.reply("ec2.DescribeSubnets", Reply::Body(404, "gone".into()));
    let answers = run(&request(ALB, &aws.url())).unwrap();
    let refused = refusals(&answers);
    assert_eq!(refused.len(), 3 + 2 + 2 + 1 + 1, "{refused:?}");
    for (action, _, refusal) in &refused {
        assert_eq!(refusal.code, "", "{action}");
    }
    let of = |action: &str| {
        &refused
            .iter()
            .find(|(said, ..)| *said == action)
            .unwrap()
            .2
            .message
    };
    assert!(of("wafv2:GetWebACLForResource").contains("32 MiB"));
    assert!(of("ec2:DescribeSubnets").contains("404"));
}

#[test]
fn an_unknown_policy_is_looked_for_among_all() {
    let aws = FakeAws::replay(&world("nlb"));
    let answers = run(&request(NLB, &aws.url())).unwrap();
    let mut policies = answers.to("elasticloadbalancing:DescribeSSLPolicies", false);
    let value = policies.next().unwrap().outcome.as_ref().unwrap();
    assert_eq!(value["SslPolicies"].as_array().unwrap().len(), 2);
    let asked = aws.asked();
    let asked: Vec<_> = asked
        .iter()
        .filter(|call| call.operation == "elbv2.DescribeSSLPolicies")
        .map(|call| call.params.len())
        .collect();
    assert_eq!(asked, [1, 0]);
}

#[test]
fn no_target_group_and_no_web_acl_are_answers() {
    let aws = FakeAws::replay(&world("alb"));
    aws.refuse("elbv2.DescribeTargetGroups", "TargetGroupNotFound");
    aws.refuse("wafv2.GetWebACLForResource", "WAFNonexistentItemException");
    let answers = run(&request(ALB, &aws.url())).unwrap();
    assert_eq!(refusals(&answers), []);
    let mut groups = answers.to("elasticloadbalancing:DescribeTargetGroups", false);
    let expected = json!({"TargetGroups": []});
    assert_eq!(groups.next().unwrap().outcome, Ok(expected));
}

#[test]
fn a_large_one_takes_few_calls_and_little_time() {
    const GROUPS: usize = 10;
    let aws = FakeAws::replay(&world("alb"));
    let group = |number: usize| {
        format!(
            "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/g{number}/{number:016x}"
        )
    };
    let mut groups = String::new();
    for number in 0..GROUPS {
        let _ = write!(
            groups,
            "<member><TargetGroupArn>{}</TargetGroupArn></member>",
            group(number)
        );
    }
    let groups = format!(
        "<DescribeTargetGroupsResponse><DescribeTargetGroupsResult><TargetGroups>{groups}</TargetGroups></DescribeTargetGroupsResult></DescribeTargetGroupsResponse>"
    );
    aws.reply("elbv2.DescribeTargetGroups", Reply::Body(200, groups));
    let listeners: String = (0..5)
        .map(|number| format!("<member><ListenerArn>{}/{number:016x}</ListenerArn><Protocol>HTTPS</Protocol></member>", ALB.replace(":loadbalancer/", ":listener/")))
        .collect();
    let listeners = format!(
        "<DescribeListenersResponse><DescribeListenersResult><Listeners>{listeners}</Listeners></DescribeListenersResult></DescribeListenersResponse>"
    );
    aws.reply("elbv2.DescribeListeners", Reply::Body(200, listeners));
    for operation in [
        "elbv2.DescribeRules",
        "elbv2.DescribeListenerAttributes",
        "elbv2.DescribeListenerCertificates",
        "elbv2.DescribeTargetGroupAttributes",
        "elbv2.DescribeTags",
    ] {
        let name = operation.split('.').nth(1).unwrap();
        aws.reply(
            operation,
            Reply::Body(
                200,
                format!("<{name}Response><{name}Result/></{name}Response>"),
            ),
        );
    }
    aws.reply(
        "elbv2.DescribeTargetHealth",
        Reply::Made(Arc::new(|call| {
            let group = &call.params["TargetGroupArn"];
            let targets: String = (0..10)
                .map(|number| format!("<member><Target><Id>i-{}{number}</Id><Port>443</Port></Target></member>", &group[group.len() - 4..]))
                .collect();
            format!("<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions>{targets}</TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>")
        })),
    );
    aws.delay(Duration::from_millis(50));
    let begin = Instant::now();
    let seen = AtomicUsize::new(0);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let request = request(ALB, &aws.url());
    let progress = |progress: Progress| {
        assert!(progress.done <= progress.known);
        seen.store(progress.done, Ordering::SeqCst);
    };
    let answers = runtime.block_on(collect(&request, &progress)).unwrap();
    let calls = aws.asked();
    let count = |operation: &str| {
        calls
            .iter()
            .filter(|call| call.operation == operation)
            .count()
    };
    assert_eq!(count("elbv2.DescribeTargetHealth"), GROUPS);
    assert_eq!(
        count("ec2.DescribeInstances"),
        1,
        "100 instances in one call"
    );
    assert_eq!(count("elbv2.DescribeTags"), 2);
    assert!(calls.len() < 70, "{} calls", calls.len());
    assert_eq!(
        seen.load(Ordering::SeqCst) + 1,
        calls.len(),
        "all but the finding"
    );
    assert!(
        (4..=8).contains(&aws.most_at_once()),
        "{} at once",
        aws.most_at_once()
    );
    // One after the other they would take three seconds; the limit is generous.
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(refusals(&answers), []);
}

#[test]
fn a_folder_made_by_hand_is_understood() {
    let cli = files(&world("alb").join("cli"));
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, of: &str| {
        fs::write(folder.path().join(name), cli[of].to_string()).unwrap();
    };
    let listener = "listener_app_shop_50dc6c495c0c9188";
    put("lb.json", "describe-load-balancers.json");
    put("my-listeners.json", "describe-listeners.json");
    put("target-groups.json", "describe-target-groups.json");
    put(
        "aws-elbv2-describe-target-health-web.json",
        "describe-target-health@targetgroup_web_6d0ecf831eec9f09.json",
    );
    put(
        "health_api.json",
        "describe-target-health@targetgroup_api_73e2d6bc24d8a067.json",
    );
    put(
        "rules1.json",
        &format!("describe-rules@{listener}_f2f7dc8efc522ab2.json"),
    );
    put(
        "attributes-of-the-load-balancer.json",
        "describe-load-balancer-attributes.json",
    );
    put(
        "describe-listener-certificates@f2f7dc8efc522ab2.json",
        &format!("describe-listener-certificates@{listener}_f2f7dc8efc522ab2.json"),
    );
    put(
        "cert.json",
        "describe-certificate@certificate_3f2c1a52-0000-4000-8000-00000000aaaa.json",
    );
    fs::write(folder.path().join("notes.txt"), "not read").unwrap();
    let answers = Answers::load(folder.path(), Some("shop")).unwrap();
    let resources = |action: &str| -> Vec<String> {
        answers
            .to(action, false)
            .filter(|answer| answer.outcome.is_ok())
            .filter_map(|answer| answer.resource.clone())
            .map(|resource| resource.rsplit([':', '/']).next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        resources("elasticloadbalancing:DescribeTargetHealth"),
        ["73e2d6bc24d8a067", "6d0ecf831eec9f09"]
    );
    assert_eq!(
        resources("elasticloadbalancing:DescribeRules"),
        ["f2f7dc8efc522ab2"]
    );
    assert_eq!(
        resources("elasticloadbalancing:DescribeListenerCertificates"),
        ["f2f7dc8efc522ab2"]
    );
    assert_eq!(
        resources("elasticloadbalancing:DescribeLoadBalancerAttributes"),
        ["50dc6c495c0c9188"]
    );
    // What it lacks is not taken for nothing.
    let lacking = refusals(&answers);
    let lacks = |action: &str| lacking.iter().filter(|(said, ..)| *said == action).count();
    assert_eq!(
        lacks("elasticloadbalancing:DescribeTargetHealth"),
        1,
        "of the shared group"
    );
    assert_eq!(lacks("elasticloadbalancing:DescribeRules"), 1);
    assert_eq!(lacks("ec2:DescribeSecurityGroups"), 1);
    assert_eq!(lacks("acm:GetCertificate"), 0, "is for probing");
    assert!(
        lacking
            .iter()
            .all(|(_, _, refusal)| refusal.message.starts_with("not in the folder: aws "))
    );
}

#[test]
fn a_file_that_could_be_about_several_says_how_to_name_it() {
    let cli = files(&world("alb").join("cli"));
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "describe-load-balancers.json",
        "describe-target-groups.json",
    ] {
        fs::write(folder.path().join(name), cli[name].to_string()).unwrap();
    }
    let health = &cli["describe-target-health@targetgroup_web_6d0ecf831eec9f09.json"];
    let path = folder.path().join("describe-target-health.json");
    fs::write(&path, health.to_string()).unwrap();
    let error = Answers::load(folder.path(), None).unwrap_err();
    let LoadError::File {
        path: said,
        problem,
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(*said, path);
    assert!(problem.contains("describe-target-health@"), "{problem}");
    assert!(
        problem.contains("targetgroup_web_6d0ecf831eec9f09"),
        "{problem}"
    );
}

#[test]
fn of_a_whole_account_the_one_that_is_named_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (alb, nlb) = (
        files(&world("alb").join("cli")),
        files(&world("nlb").join("cli")),
    );
    let (mut all, other) = (alb.clone(), &nlb["describe-load-balancers.json"]);
    let balancers = all.get_mut("describe-load-balancers.json").unwrap();
    let balancers = balancers["LoadBalancers"].as_array_mut().unwrap();
    balancers.extend(other["LoadBalancers"].as_array().unwrap().clone());
    // Of one load balancer, so their names do not say which.
    for name in [
        "describe-load-balancer-attributes",
        "get-metric-data",
        "get-web-acl-for-resource",
    ] {
        let value = all.remove(&format!("{name}.json")).unwrap();
        all.insert(format!("{name}@shop.json"), value);
    }
    let groups = all.get_mut("describe-target-groups.json").unwrap();
    let more = nlb["describe-target-groups.json"]["TargetGroups"]
        .as_array()
        .unwrap();
    groups["TargetGroups"]
        .as_array_mut()
        .unwrap()
        .extend(more.clone());
    for (name, value) in &all {
        fs::write(folder.path().join(name), value.to_string()).unwrap();
    }
    let error = Answers::load(folder.path(), None).unwrap_err().to_string();
    assert!(
        error.contains("2 load balancers") && error.contains("shop, mail"),
        "{error}"
    );
    let chosen = Answers::load(folder.path(), Some("shop")).unwrap();
    let alone = Answers::load(&world("alb").join("cli"), None).unwrap();
    assert_eq!(chosen, alone);
}

#[test]
fn broken_folders_are_errors_with_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let said = || Answers::load(folder.path(), None).unwrap_err().to_string();
    assert!(said().contains("no .json files"));
    for (name, content, expected) in [
        ("describe-listeners.json", "{", "not JSON"),
        ("describe-listeners.json", "[]", "no JSON object"),
        (
            "describe-listeners.json",
            "{\"Rules\": []}",
            "has no \"Listeners\"",
        ),
        ("x.json", "{\"Foo\": 1}", "not known as an answer"),
        ("not-read.json", "{\"NotRead\": 1}", "not-read.json"),
        (
            "describe-tags.json",
            "{\"TagDescriptions\": []}",
            "aws elbv2 describe-load-balancers",
        ),
        (
            "describe-rules.json",
            "{\"Rules\": []}",
            "nothing in the folder says",
        ),
    ] {
        fs::write(at(name), content).unwrap();
        let error = said();
        assert!(error.contains(expected), "{name}: {error}");
        fs::remove_file(at(name)).unwrap();
    }
    fs::write(at("deep.json"), "[".repeat(200_000)).unwrap();
    assert!(said().contains("deep.json"));
    let missing = Answers::load(&at("nowhere"), None).unwrap_err();
    assert!(matches!(missing, LoadError::Io { .. }), "{missing}");
}

#[test]
fn two_runs_are_not_saved_into_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    Answers::default().save(folder.path()).unwrap();
    let error = Answers::default().save(folder.path()).unwrap_err();
    assert!(error.to_string().contains("empty folder"), "{error}");
}

#[test]
fn moto_answers_everything_that_it_knows() {
    let Some(moto) = moto() else { return };
    let arn = moto.seed(SEED);
    let arn = arn.trim();
    let answers = run(&request(arn, &moto.url())).unwrap();
    // moto knows no metrics of load balancers and answers with none; nothing is refused.
    assert_eq!(refusals(&answers), []);
    let count = |action: &str, list: &str| -> usize {
        answers
            .to(action, false)
            .map(|answer| {
                answer.outcome.as_ref().unwrap()[list]
                    .as_array()
                    .unwrap()
                    .len()
            })
            .sum()
    };
    assert_eq!(
        count("elasticloadbalancing:DescribeListeners", "Listeners"),
        2
    );
    assert_eq!(
        count("elasticloadbalancing:DescribeTargetGroups", "TargetGroups"),
        2
    );
    assert_eq!(
        count(
            "elasticloadbalancing:DescribeTargetHealth",
            "TargetHealthDescriptions"
        ),
        2
    );
    assert_eq!(count("ec2:DescribeInstances", "Reservations"), 1);
    assert_eq!(count("ec2:DescribeSubnets", "Subnets"), 2);
    assert!(count("ec2:DescribeSecurityGroups", "SecurityGroups") >= 2);
    assert_eq!(answers.to("acm:DescribeCertificate", false).count(), 1);
    let folder = tempfile::tempdir().unwrap();
    answers.save(folder.path()).unwrap();
    assert_eq!(Answers::load(folder.path(), None).unwrap(), answers);

    let mut by_name = request("shop", &moto.url());
    by_name.region = Some("eu-central-1".into());
    assert_eq!(run(&by_name).unwrap(), answers);
    by_name.what = "classic".into();
    let classic = run(&by_name).unwrap();
    let refused = refusals(&classic);
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn a_role_is_assumed_first() {
    let Some(moto) = moto() else { return };
    let arn = moto.seed(SEED);
    let mut request = request(arn.trim(), &moto.url());
    request.assume_role = Some("arn:aws:iam::123456789012:role/audit".into());
    let answers = run(&request).unwrap();
    let mut caller = answers.to("sts:GetCallerIdentity", false);
    let caller = caller.next().unwrap().outcome.as_ref().unwrap();
    let caller = caller["Arn"].as_str().unwrap();
    assert!(caller.ends_with(":assumed-role/audit/gladhand"), "{caller}");
}

/// What a collection with this environment, and nothing else of ours, comes to.
fn run_with(environment: &[(&str, &str)], what: &str, profile: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "aws_collect::in_a_process_of_its_own",
            "--nocapture",
        ])
        .env_clear()
        .env("HOME", home.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("GLADHAND_TEST_WHAT", what)
        .env("GLADHAND_TEST_PROFILE", profile)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said = text.lines().find_map(|line| line.split_once("CAME TO: "));
    said.map_or_else(|| panic!("{text}"), |(_, said)| said.to_owned())
}

/// Not a test by itself: what [`run_with`] runs, since a process has one environment.
#[test]
#[allow(clippy::print_stdout)]
fn in_a_process_of_its_own() {
    let Ok(what) = std::env::var("GLADHAND_TEST_WHAT") else {
        return;
    };
    let profile = std::env::var("GLADHAND_TEST_PROFILE").ok();
    let request = Request {
        profile: profile.filter(|profile| !profile.is_empty()),
        ..Request::new(what, datetime!(2026-11-20 17:42:10 UTC))
    };
    match run(&request) {
        Ok(answers) => println!("CAME TO: {} refused", refusals(&answers).len()),
        Err(error) => println!("CAME TO: {error}"),
    }
}

const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
];

#[test]
fn without_credentials_it_is_said_how_to_get_some() {
    let said = run_with(&[], ALB, "");
    assert!(
        said.starts_with("no AWS credentials: run `aws sso login`"),
        "{said}"
    );
    let said = run_with(&[], ALB, "prod");
    assert!(said.contains("profile \"prod\""), "{said}");
}

#[test]
fn a_name_alone_has_no_region() {
    let said = run_with(&KEYS, "shop", "");
    assert!(
        said.starts_with("no region: give the load balancer's ARN"),
        "{said}"
    );
}

#[test]
fn a_profile_has_credentials_region_and_endpoint() {
    let aws = FakeAws::replay(&world("alb"));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let url = aws.url();
    let text = format!(
        "[profile audit]\nregion = eu-central-1\nendpoint_url = {url}\n\
         aws_access_key_id = AKIAPROFILE\naws_secret_access_key = secret\n"
    );
    fs::write(&config, text).unwrap();
    let environment = [("AWS_CONFIG_FILE", config.to_str().unwrap())];
    assert_eq!(run_with(&environment, "shop", "audit"), "0 refused");
    assert!(
        aws.asked()
            .iter()
            .all(|call| call.access_key == "AKIAPROFILE")
    );
}

#[test]
fn a_service_can_have_an_endpoint_of_its_own() {
    let aws = FakeAws::replay(&world("alb"));
    aws.refuse("elbv2.DescribeLoadBalancers", "ExpiredToken");
    let url = aws.url();
    let [key, secret] = KEYS;
    let own = ("AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", url.as_str());
    let said = run_with(&[key, secret, own], ALB, "");
    assert!(said.contains("have expired (ExpiredToken)"), "{said}");
}

/// An Application Load Balancer with instances and addresses behind it, and a Classic one.
const SEED: &str = r#"
ec2, elb, acm = client("ec2"), client("elbv2"), client("acm")
vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone="eu-central-1" + z)
           ["Subnet"]["SubnetId"] for n, z in ((1, "a"), (2, "b"))]
front = ec2.create_security_group(GroupName="front", Description="x", VpcId=vpc)["GroupId"]
back = ec2.create_security_group(GroupName="back", Description="x", VpcId=vpc)["GroupId"]
prefixes = ec2.create_managed_prefix_list(PrefixListName="p", MaxEntries=2, AddressFamily="IPv4",
    Entries=[{"Cidr": "192.0.2.0/24"}])["PrefixList"]["PrefixListId"]
ec2.authorize_security_group_ingress(GroupId=front, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443,
    "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "PrefixListIds": [{"PrefixListId": prefixes}]}])
ec2.authorize_security_group_ingress(GroupId=back, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 8443,
    "ToPort": 8443, "UserIdGroupPairs": [{"GroupId": front}]}])
image = ec2.describe_images()["Images"][0]["ImageId"]
instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnets[0],
    SecurityGroupIds=[back])["Instances"][0]["InstanceId"]
cert = acm.request_certificate(DomainName="shop.example.com")["CertificateArn"]
lb = elb.create_load_balancer(Name="shop", Subnets=subnets, SecurityGroups=[front],
    Tags=[{"Key": "team", "Value": "shop"}])["LoadBalancers"][0]["LoadBalancerArn"]
groups = []
for name, kind, target in (("web", "instance", {"Id": instance}), ("api", "ip", {"Id": "10.0.1.25", "Port": 8443})):
    group = elb.create_target_group(Name=name, Protocol="HTTPS", Port=8443, VpcId=vpc,
        TargetType=kind)["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=group, Targets=[target])
    groups.append(group)
https = elb.create_listener(LoadBalancerArn=lb, Protocol="HTTPS", Port=443, SslPolicy="ELBSecurityPolicy-2016-08",
    Certificates=[{"CertificateArn": cert}], DefaultActions=[{"Type": "forward", "TargetGroupArn": groups[0]}])
elb.create_listener(LoadBalancerArn=lb, Protocol="HTTP", Port=80, DefaultActions=[{"Type": "redirect",
    "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}])
elb.create_rule(ListenerArn=https["Listeners"][0]["ListenerArn"], Priority=10,
    Conditions=[{"Field": "host-header", "Values": ["api.example.com"]}],
    Actions=[{"Type": "forward", "TargetGroupArn": groups[1]}])
client("elb").create_load_balancer(LoadBalancerName="classic", Subnets=subnets[:1], SecurityGroups=[front],
    Listeners=[{"Protocol": "HTTPS", "LoadBalancerPort": 443, "InstanceProtocol": "HTTP", "InstancePort": 80,
    "SSLCertificateId": cert}])
client("elb").register_instances_with_load_balancer(LoadBalancerName="classic", Instances=[{"InstanceId": instance}])
print(lb)
"#;
