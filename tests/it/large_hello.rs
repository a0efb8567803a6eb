//! Hellos of more than one packet: who drops them, and why.

use gladhand_testkit::faults::HelloIs::{self, InPieces, Over};
use gladhand_testkit::faults::{Fault, FaultProxy, Instead};
use gladhand_testkit::needs;
use gladhand_testkit::pki::{KeyKind, Pki, Spec};
use gladhand_testkit::real::{RealServer, Site, nginx};

use crate::harness::{GLADHAND, HOST, Ran, Report, check_args, check_with};
use crate::narrow_path::{self, Limits, Path, SERVER};

/// A whole packet.
const ALL: usize = 1500;
/// What passes through a tunnel.
const NARROW: usize = 1280;

fn server(pki: &Pki) -> RealServer {
    let leaf = pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048)));
    nginx(pki, &[Site::serving(pki, &pki.chain(&leaf))])
}

/// Checks nginx behind a proxy with this fault.
fn behind(which: HelloIs, instead: Instead) -> Report {
    let pki = Pki::new();
    let server = server(&pki);
    let proxy = FaultProxy::before(server.port(), &[Fault::Hello(which, instead)]);
    let args = ["--only", "large_hello", "--timeout", "1"];
    check_with(&pki, proxy.port(), &args)
}

#[test]
fn a_limit_of_the_hello_is_the_servers() {
    needs!("nginx");
    for instead in Instead::REFUSALS {
        let report = behind(Over(1400), instead);
        report
            .says("large_hello/cause", "server")
            .says("large_hello/small/answer", "yes")
            .says("large_hello/large/answer", "no")
            .says("large_hello/in_two/answer", "yes")
            .says("large_hello/clamped/answer", "no")
            .says("large_hello/without_share/answer", "no")
            .finds_only(&["large-hello-dropped"])
            .is_complete();
        assert_eq!(report.at("large_hello/limit_bytes"), 1805, "{report}");
        assert!(report.connections() <= 32, "{report}");
    }
}

#[test]
fn a_limit_beyond_two_packets_is_less_grave() {
    needs!("nginx");
    let report = behind(Over(2500), Instead::Reset);
    report
        .says("large_hello/cause", "server")
        .says("large_hello/large/answer", "yes")
        .says("large_hello/larger/answer", "no")
        .ends_with(0);
    assert_eq!(
        report.finding("large-hello-dropped")["severity"],
        "medium",
        "{report}"
    );
}

#[test]
fn who_reads_one_segment_only_fails_with_a_small_hello_too() {
    needs!("nginx");
    for instead in Instead::REFUSALS {
        behind(InPieces, instead)
            .says("large_hello/cause", "segmentation")
            .says("large_hello/in_two/answer", "no")
            .finds_only(&["large-hello-dropped"])
            .is_complete();
    }
}

/// Checks nginx, or what stands before it, at the other end of a path.
fn through(path: &Path, faults: &[Fault], args: &[&str]) -> Report {
    let pki = Pki::new();
    let server = server(&pki);
    let proxy = FaultProxy::before(server.port(), faults);
    let port = narrow_path::forward(proxy.port());
    let mut all = check_args(HOST, port, &pki.root_file(), args);
    let connect = all.iter_mut().find(|arg| *arg == "127.0.0.1");
    *connect.expect("--connect 127.0.0.1") = SERVER.to_string();
    let begin = std::time::Instant::now();
    let output = path.command(GLADHAND).args(all).output().expect("it runs");
    let ran = Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        took: begin.elapsed(),
    };
    ran.report()
}

const PATIENCE: [&str; 4] = ["--only", "large_hello", "--timeout", "5"];

#[test]
fn a_wide_path_is_no_matter() {
    needs!("nginx", "unshare", "nsenter", "ip");
    if !narrow_path::inside("large_hello::a_wide_path_is_no_matter") {
        return;
    }
    let path = Path::new(Limits {
        there: ALL,
        back: ALL,
    });
    let report = through(&path, &[], &PATIENCE);
    report
        .says("large_hello/cause", "none")
        .finds_only(&[])
        .is_complete();
    assert_eq!(report.connections(), 2, "{report}");
}

#[test]
fn a_narrow_path_loses_full_packets() {
    needs!("nginx", "unshare", "nsenter", "ip");
    if !narrow_path::inside("large_hello::a_narrow_path_loses_full_packets") {
        return;
    }
    let path = Path::new(Limits {
        there: NARROW,
        back: ALL,
    });
    let report = through(&path, &[], &PATIENCE);
    report
        .says("large_hello/cause", "path-mtu")
        .says("large_hello/large/answer", "no")
        .says("large_hello/in_two/answer", "yes")
        .says("large_hello/clamped/answer", "yes")
        .finds_only(&["large-hello-dropped"])
        .is_complete();
}

#[test]
fn a_path_that_is_narrow_both_ways_lets_nothing_back() {
    needs!("nginx", "unshare", "nsenter", "ip");
    if !narrow_path::inside("large_hello::a_path_that_is_narrow_both_ways_lets_nothing_back") {
        return;
    }
    let path = Path::new(Limits {
        there: NARROW,
        back: NARROW,
    });
    let report = through(&path, &[], &PATIENCE);
    report
        .says("reach/outcome", "silent")
        .says("large_hello/cause", "path-mtu")
        .says("large_hello/small/answer", "no")
        .says("large_hello/clamped/answer", "yes")
        .finds("large-hello-dropped")
        .finds("port-silent")
        .ends_with(1);
    // What never answers is no narrow path.
    let fault = Fault::Hello(Over(0), Instead::Silence);
    let report = through(&path, &[fault], &PATIENCE);
    report
        .says("reach/outcome", "silent")
        .says("large_hello/status", "failed")
        .does_not_find("large-hello-dropped");
}

#[test]
fn a_limit_of_the_hello_is_the_servers_on_a_real_path() {
    needs!("nginx", "unshare", "nsenter", "ip");
    if !narrow_path::inside("large_hello::a_limit_of_the_hello_is_the_servers_on_a_real_path") {
        return;
    }
    let path = Path::new(Limits {
        there: ALL,
        back: ALL,
    });
    let fault = Fault::Hello(Over(1400), Instead::Silence);
    let report = through(&path, &[fault], &PATIENCE);
    report
        .says("large_hello/cause", "server")
        .says("large_hello/clamped/answer", "no")
        .finds_only(&["large-hello-dropped"]);
    // On a path, each hello over one packet comes in pieces.
    let fault = Fault::Hello(InPieces, Instead::Silence);
    let report = through(&path, &[fault], &PATIENCE);
    report.says("large_hello/cause", "segmentation");
}
