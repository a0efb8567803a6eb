//! Servers with several chains: each is found, described and judged.

use gladhand_testkit::needs;
use gladhand_testkit::pki::{Issued, KeyKind, Pki, Spec};
use gladhand_testkit::real::{Jsse, Site, gnutls_serv, jsse, nginx};

use crate::harness::{HOST, Report, check, check_with};

fn rsa(pki: &Pki) -> Issued {
    pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048)))
}

/// The SHA-256 of every leaf, the ordinary one first.
fn leaves(report: &Report) -> Vec<String> {
    let mut all = vec![report.text("certificate/served/0/sha256").to_owned()];
    let others = report.at("certificates/others").as_array();
    all.extend(others.expect("others").iter().map(|other| {
        let leaf = other.pointer("/certificate/served/0/sha256");
        leaf.and_then(|leaf| leaf.as_str()).expect("a leaf").into()
    }));
    all
}

/// Checks that both were found, and nothing else.
#[track_caller]
fn has_both(report: &Report, ec: &Issued, rsa: &Issued) {
    let mut found = leaves(report);
    let mut expected = vec![ec.sha256(), rsa.sha256()];
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "{report}");
    report
        .says("certificates/key_types/RSA/answer", "yes")
        .says("certificates/key_types/EC/answer", "yes")
        .says("certificates/others/0/verification/verdict", "trusted");
    let chain = report.at("certificates/others/0/certificate/served");
    assert_eq!(chain.as_array().map(Vec::len), Some(2), "{report}");
}

#[test]
fn nginx_with_both_in_each_version() {
    needs!("nginx");
    for pki in [Pki::new(), Pki::rsa()] {
        let (ec, rsa) = (pki.leaf(&[HOST]), rsa(&pki));
        for (protocols, ciphers) in [
            ("TLSv1.2", "ECDHE+AESGCM"),
            ("TLSv1.2 TLSv1.3", "ECDHE+AESGCM"),
            ("TLSv1.3", "ECDHE+AESGCM"),
            // Only in TLS 1.3 does the one with the RSA key show.
            ("TLSv1.2 TLSv1.3", "ECDHE-ECDSA-AES128-GCM-SHA256"),
            ("TLSv1 TLSv1.1", "ALL:@SECLEVEL=0"),
        ] {
            let site = Site::serving(&pki, &pki.chain(&ec))
                .chain(&pki, &pki.chain(&rsa))
                .protocols(protocols)
                .ciphers(ciphers);
            let server = nginx(&pki, &[site]);
            let report = check(&pki, server.port());
            has_both(&report, &ec, &rsa);
            // The same where no other probe has asked before.
            let alone = check_with(&pki, server.port(), &["--only", "certificates"]);
            has_both(&alone, &ec, &rsa);
        }
    }
}

#[test]
fn one_is_one() {
    needs!("nginx");
    let pki = Pki::new();
    for (leaf, has, lacks) in [(pki.leaf(&[HOST]), "EC", "RSA"), (rsa(&pki), "RSA", "EC")] {
        for protocols in ["TLSv1.2", "TLSv1.3", "TLSv1.2 TLSv1.3"] {
            let site = Site::serving(&pki, &pki.chain(&leaf)).protocols(protocols);
            let server = nginx(&pki, &[site]);
            let report = check(&pki, server.port());
            assert_eq!(leaves(&report), [leaf.sha256()], "{report}");
            report
                .says(&format!("certificates/key_types/{has}/answer"), "yes")
                .says(&format!("certificates/key_types/{lacks}/answer"), "no")
                .is_complete();
        }
    }
}

#[test]
fn what_is_wrong_with_the_second_chain_is_told() {
    needs!("nginx");
    let pki = Pki::new();
    let ec = pki.leaf(&[HOST]);
    let expired = Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048)).days(-90, -3);
    let expired = pki.issue(&expired);
    // Without the intermediate.
    let site = Site::serving(&pki, &pki.chain(&ec))
        .chain(&pki, &[expired])
        .protocols("TLSv1.2 TLSv1.3");
    let server = nginx(&pki, &[site]);
    let report = check(&pki, server.port());
    for rule in ["certificate-expired", "chain-incomplete"] {
        let finding = report.finding(rule);
        let message = finding["message"].as_str().unwrap_or_default();
        let key = finding["evidence"]["key"].as_str().unwrap_or_default();
        // Which of the two is the ordinary one is nginx's choice.
        let rsa_is_other = report.text("certificate/served/0/key/algorithm") == "EC";
        if rsa_is_other {
            assert!(message.starts_with("With the RSA key: "), "{finding}");
            assert!(key.ends_with("-rsa"), "{finding}");
        } else {
            let seen = finding["evidence"]["seen"].to_string();
            assert!(seen.contains("in the chain with the RSA key"), "{finding}");
        }
    }
    report.ends_with(1);
}

#[test]
fn gnutls_with_both() {
    needs!("gnutls-serv", "cc");
    let pki = Pki::rsa();
    let (ec, rsa) = (pki.leaf(&[HOST]), rsa(&pki));
    let second = pki.chain(&rsa);
    let certificate = pki.chain_file(&second).display().to_string();
    let key = pki.key_file(&rsa).display().to_string();
    for versions in ["+VERS-TLS1.2", "+VERS-TLS1.3", "+VERS-TLS1.2:+VERS-TLS1.3"] {
        let priority = format!("NORMAL:-VERS-ALL:{versions}");
        let more = ["--x509certfile", &certificate, "--x509keyfile", &key];
        let args = [&more[..], &["--disable-client-cert"]].concat();
        let server = gnutls_serv(&pki, &pki.chain(&ec), &priority, &args);
        has_both(&check(&pki, server.port()), &ec, &rsa);
    }
}

#[test]
fn jsse_with_both() {
    needs!("java", "javac", "openssl");
    let pki = Pki::rsa();
    let (ec, rsa) = (pki.leaf(&[HOST]), rsa(&pki));
    let chains = [pki.chain(&rsa), pki.chain(&ec)];
    let server = jsse(&pki, &chains, &Jsse::default());
    has_both(&check(&pki, server.port()), &ec, &rsa);
}
