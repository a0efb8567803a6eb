//! Every kind of listener, rule, target, health, certificate and permission: what was read, beside what was
//! written by hand.

use serde_json::json;
use time::macros::datetime;

use super::*;
use crate::aws::inventory::{Action, CertificateDetail, Rule};
use crate::aws::policy::{PolicySource, backend_policy};
use crate::wire::registry::{ProtocolVersion, Suite};

const ELB: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012";
const ACM: &str = "arn:aws:acm:us-east-1:123456789012:certificate";

fn kinds() -> Inventory {
    inventory(&answers("kinds"))
}

fn group_arn(name: &str, number: u32) -> String {
    format!("{ELB}:targetgroup/{name}/{number:016x}")
}

fn forwards(action: &Action) -> Vec<(&str, u32)> {
    assert_eq!(action.kind, "forward");
    let groups = action.target_groups.iter();
    groups
        .map(|group| (group.target_group_arn.as_str(), group.weight))
        .collect()
}

fn detail<'a>(inventory: &'a Inventory, name: &str) -> &'a CertificateDetail {
    let arn = format!("{ACM}/{name}");
    inventory.certificate(&arn).unwrap().detail.read().unwrap()
}

/// The only thing that is not read is a metric that CloudWatch forbids, and a chain.
#[test]
fn nothing_else_is_missing() {
    let read = kinds();
    let gaps: Vec<_> = read
        .not_read
        .iter()
        .map(|gap| {
            (
                gap.subject.as_str(),
                gap.action.as_str(),
                gap.reason.as_str(),
            )
        })
        .collect();
    assert_eq!(
        gaps,
        [(
            "kinds",
            "cloudwatch:GetMetricData",
            "Forbidden: RejectedConnectionCount"
        )]
    );
    for folder in ["network", "classic"] {
        assert_eq!(inventory(&answers(folder)).not_read, [], "{folder}");
    }
}

#[test]
fn a_load_balancer_with_its_state() {
    let read = kinds();
    let balancer = &read.load_balancers[0];
    assert_eq!(balancer.kind, LoadBalancerType::Application);
    assert_eq!(balancer.scheme, "internal");
    assert_eq!(balancer.state.as_deref(), Some("active_impaired"));
    assert_eq!(
        balancer.state_reason.as_deref(),
        Some("Insufficient IP addresses")
    );
    assert_eq!(balancer.idle_timeout(), Some(4000));
    assert_eq!(balancer.attribute("access_logs.s3.prefix"), Some(""));
    let tags = balancer.tags.read().unwrap();
    assert_eq!(tags["team"], "edge");
    assert_eq!(tags["empty"], "");
    assert_eq!(
        balancer.web_acl.read().unwrap().as_deref(),
        Some("arn:aws:wafv2:us-east-1:123456789012:regional/webacl/edge/1")
    );
    let metrics = balancer.metrics.read().unwrap();
    let metrics: Vec<_> = metrics
        .iter()
        .map(|(name, sum)| (name.as_str(), *sum))
        .collect();
    assert_eq!(
        metrics,
        [
            ("ClientTLSNegotiationErrorCount", 7.0),
            ("HTTPCode_ELB_502_Count", 0.0)
        ],
        "none of the one that is forbidden"
    );
}

#[test]
fn a_listener_with_everything() {
    let read = kinds();
    let ports: Vec<_> = listeners(&read).iter().map(|one| one.port).collect();
    assert_eq!(ports, [80, 443, 8080, 8443]);
    let https = listener(&read, 443);
    assert_eq!(
        https.default_certificate.as_deref(),
        Some(format!("{ACM}/www").as_str())
    );
    assert_eq!(
        https.certificates.read().unwrap(),
        &[format!("{ACM}/pending"), format!("{ACM}/imported")]
    );
    let mutual = https.mutual_authentication.as_ref().unwrap();
    assert_eq!(mutual.mode, "verify");
    assert_eq!(mutual.ignore_client_certificate_expiry, Some(true));
    assert_eq!(mutual.advertise_trust_store_ca_names.as_deref(), Some("on"));
    assert_eq!(
        mutual.trust_store_association_status.as_deref(),
        Some("active")
    );
    let stores = read.trust_stores.read().unwrap();
    assert_eq!(stores.len(), 1, "the one that is used");
    assert_eq!(Some(&stores[0].arn), mutual.trust_store_arn.as_ref());
    assert_eq!(stores[0].ca_certificates, Some(2));
    assert_eq!(stores[0].revoked_entries, Some(12));

    let [login, forward] = https.default_actions.as_slice() else {
        panic!("{:?}", https.default_actions)
    };
    assert_eq!(login.kind, "authenticate-oidc", "by its order");
    assert!(forward.sticky);
    assert_eq!(
        forwards(forward),
        [
            (group_arn("web", 1).as_str(), 90),
            (group_arn("grpc", 2).as_str(), 10)
        ]
    );
}

#[test]
fn a_redirect_keeps_what_it_does_not_name() {
    let read = kinds();
    let to = listener(&read, 80).default_actions[0]
        .redirect
        .clone()
        .unwrap();
    assert_eq!(
        (to.protocol.as_str(), to.port.as_str(), to.host.as_str()),
        ("HTTPS", "443", "#{host}")
    );
    assert_eq!((to.path.as_str(), to.query.as_str()), ("/#{path}", ""));
    assert_eq!(to.status_code, "HTTP_302");
}

#[test]
fn a_listener_without_tls_has_no_policy_whatever_is_said() {
    let read = kinds();
    let plain = listener(&read, 8080);
    assert_eq!(plain.ssl_policy, None);
    assert_eq!(plain.certificates, Section::Read(Vec::new()));
    assert_eq!(
        forwards(&plain.default_actions[0]),
        [(group_arn("fn", 3).as_str(), 1)]
    );
    let fixed = listener(&read, 8443);
    assert_eq!(fixed.default_actions[0].status_code.as_deref(), Some("404"));
    assert_eq!(
        fixed.mutual_authentication.as_ref().unwrap().mode,
        "passthrough"
    );
}

#[test]
fn rules_stand_in_their_order_and_the_default_one_is_none() {
    let read = kinds();
    let rules = listener(&read, 443).rules.read().unwrap();
    let priorities: Vec<_> = rules.iter().map(|rule| rule.priority).collect();
    assert_eq!(priorities, [1, 20, 300]);
    let [first, second, third] = rules.as_slice() else {
        unreachable!()
    };
    let fields = |rule: &Rule| -> Vec<(String, Vec<String>)> {
        let conditions = rule.conditions.iter();
        conditions
            .map(|one| (one.field.clone(), one.values.clone()))
            .collect()
    };
    let owned = |field: &str, values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned());
        (field.to_owned(), values.collect::<Vec<_>>())
    };
    assert_eq!(
        fields(first),
        [
            owned("host-header", &["api.example.com", "*.api.example.com"]),
            owned("path-pattern", &["/v1/*"]),
        ]
    );
    assert!(first.rewrites && !second.rewrites);
    assert_eq!(
        fields(second),
        [
            owned("host-header", &[]),
            owned("source-ip", &["10.0.0.0/8", "2001:db8::/32"]),
            owned("http-request-method", &["GET", "POST"]),
        ]
    );
    assert_eq!(
        second.conditions[0].regex_values,
        [r"^[a-z]+\.example\.org$"]
    );
    assert_eq!(
        fields(third),
        [
            owned("http-header", &["*Chrome*"]),
            owned("query-string", &["v=1*", "beta"]),
        ]
    );
    assert_eq!(third.conditions[0].header.as_deref(), Some("User-Agent"));
    let kinds: Vec<_> = third.actions.iter().map(|action| &action.kind).collect();
    assert_eq!(kinds, ["jwt-validation", "forward"]);
}

#[test]
fn what_aws_tells_of_a_policy_is_what_counts() {
    let read = kinds();
    let strict = read.policy_of(listener(&read, 443)).unwrap();
    assert_eq!(strict.source, PolicySource::Aws);
    assert_eq!(
        strict.versions,
        [ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_2]
    );
    assert_eq!(strict.suites.len(), 6);
    assert_eq!(strict.unknown, [""; 0]);
    let backend = backend_policy(&read.load_balancers[0]).unwrap();
    assert_eq!(backend.name, "ELBSecurityPolicy-TLS13-1-0-FIPS-PQ-2025-09");
    let policies = read.ssl_policies.read().unwrap();
    assert_eq!(policies[1].ciphers[0], "ECDHE-ECDSA-AES128-GCM-SHA256");
}

#[test]
fn every_health_reason_is_kept() {
    let read = kinds();
    let targets = group(&read, "web").targets.read().unwrap();
    let told: Vec<_> = targets
        .iter()
        .map(|target| {
            (
                target.state.as_str(),
                target.reason.as_deref().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("healthy", ""),
            ("unhealthy", "Target.ResponseCodeMismatch"),
            ("unhealthy", "Target.Timeout"),
            ("unhealthy", "Target.FailedHealthChecks"),
            ("initial", "Elb.RegistrationInProgress"),
            ("initial", "Elb.InitialHealthChecking"),
            ("unused", "Target.NotInUse"),
            ("unused", "Target.NotRegistered"),
            ("unused", "Target.InvalidState"),
            ("unused", "Target.IpUnusable"),
            ("draining", "Target.DeregistrationInProgress"),
            ("unavailable", "Elb.InternalError"),
            ("unhealthy.draining", "Target.FailedHealthChecks"),
        ]
    );
    assert_eq!(
        targets[1].description.as_deref(),
        Some("Health checks failed with these codes: [502]")
    );
    assert!(
        targets
            .iter()
            .all(|target| target.health_check_port == Some(8443)),
        "traffic-port, where AWS tells none"
    );
}

#[test]
fn targets_have_the_addresses_that_a_balancer_goes_to() {
    let read = kinds();
    let of = |name: &str| -> Vec<(Option<String>, Option<String>)> {
        let targets = group(&read, name).targets.read().unwrap().iter();
        targets
            .map(|target| {
                let address = target.address.map(|address| address.to_string());
                (address, target.address_unknown.clone())
            })
            .collect()
    };
    let known = |address: &str| (Some(address.to_owned()), None);
    let unknown = |why: &str| (None, Some(why.to_owned()));
    assert_eq!(
        of("web")[..4],
        [
            known("10.0.1.40"),
            known("10.0.1.41"),
            unknown("the instance has no private IPv4 address (it may have ended)"),
            unknown("not among the instances that AWS described"),
        ]
    );
    assert_eq!(
        of("six"),
        [
            known("2001:db8::40"),
            unknown("the instance has no IPv6 address (it may have ended)"),
        ],
        "the primary one"
    );
    assert_eq!(of("grpc"), [known("2001:db8::25"), known("2001:db8::26")]);
    assert_eq!(of("fn"), [unknown("a Lambda function")]);
    let grpc = group(&read, "grpc").targets.read().unwrap();
    assert_eq!(grpc[1].health_check_port, Some(50052), "traffic-port");
    let six = group(&read, "six").targets.read().unwrap();
    assert_eq!(
        (six[0].port, six[0].health_check_port),
        (Some(8443), Some(9000))
    );
}

#[test]
fn a_health_check_that_is_not_told_is_aws_default() {
    let read = kinds();
    let check = |name: &str| serde_json::to_value(&group(&read, name).health_check).unwrap();
    assert_eq!(
        check("web"),
        json!({"enabled": true, "protocol": "HTTPS", "port": "traffic-port", "path": "/ping",
               "matcher": "200-299", "interval": 15, "timeout": 4,
               "healthy_threshold": 3, "unhealthy_threshold": 3})
    );
    assert_eq!(
        check("grpc"),
        json!({"enabled": true, "protocol": "HTTP", "port": "traffic-port",
               "path": "/AWS.ALB/healthcheck", "matcher": "12", "interval": 30, "timeout": null,
               "healthy_threshold": 5, "unhealthy_threshold": 2})
    );
    assert_eq!(
        check("fn"),
        json!({"enabled": false, "protocol": null, "port": null, "path": "/", "matcher": "200",
               "interval": 35, "timeout": 30, "healthy_threshold": 5, "unhealthy_threshold": 5})
    );
    let network = inventory(&answers("network"));
    assert_eq!(
        serde_json::to_value(&group(&network, "tls").health_check).unwrap(),
        json!({"enabled": true, "protocol": "TCP", "port": "traffic-port", "path": null,
               "matcher": null, "interval": 30, "timeout": null,
               "healthy_threshold": 5, "unhealthy_threshold": 2})
    );
}

#[test]
fn a_renewal_that_waits_tells_what_it_waits_for() {
    let read = kinds();
    let www = detail(&read, "www");
    assert_eq!(www.renewal_status.as_deref(), Some("PENDING_VALIDATION"));
    assert_eq!(www.failure_reason.as_deref(), Some("CAA_ERROR"));
    assert_eq!(www.validations.len(), 1);
    assert_eq!(
        www.validations[0].status.as_deref(),
        Some("PENDING_VALIDATION")
    );
    assert_eq!(
        www.validations[0].record.as_deref(),
        Some(
            "_a79865eb4cd1a6ab990a45779b4e0b96.www.example.com. CNAME \
             _424c7224e9b0146f9a8808af955727d0.acm-validations.aws."
        )
    );
    assert_eq!(
        www.serial.as_deref(),
        Some("a1b2c3d4e5f60718293a4b5c6d7e8f9"),
        "the stored certificate's own"
    );
    assert_eq!(www.key_algorithm.as_deref(), Some("RSA_2048"));
    assert_eq!(www.not_before, Some(datetime!(2026-04-01 0:00 UTC)));
    assert_eq!(www.not_after, Some(datetime!(2026-10-14 23:59:59 UTC)));
}

#[test]
fn a_certificate_that_is_not_issued_has_no_chain_which_is_no_gap() {
    let read = kinds();
    let pending = detail(&read, "pending");
    assert_eq!(pending.status.as_deref(), Some("PENDING_VALIDATION"));
    assert!(pending.chain.read().is_none());
    assert_eq!((pending.not_before, pending.serial.clone()), (None, None));
    let imported = detail(&read, "imported");
    assert_eq!(imported.kind.as_deref(), Some("IMPORTED"));
    let edge = inventory(&answers("network"));
    assert_eq!(detail(&edge, "edge").serial.as_deref(), Some("b0c"));
    assert_eq!(imported.key_algorithm.as_deref(), Some("EC_secp384r1"));
    assert_eq!(imported.not_before, Some(datetime!(2026-10-01 0:00 UTC)));
    assert_eq!(imported.chain.read().unwrap().len(), 1);
}

#[test]
fn a_server_certificate_of_iam_is_read_from_itself() {
    let read = kinds();
    let arn = "arn:aws:iam::123456789012:server-certificate/cloud/legacy-2026";
    let detail = read.certificate(arn).unwrap().detail.read().unwrap();
    assert_eq!(detail.kind.as_deref(), Some("IAM"));
    assert_eq!(detail.domain_name.as_deref(), Some("legacy.example.com"));
    assert_eq!(detail.names, ["legacy.example.com", "*.legacy.example.com"]);
    assert_eq!(detail.serial.as_deref(), Some("f1e2d3c4b5a69788"));
    assert_eq!(detail.key_algorithm.as_deref(), Some("RSA_2048"));
    assert_eq!(
        detail.signature_algorithm.as_deref(),
        Some("SHA256WITHECDSA"),
        "its issuer's key"
    );
    assert_eq!(detail.not_after, Some(datetime!(2027-06-06 17:57:15 UTC)));
    assert_eq!(detail.chain.read().unwrap().len(), 2);
    assert_eq!(detail.status, None);
    assert!(detail.covers("a.legacy.example.com"));

    let classic = inventory(&answers("classic"));
    let broken = classic.certificates[0].detail.read().unwrap();
    assert_eq!(broken.not_after, Some(datetime!(2027-06-06 17:57:15 UTC)));
    assert_eq!(broken.chain, Section::Read(Vec::new()));
    assert_eq!(broken.names, [""; 0]);
}

#[test]
fn permissions_of_every_kind() {
    let read = kinds();
    let groups = serde_json::to_value(read.security_groups.read().unwrap()).unwrap();
    assert_eq!(
        groups,
        json!([
            {"id": "sg-lb", "name": "lb", "vpc_id": "vpc-1",
             "ingress": [
                {"protocol": "tcp", "from_port": 443, "to_port": 443,
                 "cidrs": ["0.0.0.0/0", "::/0"], "groups": [], "prefix_lists": ["pl-1", "pl-2"]},
                {"protocol": "icmp", "from_port": 3, "to_port": 4,
                 "cidrs": ["10.0.0.0/8"], "groups": [], "prefix_lists": []}],
             "egress": [
                {"protocol": "-1", "from_port": null, "to_port": null,
                 "cidrs": ["0.0.0.0/0"], "groups": [], "prefix_lists": []}]},
            {"id": "sg-web", "name": "web", "vpc_id": "vpc-1",
             "ingress": [
                {"protocol": "tcp", "from_port": 8443, "to_port": 9000,
                 "cidrs": [], "groups": ["sg-lb", "sg-web"], "prefix_lists": []}],
             "egress": []},
        ])
    );
    let lists = read.prefix_lists.read().unwrap();
    assert_eq!(lists["pl-1"], ["198.51.100.0/24", "203.0.113.0/24"]);
    assert_eq!(lists["pl-2"], [""; 0], "read, and empty");
}

#[test]
fn entries_of_an_acl_stand_in_the_order_of_evaluation() {
    let read = kinds();
    let acl = &read.network_acls.read().unwrap()[0];
    assert_eq!(acl.subnets, ["subnet-b", "subnet-a"]);
    let entries: Vec<_> = acl
        .entries
        .iter()
        .map(|one| {
            (
                one.egress,
                one.number,
                one.allow,
                one.cidr.as_str(),
                one.from_port,
            )
        })
        .collect();
    assert_eq!(
        entries,
        [
            (false, 100, false, "192.0.2.0/24", Some(0)),
            (false, 200, true, "::/0", Some(443)),
            (false, 32767, false, "0.0.0.0/0", None),
            (false, 32768, false, "::/0", None),
            (true, 100, true, "0.0.0.0/0", Some(1024)),
            (true, 32767, false, "0.0.0.0/0", None),
        ]
    );
    let subnets = read.subnets.read().unwrap();
    assert_eq!(
        subnets[0].ipv6_cidrs,
        ["2001:db8:1::/64"],
        "not the one that is gone"
    );
    assert_eq!((&subnets[1].cidr, subnets[1].ipv6_cidrs.len()), (&None, 1));
}

#[test]
fn interfaces_of_nodes_and_of_instances() {
    let read = kinds();
    let nodes: Vec<_> = read.node_interfaces(&read.load_balancers[0]).collect();
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0].public_address, Some([198, 51, 100, 7].into()));
    assert_eq!(nodes[0].addresses.len(), 2);
    assert!(!nodes[0].primary);
    let first = read.interface_at([10, 0, 1, 40].into()).unwrap();
    assert_eq!(first.instance_id.as_deref(), Some("i-00000000000000000"));
    assert_eq!(
        (first.primary, first.zone.as_deref()),
        (true, Some("us-east-1a"))
    );
    assert_eq!(first.security_groups, ["sg-web"]);
    let second = read.interface_at([10, 9, 9, 9].into()).unwrap();
    assert!(!second.primary);
}

#[test]
fn a_network_load_balancer_with_its_addresses() {
    let read = inventory_of(&answers("network"), "edge");
    let balancer = &read.load_balancers[0];
    assert_eq!(balancer.kind, LoadBalancerType::Network);
    let addresses: Vec<Vec<String>> = balancer
        .zones
        .iter()
        .map(|zone| zone.addresses.iter().map(ToString::to_string).collect())
        .collect();
    assert_eq!(
        addresses,
        [vec!["198.51.100.10", "2001:db8:1::5"], vec!["10.0.2.5"]]
    );
    assert_eq!(balancer.security_groups, [""; 0]);
    let tls = listener(&read, 443);
    assert_eq!(tls.alpn_policy, ["HTTP2Preferred"]);
    assert_eq!(tls.rules, Section::Read(Vec::new()));
    assert_eq!(tls.attribute("tcp.idle_timeout.seconds"), Some("350"));
    assert_eq!(
        forwards(&tls.default_actions[0]),
        [(group_arn("tls", 5).as_str(), 1)]
    );
    let groups = read.target_groups.read().unwrap();
    let names: Vec<_> = groups.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["tls", "alb", "dns"], "not the stranger's");
    let behind = &group(&read, "alb").targets.read().unwrap()[0];
    assert_eq!(
        behind.address_unknown.as_deref(),
        Some("an Application Load Balancer")
    );
    let detail = read.certificates[0].detail.read().unwrap();
    assert_eq!(detail.renewal_status.as_deref(), Some("FAILED"));
    assert_eq!(
        detail.failure_reason.as_deref(),
        Some("NO_AVAILABLE_CONTACTS")
    );
}

#[test]
fn a_classic_one_with_policies_of_every_kind() {
    let read = inventory(&answers("classic"));
    let balancer = &read.load_balancers[0];
    assert_eq!(
        balancer.arn,
        "arn:aws-cn:elasticloadbalancing:cn-north-1:123456789012:loadbalancer/old"
    );
    assert_eq!(balancer.zones[0].subnet_id.as_deref(), Some("subnet-x"));
    assert_eq!(balancer.idle_timeout(), Some(3600));
    assert_eq!(
        balancer.attribute("routing.http.desync_mitigation_mode"),
        Some("monitor")
    );

    let own = listener(&read, 443);
    assert_eq!(own.ssl_policy.as_deref(), Some("mine"));
    let policy = own.own_policy.as_ref().unwrap();
    assert_eq!(policy.protocols, ["SSLv3", "TLSv1", "TLSv1.2"]);
    assert_eq!(
        policy.ciphers,
        [
            "RC4-MD5",
            "DES-CBC3-SHA",
            "AES128-SHA",
            "ECDHE-RSA-AES128-GCM-SHA256",
            "EXP-RC4-MD5"
        ]
    );
    let content = read.policy_of(own).unwrap();
    assert_eq!(
        content.versions,
        [
            ProtocolVersion::TLS1_2,
            ProtocolVersion::TLS1_0,
            ProtocolVersion::SSL3
        ]
    );
    assert_eq!(content.unknown, [""; 0]);

    let predefined = listener(&read, 8443);
    assert_eq!(
        predefined.ssl_policy.as_deref(),
        Some("ELBSecurityPolicy-2015-05")
    );
    assert_eq!(predefined.own_policy, None);
    let content = read.policy_of(predefined).unwrap();
    let triple_des = Suite::TLS_RSA_WITH_3DES_EDE_CBC_SHA;
    assert!(content.suites.contains(&triple_des), "a Classic one's");

    let none = listener(&read, 444);
    assert_eq!((&none.ssl_policy, &none.own_policy), (&None, &None));

    let future = listener(&read, 445);
    assert_eq!(
        future.ssl_policy.as_deref(),
        Some("ELBSecurityPolicy-TLS-1-2-2027-01")
    );
    assert_eq!(
        read.policy_of(future).unwrap().suites.len(),
        1,
        "as AWS tells it"
    );
}

#[test]
fn instances_behind_a_classic_one_are_target_groups() {
    let read = inventory(&answers("classic"));
    let groups = read.target_groups.read().unwrap();
    let told: Vec<_> = groups
        .iter()
        .map(|one| (one.protocol.as_deref().unwrap(), one.port.unwrap()))
        .collect();
    assert_eq!(
        told,
        [("HTTP", 8080), ("HTTPS", 8443), ("SSL", 8443), ("TCP", 22)]
    );
    let check = &groups[0].health_check;
    assert_eq!(
        (
            check.protocol.as_deref(),
            check.port.as_deref(),
            check.path.as_deref()
        ),
        (Some("TCP"), Some("22"), None)
    );
    let targets: Vec<_> = groups[0]
        .targets
        .read()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one.state.as_str(),
                one.reason.as_deref(),
                one.port,
                one.health_check_port,
            )
        })
        .collect();
    assert_eq!(
        targets,
        [
            ("healthy", None, Some(8080), Some(22)),
            ("unhealthy", Some("Instance"), Some(8080), Some(22)),
            ("unknown", Some("ELB"), Some(8080), Some(22)),
        ]
    );
    let behind = &read.load_balancers[0].listeners.read().unwrap()[0];
    assert!(
        groups
            .iter()
            .any(|one| one.arn == behind.default_actions[0].target_groups[0].target_group_arn)
    );
}

/// What `aws` printed for a balancer in moto 5: a policy on a listener without TLS, every certificate beside the
/// default one, serial numbers in decimal, `traffic-port` as a number, no names of default actions' weights.
#[test]
fn the_oddities_of_a_stand_in_are_read() {
    let read = inventory_of(&answers("moto"), "shop");
    assert_eq!(read.account.as_deref(), Some("123456789012"));
    let https = listener(&read, 443);
    let default = https.default_certificate.as_ref().unwrap();
    assert!(default.ends_with("/64dad870-3fb5-4722-b5eb-eac1b7abcd01"));
    assert_eq!(https.certificates.read().unwrap().len(), 1);
    assert_eq!(listener(&read, 80).ssl_policy, None);
    let serials: Vec<_> = read
        .certificates
        .iter()
        .map(|one| one.detail.read().unwrap().serial.clone().unwrap())
        .collect();
    assert_eq!(
        serials,
        [
            "a1b2c3d4e5f60718293a4b5c6d7e8f9",
            "1a1b2c3d4e5f60718293a4b5c6d7e8f9"
        ]
    );
    let rules = https.rules.read().unwrap();
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0].hosts().collect::<Vec<_>>(), ["api.example.com"]);
    let api = &group(&read, "api").targets.read().unwrap()[0];
    assert_eq!(api.address, Some([127, 0, 0, 1].into()));
    assert_eq!((api.port, api.health_check_port), (Some(9001), Some(9001)));
    let web = &group(&read, "web").targets.read().unwrap()[0];
    assert_eq!((web.port, web.health_check_port), (Some(8443), Some(8443)));
    assert!(web.address.is_some(), "{:?}", web.address_unknown);
    assert_eq!(read.load_balancers[0].idle_timeout(), Some(60));
    assert_eq!(read.load_balancers[0].web_acl, Section::Read(None));
    assert_eq!(read.not_read, []);
}

/// Fifty pages, joined by whoever collects, or given one by one.
#[test]
fn many_pages_of_rules_are_one_list() {
    let mut joined = answers("kinds");
    let listener_arn = format!("{ELB}:listener/app/kinds/1111111111111111/{:016x}", 1);
    let page = |number: u32| {
        let rule = |place: u32| {
            json!({"RuleArn": format!("{listener_arn}/{number}/{place}").replace(":listener/", ":listener-rule/"),
                   "Priority": (number * 100 + place).to_string(), "Actions": [], "Conditions": []})
        };
        json!({"Rules": [rule(1), rule(2)]})
    };
    joined
        .all
        .retain(|answer| answer.action != "elasticloadbalancing:DescribeRules");
    for number in (1..=50).rev() {
        joined.all.push(Answer {
            action: "elasticloadbalancing:DescribeRules".into(),
            classic: false,
            // The rules say themselves whose they are.
            resource: (number % 2 == 0).then(|| listener_arn.clone()),
            outcome: Ok(page(number)),
        });
    }
    let read = inventory(&joined);
    let rules = listener(&read, 443).rules.read().unwrap();
    assert_eq!(rules.len(), 100);
    assert!(rules.is_sorted_by_key(|rule| rule.priority));
}
