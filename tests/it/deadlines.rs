//! Nothing waits longer than it may. The limits here guard against hanging; they measure nothing.

use std::time::Duration;

use gladhand_testkit::net::DeafPort;
use gladhand_testkit::pki::Pki;
use gladhand_testkit::scripted::{
    Action, AlertAs, Engine, Fault, Identity, Model, Rule, ScriptedServer, When,
};

use crate::harness::{HOST, check_with, gladhand};

/// Slower machines than these get this much more.
const SLACK: Duration = Duration::from_secs(20);

fn server(pki: &Pki, engine: Engine, fault: Fault, then: Option<Action>) -> ScriptedServer {
    let model = Model {
        engine,
        ..Model::default()
    };
    let rules = then
        .into_iter()
        .map(|action| Rule {
            when: When::default(),
            then: vec![action],
        })
        .collect();
    ScriptedServer::start(
        model,
        fault,
        rules,
        Identity::of(pki.chain(&pki.leaf(&[HOST]))),
    )
}

#[test]
fn a_port_that_drops_packets() {
    let pki = Pki::new();
    let port = DeafPort::new();
    let report = check_with(&pki, port.port(), &["--timeout", "1", "--deadline", "5"]);
    report.says("reach/outcome", "timeout").ends_with(3);
    assert!(report.took < SLACK, "{report}");
}

#[test]
fn a_silent_server_costs_its_timeout() {
    let pki = Pki::new();
    let server = server(&pki, Engine::None, Fault::default(), None);
    let report = check_with(&pki, server.port(), &["--timeout", "1", "--deadline", "30"]);
    report.says("reach/outcome", "silent").ends_with(3);
    assert!(report.took < SLACK, "{report}");
}

#[test]
fn the_deadline_of_an_endpoint_holds_over_all_its_connections() {
    let pki = Pki::new();
    // Every answer takes a second, and one connection is open at a time: half a minute, if let.
    let fault = Fault {
        delay_ms: 1000,
        ..Fault::default()
    };
    let server = server(&pki, Engine::Rustls, fault, None);
    let args = ["--deadline", "4", "--max-connections", "1"];
    let report = check_with(&pki, server.port(), &args);
    assert_eq!(report.at("/complete"), false, "{report}");
    report.ends_with(3);
    assert!(report.took < Duration::from_secs(4) + SLACK, "{report}");
    let spent = report
        .at("/targets/0/endpoints/0/duration_ms")
        .as_u64()
        .expect("milliseconds");
    assert!(spent < 4_000 + 5_000, "{spent} ms; {report}");
    // What was measured before that is there.
    report.says("reach/outcome", "tls");
}

#[test]
fn silence_in_place_of_alerts_is_bounded() {
    let pki = Pki::new();
    let fault = Fault {
        alert_as: Some(AlertAs::Silence),
        ..Fault::default()
    };
    let server = server(&pki, Engine::Rustls, fault, None);
    let report = check_with(&pki, server.port(), &["--timeout", "1", "--deadline", "10"]);
    assert!(report.took < Duration::from_secs(10) + SLACK, "{report}");
    report
        .says("reach/outcome", "tls")
        .does_not_find("tls-1-2-missing");
}

#[test]
fn a_server_that_never_stops_talking() {
    let pki = Pki::new();
    for flood in [
        Action::EndlessCertificate,
        Action::WarningFlood,
        Action::HelloRequestFlood,
        Action::ZeroLengthRecords,
        Action::Drip("160303".into()),
    ] {
        let what = format!("{flood:?}");
        let server = server(&pki, Engine::None, Fault::default(), Some(flood));
        let report = check_with(&pki, server.port(), &["--timeout", "1", "--deadline", "8"]);
        assert!(
            report.took < Duration::from_secs(8) + SLACK,
            "{what}: {report}"
        );
        assert_eq!(report.at("/complete"), false, "{what}: {report}");
    }
}

#[test]
fn targets_are_probed_side_by_side() {
    let pki = Pki::new();
    let servers: Vec<_> = (0..10)
        .map(|_| server(&pki, Engine::None, Fault::default(), None))
        .collect();
    let mut args: Vec<String> = ["check", "-o", "json", "--timeout", "2", "--deadline", "20"]
        .map(str::to_owned)
        .into();
    args.extend(
        servers
            .iter()
            .map(|server| format!("127.0.0.1:{}", server.port())),
    );
    let ran = gladhand(&args);
    let report = ran.report();
    report.ends_with(3);
    assert_eq!(report.at("/targets").as_array().map(Vec::len), Some(10));
    assert!(
        report.took < Duration::from_secs(20),
        "one after the other? {:?}",
        report.took
    );
}
