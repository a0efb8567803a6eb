//! What servers answer besides version and suite: real ones that differ in it.

use gladhand_testkit::needs;
use gladhand_testkit::pki::{Issued, KeyKind, Pki, Spec};
use gladhand_testkit::real::{Jsse, RealServer, Site, gnutls_serv, haproxy, jsse, nginx, s_server};

use crate::harness::{HOST, check};

/// GnuTLS with TLS 1.2 alone.
const GNUTLS: &str = "NORMAL:-VERS-ALL:+VERS-TLS1.2";

/// A GnuTLS server that asks for no client certificate.
fn gnutls(pki: &Pki, chain: &[Issued], priority: &str) -> RealServer {
    gnutls_serv(pki, chain, priority, &["--disable-client-cert"])
}

fn rsa_chain(pki: &Pki) -> Vec<Issued> {
    pki.chain(&pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048))))
}

#[test]
fn openssl_has_secure_renegotiation_and_the_extended_master_secret() {
    needs!("openssl");
    let pki = Pki::new();
    let server = s_server(&pki, &rsa_chain(&pki), &["-tls1_2"]);
    let report = check(&pki, server.port());
    report
        .says("renegotiation/TLSv1.2/answer", "yes")
        .says("renegotiation/TLSv1.2/by", "scsv")
        .says("extended_master_secret/TLSv1.2/answer", "yes")
        .says("compression/answer", "no")
        .does_not_find("renegotiation-insecure")
        .does_not_find("extended-master-secret-missing");
}

#[test]
fn nginx_without_the_extended_master_secret() {
    needs!("nginx", "openssl");
    let pki = Pki::new();
    let site = Site::serving(&pki, &rsa_chain(&pki))
        .line("ssl_conf_command Options -ExtendedMasterSecret;");
    let server = nginx(&pki, &[site]);
    let report = check(&pki, server.port());
    report
        .says("renegotiation/TLSv1.2/answer", "yes")
        .says("extended_master_secret/TLSv1.2/answer", "no")
        .finds("extended-master-secret-missing");
}

#[test]
fn gnutls_without_secure_renegotiation() {
    needs!("gnutls-serv", "cc");
    let pki = Pki::new();
    let priority = format!("{GNUTLS}:%DISABLE_SAFE_RENEGOTIATION:%NO_SESSION_HASH");
    let server = gnutls(&pki, &rsa_chain(&pki), &priority);
    let report = check(&pki, server.port());
    report
        .says("renegotiation/TLSv1.2/answer", "no")
        .says("extended_master_secret/TLSv1.2/answer", "no")
        .finds("renegotiation-insecure")
        .finds("extended-master-secret-missing")
        .ends_with(1);
}

#[test]
fn gnutls_with_both() {
    needs!("gnutls-serv", "cc");
    let pki = Pki::new();
    let server = gnutls(&pki, &rsa_chain(&pki), GNUTLS);
    let report = check(&pki, server.port());
    report
        .says("renegotiation/TLSv1.2/answer", "yes")
        .says("extended_master_secret/TLSv1.2/answer", "yes")
        .says("compression/answer", "no");
}

#[test]
fn a_jdk_in_each_version() {
    needs!("java", "javac", "openssl");
    let pki = Pki::rsa();
    let chain = rsa_chain(&pki);
    let what = Jsse {
        protocols: "TLSv1,TLSv1.1,TLSv1.2",
        properties: &["jdk.tls.useExtendedMasterSecret=false"],
        ..Jsse::default()
    };
    let server = jsse(&pki, &[chain], &what);
    let report = check(&pki, server.port());
    for version in ["TLSv1.0", "TLSv1.1", "TLSv1.2"] {
        report
            .says(&format!("renegotiation/{version}/answer"), "yes")
            .says(&format!("extended_master_secret/{version}/answer"), "no");
    }
    report
        .says("compression/version", "TLSv1.2")
        .finds("extended-master-secret-missing");
}

#[test]
fn tls_1_3_alone_has_none_of_it() {
    needs!("openssl");
    let pki = Pki::new();
    let server = s_server(&pki, &rsa_chain(&pki), &["-tls1_3"]);
    let report = check(&pki, server.port());
    for probe in [
        "renegotiation",
        "extended_master_secret",
        "encrypt_then_mac",
        "compression",
        "fallback_scsv",
        "dh_parameters",
    ] {
        report.says(&format!("{probe}/status"), "not-applicable");
    }
    report.is_complete();
}

#[test]
fn openssl_refuses_a_fallback() {
    needs!("openssl", "haproxy");
    let pki = Pki::new();
    let bundle = pki.bundle_file(&rsa_chain(&pki));
    let bind = format!(
        "crt {} ssl-min-ver TLSv1.0 ciphers ALL:@SECLEVEL=0",
        bundle.display()
    );
    let server = haproxy(&pki, &bind);
    let report = check(&pki, server.port());
    report
        .says("fallback_scsv/answer", "yes")
        .says("fallback_scsv/version", "TLSv1.0")
        .says("fallback_scsv/newest", "TLSv1.3")
        .does_not_find("fallback-scsv-missing");
}

#[test]
fn a_jdk_lets_clients_fall_back() {
    needs!("java", "javac", "openssl");
    let pki = Pki::rsa();
    let what = Jsse {
        protocols: "TLSv1.1,TLSv1.2",
        ..Jsse::default()
    };
    let server = jsse(&pki, &[rsa_chain(&pki)], &what);
    let report = check(&pki, server.port());
    report
        .says("fallback_scsv/answer", "no")
        .says("fallback_scsv/version", "TLSv1.1")
        .finds("fallback-scsv-missing");
}

#[test]
fn the_sentinel_of_tls_1_3_protects_as_well() {
    needs!("nginx");
    let pki = Pki::new();
    let site = Site::serving(&pki, &rsa_chain(&pki)).protocols("TLSv1.2 TLSv1.3");
    let server = nginx(&pki, &[site]);
    let report = check(&pki, server.port());
    report
        .says("fallback_scsv/status", "not-applicable")
        .is_complete();
}

#[test]
fn nginx_with_and_without_http_2() {
    needs!("nginx");
    let pki = Pki::new();
    let chain = rsa_chain(&pki);
    let without = nginx(&pki, &[Site::serving(&pki, &chain)]);
    let report = check(&pki, without.port());
    report
        .says("alpn/chosen", "http/1.1")
        .says("alpn/without_overlap", "alert")
        .finds("alpn-http2-missing")
        .is_complete();
    assert_eq!(report.at("alpn/alert"), 120, "{report}");
    let with = nginx(&pki, &[Site::serving(&pki, &chain).http2()]);
    let report = check(&pki, with.port());
    report
        .says("alpn/chosen", "h2")
        .says("alpn/accepted/1", "http/1.1")
        .does_not_find("alpn-http2-missing");
}

#[test]
fn haproxy_in_its_own_order() {
    needs!("haproxy");
    let pki = Pki::new();
    let bundle = pki.bundle_file(&rsa_chain(&pki));
    let server = haproxy(&pki, &format!("crt {} alpn http/1.1,h2", bundle.display()));
    let report = check(&pki, server.port());
    let accepted = report.at("alpn/accepted");
    assert_eq!(accepted, &serde_json::json!(["http/1.1", "h2"]), "{report}");
    report.does_not_find("alpn-http2-missing").is_complete();
}

#[test]
fn protocols_in_tls_1_3_alone() {
    needs!("openssl");
    let pki = Pki::new();
    let args = ["-tls1_3", "-alpn", "h2,mqtt"];
    let server = s_server(&pki, &rsa_chain(&pki), &args);
    let report = check(&pki, server.port());
    report
        .says("alpn/chosen", "h2")
        .says("alpn/accepted/1", "mqtt")
        .says("alpn/version", "TLSv1.3")
        .is_complete();
    let silent = s_server(&pki, &rsa_chain(&pki), &["-tls1_3"]);
    let report = check(&pki, silent.port());
    report
        .says("alpn/without_overlap", "ignored")
        .does_not_find("alpn-http2-missing");
    assert_eq!(
        report.at("alpn/accepted"),
        &serde_json::json!([]),
        "{report}"
    );
}

#[test]
fn diffie_hellman_groups_by_name() {
    needs!("openssl");
    let pki = Pki::new();
    for (bits, group) in [
        (1024, "Oakley group 2 (RFC 2409)"),
        (2048, "MODP group 14 (RFC 3526)"),
    ] {
        let file = pki.dh_file(bits).display().to_string();
        let args = ["-tls1_2", "-cipher", "DHE:@SECLEVEL=0", "-dhparam", &file];
        let server = s_server(&pki, &rsa_chain(&pki), &args);
        let report = check(&pki, server.port());
        report
            .says("dh_parameters/group", group)
            .says("dh_parameters/generator", "0x02")
            .says("dh_parameters/reused/answer", "no")
            .does_not_find("dh-public-value-reused");
        assert_eq!(report.at("dh_parameters/bits"), bits, "{report}");
    }
}

#[test]
fn gnutls_gives_a_group_of_rfc_7919() {
    needs!("gnutls-serv", "cc");
    let pki = Pki::new();
    let priority = format!("{GNUTLS}:-KX-ALL:+DHE-RSA");
    let server = gnutls(&pki, &rsa_chain(&pki), &priority);
    let report = check(&pki, server.port());
    let group = report.text("dh_parameters/group");
    assert!(group.ends_with("(RFC 7919)"), "{report}");
    report.says("dh_parameters/reused/answer", "no");
}

#[test]
fn without_dhe_there_are_no_parameters() {
    needs!("nginx");
    let pki = Pki::new();
    let server = nginx(&pki, &[Site::serving(&pki, &rsa_chain(&pki))]);
    check(&pki, server.port()).says("dh_parameters/status", "not-applicable");
}

#[test]
fn encrypt_then_mac_where_there_is_cbc() {
    needs!("openssl", "gnutls-serv", "cc");
    let pki = Pki::new();
    let chain = rsa_chain(&pki);
    let with = [
        "-tls1_2",
        "-cipher",
        "ECDHE-RSA-AES128-SHA256:AES128-GCM-SHA256",
    ];
    let server = s_server(&pki, &chain, &with);
    check(&pki, server.port())
        .says("encrypt_then_mac/answer", "yes")
        .says("encrypt_then_mac/suite/openssl", "ECDHE-RSA-AES128-SHA256");
    let without = [&with[..], &["-no_etm"]].concat();
    let server = s_server(&pki, &chain, &without);
    check(&pki, server.port()).says("encrypt_then_mac/answer", "no");
    for (more, answer) in [("", "yes"), (":%NO_ETM", "no")] {
        let priority = format!("{GNUTLS}{more}");
        let server = gnutls(&pki, &chain, &priority);
        check(&pki, server.port()).says("encrypt_then_mac/answer", answer);
    }
}

#[test]
fn without_cbc_there_is_nothing_to_encrypt_first() {
    needs!("nginx");
    let pki = Pki::new();
    let site = Site::serving(&pki, &rsa_chain(&pki)).ciphers("ECDHE+AESGCM");
    let server = nginx(&pki, &[site]);
    check(&pki, server.port())
        .says("encrypt_then_mac/status", "not-applicable")
        .is_complete();
}

#[test]
fn openssl_with_and_without_sha_1() {
    needs!("openssl");
    let pki = Pki::new();
    let chain = rsa_chain(&pki);
    let with = ["-tls1_2", "-sigalgs", "RSA+SHA256:RSA+SHA1"];
    let server = s_server(&pki, &chain, &with);
    check(&pki, server.port())
        .says("signature_algorithms/preferred/name", "rsa_pkcs1_sha256")
        .says("signature_algorithms/weak_scheme/name", "rsa_pkcs1_sha1")
        .finds("signature-sha1-accepted");
    let without = ["-tls1_2", "-sigalgs", "RSA-PSS+SHA384:RSA+SHA256"];
    let server = s_server(&pki, &chain, &without);
    check(&pki, server.port())
        .says("signature_algorithms/weak/answer", "no")
        .does_not_find("signature-sha1-accepted");
}

#[test]
fn gnutls_signs_over_sha_1_unless_it_is_told_not_to() {
    needs!("gnutls-serv", "cc");
    let pki = Pki::new();
    let chain = rsa_chain(&pki);
    for (more, weak) in [("", "yes"), (":-SIGN-RSA-SHA1", "no")] {
        let priority = format!("{GNUTLS}{more}");
        let server = gnutls(&pki, &chain, &priority);
        check(&pki, server.port()).says("signature_algorithms/weak/answer", weak);
    }
}

#[test]
fn a_jdk_signs_over_sha_1_with_certificates_over_sha_256() {
    needs!("java", "javac", "openssl");
    let pki = Pki::rsa();
    let what = Jsse {
        protocols: "TLSv1.2",
        ..Jsse::default()
    };
    let server = jsse(&pki, &[rsa_chain(&pki)], &what);
    check(&pki, server.port())
        .says("signature_algorithms/weak_scheme/name", "rsa_pkcs1_sha1")
        .finds("signature-sha1-accepted");
}
