//! `gladhand records`: what it lists and shows, what lint tells, and whether the products themselves
//! accept what the records say to configure.

use std::path::Path;
use std::process::Command;

use gladhand::records::Catalogue;
use gladhand_testkit::needs;
use gladhand_testkit::needs::find;
use gladhand_testkit::pki::{Issued, Pki};
use serde_json::{Value, json};

use crate::harness::{gladhand, gladhand_in};

const SEED: &str = "nginx/ssl-handshake-failed-client-hello";

fn json_of<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Value {
    let ran = gladhand(args);
    ran.ends_with(0);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

fn write(folder: &Path, id: &str, record: &Value) {
    let path = folder.join(format!("{id}.json"));
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, record.to_string()).expect("a file");
}

#[test]
fn the_list_has_each_record_with_its_source() {
    let listed = json_of(&["records", "-o", "json"]);
    let records = listed["records"].as_array().expect("records");
    assert!(records.len() >= 80);
    for record in records {
        assert!(
            record["id"].is_string() && record["signature"].is_string(),
            "{record}"
        );
        assert!(record["cause"].is_string(), "{record}");
        assert_eq!(record["source"], "embedded");
    }
    assert_eq!(listed, json_of(&["records", "list", "-o", "json"]));
    let text = gladhand(&["records"]);
    text.ends_with(0);
    assert!(text.stdout.contains(SEED), "{text:?}");
}

#[test]
fn a_folder_adds_records_and_its_own_count() {
    let folder = tempfile::tempdir().expect("a folder");
    write(
        folder.path(),
        SEED,
        &json!({"id": SEED, "signature": "ours"}),
    );
    write(
        folder.path(),
        "own/error",
        &json!({"id": "own/error", "signature": "E-1234 no gas", "regex": "E-1234"}),
    );
    let dir = folder.path().to_str().expect("UTF-8");
    let listed = json_of(&["records", "list", "--records", dir, "-o", "json"]);
    let of = |id: &str| {
        let records = listed["records"].as_array().expect("records");
        let found: Vec<_> = records
            .iter()
            .filter(|record| record["id"] == id)
            .cloned()
            .collect();
        assert_eq!(found.len(), 1, "{id}");
        found[0].clone()
    };
    assert_eq!(of(SEED)["signature"], "ours");
    assert!(
        of("own/error")["source"]
            .as_str()
            .expect("text")
            .ends_with("own/error.json")
    );
    let explained = json_of(&[
        "explain",
        "--records",
        dir,
        "-o",
        "json",
        "it says E-1234 today",
    ]);
    assert_eq!(explained["matches"][0]["record"], "own/error");
    assert_eq!(explained["matches"][0]["cause"], Value::Null);
    assert_eq!(explained["matches"][0]["verdict"], "undetermined");
}

#[test]
fn a_record_is_shown_in_english_and_in_chinese() {
    let english = gladhand(&["records", "show", SEED]);
    english.ends_with(0);
    for part in [
        "What does not help",
        "How to fix it",
        "proxy_ssl_server_name on;",
        "What is often written, and wrong",
    ] {
        assert!(english.stdout.contains(part), "{part}: {english:?}");
    }
    let chinese = gladhand(&["records", "show", SEED, "--lang", "zh"]);
    assert!(
        chinese.stdout.contains("最常见的原因是 nginx 默认不发送"),
        "{chinese:?}"
    );
    let whole = json_of(&["records", "show", SEED, "-o", "json"]);
    assert_eq!(whole["dead_ends"][0]["fail_rate"], 0.55);
    assert_eq!(whole["first_seen"], "2024-01-10");
}

#[test]
fn an_unknown_record_is_a_usage_error_with_the_nearest() {
    let ran = gladhand(&["records", "show", "nginx/ssl-handshake-failed-client-helo"]);
    ran.ends_with(2);
    assert!(
        ran.stderr.contains(&format!("did you mean `{SEED}`?")),
        "{ran:?}"
    );
}

#[test]
fn lint_ends_with_1_where_something_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().to_str().expect("UTF-8");
    write(
        folder.path(),
        "a/good",
        &json!({"id": "a/good", "signature": "E-77", "regex": "E-77"}),
    );
    gladhand(&["records", "lint", dir]).ends_with(0);
    write(
        folder.path(),
        "a/bad",
        &json!({"id": "a/else", "signature": "x", "regex": "x(?=y)", "extra": 1}),
    );
    let ran = gladhand(&["records", "lint", dir, "-o", "json"]);
    ran.ends_with(1);
    let told: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(told["records"], 2);
    let problems: Vec<&str> = told["problems"]
        .as_array()
        .expect("problems")
        .iter()
        .filter_map(|problem| problem["problem"].as_str())
        .collect();
    assert_eq!(problems.len(), 3, "{problems:?}");
    gladhand(&["records", "lint", "/no/such/folder"]).ends_with(2);
}

#[test]
fn a_record_cannot_speak_to_the_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let hostile = "x\u{1b}]0;PWNED\u{7}\n::error::y\u{202e}";
    let record = json!({"id": "a/b", "signature": hostile, "regex": "hostile-needle", "root_cause": hostile,
        "dead_ends": [{"action": hostile, "why_fails": hostile}],
        "diagnosis": {"cause": hostile, "fixes": {hostile: [{"text": hostile, "snippet": hostile, "check": hostile}]}}});
    write(folder.path(), "a/b", &record);
    let dir = folder.path().to_str().expect("UTF-8");
    for args in [
        vec!["records", "show", "a/b", "--records", dir],
        vec!["records", "--records", dir],
        vec!["records", "lint", dir],
        vec![
            "explain",
            "--records",
            dir,
            "a hostile-needle \u{1b}[2J here",
        ],
    ] {
        let ran = gladhand_in(&args, &[], "");
        let raw = |c: char| c != '\n' && gladhand_probes_is_unprintable(c);
        assert!(
            !ran.stdout.contains(raw) && !ran.stderr.contains(raw),
            "{ran:?}"
        );
        assert!(!ran.stdout.contains("\n::error"), "{ran:?}");
    }
}

fn gladhand_probes_is_unprintable(c: char) -> bool {
    gladhand::probes::untrusted::is_unprintable(c)
}

/// A pattern of the user's that does not compile is left out and told; the others work.
#[test]
fn a_pattern_that_does_not_compile_is_told_and_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    write(
        folder.path(),
        "a/b",
        &json!({"id": "a/b", "signature": "x", "regex": "x(?<!y)"}),
    );
    let dir = folder.path().to_str().expect("UTF-8");
    let ran = gladhand(&["explain", "--records", dir, "certificate has expired"]);
    ran.ends_with(0);
    assert!(
        ran.stderr.contains("a pattern of a/b is left out"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("certificate/expired"), "{ran:?}");
}

/// Every fix of a product: the record's id and the snippet.
fn snippets(product: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for entry in Catalogue::embedded().entries() {
        let fixes = entry
            .record
            .diagnosis
            .iter()
            .filter_map(|own| own.fixes.get(product));
        let snippets = fixes.flatten().filter_map(|fix| fix.snippet.clone());
        all.extend(snippets.map(|snippet| (entry.record.id.clone(), snippet)));
    }
    assert!(all.len() >= 20, "{product}: {}", all.len());
    all
}

/// The files that snippets name, made for the test: the names that they have in `folder`.
fn with_files(pki: &Pki, leaf: &Issued, snippet: &str) -> String {
    let chain = [leaf.clone(), pki.intermediate().clone()];
    let chain_file = pki.chain_file(&chain);
    let key_file = pki.key_file(leaf);
    let combined = pki.bundle_file(&chain);
    let folder = pki.folder();
    let folder_of_one = folder.join("folder-of-one");
    std::fs::create_dir_all(&folder_of_one).expect("a folder");
    std::fs::copy(&combined, folder_of_one.join("site.pem")).expect("a file");
    let dh = pki.dh_file(2048);
    let ca = pki.root_file();
    let mut text = snippet.to_owned();
    for (name, file) in [
        ("tls/fullchain.pem", chain_file.as_path()),
        ("tls/client-combined.pem", &combined),
        ("tls/client-key.pem", &key_file),
        ("tls/client.pem", &chain_file),
        ("tls/dhparam.pem", &dh),
        ("tls/site.pem", &combined),
        ("tls/key.pem", &key_file),
        ("tls/ca.pem", &ca),
    ] {
        for etc in ["/etc/nginx/", "/etc/haproxy/"] {
            text = text.replace(&format!("{etc}{name}"), &file.display().to_string());
        }
    }
    text.replace(
        "/etc/haproxy/tls/",
        &format!("{}/", folder_of_one.display()),
    )
    .replace("/var/log/nginx/", &format!("{}/", folder.display()))
}

fn accepted(id: &str, config: &str, command: &mut Command) {
    let output = command.output().expect("the checker runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{id}:\n{config}\n{told}");
}

#[test]
fn nginx_accepts_every_snippet_for_it() {
    needs!("nginx");
    let pki = Pki::new();
    let leaf = pki.leaf(&["app.example.com"]);
    for (id, snippet) in snippets("nginx") {
        let text = with_files(&pki, &leaf, &snippet);
        let own_block = text.starts_with("server {") || text.starts_with("upstream ");
        let inner = if own_block {
            String::new()
        } else {
            text.clone()
        };
        let outer = if own_block { text } else { String::new() };
        // What a snippet does not set itself.
        let mut around = String::new();
        if !inner.contains("listen ") {
            around.push_str("listen 127.0.0.1:8443 ssl;\n");
        }
        if !inner
            .lines()
            .any(|line| line.starts_with("ssl_certificate "))
        {
            around.push_str(&with_files(&pki, &leaf, "ssl_certificate /etc/nginx/tls/fullchain.pem;\nssl_certificate_key /etc/nginx/tls/key.pem;\n"));
        }
        let folder = pki.folder();
        let config = format!(
            "daemon off;\npid {0}/nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n\
             client_body_temp_path {0}/b;\nproxy_temp_path {0}/p;\nfastcgi_temp_path {0}/f;\n\
             uwsgi_temp_path {0}/u;\nscgi_temp_path {0}/s;\n{outer}\nserver {{\n{around}{inner}\n}}\n}}\n",
            folder.display()
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, &config).expect("a file");
        let mut command = Command::new(find("nginx").expect("nginx"));
        command.arg("-t").arg("-c").arg(&file).arg("-p").arg(folder);
        accepted(&id, &config, &mut command);
    }
}

#[test]
fn haproxy_accepts_every_snippet_for_it() {
    needs!("haproxy");
    let pki = Pki::new();
    let leaf = pki.leaf(&["app.example.com"]);
    for (id, snippet) in snippets("haproxy") {
        let text = with_files(&pki, &leaf, &snippet);
        let mut config = String::new();
        if !text.contains("defaults") {
            config.push_str("defaults\n    timeout connect 5s\n    timeout client 30s\n    timeout server 30s\n");
        }
        config.push_str(&text);
        // A configuration without a frontend or a backend is none.
        if !text.contains("frontend") {
            config.push_str("\nfrontend other\n    bind 127.0.0.1:8444\n");
        }
        let file = pki.folder().join("haproxy.cfg");
        std::fs::write(&file, config.clone() + "\n").expect("a file");
        let mut command = Command::new(find("haproxy").expect("HAProxy"));
        command.arg("-c").arg("-f").arg(&file);
        accepted(&id, &config, &mut command);
    }
}
