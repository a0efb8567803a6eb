//! Mozilla's profiles: servers that are set up as its generator says, and what each change is called.

use gladhand_testkit::needs;
use gladhand_testkit::pki::{Issued, KeyKind, Pki, Spec};
use gladhand_testkit::real::{Site, nginx};
use gladhand_testkit::scripted::{Identity, Scenario, ScriptedServer};

use crate::harness::{HOST, Report, check, check_with};

const STANDING: &str = "/targets/0/endpoints/0/mozilla";

/// The suites of TLS 1.2 as the generator writes them for the profile intermediate.
const INTERMEDIATE: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
    ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
    ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// A leaf that is valid for so many days.
fn leaf(pki: &Pki, days: i64) -> Issued {
    pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::P256).days(-1, days - 1))
}

/// The groups, as the generator writes them for a server that has no post-quantum one.
const GROUPS: &str = "X25519:prime256v1:secp384r1";

fn site(pki: &Pki, days: i64) -> Site {
    Site::serving(pki, &pki.chain(&leaf(pki, days))).server_order(false)
}

fn profiles(report: &Report, list: &str) -> Vec<String> {
    let all = report.at(&format!("{STANDING}/{list}")).as_array();
    let name = |value: &serde_json::Value| value.as_str().unwrap_or("?").to_owned();
    all.map(|all| all.iter().map(name).collect())
        .unwrap_or_default()
}

/// What of the finding counts.
fn points(report: &Report) -> Vec<String> {
    let finding = report.finding("mozilla-profile-missed");
    let seen = finding["evidence"]["seen"].as_array().expect("evidence");
    let lines = seen.iter().filter_map(|line| line.as_str());
    lines
        .filter(|line| !line.contains("does not count"))
        .map(Into::into)
        .collect()
}

#[test]
fn nginx_as_the_generator_sets_up_the_intermediate_profile() {
    needs!("nginx");
    let pki = Pki::new();
    let site = site(&pki, 200)
        .protocols("TLSv1.2 TLSv1.3")
        .ciphers(INTERMEDIATE)
        .curves(GROUPS);
    let server = nginx(&pki, &[site]);
    let report = check_with(&pki, server.port(), &["--mozilla", "intermediate"]);
    assert_eq!(profiles(&report, "met"), ["intermediate"], "{report}");
    assert_eq!(profiles(&report, "missed"), ["modern"], "{report}");
    report
        .does_not_find("mozilla-profile-missed")
        .says(&format!("{STANDING}/wanted"), "intermediate")
        .says(&format!("{STANDING}/version"), "6.0")
        .is_complete();

    let report = check_with(&pki, server.port(), &["--mozilla", "modern"]);
    let points = points(&report);
    assert_eq!(points.first().expect("points"), "versions: has TLSv1.2");
    assert!(
        points.contains(&"certificate: has a life of 200 days, and 90 is the most".into()),
        "{points:?}"
    );
    report.ends_with(0);
    check_with(
        &pki,
        server.port(),
        &["--mozilla", "modern", "--fail-on", "medium"],
    )
    .ends_with(1);
}

#[test]
fn nginx_as_the_generator_sets_up_the_modern_profile() {
    needs!("nginx");
    let pki = Pki::new();
    let server = nginx(&pki, &[site(&pki, 90).protocols("TLSv1.3").curves(GROUPS)]);
    let report = check(&pki, server.port());
    assert_eq!(
        profiles(&report, "met"),
        ["modern", "intermediate"],
        "{report}"
    );
    report.does_not_find("mozilla-profile-missed");
    let report = check_with(&pki, server.port(), &["--mozilla", "modern@5.8"]);
    report.says(&format!("{STANDING}/version"), "5.8");
    assert_eq!(
        profiles(&report, "met"),
        ["modern", "intermediate"],
        "{report}"
    );
}

#[test]
fn nginx_as_the_generator_sets_up_the_old_profile() {
    needs!("nginx", "openssl");
    let pki = Pki::rsa();
    let rsa = pki.issue(&Spec::leaf(&[HOST]).key(KeyKind::Rsa(2048)).days(-1, 200));
    // Debian's OpenSSL has no 3DES, which is in the profile: a server may have less.
    let suites = format!(
        "@SECLEVEL=0:{INTERMEDIATE}:DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256:\
         ECDHE-RSA-AES128-SHA:AES128-GCM-SHA256:AES128-SHA:AES256-SHA"
    );
    let site = Site::serving(&pki, &pki.chain(&rsa))
        .protocols("TLSv1 TLSv1.1 TLSv1.2 TLSv1.3")
        .ciphers(&suites)
        .curves(GROUPS)
        .server_order(true)
        .line(&format!("ssl_dhparam {};", pki.dh_file(2048).display()));
    let server = nginx(&pki, &[site]);
    let report = check_with(&pki, server.port(), &["--mozilla", "old@5.8"]);
    assert_eq!(profiles(&report, "met"), ["old"], "{report}");
    report.does_not_find("mozilla-profile-missed");
    // Of what has no place in the profile intermediate, each is told.
    let report = check_with(&pki, server.port(), &["--mozilla", "intermediate@5.8"]);
    let points = points(&report);
    for point in [
        "versions: has TLSv1.0",
        "versions: has TLSv1.1",
        "suites: has TLS_RSA_WITH_AES_128_CBC_SHA in TLSv1.0, TLSv1.1, TLSv1.2",
        "suites: has TLS_RSA_WITH_AES_128_GCM_SHA256 in TLSv1.2",
    ] {
        assert!(points.contains(&point.to_owned()), "{point}: {points:?}");
    }
}

#[test]
fn each_step_aside_is_told() {
    needs!("nginx");
    let pki = Pki::new();
    let missed = |site: Site| {
        let server = nginx(&pki, &[site.protocols("TLSv1.2 TLSv1.3")]);
        points(&check_with(
            &pki,
            server.port(),
            &["--mozilla", "intermediate"],
        ))
    };
    let with = |days, ciphers, curves| missed(site(&pki, days).ciphers(ciphers).curves(curves));
    assert_eq!(
        with(200, INTERMEDIATE, "X25519:prime256v1:secp521r1"),
        ["groups: has secp521r1"]
    );
    assert_eq!(
        with(367, INTERMEDIATE, GROUPS),
        ["certificate: has a life of 367 days, and 366 is the most"]
    );
    assert_eq!(
        with(200, "ECDHE-ECDSA-AES256-SHA", GROUPS),
        [
            "suites: has TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA in TLSv1.2",
            "suites: lacks any of the profile's in TLSv1.2"
        ]
    );
}

/// OpenSSL 3.0 has no post-quantum group, so this one is scripted.
#[test]
fn the_post_quantum_group_belongs_to_6_0_and_not_to_5_8() {
    let pki = Pki::new();
    let scenario = Scenario::parse(
        r#"
        about = "What the profile intermediate of 6.0 has for a certificate with an EC key."
        [server]
        groups = ["X25519MLKEM768", "x25519", "secp256r1", "secp384r1"]
        [server.suites]
        "TLSv1.3" = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]
        "TLSv1.2" = ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]
        "#,
    );
    let chain = pki.chain(&leaf(&pki, 90));
    let server = ScriptedServer::scenario(&scenario.expect("a scenario"), Identity::of(chain));
    let report = check(&pki, server.port());
    assert_eq!(profiles(&report, "met"), ["intermediate"], "{report}");
    let report = check_with(&pki, server.port(), &["--mozilla", "intermediate@5.8"]);
    assert_eq!(points(&report), ["groups: has X25519MLKEM768"]);
}

#[test]
fn what_was_not_measured_is_not_met() {
    needs!("nginx");
    let pki = Pki::new();
    let site = site(&pki, 200)
        .protocols("TLSv1.2 TLSv1.3")
        .ciphers(INTERMEDIATE)
        .curves(GROUPS);
    let server = nginx(&pki, &[site]);
    let args = ["--mozilla", "intermediate", "--only", "versions,suites"];
    let report = check_with(&pki, server.port(), &args);
    assert_eq!(
        profiles(&report, "undetermined"),
        ["intermediate"],
        "{report}"
    );
    assert_eq!(report.at("/not_measured/0/what"), "mozilla", "{report}");
    report.does_not_find("mozilla-profile-missed").ends_with(3);
    // Without being asked, nobody minds.
    let report = check_with(&pki, server.port(), &["--only", "versions,suites"]);
    report.is_complete();
}
