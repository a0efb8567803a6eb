//! `gladhand hello`: real clients at the listener, captures on stdin, real servers as counterparts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use gladhand_testkit::needs;
use gladhand_testkit::net::{self, ClosedPort};
use gladhand_testkit::pki::Pki;
use gladhand_testkit::process;
use gladhand_testkit::scripted::ScriptedServer;
use serde_json::Value;

use crate::harness::{HOST, command, gladhand};

/// The program, listening.
struct Listening {
    child: Child,
    stderr: BufReader<ChildStderr>,
    port: u16,
}

impl Listening {
    fn start(args: &[&str]) -> Self {
        let mut child = command()
            .args(["hello", "--listen", "127.0.0.1:0", "-o", "json"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("stderr"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("a line");
        let port = line
            .strip_prefix("listening on 127.0.0.1:")
            .and_then(|rest| rest.strip_suffix(", this machine alone\n"))
            .unwrap_or_else(|| panic!("{line:?}"));
        let port = port.parse().expect("a port");
        Self {
            child,
            stderr,
            port,
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = net::connect(self.port).expect("a connection");
        let patience = Some(Duration::from_secs(60));
        stream.set_read_timeout(patience).expect("a timeout");
        stream
    }

    /// Says this, and reads until the end.
    fn answer(&self, words: &[u8]) -> Vec<u8> {
        let mut stream = self.connect();
        stream.write_all(words).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("a polite end");
        answer
    }

    /// Waits for a line on stderr.
    fn told(&mut self, part: &str) {
        let mut line = String::new();
        while !line.contains(part) {
            line.clear();
            let read = self.stderr.read_line(&mut line).expect("a line");
            assert!(read > 0, "stderr ended without {part:?}");
        }
    }

    /// The exit code and the report.
    fn end(self) -> (Option<i32>, Value) {
        let output = self.child.wait_with_output().expect("it ends");
        let report = serde_json::from_slice(&output.stdout).expect("one JSON document");
        (output.status.code(), report)
    }
}

fn fixture(name: &str) -> String {
    format!("{}/fixtures/hello/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The exit code and the report on a capture.
fn capture(name: &str, args: &[&str]) -> (Option<i32>, Value) {
    let file = fixture(name);
    let ran = gladhand(&[&["hello", &file, "-o", "json"], args].concat());
    let report =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error} {ran:#?}"));
    (ran.code, report)
}

/// An SSLv2 CLIENT-HELLO that asks for TLS 1.0.
fn ssl2() -> Vec<u8> {
    let mut record = vec![0x80, 28, 1, 3, 1, 0, 3, 0, 0, 0, 16, 0, 0, 0x2F];
    record.extend([9; 16]);
    record
}

#[test]
fn clients_are_seen_and_sent_away_with_an_alert() {
    needs!("openssl", "curl");
    let listening = Listening::start(&["--count", "3"]);
    let openssl = Command::new("openssl")
        .args([
            "s_client",
            "-servername",
            HOST,
            "-alpn",
            "h2,http/1.1",
            "-connect",
        ])
        .arg(format!("127.0.0.1:{}", listening.port))
        .stdin(Stdio::null())
        .output()
        .expect("openssl");
    let told = String::from_utf8_lossy(&openssl.stderr);
    assert!(told.contains("alert handshake failure"), "{told}");
    let curl = Command::new("curl")
        .args(["--silent", "--tls-max", "1.2", "--resolve"])
        .arg(format!("{HOST}:{}:127.0.0.1", listening.port))
        .arg(format!("https://{HOST}:{}/", listening.port))
        .status()
        .expect("curl");
    assert_eq!(curl.code(), Some(35), "curl's code of a failed handshake");
    assert_eq!(listening.answer(&ssl2()), [21, 3, 1, 0, 2, 2, 40]);

    let (code, report) = listening.end();
    assert_eq!(code, Some(0));
    let hellos = report["hellos"].as_array().unwrap();
    assert_eq!(hellos.len(), 3);
    let of = |first: &str| {
        let found = hellos.iter().find(|hello| hello["versions"][0] == first);
        found.unwrap_or_else(|| panic!("{first} {report:#}"))
    };
    let openssl = of("TLSv1.3");
    assert_eq!(openssl["sni"], HOST);
    assert_eq!(openssl["alpn"], serde_json::json!(["h2", "http/1.1"]));
    assert!(openssl["ja4"].as_str().unwrap().starts_with("t13d"));
    assert!(
        openssl["at"].is_string()
            && openssl["source"]
                .as_str()
                .unwrap()
                .starts_with("127.0.0.1:")
    );
    assert_eq!(of("TLSv1.2")["sni"], HOST);
    assert_eq!(
        of("TLSv1.0")["suites"][0]["iana"],
        "TLS_RSA_WITH_AES_128_CBC_SHA"
    );
}

#[test]
fn what_is_no_hello_is_told_and_does_not_count() {
    let listening = Listening::start(&["--count", "1", "--timeout", "1"]);
    assert_eq!(
        listening.answer(b"GET / HTTP/1.1\r\nHost: x\x1b[2J\r\n\r\n"),
        b""
    );
    // A client that says nothing is not waited for.
    assert_eq!(listening.answer(b""), b"");
    // 4 GiB are announced, and 64 KiB the limit.
    let endless = [22, 3, 1, 0, 4, 1, 0xFF, 0xFF, 0xFF];
    assert_eq!(listening.answer(&endless), [21, 3, 1, 0, 2, 2, 40]);
    listening.answer(&ssl2());
    let (code, report) = listening.end();
    assert_eq!(code, Some(0));
    assert_eq!(report["hellos"].as_array().unwrap().len(), 1);
    let others = report["others"].as_array().unwrap();
    let what: Vec<_> = others
        .iter()
        .map(|other| other["what"].as_str().unwrap())
        .collect();
    assert_eq!(what.len(), 3);
    assert_eq!(what[0], "no TLS");
    assert_eq!(what[1], "no whole ClientHello in time");
    assert!(what[2].contains("limit"), "{what:?}");
    assert!(
        others[0]["first_bytes"]
            .as_str()
            .unwrap()
            .starts_with("GET / HTTP/1.1")
    );
}

#[test]
fn it_ends_when_time_is_up_and_says_what_is_missing() {
    let (code, report) = Listening::start(&["--deadline", "0.2"]).end();
    assert_eq!((code, &report["complete"]), (Some(3), &Value::Bool(false)));
    let listening = Listening::start(&["--deadline", "3", "--count", "2"]);
    listening.answer(&ssl2());
    let (code, report) = listening.end();
    assert_eq!(code, Some(3));
    assert_eq!(
        report["not_measured"][0],
        "1 of the 2 hellos that were waited for came"
    );
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_with_what_is_known() {
    let mut listening = Listening::start(&[]);
    listening.answer(&ssl2());
    listening.told("hello 1 from 127.0.0.1:");
    process::interrupt(&listening.child);
    let (code, report) = listening.end();
    assert_eq!(
        (code, &report["interrupted"]),
        (Some(130), &Value::Bool(true))
    );
    assert_eq!(report["hellos"].as_array().unwrap().len(), 1);
}

#[test]
fn a_server_is_probed_and_held_against_the_hellos() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&[HOST])));
    let against = format!("127.0.0.1:{}", server.port());
    let (code, report) = capture("openssl.pcap", &["--against", &against]);
    let seen = &report["hellos"][0]["against"];
    assert_eq!(
        (code, seen["verdict"].as_str()),
        (Some(0), Some("works")),
        "{seen:#}"
    );
    assert_eq!(
        (&seen["version"], &seen["source"]),
        (&"TLSv1.3".into(), &"measured".into())
    );
    assert_eq!(seen["addresses"][0], against);

    let (code, report) = capture("openssl-tls11-refused.pcap", &["--against", &against]);
    let seen = &report["hellos"][0]["against"];
    assert_eq!(
        (code, seen["verdict"].as_str()),
        (Some(1), Some("fails")),
        "{seen:#}"
    );
    assert_eq!(seen["server_lacks"]["versions"][0], "TLSv1.1");
}

#[test]
fn what_is_not_measured_decides_nothing() {
    let closed = ClosedPort::new();
    let against = format!("127.0.0.1:{}", closed.port());
    let (code, report) = capture("openssl.pcap", &["--against", &against]);
    assert_eq!(code, Some(3));
    assert_eq!(report["hellos"][0]["against"]["verdict"], "undetermined");
    assert!(!report["not_measured"].as_array().unwrap().is_empty());
}

#[test]
fn mozillas_profiles_are_counterparts_too() {
    let (code, report) = capture("curl.pcap", &["--against", "mozilla:modern"]);
    let against = &report["hellos"][0]["against"];
    assert_eq!(
        (code, &against["version"], &against["verdict"]),
        (Some(0), &"TLSv1.3".into(), &"works".into())
    );
    // A client of TLS 1.1 finds nothing there.
    let (code, _) = capture(
        "openssl-tls11-refused.pcap",
        &["--against", "mozilla:intermediate"],
    );
    assert_eq!(code, Some(1));
    let file = fixture("curl.pcap");
    let ran = gladhand(&["hello", &file, "--against", "mozilla:moden"]);
    ran.ends_with(2);
    let told = &ran.stderr;
    assert!(told.contains("did you mean `modern`?"), "{told}");
    assert!(told.contains("intermediate@5.8"), "{told}");
}

#[test]
fn a_policy_is_known_by_content() {
    let policy = "policy:ELBSecurityPolicy-TLS13-1-2-2021-06";
    let (code, _) = capture("java.pcap", &["--against", policy]);
    assert_eq!(code, Some(3), "AWS documents no groups for it");
    let (code, report) = capture(
        "java.pcap",
        &["--against", "policy:elbsecuritypolicy-2016-08"],
    );
    assert_eq!(
        (code, &report["hellos"][0]["against"]["version"]),
        (Some(0), &"TLSv1.2".into())
    );

    let file = fixture("java.pcap");
    let ran = gladhand(&[
        "hello",
        &file,
        "--against",
        "policy:ELBSecurityPolicy-TLS13-1-2-2021-07",
    ]);
    ran.ends_with(2);
    assert!(
        ran.stderr
            .contains("did you mean `ELBSecurityPolicy-TLS13-1-2-2021-06`?"),
        "{ran:#?}"
    );
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_capture_comes_from_stdin_too() {
    let bytes = std::fs::read(fixture("node.pcapng")).expect("the capture");
    let output = assert_cmd::Command::from_std(command())
        .args(["hello", "-"])
        .write_stdin(bytes)
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(
        text.contains("server name   localhost") && text.contains("t13d591000_"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_used_is_told_before_anything_is_done() {
    let no_capture = fixture("index.json");
    for (args, told) in [
        (
            vec!["hello", no_capture.as_str()],
            "neither pcap nor pcapng",
        ),
        (vec!["hello", "/no/such/file.pcap"], "/no/such/file.pcap"),
        (vec!["hello", "/"], "folder"),
        (vec!["hello"], "FILE"),
        (vec!["hello", "--listen", "443"], "invalid socket address"),
        (
            vec!["hello", "--listen", "192.0.2.1:1"],
            "cannot listen on 192.0.2.1:1",
        ),
        (
            vec!["hello", "x.pcap", "--listen", "127.0.0.1:0"],
            "cannot be used with",
        ),
        (
            vec!["hello", no_capture.as_str(), "--against", "a b"],
            "policy:NAME",
        ),
    ] {
        let ran = gladhand(&args);
        ran.ends_with(2);
        assert!(ran.stderr.contains(told), "{args:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{args:?}");
    }
}
