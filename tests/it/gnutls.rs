//! `gnutls-serv`: a stack of its own.

use gladhand_testkit::needs;
use gladhand_testkit::pki::{Issued, KeyKind, Pki, Spec};
use gladhand_testkit::real::gnutls_serv;

use crate::harness::{Against, HOST, check, compare_suites};

/// Debian's NORMAL has TLS 1.0 and 1.1.
const MODERN: &str = "NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3";

fn rsa_chain(pki: &Pki) -> Vec<Issued> {
    pki.chain(&pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048))))
}

#[test]
fn tls_1_2_and_1_3() {
    needs!("gnutls-serv", "cc", "openssl", "nmap", "sslscan");
    let pki = Pki::new();
    let chain = rsa_chain(&pki);
    let server = gnutls_serv(&pki, &chain, MODERN, &["--disable-client-cert"]);
    let report = check(&pki, server.port());
    report.speaks_only(&["TLSv1.2", "TLSv1.3"]).is_complete();
    report
        .says("handshake/outcome", "completed")
        .says("verification/verdict", "trusted");
    compare_suites(&report, server.port(), Against::ALL);
}

#[test]
fn all_that_it_has() {
    needs!("gnutls-serv", "cc", "openssl", "nmap", "sslscan");
    let pki = Pki::new();
    let priority = "NONE:+VERS-ALL:+CIPHER-ALL:+3DES-CBC:+ARCFOUR-128:+NULL:+MAC-ALL:+MD5:\
                    +KX-ALL:+ANON-ECDH:+ANON-DH:+SIGN-ALL:+SIGN-RSA-SHA1:+GROUP-ALL:+COMP-NULL:\
                    +CTYPE-ALL:%VERIFY_ALLOW_BROKEN";
    let server = gnutls_serv(&pki, &rsa_chain(&pki), priority, &["--disable-client-cert"]);
    let report = check(&pki, server.port());
    report
        .says("reach/outcome", "tls")
        .finds("tls-1-0-accepted")
        .ends_with(1);
    assert_eq!(report.versions("undetermined"), [""; 0], "{report}");
    // OpenSSL here has no 3DES and no RC4: it cannot ask for all of them.
    compare_suites(
        &report,
        server.port(),
        Against {
            openssl: false,
            ..Against::ALL
        },
    );
}

#[test]
fn groups() {
    needs!("gnutls-serv", "cc");
    let pki = Pki::new();
    let priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X448:+GROUP-SECP521R1:\
                    +GROUP-FFDHE4096";
    let server = gnutls_serv(&pki, &rsa_chain(&pki), priority, &["--disable-client-cert"]);
    let report = check(&pki, server.port());
    let expected = ["ffdhe4096", "secp521r1", "x448"].map(str::to_owned);
    assert_eq!(report.groups(), expected.into(), "{report}");
}

#[test]
fn a_required_client_certificate() {
    needs!("gnutls-serv", "cc");
    let pki = Pki::new();
    let server = gnutls_serv(&pki, &rsa_chain(&pki), MODERN, &["--require-client-cert"]);
    let report = check(&pki, server.port());
    report
        .speaks_only(&["TLSv1.2", "TLSv1.3"])
        .says("verification/verdict", "trusted")
        .finds("client-certificate-required");
    assert_eq!(
        report.at("handshake/client_certificate_requested"),
        true,
        "{report}"
    );
}

#[test]
fn a_fatal_name_mismatch() {
    needs!("gnutls-serv", "cc");
    let pki = Pki::new();
    let args = [
        "--disable-client-cert",
        "--sni-hostname",
        HOST,
        "--sni-hostname-fatal",
    ];
    let server = gnutls_serv(&pki, &rsa_chain(&pki), MODERN, &args);
    let report = check(&pki, server.port());
    report
        .speaks_only(&["TLSv1.2", "TLSv1.3"])
        .finds("sni-unknown-name-rejected");
    assert_eq!(report.at("sni/wrong/alert"), 112, "{report}");
}
