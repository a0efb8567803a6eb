//! Independent scanners, asked the same questions as gladhand.
//!
//! Each answers with what it saw by IANA number or name; none shares code with gladhand.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::thread;

use crate::needs;

/// Suites by version name (`TLSv1.2`), as IANA numbers.
pub type Suites = BTreeMap<String, BTreeSet<u16>>;

/// What `sslscan` saw: the suites of each version.
pub fn sslscan(port: u16, sni: &str) -> Suites {
    let output = run(
        "sslscan",
        &[
            "--xml=-",
            "--no-colour",
            "--no-heartbleed",
            &format!("--sni-name={sni}"),
            &format!("127.0.0.1:{port}"),
        ],
        b"",
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut suites = Suites::new();
    for element in elements(&text, "cipher") {
        let (Some(version), Some(id)) =
            (attribute(element, "sslversion"), attribute(element, "id"))
        else {
            continue;
        };
        let Some(id) = id
            .strip_prefix("0x")
            .and_then(|id| u16::from_str_radix(id, 16).ok())
        else {
            continue;
        };
        suites.entry(version.into()).or_default().insert(id);
    }
    suites
}

/// What nmap's `ssl-enum-ciphers` saw: the IANA names of the suites of each version, preferred first.
pub fn nmap(port: u16, sni: &str) -> BTreeMap<String, Vec<String>> {
    let port = port.to_string();
    let name = format!("tls.servername={sni}");
    let output = run(
        "nmap",
        &[
            "-n",
            "-Pn",
            "-sT",
            "--unprivileged",
            "-p",
            &port,
            "--script",
            "ssl-enum-ciphers",
            "--script-args",
            &name,
            "-oX",
            "-",
            "127.0.0.1",
        ],
        b"",
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut suites = BTreeMap::<String, Vec<String>>::new();
    let mut version = None;
    for element in text.split('<') {
        if let Some(key) = element
            .strip_prefix("table ")
            .and_then(|rest| attribute(rest, "key"))
        {
            if key.starts_with("TLSv") || key.starts_with("SSLv") {
                version = Some(key.to_owned());
            }
        } else if let Some(name) = element.strip_prefix("elem key=\"name\">")
            && let Some(version) = &version
        {
            // A suffix tells the size of a finite-field group apart: `TLS_DHE_… (dh 2048)`.
            let name = name.split(' ').next().unwrap_or(name);
            // nmap's own prefix for the suites of TLS 1.3.
            let name = name.replace("TLS_AKE_WITH_", "TLS_");
            suites.entry(version.clone()).or_default().push(name);
        }
    }
    suites
}

/// Which suites of one version an `openssl s_client` for each suite can agree on.
pub fn openssl_suites(port: u16, sni: &str, version: &str) -> BTreeSet<u16> {
    let flag = match version {
        "TLSv1.0" => "-tls1",
        "TLSv1.1" => "-tls1_1",
        "TLSv1.2" => "-tls1_2",
        "TLSv1.3" => "-tls1_3",
        _ => panic!("openssl does not speak {version}"),
    };
    let all = openssl_ciphers(version);
    let shares: Vec<_> = all.chunks(all.len().div_ceil(2).max(1)).collect();
    thread::scope(|scope| {
        let workers: Vec<_> = shares
            .into_iter()
            .map(|share| {
                scope.spawn(move || {
                    let ask = |(_, name): &&(u16, String)| s_client_takes(port, sni, flag, name);
                    share
                        .iter()
                        .filter(ask)
                        .map(|(id, _)| *id)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("no panic"))
            .collect()
    })
}

/// Whether `openssl s_client -groups GROUP` (an OpenSSL name) completes a TLS 1.3 hello exchange.
pub fn openssl_group(port: u16, sni: &str, group: &str) -> bool {
    let connect = format!("127.0.0.1:{port}");
    let args = [
        "s_client",
        "-connect",
        &connect,
        "-servername",
        sni,
        "-tls1_3",
        "-groups",
        group,
    ];
    negotiated(&run("openssl", &args, b"Q\n"))
}

/// SHA-256 of the certificate that `openssl s_client` is shown, in lower-case hex. No name: no SNI.
pub fn openssl_fingerprint(port: u16, sni: Option<&str>) -> Option<String> {
    let connect = format!("127.0.0.1:{port}");
    let mut args = vec!["s_client", "-connect", &connect];
    match sni {
        Some(name) => args.extend(["-servername", name]),
        None => args.push("-noservername"),
    }
    let shown = run("openssl", &args, b"Q\n");
    let output = run(
        "openssl",
        &["x509", "-noout", "-fingerprint", "-sha256"],
        &shown.stdout,
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, print) = text.trim().split_once('=')?;
    Some(print.replace(':', "").to_lowercase())
}

/// Version and suite (OpenSSL's name) that `openssl s_client` agrees on by itself.
pub fn openssl_default(port: u16, sni: &str) -> Option<(String, String)> {
    let connect = format!("127.0.0.1:{port}");
    let output = run(
        "openssl",
        &["s_client", "-connect", &connect, "-servername", sni],
        b"Q\n",
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("New, "))?;
    let (version, suite) = line.split_once(", Cipher is ")?;
    (suite != "(NONE)").then(|| (version.to_owned(), suite.to_owned()))
}

/// Every suite that this OpenSSL can offer in a version: number and name.
fn openssl_ciphers(version: &str) -> Vec<(u16, String)> {
    if version == "TLSv1.3" {
        // `openssl ciphers` lists only those of TLS 1.3 that are on by default.
        return [
            (0x1301, "TLS_AES_128_GCM_SHA256"),
            (0x1302, "TLS_AES_256_GCM_SHA384"),
            (0x1303, "TLS_CHACHA20_POLY1305_SHA256"),
            (0x1304, "TLS_AES_128_CCM_SHA256"),
            (0x1305, "TLS_AES_128_CCM_8_SHA256"),
        ]
        .map(|(id, name)| (id, name.to_owned()))
        .into();
    }
    let output = run(
        "openssl",
        &["ciphers", "-V", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
        b"",
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| {
            // 0xC0,0x2F - ECDHE-RSA-AES128-GCM-SHA256    TLSv1.2 Kx=ECDH Au=RSA …
            let mut words = line.split_whitespace();
            let (high, low) = words.next()?.split_once(',')?;
            let byte = |text: &str| u8::from_str_radix(text.strip_prefix("0x")?, 16).ok();
            let id = u16::from_be_bytes([byte(high)?, byte(low)?]);
            let name = words.nth(1)?.to_owned();
            (words.next()? != "TLSv1.3").then_some((id, name))
        })
        .collect()
}

fn s_client_takes(port: u16, sni: &str, flag: &str, suite: &str) -> bool {
    let connect = format!("127.0.0.1:{port}");
    let ciphers = format!("{suite}:@SECLEVEL=0");
    let mut args = vec!["s_client", "-connect", &connect, "-servername", sni, flag];
    if flag == "-tls1_3" {
        args.extend(["-ciphersuites", suite]);
    } else {
        // A key for PSK suites: which one does not matter for the choice of a suite.
        args.extend(["-cipher", &ciphers, "-psk", "1a2b3c4d"]);
    }
    negotiated(&run("openssl", &args, b"Q\n"))
}

/// Whether `openssl s_client` says that it agreed on a suite.
fn negotiated(output: &Output) -> bool {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .any(|line| line.starts_with("New, ") && !line.contains("Cipher is (NONE)"))
}

/// Runs a program to its end, but not for ever.
pub(crate) fn run(program: &str, args: &[&str], input: &[u8]) -> Output {
    let path = needs::find(program).unwrap_or_else(|| panic!("{program} is not installed"));
    let mut child = Command::new(needs::find("timeout").expect("coreutils"))
        .arg("120")
        .arg(path)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    // A program that ends early does not read: no matter.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    child
        .wait_with_output()
        .unwrap_or_else(|error| panic!("{program}: {error}"))
}

fn elements<'a>(xml: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    xml.split('<').filter(move |element| {
        element
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(char::is_whitespace))
    })
}

fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = element.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}
