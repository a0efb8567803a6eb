//! Servers that mean harm: the run ends in time, in bounded memory, without a panic, and is never
//! green where something was not measured. All limits here guard; none of them measures.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use gladhand_testkit::hostile::{self, Behaviour};
use gladhand_testkit::memory::{self, Measured};
use gladhand_testkit::pki::Pki;
use gladhand_testkit::scripted::ScriptedServer;

use crate::harness::{HOST, Ran, Report, check_args, command};

/// What the program may take for one address, and for one connection, in seconds.
const DEADLINE: u64 = 2;
const TIMEOUT: u64 = 1;
/// How much later than that it has to have ended.
const GRACE: Duration = Duration::from_secs(2);
/// Runs that may be late before one is taken not to end in time.
const TRIES: usize = 4;
/// When a run is taken to hang.
const HANGS: Duration = Duration::from_secs(60);
/// KiB that one hostile server may cost beside a healthy one.
const GROWTH: u64 = 32 * 1024;
/// KiB that all of them together may cost.
const GROWTH_TOGETHER: u64 = 64 * 1024;
/// Runs at once.
const AT_ONCE: usize = 4;

fn limits() -> [String; 4] {
    [
        "--timeout".into(),
        TIMEOUT.to_string(),
        "--deadline".into(),
        DEADLINE.to_string(),
    ]
}

fn measured(args: &[String], stdin: &str) -> (Report, Measured) {
    let mut command = command();
    command.args(args);
    let measured = memory::run(&mut command, stdin, HANGS);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let ran = Ran {
        code: measured.output.status.code(),
        stdout: text(&measured.output.stdout),
        stderr: text(&measured.output.stderr),
        took: measured.took,
    };
    (ran.report(), measured)
}

fn check(pki: &Pki, server: &ScriptedServer, client: &[&str]) -> (Report, Measured) {
    let more = limits();
    let more = more.iter().map(String::as_str);
    let more: Vec<&str> = more.chain(client.iter().copied()).collect();
    measured(
        &check_args(HOST, server.port(), &pki.root_file(), &more),
        "",
    )
}

/// Peak memory of a run against a server that nothing is wrong with, in KiB.
fn healthy(pki: &Pki) -> u64 {
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST])));
    let args = check_args(HOST, server.port(), &pki.root_file(), &[]);
    let (report, measured) = measured(&args, "");
    report.ends_with(0);
    measured.peak
}

/// A run that ended in time. A machine that is busy with other tests can be late by itself: what
/// hangs is late each time.
fn in_time(limit: Duration, run: impl Fn() -> (Report, Measured)) -> Option<(Report, Measured)> {
    let mut tries = (0..TRIES).map(|_| run());
    tries.find(|(_, measured)| measured.took <= limit)
}

/// What is wrong with a run against this server, as this client.
fn faults(behaviour: &Behaviour, pki: &Pki, idle: u64, client: &[&str]) -> Vec<String> {
    let server = behaviour.start(pki, HOST);
    let limit = Duration::from_secs(DEADLINE) + GRACE;
    let Some((report, measured)) = in_time(limit, || check(pki, &server, client)) else {
        return vec![format!("{}: not ended after {limit:?}", behaviour.name)];
    };
    let mut faults = Vec::new();
    let mut fault = |text: String| faults.push(format!("{}: {text}", behaviour.name));
    if measured.peak > idle + GROWTH {
        fault(format!(
            "{} KiB, and {idle} KiB where all is well",
            measured.peak
        ));
    }
    if !measured.output.stderr.is_empty() {
        fault(String::from_utf8_lossy(&measured.output.stderr).into_owned());
    }
    match report.code {
        Some(1 | 3) => {}
        Some(0) if behaviour.measurable => {}
        // A load balancer minds less; what it does mind was measured then.
        Some(0) if report.text("backend/handshake/completes/answer") == "yes" => {}
        code => fault(format!("ended with {code:?}\n{report}")),
    }
    if report.at("/targets/0/endpoints").as_array().map(Vec::len) != Some(1) {
        fault(format!("lost its endpoint\n{report}"));
    }
    faults
}

#[test]
fn each_ends_in_time_in_bounded_memory_and_is_not_green() {
    each(&[]);
}

#[test]
fn so_does_each_that_is_asked_as_a_load_balancer() {
    each(&["--as", "alb", "--skip", "keep_alive"]);
}

fn each(client: &[&str]) {
    let pki = Pki::new();
    let idle = healthy(&pki);
    let all = hostile::all();
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(behaviour) = all.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let found = self::faults(behaviour, &pki, idle, client);
                    faults.lock().expect("the list").extend(found);
                }
            });
        }
    });
    let faults = faults.into_inner().expect("the list");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn all_at_once_none_is_lost_and_memory_stays_bounded() {
    let pki = Pki::new();
    let idle = healthy(&pki);
    let servers: Vec<ScriptedServer> = hostile::all()
        .iter()
        .map(|behaviour| behaviour.start(&pki, HOST))
        .collect();
    let list: String = servers
        .iter()
        .map(|server| format!("127.0.0.1:{}\n", server.port()))
        .collect();
    let mut args: Vec<String> = ["check", "-", "--sni", HOST, "-o", "json", "--trust"]
        .map(str::to_owned)
        .into();
    args.push(pki.root_file().display().to_string());
    args.extend(limits());
    // So many go on at once that there are a few turns at most.
    let turns = u32::try_from(servers.len().div_ceil(32)).expect("a few");
    let limit = Duration::from_secs(DEADLINE) * turns + GRACE;
    let ended = in_time(limit, || measured(&args, &list));
    let (report, measured) = ended.unwrap_or_else(|| panic!("not ended after {limit:?}"));
    let asked: BTreeSet<String> = list.lines().map(str::to_owned).collect();
    let targets = report.at("/targets").as_array().expect("targets");
    let told: Vec<&str> = targets
        .iter()
        .filter_map(|target| target["target"].as_str())
        .collect();
    assert_eq!(told, list.lines().collect::<Vec<_>>(), "each, in order");
    assert_eq!(asked.len(), told.len(), "each of them once");
    for target in targets {
        let endpoints = target["endpoints"].as_array().map(Vec::len);
        assert_eq!(endpoints, Some(1), "{target}");
    }
    report.ends_with(1);
    assert_eq!(measured.output.stderr, b"", "{report}");
    assert!(
        measured.peak < idle + GROWTH_TOGETHER,
        "{} KiB, and {idle} KiB where all is well",
        measured.peak
    );
}
