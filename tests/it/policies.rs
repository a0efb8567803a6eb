//! `gladhand policies`: the table by content, filtered, and one policy in full.

use serde_json::{Value, json};

use crate::harness::{gladhand, gladhand_in};

fn policies(args: &[&str]) -> Vec<Value> {
    let ran = gladhand(&[&["policies", "-o", "json"], args].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    report["policies"].as_array().expect("a list").clone()
}

fn names(args: &[&str]) -> Vec<String> {
    let all = policies(args).into_iter();
    all.map(|one| {
        one["name"]
            .as_str()
            .unwrap()
            .replace("ELBSecurityPolicy-", "")
    })
    .collect()
}

#[test]
fn lists_every_policy_by_content() {
    let all = policies(&[]);
    assert_eq!(all.len(), 48);
    let modern = policies(&["--type", "application"]);
    assert_eq!(modern.len(), 44);
    assert_eq!(policies(&["--type", "network"]).len(), 45);
    assert_eq!(policies(&["--type", "classic"]).len(), 6);
    let text = gladhand(&["policies"]);
    assert_eq!(text.code, Some(0));
    let lines = text.stdout.lines();
    let listed = lines.filter(|line| line.starts_with("ELBSecurityPolicy-"));
    assert_eq!(listed.count(), 48);
    assert!(text.stdout.lines().all(|line| line.len() <= 100));
}

#[test]
fn one_has_the_fields_that_scripts_rely_on() {
    let all = policies(&["ELBSecurityPolicy-2016-08"]);
    let [one] = all.as_slice() else {
        panic!("{all:?}")
    };
    assert_eq!(one["protocols"], json!(["TLSv1.2", "TLSv1.1", "TLSv1"]));
    assert_eq!(one["min_tls"], "TLSv1.0");
    assert_eq!(one["ciphers"][0], "ECDHE-ECDSA-AES128-GCM-SHA256");
    assert_eq!(one["ciphers"].as_array().unwrap().len(), 18);
    for (key, expected) in [
        ("forward_secrecy", false),
        ("post_quantum", false),
        ("fips", false),
        ("cbc", true),
        ("rsa_key_exchange", true),
        ("recommended", false),
    ] {
        assert_eq!(one[key], json!(expected), "{key}");
    }
    assert_eq!(one["default"], "api");
    assert_eq!(one["backend"], "ELBSecurityPolicy-2016-08");
    assert_eq!(one["source"], "AWS's documentation, 2026-11-20");
}

#[test]
fn filters_by_content() {
    assert_eq!(
        names(&["--min-tls", "1.3", "--type", "network"]),
        [
            "TLS13-1-3-2021-06",
            "TLS13-1-3-PQ-2025-09",
            "TLS13-1-3-FIPS-2023-04",
            "TLS13-1-3-FIPS-PQ-2025-09",
            "TLS13-1-3-RFC9151-FIPS-2023-07",
        ]
    );
    assert_eq!(
        names(&["--post-quantum", "--no-cbc"]),
        [
            "TLS13-1-3-PQ-2025-09",
            "TLS13-1-2-Res-PQ-2025-09",
            "TLS13-1-3-FIPS-PQ-2025-09",
            "TLS13-1-2-Res-FIPS-PQ-2025-09",
        ]
    );
    let strict = names(&["--min-tls", "TLSv1.2", "--forward-secrecy", "--fips"]);
    assert!(strict.contains(&"TLS13-1-2-Ext0-FIPS-2023-04".into()));
    assert!(!strict.contains(&"TLS13-1-2-Ext0-RFC9151-FIPS-2023-07".into()));
    let without = names(&["--no-rsa-key-exchange"]);
    assert!(without.contains(&"FS-2018-06".into()) && !without.contains(&"2016-08".into()));
    assert_eq!(names(&["--type", "classic", "--no-cbc"]), [""; 0]);
}

#[test]
fn nothing_that_fits_is_an_answer() {
    let ran = gladhand(&["policies", "--type", "classic", "--post-quantum"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), "no policy is like that\n")
    );
}

#[test]
fn a_filter_has_an_environment_twin() {
    let twin = [
        ("GLADHAND_MIN_TLS", "1.3"),
        ("GLADHAND_TYPE", "application"),
    ];
    let ran = gladhand_in(&["policies"], &twin, "");
    assert_eq!(ran.code, Some(0));
    let listed = ran.stdout.lines();
    assert_eq!(listed.filter(|line| line.starts_with("ELB")).count(), 5);
}

#[test]
fn one_policy_is_shown_in_full() {
    let ran = gladhand(&["policies", "tls13-1-2-res-pq-2025-09"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for part in [
        "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09  ALB NLB",
        "AWS recommends it.",
        "AWS's console takes it where none is chosen.",
        "TLSv1.3  TLSv1.2",
        "nothing older than TLS 1.2, nothing without forward secrecy, no CBC",
        "X25519MLKEM768",
        "ELBSecurityPolicy-TLS13-1-0-PQ-2025-09, unless",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
    ] {
        assert!(ran.stdout.contains(part), "{part}\n{}", ran.stdout);
    }
    let old = gladhand(&["policies", "ELBSecurityPolicy-TLS13-1-0-2021-06"]);
    let lets_in = "TLSv1.1, TLSv1.0, 12 suites with CBC, 6 suites with RSA key exchange";
    assert!(old.stdout.contains(lets_in), "{}", old.stdout);
    assert!(!ran.stdout.contains("lacks"), "{}", ran.stdout);
    assert!(
        old.stdout
            .contains("lacks             post-quantum groups\n"),
        "{}",
        old.stdout
    );
}

#[test]
fn a_name_that_two_types_have_with_other_content_is_shown_twice() {
    let both = policies(&["ELBSecurityPolicy-2015-05"]);
    let suites = |one: &Value| one["ciphers"].as_array().unwrap().len();
    assert_eq!(both.iter().map(suites).collect::<Vec<_>>(), [18, 19]);
    let classic = policies(&["ELBSecurityPolicy-2015-05", "--type", "classic"]);
    assert_eq!(classic.len(), 1);
    assert_eq!(classic[0]["ciphers"][18], "DES-CBC3-SHA");
    let application = gladhand(&["policies", "2015-05", "--type", "application"]);
    assert_eq!(application.code, Some(2));
    let told = "ELBSecurityPolicy-2015-05 is for load balancers of type network and classic only";
    assert!(application.stderr.contains(told), "{}", application.stderr);
}

#[test]
fn an_unknown_name_is_told_with_the_nearest() {
    let ran = gladhand(&["policies", "ELBSecurityPolicy-TLS-1-3-1-2-2021-06"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    let hint = "did you mean `ELBSecurityPolicy-TLS13-1-2-2021-06`?";
    assert!(ran.stderr.contains(hint), "{}", ran.stderr);
    for wrong in [
        &["policies", "--min-tls", "1.4"][..],
        &["policies", "2016-08", "--fips"],
        &["policies", "--type", "gateway"],
    ] {
        assert_eq!(gladhand(wrong).code, Some(2), "{wrong:?}");
    }
}
