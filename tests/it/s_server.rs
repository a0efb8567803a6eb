//! `openssl s_server`, one connection after the other.

use gladhand_testkit::pki::{Issued, KeyKind, Pki, Spec};
use gladhand_testkit::real::{anonymous_s_server, s_server};
use gladhand_testkit::{needs, tools};

use crate::harness::{Against, HOST, check, compare_suites};

fn rsa_chain(pki: &Pki) -> Vec<Issued> {
    pki.chain(&pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048))))
}

#[test]
fn tls_1_3_alone() {
    needs!("openssl", "sslscan");
    let pki = Pki::new();
    let server = s_server(&pki, &rsa_chain(&pki), &["-tls1_3"]);
    let report = check(&pki, server.port());
    report
        .speaks_only(&["TLSv1.3"])
        .is_complete()
        .says("verification/verdict", "trusted");
    compare_suites(
        &report,
        server.port(),
        Against {
            nmap: false,
            ..Against::ALL
        },
    );
}

#[test]
fn tls_1_1_alone() {
    needs!("openssl", "nmap", "sslscan");
    let pki = Pki::new();
    let server = s_server(
        &pki,
        &rsa_chain(&pki),
        &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
    );
    let report = check(&pki, server.port());
    report
        .speaks_only(&["TLSv1.1"])
        .finds("tls-1-2-missing")
        .says("verification/verdict", "trusted");
    compare_suites(&report, server.port(), Against::ALL);
}

#[test]
fn one_suite() {
    needs!("openssl");
    let pki = Pki::new();
    let args = ["-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384"];
    let server = s_server(&pki, &rsa_chain(&pki), &args);
    let report = check(&pki, server.port());
    report.speaks_only(&["TLSv1.2"]);
    assert_eq!(
        report.suites("TLSv1.2"),
        ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]
    );
    report.says("suites/TLSv1.2/order", "not-applicable");
}

#[test]
fn a_suite_that_no_handshake_of_ours_completes_with() {
    needs!("openssl");
    let pki = Pki::new();
    // DHE only, CBC: rustls has neither, and everything before Finished is in the clear.
    let args = ["-tls1_2", "-cipher", "DHE-RSA-AES256-SHA256"];
    let server = s_server(&pki, &rsa_chain(&pki), &args);
    let report = check(&pki, server.port());
    assert_eq!(
        report.suites("TLSv1.2"),
        ["TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"]
    );
    report
        .says("reach/outcome", "tls")
        .says("verification/verdict", "trusted");
}

#[test]
fn diffie_hellman_with_1024_bits() {
    needs!("openssl");
    let pki = Pki::new();
    let file = pki.dh_file(1024).display().to_string();
    let args = ["-tls1_2", "-cipher", "DHE:@SECLEVEL=0", "-dhparam", &file];
    let server = s_server(&pki, &rsa_chain(&pki), &args);
    let report = check(&pki, server.port());
    assert_eq!(report.at("suites/TLSv1.2/dh_bits"), 1024, "{report}");
    report.finds("dh-group-small");
}

#[test]
fn without_a_certificate() {
    needs!("openssl", "sslscan");
    let pki = Pki::new();
    let server = anonymous_s_server(&pki, &["-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"]);
    let report = check(&pki, server.port());
    report
        .says("reach/outcome", "tls")
        .finds("suite-anonymous")
        .ends_with(1);
    report.says("certificate/status", "not-applicable");
    compare_suites(
        &report,
        server.port(),
        Against {
            nmap: false,
            ..Against::ALL
        },
    );
}

#[test]
fn pre_shared_keys_alone() {
    needs!("openssl");
    let pki = Pki::new();
    let args = ["-psk", "1a2b3c4d", "-tls1_2", "-cipher", "PSK:@SECLEVEL=0"];
    let server = anonymous_s_server(&pki, &args);
    let report = check(&pki, server.port());
    report
        .says("reach/outcome", "tls")
        .says("certificate/status", "not-applicable");
    let theirs = tools::openssl_suites(server.port(), HOST, "TLSv1.2");
    assert!(!theirs.is_empty());
    assert_eq!(report.suite_ids("TLSv1.2"), theirs, "{report}");
}

#[test]
fn a_dsa_certificate() {
    needs!("openssl");
    let pki = Pki::new();
    let chain = pki.chain(&pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Dsa(1024))));
    let server = s_server(&pki, &chain, &["-tls1_2", "-cipher", "aDSS:@SECLEVEL=0"]);
    let report = check(&pki, server.port());
    report
        .says("reach/outcome", "tls")
        .says("certificate/served/0/key/algorithm", "DSA");
    assert!(
        report
            .suites("TLSv1.2")
            .iter()
            .all(|name| name.starts_with("TLS_DHE_DSS_"))
    );
    assert!(!report.suites("TLSv1.2").is_empty(), "{report}");
    report.ends_with(1);
}

#[test]
fn a_required_client_certificate_in_each_version() {
    needs!("openssl");
    let pki = Pki::new();
    for (flag, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let server = s_server(&pki, &rsa_chain(&pki), &[flag, "-Verify", "2"]);
        let report = check(&pki, server.port());
        report
            .speaks_only(&[version])
            .says("verification/verdict", "trusted");
        assert_eq!(
            report.at("handshake/client_certificate_requested"),
            true,
            "{report}"
        );
        // handshake_failure in TLS 1.2, certificate_required in TLS 1.3.
        let alert = if version == "TLSv1.2" { 40 } else { 116 };
        report.says("handshake/outcome", "alert");
        assert_eq!(report.at("handshake/alert"), alert, "{report}");
    }
}

#[test]
fn a_small_record_size() {
    needs!("openssl");
    let pki = Pki::new();
    let server = s_server(
        &pki,
        &rsa_chain(&pki),
        &["-tls1_2", "-max_send_frag", "512"],
    );
    let report = check(&pki, server.port());
    report
        .speaks_only(&["TLSv1.2"])
        .says("verification/verdict", "trusted")
        .is_complete();
}
