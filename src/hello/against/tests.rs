//! Hellos held against policies and measured servers.

use gladhand_probes::clients::ExtensionName;
use gladhand_probes::wire::registry::{
    ExtensionType, Group, ProtocolVersion, SignatureScheme, Suite,
};

use super::*;
use crate::hello::counterpart::{Taken, known};

fn offer(versions: &[ProtocolVersion], suites: &[Suite], groups: &[Group]) -> Offer {
    let extension = |typ: ExtensionType| ExtensionName {
        id: typ.id(),
        name: typ.name().map(Into::into),
        bytes: 0,
    };
    Offer {
        versions: versions.iter().map(ToString::to_string).collect(),
        suites: suites.iter().copied().map(Into::into).collect(),
        groups: groups.iter().copied().map(Into::into).collect(),
        signature_algorithms: [
            SignatureScheme::RSA_PSS_RSAE_SHA256,
            SignatureScheme::RSA_PKCS1_SHA256,
        ]
        .map(Into::into)
        .into(),
        extensions: vec![
            extension(ExtensionType::SUPPORTED_GROUPS),
            extension(ExtensionType::SIGNATURE_ALGORITHMS),
        ],
        ..Offer::default()
    }
}

fn policy(name: &str) -> Capabilities {
    known(&format!("policy:ELBSecurityPolicy-{name}"))
        .unwrap()
        .unwrap()
}

const OLD: &[ProtocolVersion] = &[ProtocolVersion::TLS1_1, ProtocolVersion::TLS1_0];
const NEW: &[ProtocolVersion] = &[ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_2];
const RSA_GCM: Suite = Suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256;
const TLS13: Suite = Suite::TLS_AES_128_GCM_SHA256;

#[test]
fn what_both_have_works_in_the_newest_version() {
    let seen = compare(
        &offer(NEW, &[TLS13, RSA_GCM], &[Group::X25519]),
        &policy("TLS13-1-2-Res-PQ-2025-09"),
    );
    assert_eq!(seen.verdict, Verdict::Works, "{:?}", seen.because);
    assert_eq!(seen.version.as_deref(), Some("TLSv1.3"));
    assert_eq!(seen.suite, Some(TLS13.into()));
    assert_eq!(seen.common.groups, [Group::X25519.into()]);
    assert!(
        seen.client_lacks
            .groups
            .contains(&Group::X25519_MLKEM768.into())
    );
    assert_eq!(seen.server_lacks, Parameters::default());
}

#[test]
fn no_version_in_common() {
    let seen = compare(
        &offer(OLD, &[Suite(0x002F)], &[Group::SECP256R1]),
        &policy("TLS13-1-2-2021-06"),
    );
    assert_eq!(seen.verdict, Verdict::Fails);
    assert_eq!(
        seen.because,
        [
            "no version in common: the client offers TLSv1.1, TLSv1.0, the counterpart speaks TLSv1.3, TLSv1.2"
        ]
    );
    assert_eq!(seen.server_lacks.versions, ["TLSv1.1", "TLSv1.0"]);
    assert_eq!(seen.client_lacks.versions, ["TLSv1.3", "TLSv1.2"]);
}

#[test]
fn no_suite_in_common() {
    let cbc = [Suite(0xC013), Suite(0x002F)];
    let seen = compare(
        &offer(&[ProtocolVersion::TLS1_2], &cbc, &[Group::SECP256R1]),
        &policy("FS-1-2-Res-2020-10"),
    );
    assert_eq!(seen.verdict, Verdict::Fails);
    assert!(seen.because[0].starts_with(
        "no suite in TLSv1.2 in common: the client offers TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
    ));
    assert_eq!(seen.server_lacks.suites.len(), 2);
}

#[test]
fn a_version_is_taken_before_a_suite_is_looked_for() {
    // TLS 1.2 is in common and has no suite: nobody falls back to TLS 1.0.
    let versions = [ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_0];
    let seen = compare(&offer(&versions, &[Suite(0xC0A9)], &[]), &policy("2016-08"));
    assert_eq!(seen.verdict, Verdict::Fails);
    assert_eq!(seen.version.as_deref(), Some("TLSv1.2"));
}

#[test]
fn a_group_that_is_not_documented_is_no_refusal() {
    let seen = compare(
        &offer(NEW, &[TLS13], &[Group::X448]),
        &policy("TLS13-1-2-2021-06"),
    );
    assert_eq!(seen.verdict, Verdict::Undetermined, "{:?}", seen.because);
    assert!(seen.server_lacks.groups.is_empty());
}

#[test]
fn a_group_that_was_measured_and_refused_is_one() {
    let mut server = policy("TLS13-1-2-2021-06");
    server.groups = Taken {
        known: vec![Group::X25519],
        complete: true,
        undetermined: vec![Group::SECP521R1],
    };
    let with = |groups: &[Group]| compare(&offer(NEW, &[TLS13], groups), &server);
    assert_eq!(with(&[Group::SECP384R1]).verdict, Verdict::Fails);
    assert_eq!(with(&[Group::SECP521R1]).verdict, Verdict::Undetermined);
    assert_eq!(
        with(&[Group(0x7777)]).verdict,
        Verdict::Undetermined,
        "nobody asked"
    );
    assert_eq!(
        with(&[Group::SECP384R1, Group::X25519]).verdict,
        Verdict::Works
    );
}

#[test]
fn without_a_curve_only_what_needs_none() {
    let mut server = policy("2016-08");
    server.curves = Taken {
        known: vec![Group::SECP384R1],
        complete: true,
        undetermined: vec![],
    };
    let versions = [ProtocolVersion::TLS1_2];
    let with = |suites: &[Suite]| compare(&offer(&versions, suites, &[Group::SECP256R1]), &server);
    let seen = with(&[RSA_GCM, Suite(0x002F)]);
    assert_eq!(
        (seen.verdict, seen.suite),
        (Verdict::Works, Some(Suite(0x002F).into()))
    );
    assert_eq!(with(&[RSA_GCM]).verdict, Verdict::Fails);
}

#[test]
fn what_could_not_be_measured_decides_nothing() {
    let mut server = policy("2016-08");
    server
        .versions
        .insert(ProtocolVersion::TLS1_3, Answer::Undetermined);
    let seen = compare(&offer(NEW, &[TLS13, RSA_GCM], &[Group::X25519]), &server);
    assert_eq!(seen.verdict, Verdict::Undetermined);
    let unknown = Capabilities::default();
    let seen = compare(&offer(NEW, &[TLS13], &[Group::X25519]), &unknown);
    assert_eq!(seen.verdict, Verdict::Undetermined);
}

#[test]
fn a_scheme_must_be_one_that_may_sign_tls13() {
    let mut server = policy("TLS13-1-2-Res-PQ-2025-09");
    server.schemes.complete = true;
    let mut hello = offer(NEW, &[TLS13], &[Group::X25519]);
    hello.signature_algorithms = vec![SignatureScheme::RSA_PKCS1_SHA256.into()];
    let seen = compare(&hello, &server);
    assert_eq!(seen.verdict, Verdict::Fails, "{:?}", seen.because);
    assert!(seen.because[0].starts_with("no signature scheme in common"));
}

#[test]
fn a_certificate_of_one_kind_may_be_needed() {
    let suite = Suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
    let seen = compare(
        &offer(&[ProtocolVersion::TLS1_2], &[suite], &[Group::SECP256R1]),
        &policy("2016-08"),
    );
    assert_eq!(seen.verdict, Verdict::Works);
    assert!(seen.because[1].contains("ECDSA certificate"));
}

#[test]
fn which_suite_a_policy_leads_to_depends_on_the_certificate() {
    let ecdsa = Suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
    let hello = offer(
        &[ProtocolVersion::TLS1_2],
        &[ecdsa, RSA_GCM],
        &[Group::SECP256R1],
    );
    let seen = compare(&hello, &policy("2016-08"));
    assert_eq!((seen.verdict, seen.suite), (Verdict::Works, None));
}

#[test]
fn a_hello_that_names_its_newest_version_alone_promises_no_other() {
    let hello = Offer {
        only_newest_known: true,
        ..offer(
            &[ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_1],
            &[Suite(0x002F)],
            &[],
        )
    };
    let mut server = policy("2016-08");
    assert_eq!(compare(&hello, &server).verdict, Verdict::Works);
    server.versions.insert(ProtocolVersion::TLS1_2, Answer::No);
    let seen = compare(&hello, &server);
    assert_eq!(seen.verdict, Verdict::Undetermined);
    assert_eq!(seen.server_lacks.versions, ["TLSv1.2"]);
    server.versions.insert(ProtocolVersion::TLS1_1, Answer::No);
    let seen = compare(&hello, &server);
    assert_eq!(seen.verdict, Verdict::Fails);
    assert!(
        seen.because[0].contains("TLSv1.2 or older"),
        "{:?}",
        seen.because
    );
}

#[test]
fn the_least_favourable_address_counts() {
    let at = |name: &str, address: &str| Capabilities {
        addresses: vec![address.into()],
        ..policy(name)
    };
    let all = [
        at("2016-08", "192.0.2.1:443"),
        at("FS-1-2-Res-2020-10", "192.0.2.2:443"),
        at("2016-08", "192.0.2.3:443"),
    ];
    let hello = offer(&[ProtocolVersion::TLS1_2], &[Suite(0x002F)], &[]);
    let seen = worst(&hello, &all).unwrap();
    assert_eq!(
        (seen.verdict, seen.addresses),
        (Verdict::Fails, vec!["192.0.2.2:443".into()])
    );
    let same = worst(
        &hello,
        &[
            at("2016-08", "192.0.2.1:443"),
            at("2016-08", "192.0.2.3:443"),
        ],
    )
    .unwrap();
    assert_eq!((same.verdict, same.addresses.len()), (Verdict::Works, 2));
    assert_eq!(worst(&hello, &[]), None);
}
