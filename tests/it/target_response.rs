//! What targets answer to a load balancer: soundly, and in every wrong way.

use gladhand_testkit::http::{Answer, HttpServer};
use gladhand_testkit::needs;
use gladhand_testkit::pki::Pki;
use gladhand_testkit::real::{Site, nginx, node_http, node_https, plain_nginx_with, python_http};
use gladhand_testkit::scripted::{Fault, Identity, Model, ScriptedServer};

use crate::harness::{HOST, Report, check_with, gladhand};

const INVALID: &str = "alb-target-response-invalid";
const MISMATCH: &str = "alb-target-protocol-version-mismatch";

/// Asks a plaintext port as a target, under a name.
fn ask(port: u16, args: &[&str]) -> Report {
    let target = format!("http://127.0.0.1:{port}/api");
    let mut all = vec!["check", &target, "-o", "json", "--only", "target_response"];
    all.extend(["--host", "www.example.test", "--timeout", "2"]);
    all.extend(args);
    gladhand(&all).report()
}

/// The same with health checks.
fn ask_both(port: u16) -> Report {
    ask(port, &["--health-path", "/health"])
}

/// A target that answers clients with this, and health checks well.
fn answering(answer: Answer) -> HttpServer {
    let server = HttpServer::new();
    server.put("*", Answer::Body(b"ok".to_vec()));
    server.put("/api", answer);
    server
}

fn asked_with(answer: Answer) -> Report {
    ask_both(answering(answer).port())
}

#[test]
fn a_sound_target_has_no_finding() {
    needs!("nginx");
    let server = plain_nginx_with(&Pki::new(), &[Site::default()]);
    let report = ask_both(server.port());
    report.finds_only(&[]).is_complete().ends_with(0);
    for answer in ["health_check", "request"] {
        report.says(&format!("target_response/{answer}/outcome"), "complete");
        assert_eq!(
            report.at(&format!("target_response/{answer}/head/status")),
            200
        );
    }
    report.says("target_response/http1/answer", "yes");
}

#[test]
fn health_checks_and_requests_are_asked_as_aws_does() {
    let server = answering(Answer::Body(b"ok".to_vec()));
    ask_both(server.port()).finds_only(&[]);
    let asked = server.asked();
    let of = |path: &str| {
        let head = asked
            .iter()
            .find(|asked| asked.path == path)
            .expect("asked")
            .head
            .clone();
        head.to_ascii_lowercase()
    };
    let check = of("/health");
    assert!(
        check.contains("user-agent: elb-healthchecker/2.0\r\n"),
        "{check}"
    );
    assert!(check.contains("connection: close\r\n"), "{check}");
    assert!(
        check.contains(&format!("host: 127.0.0.1:{}\r\n", server.port())),
        "{check}"
    );
    let request = of("/api");
    assert!(request.contains("host: www.example.test\r\n"), "{request}");
    assert!(request.contains("x-forwarded-proto: https"), "{request}");
    assert!(request.contains("connection: keep-alive\r\n"), "{request}");
}

#[test]
fn a_path_of_its_own_goes_before_that_of_the_url() {
    let server = answering(Answer::Body(b"ok".to_vec()));
    ask(
        server.port(),
        &["--path", "/other?a=b", "--idle-timeout", "60"],
    )
    .says("target_response/request/path", "/other?a=b");
    assert!(
        server
            .asked()
            .iter()
            .any(|asked| asked.path == "/other?a=b")
    );
}

/// Answers that no load balancer passes on, and what is seen of them.
#[test]
fn each_malformed_answer_is_told() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let cases: &[(&str, String, &str, &str)] = &[
        (
            "status",
            "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n".into(),
            "malformed",
            "status-line",
        ),
        (
            "field",
            format!("{ok}no field\r\nContent-Length: 0\r\n\r\n"),
            "complete",
            "field-line",
        ),
        (
            "nul",
            format!("{ok}X: a\0b\r\nContent-Length: 0\r\n\r\n"),
            "complete",
            "nul",
        ),
        (
            "number",
            format!("{ok}Content-Length: x\r\n\r\n"),
            "malformed",
            "content-length-invalid",
        ),
        (
            "two numbers",
            format!("{ok}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok"),
            "malformed",
            "content-length-conflict",
        ),
        (
            "short",
            format!("{ok}Content-Length: 9\r\n\r\nok"),
            "broken-off",
            "body-broken-off",
        ),
        (
            "head",
            format!("{ok}Server: x"),
            "broken-off",
            "head-broken-off",
        ),
        (
            "chunk",
            format!("{ok}Transfer-Encoding: chunked\r\n\r\nxyz\r\n"),
            "malformed",
            "chunk",
        ),
        (
            "last chunk",
            format!("{ok}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"),
            "broken-off",
            "body-broken-off",
        ),
        (
            "switching",
            "HTTP/1.1 101 Switching Protocols\r\n\r\n".into(),
            "malformed",
            "switching-protocols",
        ),
        (
            "interim",
            "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(30),
            "malformed",
            "interim",
        ),
    ];
    for (name, bytes, outcome, kind) in cases {
        let report = asked_with(Answer::Raw(bytes.clone().into_bytes()));
        report
            .says("target_response/request/outcome", outcome)
            .says("target_response/request/problems/0/kind", kind)
            .finds_only(&[INVALID])
            .ends_with(1);
        let finding = report.finding(INVALID);
        assert_eq!(finding["severity"], "high", "{name}: {report}");
        let message = finding["message"].as_str().unwrap();
        assert!(message.contains("counts as healthy"), "{name}: {message}");
    }
}

#[test]
fn what_only_strict_readers_refuse_is_medium_or_low() {
    let cases = [
        (
            "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
            "bare-lf",
            "medium",
        ),
        (
            "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
            "line-folding",
            "medium",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
            "space-before-colon",
            "medium",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokay",
            "bytes-after-end",
            "medium",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "content-length-and-transfer-encoding",
            "medium",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
            "content-length-repeated",
            "low",
        ),
    ];
    for (bytes, kind, severity) in cases {
        let report = asked_with(Answer::Raw(bytes.into()));
        report.says("target_response/request/outcome", "complete");
        report
            .says("target_response/request/problems/0/kind", kind)
            .finds_only(&[INVALID]);
        assert_eq!(
            report.finding(INVALID)["severity"],
            severity,
            "{kind}: {report}"
        );
    }
}

#[test]
fn a_body_that_never_comes_is_what_makes_504() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello".to_vec();
    let report = asked_with(Answer::Held(bytes));
    report
        .says("target_response/request/outcome", "stalled")
        .finds_only(&[INVALID]);
    let message = report.finding(INVALID)["message"].as_str().unwrap();
    assert!(message.contains("504"), "{message}");
}

#[test]
fn no_answer_at_all_is_told_when_it_comes_twice() {
    let report = asked_with(Answer::Nothing);
    report
        .says("target_response/request/outcome", "closed")
        .finds_only(&[INVALID]);
    let message = report.finding(INVALID)["message"].as_str().unwrap();
    assert!(
        message.contains("is not answered: the connection is closed"),
        "{message}"
    );
}

#[test]
fn an_answer_that_is_another_one_the_second_time_proves_nothing() {
    let turns = Answer::InTurn(
        Box::new(Answer::Nothing),
        Box::new(Answer::Body(b"ok".to_vec())),
    );
    let report = asked_with(turns);
    report
        .says("target_response/request/outcome", "complete")
        .says("target_response/request/unsteady", "closed")
        .finds_only(&["not-measured"])
        .ends_with(3);
}

#[test]
fn silence_is_not_measured() {
    let report = asked_with(Answer::Held(Vec::new()));
    report.says("target_response/request/outcome", "silent");
    report.does_not_find(INVALID).ends_with(3);
}

#[test]
fn a_long_body_is_not_read_to_its_end() {
    let report = asked_with(Answer::Body(vec![b'x'; 3 << 20]));
    report.says("target_response/request/outcome", "not-read-further");
    report.does_not_find(INVALID).ends_with(3);
}

#[test]
fn what_is_no_http_is_no_answer() {
    let report = asked_with(Answer::Raw(b"<html>hello</html>".to_vec()));
    report
        .says("target_response/request/outcome", "not-http")
        .finds_only(&[INVALID]);
}

#[test]
fn more_than_32_kib_of_header_are_too_much() {
    let rule = "alb-target-response-header-too-large";
    let head = |bytes: usize| {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: \r\n\r\n";
        let fill = "a".repeat(bytes - head.len());
        format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: {fill}\r\n\r\nok").into_bytes()
    };
    let report = asked_with(Answer::Raw(head(32_769)));
    report.finds_only(&[rule]).ends_with(1);
    assert_eq!(
        report.at("target_response/request/header_bytes"),
        32_769,
        "{report}"
    );
    asked_with(Answer::Raw(head(32_768))).finds_only(&[]);
    let endless = vec![b'a'; 200 * 1024];
    let endless = [b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &endless].concat();
    let report = asked_with(Answer::Raw(endless));
    report
        .says("target_response/request/outcome", "head-too-large")
        .finds_only(&[rule]);
}

#[test]
fn a_health_check_that_is_redirected_fails() {
    let server = answering(Answer::Body(b"ok".to_vec()));
    server.put(
        "/health",
        Answer::Redirect("https://www.example.test/health".into()),
    );
    let report = ask_both(server.port());
    report
        .finds_only(&["alb-target-health-check-fails"])
        .ends_with(1);
    let finding = report.finding("alb-target-health-check-fails");
    let message = finding["message"].as_str().unwrap();
    for part in [
        "HTTP 302",
        "to https://www.example.test/health",
        "200 is healthy",
    ] {
        assert!(message.contains(part), "{message}");
    }
    ask(
        server.port(),
        &["--health-path", "/health", "--health-codes", "200-399"],
    )
    .finds_only(&[]);
}

#[test]
fn a_healthy_target_may_fail_its_clients() {
    let rule = "alb-target-request-fails";
    let report = asked_with(Answer::Status(503));
    report.finds_only(&[rule]).ends_with(1);
    asked_with(Answer::Status(404)).finds_only(&[]);
    let server = answering(Answer::Status(503));
    server.put("/health", Answer::Status(503));
    ask_both(server.port()).finds_only(&["alb-target-health-check-fails"]);
    let to_itself = Answer::Redirect("https://www.example.test/api".into());
    let report = asked_with(to_itself);
    report.finds_only(&[rule]);
    assert_eq!(report.finding(rule)["evidence"]["key"], "loop", "{report}");
}

#[test]
fn http_1_is_told_from_http_2() {
    needs!("python3");
    let python = python_http("HTTP/1.1");
    for version in ["http2", "grpc"] {
        let report = ask(python.port(), &["--protocol-version", version]);
        report
            .says("target_response/http2/answer", "no")
            .says("target_response/http1/answer", "yes")
            .finds_only(&[MISMATCH])
            .ends_with(1);
    }
    let Some(node) = node_http("http2") else {
        return;
    };
    let report = ask(node.port(), &["--idle-timeout", "60"]);
    report
        .says("target_response/http1/answer", "no")
        .says("target_response/http2/answer", "yes")
        .finds_only(&[MISMATCH])
        .ends_with(1);
    let report = ask(
        node.port(),
        &["--protocol-version", "http2", "--health-path", "/"],
    );
    report
        .says("target_response/http2/answer", "yes")
        .says("target_response/request/framing", "http2")
        .finds_only(&[])
        .is_complete()
        .ends_with(0);
    let report = ask(node.port(), &["--protocol-version", "grpc"]);
    report.finds_only(&[MISMATCH]);
    assert_eq!(
        report.finding(MISMATCH)["evidence"]["key"],
        "no-grpc",
        "{report}"
    );
}

#[test]
fn grpc_is_healthy_by_its_status() {
    let Some(node) = node_http("grpc") else {
        return;
    };
    let grpc = [
        "--protocol-version",
        "grpc",
        "--health-path",
        "/AWS.ALB/healthcheck",
    ];
    let report = ask(node.port(), &grpc);
    report.finds_only(&[]).is_complete();
    assert_eq!(
        report.at("target_response/health_check/grpc_status"),
        12,
        "{report}"
    );
    assert_eq!(
        report.at("target_response/health_check/matches"),
        true,
        "{report}"
    );
    let report = ask(node.port(), &[&grpc[..], &["--health-codes", "0"]].concat());
    report.finds_only(&["alb-target-health-check-fails"]);
}

#[test]
fn http_2_over_tls_is_asked_by_alpn() {
    let pki = Pki::new();
    let chain = pki.chain(&pki.leaf(&[HOST]));
    let args = [
        "--only",
        "target_response",
        "--protocol-version",
        "http2",
        "--no-sni",
    ];
    if let Some(node) = node_https(&pki, &chain, "http2") {
        let report = check_with(&pki, node.port(), &args);
        report.says("target_response/http2/answer", "yes");
        report
            .says("target_response/request/alpn/answer", "yes")
            .does_not_find(MISMATCH);
    }
    needs!("nginx");
    let server = nginx(&pki, &[Site::serving(&pki, &chain)]);
    let report = check_with(&pki, server.port(), &args);
    report
        .says("target_response/http2/answer", "no")
        .says("target_response/http1/answer", "yes")
        .finds(MISMATCH);
}

#[test]
fn answers_over_tls_are_read_as_strictly() {
    let pki = Pki::new();
    let mut identity = Identity::of(pki.chain(&pki.leaf(&[HOST])));
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok".to_vec();
    identity.answers.insert(HOST.into(), answer);
    let server = ScriptedServer::start(Model::default(), Fault::default(), vec![], identity);
    let args = [
        "--only",
        "target_response",
        "--idle-timeout",
        "60",
        "--timeout",
        "2",
    ];
    let report = check_with(&pki, server.port(), &args);
    report.finds(INVALID);
    let outcome = report.text("target_response/request/outcome");
    assert!(["broken-off", "stalled"].contains(&outcome), "{report}");
}

#[test]
fn a_port_that_speaks_tls_is_no_plaintext_target() {
    needs!("nginx");
    let pki = Pki::new();
    let server = nginx(&pki, &[Site::serving(&pki, &pki.chain(&pki.leaf(&[HOST])))]);
    let report = ask_both(server.port());
    report
        .says("reach/outcome", "tls")
        .says("target_response/status", "not-applicable");
}

#[test]
fn it_is_not_asked_as_a_target_unasked() {
    let server = answering(Answer::Raw(b"HTTP/1.1 2x0 OK\r\n\r\n".to_vec()));
    let ran = gladhand(&["check", &server.url("/api"), "-o", "json"]);
    let report = ran.report();
    report
        .says("target_response/status", "not-applicable")
        .finds_only(&[])
        .is_complete();
    for (probe, flag) in [
        ("target_response", "--health-path"),
        ("keep_alive", "--idle-timeout"),
    ] {
        let ran = gladhand(&["check", &server.url("/api"), "--only", probe]);
        ran.ends_with(2);
        assert!(ran.stderr.contains(flag), "{ran:#?}");
    }
}

#[test]
fn the_text_says_what_was_answered() {
    needs!("nginx");
    let site = Site::default().line("keepalive_timeout 1;");
    let server = plain_nginx_with(&Pki::new(), &[site]);
    let target = format!("http://127.0.0.1:{}/api", server.port());
    let flags = [
        "--host",
        "www.example.test",
        "--health-path",
        "/up",
        "--idle-timeout",
        "2",
    ];
    let ran = gladhand(&[&["check", target.as_str()], &flags[..]].concat());
    for part in [
        "health check  GET /up for 127.0.0.1",
        "200 is healthy",
        "GET /api for www.example.test: HTTP 200 OK",
        "an idle connection is closed after 1.0 s",
        "server.keepAliveTimeout = 65000",
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in\n{}", ran.stdout);
    }
}
