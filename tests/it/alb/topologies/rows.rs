//! The table: each topology, what it is made of, and what is found.

use gladhand_testkit::net;
use gladhand_testkit::pki::{Issued, KeyKind, Spec};
use gladhand_testkit::real::{
    RealServer, Site, haproxy, haproxy_with, nginx, plain_nginx_with, s2n,
};
use serde_json::json;

use super::super::{NAMES, STRICT, as_configured, target, target_alone};
use super::{Topology, World};

/// Makes a topology; none where a server that it needs is not there.
pub(super) type Row = fn(&mut World) -> Option<Topology>;

/// With nginx and HAProxy.
pub(super) const ROWS: &[Row] = &[
    healthy,
    two_certificates,
    // Targets.
    plaintext_behind_https,
    tls_behind_http,
    port_closed,
    tls_1_3_alone,
    chacha20_alone,
    name_demanded,
    certificate_demanded_by_tls,
    certificate_demanded_by_http,
    expired_and_self_signed,
    health_check_alone,
    requests_fail,
    keep_alive_short,
    group_empty,
    // Listeners.
    policy_by_omission,
    policy_old,
    policy_unknown,
    policy_not_served,
    certificate_of_others,
    certificate_before_renewal,
    second_certificate_not_served,
    no_redirect,
    redirect_not_served,
    redirect_to_itself,
    hsts_missing,
    clients_shut_out,
    internal_out_of_reach,
    // Other types.
    network,
    classic,
];

/// With what AWS itself speaks TLS with.
pub(super) const OF_S2N: &[Row] = &[s2n_post_quantum, s2n_2016_08, s2n_target];

const HTTPS: &str = "listener HTTPS";
const HTTP: &str = "listener HTTP";
const WEB: &str = "target group web";

/// What every listener with [`STRICT`] has.
const NO_HYBRID: (&str, &str) = ("alb-policy-post-quantum-missing", HTTPS);

const OLDEST: &str = "ELBSecurityPolicy-2016-08";

/// What that policy is told, whatever is served.
const OF_OLDEST: [(&str, &str); 6] = [
    ("alb-policy-default", HTTPS),
    ("alb-policy-tls-1-0-allowed", HTTPS),
    ("alb-policy-tls-1-1-allowed", HTTPS),
    ("alb-policy-cbc-sha1", HTTPS),
    ("alb-policy-rsa-key-exchange", HTTPS),
    ("alb-policy-tls-1-3-missing", HTTPS),
];

fn healthy(world: &mut World) -> Option<Topology> {
    let other = haproxy_target(world, "");
    let rules = json!([
        {"host": NAMES[1], "action": {"forward": "app"}},
        {"host": NAMES[2], "action": {"forward": "api"}},
    ]);
    world
        .before("healthy", "HTTPS", world.web)
        .group("app", "HTTPS", other)
        .group("api", "HTTP", world.plain)
        .with("/listeners/1/rules", rules)
        .finds(&[NO_HYBRID])
        .ends_with(0)
}

fn two_certificates(world: &mut World) -> Option<Topology> {
    let api = second_certificate(world);
    let sites = [
        as_configured(&world.pki, &world.leaf).default_server(),
        as_configured(&world.pki, &api).names(API),
    ];
    with_two_certificates(world, "two-certificates", &api, &sites)
        .finds(&[NO_HYBRID])
        .ends_with(0)
}

fn second_certificate_not_served(world: &mut World) -> Option<Topology> {
    let api = second_certificate(world);
    let sites = [as_configured(&world.pki, &world.leaf)];
    with_two_certificates(world, "second-not-served", &api, &sites)
        .finds(&[NO_HYBRID, ("certificate-name-mismatch", API)])
        .ends_with(1)
}

fn plaintext_behind_https(world: &mut World) -> Option<Topology> {
    world
        .before("plaintext-behind-https", "HTTPS", world.plain)
        .finds(&[NO_HYBRID, ("alb-target-plaintext", WEB)])
        .ends_with(1)
}

fn tls_behind_http(world: &mut World) -> Option<Topology> {
    world
        .before("tls-behind-http", "HTTP", world.web)
        .finds(&[NO_HYBRID, ("alb-target-tls-on-http-group", WEB)])
        .misses(&["plaintext HTTP was expected, but the port speaks TLS"])
        .ends_with(1)
}

fn port_closed(world: &mut World) -> Option<Topology> {
    world
        .before("port-closed", "HTTPS", net::free_port())
        .finds(&[NO_HYBRID, ("alb-target-unreachable", WEB)])
        .misses(&["the connection is refused"])
        .ends_with(3)
}

fn tls_1_3_alone(world: &mut World) -> Option<Topology> {
    let site = target_alone(&world.pki).protocols("TLSv1.3");
    let target = world.start(nginx(&world.pki, &[site]));
    let server = before_1_3(world, "TLSv1 TLSv1.1 TLSv1.2", ALL);
    world
        .with_listener("tls-1-3-alone", server, Some(OLDEST))
        .group("web", "HTTPS", target)
        .finds(&[&OF_OLDEST[..], &[("alb-target-no-common-version", WEB)]].concat())
        .ends_with(1)
}

fn chacha20_alone(world: &mut World) -> Option<Topology> {
    let site = target_alone(&world.pki)
        .protocols("TLSv1.2")
        .ciphers("ECDHE-RSA-CHACHA20-POLY1305");
    let target = world.start(nginx(&world.pki, &[site]));
    world
        .before("chacha20-alone", "HTTPS", target)
        .finds(&[NO_HYBRID, ("alb-target-no-common-suite", WEB)])
        .ends_with(1)
}

fn name_demanded(world: &mut World) -> Option<Topology> {
    let target = haproxy_target(world, "strict-sni");
    world
        .before("name-demanded", "HTTPS", target)
        .finds(&[NO_HYBRID, ("alb-target-sni-required", WEB)])
        .ends_with(1)
}

fn certificate_demanded_by_tls(world: &mut World) -> Option<Topology> {
    let root = world.pki.root_file();
    let target = haproxy_target(
        world,
        &format!("verify required ca-file {}", root.display()),
    );
    world
        .before("certificate-by-tls", "HTTPS", target)
        .finds(&[NO_HYBRID, ("alb-target-client-certificate-required", WEB)])
        .ends_with(1)
}

fn certificate_demanded_by_http(world: &mut World) -> Option<Topology> {
    let site = target(&world.pki).client_certificates(&world.pki, "on");
    let target = world.start(nginx(&world.pki, &[site]));
    world
        .before("certificate-by-http", "HTTPS", target)
        .finds(&[NO_HYBRID, ("alb-target-client-certificate-required", WEB)])
        .ends_with(1)
}

fn expired_and_self_signed(world: &mut World) -> Option<Topology> {
    let own = Spec::leaf(&["target.internal"]).key(KeyKind::Rsa(2048));
    let own = own.expired().self_signed();
    let target = nginx(&world.pki, &[Site::serving(&world.pki, &[own])]);
    let target = world.start(target);
    world
        .before("expired-and-self-signed", "HTTPS", target)
        .finds(&[NO_HYBRID, ("alb-target-certificate-invalid", WEB)])
        .ends_with(0)
}

fn health_check_alone(world: &mut World) -> Option<Topology> {
    let port = world.plain.to_string();
    let health = json!({"CheckProtocol": "HTTP", "CheckPort": port, "CheckPath": "/health"});
    world
        .behind("health-check-alone", world.listening(world.https))
        .group_checked("web", "HTTP", net::free_port(), &health)
        .finds(&[
            NO_HYBRID,
            ("alb-target-unreachable", WEB),
            ("alb-target-health-check-differs", WEB),
        ])
        .misses(&["the connection is refused"])
        .ends_with(3)
}

fn requests_fail(world: &mut World) -> Option<Topology> {
    let failing = Site::default().line("location = / { return 500; }");
    let target = world.start(plain_nginx_with(&world.pki, &[failing]));
    world
        .before("requests-fail", "HTTP", target)
        .finds(&[NO_HYBRID, ("alb-target-request-fails", WEB)])
        .ends_with(1)
}

fn keep_alive_short(world: &mut World) -> Option<Topology> {
    let hasty = Site::default().line("keepalive_timeout 1s;");
    let target = world.start(plain_nginx_with(&world.pki, &[hasty]));
    world
        .before("keep-alive-short", "HTTP", target)
        .with("/attributes/idle_timeout.timeout_seconds", "3")
        .args(&["--keep-alive"])
        .finds(&[
            NO_HYBRID,
            ("alb-target-keep-alive-too-short", WEB),
            ("alb-idle-timeout-short", "keep-alive-short"),
        ])
        .ends_with(1)
}

fn group_empty(world: &mut World) -> Option<Topology> {
    world
        .before("group-empty", "HTTPS", world.web)
        .with("/groups/web/empty", true)
        .finds(&[NO_HYBRID, ("alb-target-group-empty", WEB)])
        .ends_with(1)
}

fn policy_by_omission(world: &mut World) -> Option<Topology> {
    let server = before_1_3(world, "TLSv1 TLSv1.1 TLSv1.2", ALL);
    world
        .with_listener("policy-by-omission", server, None)
        .group("web", "HTTP", world.plain)
        .finds(&OF_OLDEST)
        .ends_with(0)
}

fn policy_old(world: &mut World) -> Option<Topology> {
    let server = before_1_3(world, "TLSv1.1 TLSv1.2", ALL);
    let policy = "ELBSecurityPolicy-TLS-1-1-2017-01";
    world
        .with_listener("policy-old", server, Some(policy))
        .group("web", "HTTPS", world.web)
        .finds(&OF_OLDEST[2..])
        .ends_with(0)
}

fn policy_unknown(world: &mut World) -> Option<Topology> {
    world
        .before("policy-unknown", "HTTPS", world.web)
        .with(
            "/listeners/1/policy",
            "ELBSecurityPolicy-TLS-1-3-1-2-2021-06",
        )
        .finds(&[
            ("alb-policy-unknown", HTTPS),
            ("group-post-quantum-missing", NAMES[0]),
        ])
        // What the load balancer offers its targets goes by the policy.
        .misses(&["the policy that the load balancer has towards its targets is not known"])
        .ends_with(1)
}

fn policy_not_served(world: &mut World) -> Option<Topology> {
    let server = before_1_3(world, "TLSv1.1 TLSv1.2", ALL);
    world
        .with_listener("policy-not-served", server, Some(STRICT))
        .group("web", "HTTPS", world.web)
        .finds(&[
            NO_HYBRID,
            ("alb-served-version-differs", HTTPS),
            ("alb-served-suite-differs", HTTPS),
            // What the policy would have prevented is a fault of its own.
            ("tls-1-1-accepted", NAMES[0]),
            ("tls-1-3-missing", NAMES[0]),
            ("suite-cbc-sha1", NAMES[0]),
        ])
        .ends_with(0)
}

fn certificate_of_others(world: &mut World) -> Option<Topology> {
    let other = Spec::leaf(&["www.example.com", "cdn.example.net"]).key(KeyKind::P256);
    let other = world.pki.issue(&other);
    let server = nginx(&world.pki, &[as_configured(&world.pki, &other)]);
    world
        .with_listener("certificate-of-others", server, Some(STRICT))
        .group("web", "HTTPS", world.web)
        .finds(&[
            NO_HYBRID,
            ("alb-served-certificate-unknown", HTTPS),
            ("certificate-name-mismatch", NAMES[1]),
            ("certificate-name-mismatch", NAMES[2]),
        ])
        .ends_with(1)
}

fn certificate_before_renewal(world: &mut World) -> Option<Topology> {
    let old = Spec::leaf(&NAMES).key(KeyKind::P256).days(-200, 100);
    let old = world.pki.issue(&old);
    let server = nginx(&world.pki, &[as_configured(&world.pki, &old)]);
    world
        .with_listener("certificate-before-renewal", server, Some(STRICT))
        .group("web", "HTTPS", world.web)
        .finds(&[NO_HYBRID, ("alb-served-certificate-outdated", HTTPS)])
        .ends_with(0)
}

fn no_redirect(world: &mut World) -> Option<Topology> {
    let to_web = json!({"protocol": "HTTP", "port": world.plain, "action": {"forward": "web"}});
    Topology::new("no-redirect")
        .listener(to_web)
        .listener(world.listening(world.https))
        .group("web", "HTTP", world.plain)
        .finds(&[NO_HYBRID, ("alb-http-not-redirected", HTTP)])
        .ends_with(0)
}

fn redirect_not_served(world: &mut World) -> Option<Topology> {
    world
        .before("redirect-not-served", "HTTPS", world.web)
        .with("/listeners/0/port", world.plain)
        .finds(&[NO_HYBRID, ("alb-served-redirect-missing", HTTP)])
        .ends_with(0)
}

fn redirect_to_itself(world: &mut World) -> Option<Topology> {
    let again = "return 301 https://$host:$server_port$request_uri;";
    let site = as_configured(&world.pki, &world.leaf).line(again);
    let port = world.start(nginx(&world.pki, &[site]));
    Topology::new("redirect-to-itself")
        .listener(world.listening(port))
        .with("/listeners/0/action", json!({"redirect": port}))
        .finds(&[NO_HYBRID, ("alb-redirect-loop", HTTPS)])
        .ends_with(1)
}

fn hsts_missing(world: &mut World) -> Option<Topology> {
    let bundle = world.pki.bundle_file(&world.pki.chain(&world.leaf));
    let bind = format!(
        "ssl crt {} ssl-min-ver TLSv1.2 ciphers ECDHE+AESGCM:@SECLEVEL=2 curves X25519:P-256 alpn h2,http/1.1",
        bundle.display()
    );
    let server = haproxy_with(&world.pki, &bind, "");
    world
        .with_listener("hsts-missing", server, Some(STRICT))
        .with("/listeners/1/attributes", json!({}))
        .group("web", "HTTPS", world.web)
        .finds(&[NO_HYBRID, ("hsts-missing", NAMES[0])])
        .ends_with(0)
}

fn clients_shut_out(world: &mut World) -> Option<Topology> {
    world
        .before("clients-shut-out", "HTTPS", world.web)
        .with("/ingress", json!([world.http]))
        .finds(&[NO_HYBRID, ("alb-security-group-blocks-clients", HTTPS)])
        .ends_with(1)
}

fn internal_out_of_reach(world: &mut World) -> Option<Topology> {
    Topology::new("out-of-reach")
        .listener(world.listening(net::free_port()))
        .with("/scheme", "internal")
        .group("web", "HTTPS", world.web)
        .finds(&[NO_HYBRID])
        .misses(&["the load balancer is internal"])
        .ends_with(3)
}

fn network(world: &mut World) -> Option<Topology> {
    let listener = json!({
        "protocol": "TLS", "port": world.https, "policy": STRICT, "alpn": "HTTP2Preferred",
        "action": {"forward": "web"}, "certificates": [world.certificate(&world.leaf)],
    });
    let attributes = json!({
        "access_logs.s3.enabled": "true", "access_logs.s3.bucket": "logs",
        "load_balancing.cross_zone.enabled": "true",
    });
    Topology::new("network")
        .kind("network")
        .with("/attributes", attributes)
        .listener(listener)
        .group("web", "TLS", world.web)
        .finds(&[("alb-policy-post-quantum-missing", "listener TLS")])
        .ends_with(0)
}

fn classic(world: &mut World) -> Option<Topology> {
    let server = before_1_3(world, "TLSv1.2", "ECDHE+AES:!AESCCM:!SHA1");
    let port = world.start(server);
    let listener = json!({
        "protocol": "HTTPS", "port": port, "instance": ["HTTPS", world.web],
        "policy": "ELBSecurityPolicy-TLS-1-2-2017-01", "certificates": [world.certificate(&world.leaf)],
    });
    // Instances have addresses of a VPC.
    Topology::new("classic")
        .kind("classic")
        .listener(listener)
        .args(&["--no-targets"])
        .finds(&[("tls-1-3-missing", NAMES[0])])
        .ends_with(0)
}

/// The server sends no field of its own, and resumes no session.
const S2N: [(&str, &str); 2] = [
    ("hsts-missing", NAMES[0]),
    ("session-resumption-broken", NAMES[0]),
];

fn s2n_post_quantum(world: &mut World) -> Option<Topology> {
    let policy = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09";
    let server = s2n(&world.pki, &world.pki.chain(&world.leaf), policy)?;
    world
        .with_listener("s2n-post-quantum", server, Some(policy))
        .with("/listeners/1/attributes", json!({}))
        .group("web", "HTTPS", world.web)
        .finds(&S2N)
        .ends_with(0)
}

fn s2n_2016_08(world: &mut World) -> Option<Topology> {
    let server = s2n(&world.pki, &world.pki.chain(&world.leaf), OLDEST)?;
    world
        .with_listener("s2n-2016-08", server, Some(OLDEST))
        .with("/listeners/1/attributes", json!({}))
        .group("web", "HTTPS", world.web)
        // Under that policy s2n-tls signs with SHA-1.
        .finds(
            &[
                &OF_OLDEST[..],
                &S2N,
                &[("signature-sha1-accepted", NAMES[0])],
            ]
            .concat(),
        )
        .ends_with(0)
}

fn s2n_target(world: &mut World) -> Option<Topology> {
    let own = target_chain(world);
    let policy = "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09";
    let target = world.start(s2n(&world.pki, &own, policy)?);
    world
        .before("s2n-target", "HTTPS", target)
        .finds(&[NO_HYBRID])
        .ends_with(0)
}

/// What policies before TLS 1.3 have for an ECDSA certificate.
const ALL: &str = "ECDHE+AES:!AESCCM:@SECLEVEL=0";

/// A listener of these versions, and suites by OpenSSL's names.
fn before_1_3(world: &World, protocols: &str, suites: &str) -> RealServer {
    let site = Site::serving(&world.pki, &world.pki.chain(&world.leaf))
        .protocols(protocols)
        .ciphers(suites)
        .curves("X25519:prime256v1")
        .line("ssl_conf_command SignatureAlgorithms ECDSA+SHA256:RSA+SHA256;")
        .http2();
    nginx(&world.pki, &[site])
}

/// A name that the listeners' certificate does not have.
const API: &str = "api.example.net";

fn second_certificate(world: &World) -> Issued {
    world.pki.issue(&Spec::leaf(&[API]).key(KeyKind::P256))
}

/// A listener with one more certificate.
fn with_two_certificates(
    world: &mut World,
    name: &'static str,
    second: &Issued,
    sites: &[Site],
) -> Topology {
    let server = nginx(&world.pki, sites);
    let certificates = json!([world.certificate(&world.leaf), world.certificate(second)]);
    world
        .with_listener(name, server, Some(STRICT))
        .with("/listeners/1/certificates", certificates)
        .group("web", "HTTPS", world.web)
}

fn target_chain(world: &World) -> Vec<Issued> {
    let own = Spec::leaf(&["target.internal"]).key(KeyKind::Rsa(2048));
    world.pki.chain(&world.pki.issue(&own))
}

/// A target of HAProxy's, with more on its `bind` line.
fn haproxy_target(world: &mut World, more: &str) -> u16 {
    let bundle = world.pki.bundle_file(&target_chain(world));
    let server = haproxy(&world.pki, &format!("crt {} {more}", bundle.display()));
    world.start(server)
}
