//! Names and addresses: what is sent, and what is held against what.

use std::net::{SocketAddr, TcpListener};
use std::process::Command;

use gladhand_testkit::pki::Pki;
use gladhand_testkit::process::with_hosts;
use gladhand_testkit::scripted::{Fault, Identity, Model, ScriptedServer};
use gladhand_testkit::wire::Incoming;
use gladhand_testkit::{needs, net};

use crate::harness::{GLADHAND, HOST, Ran, check_name, check_with};

/// The server names of all hellos, none standing for a hello without.
fn names(server: &ScriptedServer) -> Vec<Option<String>> {
    let seen = server.seen();
    let name = |incoming: &Incoming| match incoming {
        // SSLv3 has no extensions.
        Incoming::Tls(hello) if hello.versions() != [0x0300] => Some(hello.server_name()),
        _ => None,
    };
    seen.iter().filter_map(name).collect()
}

#[test]
fn an_address_is_never_sent_as_a_name() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&["127.0.0.1"])));
    check_name("127.0.0.1", &pki, server.port(), &[]).ends_with(0);
    let sent = names(&server);
    assert!(
        sent.iter()
            .flatten()
            .all(|name| !name.contains("127.0.0.1")),
        "{sent:?}"
    );
}

#[test]
fn no_sni_sends_none_but_the_wrong_one() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST])));
    let report = check_with(&pki, server.port(), &["--no-sni"]);
    report.ends_with(0);
    let sent = names(&server);
    assert!(sent.iter().flatten().all(|name| name != HOST), "{sent:?}");
    assert!(report.at("sni/with").is_null(), "{report}");
}

#[test]
fn another_name_is_sent_and_held_against_the_certificate() {
    let pki = Pki::new();
    let identity = Identity {
        by_name: [(
            "api.example.test".into(),
            pki.chain(&pki.leaf(&["api.example.test"])),
        )]
        .into(),
        ..Identity::of(pki.chain(&pki.leaf(&["default.example.test"])))
    };
    let server = ScriptedServer::start(Model::default(), Fault::default(), vec![], identity);
    let report = check_with(&pki, server.port(), &["--sni", "api.example.test"]);
    report.says("/targets/0/endpoints/0/sni", "api.example.test");
    report.says("/targets/0/target", &format!("{HOST}:{}", server.port()));
    report
        .finds_only(&["sni-default-certificate-differs"])
        .ends_with(0);
}

#[test]
fn a_dead_address_does_not_hide_a_good_one() {
    needs!("unshare");
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST])));
    // Nobody listens on the others at this port. A container may have no IPv6 at all.
    let mut dead = vec!["127.0.0.2"];
    if TcpListener::bind("[::1]:0").is_ok() {
        dead.push("::1");
    }
    let hosts: String = ["127.0.0.1"]
        .iter()
        .chain(&dead)
        .map(|ip| format!("{ip} HOST\n"))
        .collect();
    let Some(ran) = check_under_hosts(&pki, &hosts, server.port()) else {
        return;
    };
    let report = ran.report();
    report
        .ends_with(3)
        .finds_only(&["addresses-disagree", "port-closed"]);
    let endpoints = report
        .at("/targets/0/endpoints")
        .as_array()
        .expect("endpoints")
        .clone();
    assert_eq!(endpoints.len(), 1 + dead.len(), "{report}");
    for endpoint in endpoints {
        let ip = endpoint["ip"].as_str().expect("an address");
        let outcome = if dead.contains(&ip) { "refused" } else { "tls" };
        assert_eq!(
            endpoint["observations"]["reach"]["outcome"], outcome,
            "{ip}; {report}"
        );
    }
    let finding = report.finding("port-closed");
    let addresses = finding["evidence"]["addresses"].as_array().map(Vec::len);
    assert_eq!(
        addresses,
        Some(dead.len()),
        "one finding that names the dead ones: {finding}"
    );
}

#[test]
fn addresses_that_disagree() {
    needs!("unshare");
    let pki = Pki::new();
    let first = ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST])));
    let second = SocketAddr::from(([127, 0, 0, 2], first.port()));
    let _second = ScriptedServer::serving_at(second, pki.chain(&pki.leaf(&[HOST])));
    let hosts = "127.0.0.1 HOST\n127.0.0.2 HOST\n";
    let Some(ran) = check_under_hosts(&pki, hosts, first.port()) else {
        return;
    };
    ran.report()
        .finds_only(&["addresses-disagree"])
        .ends_with(0);
}

#[test]
fn addresses_that_agree() {
    needs!("unshare");
    let pki = Pki::new();
    let chain = pki.chain(&pki.leaf(&[HOST]));
    let first = ScriptedServer::serving(chain.clone());
    let second = SocketAddr::from(([127, 0, 0, 2], first.port()));
    let _second = ScriptedServer::serving_at(second, chain);
    let hosts = "127.0.0.1 HOST\n127.0.0.2 HOST\n";
    let Some(ran) = check_under_hosts(&pki, hosts, first.port()) else {
        return;
    };
    ran.report().finds_only(&[]).ends_with(0);
}

#[test]
fn connect_goes_to_another_port() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST])));
    let trust = pki.root_file().display().to_string();
    let to = net::loopback(server.port()).to_string();
    let args = [
        "check",
        HOST,
        "--connect",
        &to,
        "--trust",
        &trust,
        "-o",
        "json",
    ];
    let report = crate::harness::gladhand(&args).report();
    report
        .says("/targets/0/target", &format!("{HOST}:443"))
        .ends_with(0);
    assert_eq!(
        report.at("/targets/0/endpoints/0/port"),
        server.port(),
        "{report}"
    );
}

/// Checks the name with an `/etc/hosts` of its own, in which `HOST` stands for it. None: left out.
fn check_under_hosts(pki: &Pki, hosts: &str, port: u16) -> Option<Ran> {
    let trust = pki.root_file();
    let mut command = Command::new(GLADHAND);
    command
        .arg("check")
        .arg(format!("{HOST}:{port}"))
        .args(["-o", "json", "--trust"])
        .arg(trust);
    let Some(output) = with_hosts(&hosts.replace("HOST", HOST), &command) else {
        // What is missing is the right to a mount namespace, not a program.
        gladhand_testkit::needs::leave_out("the right to a mount namespace (root, or user ones)");
        return None;
    };
    Some(Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        took: std::time::Duration::ZERO,
    })
}
