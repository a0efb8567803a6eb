//! What servers have to pass over in a hello: real ones, and scripted ones that do not.

use gladhand_testkit::faults::HelloIs::{self, Has, Over, SuitesOver};
use gladhand_testkit::faults::{Fault, FaultProxy, Instead};
use gladhand_testkit::needs;
use gladhand_testkit::odd::Odd;
use gladhand_testkit::pki::{Issued, KeyKind, Pki, Spec};
use gladhand_testkit::real::{Jsse, Site, gnutls_serv, haproxy, jsse, nginx, s_server};
use gladhand_testkit::scripted::ScriptedServer;
use gladhand_testkit::wire::{ClientHello, Incoming};

use crate::harness::{HOST, Report, check, check_with};

/// What is asked of a server of TLS 1.2 and 1.3.
const ALL: [&str; 15] = [
    "tls-1-3",
    "length-256-511",
    "suites-over-64",
    "suites-over-128",
    "grease-suite",
    "grease-group",
    "grease-version",
    "grease-extension",
    "grease-protocol",
    "unknown-extension",
    "extension-order",
    "empty-last-extension",
    "unknown-version",
    "unknown-legacy-version",
    "record-version",
];

fn rsa_chain(pki: &Pki) -> Vec<Issued> {
    pki.chain(&pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048))))
}

/// Everything is tolerated, but for what cannot be asked; and large hellos are answered.
#[track_caller]
fn tolerates_all_but(report: &Report, not_asked: &[&str]) {
    for quirk in ALL {
        let answer = if not_asked.contains(&quirk) {
            ""
        } else {
            "yes"
        };
        report.says(&format!("intolerance/{quirk}/answer"), answer);
    }
    report
        .says("large_hello/large/answer", "yes")
        .says("large_hello/larger/answer", "yes")
        .says("large_hello/in_two/answer", "yes")
        .says("large_hello/cause", "none")
        .does_not_find("hello-intolerance")
        .does_not_find("large-hello-dropped");
}

/// What the two probes cost beside those that they need.
fn cost(pki: &Pki, port: u16) -> u64 {
    let of = |probes| check_with(pki, port, &["--only", probes]).connections();
    of("versions,large_hello,intolerance") - of("versions")
}

#[test]
fn nginx_tolerates_everything() {
    needs!("nginx");
    let pki = Pki::new();
    let chain = rsa_chain(&pki);
    let server = nginx(&pki, &[Site::serving(&pki, &chain).http2()]);
    tolerates_all_but(&check(&pki, server.port()), &[]);
    assert_eq!(cost(&pki, server.port()), 3);
    let of_12 = Site::serving(&pki, &chain).protocols("TLSv1.2");
    let server = nginx(&pki, &[of_12]);
    tolerates_all_but(&check(&pki, server.port()), &[]);
    assert_eq!(cost(&pki, server.port()), 3);
}

#[test]
fn openssl_tolerates_everything() {
    needs!("openssl");
    let pki = Pki::new();
    let chain = rsa_chain(&pki);
    let server = s_server(&pki, &chain, &[]);
    tolerates_all_but(&check(&pki, server.port()), &[]);
    let server = s_server(&pki, &chain, &["-tls1_3"]);
    tolerates_all_but(&check(&pki, server.port()), &["unknown-legacy-version"]);
    assert_eq!(cost(&pki, server.port()), 3);
}

#[test]
fn gnutls_tolerates_everything() {
    needs!("gnutls-serv", "cc");
    let pki = Pki::new();
    let server = gnutls_serv(&pki, &rsa_chain(&pki), "NORMAL", &["--disable-client-cert"]);
    tolerates_all_but(&check(&pki, server.port()), &[]);
    assert_eq!(cost(&pki, server.port()), 3);
}

#[test]
fn haproxy_tolerates_everything() {
    needs!("haproxy");
    let pki = Pki::new();
    let bundle = pki.bundle_file(&rsa_chain(&pki));
    let server = haproxy(&pki, &format!("crt {} alpn h2,http/1.1", bundle.display()));
    tolerates_all_but(&check(&pki, server.port()), &[]);
    assert_eq!(cost(&pki, server.port()), 3);
}

#[test]
fn a_jdk_tolerates_everything() {
    needs!("java", "javac", "openssl");
    let pki = Pki::rsa();
    let what = Jsse {
        protocols: "TLSv1.2,TLSv1.3",
        ..Jsse::default()
    };
    let server = jsse(&pki, &[rsa_chain(&pki)], &what);
    tolerates_all_but(&check(&pki, server.port()), &[]);
    assert_eq!(cost(&pki, server.port()), 3);
    let what = Jsse {
        protocols: "TLSv1,TLSv1.1",
        ..Jsse::default()
    };
    let server = jsse(&pki, &[rsa_chain(&pki)], &what);
    tolerates_all_but(&check(&pki, server.port()), &[]);
}

/// A server that has every right to be tolerant was really asked.
#[test]
fn two_hellos_have_everything() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST])));
    let report = check_with(&pki, server.port(), &["--only", "intolerance"]);
    tolerates_all_but_large(&report);
    let hellos: Vec<ClientHello> = server
        .seen()
        .into_iter()
        .filter_map(|incoming| match incoming {
            Incoming::Tls(hello) => Some(hello),
            _ => None,
        })
        .collect();
    let with = |odd: &[Odd]| {
        let all = |hello: &&ClientHello| odd.iter().all(|odd| odd.is_in(hello));
        hellos.iter().filter(all).collect::<Vec<_>>()
    };
    let modern = with(&[
        Odd::GreaseSuite,
        Odd::GreaseGroup,
        Odd::GreaseVersion,
        Odd::GreaseExtension,
        Odd::GreaseProtocol,
        Odd::UnknownExtension,
        Odd::Order,
        Odd::EmptyLast,
        Odd::UnknownVersion,
        Odd::RecordVersion,
    ]);
    assert_eq!(modern.len(), 1);
    assert!(modern[0].suites.len() > 128 && modern[0].versions().contains(&0x0304));
    let short = with(&[Odd::LegacyVersion]);
    assert_eq!(short.len(), 1);
    assert!((256..512).contains(&short[0].length) && short[0].extension(43).is_none());
}

fn tolerates_all_but_large(report: &Report) {
    for quirk in ALL {
        report.says(&format!("intolerance/{quirk}/answer"), "yes");
    }
}

/// What stands before nginx, and what is not tolerated then.
fn intolerant(which: HelloIs, instead: Instead, quirks: &[&str]) {
    let pki = Pki::new();
    let server = nginx(&pki, &[Site::serving(&pki, &rsa_chain(&pki))]);
    let proxy = FaultProxy::before(server.port(), &[Fault::Hello(which, instead)]);
    let args = ["--only", "intolerance,large_hello,alpn", "--timeout", "1"];
    let report = check_with(&pki, proxy.port(), &args);
    for quirk in ALL {
        let answer = if quirks.contains(&quirk) { "no" } else { "yes" };
        report.says(&format!("intolerance/{quirk}/answer"), answer);
    }
    report
        .says("large_hello/cause", "none")
        .finds("hello-intolerance")
        .does_not_find("large-hello-dropped")
        .is_complete();
    let bound = 64;
    assert!(report.connections() <= bound, "{report}");
}

#[test]
fn each_way_of_refusing_is_seen_through() {
    needs!("nginx");
    for instead in Instead::REFUSALS {
        intolerant(Has(Odd::GreaseSuite), instead, &["grease-suite"]);
    }
}

#[test]
fn each_thing_is_told_from_the_others() {
    needs!("nginx");
    for (odd, quirks) in [
        (Odd::GreaseGroup, &["grease-group"] as &[&str]),
        (Odd::GreaseVersion, &["grease-version"]),
        (Odd::GreaseExtension, &["grease-extension"]),
        (Odd::GreaseProtocol, &["grease-protocol"]),
        (Odd::UnknownExtension, &["unknown-extension"]),
        (Odd::Order, &["extension-order"]),
        (Odd::EmptyLast, &["empty-last-extension"]),
        (Odd::UnknownVersion, &["unknown-version"]),
        (Odd::LegacyVersion, &["unknown-legacy-version"]),
        (Odd::RecordVersion, &["record-version"]),
    ] {
        intolerant(Has(odd), Instead::Reset, quirks);
    }
}

#[test]
fn long_lists_of_suites() {
    needs!("nginx");
    intolerant(SuitesOver(128), Instead::Close, &["suites-over-128"]);
    let both = ["suites-over-64", "suites-over-128"];
    intolerant(SuitesOver(64), Instead::Alert(40), &both);
}

#[test]
fn two_things_at_once() {
    needs!("nginx");
    let pki = Pki::new();
    let server = nginx(&pki, &[Site::serving(&pki, &rsa_chain(&pki))]);
    let faults = [
        Fault::Hello(Has(Odd::GreaseVersion), Instead::Alert(70)),
        Fault::Hello(HelloIs::Between(256, 511), Instead::Silence),
    ];
    let proxy = FaultProxy::before(server.port(), &faults);
    let args = ["--only", "intolerance", "--timeout", "1"];
    let report = check_with(&pki, proxy.port(), &args);
    report
        .says("intolerance/grease-version/answer", "no")
        .says("intolerance/length-256-511/answer", "no")
        .says("intolerance/unknown-version/answer", "yes")
        .says("intolerance/unknown-legacy-version/answer", "yes")
        .finds("hello-intolerance")
        .is_complete();
}

/// Who refuses a length does not refuse what happens to make a hello so long.
#[test]
fn a_limit_of_length_is_no_intolerance() {
    needs!("nginx");
    let pki = Pki::new();
    let server = nginx(&pki, &[Site::serving(&pki, &rsa_chain(&pki))]);
    for instead in [Instead::Alert(40), Instead::Reset] {
        let fault = Fault::Hello(Over(700), instead);
        let proxy = FaultProxy::before(server.port(), &[fault]);
        let args = ["--only", "intolerance,large_hello", "--timeout", "1"];
        let report = check_with(&pki, proxy.port(), &args);
        for quirk in ALL {
            let answer = report.text(&format!("intolerance/{quirk}/answer"));
            assert_ne!(answer, "no", "{quirk} {report}");
        }
        report
            .says("large_hello/cause", "server")
            .does_not_find("hello-intolerance")
            .finds("large-hello-dropped");
    }
}

/// What comes by chance is no intolerance.
#[test]
fn chance_is_no_intolerance() {
    needs!("nginx");
    let pki = Pki::new();
    let server = nginx(&pki, &[Site::serving(&pki, &rsa_chain(&pki))]);
    for seed in 0..6 {
        let percent = 25;
        let by_chance = gladhand_testkit::faults::Arrivals::Chance { percent, seed };
        let fault = Fault::Arrival(by_chance, Instead::Close);
        let proxy = FaultProxy::before(server.port(), &[fault]);
        let report = check_with(&pki, proxy.port(), &["--only", "intolerance,large_hello"]);
        report
            .does_not_find("hello-intolerance")
            .does_not_find("large-hello-dropped");
    }
}
