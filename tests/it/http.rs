//! One HTTP request over the session, and one without TLS.

use gladhand_testkit::needs;
use gladhand_testkit::net;
use gladhand_testkit::pki::Pki;
use gladhand_testkit::real::{Site, gnutls_serv, haproxy, nginx, plain_nginx, s_server};
use gladhand_testkit::scripted::{Fault, Identity, Model, ScriptedServer};

use crate::harness::{HOST, Report, check, check_with};

/// A scripted server that answers requests with these bytes.
fn answering(pki: &Pki, answer: &[u8]) -> ScriptedServer {
    let mut identity = Identity::of(pki.chain(&pki.leaf(&[HOST])));
    identity.answers.insert(HOST.into(), answer.to_vec());
    ScriptedServer::start(Model::default(), Fault::default(), vec![], identity)
}

fn check_answer(answer: &[u8]) -> Report {
    let pki = Pki::new();
    let server = answering(&pki, answer);
    check_with(&pki, server.port(), &["--only", "http"])
}

#[test]
fn one_connection_gives_handshake_certificate_and_answer() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST])));
    let only = |probes| check_with(&pki, server.port(), &["--only", probes]);
    let without = only("handshake,certificate");
    let with = only("handshake,certificate,http");
    assert_eq!(with.connections(), without.connections(), "{with}");
    assert_eq!(with.at("http/head/status"), 200, "{with}");
}

#[test]
fn nginx_and_its_headers() {
    needs!("nginx");
    let pki = Pki::new();
    let site = |line: &str| {
        Site::serving(&pki, &pki.chain(&pki.leaf(&[HOST])))
            .protocols("TLSv1.2 TLSv1.3")
            .line(line)
    };
    let hsts = "\"max-age=63072000; includeSubDomains; preload\"";
    let good = format!("add_header Strict-Transport-Security {hsts} always;");
    let server = nginx(&pki, &[site(&good)]);
    let report = check(&pki, server.port());
    report
        .says("http/outcome", "answered")
        .says("http/head/version", "HTTP/1.1")
        .says("http/head/reason", "OK")
        .says("http/host", &format!("{HOST}:{}", server.port()))
        .does_not_find("hsts-missing")
        .is_complete();
    assert_eq!(report.at("http/head/status"), 200, "{report}");
    assert_eq!(report.at("http/head/persistent"), true, "{report}");
    assert_eq!(report.at("http/head/hsts/max_age"), 63_072_000, "{report}");
    for word in ["include_subdomains", "preload"] {
        assert_eq!(
            report.at(&format!("http/head/hsts/{word}")),
            true,
            "{report}"
        );
    }
    assert!(
        report.text("http/head/server").starts_with("nginx"),
        "{report}"
    );

    let short = "add_header Strict-Transport-Security max-age=300;";
    let server = nginx(&pki, &[site(short)]);
    let report = check(&pki, server.port());
    assert_eq!(
        report.finding("hsts-missing")["severity"],
        "low",
        "{report}"
    );

    let off = "add_header Strict-Transport-Security max-age=0;";
    let server = nginx(&pki, &[site(off)]);
    let report = check(&pki, server.port());
    assert_eq!(
        report.finding("hsts-missing")["severity"],
        "medium",
        "{report}"
    );
}

#[test]
fn other_hosts_and_paths() {
    needs!("nginx");
    let pki = Pki::new();
    let site = |names: &str, status: u16| {
        let line = format!("location = /health {{ return {status}; }}");
        Site::serving(&pki, &pki.chain(&pki.leaf(&[HOST])))
            .names(names)
            .line(&line)
    };
    let sites = [site(HOST, 503), site("other.example.test", 204)];
    let server = nginx(&pki, &sites);
    let ask = |more: &[&str]| {
        let report = check_with(&pki, server.port(), more);
        report.at("http/head/status").as_u64()
    };
    assert_eq!(ask(&["--only", "http"]), Some(200));
    assert_eq!(ask(&["--only", "http", "--path", "/health"]), Some(503));
    let other = [
        "--only",
        "http",
        "--path",
        "/health",
        "--host",
        "other.example.test",
    ];
    assert_eq!(ask(&other), Some(204));
}

#[test]
fn the_redirect_of_the_plaintext_port() {
    needs!("nginx");
    let pki = Pki::new();
    let site = Site::serving(&pki, &pki.chain(&pki.leaf(&[HOST])));
    let server = nginx(&pki, &[site]);
    let ask = |port: u16| {
        let port = port.to_string();
        check_with(
            &pki,
            server.port(),
            &["--only", "http", "--http-port", &port],
        )
    };
    let plain = plain_nginx(&pki);
    let report = ask(plain.port());
    report
        .says("http/redirect/outcome", "answered")
        .finds("http-redirect-missing");
    assert_eq!(report.at("http/redirect/to_https"), false, "{report}");

    let closed = net::free_port();
    let report = ask(closed);
    report
        .says("http/redirect/outcome", "refused")
        .does_not_find("http-redirect-missing")
        .is_complete();

    // A TLS port for the plaintext one: nginx answers 400 to that.
    let report = ask(server.port());
    report.does_not_find("http-redirect-missing").is_complete();

    // None is asked for where the port is not 443.
    let report = check_with(&pki, server.port(), &["--only", "http"]);
    assert!(report.at("http/redirect").is_null(), "{report}");
}

#[test]
fn haproxy_openssl_and_gnutls_answer() {
    needs!("haproxy", "openssl", "gnutls-serv", "cc");
    let pki = Pki::new();
    let chain = pki.chain(&pki.leaf(&[HOST]));
    let redirecting = format!("crt {}", pki.bundle_file(&chain).display());
    let servers = [
        haproxy(&pki, &redirecting),
        s_server(&pki, &chain, &[]),
        gnutls_serv(&pki, &chain, "NORMAL", &["--disable-client-cert"]),
    ];
    for server in &servers {
        let report = check_with(&pki, server.port(), &["--only", "http"]);
        report
            .says("http/outcome", "answered")
            .finds("hsts-missing");
        assert_eq!(report.at("http/head/status"), 200, "{report}");
    }
}

#[test]
fn an_aws_load_balancer_is_known_by_its_headers() {
    let report = check_answer(
        b"HTTP/1.1 503 Service Temporarily Unavailable\r\nServer: awselb/2.0\r\n\
          X-Amzn-Trace-Id: Root=1-canary\r\nSet-Cookie: AWSALB=canary; Path=/\r\n\
          Content-Length: 0\r\n\r\n",
    );
    report.says("http/head/server", "awselb/2.0");
    let names = report.at("http/head/aws");
    let expected = serde_json::json!(["x-amzn-trace-id", "AWSALB"]);
    assert_eq!(*names, expected, "{report}");
    assert!(!report.value.to_string().contains("canary"), "{report}");
    report.does_not_find("hsts-missing");
}

#[test]
fn what_is_no_http_is_an_answer_and_half_a_head_is_none() {
    let report = check_answer(b"220 mail.example.test ESMTP\r\n");
    report.says("http/outcome", "not-http").is_complete();
    let report = check_answer(b"HTTP/1.1 200 OK\r\nServer: x");
    report.says("http/outcome", "closed").ends_with(3);
}

#[test]
fn there_is_no_http_behind_starttls() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST])));
    let report = check_with(
        &pki,
        server.port(),
        &["--only", "http", "--starttls", "postgres", "--timeout", "1"],
    );
    assert!(report.text("http/status") != "answered", "{report}");
    assert!(report.at("http/head").is_null(), "{report}");
}
