//! What shows only behind a completed handshake: resumption, renegotiation, signatures of TLS 1.3.

use gladhand_testkit::faults::{Arrivals, Choice, Fault, FaultProxy, Instead};
use gladhand_testkit::needs;
use gladhand_testkit::pki::{Issued, KeyKind, Pki, Spec};
use gladhand_testkit::real::{Jsse, Site, gnutls_serv, haproxy, jsse, nginx, s_server};
use serde_json::json;

use crate::harness::{HOST, Report, check_with};

const SESSION: &[&str] = &["--only", "session"];
const RENEGOTIATION: &[&str] = &["--only", "renegotiation"];
const SIGNATURES: &[&str] = &["--only", "signature_algorithms"];

fn rsa_chain(pki: &Pki) -> Vec<Issued> {
    pki.chain(&pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048))))
}

/// Issued and resumed, as one reads it: `yes yes`, `no -`.
fn resumption(report: &Report, version: &str, means: &str) -> String {
    let path = format!("session/{version}/{means}");
    let seen = report.at(&path);
    let resumed = seen["resumed"]["answer"].as_str().unwrap_or("-");
    format!(
        "{} {resumed}",
        seen["issued"]["answer"].as_str().unwrap_or("-")
    )
}

#[test]
fn nginx_with_tickets_and_with_a_cache() {
    needs!("nginx");
    let pki = Pki::new();
    let site = || Site::serving(&pki, &rsa_chain(&pki)).protocols("TLSv1.2 TLSv1.3");
    // By default there are tickets; ids are issued, and not tried where tickets are taken.
    let server = nginx(&pki, &[site()]);
    let report = check_with(&pki, server.port(), SESSION);
    assert_eq!(
        resumption(&report, "TLSv1.3", "tickets"),
        "yes yes",
        "{report}"
    );
    assert_eq!(
        resumption(&report, "TLSv1.2", "tickets"),
        "yes yes",
        "{report}"
    );
    assert_eq!(resumption(&report, "TLSv1.2", "ids"), "yes -", "{report}");
    assert_eq!(report.at("session/TLSv1.3/ticket_count"), 2, "{report}");
    assert_eq!(report.at("session/TLSv1.2/lifetime_hint_seconds"), 300);
    report
        .does_not_find("session-resumption-broken")
        .is_complete();

    let cached = site()
        .line("ssl_session_tickets off;")
        .line("ssl_session_cache shared:TLS:1m;")
        .line("ssl_early_data on;");
    let server = nginx(&pki, &[cached]);
    let report = check_with(&pki, server.port(), SESSION);
    assert_eq!(
        resumption(&report, "TLSv1.3", "tickets"),
        "yes yes",
        "{report}"
    );
    assert_eq!(
        resumption(&report, "TLSv1.2", "tickets"),
        "no -",
        "{report}"
    );
    assert_eq!(resumption(&report, "TLSv1.2", "ids"), "yes yes", "{report}");
    assert_eq!(report.at("session/TLSv1.3/max_early_data_size"), 16384);
    report
        .does_not_find("session-resumption-broken")
        .is_complete();
}

#[test]
fn nginx_that_keeps_nothing() {
    needs!("nginx");
    let pki = Pki::new();
    let site = Site::serving(&pki, &rsa_chain(&pki))
        .protocols("TLSv1.2 TLSv1.3")
        .line("ssl_session_tickets off;")
        .line("ssl_session_cache off;");
    let server = nginx(&pki, &[site]);
    let report = check_with(&pki, server.port(), SESSION);
    // OpenSSL issues tickets of TLS 1.3 all the same.
    assert_eq!(
        resumption(&report, "TLSv1.3", "tickets"),
        "yes no",
        "{report}"
    );
    assert_eq!(
        resumption(&report, "TLSv1.2", "tickets"),
        "no -",
        "{report}"
    );
    assert_eq!(resumption(&report, "TLSv1.2", "ids"), "no -", "{report}");
    report.finds("session-resumption-broken").is_complete();
    let finding = report.finding("session-resumption-broken");
    assert_eq!(finding["severity"], "low", "{report}");
}

#[test]
fn nodes_that_share_their_key_and_nodes_that_do_not() {
    needs!("nginx");
    let pki = Pki::new();
    // nginx binds tickets to the certificate as well.
    let chain = rsa_chain(&pki);
    let node = |protocols: &str, key: u8| {
        let key = pki.file("key", &[key; 80]);
        let site = Site::serving(&pki, &chain)
            .protocols(protocols)
            .line(&format!("ssl_session_ticket_key {};", key.display()));
        nginx(&pki, &[site])
    };
    for protocols in ["TLSv1.2", "TLSv1.3"] {
        for (keys, shared) in [([1, 1], true), ([1, 2], false)] {
            let nodes = keys.map(|key| node(protocols, key));
            let ports = [nodes[0].port(), nodes[1].port()];
            let proxy = FaultProxy::before_nodes(&ports, Choice::InTurn, &[]);
            let report = check_with(&pki, proxy.port(), SESSION);
            let seen = report.at(&format!("session/{protocols}/tickets"));
            let (tries, resumed) = (&seen["tries"], &seen["resumptions"]);
            report.is_complete();
            if shared {
                assert_eq!((tries, resumed), (&json!(2), &json!(2)), "{report}");
                report.does_not_find("session-resumption-broken");
            } else {
                assert_ne!(tries, resumed, "{report}");
                assert_ne!(resumed, 0, "{report}");
                let finding = report.finding("session-resumption-broken");
                assert_eq!(finding["severity"], "medium", "{report}");
            }
        }
    }
}

#[test]
fn without_tickets_there_is_nothing_to_resume() {
    needs!("openssl");
    let pki = Pki::new();
    let args = ["-no_ticket", "-num_tickets", "0", "-no_cache"];
    let server = s_server(&pki, &rsa_chain(&pki), &args);
    let report = check_with(&pki, server.port(), SESSION);
    assert_eq!(
        resumption(&report, "TLSv1.3", "tickets"),
        "no -",
        "{report}"
    );
    assert_eq!(
        resumption(&report, "TLSv1.2", "tickets"),
        "no -",
        "{report}"
    );
    assert_eq!(resumption(&report, "TLSv1.2", "ids"), "no -", "{report}");
    report
        .does_not_find("session-resumption-broken")
        .is_complete();
}

#[test]
fn gnutls_with_and_without_tickets() {
    needs!("gnutls-serv", "cc");
    let pki = Pki::new();
    for (more, tickets, ids) in [
        (None, "yes yes", "yes -"),
        (Some("--noticket"), "no -", "yes yes"),
    ] {
        let args: Vec<&str> = more.into_iter().chain(["--disable-client-cert"]).collect();
        let server = gnutls_serv(&pki, &rsa_chain(&pki), "NORMAL", &args);
        let report = check_with(&pki, server.port(), SESSION);
        assert_eq!(
            resumption(&report, "TLSv1.3", "tickets"),
            tickets,
            "{report}"
        );
        assert_eq!(
            resumption(&report, "TLSv1.2", "tickets"),
            tickets,
            "{report}"
        );
        assert_eq!(resumption(&report, "TLSv1.2", "ids"), ids, "{report}");
        report.is_complete();
    }
}

#[test]
fn what_cannot_be_finished_is_undetermined() {
    needs!("openssl");
    let pki = Pki::new();
    let server = s_server(
        &pki,
        &rsa_chain(&pki),
        &["-tls1_2", "-cipher", "AES128-SHA"],
    );
    let args = ["--only", "session,renegotiation"];
    let report = check_with(&pki, server.port(), &args);
    report
        .says("session/TLSv1.2/tickets/issued/answer", "undetermined")
        .says("session/TLSv1.2/ids/issued/answer", "yes")
        .says("session/TLSv1.2/ids/resumed/answer", "undetermined")
        .says(
            "renegotiation/TLSv1.2/client_initiated/answer",
            "undetermined",
        )
        .ends_with(3);
}

#[test]
fn who_wants_a_client_certificate_has_no_session_for_others() {
    needs!("openssl");
    let pki = Pki::new();
    let args = ["-tls1_2", "-Verify", "1", "-verify_return_error"];
    let server = s_server(&pki, &rsa_chain(&pki), &args);
    let report = check_with(&pki, server.port(), &["--only", "session,renegotiation"]);
    report
        .says("session/status", "not-applicable")
        .is_complete();
    assert_eq!(
        report.at("renegotiation/TLSv1.2/client_initiated"),
        &json!(null)
    );
}

#[test]
fn openssl_renegotiates_where_it_is_told_to() {
    needs!("openssl");
    let pki = Pki::new();
    for (more, answer) in [(None, "no"), (Some("-client_renegotiation"), "yes")] {
        for suite in ["ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"] {
            let args: Vec<&str> = more.into_iter().chain(["-cipher", suite]).collect();
            let server = s_server(&pki, &rsa_chain(&pki), &args);
            let report = check_with(&pki, server.port(), RENEGOTIATION);
            report.says("renegotiation/TLSv1.2/client_initiated/answer", answer);
            report.is_complete();
            if answer == "yes" {
                report.finds_only(&["renegotiation-client-initiated"]);
            } else {
                report.finds_only(&[]);
            }
        }
    }
}

#[test]
fn nginx_and_haproxy_do_not_renegotiate() {
    needs!("nginx", "haproxy");
    let pki = Pki::new();
    let site = Site::serving(&pki, &rsa_chain(&pki))
        .line("ssl_conf_command Options -ExtendedMasterSecret;")
        .curves("secp384r1");
    let bundle = pki.bundle_file(&rsa_chain(&pki));
    for server in [
        nginx(&pki, &[site]),
        haproxy(&pki, &format!("crt {}", bundle.display())),
    ] {
        let report = check_with(&pki, server.port(), RENEGOTIATION);
        report.says("renegotiation/TLSv1.2/client_initiated/answer", "no");
        let evidence = report.text("renegotiation/TLSv1.2/client_initiated/evidence");
        assert!(evidence.contains("no_renegotiation (100)"), "{report}");
        report
            .does_not_find("renegotiation-client-initiated")
            .is_complete();
    }
}

#[test]
fn a_jdk_renegotiates_unless_it_is_told_not_to() {
    needs!("java", "javac", "openssl");
    let pki = Pki::rsa();
    for (properties, answer) in [
        (&[][..], "yes"),
        (
            &["jdk.tls.rejectClientInitiatedRenegotiation=true"][..],
            "no",
        ),
    ] {
        let what = Jsse {
            protocols: "TLSv1.2,TLSv1.3",
            properties,
            ..Jsse::default()
        };
        let server = jsse(&pki, &[rsa_chain(&pki)], &what);
        let all = ["--only", "renegotiation,session,signature_algorithms"];
        let report = check_with(&pki, server.port(), &all);
        report
            .says("renegotiation/TLSv1.2/client_initiated/answer", answer)
            .is_complete();
        assert_eq!(
            resumption(&report, "TLSv1.3", "tickets"),
            "yes yes",
            "{report}"
        );
        assert_eq!(resumption(&report, "TLSv1.2", "ids"), "yes -", "{report}");
    }
}

#[test]
fn gnutls_renegotiates_with_and_without_rfc_5746() {
    needs!("gnutls-serv", "cc");
    let pki = Pki::new();
    for (more, severity) in [("", "medium"), (":%DISABLE_SAFE_RENEGOTIATION", "high")] {
        let priority = format!("NORMAL:-VERS-ALL:+VERS-TLS1.2{more}");
        let server = gnutls_serv(
            &pki,
            &rsa_chain(&pki),
            &priority,
            &["--disable-client-cert"],
        );
        let report = check_with(&pki, server.port(), RENEGOTIATION);
        report.says("renegotiation/TLSv1.2/client_initiated/answer", "yes");
        let finding = report.finding("renegotiation-client-initiated");
        assert_eq!(finding["severity"], severity, "{report}");
    }
}

#[test]
fn a_reset_now_and_then_decides_nothing() {
    needs!("nginx");
    let pki = Pki::new();
    let site = Site::serving(&pki, &rsa_chain(&pki)).protocols("TLSv1.2 TLSv1.3");
    let server = nginx(&pki, &[site]);
    for seed in 1..4 {
        let fault = Fault::Arrival(Arrivals::Chance { percent: 20, seed }, Instead::Reset);
        let proxy = FaultProxy::before(server.port(), &[fault]);
        let args = ["--only", "session,renegotiation,signature_algorithms"];
        let report = check_with(&pki, proxy.port(), &args);
        for (path, wrong) in [
            ("session/TLSv1.3/tickets/issued/answer", "no"),
            ("session/TLSv1.2/tickets/issued/answer", "no"),
            ("session/TLSv1.3/tickets/resumed/answer", "no"),
            ("session/TLSv1.2/tickets/resumed/answer", "no"),
            ("renegotiation/TLSv1.2/client_initiated/answer", "yes"),
        ] {
            assert_ne!(report.text(path), wrong, "{path} {report}");
        }
        report.does_not_find("session-resumption-broken");
    }
}

#[test]
fn signatures_of_tls_1_3() {
    needs!("openssl", "nginx");
    let pki = Pki::new();
    let names = |report: &Report| -> Vec<String> {
        let accepted = report.at("signature_algorithms/tls13/accepted");
        let names = accepted.as_array().expect("names").iter();
        let mut names: Vec<String> = names
            .map(|name| name["name"].as_str().unwrap_or("?").to_owned())
            .collect();
        names.sort();
        names
    };
    let ecdsa = s_server(&pki, &pki.chain(&pki.leaf(&[HOST])), &["-tls1_3"]);
    let report = check_with(&pki, ecdsa.port(), SIGNATURES);
    assert_eq!(names(&report), ["ecdsa_secp256r1_sha256"], "{report}");
    report.says("signature_algorithms/tls13/sha1/answer", "no");
    let args = [
        "-tls1_3",
        "-sigalgs",
        "rsa_pss_rsae_sha384:rsa_pss_rsae_sha512",
    ];
    let rsa = s_server(&pki, &rsa_chain(&pki), &args);
    let report = check_with(&pki, rsa.port(), SIGNATURES);
    let two = ["rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"];
    assert_eq!(names(&report), two, "{report}");
    report
        .says("signature_algorithms/tls13/sha1/answer", "no")
        .is_complete();
    assert_eq!(report.at("signature_algorithms/tls13/complete"), true);
}
