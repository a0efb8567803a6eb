//! What is said before TLS: STARTTLS, PROXY protocol, proxies.

use gladhand_testkit::front::{Front, PROTOCOLS};
use gladhand_testkit::needs;
use gladhand_testkit::net::ClosedPort;
use gladhand_testkit::pki::{KeyKind, Pki, Spec};
use gladhand_testkit::real::{Site, haproxy, nginx, nginx_behind_balancer};
use gladhand_testkit::scripted::ScriptedServer;

use crate::harness::{HOST, Report, check_args, check_with, gladhand, gladhand_in};

fn serve(pki: &Pki) -> ScriptedServer {
    ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST])))
}

/// Enough to see that hellos and real handshakes go through.
const LITTLE: &[&str] = &["--only", "handshake,verification"];

/// A real handshake was completed, with the server that was meant.
#[track_caller]
fn is_reached(report: &Report) {
    report
        .says("reach/outcome", "tls")
        .says("handshake/outcome", "completed")
        .says("verification/verdict", "trusted")
        .is_complete();
}

/// Everything that a port with TLS shows.
#[track_caller]
fn is_measured(report: &Report) {
    is_reached(report);
    report.speaks_only(&["TLSv1.2", "TLSv1.3"]);
}

#[test]
fn starttls_of_every_protocol() {
    let pki = Pki::new();
    let server = serve(&pki);
    for protocol in PROTOCOLS {
        let front = Front::starttls(protocol, server.port());
        let args = [&["--starttls", protocol], LITTLE].concat();
        let report = check_with(&pki, front.port(), &args);
        is_reached(&report);
        report.says("reach/before_tls/starttls", protocol);
        // Each connection had a dialogue of its own.
        assert_eq!(front.connections() as u64, report.connections(), "{report}");
        for asked in front.asked() {
            assert_eq!(asked, HOST);
        }
    }
}

#[test]
fn nginx_behind_starttls() {
    needs!("nginx");
    let pki = Pki::new();
    let site = Site::serving(&pki, &pki.chain(&pki.leaf(&[HOST]))).protocols("TLSv1.2 TLSv1.3");
    let server = nginx(&pki, &[site]);
    let front = Front::starttls("smtp", server.port());
    is_measured(&check_with(&pki, front.port(), &["--starttls", "smtp"]));
}

#[test]
fn a_server_that_refuses() {
    let pki = Pki::new();
    for protocol in PROTOCOLS {
        let front = Front::refusing(protocol);
        let report = check_with(&pki, front.port(), &["--starttls", protocol]);
        report
            .says("reach/outcome", "opening-failed")
            .says("reach/before_tls/failure/problem", "refused")
            .finds_only(&["starttls-refused"])
            .ends_with(1);
        assert_eq!(report.at("/complete"), false, "{report}");
        assert_eq!(report.connections(), 1, "{report}");
    }
}

#[test]
fn a_port_of_another_protocol() {
    let pki = Pki::new();
    let ssh = Front::saying(b"SSH-2.0-OpenSSH_9.2\r\n");
    for protocol in PROTOCOLS {
        let report = check_with(&pki, ssh.port(), &["--starttls", protocol]);
        report
            .says("reach/outcome", "opening-failed")
            .says("reach/before_tls/failure/problem", "not-understood")
            .says("reach/banner", "SSH-2.0-OpenSSH_9.2")
            .finds_only(&["starttls-refused"])
            .ends_with(1);
    }
}

/// An end or silence may be chance: it is not measured, and nothing is found.
#[test]
fn a_server_that_says_nothing() {
    let pki = Pki::new();
    let silent = Front::saying(b"");
    let args = ["--starttls", "smtp", "--timeout", "1"];
    let report = check_with(&pki, silent.port(), &args);
    report
        .says("reach/outcome", "opening-failed")
        .says("reach/before_tls/failure/problem", "silent")
        .finds_only(&["not-measured"])
        .ends_with(3);
    // A server of TLS waits for the client, too.
    let server = serve(&pki);
    let report = check_with(&pki, server.port(), &args);
    report
        .says("reach/before_tls/failure/problem", "silent")
        .ends_with(3);
}

#[test]
fn tls_from_the_first_byte_is_told() {
    needs!("nginx");
    let pki = Pki::new();
    let server = nginx(&pki, &[Site::serving(&pki, &pki.chain(&pki.leaf(&[HOST])))]);
    let report = check_with(&pki, server.port(), &["--starttls", "xmpp"]);
    report.says("reach/outcome", "opening-failed").ends_with(1);
    let finding = report.finding("starttls-refused");
    let message = finding["message"].as_str().unwrap();
    // nginx says in HTTP what it thinks of bytes in the clear.
    assert!(message.contains("does not speak xmpp"), "{message}");
}

#[test]
fn what_a_server_says_is_escaped() {
    let pki = Pki::new();
    let hostile = Front::saying(b"554 \x1b]0;owned\x07 go\xe2\x80\xae away\r\n");
    let mut args = check_args(
        HOST,
        hostile.port(),
        &pki.root_file(),
        &["--starttls", "smtp"],
    );
    args.retain(|arg| arg != "-o" && arg != "json");
    let ran = gladhand(&args);
    ran.ends_with(1);
    assert!(ran.stdout.contains("STARTTLS for smtp"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\\u{1b}]0;owned"), "{}", ran.stdout);
    assert!(
        !ran.stdout.contains(['\u{1b}', '\u{202e}']),
        "{}",
        ran.stdout
    );
}

#[test]
fn nginx_and_haproxy_behind_a_balancer() {
    needs!("nginx", "haproxy");
    let pki = Pki::new();
    let leaf = pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048)));
    let chain = pki.chain(&leaf);
    let bundle = pki.bundle_file(&chain);
    let bind = format!("crt {} ssl-min-ver TLSv1.2 accept-proxy", bundle.display());
    for server in [
        nginx_behind_balancer(
            &pki,
            &[Site::serving(&pki, &chain).protocols("TLSv1.2 TLSv1.3")],
        ),
        haproxy(&pki, &bind),
    ] {
        for version in ["v1", "v2"] {
            let report = check_with(&pki, server.port(), &["--proxy-protocol", version]);
            is_measured(&report);
            report.says("reach/before_tls/proxy_protocol", version);
        }
        // Behind a proxy the header says that the addresses are unknown.
        let proxy = Front::http_proxy(server.port(), None);
        let via = format!("http://127.0.0.1:{}", proxy.port());
        for version in ["v1", "v2"] {
            let args = [&["--proxy-protocol", version, "--via", &via], LITTLE].concat();
            is_reached(&check_with(&pki, server.port(), &args));
        }
        // Without it, the balancer's end of the connection is all that clients see.
        let report = check_with(&pki, server.port(), &["--only", "reach"]);
        assert_ne!(report.text("reach/outcome"), "tls", "{report}");
    }
}

/// The answer is to the header, not to TLS.
#[test]
fn nginx_that_expects_no_proxy_protocol() {
    needs!("nginx");
    let pki = Pki::new();
    let chain = pki.chain(&pki.leaf(&[HOST]));
    let server = nginx(&pki, &[Site::serving(&pki, &chain)]);
    for version in ["v1", "v2"] {
        let report = check_with(&pki, server.port(), &["--proxy-protocol", version]);
        let finding = report.finding("plaintext-on-tls-port");
        assert_eq!(finding["evidence"]["key"], "proxy-protocol", "{report}");
        assert_eq!(finding["severity"], "high", "{report}");
        report.ends_with(1);
    }
}

/// A run through a proxy: the name goes to the proxy as a name.
fn through(proxy: &str, pki: &Pki, environment: &[(&str, &str)]) -> Report {
    let target = format!("{HOST}:8443");
    let trust = pki.root_file().display().to_string();
    let mut args = vec!["check", &target, "--trust", &trust, "-o", "json"];
    args.extend(LITTLE);
    if !proxy.is_empty() {
        args.extend(["--via", proxy]);
    }
    gladhand_in(&args, environment, "").report()
}

#[test]
fn through_proxies() {
    let pki = Pki::new();
    let server = serve(&pki);
    let http = Front::http_proxy(server.port(), None);
    let basic = Front::http_proxy(server.port(), Some("Basic bWU6c2VjcmV0"));
    let socks = Front::socks5(server.port(), None);
    let login = Front::socks5(server.port(), Some(("me", "secret")));
    for (front, via) in [
        (&http, format!("http://127.0.0.1:{}", http.port())),
        // The name has an IPv6 address as well, where nobody listens.
        (&http, format!("http://localhost:{}", http.port())),
        (
            &basic,
            format!("http://me:secret@127.0.0.1:{}", basic.port()),
        ),
        (&socks, format!("socks5://127.0.0.1:{}", socks.port())),
        (
            &login,
            format!("socks5h://me:secret@127.0.0.1:{}", login.port()),
        ),
    ] {
        let report = through(&via, &pki, &[]);
        is_reached(&report);
        assert_eq!(report.at("/targets/0/endpoints/0/port"), front.port());
        report.says("reach/before_tls/to", &format!("{HOST}:8443"));
        assert!(!report.value.to_string().contains("me:secret"), "{via}");
        assert_eq!(front.asked()[0], format!("{HOST}:8443"));
    }
    let via = format!("socks5://127.0.0.1:{}", socks.port());
    is_reached(&through("", &pki, &[("GLADHAND_VIA", &via)]));
    // An address instead of the name.
    let args = [&["--via", &via], LITTLE].concat();
    is_reached(&check_with(&pki, 8443, &args));
    assert_eq!(socks.asked().last().unwrap(), "127.0.0.1:8443");
}

#[test]
fn starttls_through_a_proxy() {
    let pki = Pki::new();
    let server = serve(&pki);
    let mail = Front::starttls("smtp", server.port());
    let proxy = Front::http_proxy(mail.port(), None);
    let via = format!("http://127.0.0.1:{}", proxy.port());
    let trust = pki.root_file().display().to_string();
    let args = [
        "check",
        HOST,
        "--via",
        &via,
        "--starttls",
        "smtp",
        "--trust",
        &trust,
        "-o",
        "json",
    ];
    let report = gladhand(&[&args, LITTLE].concat()).report();
    is_reached(&report);
    // The usual port.
    report.says("/targets/0/target", &format!("{HOST}:25"));
    assert_eq!(proxy.asked()[0], format!("{HOST}:25"));
}

/// What a proxy says tells nothing about the target.
#[test]
fn a_proxy_that_refuses() {
    let pki = Pki::new();
    let basic = Front::http_proxy(0, Some("Basic bWU6c2VjcmV0"));
    let login = Front::socks5(0, Some(("me", "secret")));
    let closed = ClosedPort::new();
    let strange = Front::saying(b"SSH-2.0-OpenSSH_9.2\r\n");
    for (via, said) in [
        (
            format!("http://me:wrong@127.0.0.1:{}", basic.port()),
            "407 Proxy Authentication Required",
        ),
        (
            format!("socks5://127.0.0.1:{}", login.port()),
            "it wants a user and a password",
        ),
        (
            format!("socks5://127.0.0.1:{}", closed.port()),
            "connection refused",
        ),
        (
            format!("http://127.0.0.1:{}", strange.port()),
            "in another protocol: \\\"SSH-2.0",
        ),
    ] {
        let report = through(&via, &pki, &[]);
        report.finds_only(&["not-measured"]).ends_with(3);
        let reason = report.at("/not_measured/0/reason").to_string();
        assert!(
            reason.contains(said) && !reason.contains("wrong"),
            "{reason}"
        );
    }
}

#[test]
fn what_is_wrong_with_the_flags_is_told_before_anything_is_probed() {
    for (args, said) in [
        (&["--starttls", "gopher"][..], "gopher"),
        (&["--proxy-protocol", "v3"], "v3"),
        (
            &["--via", "https://me:secret@proxy:3128"],
            "http://HOST:PORT",
        ),
        (
            &["--via", "http://me:secret@proxy"],
            "give the proxy's port",
        ),
    ] {
        let ran = gladhand(&[&["check", "app.example.com"], args].concat());
        ran.ends_with(2);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
        assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
    }
    let ran = gladhand(&["check", "http://mail.example.com", "--starttls", "smtp"]);
    ran.ends_with(2);
    assert!(ran.stderr.contains("leave one out"), "{}", ran.stderr);
}
