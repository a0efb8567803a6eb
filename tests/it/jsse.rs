//! The JDK's stack: SSLv3, RC4, DES, 3DES, EXPORT, NULL and anonymous suites for real.

use gladhand_testkit::needs;
use gladhand_testkit::pki::{Issued, KeyKind, Pki, Spec};
use gladhand_testkit::real::{Jsse, jsse};

use crate::harness::{Against, HOST, check, compare_suites};

fn chains(pki: &Pki) -> [Vec<Issued>; 2] {
    let rsa = pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048)));
    [pki.chain(&rsa), pki.chain(&pki.leaf(&[HOST]))]
}

#[test]
fn everything_from_sslv3_to_tls_1_3() {
    needs!("java", "javac", "openssl", "sslscan");
    let pki = Pki::rsa();
    let server = jsse(&pki, &chains(&pki), &Jsse::default());
    let report = check(&pki, server.port());
    report
        .speaks_only(&["SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"])
        .is_complete();
    for rule in [
        "ssl-3-accepted",
        "tls-1-0-accepted",
        "tls-1-1-accepted",
        "suite-rc4",
        "suite-3des",
        "suite-export",
        "suite-null",
        "suite-anonymous",
        "suite-cbc-sha1",
        "suite-no-forward-secrecy",
    ] {
        report.finds(rule);
    }
    report.does_not_find("ssl-2-accepted").ends_with(1);
    // nmap would take most of a minute for these; `sslv3_alone` has what sslscan has not.
    let against = Against {
        openssl: false,
        sslscan: true,
        nmap: false,
    };
    compare_suites(&report, server.port(), against);
}

#[test]
fn sslv3_alone() {
    needs!("java", "javac", "openssl", "nmap");
    let pki = Pki::rsa();
    let what = Jsse {
        protocols: "SSLv3",
        ..Jsse::default()
    };
    let server = jsse(&pki, &chains(&pki), &what);
    let report = check(&pki, server.port());
    report
        .speaks_only(&["SSLv3"])
        .finds("ssl-3-accepted")
        .ends_with(1);
    report.says("verification/verdict", "trusted");
    let against = Against {
        openssl: false,
        sslscan: false,
        nmap: true,
    };
    compare_suites(&report, server.port(), against);
}

#[test]
fn export_suites_alone() {
    needs!("java", "javac", "openssl");
    let pki = Pki::rsa();
    let what = Jsse {
        protocols: "TLSv1",
        suites: "SSL_RSA_EXPORT_WITH_RC4_40_MD5,SSL_RSA_EXPORT_WITH_DES40_CBC_SHA",
        ..Jsse::default()
    };
    let server = jsse(&pki, &chains(&pki), &what);
    let report = check(&pki, server.port());
    report
        .speaks_only(&["TLSv1.0"])
        .finds("suite-export")
        .ends_with(1);
    let mut suites = report.suites("TLSv1.0");
    suites.sort();
    assert_eq!(
        suites,
        [
            "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA",
            "TLS_RSA_EXPORT_WITH_RC4_40_MD5"
        ]
    );
}

#[test]
fn a_required_client_certificate() {
    needs!("java", "javac", "openssl");
    let pki = Pki::rsa();
    let what = Jsse {
        protocols: "TLSv1.2,TLSv1.3",
        client_auth: "need",
        ..Jsse::default()
    };
    let server = jsse(&pki, &chains(&pki), &what);
    let report = check(&pki, server.port());
    report
        .speaks_only(&["TLSv1.2", "TLSv1.3"])
        .says("verification/verdict", "trusted");
    assert_eq!(
        report.at("handshake/client_certificate_requested"),
        true,
        "{report}"
    );
}

#[test]
fn named_groups() {
    needs!("java", "javac", "openssl");
    let pki = Pki::rsa();
    let what = Jsse {
        protocols: "TLSv1.2,TLSv1.3",
        suites: "TLS_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        properties: &["jdk.tls.namedGroups=secp384r1,x448"],
        ..Jsse::default()
    };
    let server = jsse(&pki, &chains(&pki), &what);
    let report = check(&pki, server.port());
    assert_eq!(
        report.groups(),
        ["secp384r1", "x448"].map(str::to_owned).into(),
        "{report}"
    );
}

#[test]
fn small_diffie_hellman_groups() {
    needs!("java", "javac", "openssl");
    let pki = Pki::rsa();
    for (suite, bits) in [
        ("SSL_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA", 512),
        ("TLS_DHE_RSA_WITH_AES_128_CBC_SHA", 768),
    ] {
        let what = Jsse {
            protocols: "TLSv1",
            suites: suite,
            properties: &["jdk.tls.ephemeralDHKeySize=legacy"],
            ..Jsse::default()
        };
        let server = jsse(&pki, &chains(&pki), &what);
        let report = check(&pki, server.port());
        assert_eq!(report.at("suites/TLSv1.0/dh_bits"), bits, "{report}");
        report.finds("dh-group-small").ends_with(1);
    }
}
