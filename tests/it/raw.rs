//! Nothing raw: what came from outside reaches stdout, stderr and files through an escape only, in
//! every format, in every place that it can come from.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::Output;

use gladhand::report::model::Report;
use gladhand::report::{Detail, FORMATS, RenderOptions};
use gladhand_testkit::pki::der::encode;
use gladhand_testkit::pki::odd::{
    COMMON_NAME, DIRECTORY_NAME, DNS_NAME, ORGANIZATION, Odd, RFC822_NAME, URI, UTF8, extension,
    name, names,
};
use gladhand_testkit::pki::{Issued, Pki, hex};
use gladhand_testkit::scripted::{
    Action, Engine, Fault, Identity, Model, Rule, ScriptedServer, When,
};
use unicode_general_category::{GeneralCategory, get_general_category};

use crate::harness::{command, fits_schema};

/// A line that nobody but the program may write.
const FORGED: &str = "No problems found on lb.example.test";

/// What may be in a text from outside. Each is one that some reader of the output would obey: a
/// terminal, a CI system, a browser, a spreadsheet, a parser.
fn payloads() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [
        // Terminals.
        "a\u{1b}[2Jb",
        "a\u{1b}[7mb\u{1b}[27m",
        "a\u{1b}[38;5;196mb",
        "a\u{1b}]0;PWNED\u{7}b",
        "a\u{1b}]2;PWNED\u{1b}\\b",
        "a\u{1b}]8;;https://evil.example\u{7}b\u{1b}]8;;\u{7}",
        "a\u{1b}]52;c;ZXZpbA==\u{7}b",
        "a\u{1b}P+q\u{1b}\\b",
        "a\u{1b}c\u{1b}(0b",
        "a\u{9b}31mb\u{9d}0;x\u{9c}",
        "a\u{85}b\u{8d}c",
        "a\u{7}\u{8}\u{7f}b",
        "a\rb\r",
        "a\tb\u{b}c\u{c}d",
        "a\u{0}b",
        "a\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{e}\u{f}\u{10}b",
        "a\u{11}\u{12}\u{13}\u{14}\u{15}\u{16}\u{17}\u{18}\u{19}\u{1a}\u{1c}\u{1d}\u{1e}\u{1f}b",
        "a\u{80}\u{81}\u{90}\u{98}\u{9c}\u{9e}\u{9f}b",
        // Layout.
        "a\u{202e}b\u{202c}",
        "a\u{202a}b\u{202b}c\u{202d}d",
        "a\u{2066}b\u{2067}c\u{2068}d\u{2069}",
        "a\u{200e}\u{200f}\u{61c}b",
        "a\u{200b}\u{200c}\u{200d}\u{2060}b",
        "\u{feff}a\u{feff}b",
        "a\u{e0001}\u{e0061}\u{e007f}b",
        "a\u{ad}b\u{ad}\u{ad}\u{ad}\u{ad}",
        "a\u{fe0f}\u{fe00}\u{e0100}b",
        "a\u{600}\u{605}\u{6dd}\u{70f}\u{890}\u{8e2}b",
        "a\u{110bd}\u{110cd}\u{13430}\u{13440}\u{1bca0}\u{1d173}b",
        "a\u{fff9}b\u{fffa}c\u{fffb}",
        "a\u{206a}\u{206f}\u{2061}\u{2064}b",
        "a\u{180e}\u{180b}\u{34f}b",
        "a\u{3164}\u{115f}\u{ffa0}\u{2800}b",
        "a\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}\u{30b}b",
        "\u{489}\u{20dd}\u{20e3}\u{1ab0}\u{1dc0}\u{fe20}a",
        // Lines.
        "a\nb",
        "a\r\nb\r\n",
        "a\u{2028}b\u{2029}c",
        "a\n\nNo problems found on lb.example.test\n\n",
        "a\u{85}No problems found on lb.example.test\u{2028}",
        "a                                                                             No problems found on lb.example.test",
        // CI systems.
        "\n::error file=a.rs,line=1::forged",
        "::error::forged",
        "a\n::set-output name=x::y",
        "a\n  ::add-mask::x",
        "a ::stop-commands::x ::error::y ::warning::z ::notice::n ::debug::d ::group::g ::endgroup::",
        "::set-env name=PATH::/tmp",
        "##[error]forged",
        "a ##[add-path]/tmp",
        "##vso[task.setvariable variable=x]y",
        "a ##vso[task.complete result=Succeeded;]done",
        "##teamcity[testFailed name='x']",
        // Documents.
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "]]><x/><![CDATA[",
        "&lt;&#27;&#x1b;&amp;",
        "<!-- --><!ENTITY x SYSTEM \"file:///etc/passwd\">&x;",
        "[a](javascript:alert(1)) ![b](http://evil.example)",
        "`a` ```\nb\n``` ~~~",
        "a | b | c\n|---|---|\n| x | y |",
        "# heading\n- item\n> quote\n---",
        "=cmd|' /C calc'!A0",
        "+1+1\t-1@SUM(1)",
        "a --> b; click c \"javascript:alert(1)\" %%{init: {}}%%",
        "graph TD; A[\"x\"]-->B{{y}}",
        "a\",evil=\"b\"} 1\n# HELP x y",
        "\\u001b[2J\\n\\\"",
        "'; DROP TABLE x; -- $(id) `id` ${x} %s %n {} {{}} \\",
        "../../etc/passwd",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    // No UTF-8: raw C1, overlong, surrogates, cut short, beyond the last character.
    all.extend(
        [
            &b"a\x9b31mb\x84\x85"[..],
            b"a\xff\xfeb",
            b"a\xc0\x9b[2J\xe0\x80\x9bb",
            b"a\xed\xa0\x80\xed\xb0\x80b",
            b"a\xf4\x90\x80\x80b",
            b"a\xe2\x80",
        ]
        .iter()
        .map(|bytes| bytes.to_vec()),
    );
    all
}

/// The styles that the program itself uses.
const OWN_STYLES: [&str; 8] = [
    "\u{1b}[0m",
    "\u{1b}[1m",
    "\u{1b}[2m",
    "\u{1b}[4m",
    "\u{1b}[31m",
    "\u{1b}[32m",
    "\u{1b}[33m",
    "\u{1b}[36m",
];

/// Checks octets that the program wrote.
#[track_caller]
fn nothing_raw(place: &str, bytes: &[u8], styled: bool) {
    let text = std::str::from_utf8(bytes)
        .unwrap_or_else(|error| panic!("{place}: {error}: {}", bytes.escape_ascii()));
    let mut text = text.to_owned();
    if styled {
        for style in OWN_STYLES {
            text = text.replace(style, "");
        }
    }
    for line in text.lines() {
        let shown = line.escape_debug();
        for c in line.chars() {
            let obeyed = matches!(
                category(c),
                GeneralCategory::Control
                    | GeneralCategory::Format
                    | GeneralCategory::LineSeparator
                    | GeneralCategory::ParagraphSeparator
                    | GeneralCategory::Surrogate
            );
            assert!(!obeyed, "U+{:04X} in {shown}; {place}", u32::from(c));
        }
        // GitHub takes commands behind blanks as well, Azure and the old form anywhere in a line.
        let command = line
            .trim_start()
            .strip_prefix("::")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
        assert!(!command, "{place}: a command of GitHub: {shown}");
        for command in ["##[", "##vso[", "##teamcity["] {
            assert!(!line.contains(command), "{place}: {command} in {shown}");
        }
        assert_ne!(line, FORGED, "{place}");
    }
    let marks = text.chars().collect::<Vec<_>>();
    let flood = marks.windows(8).any(|run| {
        run.iter().all(|c| {
            matches!(
                category(*c),
                GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark
            )
        })
    });
    assert!(!flood, "{place}: marks on marks: {text:?}");
}

/// The standard's word; most characters are ASCII, and need no table.
fn category(c: char) -> GeneralCategory {
    match c {
        ' '..='~' => GeneralCategory::OtherPunctuation,
        _ if c.is_ascii() => GeneralCategory::Control,
        _ => get_general_category(c),
    }
}

#[track_caller]
fn nothing_raw_in(place: &str, output: &Output, styled: bool) {
    nothing_raw(&format!("{place}, stdout"), &output.stdout, styled);
    nothing_raw(&format!("{place}, stderr"), &output.stderr, styled);
}

fn run(args: &[OsString]) -> Output {
    command().args(args).output().expect("the program runs")
}

fn os(args: &[&str]) -> Vec<OsString> {
    args.iter().map(OsString::from).collect()
}

/// Every format in every form of a report that the program wrote as JSON.
fn nothing_raw_in_any_format(json: &[u8]) {
    nothing_raw("the JSON file", json, false);
    let value = serde_json::from_slice(json).expect("JSON");
    fits_schema(&value);
    let report: Report = serde_json::from_value(value).expect("a report");
    let details = [
        Detail::Quiet,
        Detail::Normal,
        Detail::Verbose,
        Detail::Evidence,
    ];
    for format in FORMATS {
        for detail in details {
            for width in [40, 100] {
                for color in [false, true] {
                    let options = RenderOptions {
                        width,
                        color,
                        detail,
                        ..RenderOptions::default()
                    };
                    let mut out = Vec::new();
                    format.render(&report, &options, &mut out).expect("memory");
                    let place = format!("{} {detail:?} {width} {color}", format.name());
                    nothing_raw(&place, &out, color);
                }
            }
        }
    }
}

/// Runs with every format to a file and each of them to stdout once, and looks at all of it. Gives
/// the JSON.
fn check_in_every_format(args: &[OsString]) -> serde_json::Value {
    let folder = tempfile::tempdir().expect("a folder");
    let mut all = args.to_vec();
    all.extend(os(&["-vv", "--color", "always"]));
    let file = |name: &str| folder.path().join(name);
    for format in FORMATS {
        let file = file(format.name());
        all.push("-o".into());
        all.push(format!("{}={}", format.name(), file.display()).into());
    }
    // The default format on stdout.
    let output = run(&all);
    assert!(
        matches!(output.status.code(), Some(1 | 3)),
        "{:?}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    nothing_raw_in("all formats", &output, true);
    assert!(output.stdout.len() > 100);
    for format in FORMATS {
        let bytes = std::fs::read(file(format.name())).expect("a report");
        nothing_raw(format.name(), &bytes, true);
    }
    let json = std::fs::read(file("json")).expect("a report");
    nothing_raw_in_any_format(&json);
    serde_json::from_slice(&json).expect("JSON")
}

fn host(number: usize, place: &str) -> String {
    format!("p{number}.{place}.test")
}

/// A certificate with a text wherever one can stand.
fn certificate(pki: &Pki, text: &[u8]) -> Vec<Issued> {
    const AUTHORITY_INFO_ACCESS: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 1, 1];
    const CA_ISSUERS: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x30, 2];
    let whole = name(&[(COMMON_NAME, UTF8, text), (ORGANIZATION, UTF8, text)]);
    let general = [
        (DNS_NAME, text),
        (RFC822_NAME, text),
        (URI, text),
        (DIRECTORY_NAME, whole.as_slice()),
        (DNS_NAME, b"other.example.test"),
    ];
    let access = [encode(6, CA_ISSUERS), encode(URI, text)].concat();
    let access = encode(0x30, &encode(0x30, &access));
    let leaf = Odd::leaf("none")
        .subject(whole.clone())
        .issuer(whole.clone())
        .extensions(vec![
            names(&general),
            extension(AUTHORITY_INFO_ACCESS, false, &access),
        ]);
    vec![
        leaf.issued_by(pki.intermediate()),
        pki.intermediate().clone(),
    ]
}

#[test]
fn there_are_at_least_fifty_payloads() {
    assert!(payloads().len() >= 50, "{}", payloads().len());
}

#[test]
fn nothing_raw_from_a_certificate() {
    let pki = Pki::new();
    let payloads = payloads();
    let mut identity = Identity::of(pki.chain(&pki.leaf(&["lb.example.test"])));
    for (number, text) in payloads.iter().enumerate() {
        let chain = certificate(&pki, text);
        identity.by_name.insert(host(number, "certificate"), chain);
    }
    let server = ScriptedServer::start(Model::default(), Fault::default(), vec![], identity);
    let mut args = os(&["check", "--connect", "127.0.0.1", "--trust"]);
    args.push(pki.root_file().into());
    args.extend(os(&["--only", "certificate,verification,sni"]));
    for number in 0..payloads.len() {
        let host = host(number, "certificate");
        args.push(format!("{host}:{}", server.port()).into());
    }
    let json = check_in_every_format(&args);
    // The text is there, by its own escapes.
    for (number, text) in payloads.iter().enumerate() {
        let pointer = format!("/targets/{number}/endpoints/0/observations/certificate");
        let kept = json.pointer(&format!("{pointer}/served/0/common_name"));
        let kept = kept.and_then(|kept| kept.as_str());
        let text = String::from_utf8_lossy(text);
        assert_eq!(
            kept,
            Some(text.as_ref()),
            "{:#}",
            json.pointer(&pointer).unwrap()
        );
    }
}

#[test]
fn nothing_raw_from_a_banner() {
    let pki = Pki::new();
    let payloads = payloads();
    let mut rules = Vec::new();
    let mut hosts = Vec::new();
    for (number, text) in payloads.iter().enumerate() {
        let joined = |parts: &[&[u8]]| parts.concat();
        let places = [
            ("reason", joined(&[b"HTTP/1.1 400 ", text, b"\r\n\r\n"])),
            (
                "header",
                joined(&[b"HTTP/1.1 200 OK\r\nServer: ", text, b"\r\n\r\n"]),
            ),
            ("body", joined(&[b"HTTP/1.1 200 OK\r\n\r\n", text])),
            ("smtp", joined(&[b"220 ", text, b"\r\n"])),
            ("ssh", joined(&[b"SSH-2.0-", text, b"\r\n"])),
            ("text", joined(&[text, b"\r\n"])),
        ];
        for (place, bytes) in places {
            let host = host(number, place);
            let when = When {
                sni: Some(host.clone()),
                ..When::default()
            };
            let then = vec![Action::Hex(hex(&bytes)), Action::Close];
            rules.push(Rule { when, then });
            hosts.push(host);
        }
    }
    rules.push(Rule {
        when: When::default(),
        then: vec![Action::Close],
    });
    let model = Model {
        engine: Engine::None,
        ..Model::default()
    };
    let identity = Identity::of(pki.chain(&pki.leaf(&["lb.example.test"])));
    let server = ScriptedServer::start(model, Fault::default(), rules, identity);
    let mut args = os(&["check", "--connect", "127.0.0.1", "--timeout", "1"]);
    args.extend(os(&["--deadline", "5", "--only", "reach,handshake"]));
    args.extend(
        hosts
            .iter()
            .map(|host| format!("{host}:{}", server.port()).into()),
    );
    check_in_every_format(&args);
}

/// An answer in HTTP with a text wherever one can stand.
fn http_answers(text: &[u8]) -> [(&'static str, Vec<u8>); 4] {
    let joined = |parts: &[&[u8]]| parts.concat();
    let fields = [
        &b"Server: "[..],
        b"Location: ",
        b"Strict-Transport-Security: ",
        b"Connection: ",
        b"Keep-Alive: ",
        b"Set-Cookie: AWSALB",
        b"X-Amzn-Trace-Id: ",
    ];
    let fields: Vec<u8> = fields
        .iter()
        .flat_map(|name| joined(&[name, text, b"\r\n"]))
        .collect();
    let head = b"HTTP/1.1 301 Moved\r\n";
    [
        ("reason", joined(&[b"HTTP/1.1 301 ", text, b"\r\n\r\n"])),
        ("fields", joined(&[head, &fields, b"\r\n"])),
        ("directive", {
            let hsts = b"Strict-Transport-Security: max-age=1; x=";
            joined(&[
                head,
                hsts,
                text,
                b"\r\nLocation: https://",
                text,
                b"\r\n\r\n",
            ])
        }),
        ("none", joined(&[text, b"\r\n"])),
    ]
}

/// Answers requests without TLS, by the host that they ask for.
fn plain(answers: BTreeMap<String, Vec<u8>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let host = lines.find_map(|line| Some(line.strip_prefix("Host: ")?.to_owned()));
            let host = host.unwrap_or_default();
            let name = host.split(':').next().unwrap_or_default();
            if let Some(answer) = answers.get(name) {
                let _ = (&stream).write_all(answer);
            }
        }
    });
    port
}

#[test]
fn nothing_raw_from_an_http_answer() {
    let pki = Pki::new();
    let mut identity = Identity::of(pki.chain(&pki.leaf(&["lb.example.test"])));
    for (number, text) in payloads().iter().enumerate() {
        for (place, answer) in http_answers(text) {
            identity.answers.insert(host(number, place), answer);
        }
    }
    let hosts: Vec<String> = identity.answers.keys().cloned().collect();
    let redirect = plain(identity.answers.clone());
    let server = ScriptedServer::start(Model::default(), Fault::default(), vec![], identity);
    let mut args = os(&["check", "--connect", "127.0.0.1", "--only", "http"]);
    args.extend(os(&["--http-port", &redirect.to_string()]));
    args.extend(
        hosts
            .iter()
            .map(|host| format!("{host}:{}", server.port()).into()),
    );
    let json = check_in_every_format(&args);
    // They came through: each kind of answer, in both places.
    let targets = json["targets"].as_array().expect("targets");
    let seen = |pointer: &str, place: &str| {
        let place = format!(".{place}.test:");
        let of_place = targets.iter().filter(move |target| {
            target["target"]
                .as_str()
                .is_some_and(|name| name.contains(&place))
        });
        let pointer = format!("/endpoints/0/observations/http/{pointer}");
        of_place
            .filter(|target| target.pointer(&pointer).is_some())
            .count()
    };
    for (pointer, place) in [
        ("head/reason", "reason"),
        ("head/server", "fields"),
        ("head/location", "fields"),
        ("head/hsts/error", "fields"),
        ("redirect/head/server", "fields"),
        ("first", "none"),
    ] {
        assert!(
            seen(pointer, place) > 20,
            "{pointer}: {}",
            seen(pointer, place)
        );
    }
}

/// Several payloads in one argument: as many as are shown of it.
fn arguments() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    for mut text in payloads() {
        // An argument ends with a NUL.
        text.retain(|byte| *byte != 0);
        match all.last_mut() {
            Some(last) if last.len() + text.len() < 200 => last.extend(text),
            _ => all.push(text),
        }
    }
    all
}

#[test]
fn nothing_raw_from_an_argument() {
    let places: &[&[&str]] = &[
        &["check", "TEXT"],
        &["check", "TEXT", "TEXT", "ftp://TEXT"],
        &["check", "http://TEXT/"],
        &["check", "127.0.0.1:TEXT"],
        &["check", "[TEXT]:1"],
        &["check", "127.0.0.1", "--sni", "TEXT"],
        &["check", "127.0.0.1", "--connect", "TEXT"],
        &["check", "127.0.0.1", "--trust", "TEXT"],
        &[
            "check",
            "127.0.0.1",
            "--client-cert",
            "TEXT",
            "--client-key",
            "TEXT",
        ],
        &["check", "127.0.0.1", "--host", "TEXT\u{1}"],
        &["check", "127.0.0.1", "--path", "TEXT"],
        &["check", "127.0.0.1", "--http-port", "TEXT"],
        &["check", "127.0.0.1", "--only", "TEXT"],
        &["check", "127.0.0.1", "--skip", "TEXT"],
        &["check", "127.0.0.1", "--timeout", "TEXT"],
        &["check", "127.0.0.1", "--max-connections", "TEXT"],
        &["check", "127.0.0.1", "--rate", "TEXT"],
        &["check", "127.0.0.1", "--fail-on", "TEXT"],
        &["check", "127.0.0.1", "--color", "TEXT"],
        &["check", "127.0.0.1", "-o", "TEXT"],
        &["check", "127.0.0.1", "-o", "json=/no/such/folder/TEXT"],
        &["check", "127.0.0.1", "--TEXT"],
        &["check", "127.0.0.1", "-TEXT"],
        &["check", "@TEXT"],
        &["rules", "TEXT"],
        &["rules", "a", "TEXT"],
        &["demo", "TEXT"],
        &["completions", "TEXT"],
        &["TEXT"],
        &["--TEXT"],
    ];
    let arguments = arguments();
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(place) =
                    places.get(next.fetch_add(1, std::sync::atomic::Ordering::SeqCst))
                {
                    for (number, text) in arguments.iter().enumerate() {
                        let mut args: Vec<OsString> =
                            place.iter().map(|arg| filled(arg, text)).collect();
                        // Styles, where they are, are the program's own all the same.
                        let styled = number % 2 == 1;
                        let mut command = command();
                        command.args(args.drain(..));
                        if styled {
                            command.env("CLICOLOR_FORCE", "1");
                        }
                        let output = command.output().expect("the program runs");
                        let place = format!("{place:?} of {}", text.escape_ascii());
                        // What begins like the end of a URL makes a target of it.
                        assert!(matches!(output.status.code(), Some(2 | 3)), "{place}");
                        nothing_raw_in(&place, &output, styled);
                    }
                }
            });
        }
    });
}

fn filled(arg: &str, text: &[u8]) -> OsString {
    let mut all = Vec::new();
    for (number, part) in arg.split("TEXT").enumerate() {
        if number > 0 {
            all.extend(text);
        }
        all.extend(part.as_bytes());
    }
    OsString::from_vec(all)
}

#[test]
fn nothing_raw_from_the_environment() {
    for variable in [
        "GLADHAND_SNI",
        "GLADHAND_CONNECT",
        "GLADHAND_TRUST",
        "GLADHAND_HOST",
        "GLADHAND_PATH",
        "GLADHAND_HTTP_PORT",
        "GLADHAND_ONLY",
        "GLADHAND_SKIP",
        "GLADHAND_TIMEOUT",
        "GLADHAND_RATE",
        "GLADHAND_OUTPUT",
        "GLADHAND_FAIL_ON",
        "GLADHAND_VERBOSE",
        "GLADHAND_COLOR",
    ] {
        for text in arguments() {
            let output = command()
                .args(["check", "127.0.0.1"])
                .env(variable, OsStr::from_bytes(&text))
                .output()
                .expect("the program runs");
            let place = format!("{variable}={}", text.escape_ascii());
            assert_eq!(output.status.code(), Some(2), "{place}");
            nothing_raw_in(&place, &output, false);
        }
    }
}

#[test]
fn nothing_raw_from_files_and_their_names() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&["127.0.0.1"])));
    let target = format!("127.0.0.1:{}", server.port());
    let folder = tempfile::tempdir().expect("a folder");
    let good = std::fs::read(pki.root_file()).expect("the root");
    for text in arguments() {
        let mut name: Vec<u8> = text
            .iter()
            .map(|b| if *b == b'/' { b'_' } else { *b })
            .collect();
        name.truncate(200);
        let path = folder.path().join(OsStr::from_bytes(&name));
        let place = format!("the file {}", name.escape_ascii());
        let list = |path: &Path| {
            let mut arg = OsString::from("@");
            arg.push(path);
            arg
        };
        // What is no list, and no PEM file.
        std::fs::write(&path, &text).expect("a file");
        for args in [
            vec![OsString::from("check"), list(&path)],
            vec![
                "check".into(),
                target.clone().into(),
                "--trust".into(),
                path.clone().into(),
            ],
            vec!["check".into(), target.clone().into(), "-o".into(), {
                let mut output = OsString::from("json=");
                output.push(path.join("x"));
                output
            }],
        ] {
            let output = run(&args);
            assert_eq!(output.status.code(), Some(2), "{place}: {args:?}");
            nothing_raw_in(&place, &output, false);
        }
        // PEM around something else, and around labels that are none.
        let label = [
            b"-----BEGIN CERTIFICATE-----\n",
            text.as_slice(),
            b"\n-----END ",
            &text,
            b"-----\n",
        ];
        std::fs::write(&path, label.concat()).expect("a file");
        for args in [
            vec![OsString::from("check"), list(&path)],
            vec![
                "check".into(),
                target.clone().into(),
                "--trust".into(),
                path.clone().into(),
            ],
        ] {
            let output = run(&args);
            assert_eq!(output.status.code(), Some(2), "{place}: {args:?}");
            nothing_raw_in(&place, &output, false);
        }
        // Sound roots under a name that is not, where names can be given at all.
        if std::str::from_utf8(&name).is_ok() {
            std::fs::write(&path, &good).expect("a file");
            let mut args = os(&["check", &target, "--only", "verification", "-vv"]);
            args.extend(["--trust".into(), path.clone().into_os_string()]);
            let output = run(&args);
            assert_eq!(output.status.code(), Some(0), "{place}");
            nothing_raw_in(&place, &output, false);
        }
        std::fs::remove_file(&path).expect("the file");
    }
}

#[test]
fn nothing_raw_from_the_lines_of_a_list() {
    let text: Vec<u8> = payloads().join(&b'\n');
    let mut list = tempfile::NamedTempFile::new().expect("a file");
    std::io::Write::write_all(&mut list, &text).expect("a file");
    let mut file = OsString::from("@");
    file.push(list.path());
    let output = run(&["check".into(), file]);
    assert_eq!(output.status.code(), Some(2));
    nothing_raw_in("a list", &output, false);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.lines().count() > payloads().len() / 2, "{told}");
}
