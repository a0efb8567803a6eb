//! Runs the program, and reads its report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use gladhand_testkit::pki::{Issued, Pki};
use gladhand_testkit::scripted::ScriptedServer;
use gladhand_testkit::tools;
use serde_json::Value;

/// The name that test certificates are for.
pub(crate) const HOST: &str = "lb.example.test";

/// When a run is taken to hang.
const HANGS: Duration = Duration::from_secs(180);

/// The built program.
pub(crate) const GLADHAND: &str = env!("CARGO_BIN_EXE_gladhand");

/// What a run left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

/// Runs the program with these arguments and nothing of the caller's environment.
pub(crate) fn gladhand<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Ran {
    gladhand_in(args, &[], "")
}

/// The same with environment variables and standard input.
pub(crate) fn gladhand_in<S: AsRef<std::ffi::OsStr>>(
    args: &[S],
    environment: &[(&str, &str)],
    stdin: &str,
) -> Ran {
    let begin = Instant::now();
    let output = assert_cmd::Command::from_std(command())
        .args(args)
        .envs(environment.iter().copied())
        .write_stdin(stdin)
        .timeout(HANGS)
        .output()
        .expect("the program runs, and does not hang");
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        took: begin.elapsed(),
    }
}

/// The program without the caller's environment, which has a twin of every flag.
pub(crate) fn command() -> Command {
    let mut command = Command::new(GLADHAND);
    command.env_clear();
    for kept in ["PATH", "HOME", "TMPDIR", "SystemRoot"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
}

impl Ran {
    /// The JSON report on stdout: one document that fits the schema, and nothing else.
    pub(crate) fn report(&self) -> Report {
        let value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is not one JSON document: {error}\n{self:#?}"));
        fits_schema(&value);
        Report {
            value,
            code: self.code,
            took: self.took,
        }
    }

    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn ends_with(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "the exit code; {self:#?}");
        self
    }
}

/// Panics where a report is not what `gladhand schema` says.
pub(crate) fn fits_schema(report: &Value) {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| {
        let ran = gladhand(&["schema"]);
        ran.ends_with(0);
        let schema = serde_json::from_str(&ran.stdout).expect("the schema is JSON");
        jsonschema::validator_for(&schema).expect("the schema is one")
    });
    let errors: Vec<String> = schema
        .iter_errors(report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(
        errors.is_empty(),
        "the report breaks the schema:\n{}",
        errors.join("\n")
    );
}

/// A report.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) value: Value,
    pub(crate) code: Option<i32>,
    pub(crate) took: Duration,
}

/// Checks a server on the loopback as [`HOST`], trusting the PKI's root alone.
pub(crate) fn check(pki: &Pki, port: u16) -> Report {
    check_with(pki, port, &[])
}

/// The same with more arguments.
pub(crate) fn check_with(pki: &Pki, port: u16, args: &[&str]) -> Report {
    check_name(HOST, pki, port, args)
}

/// The same under another name.
pub(crate) fn check_name(name: &str, pki: &Pki, port: u16, args: &[&str]) -> Report {
    let trust = pki.root_file();
    let ran = gladhand(&check_args(name, port, &trust, args));
    ran.report()
}

/// The arguments of such a run.
pub(crate) fn check_args(name: &str, port: u16, trust: &Path, more: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = [
        "check",
        &format!("{name}:{port}"),
        "--connect",
        "127.0.0.1",
        "-o",
        "json",
        "--trust",
    ]
    .iter()
    .map(ToString::to_string)
    .collect();
    all.push(trust.display().to_string());
    all.extend(more.iter().map(ToString::to_string));
    all
}

/// Serves a chain with a scripted TLS 1.2 and 1.3 server, and checks it.
pub(crate) fn check_chain(pki: &Pki, chain: Vec<Issued>) -> Report {
    check(pki, ScriptedServer::serving(chain).port())
}

impl Report {
    /// A value by JSON pointer. One without a leading `/` begins in the first endpoint's observations.
    pub(crate) fn at(&self, pointer: &str) -> &Value {
        let absolute = if pointer.starts_with('/') {
            pointer.to_owned()
        } else {
            format!("/targets/0/endpoints/0/observations/{pointer}")
        };
        self.value.pointer(&absolute).unwrap_or(&Value::Null)
    }

    /// A text by JSON pointer; empty where there is none.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    /// How many connections the first endpoint cost.
    pub(crate) fn connections(&self) -> u64 {
        self.at("/targets/0/endpoints/0/connections")
            .as_u64()
            .expect("a count")
    }

    /// The rules of all findings.
    pub(crate) fn rules(&self) -> BTreeSet<String> {
        self.findings()
            .map(|finding| finding["rule"].as_str().unwrap_or("?").to_owned())
            .collect()
    }

    /// The findings.
    pub(crate) fn findings(&self) -> impl Iterator<Item = &Value> {
        self.at("/findings").as_array().expect("findings").iter()
    }

    /// The finding of a rule.
    #[track_caller]
    pub(crate) fn finding(&self, rule: &str) -> &Value {
        self.findings()
            .find(|finding| finding["rule"] == rule)
            .unwrap_or_else(|| panic!("no finding {rule}\n{self}"))
    }

    /// The versions with an answer.
    pub(crate) fn versions(&self, answer: &str) -> Vec<String> {
        let versions = self.at("versions").as_object().expect("versions");
        versions
            .iter()
            .filter(|(_, seen)| seen["answer"] == answer)
            .map(|(version, _)| version.clone())
            .collect()
    }

    /// The accepted suites of a version, by IANA name, in the report's order.
    pub(crate) fn suites(&self, version: &str) -> Vec<String> {
        let accepted = self.at(&format!("suites/{version}/accepted")).as_array();
        let name = |suite: &Value| suite["iana"].as_str().unwrap_or("?").to_owned();
        accepted
            .map(|suites| suites.iter().map(name).collect())
            .unwrap_or_default()
    }

    /// The accepted suites of a version, by number.
    pub(crate) fn suite_ids(&self, version: &str) -> BTreeSet<u16> {
        let accepted = self.at(&format!("suites/{version}/accepted")).as_array();
        let id = |suite: &Value| {
            let id = suite["id"].as_str().and_then(|id| id.strip_prefix("0x"));
            u16::from_str_radix(id.expect("an id"), 16).expect("hexadecimal")
        };
        accepted
            .map(|suites| suites.iter().map(id).collect())
            .unwrap_or_default()
    }

    /// The accepted groups, by IANA name.
    pub(crate) fn groups(&self) -> BTreeSet<String> {
        let accepted = self.at("groups/accepted").as_array().expect("groups");
        accepted
            .iter()
            .map(|group| group["name"].as_str().unwrap_or("?").to_owned())
            .collect()
    }

    /// SHA-256 of each certificate served.
    pub(crate) fn served(&self) -> Vec<String> {
        let served = self.at("certificate/served").as_array();
        let print = |one: &Value| one["sha256"].as_str().unwrap_or("?").to_owned();
        served
            .map(|all| all.iter().map(print).collect())
            .unwrap_or_default()
    }

    /// Exactly these rules, and nothing that every server of this PKI has.
    #[track_caller]
    pub(crate) fn finds_only(&self, rules: &[&str]) -> &Self {
        let expected: BTreeSet<String> = rules.iter().map(ToString::to_string).collect();
        assert_eq!(self.rules(), expected, "the rules of the findings\n{self}");
        self
    }

    /// Among others, this rule.
    #[track_caller]
    pub(crate) fn finds(&self, rule: &str) -> &Self {
        assert!(self.rules().contains(rule), "no finding {rule}\n{self}");
        self
    }

    /// Not this rule.
    #[track_caller]
    pub(crate) fn does_not_find(&self, rule: &str) -> &Self {
        assert!(!self.rules().contains(rule), "a finding {rule}\n{self}");
        self
    }

    /// A text by JSON pointer.
    #[track_caller]
    pub(crate) fn says(&self, pointer: &str, expected: &str) -> &Self {
        assert_eq!(self.text(pointer), expected, "{pointer}\n{self}");
        self
    }

    /// The exit code.
    #[track_caller]
    pub(crate) fn ends_with(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "the exit code\n{self}");
        self
    }

    /// Every question decided: `.complete`, and no reason why not.
    #[track_caller]
    pub(crate) fn is_complete(&self) -> &Self {
        assert_eq!(self.at("/complete"), true, "complete\n{self}");
        assert_eq!(self.at("/not_measured"), &Value::Array(vec![]), "{self}");
        self
    }

    /// Exactly these versions are spoken, the others are not, and none is undetermined.
    #[track_caller]
    pub(crate) fn speaks_only(&self, versions: &[&str]) -> &Self {
        assert_eq!(self.versions("yes"), versions, "versions\n{self}");
        assert_eq!(
            self.versions("undetermined"),
            [""; 0],
            "undetermined\n{self}"
        );
        assert_eq!(
            self.versions("no").len(),
            6 - versions.len(),
            "not asked\n{self}"
        );
        self
    }
}

/// The report without what makes it long.
impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "exit code {:?} after {:?}", self.code, self.took)?;
        for gap in self.at("/not_measured").as_array().into_iter().flatten() {
            writeln!(f, "not measured: {}: {}", gap["what"], gap["reason"])?;
        }
        for finding in self.findings() {
            writeln!(
                f,
                "{}: {} {}",
                finding["rule"], finding["message"], finding["evidence"]
            )?;
        }
        for target in self.at("/targets").as_array().into_iter().flatten() {
            writeln!(f, "{} {}", target["target"], target["error"])?;
            for endpoint in target["endpoints"].as_array().into_iter().flatten() {
                let connections = &endpoint["connections"];
                writeln!(f, "  {} {connections} connections", endpoint["ip"])?;
                let seen = endpoint["observations"].as_object();
                for (probe, seen) in seen.into_iter().flatten() {
                    let seen = seen.to_string();
                    writeln!(f, "    {probe} {}", seen.get(..1500).unwrap_or(&seen))?;
                }
            }
        }
        Ok(())
    }
}

/// Which independent tools to compare suites with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Against {
    pub(crate) openssl: bool,
    pub(crate) sslscan: bool,
    pub(crate) nmap: bool,
}

impl Against {
    pub(crate) const ALL: Self = Self {
        openssl: true,
        sslscan: true,
        nmap: true,
    };
}

/// Holds the suites of each version against what independent tools see at the same port.
#[track_caller]
pub(crate) fn compare_suites(report: &Report, port: u16, against: Against) {
    let versions = report.versions("yes");
    if against.sslscan {
        let scanned = tools::sslscan(port, HOST);
        // Debian's sslscan has no SSLv2 and no SSLv3.
        let seen = versions.iter().filter(|version| version.starts_with("TLS"));
        let ours: BTreeMap<String, BTreeSet<u16>> = seen
            .map(|version| (version.clone(), report.suite_ids(version)))
            .collect();
        assert_eq!(
            hex(&ours),
            hex(&scanned),
            "gladhand (left) and sslscan (right)"
        );
    }
    if against.nmap {
        let scanned = tools::nmap(port, HOST);
        for version in &versions {
            let ours: BTreeSet<_> = report.suites(version).into_iter().collect();
            let theirs = scanned.get(version).cloned().unwrap_or_default();
            let theirs: BTreeSet<_> = theirs.into_iter().collect();
            assert_eq!(ours, theirs, "{version}: gladhand (left) and nmap (right)");
        }
    }
    if against.openssl {
        for version in versions
            .iter()
            .filter(|version| version.starts_with("TLSv1"))
        {
            let theirs = tools::openssl_suites(port, HOST, version);
            let ours = report.suite_ids(version);
            let both = |set| hex(&BTreeMap::from([(version.clone(), set)]));
            assert_eq!(
                both(ours),
                both(theirs),
                "gladhand (left) and openssl (right)"
            );
        }
    }
}

/// Numbers as people write them.
fn hex(suites: &BTreeMap<String, BTreeSet<u16>>) -> BTreeMap<String, Vec<String>> {
    let names = |ids: &BTreeSet<u16>| ids.iter().map(|id| format!("{id:#06X}")).collect();
    suites
        .iter()
        .map(|(version, ids)| (version.clone(), names(ids)))
        .collect()
}
