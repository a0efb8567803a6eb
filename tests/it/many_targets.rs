//! Many targets at once: none lost, none twice, none taken for another; ranges; and what becomes of a
//! run that is cut short.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use gladhand_testkit::pki::{Pki, Spec};
use gladhand_testkit::process;
use serde_json::Value;

use crate::harness::{HOST, command, fits_schema, gladhand, gladhand_in};
use crate::swarm::{Behaviour, Swarm, serves};

/// The smallest selection that gives certificate, version and verification.
const CERTIFICATES: [&str; 2] = ["--only", "certificate,verification,handshake"];

const HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// A fatal handshake_failure.
const ALERT_40: &[u8] = &[21, 3, 3, 0, 2, 2, 40];

/// The beginning of a ServerHello, and nothing after it.
const HALF_A_HELLO: &[u8] = &[22, 3, 3, 0, 80, 2, 0, 0, 76, 3, 3, 1, 2, 3, 4, 5, 6, 7, 8];

/// Every line as JSON; each fits the schema.
#[track_caller]
fn lines(stdout: &str) -> Vec<Value> {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| {
        let ran = gladhand(&["schema", "ndjson"]);
        let schema = serde_json::from_str(&ran.stdout).expect("the schema is JSON");
        jsonschema::validator_for(&schema).expect("the schema is one")
    });
    let parse = |line: &str| {
        let value: Value = serde_json::from_str(line).expect("a line is a JSON document");
        assert!(schema.is_valid(&value), "a line breaks the schema: {line}");
        value
    };
    assert!(stdout.ends_with('\n'), "the last line is whole");
    stdout.lines().map(parse).collect()
}

/// Targets and the summary, from lines.
#[track_caller]
fn split(lines: &[Value]) -> (&[Value], &Value) {
    let (last, targets) = lines.split_last().expect("a line");
    assert_eq!(last["type"], "summary", "{last}");
    assert!(targets.iter().all(|line| line["type"] == "target"));
    (targets, last)
}

/// What a target's row says: the outcome, and the rules of its findings from medium on.
fn said(row: &Value) -> (String, Vec<String>) {
    let seen = &row["endpoints"][0]["observations"]["reach"];
    let rules = row["findings"].as_array().expect("findings").iter();
    let rules = rules.filter(|finding| !["info", "low"].contains(&word(&finding["severity"])));
    let rules = rules.map(|finding| word(&finding["rule"]).to_owned());
    (word(&seen["outcome"]).to_owned(), rules.collect())
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn two_thousand_targets_of_which_a_third_is_faulty_in_ten_ways() {
    const ALL: usize = 2_000;
    let pki = Pki::new();
    let healthy = serves(&pki.chain(&pki.leaf(&[HOST])));
    let garbage: Vec<u8> = (0..2_000_u32)
        .map(|n| (n * 197 + 133).to_le_bytes()[0])
        .collect();
    let faults: [(Behaviour, &str, &[&str]); 10] = [
        (Behaviour::Refuses, "refused", &[]),
        (Behaviour::Silent, "silent", &[]),
        (Behaviour::Closes, "closed", &[]),
        (Behaviour::Resets, "reset", &[]),
        (
            Behaviour::Says(HTTP.into()),
            "plaintext-http",
            &["plaintext-on-tls-port"],
        ),
        (Behaviour::Says(ALERT_40.into()), "alert", &[]),
        (Behaviour::Says(garbage), "protocol-error", &[]),
        (
            serves(&pki.chain(&pki.issue(&Spec::leaf(&[HOST]).expired()))),
            "tls",
            &["certificate-expired"],
        ),
        (
            serves(&pki.chain(&pki.leaf(&["other.example.test"]))),
            "tls",
            &["certificate-name-mismatch"],
        ),
        (Behaviour::Says(HALF_A_HELLO.into()), "protocol-error", &[]),
    ];
    // Three of ten are faulty, each fault in turn.
    let fault = |number: usize| (number % 10 < 3).then(|| (number / 10 * 3 + number % 10) % 10);
    let behaviours: Vec<_> = (0..ALL)
        .map(|number| fault(number).map_or_else(|| healthy.clone(), |at| faults[at].0.clone()))
        .collect();
    let swarm = Swarm::start(77, &behaviours);
    let list: Vec<_> = (0..ALL).map(|number| swarm.target(number)).collect();
    let list = pki.file("txt", list.join("\n").as_bytes());
    let json = pki.file("json", b"");
    let trust = pki.root_file();
    let mut args = vec![
        "check".to_owned(),
        format!("@{}", list.display()),
        "--trust".into(),
        trust.display().to_string(),
        "--sni".into(),
        HOST.into(),
        "--timeout".into(),
        "2".into(),
        "-o".into(),
        "ndjson".into(),
        "-o".into(),
        format!("json={}", json.display()),
    ];
    args.extend(CERTIFICATES.map(str::to_owned));
    let ran = gladhand(&args);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    let lines = lines(&ran.stdout);
    let (rows, summary) = split(&lines);
    let by_target: BTreeMap<&str, &Value> =
        rows.iter().map(|row| (word(&row["target"]), row)).collect();
    assert_eq!((rows.len(), by_target.len()), (ALL, ALL), "lost, or twice");
    for number in 0..ALL {
        let target = swarm.target(number);
        let row = by_target[target.as_str()];
        let told = said(row);
        let Some(at) = fault(number) else {
            assert_eq!(told, ("tls".into(), vec![]), "{target}: {row}");
            let seen = &row["endpoints"][0]["observations"];
            assert_eq!(seen["verification"]["verdict"], "trusted", "{target}");
            assert_eq!(seen["handshake"]["version"], "TLSv1.3", "{target}");
            assert_eq!(row["not_measured"], serde_json::json!([]), "{target}");
            continue;
        };
        let (_, outcome, rules) = &faults[at];
        assert_eq!(told.0, *outcome, "{target}: {row}");
        assert_eq!(told.1, *rules, "{target}: {row}");
    }
    assert_eq!(summary["summary"]["targets"]["total"], ALL);
    assert_eq!(summary["summary"]["targets"]["works"], ALL * 7 / 10);
    assert_eq!(summary["summary"]["verdict"], "findings");
    assert_eq!(summary["summary"]["exit_code"], 1);
    assert_eq!(summary["complete"], false, "some are silent");
    // The document says the same, in the order as asked.
    let report: Value =
        serde_json::from_slice(&std::fs::read(json).expect("a file")).expect("JSON");
    fits_schema(&report);
    let targets = report["targets"].as_array().expect("targets");
    assert_eq!(targets.len(), ALL);
    for (number, target) in targets.iter().enumerate() {
        assert_eq!(target["target"], swarm.target(number));
    }
    assert_eq!(report["summary"], summary["summary"]);
    let of_rows = |key: &str| -> usize {
        let each = rows
            .iter()
            .map(|row| row[key].as_array().expect("a list").len());
        each.sum()
    };
    let of_report = |key: &str| report[key].as_array().expect("a list").len();
    for key in ["findings", "not_measured"] {
        assert_eq!(of_report(key), of_rows(key), "{key}");
    }
}

/// Two endpoints that listen among fourteen addresses.
fn sparse(net: u8, pki: &Pki) -> Swarm {
    let mut behaviours = vec![Behaviour::Refuses; 14];
    behaviours[2] = serves(&pki.chain(&pki.leaf(&[HOST])));
    behaviours[9] = behaviours[2].clone();
    Swarm::start(net, &behaviours)
}

#[test]
fn a_range_is_swept_and_its_silence_is_summarised() {
    let pki = Pki::new();
    let swarm = sparse(78, &pki);
    let range = format!("127.78.0.0/28:{}", swarm.port());
    let trust = pki.root_file().display().to_string();
    let args = ["check", &range, "--trust", &trust, "--sni", HOST];
    let json = gladhand(&[&args[..], &["-o", "json"]].concat()).report();
    json.ends_with(0).is_complete().finds_only(&[]);
    let targets = json.at("/targets").as_array().expect("targets");
    assert_eq!(targets.len(), 14, "JSON tells all");
    assert!(targets.iter().all(|target| target["range"] == *range));
    json.says("/targets/0/target", &swarm.target(0))
        .says("reach/outcome", "refused");
    assert_eq!(json.at("/summary/targets/nothing_listens"), 12, "{json}");
    assert_eq!(json.at("/summary/targets/works"), 2, "{json}");
    json.says("/summary/verdict", "clean");
    let text = gladhand(&args);
    text.ends_with(0);
    let told =
        format!("{range}  Nothing listens at 12 of 14 addresses: they refuse the connection.");
    assert!(text.stdout.contains(&told), "{}", text.stdout);
    assert!(text.stdout.contains(&swarm.target(2)));
    assert!(!text.stdout.contains(&swarm.target(0)), "{}", text.stdout);
}

#[test]
fn an_address_that_is_named_is_no_silence_of_a_range() {
    let pki = Pki::new();
    let swarm = sparse(79, &pki);
    let trust = pki.root_file().display().to_string();
    let list = format!("127.79.0.0/28:{}\n{}\n", swarm.port(), swarm.target(0));
    let args = ["check", "-", "--trust", &trust, "--sni", HOST, "-o", "json"];
    let report = gladhand_in(&args, &[], &list).report();
    report.ends_with(3).finds_only(&["port-closed"]);
    assert_eq!(report.at("/targets").as_array().map(Vec::len), Some(14));
    assert_eq!(
        report.at("/summary/targets/nothing_listens"),
        11,
        "{report}"
    );
}

#[test]
fn a_range_where_nothing_listens_at_all_is_not_green() {
    let port = gladhand_testkit::net::free_port();
    let range = format!("127.80.0.0/29:{port}");
    let ran = gladhand(&["check", &range, "-o", "ndjson"]);
    ran.ends_with(3);
    let lines = lines(&ran.stdout);
    let (rows, summary) = split(&lines);
    assert_eq!(rows.len(), 6);
    assert_eq!(summary["complete"], false);
    assert_eq!(summary["not_measured"][0]["subject"], *range);
    let text = gladhand(&["check", &range]);
    text.ends_with(3);
    assert!(
        text.stdout
            .contains("none of its 6 addresses accepts a connection"),
        "{}",
        text.stdout
    );
}

#[test]
fn too_wide_a_range_is_refused() {
    for range in ["10.0.0.0/8", "2001:db8::/64"] {
        let ran = gladhand(&["check", range]);
        ran.ends_with(2);
        assert!(ran.stderr.contains("65536"), "{ran:#?}");
    }
}

#[test]
fn three_hundred_targets_fit_on_a_few_pages() {
    let pki = Pki::new();
    let healthy = serves(&pki.chain(&pki.leaf(&[HOST])));
    let expired = serves(&pki.chain(&pki.issue(&Spec::leaf(&[HOST]).expired())));
    let behaviours: Vec<_> = (0..300)
        .map(|number| match number % 10 {
            0 => expired.clone(),
            1 => Behaviour::Refuses,
            2 => Behaviour::Says(HTTP.into()),
            _ => healthy.clone(),
        })
        .collect();
    let swarm = Swarm::start(81, &behaviours);
    let list: Vec<_> = (0..300).map(|number| swarm.target(number)).collect();
    let trust = pki.root_file().display().to_string();
    let mut args = vec!["check", "-", "--trust", &trust, "--sni", HOST];
    args.extend(CERTIFICATES);
    let ran = gladhand_in(&args, &[], &list.join("\n"));
    ran.ends_with(1);
    let told = [
        "300 targets: 60 broken  30 not (fully) measured  210 without fault",
        "30 targets  Clients refuse the certificate: it expired",
        "30 targets  Could not be measured: the connection is refused.",
        "certificate-expired",
        "Slowest:",
        "+24 more",
    ];
    for told in told {
        assert!(ran.stdout.contains(told), "{told}:\n{}", ran.stdout);
    }
    assert_eq!(ran.stdout.matches("certbot renew").count(), 1);
    assert!(ran.stdout.lines().count() < 100, "{}", ran.stdout);
    // One line each is there for who asks for it.
    args.push("-q");
    let quiet = gladhand_in(&args, &[], &list.join("\n"));
    for target in &list {
        let line = quiet
            .stdout
            .lines()
            .find(|line| line.contains(&format!(" {target} ")));
        assert!(line.is_some(), "{target}");
    }
    let ending = quiet.stdout.lines().last().expect("a line");
    assert!(
        ending.contains("Exit code 1: findings at or above high."),
        "{ending}"
    );
}

#[test]
fn what_is_to_be_done_is_told_once() {
    let pki = Pki::new();
    let expired = serves(&pki.chain(&pki.issue(&Spec::leaf(&[HOST]).expired())));
    let swarm = Swarm::start(82, &[expired.clone(), expired]);
    let trust = pki.root_file().display().to_string();
    let targets = [swarm.target(0), swarm.target(1)];
    let ran = gladhand(&[
        "check",
        &targets[0],
        &targets[1],
        "--trust",
        &trust,
        "--sni",
        HOST,
    ]);
    ran.ends_with(1);
    assert_eq!(ran.stdout.matches("CRITICAL").count(), 2, "{}", ran.stdout);
    assert_eq!(
        ran.stdout.matches("fix       nginx").count(),
        1,
        "{}",
        ran.stdout
    );
    let above = format!("fix       As above, at {}.", targets[0]);
    assert!(ran.stdout.contains(&above), "{}", ran.stdout);
}

/// Starts a run over silent targets that would wait for a minute, and waits until it is under way.
fn waiting(swarm: &Swarm, targets: usize, more: &[&str]) -> Child {
    let mut command = command();
    command.arg("check").args(more).args(["--timeout", "60"]);
    command.args((0..targets).map(|number| swarm.target(number)));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let before = swarm.connections();
    let child = command.spawn().expect("the program runs");
    let begin = Instant::now();
    while swarm.connections() < before + 20 {
        assert!(begin.elapsed() < Duration::from_secs(60), "nothing begins");
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

#[test]
fn a_signal_leaves_every_target_in_every_format() {
    let pki = Pki::new();
    let swarm = Swarm::start(83, &vec![Behaviour::Silent; 400]);
    for code in [130, 143] {
        let file = pki.file("json", b"");
        let json = format!("json={}", file.display());
        let child = waiting(&swarm, 400, &["-o", "ndjson", "-o", &json]);
        if code == 130 {
            process::interrupt(&child);
        } else {
            process::terminate(&child);
        }
        let output = child.wait_with_output().expect("the program ends");
        assert_eq!(output.status.code(), Some(code));
        let lines = lines(&String::from_utf8(output.stdout).expect("UTF-8"));
        let (rows, summary) = split(&lines);
        assert_eq!(rows.len(), 400);
        assert_eq!(summary["interrupted"], true);
        assert_eq!(summary["complete"], false);
        assert_eq!(summary["summary"]["verdict"], "interrupted");
        assert_eq!(summary["summary"]["exit_code"], code);
        assert!(
            rows.iter()
                .all(|row| row["not_measured"] != serde_json::json!([]))
        );
        let report = std::fs::read(file).expect("a file");
        let report: Value = serde_json::from_slice(&report).expect("JSON");
        fits_schema(&report);
        assert_eq!(report["targets"].as_array().map(Vec::len), Some(400));
        assert_eq!(report["interrupted"], true);
    }
}

#[test]
fn targets_are_told_as_they_finish_and_a_reader_that_leaves_ends_the_run() {
    let pki = Pki::new();
    let healthy = serves(&pki.chain(&pki.leaf(&[HOST])));
    let mut behaviours = vec![Behaviour::Silent; 400];
    behaviours[399] = healthy;
    let swarm = Swarm::start(84, &behaviours);
    let trust = pki.root_file().display().to_string();
    let mut command = command();
    command.args(["check", "-o", "ndjson", "--trust", &trust, "--sni", HOST]);
    command.args(["--timeout", "2"]);
    command.arg(swarm.target(399));
    command.args((0..399).map(|number| swarm.target(number)));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let begin = Instant::now();
    let mut child = command.spawn().expect("the program runs");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut first = String::new();
    stdout.read_line(&mut first).expect("a line");
    let first: Value = serde_json::from_str(&first).expect("JSON");
    assert_eq!(
        first["target"],
        swarm.target(399),
        "the one that is done first"
    );
    drop(stdout);
    let mut stderr = String::new();
    let mut pipe = child.stderr.take().expect("a pipe");
    pipe.read_to_string(&mut stderr).expect("UTF-8");
    let code = child.wait().expect("the program ends").code();
    assert_eq!(
        (code, stderr.as_str()),
        (Some(3), ""),
        "not all was measured"
    );
    assert!(begin.elapsed() < Duration::from_secs(120), "it went on");
}

#[test]
fn a_second_signal_ends_a_run_whose_reader_does_not_read() {
    let swarm = Swarm::start(85, &vec![Behaviour::Silent; 400]);
    let mut child = waiting(&swarm, 400, &["-o", "ndjson"]);
    process::interrupt(&child);
    // Four hundred lines are more than a pipe holds: the first signal alone ends nothing.
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(child.try_wait().expect("its state"), None);
    process::interrupt(&child);
    let begin = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().expect("its state") {
            break status.code();
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "it goes on");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(code, Some(130));
}

#[test]
fn advice_where_something_else_was_meant() {
    let ran = gladhand(&["example.test"]);
    ran.ends_with(2);
    assert!(
        ran.stderr.contains("gladhand check example.test"),
        "{ran:#?}"
    );
    let ran = gladhand(&["\u{1b}[2J.test:1"]);
    ran.ends_with(2);
    assert!(!ran.stderr.contains('\u{1b}'), "{ran:#?}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hosts.invalid"), "192.0.2.1\n").unwrap();
    let mut command = command();
    command.current_dir(folder.path());
    let output = command.args(["check", "hosts.invalid"]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr.contains("give @hosts.invalid"), "{stderr}");
}
