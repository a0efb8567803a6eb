//! Load balancers at moto, healthy and broken in every way, with real servers on the loopback as listeners
//! and targets: each has exactly the findings that it should, no more and no less.

use std::collections::BTreeSet;

use gladhand_testkit::aws::{Moto, moto};
use gladhand_testkit::needs;
use gladhand_testkit::net;
use gladhand_testkit::pki::{Issued, KeyKind, Pki, Spec};
use gladhand_testkit::real::{RealServer, Site, haproxy, nginx, plain_nginx, plain_nginx_with};
use serde_json::{Value, json};

use super::{NAMES, STRICT, found};
use crate::harness::{Report, gladhand_in};

/// What every listener with [`STRICT`] has.
const NO_HYBRID: (&str, &str) = ("alb-policy-post-quantum-missing", "listener HTTPS");

/// A load balancer and what is to be found.
struct Topology {
    name: &'static str,
    balancer: Value,
    args: Vec<&'static str>,
    findings: Vec<(&'static str, &'static str)>,
    /// Subjects of what could not be measured.
    gaps: Vec<&'static str>,
    code: i32,
}

impl Topology {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            balancer: json!({
                "name": name, "listeners": [], "groups": {},
                "attributes": {
                    "access_logs.s3.enabled": "true", "access_logs.s3.bucket": "logs",
                    "connection_logs.s3.enabled": "true", "connection_logs.s3.bucket": "logs",
                    "health_check_logs.s3.enabled": "true",
                    "routing.http.drop_invalid_header_fields.enabled": "true",
                },
            }),
            args: Vec::new(),
            findings: Vec::new(),
            gaps: Vec::new(),
            code: 0,
        }
    }

    fn listener(mut self, listener: Value) -> Self {
        let listeners = self.balancer["listeners"].as_array_mut();
        listeners.expect("a list").push(listener);
        self
    }

    /// A group of one target, which is asked for `/health` where nothing else is said.
    fn group(self, name: &str, protocol: &str, port: u16) -> Self {
        let check = json!({"CheckProtocol": protocol, "CheckPath": "/health"});
        self.group_with(name, protocol, port, &check)
    }

    fn group_with(mut self, name: &str, protocol: &str, port: u16, check: &Value) -> Self {
        self.balancer["groups"][name] =
            json!({"protocol": protocol, "port": port, "health": check});
        self
    }

    fn attribute(mut self, key: &str, value: &str) -> Self {
        self.balancer["attributes"][key] = value.into();
        self
    }

    fn args(mut self, args: &[&'static str]) -> Self {
        self.args = args.to_vec();
        self
    }

    /// Exactly these rules and subjects; a port is left out of what a listener is called.
    fn finds(mut self, findings: &[(&'static str, &'static str)]) -> Self {
        self.findings = findings.to_vec();
        self
    }

    fn ends_with(mut self, code: i32) -> Self {
        self.code = code;
        self
    }

    /// What is not as it should be; nothing where all is.
    fn differs(&self, report: &Report) -> Option<String> {
        let short = |subject: &str| -> String {
            let own = subject.replace(&format!("{}-", self.name), "");
            match own.rsplit_once(':') {
                Some((before, port)) if port.parse::<u16>().is_ok() => before.into(),
                _ => own,
            }
        };
        let seen: BTreeSet<(String, String)> = found(report)
            .into_iter()
            .map(|(rule, subject)| (rule, short(&subject)))
            .collect();
        let expected: BTreeSet<(String, String)> = self
            .findings
            .iter()
            .map(|(rule, subject)| ((*rule).into(), (*subject).into()))
            .collect();
        let gaps: BTreeSet<String> = report
            .at("/not_measured")
            .as_array()
            .into_iter()
            .flatten()
            .map(|gap| format!("{}: {}: {}", gap["subject"], gap["what"], gap["reason"]))
            .collect();
        let more: Vec<_> = seen.difference(&expected).collect();
        let fewer: Vec<_> = expected.difference(&seen).collect();
        let same = more.is_empty() && fewer.is_empty() && report.code == Some(self.code);
        let gaps_known = gaps
            .iter()
            .all(|gap| self.gaps.iter().any(|known| gap.contains(known)))
            && self
                .gaps
                .iter()
                .all(|known| gaps.iter().any(|gap| gap.contains(known)));
        if same && gaps_known {
            return None;
        }
        let messages: Vec<String> = report
            .findings()
            .map(|finding| {
                format!(
                    "{}: {} {}",
                    finding["rule"], finding["message"], finding["evidence"]["seen"]
                )
            })
            .collect();
        Some(format!(
            "{}: exit code {:?}\n  too many: {more:?}\n  missing: {fewer:?}\n  gaps: {gaps:#?}\n  {}",
            self.name,
            report.code,
            messages.join("\n  ")
        ))
    }
}

/// The servers that the topologies share, and those of one alone. All end with the value.
struct World {
    pki: Pki,
    leaf: Issued,
    servers: Vec<RealServer>,
}

impl World {
    fn start(&mut self, server: RealServer) -> u16 {
        let port = server.port();
        self.servers.push(server);
        port
    }

    fn certificate(&self, leaf: &Issued) -> Value {
        let chain = self
            .pki
            .file("pem", self.pki.intermediate().pem().as_bytes());
        json!([
            self.pki.file("pem", leaf.pem().as_bytes()),
            self.pki.key_file(leaf),
            chain,
        ])
    }

    /// A listener with [`STRICT`] as it should be, up to what it does with requests.
    fn site(&self, leaf: &Issued) -> Site {
        super::as_configured(&self.pki, leaf)
    }

    fn https(&self, port: u16, action: &Value) -> Value {
        json!({
            "protocol": "HTTPS", "port": port, "policy": STRICT, "action": action,
            "certificates": [self.certificate(&self.leaf)],
            "attributes": {"routing.http.response.strict_transport_security.header_value": "max-age=31536000"},
        })
    }
}

fn to(group: &str) -> Value {
    json!({"forward": group})
}

/// All of them.
fn topologies(world: &mut World) -> Vec<Topology> {
    let pki = Pki::new();
    let site = world.site(&world.leaf.clone());
    let port = world.start(nginx(&world.pki, &[site]));
    let redirect = world.start(super::redirecting(&world.pki, port));
    let web = world.start(nginx(&pki, &[super::target(&pki)]));
    let plain = world.start(plain_nginx(&pki));
    let mut all = Vec::new();

    let redirecting = json!({"protocol": "HTTP", "port": redirect, "action": {"redirect": port}});
    // Everything as it should be but for the target of `web`.
    let behind = |world: &World, name: &'static str, protocol: &str, target: u16| {
        Topology::new(name)
            .listener(redirecting.clone())
            .listener(world.https(port, &to("web")))
            .group("web", protocol, target)
    };

    let mut healthy = behind(world, "healthy", "HTTPS", web).group("api", "HTTP", plain);
    healthy.balancer["listeners"][1]["rules"] = json!([{"host": NAMES[2], "action": to("api")}]);
    all.push(healthy.finds(&[NO_HYBRID]));

    all.push(
        behind(world, "plaintext-behind-https", "HTTPS", plain)
            .finds(&[NO_HYBRID, ("alb-target-plaintext", "target group web")])
            .ends_with(1),
    );
    all.push(
        behind(world, "tls-behind-http", "HTTP", web)
            .finds(&[
                NO_HYBRID,
                ("alb-target-tls-on-http-group", "target group web"),
            ])
            .ends_with(1),
    );
    all.push(
        behind(world, "port-closed", "HTTPS", net::free_port())
            .finds(&[NO_HYBRID, ("alb-target-unreachable", "target group web")])
            .ends_with(3),
    );
    let site = super::target_alone(&pki)
        .protocols("TLSv1.2")
        .ciphers("ECDHE-RSA-CHACHA20-POLY1305");
    let target = world.start(nginx(&pki, &[site]));
    all.push(
        behind(world, "chacha20-alone", "HTTPS", target)
            .finds(&[
                NO_HYBRID,
                ("alb-target-no-common-suite", "target group web"),
            ])
            .ends_with(1),
    );
    let bundle = pki.bundle_file(&pki.chain(&pki.leaf(&["target.internal"])));
    let target = world.start(haproxy(
        &pki,
        &format!("crt {} strict-sni", bundle.display()),
    ));
    all.push(
        behind(world, "name-demanded", "HTTPS", target)
            .finds(&[NO_HYBRID, ("alb-target-sni-required", "target group web")])
            .ends_with(1),
    );
    let clients = format!(
        "crt {} verify required ca-file {}",
        bundle.display(),
        pki.root_file().display()
    );
    let target = world.start(haproxy(&pki, &clients));
    all.push(
        behind(world, "client-certificate-by-tls", "HTTPS", target)
            .finds(&[
                NO_HYBRID,
                ("alb-target-client-certificate-required", "target group web"),
            ])
            .ends_with(1),
    );
    let site = super::target(&pki).client_certificates(&pki, "on");
    let target = world.start(nginx(&pki, &[site]));
    all.push(
        behind(world, "client-certificate-by-http", "HTTPS", target)
            .finds(&[
                NO_HYBRID,
                ("alb-target-client-certificate-required", "target group web"),
            ])
            .ends_with(1),
    );
    let own = Spec::leaf(&["target.internal"])
        .key(KeyKind::Rsa(2048))
        .expired()
        .self_signed();
    let target = world.start(nginx(&pki, &[Site::serving(&pki, &[own])]));
    all.push(
        behind(world, "expired-and-self-signed", "HTTPS", target).finds(&[
            NO_HYBRID,
            ("alb-target-certificate-invalid", "target group web"),
        ]),
    );
    let check =
        json!({"CheckProtocol": "HTTP", "CheckPort": plain.to_string(), "CheckPath": "/health"});
    all.push(
        behind(world, "health-check-alone", "HTTP", plain)
            .group_with("web", "HTTP", net::free_port(), &check)
            .finds(&[
                NO_HYBRID,
                ("alb-target-unreachable", "target group web"),
                ("alb-target-health-check-differs", "target group web"),
            ])
            .ends_with(1),
    );
    let failing = Site::default().line("location = / { return 500; }");
    let target = world.start(plain_nginx_with(&pki, &[failing]));
    all.push(
        behind(world, "requests-fail", "HTTP", target)
            .finds(&[NO_HYBRID, ("alb-target-request-fails", "target group web")])
            .ends_with(1),
    );
    let hasty = Site::default().line("keepalive_timeout 1s;");
    let target = world.start(plain_nginx_with(&pki, &[hasty]));
    all.push(
        behind(world, "keep-alive-short", "HTTP", target)
            .attribute("idle_timeout.timeout_seconds", "3")
            .args(&["--keep-alive"])
            .finds(&[
                NO_HYBRID,
                ("alb-target-keep-alive-too-short", "target group web"),
            ])
            .ends_with(1),
    );
    all.push(
        Topology::new("no-redirect")
            .listener(json!({"protocol": "HTTP", "port": plain, "action": to("web")}))
            .listener(world.https(port, &to("web")))
            .group("web", "HTTP", plain)
            .finds(&[NO_HYBRID, ("alb-http-not-redirected", "listener HTTP")]),
    );
    all.extend(policies(world, &pki, &redirecting, web, plain));
    all.extend(others(world, &pki, port, web));
    all
}

/// What is wrong with the policy of a listener.
fn policies(
    world: &mut World,
    pki: &Pki,
    redirecting: &Value,
    web: u16,
    plain: u16,
) -> Vec<Topology> {
    let listening = |world: &mut World,
                     name: &'static str,
                     policy: Option<&str>,
                     protocols: &str,
                     ciphers: &str,
                     target: (&str, u16)| {
        let site = Site::serving(&world.pki, &world.pki.chain(&world.leaf))
            .protocols(protocols)
            .ciphers(ciphers)
            .curves("X25519:prime256v1")
            .http2();
        let port = world.start(nginx(&world.pki, &[site]));
        let redirect = world.start(super::redirecting(&world.pki, port));
        let mut listener = world.https(port, &to("web"));
        listener["policy"] = policy.into();
        let mut redirecting = redirecting.clone();
        redirecting["port"] = redirect.into();
        redirecting["action"]["redirect"] = port.into();
        Topology::new(name)
            .listener(redirecting)
            .listener(listener)
            .group("web", target.0, target.1)
    };
    const ALL: &str = "ECDHE+AESGCM:ECDHE+AES:!AESCCM:@SECLEVEL=0";
    let old = [
        ("alb-policy-default", "listener HTTPS"),
        ("alb-policy-tls-1-0-allowed", "listener HTTPS"),
        ("alb-policy-tls-1-1-allowed", "listener HTTPS"),
        ("alb-policy-cbc-sha1", "listener HTTPS"),
        ("alb-policy-rsa-key-exchange", "listener HTTPS"),
        ("alb-policy-tls-1-3-missing", "listener HTTPS"),
    ];
    let modern = super::target_alone(pki).protocols("TLSv1.3");
    let modern = world.start(nginx(pki, &[modern]));
    let before = "TLSv1 TLSv1.1 TLSv1.2";
    let with = |more: &[(&'static str, &'static str)]| [&old, more].concat();
    vec![
        listening(
            world,
            "policy-by-omission",
            None,
            before,
            ALL,
            ("HTTP", plain),
        )
        .finds(&old),
        listening(
            world,
            "tls-1-3-alone-behind-2016-08",
            Some("ELBSecurityPolicy-2016-08"),
            before,
            ALL,
            ("HTTPS", modern),
        )
        .finds(&with(&[(
            "alb-target-no-common-version",
            "target group web",
        )]))
        .ends_with(1),
        listening(
            world,
            "policy-old",
            Some("ELBSecurityPolicy-TLS-1-1-2017-01"),
            "TLSv1.1 TLSv1.2",
            ALL,
            ("HTTPS", web),
        )
        .finds(&old[2..]),
        listening(
            world,
            "policy-unknown",
            Some("ELBSecurityPolicy-TLS-1-3-1-2-2021-06"),
            "TLSv1.2 TLSv1.3",
            "ECDHE+AESGCM",
            ("HTTPS", web),
        )
        .finds(&[("alb-policy-unknown", "listener HTTPS")])
        .ends_with(1),
    ]
}

/// Other certificates, other types, other actions.
fn others(world: &mut World, pki: &Pki, port: u16, web: u16) -> Vec<Topology> {
    let other = Spec::leaf(&NAMES).key(KeyKind::P256);
    let other = world.pki.issue(&other);
    let site = world.site(&other);
    let elsewhere = world.start(nginx(&world.pki, &[site]));
    let turning = format!("return 301 https://$host:{}$request_uri;", "$server_port");
    let site = world.site(&world.leaf.clone()).line(&turning);
    let looping = world.start(nginx(&world.pki, &[site]));
    let mut network = Topology::new("network")
        .listener(json!({
            "protocol": "TLS", "port": port, "policy": STRICT, "action": to("web"), "alpn": "HTTP2Preferred",
            "certificates": [world.certificate(&world.leaf)],
        }))
        .group("web", "TLS", web);
    network.balancer["type"] = "network".into();
    network.balancer["attributes"] = json!({
        "access_logs.s3.enabled": "true", "access_logs.s3.bucket": "logs",
        "load_balancing.cross_zone.enabled": "true",
    });
    let mut classic = Topology::new("classic").listener(json!({
        "protocol": "HTTPS", "port": port, "instance": ["HTTPS", web],
        "certificates": [world.certificate(&world.leaf)],
    }));
    classic.balancer["type"] = "classic".into();
    let _ = pki;
    vec![
        Topology::new("certificate-of-another")
            .listener(world.https(elsewhere, &to("web")))
            .group("web", "HTTPS", web)
            .finds(&[
                NO_HYBRID,
                ("alb-served-certificate-unknown", "listener HTTPS"),
            ])
            .ends_with(1),
        Topology::new("redirect-to-itself")
            .listener(world.https(looping, &json!({"redirect": looping})))
            .finds(&[NO_HYBRID, ("alb-redirect-loop", "listener HTTPS")])
            .ends_with(1),
        network.finds(&[("alb-policy-post-quantum-missing", "listener TLS")]),
        classic.finds(&[]),
    ]
}

#[test]
fn each_has_exactly_its_findings() {
    needs!("nginx", "haproxy");
    let Some(moto) = moto() else { return };
    let pki = Pki::new();
    let mut world = World {
        leaf: super::leaf(&pki),
        pki,
        servers: Vec::new(),
    };
    let all = topologies(&mut world);
    let balancers: Vec<Value> = all.iter().map(|one| one.balancer.clone()).collect();
    let arns = moto.balancers(&json!(balancers));
    let asked: Vec<(&Topology, &String)> = all.iter().zip(&arns).collect();
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let parts = asked.chunks(asked.len().div_ceil(3)).map(|part| {
            let (moto, world) = (&moto, &world);
            scope.spawn(move || -> Vec<String> {
                let ask = |(topology, arn): &(&Topology, &String)| {
                    topology.differs(&audit(moto, world, topology, arn))
                };
                part.iter().filter_map(ask).collect()
            })
        });
        let parts: Vec<_> = parts.collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().expect("audits"))
            .collect()
    });
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        all.len(),
        wrong.join("\n\n")
    );
}

fn audit(moto: &Moto, world: &World, topology: &Topology, arn: &str) -> Report {
    let keys = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_REGION", "eu-central-1"),
    ];
    let (url, trust) = (moto.url(), world.pki.root_file().display().to_string());
    let mut args = vec![
        "alb",
        arn,
        "--endpoint-url",
        &url,
        "--trust",
        &trust,
        "--connect",
        "127.0.0.1",
        "-o",
        "json",
    ];
    args.extend(&topology.args);
    gladhand_in(&args, &keys, "").report()
}
