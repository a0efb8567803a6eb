//! How many connections the facts cost, counted by something else than gladhand.

use std::collections::BTreeSet;

use gladhand_testkit::needs;
use gladhand_testkit::pki::{KeyKind, Pki, Spec};
use gladhand_testkit::proxy::CountingProxy;
use gladhand_testkit::real::{Site, nginx};
use gladhand_testkit::scripted::{Fault, Identity, Model, ScriptedServer};
use gladhand_testkit::wire::Incoming;

use crate::harness::{HOST, check, check_with};

/// An Application Load Balancer's policy of 2021: TLS 1.2 and 1.3, four and three suites.
fn like_an_alb(pki: &Pki) -> Site {
    let leaf = pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048)));
    Site::serving(pki, &pki.chain(&leaf))
        .protocols("TLSv1.2 TLSv1.3")
        .ciphers(
            "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-GCM-SHA384:\
             ECDHE-RSA-AES256-SHA384",
        )
        .curves("X25519:prime256v1:secp384r1")
        .server_order(true)
}

#[test]
fn a_server_like_an_alb_costs_at_most_64() {
    needs!("nginx");
    let pki = Pki::new();
    let server = nginx(&pki, &[like_an_alb(&pki)]);
    let proxy = CountingProxy::before(server.port());
    let report = check(&pki, proxy.port());
    report.is_complete().speaks_only(&["TLSv1.2", "TLSv1.3"]);
    assert!(report.connections() <= 64, "everything: {report}");
    let proxy = CountingProxy::before(server.port());
    let core = ["--only", "versions,suites,groups"];
    let report = check_with(&pki, proxy.port(), &core);
    assert_eq!(report.suites("TLSv1.2").len(), 4, "{report}");
    assert_eq!(report.suites("TLSv1.3").len(), 3, "{report}");
    report.says("suites/TLSv1.2/order", "server");
    let counted = u64::try_from(proxy.connections()).unwrap();
    assert_eq!(
        report.connections(),
        counted,
        ".connections and what the proxy counted"
    );
    assert!(counted <= 32, "{counted} connections; {report}");
}

#[test]
fn fewer_probes_cost_fewer_connections() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST])));
    let report = check_with(&pki, server.port(), &["--only", "reach"]);
    assert_eq!(report.connections(), 1, "{report}");
    assert_eq!(server.connections(), 1);
    let report = check_with(&pki, server.port(), &["--only", "versions"]);
    assert!(report.connections() <= 10, "{report}");
}

#[test]
fn no_more_connections_at_once_than_allowed() {
    let pki = Pki::new();
    let identity = Identity::of(pki.chain(&pki.leaf(&[HOST])));
    let fault = Fault {
        delay_ms: 30,
        ..Fault::default()
    };
    for limit in [1, 3, 8] {
        let server =
            ScriptedServer::start(Model::default(), fault.clone(), vec![], identity.clone());
        let report = check_with(
            &pki,
            server.port(),
            &["--max-connections", &limit.to_string()],
        );
        report.is_complete();
        let most = server.most_at_once();
        assert!(
            most <= limit,
            "{most} connections at once, {limit} allowed; {report}"
        );
    }
}

#[test]
fn no_faster_than_allowed() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST])));
    let report = check_with(
        &pki,
        server.port(),
        &["--rate", "20/s", "--only", "versions,sni"],
    );
    report.is_complete();
    let connections = u32::try_from(server.connections()).unwrap();
    let least = f64::from(connections - 1) / 20.0 * 0.9;
    let took = report.took.as_secs_f64();
    assert!(
        took >= least,
        "{connections} connections in {took:.2} s; {report}"
    );
}

#[test]
fn hellos_are_clean() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST])));
    // What those two ask is meant not to be.
    let args = ["--skip", "intolerance,large_hello"];
    check_with(&pki, server.port(), &args).ends_with(0);
    for incoming in server.seen() {
        let Incoming::Tls(hello) = incoming else {
            continue;
        };
        let what = format!("{hello:04X?}");
        assert!(hello.version <= 0x0303, "legacy_version: {what}");
        assert!(
            hello.record_version <= 0x0301,
            "the record's version: {what}"
        );
        let thirteen = hello.versions().contains(&0x0304);
        if !thirteen {
            assert!(
                hello.suites.contains(&0x00FF),
                "no SCSV below TLS 1.3: {what}"
            );
        }
        if hello.versions() == [0x0304] {
            let legacy: Vec<_> = hello
                .groups()
                .unwrap_or_default()
                .into_iter()
                .filter(|group| {
                    (0x0001..0x0017).contains(group) || (0x001A..0x001D).contains(group)
                })
                .collect();
            assert_eq!(
                legacy, [0_u16; 0],
                "groups that TLS 1.3 does not have: {what}"
            );
        }
        let ids: BTreeSet<u16> = hello.extensions.iter().map(|(id, _)| *id).collect();
        assert_eq!(
            ids.len(),
            hello.extensions.len(),
            "an extension twice: {what}"
        );
        // RFC 8446, section 4.2.11 and openssl#1113: sizes that old servers choke on.
        let odd = hello.length % 256;
        assert!(
            odd != 10 && odd != 14,
            "a length of {}: {what}",
            hello.length
        );
        assert!(
            hello.length <= 255 || hello.length >= 512,
            "a length of {}",
            hello.length
        );
    }
}
