//! Issuers' certificates that the server does not send: fetched, proved, written.

use gladhand_testkit::http::{Answer, HttpServer};
use gladhand_testkit::needs;
use gladhand_testkit::pki::status::{Crl, pkcs7};
use gladhand_testkit::pki::{Issued, Pki, Spec};
use gladhand_testkit::real::{Site, nginx};
use gladhand_testkit::scripted::ScriptedServer;

use crate::harness::{HOST, Ran, Report, check_args, check_with, gladhand};

/// A leaf that says where its issuer is, served alone.
fn lonely(pki: &Pki, http: &HttpServer) -> Issued {
    pki.issue(&Spec::leaf(&[HOST]).points_to("", &http.url("/issuer.cer")))
}

fn evidence(report: &Report) -> String {
    report.finding("chain-incomplete")["evidence"]["seen"].to_string()
}

const ONLY: [&str; 3] = ["--revocation", "--only", "verification"];

#[test]
fn a_fetched_intermediate_proves_that_it_is_missing() {
    let pki = Pki::new();
    let http = HttpServer::new();
    let leaf = lonely(&pki, &http);
    let server = ScriptedServer::serving(vec![leaf]);
    let ca = pki.intermediate();
    let other = pki.root();
    for answer in [
        ca.der().to_vec(),
        ca.pem().into_bytes(),
        pkcs7(&[other, ca]),
    ] {
        http.put("/issuer.cer", Answer::Body(answer));
        let report = check_with(&pki, server.port(), &ONLY);
        report
            .finds_only(&["chain-incomplete"])
            .says("verification/verdict", "untrusted")
            .says("verification/completed/verdict", "trusted")
            .says("issuers/fetched/0/certificate/sha256", &ca.sha256())
            .is_complete();
        let url = http.url("/issuer.cer");
        let proof = format!(
            "verified when the intermediate CN=Gladhand Test Issuing CA from {url} is added"
        );
        assert!(evidence(&report).contains(&proof), "{report}");
    }
}

#[test]
fn what_is_there_instead_is_told() {
    let pki = Pki::new();
    let http = HttpServer::new();
    let server = ScriptedServer::serving(vec![lonely(&pki, &http)]);
    let stranger = Pki::new();
    for (answer, told) in [
        (Answer::Status(404), "HTTP status 404"),
        (
            Answer::Body(b"nothing".to_vec()),
            "not the issuer's certificate",
        ),
        (
            Answer::Body(vec![0x30, 0x84]),
            "not the issuer's certificate",
        ),
        (
            // The name is the same, the key is not.
            Answer::Body(stranger.intermediate().der().to_vec()),
            "not the issuer's certificate",
        ),
        (Answer::Body(vec![0x30; 70_000]), "longer than 65536"),
    ] {
        http.put("/issuer.cer", answer);
        let report = check_with(&pki, server.port(), &ONLY);
        report.finds_only(&["chain-incomplete"]);
        assert!(evidence(&report).contains(told), "{told}: {report}");
    }
}

#[test]
fn several_are_fetched_one_above_the_other_and_no_more_than_four() {
    let pki = Pki::new();
    let http = HttpServer::new();
    let mut above = pki.root().clone();
    let mut chain = Vec::new();
    for level in 0..6 {
        let path = format!("/{level}.cer");
        http.put(&path, Answer::Body(above.der().to_vec()));
        let ca = Spec::ca(&format!("CA {level}")).points_to("", &http.url(&path));
        above = ca.issued_by(&above);
        chain.push(above.clone());
    }
    http.put("/6.cer", Answer::Body(above.der().to_vec()));
    let under = |level: usize| {
        let path = format!("/{}.cer", level + 1);
        let spec = Spec::leaf(&[HOST]).points_to("", &http.url(&path));
        vec![spec.issued_by(&chain[level])]
    };
    let server = ScriptedServer::serving(under(1));
    let report = check_with(&pki, server.port(), &ONLY);
    report.says("verification/completed/verdict", "trusted");
    assert_eq!(report.at("issuers/fetched").as_array().unwrap().len(), 2);
    let server = ScriptedServer::serving(under(5));
    let report = check_with(&pki, server.port(), &ONLY);
    assert_eq!(report.at("issuers/fetched").as_array().unwrap().len(), 4);
    report.says("verification/completed/verdict", "untrusted");
}

#[test]
fn what_was_fetched_makes_revocation_known() {
    let pki = Pki::new();
    let http = HttpServer::new();
    let leaf = Spec::leaf(&[HOST])
        .points_to("", &http.url("/issuer.cer"))
        .crl_at(&http.url("/list.crl"))
        .issued_by(pki.intermediate());
    let server = ScriptedServer::serving(vec![leaf.clone()]);
    http.put(
        "/list.crl",
        Answer::Body(Crl::of(pki.intermediate()).with(&leaf).der()),
    );
    let only = ["--revocation", "--only", "revocation"];
    let report = check_with(&pki, server.port(), &only);
    report.says("revocation/certificates/0/sources/0/problem", "no-issuer");
    http.put(
        "/issuer.cer",
        Answer::Body(pki.intermediate().der().to_vec()),
    );
    let report = check_with(&pki, server.port(), &only);
    report.says("revocation/certificates/0/status", "revoked");
    let fetched = report.at("revocation/certificates/1");
    assert!(fetched["certificate"].is_null(), "{report}");
}

fn write_bundle(pki: &Pki, port: u16, file: &std::path::Path, more: &[&str]) -> Ran {
    let root = pki.root_file();
    let mut args = check_args(HOST, port, &root, more);
    args.push("--write-bundle".into());
    args.push(file.display().to_string());
    gladhand(&args)
}

#[test]
fn the_bundle_is_what_nginx_should_serve() {
    needs!("nginx");
    let pki = Pki::new();
    let http = HttpServer::new();
    let leaf = lonely(&pki, &http);
    let ca = pki.intermediate();
    http.put("/issuer.cer", Answer::Body(ca.der().to_vec()));
    let file = pki.folder().join("bundle.pem");
    let expected = format!("{}{}", leaf.pem(), ca.pem());
    let chains = [
        vec![leaf.clone()],
        vec![leaf.clone(), ca.clone()],
        // Out of order, with the root.
        vec![leaf.clone(), pki.root().clone(), ca.clone()],
    ];
    for chain in chains {
        let server = nginx(&pki, &[Site::serving(&pki, &chain)]);
        let ran = write_bundle(&pki, server.port(), &file, &["--only", "verification"]);
        assert!(ran.stderr.contains("wrote 2 certificates"), "{ran:?}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
        std::fs::remove_file(&file).unwrap();
    }
    // Nobody is asked about revocation for it.
    assert!(http.asked().iter().all(|asked| asked.path == "/issuer.cer"));
    // And with it nginx has no finding.
    std::fs::write(&file, expected).unwrap();
    let site = Site::default()
        .line(&format!("ssl_certificate {};", file.display()))
        .line(&format!(
            "ssl_certificate_key {};",
            pki.key_file(&leaf).display()
        ));
    let server = nginx(&pki, &[site]);
    let report = check_with(&pki, server.port(), &["--only", "verification"]);
    report
        .finds_only(&[])
        .says("verification/verdict", "trusted");
}

#[test]
fn without_a_whole_chain_there_is_no_bundle() {
    let pki = Pki::new();
    let http = HttpServer::new();
    let server = ScriptedServer::serving(vec![lonely(&pki, &http)]);
    let file = pki.folder().join("bundle.pem");
    let only = ["--only", "verification", "--fail-on", "none"];
    let ran = write_bundle(&pki, server.port(), &file, &only);
    ran.ends_with(3);
    assert!(ran.stderr.contains("HTTP status 404"), "{ran:?}");
    assert!(!file.exists());
    // The report is there all the same.
    ran.report().finds("chain-incomplete");
}

#[test]
fn a_bundle_is_of_one_target() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bundle.pem").display().to_string();
    for (args, told) in [
        (vec!["192.0.2.1", "192.0.2.2"], "one target"),
        (vec!["192.0.2.0/30"], "one target"),
        (vec!["192.0.2.1", "--only", "versions"], "needs the probes"),
    ] {
        let mut all = vec!["check", "--write-bundle", &file];
        all.extend(args);
        let ran = gladhand(&all);
        ran.ends_with(2);
        assert!(ran.stderr.contains(told), "{ran:?}");
    }
}
