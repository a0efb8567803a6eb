//! The same job, as each tool is told to do it.

use std::fmt::{self, Display};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use gladhand_testkit::needs;
use serde_json::Value;

use crate::servers::NAME;

/// What is to be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// Protocols, and every suite with the order.
    Suites,
    /// What the tool does by itself.
    Everything,
    /// The certificate, the version, and whether the chain verifies.
    Certificate,
}

impl Job {
    /// The job in a heading.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Suites => "Protocols and all suites",
            Self::Everything => "Everything about one server",
            Self::Certificate => "Certificate, version, verification",
        }
    }

    /// What is counted as a proof that the job was done.
    pub(crate) fn finds(self) -> &'static str {
        match self {
            Self::Suites | Self::Everything => "suites found",
            Self::Certificate => "certificates",
        }
    }
}

/// A tool, ready to run: where it is.
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    pub(crate) kind: Kind,
    program: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Gladhand,
    Sslscan,
    Nmap,
    Sslyze,
    Testssl,
    Openssl,
}

/// Where one server is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) address: Ipv4Addr,
    pub(crate) port: u16,
}

/// Every tool but gladhand.
const PEERS: [Kind; 5] = [
    Kind::Sslscan,
    Kind::Nmap,
    Kind::Sslyze,
    Kind::Testssl,
    Kind::Openssl,
];

/// The processes at once of a tool that knows one target at a time.
pub(crate) const AT_ONCE: &str = "-P16";

impl Tool {
    pub(crate) fn gladhand() -> Self {
        Self {
            kind: Kind::Gladhand,
            program: env!("CARGO_BIN_EXE_gladhand").into(),
        }
    }

    /// The peers that are installed, and the names of those that are not.
    pub(crate) fn peers() -> (Vec<Self>, Vec<Kind>) {
        let mut found = Vec::new();
        let mut missing = Vec::new();
        for kind in PEERS {
            match kind.program() {
                Some(program) => found.push(Self { kind, program }),
                None => missing.push(kind),
            }
        }
        (found, missing)
    }

    /// The command for one server. None where the tool has no such job.
    pub(crate) fn command(&self, job: Job, at: At, trust: &Path) -> Option<Vec<String>> {
        let place = at.to_string();
        let args = self.args(job, trust)?;
        let last = match self.kind {
            Kind::Nmap => vec!["-p".into(), at.port.to_string(), at.address.to_string()],
            Kind::Openssl => vec!["-connect".into(), place],
            _ => vec![place],
        };
        let words = [vec![self.program.display().to_string()], args, last];
        Some(words.concat())
    }

    /// The command for a file of servers: the tool's own list, or sixteen processes at once.
    pub(crate) fn many(&self, job: Job, list: &Path, trust: &Path) -> Option<Vec<String>> {
        let program = self.program.display().to_string();
        let list = list.display().to_string();
        let args = self.args(job, trust)?;
        match self.kind {
            Kind::Gladhand => Some([vec![program], args, vec![format!("@{list}")]].concat()),
            Kind::Sslyze => {
                Some([vec![program], args, vec![format!("--targets_in={list}")]].concat())
            }
            Kind::Sslscan | Kind::Openssl => {
                let mut words: Vec<String> = ["xargs", "-a", &list, AT_ONCE, "-n1"]
                    .map(str::to_owned)
                    .into();
                words.push(program);
                words.extend(args);
                if self.kind == Kind::Openssl {
                    words.push("-connect".into());
                }
                Some(words)
            }
            // nmap takes one port for all of them, and testssl.sh one target after the other.
            Kind::Nmap | Kind::Testssl => None,
        }
    }

    /// Its name and version.
    pub(crate) fn version(&self) -> String {
        let flag = match self.kind {
            Kind::Openssl => "version",
            // Only its help tells the version.
            Kind::Sslyze => "--help",
            _ => "--version",
        };
        let output = Command::new(&self.program).arg(flag).output();
        let text = output.map(|output| output.stdout).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        // The first word that looks like one, without the codes of colours around it.
        let number = text
            .split_whitespace()
            .map(plain)
            .find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'));
        format!("{} {}", self.kind, number.unwrap_or_else(|| "?".into()))
    }

    fn args(&self, job: Job, trust: &Path) -> Option<Vec<String>> {
        let trust = trust.display();
        let words = match (self.kind, job) {
            (Kind::Gladhand, job) => {
                let only = match job {
                    Job::Suites => "--only versions,suites ",
                    Job::Everything => "",
                    Job::Certificate => "--only handshake,verification ",
                };
                format!(
                    "check --no-progress --fail-on none --sni {NAME} --trust {trust} {only}-o json"
                )
            }
            (Kind::Sslscan, Job::Suites) => format!(
                "--no-colour --no-check-certificate --no-compression --no-fallback --no-groups \
                 --no-heartbleed --no-renegotiation --sni-name={NAME}"
            ),
            (Kind::Sslscan, Job::Everything) => format!("--no-colour --sni-name={NAME}"),
            (Kind::Sslscan, Job::Certificate) => format!(
                "--no-colour --no-ciphersuites --no-compression --no-fallback --no-groups \
                 --no-heartbleed --no-renegotiation --show-certificate --sni-name={NAME}"
            ),
            (Kind::Nmap, Job::Suites) => nmap("ssl-enum-ciphers"),
            (Kind::Nmap, Job::Everything) => nmap("ssl-*"),
            (Kind::Nmap, Job::Certificate) => nmap("ssl-cert"),
            (Kind::Sslyze, Job::Suites) => format!(
                "--mozilla_config disable --sslv2 --sslv3 --tlsv1 --tlsv1_1 --tlsv1_2 --tlsv1_3 \
                 --sni {NAME}"
            ),
            (Kind::Sslyze, Job::Everything) => format!("--sni {NAME}"),
            (Kind::Sslyze, Job::Certificate) => format!(
                "--mozilla_config disable --certinfo --certinfo_ca_file {trust} --sni {NAME}"
            ),
            // -E has every suite, -P the order of those that it knows: -E is the nearer one.
            (Kind::Testssl, Job::Suites) => testssl("-p -E"),
            (Kind::Testssl, Job::Everything) => testssl(""),
            (Kind::Openssl, Job::Certificate) => format!(
                "s_client -servername {NAME} -verify_hostname {NAME} -CAfile {trust} \
                 -verify_return_error -showcerts"
            ),
            (Kind::Testssl, Job::Certificate) | (Kind::Openssl, _) => return None,
        };
        Some(words.split_whitespace().map(str::to_owned).collect())
    }

    /// How many suites, over all versions, the tool says that it found.
    pub(crate) fn suites_in(&self, printed: &str) -> usize {
        let lines = printed.lines().map(str::trim_start);
        match self.kind {
            Kind::Gladhand => serde_json::from_str(printed).map_or(0, |report| accepted(&report)),
            Kind::Sslscan => lines
                .filter(|line| line.starts_with("Accepted") || line.starts_with("Preferred"))
                .count(),
            Kind::Nmap => lines
                .filter_map(|line| line.strip_prefix('|'))
                .filter(|line| line.trim_start().starts_with("TLS_"))
                .count(),
            Kind::Sslyze => lines.filter(|line| line.starts_with("TLS_")).count(),
            Kind::Testssl => lines
                .filter(|line| {
                    let number = line
                        .split_whitespace()
                        .next()
                        .and_then(|word| word.strip_prefix('x'));
                    number.is_some_and(|number| u32::from_str_radix(number, 16).is_ok())
                })
                .count(),
            Kind::Openssl => 0,
        }
    }

    /// How many servers' certificates the tool showed; where it verifies them, how many it trusts.
    pub(crate) fn certificates_in(&self, printed: &str) -> usize {
        let times = |text: &str| printed.matches(text).count();
        match self.kind {
            Kind::Gladhand => serde_json::from_str(printed).map_or(0, |report| trusted(&report)),
            // With TLS 1.3 the return code is printed again for each ticket.
            Kind::Openssl => times("CONNECTED(").min(times("Verify return code: 0 (ok)")),
            Kind::Sslscan => times("Altnames:"),
            Kind::Sslyze => times("SNI enabled)").min(times("Certificate is trusted")),
            Kind::Nmap => times("ssl-cert:"),
            Kind::Testssl => 0,
        }
    }
}

/// A word without the codes of colours.
fn plain(word: &str) -> String {
    let parts = word.split('\u{1b}').map(|part| match part.split_once('m') {
        Some((code, rest)) if code.starts_with('[') => rest,
        _ => part,
    });
    parts.collect()
}

/// The suites of all versions of all endpoints.
fn accepted(report: &Value) -> usize {
    let suites =
        endpoints(report).filter_map(|endpoint| endpoint["observations"]["suites"].as_object());
    let versions = suites.flat_map(|versions| versions.values());
    versions
        .filter_map(|version| version["accepted"].as_array())
        .map(Vec::len)
        .sum()
}

fn trusted(report: &Value) -> usize {
    endpoints(report)
        .filter(|endpoint| endpoint["observations"]["verification"]["verdict"] == "trusted")
        .count()
}

fn endpoints(report: &Value) -> impl Iterator<Item = &Value> {
    let targets = report["targets"].as_array().into_iter().flatten();
    targets.flat_map(|target| target["endpoints"].as_array().into_iter().flatten())
}

fn nmap(scripts: &str) -> String {
    format!("-n -Pn -sT --unprivileged --script {scripts} --script-args tls.servername={NAME}")
}

/// It has no option for the name, only for the address of a name: here it is asked by address.
fn testssl(tests: &str) -> String {
    format!("{tests} --warnings off --color 0 --quiet --openssl=/usr/bin/openssl")
}

impl Kind {
    fn program(self) -> Option<PathBuf> {
        match self {
            // A Python tool lives in an environment of its own, which benches/run makes.
            Self::Sslyze => {
                let made =
                    Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/bench/sslyze/bin/sslyze");
                if made.is_file() {
                    Some(made)
                } else {
                    needs::find("sslyze")
                }
            }
            Self::Testssl => needs::find("testssl").or_else(|| needs::find("testssl.sh")),
            _ => needs::find(self.name()),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gladhand => "gladhand",
            Self::Sslscan => "sslscan",
            Self::Nmap => "nmap",
            Self::Sslyze => "sslyze",
            Self::Testssl => "testssl.sh",
            Self::Openssl => "openssl",
        }
    }
}

impl Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl Display for At {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.address, self.port)
    }
}
