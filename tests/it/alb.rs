//! `gladhand alb` from saved inventories, with real servers on the loopback as listeners and targets.

#[cfg(feature = "aws")]
mod topologies;

use std::collections::BTreeSet;

use gladhand_testkit::pki::{Issued, KeyKind, Pki, Spec};
use gladhand_testkit::real::{RealServer, Site, nginx, plain_nginx, plain_nginx_with};
use gladhand_testkit::{needs, net};
use serde_json::{Value, json};

use crate::harness::{Ran, Report, gladhand};

const NAMES: [&str; 3] = ["www.example.com", "example.com", "api.example.com"];

/// A policy that every nginx can serve: OpenSSL before 3.5 has no post-quantum groups.
const STRICT: &str = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06";

/// The load balancer `shop` of the healthy inventory, whose parts are moved to servers on the loopback.
struct Topology {
    inventory: Value,
    pki: Pki,
    /// End with the test.
    _servers: Vec<RealServer>,
}

/// What a topology is made of.
struct Parts {
    pki: Pki,
    leaf: Issued,
    listener: RealServer,
    redirect: RealServer,
    web: RealServer,
    api: RealServer,
}

fn leaf(pki: &Pki) -> Issued {
    pki.issue(&Spec::leaf(&NAMES).key(KeyKind::P256))
}

/// A listener as [`STRICT`] says.
fn as_configured(pki: &Pki, leaf: &Issued) -> Site {
    Site::serving(pki, &pki.chain(leaf))
        .protocols("TLSv1.2 TLSv1.3")
        .ciphers("ECDHE+AESGCM")
        .curves("X25519:prime256v1")
        .line("ssl_conf_command SignatureAlgorithms ECDSA+SHA256:RSA+SHA256;")
        .http2()
}

fn target(pki: &Pki) -> Site {
    target_alone(pki).protocols("TLSv1.2 TLSv1.3")
}

/// A target of no versions yet.
fn target_alone(pki: &Pki) -> Site {
    // Nobody verifies it: its own name is nobody's.
    let own = pki.issue(&Spec::leaf(&["target.internal"]).key(KeyKind::Rsa(2048)));
    Site::serving(pki, &pki.chain(&own))
}

/// Redirects to this port.
fn redirecting(pki: &Pki, port: u16) -> RealServer {
    let line = format!("return 301 https://$host:{port}$request_uri;");
    plain_nginx_with(pki, &[Site::default().line(&line)])
}

impl Parts {
    fn healthy() -> Self {
        let pki = Pki::new();
        let leaf = leaf(&pki);
        let listener = nginx(&pki, &[as_configured(&pki, &leaf)]);
        Self {
            redirect: redirecting(&pki, listener.port()),
            listener,
            web: nginx(&pki, &[target(&pki)]),
            api: plain_nginx(&pki),
            leaf,
            pki,
        }
    }

    /// The healthy inventory with these servers in the place of its own.
    fn topology(self) -> Topology {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/audits/healthy.json");
        let text = std::fs::read_to_string(path).expect("the fixture");
        let mut all: Value = serde_json::from_str(&text).expect("JSON");
        let_in(&mut all, [self.redirect.port(), self.listener.port()]);
        all["load_balancers"].as_array_mut().unwrap().truncate(1);
        all["target_groups"].as_array_mut().unwrap().truncate(2);
        all["certificates"].as_array_mut().unwrap().truncate(1);
        let detail = &mut all["certificates"][0]["detail"];
        detail["names"] = json!(NAMES);
        detail["serial"] = Value::Null;
        detail["chain"] = json!([{ "subject": "CN=www.example.com", "serial": "", "sha256": self.leaf.sha256() }]);
        let listeners = &mut all["load_balancers"][0]["listeners"];
        listeners[0]["port"] = self.redirect.port().into();
        listeners[0]["default_actions"][0]["redirect"]["port"] =
            self.listener.port().to_string().into();
        listeners[1]["port"] = self.listener.port().into();
        listeners[1]["certificates"] = json!([]);
        listeners[1]["ssl_policy"] = STRICT.into();
        for (group, port) in [(0, self.web.port()), (1, self.api.port())] {
            all["target_groups"][group]["port"] = port.into();
            let targets = &mut all["target_groups"][group]["targets"];
            targets.as_array_mut().unwrap().truncate(1);
            targets[0]["id"] = "127.0.0.1".into();
            targets[0]["address"] = "127.0.0.1".into();
            // As for every address outside of the VPC: no zone is without a target then.
            targets[0]["zone"] = "all".into();
            targets[0]["port"] = port.into();
            targets[0]["health_check_port"] = port.into();
        }
        Topology {
            inventory: all,
            pki: self.pki,
            _servers: vec![self.listener, self.redirect, self.web, self.api],
        }
    }
}

impl Topology {
    fn run(&self, args: &[&str]) -> Ran {
        let text = serde_json::to_vec(&self.inventory).unwrap();
        let file = self.pki.file("json", &text).display().to_string();
        let trust = self.pki.root_file().display().to_string();
        let mut all = vec!["alb", "shop", "--from-json", &file, "--trust", &trust];
        if !args.contains(&"--resolve") {
            all.extend(["--connect", "127.0.0.1"]);
        }
        all.extend(args);
        gladhand(&all)
    }

    fn report(&self, args: &[&str]) -> Report {
        self.run(&[args, &["-o", "json"]].concat()).report()
    }
}

/// The rules with what they are about.
fn found(report: &Report) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let pair = |finding: &Value| (text(&finding["rule"]), text(&finding["subject"]));
    report.findings().map(pair).collect()
}

/// Exactly these findings, `PORT` standing for the port of the HTTPS listener and `HTTP` for the other one's.
#[track_caller]
fn finds(topology: &Topology, report: &Report, expected: &[(&str, &str)]) {
    let listeners = &topology.inventory["load_balancers"][0]["listeners"];
    let port = |at: usize| listeners[at]["port"].to_string();
    let expected: BTreeSet<(String, String)> = expected
        .iter()
        .map(|(rule, subject)| {
            let subject = subject
                .replace("PORT", &port(1))
                .replace("HTTP:80", &format!("HTTP:{}", port(0)));
            ((*rule).to_owned(), subject)
        })
        .collect();
    assert_eq!(found(report), expected, "{report}");
}

/// What [`STRICT`] lacks.
const NO_HYBRID: (&str, &str) = ("alb-policy-post-quantum-missing", "listener HTTPS:PORT");

#[test]
fn a_healthy_load_balancer_is_found_so() {
    needs!("nginx");
    let topology = Parts::healthy().topology();
    let report = topology.report(&[]);
    finds(&topology, &report, &[NO_HYBRID]);
    report.is_complete().ends_with(0);
    // Two listeners with what they serve, and two targets as the load balancer sees them.
    assert_eq!(report.at("/inventory/load_balancers/0/name"), "shop");
    let targets = report.at("/targets").as_array().unwrap();
    let kinds: Vec<&str> = targets
        .iter()
        .filter_map(|t| t["role"]["kind"].as_str())
        .collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "target").count(), 2);
    assert_eq!(kinds.iter().filter(|kind| **kind == "listener").count(), 4);
}

#[test]
fn the_text_report_has_the_topology() {
    needs!("nginx");
    let topology = Parts::healthy().topology();
    let ran = topology.run(&["-vv"]);
    ran.ends_with(0);
    for part in [
        "Application Load Balancer · internet-facing",
        "Topology",
        "host api.example.com → api",
        "else → web",
        "TLS13-1-2-Res-2021-06, 1 certificate",
        "from here: TLSv1.3",
        "from here: HTTP",
    ] {
        assert!(ran.stdout.contains(part), "{part}\n{}", ran.stdout);
    }
}

#[test]
fn a_listener_that_serves_other_versions_and_suites_than_its_policy_is_told() {
    needs!("nginx");
    let parts = Parts::healthy();
    let site = Site::serving(&parts.pki, &parts.pki.chain(&parts.leaf))
        .protocols("TLSv1.1 TLSv1.2")
        .ciphers("ECDHE+AESGCM:ECDHE-ECDSA-AES128-SHA@SECLEVEL=0")
        .curves("X25519:prime256v1")
        .http2();
    let parts = Parts {
        listener: nginx(&parts.pki, &[site]),
        ..parts
    };
    let topology = parts.topology();
    let report = topology.report(&["--no-targets"]);
    let rules = report.rules();
    for rule in ["alb-served-version-differs", "alb-served-suite-differs"] {
        assert!(rules.contains(rule), "{report}");
    }
    // What the policy shuts out is a fault of its own where it is served.
    report.finds("tls-1-1-accepted").finds("suite-cbc-sha1");
}

#[test]
fn a_certificate_that_is_none_of_the_listeners_is_told() {
    needs!("nginx");
    let parts = Parts::healthy();
    let other = parts
        .pki
        .issue(&Spec::leaf(&["www.example.com", "cdn.example.net"]).key(KeyKind::P256));
    let parts = Parts {
        listener: nginx(&parts.pki, &[as_configured(&parts.pki, &other)]),
        ..parts
    };
    let topology = parts.topology();
    let report = topology.report(&["--no-targets"]);
    report.finds("alb-served-certificate-unknown").ends_with(1);
    // The names that it is not for.
    let (port, found) = (
        topology.inventory["load_balancers"][0]["listeners"][1]["port"].clone(),
        found(&report),
    );
    for name in ["example.com", "api.example.com"] {
        let told = (
            "certificate-name-mismatch".to_owned(),
            format!("{name}:{port}"),
        );
        assert!(found.contains(&told), "{report}");
    }
}

#[test]
fn a_redirect_that_is_not_served_is_told_once() {
    needs!("nginx");
    let parts = Parts::healthy();
    let parts = Parts {
        redirect: plain_nginx(&parts.pki),
        ..parts
    };
    let topology = parts.topology();
    let report = topology.report(&["--no-targets"]);
    finds(
        &topology,
        &report,
        &[
            NO_HYBRID,
            ("alb-served-redirect-missing", "listener HTTP:80"),
        ],
    );
    report.ends_with(0);
}

#[test]
fn hsts_that_is_not_served_is_told_once() {
    needs!("nginx");
    let mut topology = Parts::healthy().topology();
    let attributes = &mut topology.inventory["load_balancers"][0]["listeners"][1]["attributes"];
    attributes["routing.http.response.strict_transport_security.header_value"] =
        "max-age=63072000; includeSubDomains".into();
    let report = topology.report(&["--no-targets"]);
    finds(
        &topology,
        &report,
        &[
            NO_HYBRID,
            ("alb-served-hsts-missing", "listener HTTPS:PORT"),
        ],
    );
}

#[test]
fn a_target_without_tls_behind_an_https_group_is_told_under_its_groups_name() {
    needs!("nginx");
    let parts = Parts::healthy();
    let parts = Parts {
        web: plain_nginx(&parts.pki),
        ..parts
    };
    let topology = parts.topology();
    let report = topology.report(&[]);
    finds(
        &topology,
        &report,
        &[NO_HYBRID, ("alb-target-plaintext", "target group web")],
    );
    report.ends_with(1);
}

#[test]
fn a_target_that_speaks_no_version_of_the_balancers_is_told() {
    needs!("nginx");
    let parts = Parts::healthy();
    let site = target_alone(&parts.pki).protocols("TLSv1.3");
    let parts = Parts {
        web: nginx(&parts.pki, &[site]),
        ..parts
    };
    let mut topology = parts.topology();
    // Without TLS 1.3 at any listener, there is none towards the targets either.
    topology.inventory["load_balancers"][0]["listeners"][1]["ssl_policy"] =
        "ELBSecurityPolicy-FS-1-2-Res-2020-10".into();
    let report = topology.report(&[]);
    report.finds("alb-target-no-common-version").ends_with(1);
    assert_eq!(
        report.finding("alb-target-no-common-version")["subject"],
        "target group web"
    );
}

#[test]
fn an_internal_load_balancer_out_of_reach_is_a_gap_and_no_finding() {
    let (http, https) = (net::free_port(), net::free_port());
    let mut topology = unprobed();
    let_in(&mut topology, [http, https]);
    topology["load_balancers"][0]["scheme"] = "internal".into();
    let listeners = &mut topology["load_balancers"][0]["listeners"];
    listeners[1]["port"] = https.into();
    listeners[0]["port"] = http.into();
    listeners[0]["default_actions"][0]["redirect"]["port"] = https.to_string().into();
    let report = run(&topology, &["--connect", "127.0.0.1", "--no-targets"]).report();
    report.ends_with(3);
    assert_eq!(found(&report), BTreeSet::new(), "{report}");
    let gaps = report.at("/not_measured").as_array().unwrap();
    assert!(!gaps.is_empty());
    for gap in gaps {
        let reason = gap["reason"].as_str().unwrap();
        assert!(reason.contains("internal"), "{reason}");
    }
}

#[test]
fn a_port_that_takes_no_connection_is_told_as_seen_from_here() {
    let nobody = net::free_port();
    let mut topology = unprobed();
    let_in(&mut topology, [80, nobody]);
    topology["load_balancers"][0]["listeners"]
        .as_array_mut()
        .unwrap()
        .remove(0);
    topology["load_balancers"][0]["listeners"][0]["port"] = nobody.into();
    let report = run(&topology, &["--connect", "127.0.0.1", "--no-targets"]).report();
    report.ends_with(3);
    let told = (
        "alb-served-unreachable".to_owned(),
        format!("listener HTTPS:{nobody}"),
    );
    assert_eq!(found(&report), BTreeSet::from([told]), "{report}");
    assert_eq!(report.finding("alb-served-unreachable")["severity"], "info");
}

#[test]
fn a_node_that_takes_no_connection_beside_one_that_does_is_told() {
    needs!("nginx");
    let topology = Parts::healthy().topology();
    let port = topology.inventory["load_balancers"][0]["listeners"][1]["port"].to_string();
    let other = topology.inventory["load_balancers"][0]["listeners"][0]["port"].to_string();
    // nginx listens at the first address alone.
    let pin = format!("*:{port}:127.0.0.1,127.0.0.2");
    let plain = format!("*:{other}:127.0.0.1");
    let report = topology.report(&["--resolve", &pin, "--resolve", &plain, "--no-targets"]);
    let listener = format!("listener HTTPS:{port}");
    let told = ("alb-served-unreachable".to_owned(), listener);
    assert!(found(&report).contains(&told), "{report}");
    let finding = report.finding("alb-served-unreachable");
    assert_eq!(finding["severity"], "high");
    assert_eq!(finding["evidence"]["addresses"], json!(["127.0.0.2"]));
    report.ends_with(1);
}

#[test]
fn clients_that_are_to_show_a_certificate_are_turned_away_by_design() {
    needs!("nginx");
    let parts = Parts::healthy();
    let site = as_configured(&parts.pki, &parts.leaf).client_certificates(&parts.pki, "on");
    let parts = Parts {
        listener: nginx(&parts.pki, &[site]),
        ..parts
    };
    let mut topology = parts.topology();
    topology.inventory["load_balancers"][0]["listeners"][1]["mutual_authentication"] = json!({"mode": "verify", "trust_store_arn": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:truststore/clients/0123456789abcdef"});
    topology.inventory["trust_stores"] = json!([{
        "arn": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:truststore/clients/0123456789abcdef",
        "name": "clients", "status": "ACTIVE", "ca_certificates": 1
    }]);
    let report = topology.report(&["--no-targets"]);
    let rules = report.rules();
    for rule in [
        "client-certificate-required",
        "handshake-fails",
        "alb-served-hsts-missing",
    ] {
        assert!(!rules.contains(rule), "{report}");
    }
}

#[test]
fn a_certificate_of_before_a_renewal_is_told() {
    needs!("nginx");
    let parts = Parts::healthy();
    let old = parts
        .pki
        .issue(&Spec::leaf(&NAMES).key(KeyKind::P256).days(-200, 20));
    let parts = Parts {
        listener: nginx(&parts.pki, &[as_configured(&parts.pki, &old)]),
        ..parts
    };
    let topology = parts.topology();
    let report = topology.report(&["--no-targets"]);
    report.finds("alb-served-certificate-outdated");
    report.does_not_find("alb-served-certificate-unknown");
}

#[test]
fn tls_at_a_group_without_it_is_told() {
    needs!("nginx");
    let parts = Parts::healthy();
    let parts = Parts {
        api: nginx(&parts.pki, &[target(&parts.pki)]),
        ..parts
    };
    let topology = parts.topology();
    let report = topology.report(&[]);
    assert_eq!(
        report.finding("alb-target-tls-on-http-group")["subject"],
        "target group api"
    );
}

#[test]
fn a_hundred_targets_of_ten_groups_take_seconds() {
    needs!("nginx");
    let mut topology = Parts::healthy().topology();
    let api = topology.inventory["target_groups"][1].clone();
    let rules = (0..10).map(|number| {
        json!({
            "priority": 100 + number,
            "conditions": [{"field": "path-pattern", "values": [format!("/{number}/*")]}],
            "actions": [{"type": "forward", "target_groups": [{"target_group_arn": numbered(number), "weight": 1}]}],
        })
    });
    let listener = &mut topology.inventory["load_balancers"][0]["listeners"][1];
    listener["rules"].as_array_mut().unwrap().extend(rules);
    let groups = topology.inventory["target_groups"].as_array_mut().unwrap();
    for number in 0..10 {
        let mut group = api.clone();
        group["arn"] = numbered(number).into();
        group["name"] = format!("api{number}").into();
        let target = group["targets"][0].clone();
        let targets = (0..10).map(|n| {
            let mut target = target.clone();
            // Every address of 127.0.0.0/8 is this machine's, and nginx listens at one: told as one kind.
            target["id"] = format!("127.0.{number}.{n}").into();
            target["address"] = "127.0.0.1".into();
            target
        });
        group["targets"] = targets.collect();
        groups.push(group);
    }
    let report = topology.report(&[]);
    assert_eq!(report.at("/targets").as_array().unwrap().len(), 106);
    finds(&topology, &report, &[NO_HYBRID]);
    report.is_complete();
    assert!(report.took.as_secs() < 30, "{:?}", report.took);
}

fn numbered(number: usize) -> String {
    format!("arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/api{number}/0")
}

#[test]
fn what_was_not_read_is_a_gap_with_its_action() {
    let mut topology = unprobed();
    topology["not_read"] = json!([{
        "subject": "shop",
        "action": "elasticloadbalancing:DescribeRules",
        "reason": "AccessDenied: not authorized"
    }]);
    let report = run(&topology, &["--no-probe"]).report();
    report.ends_with(3);
    assert_eq!(
        report.at("/not_measured/0/what"),
        "elasticloadbalancing:DescribeRules"
    );
    assert_eq!(report.at("/complete"), false);
}

#[test]
fn nothing_is_probed_where_that_is_not_wanted() {
    let report = run(&unprobed(), &["--no-probe"]).report();
    report.ends_with(0).is_complete();
    assert_eq!(report.at("/targets"), &json!([]));
}

#[test]
fn a_report_can_be_judged_again() {
    let first = run(&unprobed(), &["--no-probe", "-o", "json"]).report();
    let again = run(&first.value, &["--no-probe"]).report();
    assert_eq!(again.at("/inventory"), first.at("/inventory"));
}

#[test]
fn what_cannot_be_used_ends_with_2() {
    let pki = Pki::new();
    let file = pki
        .file("json", &serde_json::to_vec(&unprobed()).unwrap())
        .display()
        .to_string();
    for (args, told) in [
        (
            &["alb", "shop", "--from-json", "/no/such/folder"][..],
            "/no/such/folder",
        ),
        (
            &["alb", "stop", "--from-json", &file],
            "no load balancer is `stop`; there are: shop",
        ),
        (&["alb"], "<ARN|NAME|DNS>"),
        (
            &["alb", "shop", "--from-json", &file, "--resolve", "shop"],
            "NAME:PORT:ADDRESS",
        ),
        (
            &[
                "alb",
                "shop",
                "--from-json",
                &file,
                "--resolve",
                "a.example:1:127.0.0.1",
            ],
            "--resolve names a.example:1",
        ),
        (
            &[
                "alb",
                "shop",
                "--from-json",
                &file,
                "--connect",
                "127.0.0.1:1",
            ],
            "several listeners",
        ),
        (
            &[
                "alb",
                "shop",
                "--from-json",
                &file,
                "--region",
                "eu-central-1",
            ],
            "--region",
        ),
    ] {
        let ran = gladhand(args);
        ran.ends_with(2);
        assert!(ran.stderr.contains(told), "{told}\n{}", ran.stderr);
    }
}

#[test]
fn the_iam_policy_is_printed_without_credentials() {
    let ran = gladhand(&["alb", "--print-iam-policy"]);
    ran.ends_with(0);
    let policy: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(policy["Version"], "2012-10-17");
    assert!(
        ran.stdout
            .contains("elasticloadbalancing:DescribeListeners")
    );
}

/// A load balancer at moto, whose listener and targets are servers on the loopback: asked live, saved, and
/// audited once more from what was saved.
#[cfg(feature = "aws")]
#[test]
fn moto_live_and_saved_tell_the_same() {
    needs!("nginx");
    let Some(moto) = gladhand_testkit::aws::moto() else {
        return;
    };
    let pki = Pki::new();
    let leaf = leaf(&pki);
    let listener = nginx(&pki, &[as_configured(&pki, &leaf)]);
    let plain = plain_nginx(&pki);
    let arn = moto.seed(&format!(
        "cert, key, ca = open({cert:?}).read(), open({key:?}).read(), open({ca:?}).read()\n{SEED}\
         make({listener}, [{plain}])\n",
        cert = pki.file("pem", leaf.pem().as_bytes()).display().to_string(),
        key = pki.key_file(&leaf).display().to_string(),
        ca = pki
            .file("pem", pki.intermediate().pem().as_bytes())
            .display()
            .to_string(),
        listener = listener.port(),
        plain = plain.port(),
    ));
    let arn = arn.trim();
    let trust = pki.root_file().display().to_string();
    let folder = pki.folder().join("answers").display().to_string();
    let keys = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let common = ["--connect", "127.0.0.1", "--trust", &trust, "-o", "json"];
    let url = moto.url();
    let live = [
        &["alb", arn, "--endpoint-url", &url, "--save", &folder][..],
        &common,
    ]
    .concat();
    let live = crate::harness::gladhand_in(&live, &keys, "").report();
    let told = live.finding("alb-target-plaintext");
    assert_eq!(told["subject"], "target group web", "{live}");
    assert_eq!(told["evidence"]["addresses"], json!(["127.0.0.1"]));
    live.does_not_find("alb-served-certificate-unknown")
        .does_not_find("certificate-name-mismatch")
        .ends_with(1);
    let saved = gladhand(&[&["alb", "--from-json", &folder][..], &common].concat()).report();
    assert_eq!(saved.at("/inventory"), live.at("/inventory"));
    assert_eq!(found(&saved), found(&live));
}

/// Prints the ARN of a load balancer with one HTTPS listener and one target group.
#[cfg(feature = "aws")]
const SEED: &str = "
def make(port, targets):
    ec2, elb, acm = client('ec2'), client('elbv2'), client('acm')
    vpc = ec2.create_vpc(CidrBlock='10.0.0.0/16')['Vpc']['VpcId']
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f'10.0.{n}.0/24', AvailabilityZone=f'eu-central-1{z}')['Subnet']['SubnetId'] for n, z in enumerate('ab')]
    arn = acm.import_certificate(Certificate=cert, PrivateKey=key, CertificateChain=ca)['CertificateArn']
    lb = elb.create_load_balancer(Name='shop', Subnets=subnets, Type='application')['LoadBalancers'][0]['LoadBalancerArn']
    group = elb.create_target_group(Name='web', Protocol='HTTPS', Port=targets[0], VpcId=vpc, TargetType='ip')['TargetGroups'][0]['TargetGroupArn']
    elb.register_targets(TargetGroupArn=group, Targets=[{'Id': '127.0.0.1', 'Port': port} for port in targets])
    elb.create_listener(LoadBalancerArn=lb, Protocol='HTTPS', Port=port, SslPolicy='ELBSecurityPolicy-TLS13-1-2-Res-2021-06',
        Certificates=[{'CertificateArn': arn}], DefaultActions=[{'Type': 'forward', 'TargetGroupArn': group}])
    print(lb)
";

/// The healthy inventory, whose servers nobody asks.
fn unprobed() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/audits/healthy.json");
    let text = std::fs::read_to_string(path).expect("the fixture");
    let mut all: Value = serde_json::from_str(&text).expect("JSON");
    all["load_balancers"].as_array_mut().unwrap().truncate(1);
    all["target_groups"].as_array_mut().unwrap().truncate(2);
    all
}

/// Lets everybody in at these ports.
fn let_in(inventory: &mut Value, ports: [u16; 2]) {
    for (rule, port) in ports.into_iter().enumerate() {
        let rule = &mut inventory["security_groups"][0]["ingress"][rule];
        rule["from_port"] = port.into();
        rule["to_port"] = port.into();
    }
}

fn run(inventory: &Value, args: &[&str]) -> Ran {
    let pki = Pki::new();
    let file = pki.file("json", &serde_json::to_vec(inventory).unwrap());
    let file = file.display().to_string();
    let mut all = vec!["alb", "shop", "--from-json", &file, "-o", "json"];
    all.extend(args.iter().filter(|arg| !["-o", "json"].contains(*arg)));
    gladhand(&all)
}
