//! Each way in which a chain can be wrong, served by a scripted server that sends it as it is.

use std::collections::BTreeSet;

use gladhand_testkit::pki::{Hash, Issued, KeyKind, Pki, Spec};
use gladhand_testkit::scripted::ScriptedServer;
use gladhand_testkit::{needs, tools};

use crate::harness::{HOST, check, check_args, check_chain, check_name, check_with, gladhand};

fn leaf() -> Spec {
    Spec::leaf(&[HOST])
}

/// The leaf under the intermediate; it must be refused for this one reason, which is a finding.
#[track_caller]
fn refused_for(pki: &Pki, chain: Vec<Issued>, rule: &str) {
    let report = check_chain(pki, chain);
    report
        .finds_only(&[rule])
        .says("verification/verdict", "untrusted")
        .says("verification/reason", rule)
        .says("handshake/outcome", "completed")
        .is_complete()
        .ends_with(1);
}

/// A chain that verifies, with this one finding.
#[track_caller]
fn trusted_with(pki: &Pki, chain: Vec<Issued>, rules: &[&str], code: i32) {
    let report = check_chain(pki, chain);
    report
        .finds_only(rules)
        .says("verification/verdict", "trusted")
        .is_complete()
        .ends_with(code);
}

#[test]
fn a_good_chain_has_no_finding() {
    let pki = Pki::new();
    trusted_with(&pki, pki.chain(&pki.issue(&leaf())), &[], 0);
}

#[test]
fn good_keys_of_every_kind_have_no_finding() {
    let pki = Pki::new();
    for kind in [
        KeyKind::P384,
        KeyKind::Ed25519,
        KeyKind::Rsa(2048),
        KeyKind::Rsa(4096),
    ] {
        let chain = pki.chain(&pki.issue(&leaf().key(kind)));
        let report = check_chain(&pki, chain);
        report
            .finds_only(&[])
            .says("verification/verdict", "trusted");
    }
}

#[test]
fn a_p521_leaf_is_described() {
    let pki = Pki::new();
    let report = check_chain(&pki, pki.chain(&pki.issue(&leaf().key(KeyKind::P521))));
    report.says("certificate/served/0/key/curve", "secp521r1");
}

#[test]
fn a_wildcard_covers_the_name() {
    let pki = Pki::new();
    trusted_with(&pki, pki.chain(&pki.leaf(&["*.example.test"])), &[], 0);
}

#[test]
fn the_chain_is_reported_as_sent() {
    let pki = Pki::new();
    let leaf = pki.issue(&leaf());
    let sent = vec![
        leaf.clone(),
        pki.root().clone(),
        leaf,
        pki.intermediate().clone(),
    ];
    let prints: Vec<String> = sent.iter().map(Issued::sha256).collect();
    let report = check_chain(&pki, sent);
    assert_eq!(report.served(), prints, "{report}");
    report.says("certificate/served/0/subject", &format!("CN={HOST}"));
    report.says("certificate/served/0/sans/0", HOST);
}

#[test]
fn the_fingerprint_is_what_openssl_says() {
    needs!("openssl");
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.issue(&leaf())));
    let report = check(&pki, server.port());
    let theirs = tools::openssl_fingerprint(server.port(), Some(HOST)).expect("a certificate");
    report
        .says("certificate/served/0/sha256", &theirs)
        .says("sni/with/sha256", &theirs);
}

#[test]
fn expired() {
    let pki = Pki::new();
    refused_for(
        &pki,
        pki.chain(&pki.issue(&leaf().expired())),
        "certificate-expired",
    );
}

#[test]
fn not_yet_valid() {
    let pki = Pki::new();
    refused_for(
        &pki,
        pki.chain(&pki.issue(&leaf().not_yet_valid())),
        "certificate-not-yet-valid",
    );
}

#[test]
fn expires_soon_by_days_or_by_a_third_of_a_short_life() {
    let pki = Pki::new();
    // (days since it began, days left, whether that is soon)
    for (age, left, soon) in [
        (335, 20, true),
        (335, 29, true),
        (335, 31, false),
        (60, 31, false),
        (62, 28, true),
        // 47 days in all: a third is 15 days and 16 hours.
        (27, 20, false),
        (33, 14, true),
        // Six days in all.
        (3, 3, false),
        (5, 1, true),
    ] {
        let report = check_chain(&pki, pki.chain(&pki.issue(&leaf().days(-age, left))));
        let expected: &[&str] = if soon {
            &["certificate-expires-soon"]
        } else {
            &[]
        };
        report
            .finds_only(expected)
            .says("verification/verdict", "trusted")
            .ends_with(0);
    }
}

#[test]
fn for_another_name() {
    let pki = Pki::new();
    let chain = pki.chain(&pki.leaf(&["www.example.test", "*.other.test"]));
    refused_for(&pki, chain.clone(), "certificate-name-mismatch");
    let report = check_chain(&pki, chain);
    let told = report.finding("certificate-name-mismatch").to_string();
    for name in [HOST, "www.example.test", "*.other.test"] {
        assert!(told.contains(name), "{name} is named: {told}");
    }
}

#[test]
fn a_wildcard_covers_one_label_only() {
    let pki = Pki::new();
    let chain = pki.chain(&pki.leaf(&["*.test"]));
    refused_for(&pki, chain, "certificate-name-mismatch");
}

#[test]
fn the_name_in_the_common_name_only() {
    let pki = Pki::new();
    refused_for(
        &pki,
        pki.chain(&pki.issue(&leaf().without_sans())),
        "certificate-cn-only",
    );
}

#[test]
fn an_address_without_an_ip_san() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.issue(&leaf())));
    let report = check_name("127.0.0.1", &pki, server.port(), &[]);
    report
        .finds_only(&["certificate-ip-san-missing"])
        .says("verification/reason", "certificate-ip-san-missing")
        .ends_with(1);
    let dns_name = leaf().without_sans().dns_name("127.0.0.1");
    let server = ScriptedServer::serving(pki.chain(&pki.issue(&dns_name)));
    check_name("127.0.0.1", &pki, server.port(), &[]).finds("certificate-ip-san-missing");
}

#[test]
fn an_address_with_an_ip_san() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&["127.0.0.1"])));
    let report = check_name("127.0.0.1", &pki, server.port(), &[]);
    report
        .finds_only(&[])
        .says("verification/verdict", "trusted")
        .ends_with(0);
    assert!(
        report.at("/targets/0/endpoints/0/sni").is_null(),
        "no SNI for an address: {report}"
    );
}

#[test]
fn self_signed() {
    let pki = Pki::new();
    refused_for(&pki, vec![leaf().self_signed()], "certificate-self-signed");
}

#[test]
fn under_a_root_that_is_not_trusted() {
    let (pki, other) = (Pki::new(), Pki::new());
    let mut chain = other.chain(&other.issue(&leaf()));
    chain.push(other.root().clone());
    let report = check_chain(&pki, chain);
    report
        .finds("certificate-untrusted-root")
        .does_not_find("chain-incomplete")
        .does_not_find("certificate-self-signed")
        .says("verification/reason", "certificate-untrusted-root")
        .ends_with(1);
}

#[test]
fn mozillas_roots_are_the_default() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.issue(&leaf())));
    let target = format!("{HOST}:{}", server.port());
    let args = ["check", &target, "--connect", "127.0.0.1", "-o", "json"];
    let report = gladhand(&args).report();
    report
        .says("verification/trust", "mozilla")
        .says("verification/verdict", "untrusted");
    report.ends_with(1);
}

#[test]
fn without_its_intermediate() {
    let pki = Pki::new();
    refused_for(&pki, vec![pki.issue(&leaf())], "chain-incomplete");
}

#[test]
fn a_leaf_right_under_the_root_needs_no_intermediate() {
    let pki = Pki::new();
    trusted_with(&pki, vec![leaf().issued_by(pki.root())], &[], 0);
}

#[test]
fn out_of_order() {
    let pki = Pki::new();
    let upper = Spec::ca("Upper").issued_by(pki.root());
    let lower = Spec::ca("Lower").issued_by(&upper);
    let leaf = leaf().issued_by(&lower);
    trusted_with(&pki, vec![leaf, upper, lower], &["chain-out-of-order"], 0);
}

#[test]
fn with_its_root() {
    let pki = Pki::new();
    let mut chain = pki.chain(&pki.issue(&leaf()));
    chain.push(pki.root().clone());
    trusted_with(&pki, chain, &["chain-superfluous-root"], 0);
}

#[test]
fn with_a_certificate_twice() {
    let pki = Pki::new();
    let leaf = pki.issue(&leaf());
    let intermediate = pki.intermediate().clone();
    let twice = vec![leaf.clone(), leaf.clone(), intermediate.clone()];
    trusted_with(&pki, twice, &["chain-duplicate"], 0);
    let twice = vec![leaf, intermediate.clone(), intermediate];
    trusted_with(&pki, twice, &["chain-duplicate"], 0);
}

#[test]
fn with_an_unrelated_certificate() {
    let (pki, other) = (Pki::new(), Pki::new());
    let stranger = Spec::ca("Somebody Else's CA").issued_by(other.root());
    let mut chain = pki.chain(&pki.issue(&leaf()));
    chain.push(stranger);
    trusted_with(&pki, chain, &["chain-unrelated"], 0);
}

#[test]
fn under_an_expired_intermediate() {
    let pki = Pki::new();
    let expired = Spec::ca("Expired CA").days(-800, -2).issued_by(pki.root());
    let leaf = leaf().issued_by(&expired);
    refused_for(&pki, vec![leaf, expired], "chain-intermediate-expired");
}

#[test]
fn below_a_path_length() {
    let pki = Pki::new();
    let below = Spec::ca("Below a path length of 0").issued_by(pki.intermediate());
    let leaf = leaf().issued_by(&below);
    refused_for(
        &pki,
        vec![leaf, below, pki.intermediate().clone()],
        "chain-path-length",
    );
}

#[test]
fn outside_name_constraints() {
    let pki = Pki::new();
    let only = Spec::ca("For other.test only")
        .only_under("other.test")
        .issued_by(pki.root());
    let leaf = leaf().issued_by(&only);
    refused_for(&pki, vec![leaf, only], "certificate-name-constraints");
}

#[test]
fn inside_name_constraints() {
    let pki = Pki::new();
    let only = Spec::ca("For example.test only")
        .only_under("example.test")
        .issued_by(pki.root());
    trusted_with(&pki, vec![leaf().issued_by(&only), only], &[], 0);
}

#[test]
fn for_clients_only() {
    let pki = Pki::new();
    refused_for(
        &pki,
        pki.chain(&pki.issue(&leaf().wrong_usage())),
        "certificate-wrong-usage",
    );
}

#[test]
fn signed_over_sha1_or_md5() {
    needs!("openssl");
    let pki = Pki::rsa();
    for hash in [Hash::Sha1, Hash::Md5] {
        let chain = pki.chain(&pki.issue(&leaf().hash(hash)));
        refused_for(&pki, chain, "certificate-weak-signature");
    }
}

#[test]
fn an_intermediate_signed_over_sha1() {
    needs!("openssl");
    let pki = Pki::rsa();
    let old = Spec::ca("SHA-1 CA").hash(Hash::Sha1).issued_by(pki.root());
    refused_for(
        &pki,
        vec![leaf().issued_by(&old), old],
        "certificate-weak-signature",
    );
}

#[test]
fn a_root_signed_over_sha1_is_no_fault() {
    needs!("openssl");
    let pki = Pki::rsa();
    let root = Spec::ca("SHA-1 Root")
        .key(KeyKind::Rsa(2048))
        .hash(Hash::Sha1)
        .self_signed();
    let server = ScriptedServer::serving(vec![leaf().issued_by(&root), root.clone()]);
    let trust = pki.chain_file([&root]);
    let report = gladhand(&check_args(HOST, server.port(), &trust, &[])).report();
    report
        .finds_only(&["chain-superfluous-root"])
        .says("verification/verdict", "trusted");
}

#[test]
fn of_x509_version_1() {
    let pki = Pki::rsa();
    let report = check_chain(&pki, pki.chain(&pki.issue(&leaf().version1())));
    report
        .finds("certificate-x509-v1")
        .says("verification/verdict", "untrusted")
        .ends_with(1);
    assert_eq!(report.at("certificate/served/0/version"), 1);
}

#[test]
fn several_faults_are_all_told() {
    let (pki, other) = (Pki::new(), Pki::new());
    let bad = Spec::leaf(&["www.other.test"]).expired().wrong_usage();
    let stranger = Spec::ca("Somebody Else's CA").issued_by(other.root());
    let report = check_chain(&pki, vec![pki.issue(&bad), stranger]);
    let expected: BTreeSet<&str> = [
        "certificate-expired",
        "certificate-name-mismatch",
        "certificate-wrong-usage",
        "chain-incomplete",
        "chain-unrelated",
    ]
    .into();
    assert_eq!(
        report
            .rules()
            .iter()
            .map(String::as_str)
            .collect::<BTreeSet<_>>(),
        expected
    );
    report.ends_with(1);
}

#[test]
fn two_thousand_names_are_no_fault() {
    let pki = Pki::new();
    let mut many = leaf();
    for number in 0..2000 {
        many = many.dns_name(&format!("host-{number}.example.test"));
    }
    trusted_with(&pki, pki.chain(&pki.issue(&many)), &[], 0);
}

#[test]
fn an_unreadable_certificate_above_the_leaf_is_no_end() {
    let pki = Pki::new();
    let broken = pki
        .intermediate()
        .clone()
        .with_der(vec![0x30, 0x03, 0x02, 0x01, 0x05]);
    let sent = vec![pki.issue(&leaf()), broken, pki.intermediate().clone()];
    let prints: Vec<String> = sent.iter().map(Issued::sha256).collect();
    let report = check_chain(&pki, sent);
    assert_eq!(report.served(), prints, "{report}");
    assert!(
        !report.text("certificate/served/1/error").is_empty(),
        "{report}"
    );
    report.says("certificate/served/0/sans/0", HOST);
}

#[test]
fn what_was_not_asked_for_is_skipped() {
    let pki = Pki::new();
    let server = ScriptedServer::serving(pki.chain(&pki.issue(&leaf())));
    let report = check_with(&pki, server.port(), &["--only", "certificate"]);
    report
        .says("suites/status", "skipped")
        .says("sni/status", "skipped")
        .ends_with(0);
    assert_eq!(report.served().len(), 2, "{report}");
}
