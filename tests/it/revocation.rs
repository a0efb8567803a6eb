//! `--revocation`: responders and lists, as certificates point to them.

use std::sync::Arc;

use gladhand_testkit::http::{Answer, HttpServer};
use gladhand_testkit::needs;
use gladhand_testkit::net::ClosedPort;
use gladhand_testkit::pki::status::{Crl, Ocsp, index_line, nonce_in, ocsp_error};
use gladhand_testkit::pki::{Issued, Pki, Spec};
use gladhand_testkit::real::openssl_ocsp;
use gladhand_testkit::scripted::ScriptedServer;
use serde_json::Value;

use crate::harness::{HOST, Report, check_with, gladhand};

const ONLY: [&str; 5] = [
    "--revocation",
    "--timeout",
    "1",
    "--only",
    "revocation,verification",
];

/// A certificate that points to a server, and the server.
struct Lab {
    pki: Pki,
    http: HttpServer,
    leaf: Issued,
}

impl Lab {
    /// An OCSP responder, and no list.
    fn ocsp() -> Self {
        Self::with(|spec, http| spec.points_to(&http.url("/ocsp"), ""))
    }

    /// A list, and no responder.
    fn crl() -> Self {
        Self::with(|spec, http| spec.crl_at(&http.url("/list.crl")))
    }

    fn with(point: impl Fn(Spec, &HttpServer) -> Spec) -> Self {
        let pki = Pki::new();
        let http = HttpServer::new();
        let leaf = pki.issue(&point(Spec::leaf(&[HOST]), &http));
        Self { pki, http, leaf }
    }

    fn good(&self) -> Ocsp {
        Ocsp::good(&self.leaf, self.pki.intermediate())
    }

    fn list(&self) -> Crl {
        Crl::of(self.pki.intermediate())
    }

    fn check(&self) -> Report {
        self.check_with(&ONLY)
    }

    fn check_with(&self, args: &[&str]) -> Report {
        let server = ScriptedServer::serving(self.pki.chain(&self.leaf));
        check_with(&self.pki, server.port(), args)
    }
}

/// What the first source says of the leaf: status, problem, evidence.
fn leaf(report: &Report) -> (&str, &str, &str) {
    let of = |key| report.text(&format!("revocation/certificates/0/sources/0/{key}"));
    (of("status"), of("problem"), of("evidence"))
}

#[test]
fn nothing_is_fetched_without_the_flag() {
    let lab = Lab::with(|spec, http| {
        let issuer = http.url("/issuer");
        spec.points_to(&http.url("/ocsp"), &issuer)
            .crl_at(&http.url("/list.crl"))
    });
    // Without the intermediate, so that there is something to fetch.
    let server = ScriptedServer::serving(vec![lab.leaf.clone()]);
    let report = check_with(&lab.pki, server.port(), &[]);
    report
        .says("revocation/status", "not-applicable")
        .says("issuers/status", "not-applicable")
        .finds("chain-incomplete");
    assert_eq!(lab.http.asked().len(), 0, "nobody else is contacted");
    // And it would have been.
    let ca = lab.pki.intermediate().der().to_vec();
    lab.http.put("/issuer", Answer::Body(ca));
    check_with(&lab.pki, server.port(), &["--revocation"]);
    let mut paths: Vec<_> = lab
        .http
        .asked()
        .into_iter()
        .map(|asked| asked.path)
        .collect();
    paths.sort();
    assert_eq!(paths, ["/issuer", "/list.crl", "/ocsp"]);
}

#[test]
fn a_probe_that_fetches_is_not_chosen_without_the_flag() {
    for probe in ["revocation", "issuers"] {
        let ran = gladhand(&["check", "192.0.2.1", "--only", probe]);
        ran.ends_with(2);
        assert!(ran.stderr.contains("--revocation"), "{ran:?}");
    }
}

#[test]
fn openssl_answers_good_and_revoked() {
    needs!("openssl");
    for revoked in [false, true] {
        let lab = Lab::ocsp();
        let index = index_line(&lab.leaf, revoked);
        let ca = lab.pki.intermediate();
        lab.http.put("/ocsp", openssl_ocsp(&lab.pki, ca, &index));
        let report = lab.check();
        let source = "revocation/certificates/0/sources/0";
        if revoked {
            report
                .finds_only(&["certificate-revoked", "not-measured"])
                .says(&format!("{source}/status"), "revoked")
                .says(&format!("{source}/reason"), "keyCompromise")
                .ends_with(1);
            let finding = report.finding("certificate-revoked");
            assert_eq!(finding["severity"], "critical");
            assert_eq!(finding["evidence"]["key"], "leaf");
        } else {
            report.says(&format!("{source}/status"), "good");
            assert!(leaf(&report).2.contains("for this request"), "{report}");
        }
        // The intermediate points nowhere, and that is told.
        report.says("revocation/certificates/1/status", "undetermined");
        let asked = lab.http.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert_eq!(asked[0].method, "POST");
        let head = asked[0].head.to_lowercase();
        assert!(
            head.contains("content-type: application/ocsp-request"),
            "{head}"
        );
        assert!(head.contains("user-agent: gladhand"), "{head}");
    }
}

#[test]
fn openssl_answers_that_it_does_not_know() {
    needs!("openssl");
    let lab = Lab::ocsp();
    let ca = lab.pki.intermediate();
    lab.http.put("/ocsp", openssl_ocsp(&lab.pki, ca, ""));
    let report = lab.check();
    assert_eq!(leaf(&report).0, "unknown", "{report}");
    report.finds_only(&["not-measured"]).ends_with(3);
}

#[test]
fn a_response_is_taken_for_what_it_is() {
    let lab = Lab::ocsp();
    let other = lab.pki.leaf(&["other.example.test"]);
    let delegate = lab.pki.issue(&Spec::leaf(&["responder"]).ocsp_signing());
    let ca = lab.pki.intermediate();
    let cases: Vec<(Vec<u8>, &str, &str)> = vec![
        (lab.good().der(), "good", ""),
        (lab.good().signed_by(&delegate).der(), "good", ""),
        (
            lab.good().revoked(9).signed_by(&delegate).der(),
            "revoked",
            "",
        ),
        (lab.good().unknown().der(), "unknown", ""),
        (
            lab.good().days(-9, Some(-1)).der(),
            "undetermined",
            "expired",
        ),
        (
            lab.good().days(1, Some(9)).der(),
            "undetermined",
            "not-yet-valid",
        ),
        (
            Ocsp::good(&other, ca).der(),
            "undetermined",
            "wrong-certificate",
        ),
        (lab.good().broken().der(), "undetermined", "bad-signature"),
        (
            lab.good().revoked(9).broken().der(),
            "undetermined",
            "bad-signature",
        ),
        (
            lab.good().signed_by(&other).der(),
            "undetermined",
            "wrong-signer",
        ),
        (
            lab.good().nonce(&[7; 32]).der(),
            "undetermined",
            "old-answer",
        ),
        (ocsp_error(1), "undetermined", "refused"),
        (ocsp_error(3), "undetermined", "refused"),
        (ocsp_error(6), "undetermined", "refused"),
        (
            b"<html>not found</html>".to_vec(),
            "undetermined",
            "unreadable",
        ),
        (Vec::new(), "undetermined", "unreadable"),
        (vec![0x30; 60_000], "undetermined", "unreadable"),
        (vec![0x30, 0x80, 0, 0], "undetermined", "unreadable"),
    ];
    for (response, status, problem) in cases {
        lab.http.put("/ocsp", Answer::Body(response));
        let report = lab.check();
        let seen = leaf(&report);
        assert_eq!((seen.0, seen.1), (status, problem), "{report}");
        let revoked = report.rules().contains("certificate-revoked");
        assert_eq!(revoked, status == "revoked", "{report}");
        assert_eq!(report.code, Some(if revoked { 1 } else { 3 }), "{report}");
    }
}

#[test]
fn the_nonce_is_held_against_the_answer() {
    let lab = Lab::ocsp();
    let good = lab.good();
    let answer = move |request: &[u8]| {
        let nonce = nonce_in(request).expect("a nonce");
        assert_eq!(nonce.len(), 32);
        good.clone().nonce(&nonce).der()
    };
    lab.http.put("/ocsp", Answer::Made(Arc::new(answer)));
    let report = lab.check();
    assert_eq!(leaf(&report).0, "good", "{report}");
    assert!(leaf(&report).2.contains("for this request"), "{report}");
}

#[test]
fn what_answers_badly_is_undetermined_and_costs_little() {
    let lab = Lab::ocsp();
    let (http, good) = (&lab.http, lab.good().der());
    let huge = b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n".to_vec();
    let chunk =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n".to_vec();
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123".to_vec();
    for (answer, told) in [
        (Answer::Status(404), "HTTP status 404"),
        (Answer::Status(503), "HTTP status 503"),
        (Answer::Drip(good.clone()), "no whole answer within 1 s"),
        (Answer::Endless, "longer than 65536"),
        (Answer::Raw(huge), "longer than 65536"),
        (Answer::Raw(chunk), "longer than 65536"),
        (Answer::Raw(cut), "breaks off"),
        (Answer::Raw(b"SSH-2.0-x\r\n".to_vec()), "no HTTP"),
        (Answer::Raw(vec![]), "breaks off"),
        (Answer::Raw(vec![b'x'; 40_000]), "no HTTP"),
        (Answer::Redirect(http.url("/ocsp")), "more than 2 redirects"),
        (
            Answer::Redirect("https://example.com/".into()),
            "only http://",
        ),
        (
            Answer::Redirect("file:///etc/passwd".into()),
            "only http://",
        ),
        (
            Answer::Redirect("http://169.254.169.254/latest/".into()),
            "169.254.169.254 is not contacted",
        ),
    ] {
        http.put("/ocsp", answer);
        let report = lab.check();
        let (status, problem, evidence) = leaf(&report);
        assert_eq!(
            (status, problem),
            ("undetermined", "unavailable"),
            "{report}"
        );
        assert!(evidence.contains(told), "{told}: {report}");
        report.finds_only(&["not-measured"]).ends_with(3);
    }
    http.put("/b?x=y", Answer::Redirect(http.url("/c")));
    http.put("/c", Answer::Body(good.clone()));
    for answer in [
        Answer::Chunks(good.clone(), 7),
        Answer::ToTheEnd(good),
        Answer::Redirect("/b?x=y".into()),
    ] {
        http.put("/ocsp", answer);
        let report = lab.check();
        assert_eq!(leaf(&report).0, "good", "{report}");
    }
}

#[test]
fn certificates_may_not_point_just_anywhere() {
    let closed = ClosedPort::new();
    for (url, told) in [
        ("http://169.254.169.254/latest/meta-data/", "not contacted"),
        ("http://0xa9fea9fe/", "not contacted"),
        ("http://2852039166/", "not contacted"),
        ("http://[::ffff:169.254.169.254]/", "not contacted"),
        ("http://[fd00:ec2::254]/", "not contacted"),
        ("http://0.0.0.0/", "not contacted"),
        ("http://224.0.0.1/", "not contacted"),
        ("https://127.0.0.1/", "only http://"),
        ("ldap://127.0.0.1/", "only http://"),
        ("unix:/run/x.sock", "only http://"),
        ("no url", "no URL"),
        (&format!("http://127.0.0.1:{}/", closed.port()), "refused"),
    ] {
        let lab = Lab::with(|spec, _| spec.points_to(url, ""));
        let report = lab.check();
        let (status, problem, evidence) = leaf(&report);
        assert_eq!(
            (status, problem),
            ("undetermined", "unavailable"),
            "{report}"
        );
        assert!(evidence.contains(told), "{url}, {told}: {report}");
    }
}

#[test]
fn a_list_is_taken_for_what_it_is() {
    let lab = Lab::crl();
    let url = lab.http.url("/list.crl");
    let stranger = Pki::new();
    let pem = |der: &[u8]| {
        let text = stranger.file("crl", der);
        let output = std::process::Command::new("openssl")
            .args(["crl", "-inform", "der", "-in"])
            .arg(text)
            .output();
        output.unwrap().stdout
    };
    needs!("openssl");
    let revoked = lab.list().with_others(3).with(&lab.leaf);
    for (list, status, problem) in [
        (lab.list().der(), "good", ""),
        (lab.list().with_others(9).der(), "good", ""),
        (revoked.der(), "revoked", ""),
        (pem(&revoked.der()), "revoked", ""),
        (revoked.clone().of_point(&url).der(), "revoked", ""),
        (lab.list().of_point(&url).der(), "good", ""),
        (
            lab.list().of_point("http://other.example.test/").der(),
            "undetermined",
            "wrong-certificate",
        ),
        (lab.list().days(-9, -2).der(), "undetermined", "expired"),
        (
            revoked.clone().days(-9, -2).der(),
            "undetermined",
            "expired",
        ),
        (lab.list().days(2, 9).der(), "undetermined", "not-yet-valid"),
        (
            lab.list().signed_by(lab.pki.root()).der(),
            "undetermined",
            "bad-signature",
        ),
        (
            Crl::of(lab.pki.root()).der(),
            "undetermined",
            "wrong-signer",
        ),
        (b"nothing".to_vec(), "undetermined", "unreadable"),
        (lab.good().der(), "undetermined", "unreadable"),
    ] {
        lab.http.put("/list.crl", Answer::Body(list));
        let report = lab.check();
        let seen = leaf(&report);
        assert_eq!((seen.0, seen.1), (status, problem), "{report}");
    }
}

#[test]
fn a_list_that_openssl_made() {
    needs!("openssl");
    let lab = Lab::crl();
    for revoked in [false, true] {
        lab.http
            .put("/list.crl", Answer::Body(openssl_list(&lab, revoked)));
        let report = lab.check();
        let (status, ..) = leaf(&report);
        assert_eq!(status, if revoked { "revoked" } else { "good" }, "{report}");
    }
}

/// What `openssl ca -gencrl` makes.
fn openssl_list(lab: &Lab, revoked: bool) -> Vec<u8> {
    let pki = &lab.pki;
    let index = pki.file("txt", index_line(&lab.leaf, revoked).as_bytes());
    let configuration = format!(
        "[ca]\ndefault_ca = here\n[here]\ndatabase = {}\ndefault_md = sha256\n",
        index.display()
    );
    let made = pki.folder().join("made.pem");
    let output = std::process::Command::new("openssl")
        .args(["ca", "-gencrl", "-crldays", "7", "-config"])
        .arg(pki.file("cnf", configuration.as_bytes()))
        .arg("-cert")
        .arg(pki.chain_file([pki.intermediate()]))
        .arg("-keyfile")
        .arg(pki.key_file(pki.intermediate()))
        .arg("-out")
        .arg(&made)
        .output()
        .unwrap();
    std::fs::read(&made).unwrap_or_else(|_| panic!("{output:?}"))
}

#[test]
fn a_long_list_is_read() {
    let lab = Lab::crl();
    // Some megabytes.
    let list = lab.list().with_others(100_000).with(&lab.leaf).der();
    assert!(list.len() > 3_000_000);
    lab.http.put("/list.crl", Answer::Body(list));
    assert_eq!(leaf(&lab.check()).0, "revoked");
    lab.http.put("/list.crl", Answer::Endless);
    let report = lab.check();
    assert!(leaf(&report).2.contains("longer than 16777216"), "{report}");
}

#[test]
fn the_first_source_that_decides_does() {
    let lab = Lab::with(|spec, http| {
        spec.points_to(&http.url("/ocsp"), "")
            .crl_at(&http.url("/list.crl"))
    });
    lab.http.put("/ocsp", Answer::Body(ocsp_error(3)));
    lab.http
        .put("/list.crl", Answer::Body(lab.list().with(&lab.leaf).der()));
    let report = lab.check();
    report
        .says("revocation/certificates/0/status", "revoked")
        .says("revocation/certificates/0/sources/0/kind", "ocsp")
        .says("revocation/certificates/0/sources/1/kind", "crl");
    lab.http.put("/ocsp", Answer::Body(lab.good().der()));
    let report = lab.check();
    // The responder does not know yet; the list does.
    report
        .says("revocation/certificates/0/status", "revoked")
        .finds("certificate-revoked");
}

#[test]
fn an_intermediate_that_is_revoked_is_told_as_such() {
    let http = HttpServer::new();
    let pki = Pki::new();
    let intermediate = Spec::ca("A CA")
        .crl_at(&http.url("/root.crl"))
        .issued_by(pki.root());
    let leaf = Spec::leaf(&[HOST])
        .crl_at(&http.url("/ca.crl"))
        .issued_by(&intermediate);
    http.put(
        "/root.crl",
        Answer::Body(Crl::of(pki.root()).with(&intermediate).der()),
    );
    http.put("/ca.crl", Answer::Body(Crl::of(&intermediate).der()));
    let server = ScriptedServer::serving(vec![leaf, intermediate]);
    let report = check_with(&pki, server.port(), &ONLY);
    report
        .finds_only(&["certificate-revoked"])
        .says("revocation/certificates/0/status", "good")
        .says("revocation/certificates/1/status", "revoked")
        .is_complete()
        .ends_with(1);
    let finding = report.finding("certificate-revoked");
    assert_eq!(finding["evidence"]["key"], "intermediate");
    let text = finding.to_string();
    assert!(text.contains("superseded"), "{text}");
}

#[test]
fn who_may_not_sign_lists_is_not_believed() {
    let http = HttpServer::new();
    let pki = Pki::new();
    let ca = Spec::ca("A CA").without_crl_sign().issued_by(pki.root());
    let leaf = Spec::leaf(&[HOST])
        .crl_at(&http.url("/ca.crl"))
        .issued_by(&ca);
    http.put("/ca.crl", Answer::Body(Crl::of(&ca).der()));
    let server = ScriptedServer::serving(vec![leaf, ca]);
    let report = check_with(&pki, server.port(), &ONLY);
    report.says(
        "revocation/certificates/0/sources/0/problem",
        "wrong-signer",
    );
}

#[test]
fn nothing_is_fetched_past_a_proxy() {
    let lab = Lab::ocsp();
    lab.http.put("/ocsp", Answer::Body(lab.good().der()));
    let server = ScriptedServer::serving(lab.pki.chain(&lab.leaf));
    let proxy = gladhand_testkit::front::Front::http_proxy(server.port(), None);
    let via = format!("http://127.0.0.1:{}", proxy.port());
    let report = check_with(
        &lab.pki,
        server.port(),
        &[&ONLY[..], &["--via", &via]].concat(),
    );
    assert!(leaf(&report).2.contains("past the proxy"), "{report}");
    assert_eq!(lab.http.asked().len(), 0);
}

#[test]
fn the_text_report_says_who_said_what() {
    let lab = Lab::ocsp();
    lab.http
        .put("/ocsp", Answer::Body(lab.good().revoked(9).der()));
    let server = ScriptedServer::serving(lab.pki.chain(&lab.leaf));
    let root = lab.pki.root_file().display().to_string();
    let target = format!("{HOST}:{}", server.port());
    let mut args = vec!["check", &target, "--connect", "127.0.0.1", "--trust", &root];
    args.extend(ONLY);
    let ran = gladhand(&args);
    ran.ends_with(1);
    for told in [
        "certificate-revoked",
        "revocation",
        "revoked since",
        "(keyCompromise)",
    ] {
        assert!(ran.stdout.contains(told), "{told}: {}", ran.stdout);
    }
}

#[test]
fn the_variable_asks_as_the_flag_does() {
    let lab = Lab::ocsp();
    lab.http.put("/ocsp", Answer::Body(lab.good().der()));
    let server = ScriptedServer::serving(lab.pki.chain(&lab.leaf));
    let root = lab.pki.root_file();
    let args = crate::harness::check_args(HOST, server.port(), &root, &["--only", "revocation"]);
    let ran = crate::harness::gladhand_in(&args, &[("GLADHAND_REVOCATION", "1")], "");
    let report = ran.report();
    assert_eq!(leaf(&report).0, "good", "{report}");
    assert_ne!(report.at("revocation/certificates/0/sha256"), &Value::Null);
}
