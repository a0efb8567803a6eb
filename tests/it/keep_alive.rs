//! How long servers keep an idle connection, against a load balancer's idle timeout.

use std::process::Stdio;
use std::time::{Duration, Instant};

use gladhand_testkit::http::{Answer, HttpServer};
use gladhand_testkit::needs;
use gladhand_testkit::pki::Pki;
use gladhand_testkit::process;
use gladhand_testkit::real::{
    RealServer, Site, haproxy_with, nginx, node_http, plain_nginx_with, python_http,
};

use crate::harness::{HOST, Ran, Report, check_with, command, gladhand};

const RULE: &str = "alb-target-keep-alive-too-short";

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Watches an idle connection to a plaintext port, and asks nothing else.
fn watch(port: u16, args: &[&str]) -> Report {
    let target = format!("http://127.0.0.1:{port}/");
    let mut all = vec!["check", &target, "-o", "json", "--only", "keep_alive"];
    all.extend(args);
    gladhand(&all).report()
}

fn plain_site(lines: &[&str]) -> RealServer {
    let site = lines
        .iter()
        .fold(Site::default(), |site, line| site.line(line));
    plain_nginx_with(&Pki::new(), &[site])
}

/// So many seconds, within ten percent.
#[track_caller]
fn lasts(report: &Report, seconds: f64) -> &Report {
    let measured = report.at("keep_alive/seconds").as_f64().expect("seconds");
    let off = (measured - seconds).abs() / seconds;
    assert!(off < 0.1, "{measured} s instead of {seconds}\n{report}");
    report
}

fn answering(kept: Duration, last_words: &[u8], reset: bool) -> HttpServer {
    let server = HttpServer::new();
    let answer = Answer::Idle {
        answer: OK.to_vec(),
        kept,
        last_words: last_words.to_vec(),
        reset,
    };
    server.put("*", answer);
    server
}

#[test]
fn nginx_with_5_seconds_is_measured_and_told() {
    needs!("nginx");
    let server = plain_site(&["keepalive_timeout 5;"]);
    let report = watch(server.port(), &["--idle-timeout", "8"]);
    lasts(&report, 5.0)
        .says("keep_alive/ended_by", "close")
        .finds_only(&[RULE])
        .is_complete()
        .ends_with(1);
    let message = report.finding(RULE)["message"].as_str().unwrap();
    assert!(
        message.contains("after 5.0 s") && message.contains("up to 8 s"),
        "{message}"
    );
}

#[test]
fn nginx_with_tls_is_measured() {
    needs!("nginx");
    let pki = Pki::new();
    let site = Site::serving(&pki, &pki.chain(&pki.leaf(&[HOST]))).line("keepalive_timeout 5 5;");
    let server = nginx(&pki, &[site]);
    let args = ["--only", "keep_alive", "--idle-timeout", "8", "--no-sni"];
    let report = check_with(&pki, server.port(), &args);
    lasts(&report, 5.0)
        .says("keep_alive/ended_by", "close")
        .finds(RULE);
    assert_eq!(report.at("keep_alive/advertised"), 5, "{report}");
}

#[test]
fn haproxy_with_5_seconds_is_measured() {
    needs!("haproxy");
    let pki = Pki::new();
    let server = haproxy_with(&pki, "", "timeout http-keep-alive 5s");
    let report = watch(server.port(), &["--idle-timeout", "8"]);
    lasts(&report, 5.0)
        .says("keep_alive/ended_by", "close")
        .finds(RULE);
}

#[test]
fn node_keeps_a_second_more_than_it_announces() {
    let Some(server) = node_http("http1") else {
        return;
    };
    let report = watch(server.port(), &["--idle-timeout", "8"]);
    lasts(&report, 6.0)
        .says("keep_alive/ended_by", "close")
        .finds(RULE);
    assert_eq!(report.at("keep_alive/advertised"), 5, "{report}");
}

#[test]
fn a_target_that_outlasts_the_idle_timeout_is_fine() {
    needs!("nginx");
    let server = plain_site(&["keepalive_timeout 75;"]);
    let report = watch(server.port(), &["--idle-timeout", "1"]);
    report
        .says("keep_alive/ended_by", "still-open")
        .finds_only(&[])
        .is_complete()
        .ends_with(0);
    lasts(&report, 3.0);
}

#[test]
fn a_target_that_says_it_closes_is_fine() {
    needs!("nginx");
    let server = plain_site(&["keepalive_timeout 0;"]);
    let report = watch(server.port(), &["--idle-timeout", "8"]);
    report
        .says("keep_alive/ended_by", "close")
        .finds_only(&[])
        .is_complete();
    assert_eq!(report.at("keep_alive/persistent"), false, "{report}");
}

#[test]
fn python_closes_in_http_1_0_and_keeps_in_1_1() {
    needs!("python3");
    let old = python_http("HTTP/1.0");
    let report = watch(old.port(), &["--idle-timeout", "1"]);
    report
        .says("keep_alive/ended_by", "close")
        .finds_only(&[])
        .is_complete();
    assert_eq!(report.at("keep_alive/persistent"), false, "{report}");
    let new = python_http("HTTP/1.1");
    let report = watch(new.port(), &["--idle-timeout", "1"]);
    report
        .says("keep_alive/ended_by", "still-open")
        .finds_only(&[]);
}

#[test]
fn a_reset_is_told_from_a_close() {
    let server = answering(Duration::from_secs(1), b"", true);
    let report = watch(server.port(), &["--idle-timeout", "3"]);
    lasts(&report, 1.0)
        .says("keep_alive/ended_by", "reset")
        .finds(RULE);
}

#[test]
fn what_a_target_says_unasked_is_kept() {
    let words = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";
    let server = answering(Duration::from_secs(1), words, false);
    let report = watch(server.port(), &["--idle-timeout", "3"]);
    lasts(&report, 1.0)
        .says("keep_alive/ended_by", "close")
        .finds(RULE);
    assert!(
        report.text("keep_alive/unasked").contains("408"),
        "{report}"
    );
}

#[test]
fn a_target_that_does_not_answer_is_not_measured() {
    let server = HttpServer::new();
    server.put("*", Answer::Held(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()));
    let report = watch(server.port(), &["--idle-timeout", "1", "--timeout", "1"]);
    report
        .says("keep_alive/status", "failed")
        .finds_only(&["not-measured"])
        .ends_with(3);
}

#[test]
fn a_body_that_is_too_long_or_does_not_end_is_left_out() {
    let server = HttpServer::new();
    server.put("*", Answer::Body(vec![b'x'; 3 << 20]));
    let report = watch(server.port(), &["--idle-timeout", "1"]);
    report.says("keep_alive/method", "HEAD");
    let body = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx".to_vec();
    server.put("*", Answer::Held(body));
    let report = watch(server.port(), &["--idle-timeout", "1", "--timeout", "1"]);
    report.says("keep_alive/method", "HEAD");
    let why = report.text("keep_alive/evidence/0");
    assert!(why.contains("not answered in time"), "{report}");
}

#[test]
fn it_has_time_of_its_own_beyond_the_deadline() {
    let server = answering(Duration::from_secs(3), b"", false);
    let args = ["--idle-timeout", "4", "--deadline", "1", "--timeout", "1"];
    lasts(&watch(server.port(), &args), 3.0).finds(RULE);
}

#[test]
fn an_idle_connection_of_http_2_is_measured() {
    let Some(server) = node_http("http2-idle") else {
        return;
    };
    let args = ["--idle-timeout", "3", "--protocol-version", "http2"];
    let report = watch(server.port(), &args);
    lasts(&report, 1.0)
        .says("keep_alive/ended_by", "close")
        .finds(RULE);
}

#[test]
fn many_targets_are_watched_at_once() {
    let servers: Vec<_> = (0..20)
        .map(|_| answering(Duration::from_secs(4), b"", false))
        .collect();
    let targets = servers.iter().map(|server| server.url("/"));
    let mut args: Vec<String> = vec!["check".into()];
    args.extend(targets);
    let more = ["-o", "json", "--only", "keep_alive", "--idle-timeout", "5"];
    args.extend(more.map(Into::into));
    let report = gladhand(&args).report();
    assert_eq!(report.findings().count(), 20, "{report}");
    assert!(
        report.took < Duration::from_secs(20),
        "one after the other: {:?}",
        report.took
    );
}

#[test]
fn an_interrupt_ends_the_wait_with_what_is_known() {
    let server = answering(Duration::from_secs(300), b"", false);
    let target = server.url("/");
    let mut command = command();
    command
        .args([
            "check",
            &target,
            "-o",
            "json",
            "--only",
            "keep_alive",
            "--idle-timeout",
            "60",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().expect("the program runs");
    let begin = Instant::now();
    // `reach` asks by HEAD; GET is the request whose connection is watched.
    while !server.asked().iter().any(|asked| asked.method == "GET") {
        assert!(begin.elapsed() < Duration::from_secs(60), "it never asks");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_secs(1));
    process::interrupt(&child);
    let begin = Instant::now();
    let output = child.wait_with_output().expect("the program ends");
    let ran = Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        took: begin.elapsed(),
    };
    let report = ran.report();
    report
        .says("keep_alive/ended_by", "still-open")
        .ends_with(130);
    assert_eq!(report.at("keep_alive/interrupted"), true, "{report}");
    let seconds = report.at("keep_alive/seconds").as_f64().expect("seconds");
    assert!((0.9..30.0).contains(&seconds), "{report}");
    let gaps = report.at("/not_measured").to_string();
    assert!(gaps.contains("still open after"), "{gaps}");
    report.does_not_find(RULE);
}

#[test]
fn it_is_not_run_unasked() {
    let server = answering(Duration::from_secs(1), b"", false);
    let report = gladhand(&["check", &server.url("/"), "-o", "json"]).report();
    report
        .says("keep_alive/status", "not-applicable")
        .finds_only(&[])
        .is_complete();
    assert!(report.took < Duration::from_secs(60), "{report}");
}
