//! Stapled OCSP responses, from real servers.

use gladhand_testkit::needs;
use gladhand_testkit::pki::status::{Ocsp, index_line, ocsp_error};
use gladhand_testkit::pki::{Issued, KeyKind, Pki, Spec};
use gladhand_testkit::real::{RealServer, Site, gnutls_serv, nginx, openssl_ocsp, s_server};
use gladhand_testkit::scripted::ScriptedServer;

use crate::harness::{HOST, Report, check, check_with};

const ONLY: [&str; 2] = ["--only", "stapling,verification"];

/// nginx, which staples this.
fn stapling_nginx(pki: &Pki, leaf: &Issued, response: &[u8]) -> RealServer {
    let file = pki.file("resp", response);
    let site = Site::serving(pki, &pki.chain(leaf))
        .line("ssl_stapling on;")
        .line(&format!("ssl_stapling_file {};", file.display()));
    nginx(pki, &[site])
}

/// What is seen of an nginx that staples this.
fn stapled(pki: &Pki, leaf: &Issued, response: &[u8]) -> Report {
    check_with(pki, stapling_nginx(pki, leaf, response).port(), &ONLY)
}

#[test]
fn nginx_staples_a_good_response() {
    needs!("nginx");
    let pki = Pki::new();
    let leaf = pki.issue(&Spec::leaf(&[HOST]).must_staple());
    let response = Ocsp::good(&leaf, pki.intermediate()).der();
    let report = stapled(&pki, &leaf, &response);
    report
        .says("stapling/stapled/answer", "yes")
        .says("stapling/response/status", "good")
        .finds_only(&[])
        .is_complete()
        .ends_with(0);
    assert_eq!(report.at("stapling/must_staple"), true, "{report}");
    assert_eq!(report.connections(), 2, "reach and the handshake: {report}");
}

#[test]
fn what_is_wrong_with_a_stapled_response_is_told_by_its_rule() {
    needs!("nginx");
    for pki in [Pki::new(), Pki::rsa()] {
        let leaf = pki.leaf(&[HOST]);
        let other = pki.leaf(&["other.example.test"]);
        let delegate = pki.issue(&Spec::leaf(&["responder"]).ocsp_signing());
        let late = pki.issue(&Spec::leaf(&["responder"]).ocsp_signing().expired());
        let foreign = Pki::new();
        let stranger = foreign.issue(&Spec::leaf(&["responder"]).ocsp_signing());
        let ca = pki.intermediate();
        let good = || Ocsp::good(&leaf, ca);
        for (response, status, problem, rules) in [
            (good().signed_by(&delegate).der(), "good", "", vec![]),
            (good().days(-5, None).der(), "good", "", vec![]),
            (
                good().days(-9, Some(-2)).der(),
                "undetermined",
                "expired",
                vec!["stapling-expired"],
            ),
            (
                good().days(-12, None).der(),
                "undetermined",
                "expired",
                vec!["stapling-expired"],
            ),
            (
                Ocsp::good(&other, ca).der(),
                "undetermined",
                "wrong-certificate",
                vec!["stapling-wrong-certificate"],
            ),
            (
                Ocsp::good(&leaf, pki.root()).der(),
                "undetermined",
                "wrong-certificate",
                vec!["stapling-wrong-certificate"],
            ),
            (
                good().revoked(3).der(),
                "revoked",
                "",
                vec!["stapling-revoked"],
            ),
            (
                good().unknown().der(),
                "unknown",
                "",
                vec!["stapling-invalid"],
            ),
            (
                good().broken().der(),
                "undetermined",
                "bad-signature",
                vec!["stapling-invalid"],
            ),
            (
                good().signed_by(&other).der(),
                "undetermined",
                "wrong-signer",
                vec!["stapling-invalid"],
            ),
            (
                good().signed_by(&late).der(),
                "undetermined",
                "wrong-signer",
                vec!["stapling-invalid"],
            ),
            (
                good().signed_by(&stranger).der(),
                "undetermined",
                "wrong-signer",
                vec!["stapling-invalid"],
            ),
            (
                ocsp_error(3),
                "undetermined",
                "refused",
                vec!["stapling-invalid"],
            ),
            (
                good().days(2, Some(9)).der(),
                "undetermined",
                "not-yet-valid",
                vec!["not-measured"],
            ),
        ] {
            let report = stapled(&pki, &leaf, &response);
            report
                .says("stapling/stapled/answer", "yes")
                .says("stapling/response/status", status)
                .says("stapling/response/problem", problem)
                .finds_only(&rules);
        }
    }
}

#[test]
fn garbage_is_not_measured() {
    needs!("openssl");
    let pki = Pki::new();
    let leaf = pki.leaf(&[HOST]);
    // nginx would not start with it.
    let mut response = Ocsp::good(&leaf, pki.intermediate()).der();
    response.truncate(response.len() - 7);
    let chain = pki.chain(&leaf);
    let server = ScriptedServer::stapling(chain, response);
    let report = check_with(&pki, server.port(), &ONLY);
    report
        .says("stapling/response/problem", "unreadable")
        .finds_only(&["not-measured"])
        .ends_with(3);
}

#[test]
fn s_server_staples_what_openssl_made() {
    needs!("openssl");
    let pki = Pki::new();
    for revoked in [false, true] {
        let leaf = pki.leaf(&[HOST]);
        let file = openssl_response(&pki, &leaf, revoked);
        let args = ["-status_file", &file];
        let server = s_server(&pki, &pki.chain(&leaf), &args);
        let report = check_with(&pki, server.port(), &ONLY);
        let status = if revoked { "revoked" } else { "good" };
        report.says("stapling/response/status", status);
        // As openssl itself sees it.
        assert_eq!(report.rules().contains("stapling-revoked"), revoked);
    }
}

/// A file with what `openssl ocsp` says of a leaf.
fn openssl_response(pki: &Pki, leaf: &Issued, revoked: bool) -> String {
    let index = index_line(leaf, revoked);
    let answer = openssl_ocsp(pki, pki.intermediate(), &index);
    let request = pki.folder().join("request.der");
    let issuer = pki.chain_file([pki.intermediate()]);
    let output = std::process::Command::new("openssl")
        .args(["ocsp", "-no_nonce", "-reqout"])
        .arg(&request)
        .arg("-issuer")
        .arg(issuer)
        .arg("-cert")
        .arg(pki.chain_file([leaf]))
        .output()
        .unwrap();
    let request = std::fs::read(&request).unwrap_or_else(|_| panic!("{output:?}"));
    let gladhand_testkit::http::Answer::Made(make) = answer else {
        panic!("openssl makes it");
    };
    pki.file("resp", &make(&request)).display().to_string()
}

#[test]
fn a_certificate_that_demands_stapling_and_a_server_that_does_not() {
    needs!("nginx");
    let pki = Pki::new();
    let leaf = pki.issue(&Spec::leaf(&[HOST]).must_staple());
    let server = nginx(&pki, &[Site::serving(&pki, &pki.chain(&leaf))]);
    let report = check_with(&pki, server.port(), &ONLY);
    report
        .says("stapling/stapled/answer", "no")
        .finds_only(&["stapling-must-staple-missing"])
        .is_complete()
        .ends_with(1);
    assert_eq!(report.connections(), 3, "one handshake more: {report}");
}

#[test]
fn nginx_that_fetches_its_response_staples_in_a_later_handshake() {
    needs!("nginx", "openssl");
    let pki = Pki::new();
    let responder = gladhand_testkit::http::HttpServer::new();
    let leaf = pki.issue(&Spec::leaf(&[HOST]).points_to(&responder.url("/"), ""));
    let index = index_line(&leaf, false);
    responder.put("*", openssl_ocsp(&pki, pki.intermediate(), &index));
    let above = pki.chain_file([pki.intermediate(), pki.root()]);
    let site = Site::serving(&pki, &pki.chain(&leaf))
        .line("ssl_stapling on;")
        .line("ssl_stapling_verify on;")
        .line(&format!("ssl_trusted_certificate {};", above.display()));
    let server = nginx(&pki, &[site]);
    let report = check_with(&pki, server.port(), &ONLY);
    report
        .says("stapling/stapled/answer", "yes")
        .says("stapling/response/status", "good")
        .finds_only(&[])
        .is_complete();
    let evidence = report.text("stapling/stapled/evidence");
    assert!(evidence.contains("second"), "{report}");
    let asked = responder.asked();
    assert!(!asked.is_empty(), "nginx has fetched it");
    let ours = |head: &String| head.contains("gladhand");
    assert!(
        !asked.iter().any(|asked| ours(&asked.head)),
        "and nobody else"
    );
}

#[test]
fn a_server_that_rustls_cannot_finish_with_is_read_in_clear() {
    needs!("openssl");
    let pki = Pki::rsa();
    let leaf = pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048)));
    let file = pki.file("resp", &Ocsp::good(&leaf, pki.intermediate()).der());
    let file = file.display().to_string();
    for version in ["-tls1", "-tls1_1", "-tls1_2"] {
        // CBC only.
        let args = [
            version,
            "-cipher",
            "AES128-SHA:@SECLEVEL=0",
            "-status_file",
            &file,
        ];
        let server = s_server(&pki, &pki.chain(&leaf), &args);
        let report = check(&pki, server.port());
        report
            .says("stapling/stapled/answer", "yes")
            .says("stapling/response/status", "good");
        let args = [version, "-cipher", "AES128-SHA:@SECLEVEL=0"];
        let server = s_server(&pki, &pki.chain(&leaf), &args);
        let report = check_with(&pki, server.port(), &ONLY);
        report.says("stapling/stapled/answer", "no");
    }
}

#[test]
fn gnutls_staples() {
    needs!("gnutls-serv", "cc");
    let pki = Pki::new();
    let leaf = pki.leaf(&[HOST]);
    let file = pki.file("resp", &Ocsp::good(&leaf, pki.intermediate()).der());
    let option = format!("--ocsp-response={}", file.display());
    let server = gnutls_serv(&pki, &pki.chain(&leaf), "NORMAL", &[&option]);
    let report = check_with(&pki, server.port(), &ONLY);
    report
        .says("stapling/response/status", "good")
        .finds_only(&[]);
}

#[test]
fn without_the_issuer_nothing_stapled_can_be_relied_on() {
    needs!("nginx");
    let pki = Pki::new();
    let leaf = pki.leaf(&[HOST]);
    let file = pki.file("resp", &Ocsp::good(&leaf, pki.intermediate()).der());
    let site = Site::serving(&pki, std::slice::from_ref(&leaf))
        .line("ssl_stapling on;")
        .line(&format!("ssl_stapling_file {};", file.display()));
    let server = nginx(&pki, &[site]);
    let report = check_with(&pki, server.port(), &ONLY);
    report
        .says("stapling/response/problem", "no-issuer")
        .finds_only(&["chain-incomplete", "not-measured"]);
}
