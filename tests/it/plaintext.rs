//! HTTP without TLS, expected and not.

use gladhand_testkit::net::ClosedPort;
use gladhand_testkit::pki::Pki;
use gladhand_testkit::scripted::{
    Action, Engine, Fault, Identity, Model, Rule, ScriptedServer, When,
};

use crate::harness::{HOST, check, gladhand};

fn http(pki: &Pki) -> ScriptedServer {
    let model = Model {
        engine: Engine::None,
        ..Model::default()
    };
    let answer = Rule {
        when: When::default(),
        then: vec![Action::Http400, Action::Close],
    };
    let identity = Identity::of(pki.chain(&pki.leaf(&[HOST])));
    ScriptedServer::start(model, Fault::default(), vec![answer], identity)
}

#[test]
fn plaintext_where_tls_is_expected_is_critical() {
    let pki = Pki::new();
    let report = check(&pki, http(&pki).port());
    report
        .says("reach/outcome", "plaintext-http")
        .finds_only(&["plaintext-on-tls-port"]);
    assert_eq!(
        report.finding("plaintext-on-tls-port")["severity"],
        "critical"
    );
    report.is_complete().ends_with(1);
}

#[test]
fn plaintext_where_it_is_expected_is_right() {
    let pki = Pki::new();
    let server = http(&pki);
    let target = format!("http://127.0.0.1:{}/health", server.port());
    let report = gladhand(&["check", &target, "-o", "json"]).report();
    report
        .says("reach/outcome", "plaintext-http")
        .finds_only(&[])
        .ends_with(0);
    assert_eq!(report.at("/targets/0/plaintext_expected"), true, "{report}");
}

#[test]
fn nothing_where_plaintext_is_expected_is_not_measured() {
    let closed = ClosedPort::new();
    let target = format!("http://127.0.0.1:{}", closed.port());
    let report = gladhand(&["check", &target, "-o", "json"]).report();
    report.says("reach/outcome", "refused").ends_with(3);
}

#[test]
fn nginx_on_a_plain_port() {
    gladhand_testkit::needs!("nginx");
    // nginx answers a hello on a plain port with an HTML page and no status line (HTTP/0.9).
    let pki = Pki::new();
    let server = gladhand_testkit::real::plain_nginx(&pki);
    let report = check(&pki, server.port());
    report
        .says("reach/outcome", "plaintext-http")
        .finds_only(&["plaintext-on-tls-port"]);
    report.ends_with(1);
}
