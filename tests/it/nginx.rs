//! nginx, compared suite by suite with `openssl`, `nmap` and `sslscan`.

use std::collections::BTreeSet;

use gladhand_testkit::pki::{Issued, KeyKind, Pki, Spec};
use gladhand_testkit::real::{Site, nginx};
use gladhand_testkit::{needs, tools};

use crate::harness::{Against, HOST, check, check_name, check_with, compare_suites};

/// Everything that Debian's OpenSSL contains, anonymous and NULL suites as well.
const EVERYTHING: &str = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";

fn leaf(pki: &Pki, kind: KeyKind) -> Issued {
    pki.issue(&Spec::leaf(&[HOST]).key(kind))
}

#[test]
fn tls_1_2_and_1_3() {
    needs!("nginx", "openssl", "nmap", "sslscan");
    let pki = Pki::new();
    let leaf = leaf(&pki, KeyKind::Rsa(2048));
    let site = Site::serving(&pki, &pki.chain(&leaf)).protocols("TLSv1.2 TLSv1.3");
    let server = nginx(&pki, &[site]);
    let report = check(&pki, server.port());
    report.speaks_only(&["TLSv1.2", "TLSv1.3"]).is_complete();
    report
        .says("reach/outcome", "tls")
        .says("handshake/outcome", "completed");
    report
        .says("handshake/version", "TLSv1.3")
        .says("verification/verdict", "trusted");
    assert_eq!(
        report.served(),
        [leaf.sha256(), pki.intermediate().sha256()]
    );
    compare_suites(&report, server.port(), Against::ALL);
}

#[test]
fn a_modern_server_has_only_the_post_quantum_finding() {
    needs!("nginx");
    let pki = Pki::new();
    let site = Site::serving(&pki, &pki.chain(&leaf(&pki, KeyKind::P256)))
        .protocols("TLSv1.2 TLSv1.3")
        .ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
        // What OpenSSL has at its usual security level; nginx is started with none here.
        .line("ssl_conf_command SignatureAlgorithms ECDSA+SHA256:RSA+SHA256;")
        .http2();
    let server = nginx(&pki, &[site]);
    // OpenSSL 3.0 to 3.4 have no post-quantum groups; 3.5 has them, and finds nothing.
    let report = check(&pki, server.port());
    let mut rules = report.rules();
    rules.remove("group-post-quantum-missing");
    assert_eq!(rules, BTreeSet::new(), "{report}");
    report.is_complete().ends_with(0);
}

#[test]
fn tls_1_0_to_1_3_with_everything() {
    needs!("nginx", "openssl", "nmap", "sslscan");
    let pki = Pki::rsa();
    let site = Site::serving(&pki, &pki.chain(&leaf(&pki, KeyKind::Rsa(2048))))
        .chain(&pki, &pki.chain(&leaf(&pki, KeyKind::P256)))
        .protocols("TLSv1 TLSv1.1 TLSv1.2 TLSv1.3")
        .ciphers(EVERYTHING)
        .line(&format!("ssl_dhparam {};", pki.dh_file(2048).display()));
    let server = nginx(&pki, &[site]);
    let report = check(&pki, server.port());
    report
        .speaks_only(&["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"])
        .is_complete();
    for rule in [
        "tls-1-0-accepted",
        "tls-1-1-accepted",
        "suite-null",
        "suite-anonymous",
        "suite-cbc-sha1",
        "suite-no-forward-secrecy",
    ] {
        report.finds(rule);
    }
    for rule in [
        "ssl-3-accepted",
        "ssl-2-accepted",
        "suite-rc4",
        "suite-3des",
        "dh-group-small",
    ] {
        report.does_not_find(rule);
    }
    report.ends_with(1);
    compare_suites(&report, server.port(), Against::ALL);
}

#[test]
fn tls_1_0_alone_is_described_as_fully() {
    needs!("nginx", "openssl", "nmap", "sslscan");
    let pki = Pki::rsa();
    let leaf = leaf(&pki, KeyKind::Rsa(2048));
    let site = Site::serving(&pki, &pki.chain(&leaf))
        .protocols("TLSv1")
        .ciphers(EVERYTHING);
    let server = nginx(&pki, &[site]);
    let report = check(&pki, server.port());
    report
        .speaks_only(&["TLSv1.0"])
        .finds("tls-1-2-missing")
        .finds("tls-1-3-missing");
    report
        .says("reach/outcome", "tls")
        .says("verification/verdict", "trusted");
    assert_eq!(
        report.served(),
        [leaf.sha256(), pki.intermediate().sha256()]
    );
    assert!(report.groups().contains("secp256r1"), "{report}");
    assert_eq!(
        report.at("sni/with/sha256"),
        leaf.sha256().as_str(),
        "{report}"
    );
    compare_suites(&report, server.port(), Against::ALL);
}

#[test]
fn tls_1_3_alone() {
    needs!("nginx", "openssl", "nmap", "sslscan");
    let pki = Pki::new();
    let site = Site::serving(&pki, &pki.chain(&leaf(&pki, KeyKind::P256)))
        .protocols("TLSv1.3")
        .tls13_suites("TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256");
    let server = nginx(&pki, &[site]);
    let report = check(&pki, server.port());
    report.speaks_only(&["TLSv1.3"]).is_complete();
    assert!(
        report
            .suites("TLSv1.3")
            .contains(&"TLS_AES_128_CCM_SHA256".to_owned()),
        "{report}"
    );
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
fn rsa_and_ecdsa_side_by_side() {
    needs!("nginx", "openssl", "nmap", "sslscan");
    let pki = Pki::new();
    let site = Site::serving(&pki, &pki.chain(&leaf(&pki, KeyKind::Rsa(2048))))
        .chain(&pki, &pki.chain(&leaf(&pki, KeyKind::P256)))
        .protocols("TLSv1.2")
        .ciphers("ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:RSA+AESGCM");
    let server = nginx(&pki, &[site]);
    let report = check(&pki, server.port());
    let suites = report.suites("TLSv1.2");
    for authentication in ["TLS_ECDHE_RSA_", "TLS_ECDHE_ECDSA_", "TLS_RSA_"] {
        assert!(
            suites.iter().any(|name| name.starts_with(authentication)),
            "{report}"
        );
    }
    compare_suites(&report, server.port(), Against::ALL);
}

#[test]
fn the_servers_order_and_the_clients() {
    needs!("nginx", "nmap");
    let pki = Pki::new();
    let chain = pki.chain(&leaf(&pki, KeyKind::Rsa(2048)));
    let ciphers = "ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-GCM-SHA256:AES256-SHA:\
                   ECDHE-RSA-AES256-GCM-SHA384";
    for (on, order) in [(true, "server"), (false, "client")] {
        let site = Site::serving(&pki, &chain)
            .protocols("TLSv1.2 TLSv1.3")
            .ciphers(ciphers)
            .server_order(on);
        let server = nginx(&pki, &[site]);
        let report = check(&pki, server.port());
        report
            .says("suites/TLSv1.2/order", order)
            .says("suites/TLSv1.3/order", order);
        if on {
            assert_eq!(
                report.suites("TLSv1.2"),
                [
                    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
                    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                    "TLS_RSA_WITH_AES_256_CBC_SHA",
                    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                ]
            );
            assert_eq!(
                report.suites("TLSv1.2"),
                tools::nmap(server.port(), HOST)["TLSv1.2"]
            );
        }
    }
}

#[test]
fn a_server_that_prefers_chacha_when_the_client_does_has_an_order_of_its_own() {
    needs!("nginx");
    let pki = Pki::new();
    let site = Site::serving(&pki, &pki.chain(&leaf(&pki, KeyKind::P256)))
        .protocols("TLSv1.2 TLSv1.3")
        .server_order(true)
        .line("ssl_conf_command Options PrioritizeChaCha;");
    let server = nginx(&pki, &[site]);
    let report = check(&pki, server.port());
    report
        .says("suites/TLSv1.2/order", "server")
        .says("suites/TLSv1.3/order", "server");
}

#[test]
fn groups_are_what_openssl_finds_one_by_one() {
    needs!("nginx", "openssl");
    let pki = Pki::new();
    let all = [
        ("X25519", "x25519"),
        ("P-256", "secp256r1"),
        ("P-384", "secp384r1"),
        ("P-521", "secp521r1"),
        ("X448", "x448"),
        ("ffdhe2048", "ffdhe2048"),
        ("ffdhe3072", "ffdhe3072"),
    ];
    for curves in [
        "auto",
        "prime256v1:X25519",
        "secp384r1",
        "X448:secp521r1:ffdhe2048:ffdhe3072",
    ] {
        let site = Site::serving(&pki, &pki.chain(&leaf(&pki, KeyKind::P256)))
            .protocols("TLSv1.2 TLSv1.3")
            .curves(curves);
        let server = nginx(&pki, &[site]);
        let report = check(&pki, server.port());
        let theirs: BTreeSet<String> = all
            .iter()
            .filter(|(openssl, _)| tools::openssl_group(server.port(), HOST, openssl))
            .map(|(_, iana)| (*iana).to_owned())
            .collect();
        let known: BTreeSet<String> = all.iter().map(|(_, iana)| (*iana).to_owned()).collect();
        let ours: BTreeSet<String> = report.groups().intersection(&known).cloned().collect();
        assert_eq!(
            ours, theirs,
            "ssl_ecdh_curve {curves}: gladhand (left), openssl (right)"
        );
        assert_eq!(report.at("groups/complete"), true, "{report}");
    }
}

#[test]
fn small_diffie_hellman_groups() {
    needs!("nginx", "openssl");
    let pki = Pki::new();
    // OpenSSL takes no less than 1024 bits at any security level.
    for (bits, small) in [(1024, true), (2048, false)] {
        let site = Site::serving(&pki, &pki.chain(&leaf(&pki, KeyKind::Rsa(2048))))
            .protocols("TLSv1.2")
            .ciphers("DHE:ECDHE:@SECLEVEL=0")
            .line(&format!("ssl_dhparam {};", pki.dh_file(bits).display()));
        let server = nginx(&pki, &[site]);
        let report = check(&pki, server.port());
        assert_eq!(report.at("suites/TLSv1.2/dh_bits"), bits, "{report}");
        assert_eq!(report.rules().contains("dh-group-small"), small, "{report}");
    }
}

#[test]
fn an_rsa_key_of_1024_bits() {
    needs!("nginx", "openssl");
    let pki = Pki::new();
    let site = Site::serving(&pki, &pki.chain(&leaf(&pki, KeyKind::Rsa(1024))))
        .protocols("TLSv1.2 TLSv1.3")
        .ciphers("ECDHE+AESGCM:@SECLEVEL=0");
    let server = nginx(&pki, &[site]);
    let report = check(&pki, server.port());
    report
        .finds("certificate-weak-key")
        .says("verification/verdict", "untrusted")
        .ends_with(1);
    report.says("verification/reason", "certificate-weak-key");
    assert_eq!(report.at("certificate/served/0/key/bits"), 1024);
}

#[test]
fn optional_client_certificates_change_nothing() {
    needs!("nginx", "openssl", "nmap", "sslscan");
    let pki = Pki::new();
    let site = Site::serving(&pki, &pki.chain(&leaf(&pki, KeyKind::P256)))
        .protocols("TLSv1.2 TLSv1.3")
        .client_certificates(&pki, "optional");
    let server = nginx(&pki, &[site]);
    let report = check(&pki, server.port());
    report
        .speaks_only(&["TLSv1.2", "TLSv1.3"])
        .is_complete()
        .ends_with(0);
    report
        .says("handshake/outcome", "completed")
        .says("verification/verdict", "trusted")
        .finds("client-certificate-required");
    assert_eq!(
        report.at("handshake/client_certificate_requested"),
        true,
        "{report}"
    );
    compare_suites(&report, server.port(), Against::ALL);
}

#[test]
fn required_client_certificates_hide_nothing() {
    needs!("nginx", "openssl", "nmap", "sslscan");
    let pki = Pki::new();
    let site = Site::serving(&pki, &pki.chain(&leaf(&pki, KeyKind::P256)))
        .protocols("TLSv1.2 TLSv1.3")
        .client_certificates(&pki, "on");
    let server = nginx(&pki, &[site]);
    let report = check(&pki, server.port());
    report.speaks_only(&["TLSv1.2", "TLSv1.3"]);
    report.says("verification/verdict", "trusted");
    assert_eq!(
        report.at("handshake/client_certificate_requested"),
        true,
        "{report}"
    );
    compare_suites(&report, server.port(), Against::ALL);
}

#[test]
fn the_named_hosts_have_their_own_certificates() {
    needs!("nginx", "openssl");
    let pki = Pki::new();
    let (mine, default) = (pki.leaf(&[HOST]), pki.leaf(&["default.example.test"]));
    let server = nginx(
        &pki,
        &[
            Site::serving(&pki, &pki.chain(&default))
                .names("default.example.test")
                .default_server(),
            Site::serving(&pki, &pki.chain(&mine)).names(HOST),
        ],
    );
    let report = check(&pki, server.port());
    report
        .finds("sni-default-certificate-differs")
        .does_not_find("certificate-name-mismatch")
        .does_not_find("sni-required")
        .says("sni/with/sha256", &mine.sha256())
        .says("sni/without/sha256", &default.sha256())
        .says("sni/wrong/sha256", &default.sha256())
        .ends_with(0);
    let port = server.port();
    assert_eq!(
        tools::openssl_fingerprint(port, Some(HOST)),
        Some(mine.sha256())
    );
    assert_eq!(
        tools::openssl_fingerprint(port, None),
        Some(default.sha256())
    );

    // Without the name, the default host answers, and its certificate does not fit.
    let report = check_with(&pki, port, &["--no-sni"]);
    report.finds("certificate-name-mismatch").ends_with(1);
    let report = check_name("default.example.test", &pki, port, &[]);
    report
        .does_not_find("sni-default-certificate-differs")
        .ends_with(0);
    let report = check_name("127.0.0.1", &pki, port, &["--sni", HOST]);
    report
        .says("certificate/served/0/sha256", &mine.sha256())
        .ends_with(0);
}

#[test]
fn a_default_server_that_rejects_the_handshake() {
    needs!("nginx", "openssl");
    let pki = Pki::new();
    let mine = pki.leaf(&[HOST]);
    let server = nginx(
        &pki,
        &[
            Site::rejecting()
                .default_server()
                .protocols("TLSv1.2 TLSv1.3"),
            Site::serving(&pki, &pki.chain(&mine))
                .names(HOST)
                .protocols("TLSv1.2 TLSv1.3"),
        ],
    );
    let report = check(&pki, server.port());
    report.speaks_only(&["TLSv1.2", "TLSv1.3"]).is_complete();
    report
        .finds("sni-required")
        .finds("sni-unknown-name-rejected")
        .says("sni/with/sha256", &mine.sha256())
        .says("sni/without/outcome", "alert")
        .says("sni/wrong/outcome", "alert")
        .ends_with(0);
    assert_eq!(report.at("sni/without/alert"), 112, "{report}");
    assert_eq!(report.at("sni/wrong/alert"), 112, "{report}");
}

#[test]
fn a_host_that_is_not_there_on_a_server_that_rejects() {
    needs!("nginx");
    let pki = Pki::new();
    let server = nginx(
        &pki,
        &[
            Site::rejecting().default_server(),
            Site::serving(&pki, &pki.chain(&pki.leaf(&[HOST]))).names(HOST),
        ],
    );
    let report = check_name("other.example.test", &pki, server.port(), &[]);
    report.says("reach/outcome", "alert");
    assert_eq!(report.at("reach/alert"), 112, "{report}");
    report.finds("sni-unknown-name-rejected").ends_with(1);
    assert_eq!(report.at("/complete"), false, "{report}");
}
