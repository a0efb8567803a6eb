//! Every check has a fixture that makes it fire, and one that leaves it silent.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::*;
use crate::checks::tests::{assert_documented, assert_up_to_date};

/// `fixtures/audits/<rule>.json`: cases are the merge patch (RFC 7396) of each on `healthy.json`'s
/// inventory, so that a case shows what is wrong and nothing else.
#[derive(Deserialize)]
struct Fixture {
    /// The time of the run.
    #[serde(with = "time::serde::rfc3339")]
    now: OffsetDateTime,
    /// Other rules that may fire beside it, for the same reason.
    #[serde(default)]
    also: Vec<String>,
    /// Each of these makes the rule fire, and no other one but those of `also`.
    fires: Vec<Case>,
    /// None of these makes the rule fire.
    silent: Vec<Case>,
}

#[derive(Deserialize)]
pub(super) struct Case {
    /// What is special about it.
    #[serde(rename = "case")]
    pub(super) about: String,
    /// The changes against the healthy inventory: a JSON Pointer each, and the value that is put there
    /// (added where there is none; null takes it away).
    #[serde(default)]
    change: std::collections::BTreeMap<String, serde_json::Value>,
    /// What was probed.
    #[serde(default)]
    probed: Vec<TargetReport>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/audits")
}

pub(super) fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let path = root().join(name);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn fixture(rule: &str) -> Fixture {
    read(&format!("{rule}.json"))
}

/// The healthy inventory with the changes of a case.
fn inventory(case: &Case) -> Inventory {
    let mut value: serde_json::Value = read("healthy.json");
    for (pointer, new) in &case.change {
        put(&mut value, pointer, new.clone());
    }
    serde_json::from_value(value).unwrap_or_else(|error| panic!("{}: {error}", case.about))
}

/// Puts a value at a JSON Pointer whose parent exists. `-` adds to an array; null removes.
fn put(value: &mut serde_json::Value, pointer: &str, new: serde_json::Value) {
    let (parent, last) = pointer.rsplit_once('/').expect("a JSON Pointer");
    let parent = value
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("nothing at {parent}"));
    let last = last.replace("~1", "/").replace("~0", "~");
    match parent {
        serde_json::Value::Object(members) if new.is_null() => {
            members.remove(&last);
        }
        serde_json::Value::Object(members) => {
            members.insert(last, new);
        }
        serde_json::Value::Array(items) if last == "-" => items.push(new),
        serde_json::Value::Array(items) => {
            let place: usize = last.parse().expect("a place in an array");
            if new.is_null() {
                items.remove(place);
            } else {
                items[place] = new;
            }
        }
        _ => panic!("{pointer} is in no object and no array"),
    }
}

pub(super) fn findings_of(case: &Case, now: OffsetDateTime) -> Vec<Finding> {
    audit(&inventory(case), &case.probed, now).findings
}

fn rules() -> impl Iterator<Item = &'static Rule> {
    AUDITS.iter().map(|check| check.rule())
}

#[test]
fn every_check_has_fixtures_that_fire_and_fixtures_that_do_not() {
    for rule in rules() {
        let fixture = fixture(rule.id);
        assert!(
            !fixture.fires.is_empty() && !fixture.silent.is_empty(),
            "{}",
            rule.id
        );
        for case in &fixture.fires {
            let at = format!("{}: {}", rule.id, case.about);
            let findings = findings_of(case, fixture.now);
            let fired: Vec<&str> = findings.iter().map(|found| found.rule.as_str()).collect();
            assert!(fired.contains(&rule.id), "{at}: {fired:?}");
            let known = |id: &str| id == rule.id || fixture.also.iter().any(|also| also == id);
            let others: Vec<_> = fired.iter().filter(|id| !known(id)).collect();
            assert!(others.is_empty(), "{at}: also {others:?}");
        }
        for case in &fixture.silent {
            let findings = findings_of(case, fixture.now);
            let fired = findings.iter().find(|found| found.rule == rule.id);
            assert!(fired.is_none(), "{}: {}: {fired:?}", rule.id, case.about);
        }
    }
}

#[test]
fn every_fixture_belongs_to_a_check() {
    for entry in std::fs::read_dir(root()).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let id = path.file_stem().unwrap().to_str().unwrap();
            let known = ["healthy", "typical"].contains(&id) || rules().any(|rule| rule.id == id);
            assert!(known, "no check for {}", path.display());
        }
    }
}

#[test]
fn a_healthy_load_balancer_has_no_findings() {
    let case = Case {
        about: "healthy".into(),
        change: std::collections::BTreeMap::new(),
        probed: Vec::new(),
    };
    let now = time::macros::datetime!(2026-11-20 12:00 UTC);
    assert_eq!(findings_of(&case, now), []);
}

/// What was not read is judged by nobody.
#[test]
fn an_inventory_of_which_nothing_was_read_has_no_findings() {
    let inventory = Inventory {
        load_balancers: vec![LoadBalancer {
            arn: "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/a/b"
                .into(),
            name: "a".into(),
            scheme: "internet-facing".into(),
            ..LoadBalancer::default()
        }],
        ..Inventory::default()
    };
    let now = time::macros::datetime!(2026-11-20 12:00 UTC);
    assert_eq!(audit(&inventory, &[], now).findings, []);
}

/// The wording of every finding, in one file that can be read.
#[test]
fn findings_read_as_recorded() {
    let mut text = String::new();
    for rule in rules() {
        let fixture = fixture(rule.id);
        for case in &fixture.fires {
            let findings = findings_of(case, fixture.now);
            for found in findings.iter().filter(|found| found.rule == rule.id) {
                let (severity, key) = (found.severity.name(), &found.evidence.key);
                writeln!(text, "{} [{severity}] {key}", rule.id).unwrap();
                writeln!(text, "  {}: {}", found.subject, found.message).unwrap();
                for seen in &found.evidence.seen {
                    writeln!(text, "    - {seen}").unwrap();
                }
                for command in &found.reproduce {
                    writeln!(text, "    $ {command}").unwrap();
                }
                let general = rule.fixes(Vec::new());
                for fix in found.fix.iter().filter(|fix| !general.contains(fix)) {
                    writeln!(text, "    > {}: {}", fix.product, fix.text).unwrap();
                    for snippet in fix.snippet.iter().flat_map(|snippet| snippet.lines()) {
                        writeln!(text, "      {snippet}").unwrap();
                    }
                }
                text.push('\n');
            }
        }
    }
    assert_up_to_date(&root().join("findings.txt"), &text);
}

#[test]
fn ids_say_what_they_are_for_and_are_unique() {
    let ids: Vec<&str> = rules().map(|rule| rule.id).collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len());
    for id in &ids {
        let prefix = ["alb-", "nlb-", "clb-"]
            .iter()
            .any(|prefix| id.starts_with(prefix));
        assert!(prefix, "{id}");
    }
    // Scripts and baselines know these words: lines are added to this file, none is changed.
    assert_up_to_date(&root().join("ids.txt"), &(ids.join("\n") + "\n"));
}

#[test]
fn every_rule_is_documented() {
    for rule in rules() {
        assert_documented(rule);
    }
}

/// What users write in AWS goes into no message and no command as it is.
#[test]
fn hostile_text_is_escaped_and_quoted() {
    for rule in rules() {
        let fixture = fixture(rule.id);
        for case in &fixture.fires {
            let inventory = serde_json::to_string(&inventory(case)).unwrap();
            let hostile = inventory
                .replace("example.com", "e'$(id)\\u001b[2J\\u202e.com")
                .replace("\"web\"", "\"w'$(id)\\u001b[2J\\u202e\"");
            let inventory: Inventory = serde_json::from_str(&hostile).unwrap();
            for found in audit(&inventory, &case.probed, fixture.now).findings {
                let snippets = found.fix.iter().filter_map(|fix| fix.snippet.as_ref());
                let commands: Vec<_> = found.reproduce.iter().chain(snippets).collect();
                let texts = commands.iter().copied().chain(&found.evidence.seen);
                let fixes = found.fix.iter().map(|fix| &fix.text);
                for text in texts.chain(fixes).chain([&found.message]) {
                    let raw = |c: char| c == '\u{1b}' || c == '\u{202e}';
                    assert!(!text.contains(raw), "{}: {text:?}", rule.id);
                }
                for command in commands {
                    let quoted = command.replace(r"\'", "");
                    let bare: String = quoted.split('\'').step_by(2).collect();
                    assert!(!bare.contains("$("), "{}: {command}", rule.id);
                }
            }
        }
    }
}

/// With what AWS gives where nobody asks for anything, and a decent policy, there is little to read.
#[test]
fn a_decent_load_balancer_makes_little_noise() {
    let case: Case = serde_json::from_value(serde_json::json!({
        "case": "AWS's defaults",
        "change": {
            "/load_balancers/0/attributes": {},
            "/load_balancers/0/listeners/1/attributes": {},
            "/load_balancers/0/listeners/1/ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        },
    }))
    .unwrap();
    let now = time::macros::datetime!(2026-11-20 12:00 UTC);
    let findings = findings_of(&case, now);
    let told = findings
        .iter()
        .map(|found| (found.severity.name(), found.rule.as_str()));
    let told: Vec<_> = told.collect();
    let expected = [
        ("low", "alb-logs-off"),
        ("info", "alb-policy-post-quantum-missing"),
        ("info", "alb-hsts-missing"),
        ("info", "alb-invalid-headers-kept"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn commands_are_for_the_type_of_the_load_balancer() {
    let mut judged = 0;
    for rule in rules() {
        let fixture = fixture(rule.id);
        for case in &fixture.fires {
            for found in findings_of(case, fixture.now) {
                let classic = found.target == "legacy";
                let products = found.fix.iter().map(|fix| fix.product.as_str());
                let of_classic = products.filter(|product| *product == "AWS CLB").count();
                assert!(classic || of_classic == 0, "{}", found.rule);
                let snippets = found.fix.iter().filter_map(|fix| fix.snippet.as_ref());
                let newer = snippets.filter(|snippet| snippet.contains("aws elbv2 "));
                assert!(of_classic == 0 || newer.count() == 0, "{}", found.rule);
                judged += of_classic;
            }
        }
    }
    assert!(judged > 0);
}

/// Whatever stands in a saved answer: a check that panics costs its findings.
#[test]
fn no_value_makes_a_check_panic() {
    let healthy: serde_json::Value = read("healthy.json");
    let mut pointers = Vec::new();
    leaves(&healthy, String::new(), &mut pointers);
    assert!(pointers.len() > 300);
    let hostile = [
        serde_json::json!(""),
        serde_json::json!("*?*.#{host}*"),
        serde_json::json!("\u{202e}é\u{0}".repeat(200)),
        serde_json::json!(0),
        serde_json::json!(u16::MAX),
        serde_json::json!(null),
        serde_json::json!([]),
        serde_json::json!("0001-01-01T00:00:00Z"),
        serde_json::json!("9999-12-31T23:59:59Z"),
    ];
    let now = time::macros::datetime!(2026-11-20 12:00 UTC);
    let mut read = 0;
    for (place, pointer) in pointers.iter().enumerate() {
        // Two values for each place: all of them together take long.
        for value in hostile.iter().cycle().skip(place * 2).take(2) {
            let mut changed = healthy.clone();
            *changed.pointer_mut(pointer).unwrap() = value.clone();
            let Ok(inventory) = serde_json::from_value::<Inventory>(changed) else {
                continue;
            };
            read += 1;
            let panicked = audit(&inventory, &[], now).panicked;
            assert!(panicked.is_empty(), "{pointer}: {value}: {panicked:?}");
        }
    }
    assert!(read > 200, "{read}");
}

/// Where something stands that is neither object nor array.
fn leaves(value: &serde_json::Value, at: String, all: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                leaves(member, format!("{at}/{name}"), all);
            }
        }
        serde_json::Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                leaves(item, format!("{at}/{place}"), all);
            }
        }
        _ => all.push(at),
    }
}
