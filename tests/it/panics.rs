//! A panic inside a probe costs that probe's attempts, and nothing else.

use gladhand::probes::observations::PROBES;
use gladhand_testkit::net::ClosedPort;
use gladhand_testkit::pki::Pki;
use gladhand_testkit::scripted::ScriptedServer;

use crate::harness::{HOST, gladhand_in};

/// Addresses that are probed in one run, all of them healthy.
const TARGETS: usize = 3;

#[test]
fn a_panic_in_any_probe_costs_that_probe_only_at_every_target() {
    let pki = Pki::new();
    let servers: Vec<ScriptedServer> = (0..TARGETS)
        .map(|_| ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST]))))
        .collect();
    let closed = ClosedPort::new();
    let trust = pki.root_file().display().to_string();
    let ports = servers.iter().map(ScriptedServer::port);
    let list: String = ports
        .chain([closed.port()])
        .map(|port| format!("127.0.0.1:{port}\n"))
        .collect();
    for broken in PROBES {
        let mut args = vec!["check", "-", "--sni", HOST, "--trust", &trust, "-o", "json"];
        // Those that run only where the server is asked as a target.
        args.extend(match broken.id {
            "backend" => &["--as", "alb", "--skip", "keep_alive"][..],
            "target_response" => &["--health-path", "/"],
            "keep_alive" => &["--idle-timeout", "1"],
            _ => &[],
        });
        let ran = gladhand_in(&args, &[("GLADHAND_FAIL_POINT", broken.id)], &list);
        let report = ran.report();
        report.ends_with(70);
        assert_eq!(report.at("/complete"), false, "{report}");
        let targets = report.at("/targets").as_array().expect("targets");
        assert_eq!(targets.len(), TARGETS + 1, "{}: {report}", broken.id);
        for (number, target) in targets.iter().take(TARGETS).enumerate() {
            let place = format!("{} at target {number}\n{report}", broken.id);
            let seen = &target["endpoints"][0]["observations"];
            assert_eq!(seen[broken.id]["status"], "failed", "{place}");
            assert_eq!(seen[broken.id]["error"]["kind"], "panicked", "{place}");
            for other in PROBES.iter().filter(|other| other.id != broken.id) {
                let other_seen = &seen[other.id];
                // What was seen has no status. Some do without what they need, as well as they can.
                if other_seen["status"] == "failed" {
                    assert!(needs(other.id, broken.id), "{} without {place}", other.id);
                    assert_eq!(other_seen["error"]["kind"], "missing", "{place}");
                }
            }
        }
        // One line a panic, on stderr, and none of them is the report's.
        let told = ran.stderr.lines().count();
        assert!(
            ran.stderr
                .lines()
                .all(|line| line.contains("internal error"))
                && told >= TARGETS,
            "{}",
            ran.stderr
        );
    }
}

/// Whether a probe cannot run without another one, directly or not. Without `reach` none can.
fn needs(probe: &str, other: &str) -> bool {
    let info = PROBES.iter().find(|info| info.id == probe);
    let direct = info.map(|info| info.needs).unwrap_or_default();
    other == "reach"
        || direct
            .iter()
            .any(|need| *need == other || needs(need, other))
}
