//! What goes where, and in which form.

use gladhand_testkit::net::ClosedPort;
use gladhand_testkit::pki::{Pki, Spec};
use gladhand_testkit::scripted::ScriptedServer;
use serde_json::Value;

use crate::harness::{HOST, check_args, fits_schema, gladhand, gladhand_in};

fn server(pki: &Pki) -> ScriptedServer {
    ScriptedServer::serving(pki.chain(&pki.issue(&Spec::leaf(&[HOST]).expired())))
}

/// The same arguments without `-o json`.
fn text_args(pki: &Pki, port: u16, more: &[&str]) -> Vec<String> {
    let mut args = check_args(HOST, port, &pki.root_file(), more);
    let json = args.iter().position(|arg| arg == "-o").expect("-o");
    args.drain(json..json + 2);
    args
}

#[test]
fn json_is_alone_on_stdout_and_stderr_is_empty() {
    let pki = Pki::new();
    let server = server(&pki);
    for more in [&[][..], &["-v"], &["-vv"], &["-q"], &["--color", "always"]] {
        let ran = gladhand(&check_args(HOST, server.port(), &pki.root_file(), more));
        ran.report();
        assert!(
            ran.stdout.ends_with("}\n"),
            "one document, and a line end: {ran:#?}"
        );
        assert_eq!(ran.stderr, "", "{more:?}: nothing to say beside the report");
    }
}

#[test]
fn the_report_says_which_form_it_has() {
    let pki = Pki::new();
    let server = server(&pki);
    let ran = gladhand(&check_args(HOST, server.port(), &pki.root_file(), &[]));
    let report = ran.report();
    report.says("/schema", "1.0").says("/tool/name", "gladhand");
    report.says("/tool/version", env!("CARGO_PKG_VERSION"));
    report.says("/targets/0/target", &format!("{HOST}:{}", server.port()));
    report.says("/targets/0/endpoints/0/ip", "127.0.0.1");
    report.says("/targets/0/endpoints/0/sni", HOST);
    assert_eq!(report.at("/summary/findings/critical"), 1, "{report}");
    assert_eq!(
        report.connections(),
        u64::try_from(server.connections()).unwrap()
    );
}

#[test]
fn the_schema_that_is_printed_is_the_one_that_is_checked_in() {
    let ran = gladhand(&["schema"]);
    ran.ends_with(0);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");
    let checked_in = std::fs::read_to_string(file).expect("docs/report.schema.json");
    let parse = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    assert_eq!(
        parse(&ran.stdout),
        parse(&checked_in),
        "gladhand schema > docs/report.schema.json"
    );
}

#[test]
fn the_text_report_leads_with_the_verdict_and_names_the_rest() {
    let pki = Pki::new();
    let server = server(&pki);
    let ran = gladhand(&text_args(&pki, server.port(), &[]));
    ran.ends_with(1);
    assert_eq!(ran.stderr, "", "no progress where nobody watches: {ran:#?}");
    for part in [
        HOST,
        "certificate-expired",
        "nginx",
        "openssl s_client",
        "TLSv1.3",
    ] {
        assert!(ran.stdout.contains(part), "{part}:\n{}", ran.stdout);
    }
    let first = ran
        .stdout
        .lines()
        .find(|line| !line.trim().is_empty())
        .expect("a line");
    assert!(first.contains(HOST), "{first}");
}

#[test]
fn colour_is_for_terminals_unless_asked_for() {
    let pki = Pki::new();
    let server = server(&pki);
    let escapes = |args: &[&str], env: &[(&str, &str)]| {
        let ran = gladhand_in(&text_args(&pki, server.port(), args), env, "");
        ran.stdout.contains('\u{1b}')
    };
    assert!(!escapes(&[], &[]), "a pipe");
    assert!(escapes(&["--color", "always"], &[]), "asked for");
    assert!(
        escapes(&[], &[("CLICOLOR_FORCE", "1")]),
        "forced by the environment"
    );
    assert!(
        !escapes(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]),
        "the flag wins"
    );
    assert!(!escapes(&[], &[("NO_COLOR", "1")]), "NO_COLOR");
}

#[test]
fn a_report_in_a_file_leaves_stdout_to_the_text() {
    let pki = Pki::new();
    let server = server(&pki);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let output = format!("json={}", file.display());
    let ran = gladhand(&text_args(&pki, server.port(), &["-o", &output]));
    ran.ends_with(1);
    assert!(ran.stdout.contains("certificate-expired"), "{ran:#?}");
    let report: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).expect("JSON");
    fits_schema(&report);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing else is left: {left:?}");
}

#[test]
fn two_files_and_nothing_on_stdout() {
    let pki = Pki::new();
    let server = server(&pki);
    let folder = tempfile::tempdir().unwrap();
    let name = |file: &str| folder.path().join(file).display().to_string();
    let outputs = [
        format!("json={}", name("a.json")),
        format!("text={}", name("b.txt")),
    ];
    let ran = gladhand(&text_args(
        &pki,
        server.port(),
        &["-o", &outputs[0], "-o", &outputs[1]],
    ));
    ran.ends_with(1);
    let json = std::fs::read_to_string(name("a.json")).unwrap();
    fits_schema(&serde_json::from_str(&json).expect("JSON"));
    let text = std::fs::read_to_string(name("b.txt")).unwrap();
    assert!(
        text.contains("certificate-expired") && !text.contains('\u{1b}'),
        "{text}"
    );
}

#[test]
fn flags_have_twins_in_the_environment() {
    let pki = Pki::new();
    let server = server(&pki);
    let trust = pki.root_file().display().to_string();
    let target = format!("{HOST}:{}", server.port());
    let environment = [
        ("GLADHAND_CONNECT", "127.0.0.1"),
        ("GLADHAND_TRUST", trust.as_str()),
        ("GLADHAND_OUTPUT", "json"),
        ("GLADHAND_FAIL_ON", "none"),
        ("GLADHAND_ONLY", "certificate,verification"),
    ];
    let ran = gladhand_in(&["check", &target], &environment, "");
    let report = ran.report();
    report
        .ends_with(0)
        .finds("certificate-expired")
        .says("suites/status", "skipped");
}

#[test]
fn targets_are_canonical_and_asked_once() {
    let closed = ClosedPort::new();
    let port = closed.port();
    let spellings = [
        format!("127.0.0.1:{port}"),
        format!("https://127.0.0.1:{port}/path?query"),
        format!("https://user@127.0.0.1:{port}"),
    ];
    let mut args = vec!["check", "-o", "json"];
    args.extend(spellings.iter().map(String::as_str));
    let report = gladhand(&args).report();
    let targets = report.at("/targets").as_array().expect("targets").len();
    assert_eq!(targets, 1, "{report}");
    report
        .says("/targets/0/target", &format!("127.0.0.1:{port}"))
        .ends_with(3);
}

/// What a certificate could do to a terminal, or to a reader's trust in it.
const HOSTILE: &str = "lb.example.test\u{1b}]0;PWNED\u{7}\u{1b}[2J\u{1b}[1;31mOK\n Protocol: TLSv1.3\
                       \r\u{8}\u{7f}\u{9b}31m\u{202e}\u{2066}\u{200b}\u{feff}end";

/// Octets and characters that must not reach a terminal.
fn raw(text: &str) -> String {
    let bad = |c: &char| {
        (c.is_control() && *c != '\n')
            || ('\u{202a}'..='\u{202e}').contains(c)
            || ('\u{2066}'..='\u{2069}').contains(c)
            || ['\u{200b}', '\u{200e}', '\u{200f}', '\u{feff}'].contains(c)
    };
    text.chars().filter(bad).collect()
}

#[test]
fn hostile_text_in_a_certificate_is_shown_and_does_nothing() {
    let pki = Pki::new();
    let ascii: String = HOSTILE.chars().filter(char::is_ascii).collect();
    let spec = Spec::leaf(&[HOST])
        .subject(HOSTILE)
        .organization(HOSTILE)
        .dns_name(&ascii)
        .dns_name("evil\n  ✓ trusted".replace('✓', "v").as_str());
    let server = ScriptedServer::serving(vec![spec.self_signed()]);
    for more in [&[][..], &["-v"], &["-vv"], &["-q"]] {
        let ran = gladhand(&text_args(&pki, server.port(), more));
        ran.ends_with(1);
        for (stream, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
            assert_eq!(raw(text), "", "{stream} with {more:?}:\n{text:?}");
        }
        // A wrapped line is indented; a line of its own is not.
        let forged = ran
            .stdout
            .lines()
            .any(|line| line.starts_with("Protocol:") || line.starts_with(" Protocol:"));
        assert!(!forged, "a line was forged:\n{}", ran.stdout);
    }
    // JSON keeps what was there, by its own escapes, and does nothing to a terminal either.
    let ran = gladhand(&check_args(HOST, server.port(), &pki.root_file(), &[]));
    let report = ran.report();
    report.says("certificate/served/0/common_name", HOSTILE);
    assert_eq!(raw(&ran.stdout), "", "JSON:\n{}", ran.stdout);
}

#[test]
fn hostile_banners_are_shown_and_do_nothing() {
    use gladhand_testkit::scripted::{Engine, Fault, Identity, Model};
    let pki = Pki::new();
    let model = Model {
        engine: Engine::None,
        greeting: Some(format!("SSH-2.0-{}\r\n", HOSTILE.replace('\n', "\t"))),
        ..Model::default()
    };
    let identity = Identity::of(pki.chain(&pki.leaf(&[HOST])));
    let server = ScriptedServer::start(model, Fault::default(), vec![], identity);
    let ran = gladhand(&text_args(&pki, server.port(), &["-vv"]));
    ran.ends_with(1);
    assert_eq!(raw(&ran.stdout), "", "{:?}", ran.stdout);
}

#[test]
fn hostile_arguments_are_shown_and_do_nothing() {
    for args in [
        &["check", "\u{1b}[2J.test"][..],
        &["check", "lb.example.test", "--only", "\u{1b}[2J"],
        &["check", "lb.example.test", "-o", "\u{1b}[2J"],
        &["check", "lb.example.test", "--trust", "/\u{1b}[2J\u{202e}"],
        &["rules", "\u{1b}[2J"],
    ] {
        let ran = gladhand(args);
        ran.ends_with(2);
        assert_eq!(raw(&ran.stderr), "", "{args:?}: {:?}", ran.stderr);
    }
}

#[test]
fn rules_are_listed_and_explained() {
    let ran = gladhand(&["rules"]);
    ran.ends_with(0);
    for rule in [
        "certificate-expired",
        "chain-incomplete",
        "tls-1-0-accepted",
        "suite-rc4",
        "group-post-quantum-missing",
        "addresses-disagree",
        "plaintext-on-tls-port",
        "not-measured",
    ] {
        assert!(ran.stdout.contains(rule), "{rule}");
        let one = gladhand(&["rules", rule]);
        one.ends_with(0);
        assert!(
            one.stdout.contains(rule) && one.stdout.len() > 200,
            "{}",
            one.stdout
        );
    }
    assert_eq!(ran.stderr, "");
}

#[test]
fn completions_manual_and_help_go_to_stdout() {
    for args in [
        &["--help"][..],
        &["--version"],
        &["check", "--help"],
        &["completions", "bash"],
        &["completions", "zsh"],
        &["completions", "fish"],
        &["man"],
    ] {
        let ran = gladhand(args);
        ran.ends_with(0);
        assert!(ran.stdout.contains("gladhand"), "{args:?}");
        assert_eq!(ran.stderr, "", "{args:?}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let script = format!(
        "set -o pipefail; {} rules | head -n 1",
        crate::harness::GLADHAND
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &script])
        .output()
        .expect("bash");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !told.contains("panicked") && !told.contains("Broken pipe"),
        "{told}"
    );
}
