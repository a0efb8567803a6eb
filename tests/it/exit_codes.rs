//! Every exit code of the contract, end to end.

use std::io::Read;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use gladhand_testkit::net::ClosedPort;
use gladhand_testkit::pki::{Pki, Spec};
use gladhand_testkit::process;
use gladhand_testkit::scripted::{Engine, Fault, Identity, Model, ScriptedServer};

use crate::harness::{HOST, Ran, check_args, check_with, command, gladhand, gladhand_in};

fn healthy(pki: &Pki) -> ScriptedServer {
    ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST])))
}

fn silent(pki: &Pki) -> ScriptedServer {
    let model = Model {
        engine: Engine::None,
        ..Model::default()
    };
    let identity = Identity::of(pki.chain(&pki.leaf(&[HOST])));
    ScriptedServer::start(model, Fault::default(), vec![], identity)
}

#[test]
fn zero_where_all_was_measured_and_nothing_is_wrong() {
    let pki = Pki::new();
    check_with(&pki, healthy(&pki).port(), &[])
        .finds_only(&[])
        .is_complete()
        .ends_with(0);
}

#[test]
fn one_for_findings_at_or_above_fail_on() {
    let pki = Pki::new();
    // One finding, of severity medium.
    let soon = pki.issue(&Spec::leaf(&[HOST]).days(-340, 20));
    let server = ScriptedServer::serving(pki.chain(&soon));
    for (fail_on, code) in [
        ("critical", 0),
        ("high", 0),
        ("medium", 1),
        ("low", 1),
        ("none", 0),
    ] {
        let report = check_with(&pki, server.port(), &["--fail-on", fail_on]);
        report
            .finds_only(&["certificate-expires-soon"])
            .ends_with(code);
    }
    let expired = pki.issue(&Spec::leaf(&[HOST]).expired());
    let server = ScriptedServer::serving(pki.chain(&expired));
    for (fail_on, code) in [("critical", 1), ("high", 1), ("none", 0)] {
        check_with(&pki, server.port(), &["--fail-on", fail_on]).ends_with(code);
    }
}

#[test]
fn one_wins_over_three() {
    let pki = Pki::new();
    let expired = ScriptedServer::serving(pki.chain(&pki.issue(&Spec::leaf(&[HOST]).expired())));
    let closed = ClosedPort::new();
    let other = format!("127.0.0.1:{}", closed.port());
    let trust = pki.root_file().display().to_string();
    let target = format!("127.0.0.1:{}", expired.port());
    let args = [
        "check", &target, &other, "--trust", &trust, "-o", "json", "--sni", HOST,
    ];
    let report = gladhand(&args).report();
    report
        .finds("certificate-expired")
        .finds("port-closed")
        .ends_with(1);
    assert_eq!(report.at("/complete"), false);
}

/// Bad input: exit code 2, nothing on stdout, a message that names what is wrong, nothing probed.
#[track_caller]
fn refused(args: &[&str], names: &[&str]) {
    let ran = gladhand(args);
    ran.ends_with(2);
    assert_eq!(ran.stdout, "", "nothing was probed: {ran:#?}");
    for name in names {
        assert!(ran.stderr.contains(name), "{name} is named: {ran:#?}");
    }
    assert!(!ran.stderr.contains("panicked"), "{ran:#?}");
}

#[test]
fn two_for_bad_targets() {
    refused(&["check"], &["TARGET"]);
    refused(&["check", ""], &["empty"]);
    refused(&["check", "lb.example.test:99999"], &["99999"]);
    refused(&["check", "lb.example.test:0"], &["`0`"]);
    refused(&["check", "lb.example.test:https"], &["https"]);
    refused(&["check", "ftp://lb.example.test"], &["ftp"]);
    refused(&["check", "two words"], &["two words"]);
    refused(&["check", "256.1.1.1"], &["256.1.1.1"]);
    refused(&["check", "[::1"], &["[::1"]);
    refused(
        &["check", "-o", "json", "@/no/such/list"],
        &["/no/such/list"],
    );
}

#[test]
fn two_for_bad_flags() {
    let host = "lb.example.test";
    refused(&["check", host, "--no-such-flag"], &["--no-such-flag"]);
    refused(&["check", host, "--only", "suits"], &["suits", "suites"]);
    refused(&["check", host, "--skip", "everything"], &["everything"]);
    refused(
        &["check", host, "--trust", "/no/such/roots.pem"],
        &["/no/such/roots.pem"],
    );
    refused(&["check", host, "--timeout", "0"], &["--timeout"]);
    refused(&["check", host, "--timeout", "soon"], &["soon"]);
    refused(&["check", host, "--deadline", "-1"], &["-1"]);
    refused(&["check", host, "--deadline=-1"], &["--deadline"]);
    refused(
        &["check", host, "--max-connections", "0"],
        &["--max-connections"],
    );
    refused(&["check", host, "--rate", "none"], &["--rate"]);
    refused(
        &["check", host, "--fail-on", "awful"],
        &["awful", "critical"],
    );
    refused(&["check", host, "--connect", "localhost"], &["--connect"]);
    refused(&["check", host, "--sni", "a b"], &["--sni"]);
    refused(
        &["check", host, "--sni", "a.test", "--no-sni"],
        &["--no-sni"],
    );
    refused(&["check", host, "-4", "-6"], &["--ipv4", "--ipv6"]);
    refused(&["check", host, "-o", "yaml"], &["yaml", "json"]);
    refused(
        &["check", host, "-o", "json=/no/such/folder/report.json"],
        &["/no/such/folder"],
    );
    refused(&["check", host, "-o", "json", "-o", "text"], &["-o"]);
    refused(&["rules", "no-such-rule"], &["no-such-rule"]);
    refused(&["frobnicate"], &["frobnicate"]);
    refused(&[], &["Usage"]);
}

#[test]
fn two_for_a_trust_file_without_certificates() {
    let pki = Pki::new();
    let empty = pki.file("pem", b"");
    let text = pki.file("pem", b"not PEM at all\n");
    let broken = pki.file(
        "pem",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    for file in [empty, text, broken] {
        let name = file.display().to_string();
        refused(&["check", "lb.example.test", "--trust", &name], &[&name]);
    }
}

#[test]
fn two_for_bad_environment_variables() {
    let ran = gladhand_in(
        &["check", "lb.example.test"],
        &[("GLADHAND_TIMEOUT", "never")],
        "",
    );
    ran.ends_with(2);
    assert!(ran.stderr.contains("never"), "{ran:#?}");
}

#[test]
fn two_for_a_bad_line_in_a_list() {
    let ran = gladhand_in(&["check", "-"], &[], "lb.example.test\nftp://x\n");
    ran.ends_with(2);
    assert!(ran.stderr.contains("ftp"), "{ran:#?}");
    gladhand_in(&["check", "-"], &[], "# nobody\n\n").ends_with(2);
}

#[test]
fn three_for_a_refused_connection() {
    let pki = Pki::new();
    let report = check_with(&pki, ClosedPort::new().port(), &[]);
    report
        .says("reach/outcome", "refused")
        .finds_only(&["port-closed"])
        .ends_with(3);
    assert_eq!(report.at("/complete"), false);
    assert_eq!(report.at("/not_measured/0/what"), "tls");
}

#[test]
fn three_for_a_name_that_does_not_resolve() {
    let ran = gladhand(&["check", "no-such-host.invalid", "-o", "json"]);
    let report = ran.report();
    report.ends_with(3);
    assert_eq!(report.at("/complete"), false);
    assert_eq!(report.at("/not_measured/0/what"), "name");
    assert_eq!(
        report.at("/targets/0/endpoints").as_array().map(Vec::len),
        Some(0)
    );
    assert!(!report.text("/targets/0/error").is_empty(), "{report}");
    let text = gladhand(&["check", "no-such-host.invalid"]);
    text.ends_with(3);
    assert!(text.stdout.contains("no-such-host.invalid"), "{text:#?}");
}

#[test]
fn three_for_silence() {
    let pki = Pki::new();
    let args = ["--timeout", "1", "--deadline", "10"];
    let report = check_with(&pki, silent(&pki).port(), &args);
    report
        .says("reach/outcome", "silent")
        .finds_only(&["port-silent"])
        .ends_with(3);
}

#[test]
fn three_where_one_of_two_targets_is_closed() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&["127.0.0.1"])));
    let closed = ClosedPort::new();
    let trust = pki.root_file().display().to_string();
    let list = format!(
        "127.0.0.1:{}\n# a comment\n127.0.0.1:{}\n",
        server.port(),
        closed.port()
    );
    let ran = gladhand_in(&["check", "-", "--trust", &trust, "-o", "json"], &[], &list);
    let report = ran.report();
    report.ends_with(3).finds_only(&["port-closed"]);
    assert_eq!(report.at("/targets").as_array().map(Vec::len), Some(2));
}

#[test]
fn seventy_for_a_panic_in_a_probe_and_the_rest_goes_on() {
    let pki = Pki::new();
    for probe in ["versions", "suites", "certificate", "reach"] {
        let server = healthy(&pki);
        let args = check_args(HOST, server.port(), &pki.root_file(), &[]);
        let ran = gladhand_in(&args, &[("GLADHAND_FAIL_POINT", probe)], "");
        let report = ran.report();
        report
            .ends_with(70)
            .says(&format!("{probe}/status"), "failed");
        assert_eq!(report.at("/complete"), false, "{report}");
        if probe != "reach" {
            report.says("handshake/outcome", "completed");
        }
    }
}

#[test]
fn seventy_costs_one_target_and_not_the_other() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&["127.0.0.1"])));
    let target = format!("127.0.0.1:{}", server.port());
    let trust = pki.root_file().display().to_string();
    let args = [
        "check",
        &target,
        "no-such-host.invalid",
        "--trust",
        &trust,
        "-o",
        "json",
    ];
    let ran = gladhand_in(&args, &[("GLADHAND_FAIL_POINT", "sni")], "");
    let report = ran.report();
    report.ends_with(70);
    assert_eq!(
        report.at("/targets").as_array().map(Vec::len),
        Some(2),
        "{report}"
    );
}

/// Starts a run that would wait for a minute, and waits until the server has it.
fn waiting(pki: &Pki, server: &ScriptedServer, more: &[&str]) -> Child {
    let mut args = check_args(HOST, server.port(), &pki.root_file(), more);
    args.extend(["--timeout", "60", "--deadline", "60"].map(str::to_owned));
    let mut command = command();
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().expect("the program runs");
    let begin = Instant::now();
    while server.connections() == 0 {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "no connection came"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

fn finish(child: Child) -> Ran {
    let begin = Instant::now();
    let output = child.wait_with_output().expect("the program ends");
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        took: begin.elapsed(),
    }
}

#[test]
fn a_hundred_and_thirty_for_an_interrupt_with_a_partial_report() {
    let pki = Pki::new();
    let server = silent(&pki);
    let child = waiting(&pki, &server, &[]);
    process::interrupt(&child);
    let ran = finish(child);
    let report = ran.report();
    report.ends_with(130);
    assert_eq!(report.at("/interrupted"), true, "{report}");
    assert_eq!(report.at("/complete"), false, "{report}");
    assert!(ran.took < Duration::from_secs(30), "{ran:#?}");
}

#[test]
fn a_hundred_and_forty_three_for_a_termination() {
    let pki = Pki::new();
    let server = silent(&pki);
    let child = waiting(&pki, &server, &[]);
    process::terminate(&child);
    let report = finish(child).report();
    report.ends_with(143);
    assert_eq!(report.at("/interrupted"), true, "{report}");
}

#[test]
fn what_was_measured_before_an_interrupt_is_in_the_report() {
    let pki = Pki::new();
    let good = ScriptedServer::serving(pki.chain(&pki.leaf(&["127.0.0.1"])));
    let hanging = silent(&pki);
    let trust = pki.root_file().display().to_string();
    let targets = [good.port(), hanging.port()].map(|port| format!("127.0.0.1:{port}"));
    let mut command = command();
    command
        .args([
            "check",
            &targets[0],
            &targets[1],
            "--trust",
            &trust,
            "-o",
            "json",
        ])
        .args(["--timeout", "60", "--deadline", "60"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program runs");
    // The good one needs some thirty connections, and then there are no more.
    let begin = Instant::now();
    let mut before = (0, Instant::now());
    while before.0 == 0 || before.1.elapsed() < Duration::from_secs(2) {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "it never comes to rest"
        );
        let now = good.connections();
        if now != before.0 {
            before = (now, Instant::now());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    process::interrupt(&child);
    let mut stdout = String::new();
    child
        .stdout
        .take()
        .expect("a pipe")
        .read_to_string(&mut stdout)
        .expect("UTF-8");
    let code = child.wait().expect("the program ends").code();
    let ran = Ran {
        code,
        stdout,
        stderr: String::new(),
        took: begin.elapsed(),
    };
    let report = ran.report();
    report
        .ends_with(130)
        .says("verification/verdict", "trusted");
    assert_eq!(
        report.at("/targets").as_array().map(Vec::len),
        Some(2),
        "{report}"
    );
}
