//! `gladhand explain`: pasted texts, codes, and logs of any size.

use std::io::Write;

use serde_json::Value;

use crate::harness::{Ran, gladhand, gladhand_in};

fn matches_of(ran: &Ran) -> Vec<Value> {
    ran.ends_with(0);
    let json: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    json["matches"].as_array().expect("matches").clone()
}

/// The one match of a text.
#[track_caller]
fn explained(text: &str) -> Value {
    let matches = matches_of(&gladhand(&["explain", "-o", "json", text]));
    assert_eq!(matches.len(), 1, "{text}: {matches:?}");
    matches[0].clone()
}

const NGINX: &str = "2026/11/20 05:54:40 [crit] 97#97: *3 SSL_do_handshake() failed (SSL: error:0A000410:SSL routines::ssl/tls alert handshake failure:SSL alert number 40) while SSL handshaking to upstream, client: 192.0.2.1, server: lab, request: \"GET / HTTP/1.1\", upstream: \"https://192.0.2.7:443/\", host: \"lab\"";

#[test]
fn a_line_of_nginx_gets_the_fix_for_nginx_and_what_decides() {
    let found = explained(NGINX);
    assert_eq!(found["record"], "nginx/ssl-handshake-failed-client-hello");
    assert_eq!(found["product"], "nginx-upstream");
    assert_eq!(found["verdict"], "undetermined");
    let open: Vec<&str> = found["could_be"]
        .as_array()
        .expect("causes")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(
        open.contains(&"sni-missing") && open.contains(&"client-cert-required"),
        "{open:?}"
    );
    assert_eq!(found["fix"][0]["product"], "nginx");
    assert!(
        found["fix"][0]["snippet"]
            .as_str()
            .expect("a snippet")
            .contains("proxy_ssl_server_name on;")
    );
    assert!(
        found["decided_by"]
            .as_array()
            .expect("probes")
            .contains(&Value::from("sni"))
    );
    assert_eq!(found["first"], "2026/11/20 05:54:40");
}

#[test]
fn nothing_is_confirmed_without_a_probe() {
    let lines = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/lines/error_lines.jsonl"
    ));
    let ran = gladhand_in(
        &["explain", "-o", "json", "-"],
        &[],
        &lines.expect("the lines"),
    );
    let matches = matches_of(&ran);
    assert!(matches.len() > 100);
    for found in matches {
        let verdict = found["verdict"].as_str().expect("a verdict");
        assert!(["likely", "undetermined"].contains(&verdict), "{found}");
    }
}

#[test]
fn codes_are_decoded() {
    for (text, cause) in [
        ("02 28", "handshake-failure-unspecified"),
        ("0x0228", "handshake-failure-unspecified"),
        ("15 03 03 00 02 02 46", "protocol-version-mismatch"),
        ("alert 112", "sni-unrecognized"),
        ("certificate_required", "client-cert-required"),
        ("0A00010B", "tls-to-plaintext-port"),
        ("error:1408F10B", "tls-to-plaintext-port"),
        ("268436502", "alert:46"),
        ("ECONNREFUSED", "connection-refused"),
        ("errno 104", "peer-reset"),
        ("ERR_CERT_DATE_INVALID", "expired"),
        ("SSL_ERROR_RX_RECORD_TOO_LONG", "tls-to-plaintext-port"),
        ("SEC_ERROR_UNKNOWN_ISSUER", "untrusted-ca"),
        ("DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed"),
    ] {
        assert_eq!(explained(text)["cause"], cause, "{text}");
    }
    assert!(
        explained("02 28")["decoded"]
            .as_str()
            .expect("what it says")
            .contains("handshake_failure (40), at level fatal")
    );
}

#[test]
fn words_on_the_command_line_are_one_text() {
    let matches = matches_of(&gladhand(&["explain", "-o", "json", "alert", "40"]));
    assert_eq!(matches.len(), 1);
}

#[test]
fn a_log_is_grouped_with_counts_and_times_gzip_or_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = String::new();
    for second in 10..60 {
        log.push_str("2026/11/20 05:00:00 [notice] 1#1: all is well\n");
        log.push_str(
            &NGINX
                .replace("05:54:40", &format!("05:54:{second}"))
                .replace("*3", &format!("*{second}")),
        );
        log.push('\n');
    }
    let plain = folder.path().join("error.log");
    std::fs::write(&plain, &log).expect("a file");
    let packed = folder.path().join("error.log.1.gz");
    let file = std::fs::File::create(&packed).expect("a file");
    let mut writer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    writer
        .write_all(log.as_bytes())
        .and_then(|()| writer.finish().map(drop))
        .expect("gzip");
    for file in [plain, packed] {
        let name = file.to_str().expect("UTF-8");
        let matches = matches_of(&gladhand(&["explain", "-o", "json", name]));
        assert_eq!(matches.len(), 1);
        let found = &matches[0];
        assert_eq!(
            (found["line_no"].as_u64(), found["count"].as_u64()),
            (Some(2), Some(50))
        );
        assert_eq!(found["first"], "2026/11/20 05:54:10");
        assert_eq!(found["last"], "2026/11/20 05:54:59");
        assert_eq!(found["file"], name);
    }
}

#[test]
fn the_text_is_for_a_human() {
    let ran = gladhand(&["explain", NGINX]);
    ran.ends_with(0);
    for part in [
        "undetermined",
        "Could be",
        "sni-missing",
        "gladhand check HOST --only",
        "proxy_ssl_server_name on;",
        "nothing is confirmed",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    let quiet = gladhand(&["explain", "-q", NGINX]);
    assert!(
        quiet.stdout.lines().count() < ran.stdout.lines().count() / 3,
        "{quiet:?}"
    );
}

#[test]
fn what_nobody_knows_is_said_and_no_failure() {
    let ran = gladhand(&["explain", "everything is fine"]);
    ran.ends_with(0);
    assert!(
        ran.stdout.contains("No known error: 1 line was read."),
        "{ran:?}"
    );
}

#[test]
fn a_hostile_line_cannot_speak_to_the_terminal() {
    let ran = gladhand_in(
        &["explain"],
        &[],
        "\u{1b}[2J\u{202e}::error::x certificate has expired \u{9b}\u{7}\0\n",
    );
    ran.ends_with(0);
    let raw = |c: char| c != '\n' && gladhand::probes::untrusted::is_unprintable(c);
    assert!(!ran.stdout.contains(raw), "{ran:?}");
    assert!(ran.stdout.contains("certificate/expired"), "{ran:?}");
}

#[test]
fn a_file_that_is_not_there_is_a_usage_error_and_a_damaged_one_incomplete() {
    gladhand(&["explain", "/no/such/file.log"]).ends_with(2);
    let folder = tempfile::tempdir().expect("a folder");
    let damaged = folder.path().join("damaged.gz");
    std::fs::write(&damaged, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]).expect("a file");
    let ran = gladhand(&["explain", damaged.to_str().expect("UTF-8")]);
    ran.ends_with(3);
    assert!(
        ran.stderr.contains("could not be read to its end"),
        "{ran:?}"
    );
}

#[test]
fn what_was_said_of_one_line_is_not_said_again() {
    let lines = "curl: (60) SSL certificate problem: self-signed certificate\n\
                 curl: (60) SSL certificate problem: certificate has expired\n\
                 curl: (60) SSL certificate problem: self-signed certificate in certificate chain\n\
                 curl: (60) server certificate verification failed: self-signed certificate\n";
    let ran = gladhand_in(&["explain"], &[], lines);
    ran.ends_with(0);
    let told = |text: &str| ran.stdout.matches(text).count();
    assert!(told("Cause ") >= 3, "{}", ran.stdout);
    assert_eq!(
        told("records show certificate/self-signed\n"),
        1,
        "{}",
        ran.stdout
    );
}
