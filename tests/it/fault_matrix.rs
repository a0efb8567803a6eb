//! The fault matrix: gladhand before a real server whose configuration is known, with something in
//! between that does what bad networks and tired servers do. Every fact has to be right or
//! undetermined; `docs/fault-matrix.md` says the same to readers.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use gladhand_testkit::faults::{Fault, FaultProxy, Instead};
use gladhand_testkit::pki::{Issued, KeyKind, Pki, Spec};
use gladhand_testkit::real::{RealServer, Site, nginx, s_server};
use gladhand_testkit::scripted::{self, Identity, Model, ScriptedServer};
use gladhand_testkit::{names, needs, tools};

use crate::fault_rows::{
    GCM_ONLY, MODERN, Must, Node, OLD, P384_ONLY, POST_QUANTUM, Program, ROWS, Row, TLS12_ONLY,
};
use crate::harness::{HOST, Report, check_with, gladhand};

/// Findings that rows expect and that gladhand does not have yet.
pub(crate) const NOT_YET_FOUND: &[&str] = &[];

/// Rows in which gladhand still says something wrong, always or by chance, and what. Everything else about
/// them has to hold.
pub(crate) const NOT_YET_RIGHT: &[(&str, &[&str])] = &[];

const VERSIONS: &[&str] = &["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

/// How long a run may take beyond its deadline: a guard, not a measurement.
const GUARD: Duration = Duration::from_secs(2);
/// The deadline where a row says nothing.
const DEADLINE: f64 = 60.0;

/// Runs gladhand through the faults of a row, and holds its report against the truth.
pub(crate) fn run(name: &str) {
    needs!("nginx", "openssl");
    let row = row(name);
    let pki = Pki::new();
    let mut leaf = new_leaf(&pki);
    let mut leaves = BTreeSet::new();
    let mut servers = Vec::new();
    for node in row.nodes {
        if row.own_certificates {
            leaf = new_leaf(&pki);
        }
        leaves.insert(leaf.sha256());
        servers.push(Running::start(&pki, node, &leaf));
    }
    let ports: Vec<u16> = servers.iter().map(Running::port).collect();
    let proxy = FaultProxy::before_nodes(&ports, row.choice, row.faults);
    let report = check_with(&pki, proxy.port(), row.args);
    let (mut wrong, open) = judge(row, &report, &leaves, &proxy);
    wrong.retain(|wrong| !known(name).iter().any(|known| wrong.contains(known)));
    assert!(
        wrong.is_empty(),
        "{name}: {}\n  {}\nundetermined:\n  {}\n{report}",
        row.behaviour,
        wrong.join("\n  "),
        open.join("\n  ")
    );
}

/// What is not as it has to be, and what is undetermined.
fn judge(
    row: &Row,
    report: &Report,
    leaves: &BTreeSet<String>,
    proxy: &FaultProxy,
) -> (Vec<String>, Vec<String>) {
    let mut judge = Judge {
        row,
        report,
        wrong: vec![],
        open: vec![],
    };
    judge.versions();
    for version in VERSIONS {
        judge.suites(version);
    }
    judge.groups();
    judge.certificate(leaves);
    judge.findings();
    judge.completeness();
    judge.limits(proxy);
    (judge.wrong, judge.open)
}

pub(crate) fn row(name: &str) -> &'static Row {
    ROWS.iter()
        .find(|row| row.name == name)
        .unwrap_or_else(|| panic!("no row {name}"))
}

/// What is known to be wrong in a row.
fn known(row: &str) -> &'static [&'static str] {
    let known = NOT_YET_RIGHT.iter().find(|(name, _)| *name == row);
    known.map_or(&[], |(_, wrong)| wrong)
}

/// A report against the truth of a row.
struct Judge<'a> {
    row: &'a Row,
    report: &'a Report,
    /// What is not as it has to be.
    wrong: Vec<String>,
    /// What is undetermined.
    open: Vec<String>,
}

impl Judge<'_> {
    /// Yes, where any node says so: "no" would be wrong for the clients that get that node.
    fn versions(&mut self) {
        for version in VERSIONS {
            let spoken = self.row.nodes.iter().any(|node| node.speaks(version));
            let answer = self.report.text(&format!("versions/{version}/answer"));
            match (answer, spoken) {
                ("yes", true) | ("no", false) => {}
                ("yes" | "no", _) => self.wrong.push(format!("{version}: {answer}")),
                _ => self.leave_open(version, Must::VersionsAndSuites),
            }
        }
    }

    fn suites(&mut self, version: &str) {
        let truth: BTreeSet<u16> = self
            .row
            .nodes
            .iter()
            .flat_map(|node| node.suites(version))
            .map(names::suite)
            .collect();
        let accepted = self.report.suite_ids(version);
        for suite in accepted.difference(&truth) {
            let name = names::suite_name(*suite);
            self.wrong.push(format!("{version}: accepts {name}"));
        }
        if truth.is_empty() {
            return;
        }
        if self.report.at(&format!("suites/{version}")).is_null() {
            // A "no" to the version is judged where the versions are.
            self.leave_open(&format!("the suites of {version}"), Must::VersionsAndSuites);
            return;
        }
        let undetermined = self.ids(&format!("suites/{version}/undetermined"));
        for suite in truth.difference(&accepted) {
            let what = format!("{version}: {}", names::suite_name(*suite));
            if undetermined.contains(suite) {
                self.leave_open(&what, Must::VersionsAndSuites);
            } else {
                self.wrong.push(format!("{what} is not among the suites"));
            }
        }
        if !undetermined.is_empty() {
            self.leave_open(
                &format!("other suites of {version}"),
                Must::VersionsAndSuites,
            );
        }
        self.order(version, accepted.len());
    }

    /// Every server here has an order of its own. Where nodes differ in it, there is no right answer.
    fn order(&mut self, version: &str, accepted: usize) {
        let lists: BTreeSet<Vec<&str>> = self
            .row
            .nodes
            .iter()
            .map(|node| node.suites(version).collect())
            .collect();
        if lists.len() > 1 {
            return;
        }
        match self.report.text(&format!("suites/{version}/order")) {
            "server" => {}
            "not-applicable" if accepted < 2 => {}
            "undetermined" => self.leave_open(&format!("the order of {version}"), Must::Everything),
            other => self.wrong.push(format!("{version}: the order is {other}")),
        }
    }

    fn groups(&mut self) {
        let nodes = self.row.nodes.iter();
        let truth: BTreeSet<&str> = nodes.flat_map(|node| node.groups.iter().copied()).collect();
        let seen = self.report.at("groups/accepted").as_array();
        let Some(seen) = seen else {
            self.leave_open("the groups", Must::Everything);
            return;
        };
        let accepted: BTreeSet<&str> = seen.iter().filter_map(|g| g["name"].as_str()).collect();
        let undetermined: BTreeSet<&str> = self
            .report
            .at("groups/undetermined")
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|group| group["name"].as_str())
            .collect();
        for group in accepted.difference(&truth) {
            self.wrong.push(format!("accepts the group {group}"));
        }
        for group in truth.difference(&accepted) {
            if undetermined.contains(group) {
                self.leave_open(group, Must::Everything);
            } else {
                self.wrong.push(format!("{group} is not among the groups"));
            }
        }
        if !undetermined.is_empty() {
            self.leave_open("other groups", Must::Everything);
        }
    }

    /// The first certificate that is served is one of the nodes'.
    fn certificate(&mut self, leaves: &BTreeSet<String>) {
        match self.report.served().first() {
            Some(leaf) if leaves.contains(leaf) => {}
            Some(leaf) => self.wrong.push(format!("serves {leaf}")),
            None if self.row.must == Must::Everything && self.row.handshake => {
                self.wrong.push("the certificate is not there".into());
            }
            None => {}
        }
    }

    /// What is wrong with these servers, and with the way to them, and no more.
    fn findings(&mut self) {
        let seen = self.report.rules();
        let mut allowed: BTreeSet<&str> = BTreeSet::from(["not-measured"]);
        // The servers here have no HTTP/2, OpenSSL has no security level, and its server no HSTS.
        let usual = [
            "alpn-http2-missing",
            "signature-sha1-accepted",
            "hsts-missing",
        ];
        allowed.extend(usual);
        allowed.extend(self.row.nodes.iter().flat_map(|node| node.rules));
        allowed.extend(self.row.finds.iter().chain(self.row.may_find));
        if !self.row.handshake {
            allowed.extend(["handshake-fails", "port-silent"]);
        }
        for rule in &seen {
            if !allowed.contains(rule.as_str()) {
                self.wrong.push(format!("a finding {rule}"));
            }
        }
        for rule in self.row.finds {
            if !NOT_YET_FOUND.contains(rule) && !seen.contains(*rule) {
                self.wrong.push(format!("no finding {rule}"));
            }
        }
    }

    /// What is undetermined is said to be, in the report and by the exit code.
    fn completeness(&mut self) {
        let complete = self.report.at("/complete") == true;
        let gaps = self.report.at("/not_measured").as_array();
        let gaps = gaps.expect("a list");
        // rustls may stumble where a short hello with a ticket does.
        let other = gaps.iter().filter(|gap| gap["what"] != "session").count();
        let gaps = gaps.len();
        if complete && !self.open.is_empty() {
            self.wrong.push("undetermined, and yet complete".into());
        }
        if complete != (gaps == 0) {
            self.wrong
                .push(format!("complete: {complete}, and {gaps} not measured"));
        }
        if other > 0 && self.row.must == Must::Everything && self.row.handshake {
            self.wrong.push("not complete".into());
        }
        let grave = self
            .report
            .findings()
            .any(|finding| finding["severity"] == "high" || finding["severity"] == "critical");
        let code = match (grave, complete) {
            (true, _) => 1,
            (false, false) => 3,
            (false, true) => 0,
        };
        if self.report.code != Some(code) {
            self.wrong
                .push(format!("exit code {:?}, not {code}", self.report.code));
        }
    }

    fn limits(&mut self, proxy: &FaultProxy) {
        let counted = settled(proxy, self.report.connections());
        if counted > self.row.at_most {
            let most = self.row.at_most;
            self.wrong
                .push(format!("{counted} connections, {most} at most"));
        }
        // Where a RST overtakes connect(), and where nobody accepts, only one side has a connection.
        let told_apart = self.row.faults.iter().any(|fault| {
            matches!(
                fault,
                Fault::GoneAfter(_) | Fault::Arrival(_, Instead::Reset)
            )
        });
        if !told_apart && u64::try_from(counted).ok() != Some(self.report.connections()) {
            self.wrong
                .push(format!("the proxy counted {counted} connections"));
        }
        let args = self.row.args;
        let deadline = args.iter().position(|arg| *arg == "--deadline");
        let deadline = deadline.and_then(|at| args.get(at + 1)?.parse().ok());
        let deadline = Duration::from_secs_f64(deadline.unwrap_or(DEADLINE));
        if self.report.took > deadline + GUARD {
            self.wrong
                .push(format!("took {:?} of {deadline:?}", self.report.took));
        }
    }

    /// Notes what is undetermined; wrong where the row has to determine at least so much of it.
    fn leave_open(&mut self, what: &str, part: Must) {
        self.open.push(what.to_owned());
        if self.row.must == Must::Everything || self.row.must == part {
            self.wrong.push(format!("{what} is undetermined"));
        }
    }

    fn ids(&self, pointer: &str) -> BTreeSet<u16> {
        let list = self.report.at(pointer).as_array();
        let id = |suite: &serde_json::Value| {
            let id = suite["id"].as_str().and_then(|id| id.strip_prefix("0x"));
            u16::from_str_radix(id.expect("an id"), 16).expect("hexadecimal")
        };
        list.into_iter().flatten().map(id).collect()
    }
}

/// How many connections the proxy took: the last may still be on their way to it.
fn settled(proxy: &FaultProxy, expected: u64) -> usize {
    let begun = Instant::now();
    loop {
        let counted = proxy.connections();
        let there = u64::try_from(counted).is_ok_and(|counted| counted >= expected);
        if there || begun.elapsed() > Duration::from_millis(500) {
            return counted;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Node {
    fn speaks(&self, version: &str) -> bool {
        self.suites.iter().any(|(spoken, _)| *spoken == version)
    }

    fn suites(&self, version: &str) -> impl Iterator<Item = &'static str> {
        let list = self.suites.iter().find(|(spoken, _)| *spoken == version);
        list.map_or(&[][..], |(_, suites)| suites).iter().copied()
    }

    /// The suites below TLS 1.3: those of the newest version, which has all of them.
    fn suites_below_13(&self) -> &'static [&'static str] {
        let mut below = self.suites.iter().filter(|(v, _)| *v != "TLSv1.3");
        below.next_back().map_or(&[], |(_, suites)| suites)
    }
}

fn new_leaf(pki: &Pki) -> Issued {
    pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048)))
}

/// A node that runs.
enum Running {
    Real(RealServer),
    Scripted(ScriptedServer),
}

impl Running {
    fn start(pki: &Pki, node: &Node, leaf: &Issued) -> Self {
        let chain = pki.chain(leaf);
        let openssl = |names: &[&str]| -> String {
            let names: Vec<&str> = names.iter().map(|name| openssl_name(name)).collect();
            names.join(":")
        };
        let tls13: Vec<&str> = node.suites("TLSv1.3").collect();
        match node.program {
            Program::Nginx => {
                let versions: Vec<&str> = node.suites.iter().map(|(v, _)| *v).collect();
                let site = Site::serving(pki, &chain)
                    .protocols(&versions.join(" ").replace("TLSv1.0", "TLSv1"))
                    .ciphers(&format!("{}:@SECLEVEL=0", openssl(node.suites_below_13())))
                    .server_order(true)
                    .curves(&openssl(node.groups));
                let site = if tls13.is_empty() {
                    site
                } else {
                    site.tls13_suites(&tls13.join(":"))
                };
                Self::Real(nginx(pki, &[site]))
            }
            Program::SServer => {
                let below = openssl(node.suites_below_13());
                let (tls13, groups) = (tls13.join(":"), openssl(node.groups));
                Self::Real(s_server(
                    pki,
                    &chain,
                    &[
                        "-cipher",
                        &below,
                        "-ciphersuites",
                        &tls13,
                        "-curves",
                        &groups,
                        "-serverpref",
                        "-no_ssl3",
                        "-no_tls1",
                        "-no_tls1_1",
                    ],
                ))
            }
            Program::Rustls => {
                let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
                let model = Model {
                    versions: node.suites.iter().map(|(v, _)| (*v).to_owned()).collect(),
                    suites: node
                        .suites
                        .iter()
                        .map(|(v, suites)| ((*v).to_owned(), owned(suites)))
                        .collect(),
                    groups: owned(node.groups),
                    ..Model::default()
                };
                let identity = Identity::of(chain);
                Self::Scripted(ScriptedServer::start(
                    model,
                    scripted::Fault::default(),
                    vec![],
                    identity,
                ))
            }
        }
    }

    fn port(&self) -> u16 {
        match self {
            Self::Real(server) => server.port(),
            Self::Scripted(server) => server.port(),
        }
    }
}

/// OpenSSL's name of a suite or group.
fn openssl_name(iana: &str) -> &str {
    match iana {
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" => "ECDHE-RSA-AES128-GCM-SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" => "ECDHE-RSA-AES256-GCM-SHA384",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256" => "ECDHE-RSA-AES128-SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384" => "ECDHE-RSA-AES256-SHA384",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA" => "ECDHE-RSA-AES128-SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA" => "ECDHE-RSA-AES256-SHA",
        "TLS_RSA_WITH_AES_128_GCM_SHA256" => "AES128-GCM-SHA256",
        "TLS_RSA_WITH_AES_256_GCM_SHA384" => "AES256-GCM-SHA384",
        "TLS_RSA_WITH_AES_128_CBC_SHA256" => "AES128-SHA256",
        "TLS_RSA_WITH_AES_256_CBC_SHA256" => "AES256-SHA256",
        "TLS_RSA_WITH_AES_128_CBC_SHA" => "AES128-SHA",
        "TLS_RSA_WITH_AES_256_CBC_SHA" => "AES256-SHA",
        "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA" => "CAMELLIA128-SHA",
        "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA" => "CAMELLIA256-SHA",
        "x25519" => "X25519",
        "secp256r1" => "P-256",
        "secp384r1" => "P-384",
        _ => panic!("{iana}: its name in OpenSSL?"),
    }
}

/// The truth is what a server is configured to be, and independent clients see the same.
#[test]
fn the_truth_is_what_others_see() {
    needs!("nginx", "openssl", "sslscan");
    let pki = Pki::new();
    for node in [MODERN, OLD] {
        let leaf = new_leaf(&pki);
        let server = Running::start(&pki, &node, &leaf);
        let proxy = FaultProxy::before(server.port(), &[]);
        let port = proxy.port();
        let scanned = tools::sslscan(port, HOST);
        for version in ["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"] {
            let truth: BTreeSet<u16> = node.suites(version).map(names::suite).collect();
            let seen = scanned.get(version).cloned().unwrap_or_default();
            assert_eq!(seen, truth, "{version}");
        }
        if node.speaks("TLSv1.3") {
            for group in ["x25519", "secp256r1", "secp384r1"] {
                assert!(
                    tools::openssl_group(port, HOST, openssl_name(group)),
                    "{group}"
                );
            }
            for group in ["X448", "P-521"] {
                assert!(!tools::openssl_group(port, HOST, group), "{group}");
            }
        }
        assert_eq!(
            tools::openssl_fingerprint(port, Some(HOST)),
            Some(leaf.sha256())
        );
    }
}

/// A report that says something else than the truth does not pass.
#[test]
fn what_is_wrong_is_seen() {
    needs!("nginx");
    let pki = Pki::new();
    let leaf = new_leaf(&pki);
    let server = Running::start(&pki, &MODERN, &leaf);
    let proxy = FaultProxy::before(server.port(), &[]);
    let report = check_with(&pki, proxy.port(), &[]);
    let leaves = BTreeSet::from([leaf.sha256()]);
    let against = |nodes: &'static [Node], leaves: &BTreeSet<String>| {
        let row = Row {
            nodes,
            ..*row("nothing")
        };
        judge(&row, &report, leaves, &proxy).0.join("; ")
    };
    assert_eq!(against(&[MODERN], &leaves), "");
    for (nodes, wrong) in [
        (&[TLS12_ONLY] as &[Node], "TLSv1.3: yes"),
        (&[OLD], "TLSv1.0: no"),
        (&[OLD], "TLSv1.2: TLS_RSA_WITH_AES_128_CBC_SHA is not among"),
        (&[GCM_ONLY], "accepts TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
        (&[P384_ONLY], "accepts the group x25519"),
        (&[POST_QUANTUM], "X25519MLKEM768 is not among"),
        (&[POST_QUANTUM], "a finding group-post-quantum-missing"),
    ] {
        let seen = against(nodes, &leaves);
        assert!(seen.contains(wrong), "{wrong}: {seen}");
    }
    assert!(against(&[MODERN], &BTreeSet::new()).contains("serves"));
}

/// What is no longer missing must not be excused, nor what was never there.
#[test]
fn what_is_not_yet_there_is_not_there() {
    let rules = gladhand(&["rules"]).stdout;
    for rule in NOT_YET_FOUND {
        assert!(
            !rules.contains(rule),
            "{rule} is there: take it off the list"
        );
    }
}
