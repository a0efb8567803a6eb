//! Load balancers at moto, healthy and broken in every way, with real servers on the loopback as listeners
//! and targets: each has exactly the findings that it should, no more and no less.

mod rows;

use std::collections::BTreeSet;

use gladhand_testkit::aws::{Moto, moto};
use gladhand_testkit::needs;
use gladhand_testkit::pki::{Issued, Pki};
use gladhand_testkit::real::{RealServer, nginx, plain_nginx};
use serde_json::{Value, json};

use super::{STRICT, found};
use crate::harness::{Report, gladhand_in};

/// Runs at once.
const AT_ONCE: usize = 3;

#[test]
fn each_has_exactly_its_findings() {
    needs!("nginx", "haproxy");
    each_is_as_expected(rows::ROWS);
}

#[test]
fn each_with_a_server_of_aws_has_exactly_its_findings() {
    needs!("nginx");
    each_is_as_expected(rows::OF_S2N);
}

fn each_is_as_expected(rows: &[rows::Row]) {
    let Some(moto) = moto() else { return };
    let mut world = World::new();
    let all: Option<Vec<Topology>> = rows.iter().map(|make| make(&mut world)).collect();
    // Which server is missing was told.
    let Some(all) = all else { return };
    let balancers: Vec<&Value> = all.iter().map(|one| &one.balancer).collect();
    let arns = moto.balancers(&json!(balancers));
    let asked: Vec<(&Topology, &String)> = all.iter().zip(&arns).collect();
    let wrong = |part: &[(&Topology, &String)]| -> Vec<String> {
        let differs = |(topology, arn): &(&Topology, &String)| {
            topology.differs(&audit(&moto, &world, topology, arn))
        };
        part.iter().filter_map(differs).collect()
    };
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let parts: Vec<_> = asked
            .chunks(asked.len().div_ceil(AT_ONCE))
            .map(|part| scope.spawn(move || wrong(part)))
            .collect();
        let parts = parts.into_iter();
        parts
            .flat_map(|part| part.join().expect("the audits end"))
            .collect()
    });
    assert!(
        wrong.is_empty(),
        "{} of {} are not as expected\n\n{}",
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
    let mut args = vec!["alb", arn, "--endpoint-url", &url, "--trust", &trust];
    args.extend(["--connect", "127.0.0.1", "-o", "json"]);
    args.extend(&topology.args);
    gladhand_in(&args, &keys, "").report()
}

/// A load balancer and what is to be found.
struct Topology {
    name: &'static str,
    balancer: Value,
    args: Vec<&'static str>,
    findings: Vec<(&'static str, &'static str)>,
    gaps: Vec<&'static str>,
    code: i32,
}

impl Topology {
    /// One without listeners, whose attributes are as they should be.
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

    fn kind(mut self, kind: &str) -> Self {
        self.balancer["type"] = kind.into();
        self
    }

    fn listener(mut self, listener: Value) -> Self {
        let listeners = self.balancer["listeners"].as_array_mut();
        listeners.expect("a list").push(listener);
        self
    }

    /// A group of one target, which is asked for `/health` where it gets its traffic.
    fn group(self, name: &str, protocol: &str, port: u16) -> Self {
        let checked = if protocol == "TLS" { "HTTPS" } else { protocol };
        let health = json!({"CheckProtocol": checked, "CheckPath": "/health"});
        self.group_checked(name, protocol, port, &health)
    }

    fn group_checked(mut self, name: &str, protocol: &str, port: u16, health: &Value) -> Self {
        self.balancer["groups"][name] =
            json!({"protocol": protocol, "port": port, "health": health});
        self
    }

    fn with(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        self.balancer.pointer_mut(parent).expect("a value")[key] = value.into();
        self
    }

    fn args(mut self, args: &[&'static str]) -> Self {
        self.args = args.to_vec();
        self
    }

    /// Exactly these rules, each with its subject: a listener's and a certificate's without the port, a target
    /// group's without the load balancer's name.
    fn finds(mut self, findings: &[(&'static str, &'static str)]) -> Self {
        self.findings = findings.to_vec();
        self
    }

    /// What could not be measured, by a part of its words.
    fn misses(mut self, gaps: &[&'static str]) -> Self {
        self.gaps = gaps.to_vec();
        self
    }

    fn ends_with(mut self, code: i32) -> Option<Self> {
        self.code = code;
        Some(self)
    }

    /// What is not as it should be; nothing where all is.
    fn differs(&self, report: &Report) -> Option<String> {
        let found = found(report).into_iter();
        let found: BTreeSet<_> = found
            .map(|(rule, subject)| (rule, self.short(&subject)))
            .collect();
        let expected = self.findings.iter();
        let expected: BTreeSet<_> = expected
            .map(|(rule, subject)| ((*rule).to_owned(), (*subject).to_owned()))
            .collect();
        let gaps = report.at("/not_measured").as_array().expect("gaps");
        let gaps: Vec<String> = gaps.iter().map(ToString::to_string).collect();
        let gaps_expected = gaps.len() == self.gaps.len()
            && self
                .gaps
                .iter()
                .all(|words| gaps.iter().any(|gap| gap.contains(words)));
        if found == expected && gaps_expected && report.code == Some(self.code) {
            return None;
        }
        let findings = report.findings().map(|finding| {
            let (rule, seen) = (&finding["rule"], &finding["evidence"]["seen"]);
            format!("  {rule}: {} {seen}", finding["message"])
        });
        let findings: Vec<String> = findings.collect();
        Some(format!(
            "{}: exit code {:?}, not measured: {gaps:?}\n  too many: {:?}\n  missing: {:?}\n{}",
            self.name,
            report.code,
            found.difference(&expected).collect::<Vec<_>>(),
            expected.difference(&found).collect::<Vec<_>>(),
            findings.join("\n")
        ))
    }

    fn short(&self, subject: &str) -> String {
        let group = subject.replace(&format!("target group {}-", self.name), "target group ");
        match group.rsplit_once(':') {
            Some((before, port)) if port.parse::<u16>().is_ok() => before.into(),
            _ => group,
        }
    }
}

/// Servers: those that topologies share, and those of one alone. All end with the value.
struct World {
    pki: Pki,
    /// The listeners' certificate.
    leaf: Issued,
    /// An HTTPS listener as [`STRICT`] says.
    https: u16,
    /// An HTTP listener that redirects there.
    http: u16,
    /// A target with TLS.
    web: u16,
    /// A target without.
    plain: u16,
    servers: Vec<RealServer>,
}

impl World {
    fn new() -> Self {
        let pki = Pki::new();
        let leaf = super::leaf(&pki);
        let https = nginx(&pki, &[super::as_configured(&pki, &leaf)]);
        let http = super::redirecting(&pki, https.port());
        let web = nginx(&pki, &[super::target(&pki)]);
        let plain = plain_nginx(&pki);
        Self {
            pki,
            leaf,
            https: https.port(),
            http: http.port(),
            web: web.port(),
            plain: plain.port(),
            servers: vec![https, http, web, plain],
        }
    }

    fn start(&mut self, server: RealServer) -> u16 {
        let port = server.port();
        self.servers.push(server);
        port
    }

    /// What is imported into ACM.
    fn certificate(&self, leaf: &Issued) -> Value {
        let chain = self.pki.intermediate().pem();
        json!([
            self.pki.file("pem", leaf.pem().as_bytes()),
            self.pki.key_file(leaf),
            self.pki.file("pem", chain.as_bytes()),
        ])
    }

    /// An HTTPS listener of the policy [`STRICT`], with HSTS, to the group `web`.
    fn listening(&self, port: u16) -> Value {
        json!({
            "protocol": "HTTPS", "port": port, "policy": STRICT, "certificates": [self.certificate(&self.leaf)],
            "action": {"forward": "web"},
            "attributes": {
                "routing.http.response.strict_transport_security.header_value": "max-age=31536000",
            },
        })
    }

    /// A healthy load balancer, but for the target of the group `web`.
    fn before(&self, name: &'static str, protocol: &str, target: u16) -> Topology {
        self.behind(name, self.listening(self.https))
            .group("web", protocol, target)
    }

    /// A load balancer of this HTTPS listener, and one that redirects; without groups.
    fn behind(&self, name: &'static str, listener: Value) -> Topology {
        let redirects = json!({
            "protocol": "HTTP", "port": self.http, "action": {"redirect": self.https},
        });
        Topology::new(name).listener(redirects).listener(listener)
    }

    /// The same where the listener has a server of its own, which one that redirects leads to.
    fn with_listener(
        &mut self,
        name: &'static str,
        server: RealServer,
        policy: Option<&str>,
    ) -> Topology {
        let port = self.start(server);
        let http = self.start(super::redirecting(&self.pki, port));
        self.behind(name, self.listening(port))
            .with("/listeners/0/port", http)
            .with("/listeners/0/action/redirect", port)
            .with("/listeners/1/policy", policy.map(ToOwned::to_owned))
    }
}
