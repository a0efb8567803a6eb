//! SCTs in each of the three ways, from real servers; the logs are those of a list made for it.

use gladhand_testkit::pki::transparency::{CtLog, ocsp_response, sct_list, serverinfo, with_scts};
use gladhand_testkit::pki::{Issued, Pki};
use gladhand_testkit::real::{Site, nginx, s_server};
use gladhand_testkit::{clock, needs};
use time::Duration;

use crate::harness::{HOST, Report, check_with, gladhand};

const PROBE: &str = "certificate_transparency";

/// A PKI, two logs that the list has, and one that it has not.
struct Lab {
    pki: Pki,
    alpha: CtLog,
    beta: CtLog,
    unknown: CtLog,
    leaf: Issued,
}

impl Lab {
    fn new() -> Self {
        let pki = Pki::new();
        let leaf = pki.leaf(&[HOST]);
        Self {
            pki,
            alpha: CtLog::new("Alpha2026", "Alpha"),
            beta: CtLog::new("Beta2026", "Beta"),
            unknown: CtLog::new("Unknown", "Nobody"),
            leaf,
        }
    }

    /// The leaf with these SCTs in it, and its issuer.
    fn chain(&self, list: &[u8]) -> Vec<Issued> {
        self.pki.chain(&with_scts(&self.pki, &self.leaf, list))
    }

    /// One of each log: two good ones, one of a log that is not known, one over another certificate.
    fn list(&self) -> Vec<u8> {
        let at = clock::now() - Duration::days(1);
        let sct = |log: &CtLog, leaf| log.for_precertificate(&self.pki, leaf, at);
        let other = self.pki.leaf(&["other.example.test"]);
        sct_list(&[
            sct(&self.alpha, &self.leaf),
            sct(&self.beta, &self.leaf),
            sct(&self.unknown, &self.leaf),
            sct(&self.alpha, &other),
        ])
    }

    fn check(&self, port: u16) -> Report {
        self.check_probes(port, &["--only", PROBE])
    }

    fn check_probes(&self, port: u16, args: &[&str]) -> Report {
        let logs = CtLog::list(&[&self.alpha, &self.beta]);
        let logs = self.pki.file("json", logs.as_bytes());
        let logs = logs.display().to_string();
        let args = [&["--ct-logs", &logs], args].concat();
        check_with(&self.pki, port, &args)
    }
}

/// How each SCT came, of which log, and whether it is good.
fn scts(report: &Report) -> Vec<(String, String, String)> {
    let all = report.at(&format!("{PROBE}/scts")).as_array();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("?").to_owned();
    let each = |sct: &serde_json::Value| {
        (
            text(&sct["source"]),
            text(&sct["log"]["name"]),
            text(&sct["verified"]["answer"]),
        )
    };
    all.expect("SCTs").iter().map(each).collect()
}

fn row(source: &str, log: &str, answer: &str) -> (String, String, String) {
    (source.into(), log.into(), answer.into())
}

#[test]
fn nginx_with_scts_in_the_certificate() {
    needs!("nginx");
    let lab = Lab::new();
    let site = Site::serving(&lab.pki, &lab.chain(&lab.list()));
    let server = nginx(&lab.pki, &[site]);
    let report = lab.check(server.port());
    assert_eq!(
        scts(&report),
        [
            row("certificate", "Alpha2026", "yes"),
            row("certificate", "Beta2026", "yes"),
            row("certificate", "?", "undetermined"),
            row("certificate", "Alpha2026", "no"),
        ],
        "{report}"
    );
    report
        .says(&format!("{PROBE}/certificate/answer"), "yes")
        .says(&format!("{PROBE}/ocsp/answer"), "no")
        .is_complete();
    // The certificate has what browsers want: the extension is not asked for.
    assert!(report.at(&format!("{PROBE}/tls")).is_null(), "{report}");
    // A private CA needs none of it.
    report.does_not_find("certificate-transparency-missing");
}

#[test]
fn nginx_with_scts_in_the_staple() {
    needs!("nginx");
    let lab = Lab::new();
    let sct = lab.alpha.for_certificate(&lab.leaf, clock::now());
    let staple = ocsp_response(&lab.leaf, &sct_list(&[sct]));
    let staple = lab.pki.file("der", &staple);
    let site = Site::serving(&lab.pki, &lab.pki.chain(&lab.leaf))
        .line("ssl_stapling on;")
        .line(&format!("ssl_stapling_file {};", staple.display()));
    let server = nginx(&lab.pki, &[site]);
    let report = lab.check(server.port());
    assert_eq!(scts(&report), [row("ocsp", "Alpha2026", "yes")], "{report}");
    report
        .says(&format!("{PROBE}/certificate/answer"), "no")
        .says(&format!("{PROBE}/ocsp/answer"), "yes")
        .says(&format!("{PROBE}/tls/answer"), "no");
}

#[test]
fn openssl_with_scts_in_the_handshake() {
    needs!("openssl");
    let lab = Lab::new();
    let chain = lab.pki.chain(&lab.leaf);
    let at = clock::now();
    let list = sct_list(&[
        lab.alpha.for_certificate(&lab.leaf, at),
        lab.beta.for_precertificate(&lab.pki, &lab.leaf, at),
    ]);
    let info = lab.pki.file("pem", serverinfo(&list).as_bytes());
    let info = info.display().to_string();
    let server = s_server(&lab.pki, &chain, &["-serverinfo", &info]);
    let report = lab.check(server.port());
    // The second one is for a certificate that it is in: outside, it is not good.
    assert_eq!(
        scts(&report),
        [row("tls", "Alpha2026", "yes"), row("tls", "Beta2026", "no")],
        "{report}"
    );
}

#[test]
fn tls_1_3_alone_does_not_show_what_comes_in_the_handshake() {
    needs!("openssl");
    let lab = Lab::new();
    let server = s_server(&lab.pki, &lab.pki.chain(&lab.leaf), &["-tls1_3"]);
    let report = lab.check(server.port());
    report
        .says(&format!("{PROBE}/certificate/answer"), "no")
        .says(&format!("{PROBE}/tls/answer"), "undetermined")
        // It matters for public certificates only.
        .is_complete();
}

#[test]
fn garbage_in_place_of_a_list() {
    needs!("openssl");
    let lab = Lab::new();
    for garbage in [&[][..], &[0, 0], &[0xFF; 40], b"\x00\x04\x00\x02ab"] {
        let server = s_server(&lab.pki, &lab.chain(garbage), &[]);
        let report = lab.check(server.port());
        report.says(&format!("{PROBE}/certificate/answer"), "no");
        assert_eq!(scts(&report), [], "{report}");
    }
}

#[test]
fn the_text_report_tells_of_scts() {
    needs!("nginx");
    let lab = Lab::new();
    let future = clock::now() + Duration::days(1);
    let sct = lab.beta.for_precertificate(&lab.pki, &lab.leaf, future);
    let chain = lab.chain(&sct_list(&[sct]));
    let server = nginx(&lab.pki, &[Site::serving(&lab.pki, &chain)]);
    let logs = CtLog::list(&[&lab.alpha, &lab.beta]);
    let logs = lab.pki.file("json", logs.as_bytes());
    let target = format!("{HOST}:{}", server.port());
    let ran = gladhand(&[
        "check",
        &target,
        "--connect",
        "127.0.0.1",
        "--only",
        PROBE,
        "-v",
        "--ct-logs",
        &logs.display().to_string(),
    ]);
    assert!(
        ran.stdout.contains("1 SCT in the certificate, verified"),
        "{ran:#?}"
    );
    assert!(ran.stdout.contains("Beta2026"), "{ran:#?}");
}
