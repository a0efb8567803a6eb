//! HAProxy, compared suite by suite with independent tools.

use gladhand_testkit::needs;
use gladhand_testkit::pki::{KeyKind, Pki, Spec};
use gladhand_testkit::real::haproxy;

use crate::harness::{Against, HOST, check, compare_suites};

#[test]
fn tls_1_2_and_1_3() {
    needs!("haproxy", "openssl", "nmap", "sslscan");
    let pki = Pki::new();
    let leaf = pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048)));
    let bundle = pki.bundle_file(&pki.chain(&leaf));
    let server = haproxy(
        &pki,
        &format!("crt {} ssl-min-ver TLSv1.2", bundle.display()),
    );
    let report = check(&pki, server.port());
    report.speaks_only(&["TLSv1.2", "TLSv1.3"]).is_complete();
    report
        .says("handshake/outcome", "completed")
        .says("verification/verdict", "trusted");
    assert_eq!(
        report.served(),
        [leaf.sha256(), pki.intermediate().sha256()]
    );
    compare_suites(&report, server.port(), Against::ALL);
}

#[test]
fn tls_1_0_to_1_3() {
    needs!("haproxy", "openssl", "nmap", "sslscan");
    let pki = Pki::new();
    let leaf = pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048)));
    let bundle = pki.bundle_file(&pki.chain(&leaf));
    let bind = format!(
        "crt {} ssl-min-ver TLSv1.0 ciphers ALL:@SECLEVEL=0 no-tls-tickets",
        bundle.display()
    );
    let server = haproxy(&pki, &bind);
    let report = check(&pki, server.port());
    report
        .speaks_only(&["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"])
        .is_complete();
    report.finds("tls-1-0-accepted").finds("tls-1-1-accepted");
    compare_suites(&report, server.port(), Against::ALL);
}

#[test]
fn required_client_certificates() {
    needs!("haproxy", "openssl", "nmap");
    let pki = Pki::new();
    let bundle = pki.bundle_file(&pki.chain(&pki.leaf(&[HOST])));
    let bind = format!(
        "crt {} verify required ca-file {}",
        bundle.display(),
        pki.root_file().display()
    );
    let server = haproxy(&pki, &bind);
    let report = check(&pki, server.port());
    report
        .says("reach/outcome", "tls")
        .says("verification/verdict", "trusted");
    assert_eq!(
        report.at("handshake/client_certificate_requested"),
        true,
        "{report}"
    );
    // Only nmap does without a finished handshake, which needs the client's certificate here.
    let against = Against {
        nmap: true,
        sslscan: false,
        openssl: false,
    };
    compare_suites(&report, server.port(), against);
}

#[test]
fn strict_names() {
    needs!("haproxy");
    let pki = Pki::new();
    let bundle = pki.bundle_file(&pki.chain(&pki.leaf(&[HOST])));
    let server = haproxy(&pki, &format!("strict-sni crt {}", bundle.display()));
    let report = check(&pki, server.port());
    report.speaks_only(&["TLSv1.2", "TLSv1.3"]);
    report
        .finds("sni-required")
        .finds("sni-unknown-name-rejected")
        .ends_with(0);
}
