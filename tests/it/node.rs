//! Node's OpenSSL: what no other server has for real any more, and what none has yet.

use gladhand_testkit::needs;
use gladhand_testkit::pki::{Issued, KeyKind, Pki, Spec};
use gladhand_testkit::real::{Node, node};

use crate::harness::{Against, HOST, check, compare_suites};

fn chain(pki: &Pki) -> Vec<Issued> {
    pki.chain(&pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048))))
}

#[test]
fn sslv2_to_tls_1_2() {
    needs!("openssl", "sslscan");
    let pki = Pki::rsa();
    let options = r#"{"secureProtocol": "SSLv23_method", "ciphers": "ALL"}"#;
    let Some(server) = node(&pki, &chain(&pki), Node::Old, options) else {
        return;
    };
    let report = check(&pki, server.port());
    report
        .speaks_only(&["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2"])
        .finds("ssl-2-accepted")
        .finds("ssl-3-accepted")
        .finds("suite-export")
        .finds("fallback-scsv-missing")
        .finds("extended-master-secret-missing")
        .ends_with(1);
    assert_eq!(
        report.suites("SSLv2"),
        [
            "SSL_CK_RC4_128_WITH_MD5",
            "SSL_CK_RC4_128_EXPORT40_WITH_MD5",
            "SSL_CK_RC2_128_CBC_WITH_MD5",
            "SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5",
            "SSL_CK_IDEA_128_CBC_WITH_MD5",
            "SSL_CK_DES_64_CBC_WITH_MD5",
            "SSL_CK_DES_192_EDE3_CBC_WITH_MD5",
        ]
    );
    let against = Against {
        openssl: false,
        nmap: false,
        sslscan: true,
    };
    compare_suites(&report, server.port(), against);
}

#[test]
fn sslv2_alone() {
    let pki = Pki::rsa();
    let options = r#"{"secureProtocol": "SSLv2_method", "ciphers": "ALL"}"#;
    // SSLv2 sends one certificate.
    let chain = chain(&pki);
    let Some(server) = node(&pki, &chain[..1], Node::Old, options) else {
        return;
    };
    let report = check(&pki, server.port());
    assert_eq!(report.versions("yes"), ["SSLv2"], "{report}");
    report.finds("ssl-2-accepted").ends_with(1);
}

#[test]
fn one_post_quantum_group_and_nothing_else() {
    let pki = Pki::rsa();
    let options = r#"{"ecdhCurve": "X25519MLKEM768", "minVersion": "TLSv1.3"}"#;
    let Some(server) = node(&pki, &chain(&pki), Node::New, options) else {
        return;
    };
    let report = check(&pki, server.port());
    report
        .speaks_only(&["TLSv1.3"])
        .is_complete()
        .says("handshake/outcome", "completed")
        .says("handshake/group", "X25519MLKEM768")
        .says("verification/verdict", "trusted");
    assert_eq!(
        report.groups().into_iter().collect::<Vec<_>>(),
        ["X25519MLKEM768"]
    );
}

/// Its hello of TLS 1.2 without a common group is refused: the certificate shows in another one.
#[test]
fn the_server_name_is_asked_with_suites_that_the_server_takes() {
    let pki = Pki::rsa();
    let options = r#"{"ecdhCurve": "X25519MLKEM768"}"#;
    let Some(server) = node(&pki, &chain(&pki), Node::New, options) else {
        return;
    };
    let report = check(&pki, server.port());
    report.speaks_only(&["TLSv1.2", "TLSv1.3"]);
    for name in ["with", "without", "wrong"] {
        report.says(&format!("sni/{name}/outcome"), "certificate");
    }
}
