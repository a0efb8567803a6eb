//! Client certificates: asked for, required, accepted and rejected, by servers that do each of it.

use gladhand_testkit::needs;
use gladhand_testkit::pki::{Issued, KeyKind, Pki, Spec};
use gladhand_testkit::real::{Site, gnutls_serv, haproxy, nginx, s_server};

use crate::harness::{HOST, Report, check, check_args, check_with, gladhand};

/// A certificate of a client with its key, as the flags that present it.
fn presented(pki: &Pki, chain: &[Issued]) -> Vec<String> {
    let key = pki.key_file(&chain[0]);
    vec![
        "--client-cert".into(),
        pki.chain_file(chain).display().to_string(),
        "--client-key".into(),
        key.display().to_string(),
    ]
}

/// One that the PKI has issued, with its intermediate.
fn good(pki: &Pki) -> Vec<String> {
    presented(pki, &pki.chain(&pki.issue(&Spec::client("client"))))
}

/// One of an authority that nobody knows.
fn unknown(pki: &Pki) -> Vec<String> {
    let other = Spec::ca("Nobody's CA").self_signed();
    presented(pki, &[Spec::client("client").issued_by(&other), other])
}

fn check_presenting(pki: &Pki, port: u16, flags: &[String]) -> Report {
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    check_with(pki, port, &flags)
}

fn chain(pki: &Pki) -> Vec<Issued> {
    pki.chain(&pki.leaf(&[HOST]))
}

#[test]
fn nginx_requires_it_in_http() {
    needs!("nginx");
    let pki = Pki::new();
    for protocols in ["TLSv1.2", "TLSv1.3", "TLSv1.2 TLSv1.3"] {
        let site = Site::serving(&pki, &chain(&pki))
            .protocols(protocols)
            .client_certificates(&pki, "on");
        let server = nginx(&pki, &[site]);
        let report = check(&pki, server.port());
        for version in protocols.split(' ') {
            report.says(&format!("client_auth/versions/{version}/answer"), "yes");
        }
        report
            .says("client_auth/required_by_handshake/answer", "no")
            .says("client_auth/required_by_http/answer", "yes")
            .says("client_auth/authorities/0", "CN=Gladhand Test Root")
            .is_complete();
        assert_eq!(report.at("http/head/status"), 400, "{report}");
        assert_eq!(report.at("http/client_certificate_missed"), true);
        let finding = report.finding("client-certificate-required");
        assert_eq!(finding["severity"], "medium", "{report}");
        assert_eq!(finding["evidence"]["key"], "required-by-http");

        let report = check_presenting(&pki, server.port(), &good(&pki));
        report
            .says("client_auth/ours/accepted/answer", "yes")
            .says("client_auth/required_by_http/answer", "yes")
            .does_not_find("client-certificate-rejected")
            .is_complete()
            .ends_with(0);
        assert_eq!(report.at("client_auth/ours/authority_named"), true);
        assert_eq!(report.at("http/head/status"), 200, "{report}");
        let finding = report.finding("client-certificate-required");
        assert_eq!(finding["severity"], "info", "{report}");

        let report = check_presenting(&pki, server.port(), &unknown(&pki));
        report
            .says("client_auth/ours/accepted/answer", "no")
            .finds("client-certificate-rejected")
            .ends_with(1);
        assert_eq!(report.at("client_auth/ours/authority_named"), false);
    }
}

#[test]
fn nginx_does_without() {
    needs!("nginx");
    let pki = Pki::new();
    let site = Site::serving(&pki, &chain(&pki))
        .protocols("TLSv1.2 TLSv1.3")
        .client_certificates(&pki, "optional");
    let server = nginx(&pki, &[site]);
    let report = check(&pki, server.port());
    report
        .says("client_auth/required_by_handshake/answer", "no")
        .says("client_auth/required_by_http/answer", "no")
        .is_complete();
    let finding = report.finding("client-certificate-required");
    assert_eq!(finding["severity"], "info", "{report}");

    let site = Site::serving(&pki, &chain(&pki)).protocols("TLSv1.2 TLSv1.3");
    let server = nginx(&pki, &[site]);
    let report = check_presenting(&pki, server.port(), &good(&pki));
    report
        .says("client_auth/versions/TLSv1.2/answer", "no")
        .says("client_auth/versions/TLSv1.3/answer", "no")
        .does_not_find("client-certificate-required")
        .does_not_find("client-certificate-rejected")
        .is_complete();
    assert_eq!(report.at("client_auth/ours/sent"), false, "{report}");
}

#[test]
fn openssl_requires_it_in_the_handshake() {
    needs!("openssl");
    let pki = Pki::new();
    let root = pki.root_file().display().to_string();
    let expired = Spec::client("client").days(-20, -10);
    let expired = presented(&pki, &pki.chain(&pki.issue(&expired)));
    for (flag, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let args = [
            flag,
            "-Verify",
            "3",
            "-verify_return_error",
            "-CAfile",
            &root,
        ];
        let server = s_server(&pki, &chain(&pki), &args);
        let report = check(&pki, server.port());
        report
            .says(&format!("client_auth/versions/{version}/answer"), "yes")
            .says("client_auth/required_by_handshake/answer", "yes")
            .says("http/status", "not-applicable")
            .ends_with(0);
        let finding = report.finding("client-certificate-required");
        assert_eq!(finding["evidence"]["key"], "required", "{report}");

        let report = check_presenting(&pki, server.port(), &good(&pki));
        report
            .says("client_auth/ours/accepted/answer", "yes")
            .says("client_auth/required_by_handshake/answer", "yes")
            .says("handshake/outcome", "completed")
            .says("http/outcome", "answered")
            .is_complete();

        for (flags, alert, name) in [
            (unknown(&pki), 48, "unknown_ca"),
            (expired.clone(), 45, "certificate_expired"),
        ] {
            let report = check_presenting(&pki, server.port(), &flags);
            report
                .says("client_auth/ours/accepted/answer", "no")
                .says("client_auth/ours/alert_name", name);
            assert_eq!(report.at("client_auth/ours/alert"), alert, "{report}");
            let message = report.finding("client-certificate-rejected")["message"].clone();
            assert!(message.as_str().unwrap().contains(name), "{message}");
        }
    }
}

#[test]
fn haproxy_requires_it_in_the_handshake() {
    needs!("haproxy");
    let pki = Pki::new();
    let bundle = pki.bundle_file(&chain(&pki));
    let bind = format!(
        "crt {} verify required ca-file {}",
        bundle.display(),
        pki.root_file().display()
    );
    let server = haproxy(&pki, &bind);
    let report = check(&pki, server.port());
    report.says("client_auth/required_by_handshake/answer", "yes");
    let report = check_presenting(&pki, server.port(), &good(&pki));
    report.says("client_auth/ours/accepted/answer", "yes");
    assert_eq!(report.at("http/head/status"), 200, "{report}");
    let report = check_presenting(&pki, server.port(), &unknown(&pki));
    report
        .says("client_auth/ours/accepted/answer", "no")
        .finds("client-certificate-rejected")
        .ends_with(1);
}

#[test]
fn gnutls_requires_it_in_the_handshake() {
    needs!("gnutls-serv", "cc");
    let pki = Pki::new();
    let root = pki.root_file().display().to_string();
    for version in ["1.2", "1.3"] {
        let priority = format!("NORMAL:-VERS-ALL:+VERS-TLS{version}");
        let args = [
            "--require-client-cert",
            "--verify-client-cert",
            "--x509cafile",
            &root,
        ];
        let server = gnutls_serv(&pki, &chain(&pki), &priority, &args);
        let report = check(&pki, server.port());
        report
            .says(&format!("client_auth/versions/TLSv{version}/answer"), "yes")
            .says("client_auth/required_by_handshake/answer", "yes");
        let report = check_presenting(&pki, server.port(), &good(&pki));
        report.says("client_auth/ours/accepted/answer", "yes");
        let report = check_presenting(&pki, server.port(), &unknown(&pki));
        report.says("client_auth/ours/accepted/answer", "no");
    }
}

#[test]
fn what_cannot_be_presented_is_an_error_before_anything_is_asked() {
    needs!("openssl");
    let pki = Pki::new();
    let client = pki.issue(&Spec::client("client"));
    let certificate = pki.chain_file([&client]).display().to_string();
    let key = pki.key_file(&client).display().to_string();
    let other = pki.key_file(&pki.issue(&Spec::client("other")));
    let small = pki.issue(&Spec::client("small").key(KeyKind::Rsa(1024)));
    let encrypted = pki.file("key", b"");
    let made = std::process::Command::new("openssl")
        .args(["pkey", "-aes128", "-passout", "pass:x", "-in", &key, "-out"])
        .arg(&encrypted)
        .status();
    assert!(made.expect("openssl").success());
    let path = |path: std::path::PathBuf| path.display().to_string();
    let cases = [
        ("/no/such/file", key.as_str(), "No such file"),
        (&certificate, "/no/such/file", "No such file"),
        (&key, &key, "no certificate in it"),
        (&certificate, &certificate, "no private key in it"),
        (&certificate, &path(other), "do not belong together"),
        (&certificate, &path(encrypted), "encrypted"),
        (
            &path(pki.chain_file([&small])),
            &path(pki.key_file(&small)),
            "cannot be used",
        ),
    ];
    let secret = std::fs::read_to_string(&key).expect("the key");
    let secret = secret.lines().nth(1).expect("a line of it");
    for (certificate, key, told) in cases {
        let flags = ["--client-cert", certificate, "--client-key", key];
        let ran = gladhand(&check_args(HOST, 1, &pki.root_file(), &flags));
        ran.ends_with(2);
        assert!(ran.stderr.contains(told), "{ran:#?}");
        assert!(ran.stderr.contains("--client-"), "{ran:#?}");
        assert!(!ran.stderr.contains(secret), "{ran:#?}");
    }
    let ran = gladhand(&check_args(
        HOST,
        1,
        &pki.root_file(),
        &["--client-cert", &certificate],
    ));
    ran.ends_with(2);
    // Both in one file, as HAProxy has them.
    let bundle = pki.bundle_file(&[client]).display().to_string();
    let flags = [
        "--client-cert",
        &bundle,
        "--client-key",
        &bundle,
        "--only",
        "reach",
    ];
    gladhand(&check_args(HOST, 1, &pki.root_file(), &flags)).ends_with(3);
}
