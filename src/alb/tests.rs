//! Planning and putting together, over the healthy inventory.

use std::path::Path;

use gladhand_probes::aws::Section;
use gladhand_probes::observations::PROBES;
use gladhand_probes::settings::ServerName;
use tokio::sync::watch;

use super::*;
use crate::exit::Ended;
use crate::report::model::{
    EndpointReport, Evidence, Finding, Purpose, Report, Role, Row, Severity, Status, TargetReport,
};
use crate::report::sample;

fn inventory(name: &str) -> Inventory {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/audits/healthy.json");
    saved(&path, Some(name)).unwrap()
}

fn settings() -> Settings {
    let (_raise, raised) = watch::channel(false);
    Settings::new(sample::healthy().started_at, raised)
}

fn planned(inventory: &Inventory, change: impl Fn(&mut Settings)) -> Plan {
    let mut settings = settings();
    change(&mut settings);
    let nodes = Nodes::at(vec![
        "203.0.113.7".parse().unwrap(),
        "203.0.113.8".parse().unwrap(),
    ]);
    plan(&Ask {
        inventory,
        balancer: &inventory.load_balancers[0],
        settings: &settings,
        nodes: &nodes,
        targets: true,
        path_given: false,
        keep_alive: false,
    })
}

fn at_listeners(plan: &Plan) -> Vec<(String, &Settings)> {
    let jobs = plan.jobs.iter();
    let listeners = jobs.filter(|job| matches!(job.role, Some(Role::Listener { .. })));
    listeners
        .map(|job| (job.target.to_string(), &*job.settings))
        .collect()
}

#[test]
fn every_name_of_a_listener_is_asked_at_every_node_and_the_first_one_everything() {
    let inventory = inventory("shop");
    let plan = planned(&inventory, |_| ());
    let listeners = at_listeners(&plan);
    let names: Vec<&str> = listeners.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "www.example.com:80",
            "www.example.com:443",
            "api.example.com:443",
            "example.com:443"
        ]
    );
    for (_, settings) in &listeners {
        assert_eq!(settings.addresses.as_ref().unwrap().len(), 2);
    }
    assert!(listeners[1].1.selection.contains("suites"));
    assert!(!listeners[2].1.selection.contains("suites"));
    assert!(listeners[2].1.selection.contains("verification"));
    // The redirect shows on the port that the other listener has.
    assert_eq!(listeners[1].1.http.port, Some(80));
}

#[test]
fn targets_are_asked_as_the_balancer_asks() {
    let inventory = inventory("shop");
    let plan = planned(&inventory, |_| ());
    let jobs: Vec<_> = plan
        .jobs
        .iter()
        .filter(|job| matches!(job.role, Some(Role::Target { .. })))
        .collect();
    let at: Vec<String> = jobs.iter().map(|job| job.target.to_string()).collect();
    assert_eq!(
        at,
        [
            "10.0.1.25:8443",
            "10.0.2.25:8443",
            "10.0.1.30:8080",
            "10.0.2.30:8080"
        ]
    );
    let web = &jobs[0];
    assert_eq!(web.settings.sni, ServerName::None);
    let client = web.settings.client.as_ref().unwrap();
    assert_eq!(
        client.policy.unwrap().name,
        "ELBSecurityPolicy-TLS13-1-0-PQ-2025-09"
    );
    let http = web.settings.target_http.as_ref().unwrap();
    assert_eq!(http.health_check.as_ref().unwrap().path, "/health");
    assert_eq!(http.idle_timeout, None, "only where it is asked for");
    let api = jobs[2].settings.target_http.as_ref().unwrap();
    assert!(jobs[2].target.plaintext);
    assert_eq!(
        api.request.as_ref().unwrap().host.as_deref(),
        Some("api.example.com")
    );
}

#[test]
fn targets_on_this_machine_and_at_metadata_addresses_are_refused_and_said_to_be() {
    for ip in [
        "127.0.0.1",
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
    ] {
        let mut inventory = inventory("shop");
        for group in groups(&mut inventory) {
            let Section::Read(targets) = &mut group.targets else {
                continue;
            };
            targets[0].address = Some(ip.parse().unwrap());
        }
        let plan = planned(&inventory, |_| ());
        let asked = plan
            .jobs
            .iter()
            .any(|job| job.target.to_string().contains(ip));
        assert!(!asked, "{ip}");
        let gaps = plan.not_measured.iter();
        assert!(
            gaps.clone().any(|gap| gap.reason.contains("not contacted")),
            "{ip}"
        );
        assert!(
            plan.jobs
                .iter()
                .any(|job| job.target.to_string().contains("10.0.2.25"))
        );
    }
}

#[test]
fn an_audit_is_no_scan() {
    let mut inventory = inventory("shop");
    for group in groups(&mut inventory) {
        let Section::Read(targets) = &mut group.targets else {
            continue;
        };
        let one = targets[0].clone();
        for number in 0..12_000_u32 {
            let mut target = one.clone();
            target.address = Some(std::net::Ipv4Addr::from(0x0A00_0000 + number).into());
            targets.push(target);
        }
    }
    let Section::Read(listeners) = &mut inventory.load_balancers[0].listeners else {
        panic!("read")
    };
    let one = listeners[1].clone();
    listeners.extend(std::iter::repeat_n(one, 5_000));
    let plan = planned(&inventory, |_| ());
    assert!(plan.jobs.len() < 13_000, "{}", plan.jobs.len());
    let told = |what: &str| {
        let mut gaps = plan.not_measured.iter();
        gaps.any(|gap| gap.what == what && gap.reason.contains("more than"))
    };
    assert!(
        told("targets") && told("listeners"),
        "{:?}",
        plan.not_measured
    );
}

fn groups(inventory: &mut Inventory) -> &mut [gladhand_probes::aws::inventory::TargetGroup] {
    match &mut inventory.target_groups {
        Section::Read(groups) => groups,
        Section::NotRead(_) => panic!("read"),
    }
}

#[test]
fn a_health_check_of_its_own_port_is_a_question_of_its_own() {
    let mut inventory = inventory("shop");
    let Section::Read(groups) = &mut inventory.target_groups else {
        panic!("read")
    };
    groups[0].health_check.protocol = Some("HTTP".into());
    let Section::Read(targets) = &mut groups[0].targets else {
        panic!("read")
    };
    targets[0].health_check_port = Some(9000);
    let plan = planned(&inventory, |_| ());
    let checks: Vec<_> = plan
        .jobs
        .iter()
        .filter(|job| {
            matches!(
                job.role,
                Some(Role::Target {
                    purpose: Purpose::HealthCheck,
                    ..
                })
            )
        })
        .collect();
    // The second one's goes to the traffic port, in another protocol.
    let at: Vec<String> = checks.iter().map(|job| job.target.to_string()).collect();
    assert_eq!(at, ["10.0.1.25:9000", "10.0.2.25:8443"]);
    assert!(checks.iter().all(|job| job.target.plaintext));
    let http = checks[0].settings.target_http.as_ref().unwrap();
    assert!(http.request.is_none() && http.health_check.is_some());
}

#[test]
fn what_takes_no_connection_is_not_asked() {
    let mut inventory = inventory("shop");
    let Section::Read(groups) = &mut inventory.target_groups else {
        panic!("read")
    };
    groups[0].target_type = "lambda".into();
    let Section::Read(targets) = &mut groups[1].targets else {
        panic!("read")
    };
    for target in targets {
        target.address = None;
        target.address_unknown = Some("ec2:DescribeInstances was refused".into());
    }
    let plan = planned(&inventory, |_| ());
    assert!(
        plan.jobs
            .iter()
            .all(|job| matches!(job.role, Some(Role::Listener { .. })))
    );
    let [gap] = plan.not_measured.as_slice() else {
        panic!("{:?}", plan.not_measured)
    };
    assert_eq!(gap.subject, "target group api");
    assert!(
        gap.reason.contains("2 of its targets") && gap.reason.contains("refused"),
        "{gap:?}"
    );
}

#[test]
fn without_a_name_no_certificate_is_held_against_one() {
    let mut inventory = inventory("edge");
    inventory.certificates.clear();
    let plan = planned(&inventory, |_| ());
    let listeners = at_listeners(&plan);
    let [(name, settings)] = listeners.as_slice() else {
        panic!("{listeners:?}")
    };
    assert_eq!(
        name,
        "edge-73e2d6bc24d8a067.elb.eu-central-1.amazonaws.com:443"
    );
    assert!(
        !settings.selection.contains("verification") && settings.selection.contains("versions")
    );
}

#[test]
fn the_users_choice_of_probes_holds_everywhere() {
    let inventory = inventory("shop");
    let plan = planned(&inventory, |settings| {
        settings.selection = gladhand_probes::observations::select(&["versions"], &[]).unwrap();
    });
    for job in &plan.jobs {
        for probe in PROBES
            .iter()
            .filter(|probe| job.settings.selection.contains(probe.id))
        {
            assert!(["reach", "versions"].contains(&probe.id), "{}", probe.id);
        }
    }
}

#[test]
fn every_probe_that_a_target_is_asked_exists() {
    for id in super::targets::AT_A_TARGET
        .iter()
        .chain(super::targets::OF_TLS)
    {
        assert!(PROBES.iter().any(|probe| probe.id == *id), "{id}");
    }
}

fn finding(rule: &str, target: &str, message: &str) -> Finding {
    Finding {
        rule: rule.into(),
        severity: Severity::High,
        target: target.into(),
        subject: target.into(),
        message: message.into(),
        evidence: Evidence::default(),
        fix: Vec::new(),
        reproduce: Vec::new(),
        references: Vec::new(),
        fingerprint: format!("{rule} {target}"),
        status: Status::Open,
    }
}

fn row(target: &str, role: Role, endpoint: EndpointReport, findings: Vec<Finding>) -> Row {
    let target = TargetReport {
        target: target.into(),
        plaintext_expected: false,
        range: None,
        role: Some(role),
        error: None,
        endpoints: vec![endpoint],
    };
    Row {
        target,
        findings,
        not_measured: Vec::new(),
    }
}

/// An endpoint of which nothing was observed.
fn endpoint(ip: &str, port: u16) -> EndpointReport {
    EndpointReport {
        ip: ip.parse().unwrap(),
        port,
        ..sample::healthy().targets.remove(0).endpoints.remove(0)
    }
}

fn whole(inventory: Inventory, rows: Vec<Row>) -> Report {
    let now = sample::healthy().started_at;
    let mut empty = sample::healthy();
    empty.targets.clear();
    empty.findings.clear();
    report(empty, Ended::NEW, rows, inventory, Vec::new(), now).report
}

fn target_role(inventory: &Inventory, id: &str) -> Role {
    Role::Target {
        load_balancer: inventory.load_balancers[0].arn.clone(),
        target_group: inventory.target_groups.read().unwrap()[0].arn.clone(),
        id: id.into(),
        port: 8443,
        purpose: Purpose::Traffic,
    }
}

fn listener_role(inventory: &Inventory) -> Role {
    Role::Listener {
        load_balancer: inventory.load_balancers[0].arn.clone(),
        listener: inventory.load_balancers[0].listeners.read().unwrap()[1]
            .arn
            .clone(),
    }
}

#[test]
fn equal_targets_share_a_finding_under_their_groups_name() {
    let inventory = inventory("shop");
    let rule = "alb-target-plaintext";
    let rows = |ids: &[&str]| -> Vec<Row> {
        ids.iter()
            .map(|id| {
                let at = format!("{id}:8443");
                let found = finding(rule, &at, "It answers in plaintext.");
                row(
                    &at,
                    target_role(&inventory, id),
                    endpoint(id, 8443),
                    vec![found],
                )
            })
            .collect()
    };
    let one = whole(inventory.clone(), rows(&["10.0.1.25"]));
    let two = whole(inventory.clone(), rows(&["10.0.1.25", "10.0.2.25"]));
    let of = |report: &Report| {
        let mut found = report
            .findings
            .iter()
            .filter(|finding| finding.rule == rule);
        let only = found.next().unwrap().clone();
        assert!(found.next().is_none());
        only
    };
    assert_eq!(of(&two).subject, "target group web");
    assert_eq!(of(&two).target, "shop");
    assert_eq!(
        of(&two).evidence.seen,
        [
            "at all 2 targets",
            "10.0.1.25:8443, 10.0.2.25:8443",
            "AWS says: healthy"
        ]
    );
    assert_eq!(
        of(&one).fingerprint,
        of(&two).fingerprint,
        "targets come and go"
    );
}

/// The inventory of which AWS says that the first target of the first group fails its health checks.
fn unhealthy() -> Inventory {
    let mut inventory = inventory("shop");
    let Section::Read(groups) = &mut inventory.target_groups else {
        panic!("not read");
    };
    let Section::Read(targets) = &mut groups[0].targets else {
        panic!("not read");
    };
    targets[0].state = "unhealthy".into();
    targets[0].reason = Some("Target.FailedHealthChecks".into());
    inventory
}

fn plaintext_at(inventory: &Inventory, id: &str, purpose: Purpose) -> Row {
    let at = format!("{id}:8443");
    let found = finding("alb-target-plaintext", &at, "It answers in plaintext.");
    let mut role = target_role(inventory, id);
    if let Role::Target { purpose: of, .. } = &mut role {
        *of = purpose;
    }
    row(&at, role, endpoint(id, 8443), vec![found])
}

fn evidence<'a>(report: &'a Report, rule: &str) -> &'a [String] {
    let mut found = report.findings.iter();
    &found
        .find(|found| found.rule == rule)
        .unwrap()
        .evidence
        .seen
}

#[test]
fn a_finding_at_targets_tells_what_aws_says_of_them() {
    let inventory = unhealthy();
    let at = |id| plaintext_at(&inventory, id, Purpose::Traffic);
    let report = whole(inventory.clone(), vec![at("10.0.1.25"), at("10.0.2.25")]);
    let seen = evidence(&report, "alb-target-plaintext");
    for line in [
        "AWS says of 10.0.1.25:8443: unhealthy, Target.FailedHealthChecks",
        "AWS says of 10.0.2.25:8443: healthy",
    ] {
        assert!(seen.iter().any(|seen| seen == line), "{seen:?}");
    }
}

#[test]
fn what_aws_says_of_targets_points_at_the_cause_that_was_probed() {
    let inventory = unhealthy();
    let symptom = "alb-health-connection-failed";
    let see = "see alb-target-plaintext".to_owned();
    let traffic = plaintext_at(&inventory, "10.0.1.25", Purpose::Traffic);
    let report = whole(inventory.clone(), vec![traffic.clone()]);
    assert!(evidence(&report, symptom).contains(&see));
    let order: Vec<&str> = report
        .findings
        .iter()
        .map(|found| found.rule.as_str())
        .collect();
    assert_eq!(order[0], "alb-target-plaintext", "the cause comes first");
    // Health checks of their own do not meet what is on the traffic's port.
    let mut checks = plaintext_at(&inventory, "10.0.1.25", Purpose::HealthCheck);
    let found = std::mem::take(&mut checks.findings);
    let report = whole(inventory.clone(), vec![traffic.clone(), checks.clone()]);
    assert!(!evidence(&report, symptom).contains(&see));
    checks.findings = found;
    let report = whole(inventory, vec![traffic, checks]);
    assert!(evidence(&report, symptom).contains(&see));
}

#[test]
fn what_only_other_clients_would_mind_is_not_said_of_a_target() {
    let inventory = inventory("shop");
    let found = finding("certificate-expired", "10.0.1.25:8443", "It expired.");
    let rows = vec![row(
        "10.0.1.25:8443",
        target_role(&inventory, "10.0.1.25"),
        endpoint("10.0.1.25", 8443),
        vec![found],
    )];
    assert!(whole(inventory, rows).findings.is_empty());
}

#[test]
fn the_same_at_several_names_of_a_listener_is_one_finding() {
    let inventory = inventory("shop");
    let rows = ["www.example.com:443", "example.com:443"].map(|name| {
        let found = finding("certificate-expires-soon", name, "It expires in 3 days.");
        row(
            name,
            listener_role(&inventory),
            endpoint("203.0.113.7", 443),
            vec![found],
        )
    });
    let report = whole(inventory, rows.into());
    let found: Vec<_> = report
        .findings
        .iter()
        .filter(|finding| finding.rule == "certificate-expires-soon")
        .collect();
    let [only] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(only.evidence.seen, ["the same at example.com:443"]);
}

#[test]
fn clients_without_a_certificate_are_turned_away_by_design() {
    let mut inventory = inventory("shop");
    let Section::Read(listeners) = &mut inventory.load_balancers[0].listeners else {
        panic!("read")
    };
    listeners[1].mutual_authentication.as_mut().unwrap().mode = "verify".into();
    let rows = ["handshake-fails", "client-certificate-required"].map(|rule| {
        let found = finding(rule, "www.example.com:443", "No.");
        row(
            "www.example.com:443",
            listener_role(&inventory),
            endpoint("203.0.113.7", 443),
            vec![found],
        )
    });
    let report = whole(inventory, rows.into());
    let rules: Vec<&str> = report
        .findings
        .iter()
        .map(|finding| finding.rule.as_str())
        .collect();
    assert!(
        !rules.contains(&"handshake-fails") && !rules.contains(&"client-certificate-required"),
        "{rules:?}"
    );
}

/// A folder with these answers of `fixtures/aws/healthy` about the Application Load Balancer.
fn made_by_hand(leave_out: &[&str]) -> tempfile::TempDir {
    let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/aws/healthy");
    let folder = tempfile::tempdir().unwrap();
    for entry in from.read_dir().unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if !leave_out.iter().any(|start| name.starts_with(start)) {
            std::fs::copy(entry.path(), folder.path().join(name)).unwrap();
        }
    }
    folder
}

#[test]
fn a_folder_without_what_no_rule_needs_is_complete() {
    let folder = made_by_hand(&[
        "get-caller-identity",
        "describe-tags",
        "get-metric-data",
        "get-web-acl",
        "get-certificate",
        "describe-ssl-policies",
    ]);
    let inventory = super::saved(folder.path(), Some("shop")).unwrap();
    assert_eq!(inventory.not_read, []);
    assert!(
        inventory
            .policy("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09")
            .is_some()
    );
}

#[test]
fn a_folder_without_what_rules_need_says_which_command_prints_it() {
    let folder = made_by_hand(&["describe-listener-attributes"]);
    let inventory = super::saved(folder.path(), Some("shop")).unwrap();
    let told: Vec<_> = inventory
        .not_read
        .iter()
        .map(|gap| gap.reason.as_str())
        .collect();
    assert_eq!(
        told,
        ["not in the folder: aws elbv2 describe-listener-attributes"; 2]
    );
}

#[test]
fn answers_to_commands_that_no_audit_asks_for_are_passed_over() {
    let folder = made_by_hand(&[]);
    let write = |name: &str| std::fs::write(folder.path().join(name), "{\"Vpcs\": []}").unwrap();
    write("describe-vpcs.json");
    write("ec2-describe-vpcs.json");
    let inventory = super::saved(folder.path(), Some("shop")).unwrap();
    assert_eq!(inventory.not_read, []);
    write("listeners-of-shop.json");
    let told = super::saved(folder.path(), Some("shop"))
        .unwrap_err()
        .to_string();
    assert!(told.contains("name it for its command"), "{told}");
}

/// What a terminal, a shell, or a CI that reads logs would obey.
const EVIL: &str = "\u{1b}[2J\u{7}\u{202e}\u{200b}\n::error::x\r\n$(id)`id`';id;\u{2028}\0";

/// The place of every text in it, as a JSON Pointer.
fn texts(value: &serde_json::Value, at: &str, all: &mut Vec<String>) {
    match value {
        serde_json::Value::String(_) => all.push(at.to_owned()),
        serde_json::Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                texts(item, &format!("{at}/{place}"), all);
            }
        }
        serde_json::Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                texts(member, &format!("{at}/{name}"), all);
            }
        }
        _ => {}
    }
}

#[test]
fn no_text_of_aws_reaches_a_terminal_as_it_is() {
    let healthy = serde_json::to_value(inventory("shop")).unwrap();
    let mut places = Vec::new();
    texts(&healthy, "", &mut places);
    assert!(places.len() > 200, "{}", places.len());
    let options = crate::report::RenderOptions {
        width: 100,
        color: false,
        detail: crate::report::Detail::Evidence,
        fail_on: None,
        exit: None,
    };
    let mut rendered = 0;
    for place in places {
        let mut changed = healthy.clone();
        let text = changed.pointer_mut(&place).unwrap();
        *text = format!("{}{EVIL}", text.as_str().unwrap_or_default()).into();
        // An address or a type that is none is refused where it is read.
        let Ok(inventory) = serde_json::from_value(changed) else {
            continue;
        };
        let report = whole(inventory, Vec::new());
        for format in crate::report::FORMATS {
            let mut out = Vec::new();
            format.render(&report, &options, &mut out).unwrap();
            let out = String::from_utf8(out).unwrap();
            let obeyed =
                |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{200b}\u{2028}".contains(c);
            assert!(!out.contains(obeyed), "{} {place}", format.name());
            assert!(
                !out.lines()
                    .any(|line| line.trim_start().starts_with("::error")),
                "{} {place}",
                format.name()
            );
            rendered += 1;
        }
    }
    assert!(rendered > 500, "{rendered}");
}
