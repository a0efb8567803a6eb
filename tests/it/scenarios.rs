//! The scenarios of `fixtures/scenarios/`: one file, one line here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gladhand::checks::aws::AUDITS;
use gladhand_testkit::pki::{Pki, Spec};
use gladhand_testkit::scripted::{Chain, Expect, Identity, Order, Scenario, ScriptedServer};
use serde_json::Value;

use crate::harness::{HOST, Report, check_args, gladhand};

/// One test for each scenario, and one that fails where a file has no line.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                run(stringify!($name));
            }
        )*

        const ALL: &[&str] = &[$(stringify!($name)),*];
    };
}

scenarios! {
    all_groups,
    alpn_http_1_1,
    always_alert_112,
    always_alert_40,
    always_alert_80,
    anonymous_only,
    answers_as_postgresql,
    answers_as_redis,
    client_order,
    closes_everything,
    closes_over_128_suites,
    closes_over_64_suites,
    compresses,
    dh_1024,
    dh_2048,
    dh_512,
    drips,
    drops_hellos_over_1400,
    encrypts_then_macs,
    endless_certificate,
    export_null_anonymous,
    garbage,
    garbage_certificate,
    greets_as_ftp,
    greets_as_imap,
    greets_as_mysql,
    greets_as_pop3,
    greets_as_smtp,
    greets_as_ssh,
    grease_refused,
    healthy,
    hello_request_flood,
    hundred_certificates,
    knows_no_retry_close,
    knows_no_retry_illegal_parameter,
    lets_clients_fall_back,
    many_names,
    name_required,
    name_warning,
    needs_scsv,
    no_secure_renegotiation,
    nothing_to_sign_with,
    one_connection_at_a_time,
    plaintext_http,
    plaintext_http_that_closes,
    plaintext_http_that_waits,
    post_quantum_only,
    psk_only,
    records_of_one_octet,
    refuses_compression,
    refuses_empty_last_extension,
    refuses_encrypt_then_mac,
    refuses_with_close,
    refuses_with_internal_error,
    refuses_with_reset,
    refuses_with_silence,
    renegotiation_info_by_extension,
    resets_everything,
    resets_hellos_over_1400,
    resets_now_and_then,
    resets_on_alpn,
    resets_one_connection,
    resets_post_quantum_shares,
    retries_twice,
    reuses_its_dh_key,
    server_hello_and_close,
    server_hello_and_silence,
    signs_over_sha1_alone,
    silent,
    silent_on_256_to_511,
    slow,
    ssl2_beside_tls12,
    ssl2_hello_gets_an_alert,
    ssl2_hello_gets_silence,
    ssl2_only,
    ssl3_only,
    suite_not_offered,
    takes_any_protocol,
    tls10_only,
    tls11_only,
    tls13_intolerant,
    unknown_name_rejected,
    unknown_name_reset,
    unknown_text,
    version_not_offered,
    warning_flood,
    without_downgrade_sentinel,
    writes_seven_octets,
    x448_only,
    zero_length_records,
}

#[test]
fn every_file_has_a_line() {
    let files: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .map(|path| {
            path.file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .replace('-', "_")
        })
        .collect();
    let lines: BTreeSet<String> = ALL.iter().map(ToString::to_string).collect();
    assert_eq!(
        files, lines,
        "fixtures/scenarios (left) and the lines in this file (right)"
    );
}

/// The rules that `gladhand rules` lists, each of which a real or scripted server must have shown; but for
/// those that judge what AWS says, which fixtures show.
#[test]
fn every_rule_is_reproduced() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = String::new();
    let mut folders = vec![root.join("tests/it"), folder()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                tests.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let ran = gladhand(&["rules"]);
    let rules = ran
        .stdout
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let missing: Vec<&str> = rules
        .filter(|rule| {
            rule.contains('-') && rule.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        })
        .filter(|rule| !AUDITS.iter().any(|audit| audit.rule().id == *rule))
        .filter(|rule| !tests.contains(&format!("\"{rule}\"")))
        .collect();
    assert_eq!(missing, [""; 0], "rules that no test here reproduces");
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scenarios")
}

fn run(name: &str) {
    let file = folder().join(format!("{}.toml", name.replace('_', "-")));
    let scenario = Scenario::read(&file);
    let pki = Pki::new();
    let mut leaf = Spec::leaf(&[HOST]);
    if scenario.server.chain == Chain::ManyNames {
        for number in 0..2000 {
            leaf = leaf.dns_name(&format!("host-{number}.{HOST}"));
        }
    }
    let identity = Identity::of(pki.chain(&pki.issue(&leaf)));
    let server = ScriptedServer::scenario(&scenario, identity);
    let more: Vec<&str> = scenario.run.args.iter().map(String::as_str).collect();
    let ran = gladhand(&check_args(HOST, server.port(), &pki.root_file(), &more));
    let report = ran.report();
    let expected = format!("{}: {}", file.display(), scenario.about);
    meets(&report, &scenario.expect, scenario.server.order, &expected);
    let accepted = u64::try_from(server.connections()).unwrap();
    assert_eq!(
        report.connections(),
        accepted,
        "{expected}\n.connections and the server's count"
    );
}

fn meets(report: &Report, expect: &Expect, order: Order, about: &str) {
    let context = || format!("{about}\n{report}");
    if let Some(exit) = expect.exit {
        assert_eq!(report.code, Some(exit), "the exit code; {}", context());
    }
    let rules = report.rules();
    for rule in &expect.rules {
        assert!(rules.contains(rule), "no finding {rule}; {}", context());
    }
    for rule in &expect.no_rules {
        assert!(!rules.contains(rule), "a finding {rule}; {}", context());
    }
    if let Some(only) = &expect.only_rules {
        let only: BTreeSet<String> = only.iter().cloned().collect();
        assert_eq!(rules, only, "the rules of the findings; {}", context());
    }
    for (version, answer) in &expect.versions {
        let seen = report.text(&format!("versions/{version}/answer"));
        assert_eq!(seen, answer, "{version}; {}", context());
    }
    for (version, answer) in &expect.versions_not {
        let seen = report.text(&format!("versions/{version}/answer"));
        assert!(
            seen != answer && !seen.is_empty(),
            "{version} {seen}; {}",
            context()
        );
    }
    for (version, suites) in &expect.suites {
        let mut seen = report.suites(version);
        let mut suites = suites.clone();
        if order == Order::Client {
            seen.sort();
            suites.sort();
        }
        assert_eq!(seen, suites, "the suites of {version}; {}", context());
        let complete = report.at(&format!("suites/{version}/complete"));
        assert_eq!(
            complete,
            true,
            "the suites of {version} are complete; {}",
            context()
        );
    }
    if let Some(groups) = &expect.groups {
        let groups: BTreeSet<String> = groups.iter().cloned().collect();
        assert_eq!(report.groups(), groups, "the groups; {}", context());
    }
    for (pointer, value) in &expect.json {
        let seen = report.at(pointer);
        let wanted = if value == "(absent)" {
            &Value::Null
        } else {
            value
        };
        assert_eq!(seen, wanted, "{pointer}; {}", context());
    }
    if let Some(limit) = expect.max_connections {
        assert!(
            report.connections() <= limit,
            "more than {limit} connections; {}",
            context()
        );
    }
    if let Some(limit) = expect.max_seconds {
        assert!(
            report.took.as_secs() < limit,
            "more than {limit} s; {}",
            context()
        );
    }
}
