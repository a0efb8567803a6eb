//! Real certificates with real SCTs against the shipped list, and lists that are not as they should be.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use time::macros::datetime;

use super::*;
use crate::x509::CertificateFacts;

const LETSENCRYPT_ORG: &[u8] = include_bytes!("testdata/letsencrypt-org.der");
const LETSENCRYPT_E6: &[u8] = include_bytes!("testdata/letsencrypt-e6.der");
const AWS_AMAZON_COM: &[u8] = include_bytes!("testdata/aws-amazon-com.der");
const AMAZON_M01: &[u8] = include_bytes!("testdata/amazon-m01.der");
const GOOGLE_COM: &[u8] = include_bytes!("testdata/google-com-2017.der");
/// One SCT, without the lists around it.
const GOOGLE_COM_SCT: &[u8] = include_bytes!("testdata/google-com-2017.sct");
/// A staple of 2019, of the certificate with the serial number [`OCSP_SERIAL`].
const OCSP: &[u8] = include_bytes!("testdata/ocsp-with-scts.der");
const OCSP_SERIAL: [u8; 20] = [
    0x23, 0xBF, 0x9A, 0x6C, 0x2B, 0xF9, 0xA2, 0xF0, 0xDB, 0x5E, 0xCB, 0x41, 0x43, 0xCA, 0xAB, 0x63,
    0xAD, 0x38, 0x71, 0xD3,
];

/// The SCTs in a certificate, with or without its issuer's.
fn embedded(leaf: &[u8], issuer: Option<&[u8]>) -> Vec<SctFacts> {
    let list = list_in_certificate(leaf).unwrap().expect("a list");
    let entry = Entry::precertificate(leaf, issuer);
    let (scts, wrong) = read_list(list, SctSource::Certificate, &entry, &LogList::shipped());
    assert_eq!(wrong, None);
    scts
}

fn answers(scts: &[SctFacts]) -> Vec<Answer> {
    scts.iter().map(|sct| sct.verified.answer).collect()
}

fn operators(scts: &[SctFacts]) -> Vec<&str> {
    scts.iter()
        .map(|sct| sct.log.as_ref().expect("a known log").operator.as_str())
        .collect()
}

#[test]
fn the_scts_of_real_certificates_verify() {
    let scts = embedded(LETSENCRYPT_ORG, Some(LETSENCRYPT_E6));
    assert_eq!(answers(&scts), [Answer::Yes; 2], "{scts:#?}");
    assert_eq!(operators(&scts), ["DigiCert", "Google"]);
    let first = &scts[0];
    assert_eq!(
        first.timestamp,
        Some(datetime!(2025-08-04 12:22:34.584 UTC))
    );
    assert_eq!(first.signature_algorithm, "ecdsa-sha256");

    // An RSA issuer, and a longer life.
    let scts = embedded(AWS_AMAZON_COM, Some(AMAZON_M01));
    assert_eq!(answers(&scts), [Answer::Yes; 3], "{scts:#?}");
}

#[test]
fn without_the_issuer_nothing_is_said_of_the_signature() {
    for (issuer, why) in [
        (None, "is not served"),
        (Some(AMAZON_M01), "cannot be verified"),
        (Some(&[0x30, 0x00][..]), "cannot be read"),
    ] {
        let scts = embedded(LETSENCRYPT_ORG, issuer);
        assert_eq!(answers(&scts), [Answer::Undetermined; 2]);
        assert!(scts[0].verified.evidence.contains(why), "{scts:?}");
    }
}

#[test]
fn an_sct_that_came_outside_is_over_the_certificate_itself() {
    let verify = |leaf: &[u8]| {
        let entry = Entry::certificate(leaf);
        let (scts, wrong) = read_list(
            &list(&[GOOGLE_COM_SCT]),
            SctSource::Tls,
            &entry,
            &LogList::shipped(),
        );
        assert_eq!(wrong, None);
        scts
    };
    let scts = verify(GOOGLE_COM);
    assert_eq!(answers(&scts), [Answer::Yes], "{scts:?}");
    assert_eq!(operators(&scts), ["Google"]);
    // The same SCT of another certificate.
    assert_eq!(answers(&verify(LETSENCRYPT_ORG)), [Answer::No]);
}

#[test]
fn a_staple_has_scts_for_its_certificate() {
    let list = der::list_in_ocsp(OCSP, &OCSP_SERIAL).unwrap().unwrap();
    // That certificate is not at hand: these are over another one.
    let entry = Entry::certificate(GOOGLE_COM);
    let (scts, wrong) = read_list(list, SctSource::Ocsp, &entry, &LogList::shipped());
    assert_eq!((scts.len(), wrong), (4, None));
    assert!(scts.iter().all(|sct| sct.log.is_some()), "{scts:?}");
    assert_eq!(answers(&scts), [Answer::No; 4]);

    let other = list_in_ocsp(OCSP, GOOGLE_COM);
    assert_eq!(other, Err("it says nothing of this certificate"));
    assert!(list_in_ocsp(b"garbage", GOOGLE_COM).is_err());
    // Status tryLater, and no bytes.
    assert!(list_in_ocsp(&[0x30, 3, 0x0A, 1, 3], GOOGLE_COM).is_err());
}

/// A log of its own, and its list.
struct TestLog {
    key: EcdsaKeyPair,
    list: LogList,
}

impl TestLog {
    fn new() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let mut spki = vec![0x30, 0x59, 0x30, 0x13, 6, 7];
        spki.extend([0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1, 6, 8]);
        spki.extend([0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7, 3, 0x42, 0]);
        spki.extend(key.public_key().as_ref());
        let id = STANDARD.encode(digest(&SHA256, &spki));
        let list = format!(
            r#"{{"version":"1","log_list_timestamp":"2026-01-01T00:00:00Z","operators":[
               {{"name":"Example","logs":[{{"description":"Test","log_id":"{id}","key":"{}",
               "state":{{"usable":{{"timestamp":"2025-01-01T00:00:00Z"}}}}}}]}}]}}"#,
            STANDARD.encode(&spki)
        );
        Self {
            key,
            list: LogList::from_json(&list).unwrap(),
        }
    }

    /// An SCT for a certificate, with this CtExtensions.
    fn sct(&self, leaf: &[u8], timestamp: u64, extensions: &[u8]) -> Vec<u8> {
        let mut message = vec![0, 0];
        message.extend(timestamp.to_be_bytes());
        message.extend(Entry::certificate(leaf).0.unwrap());
        put_vec16(&mut message, extensions);
        let signature = self.key.sign(&SystemRandom::new(), &message).unwrap();
        let mut sct = vec![0];
        sct.extend(self.id());
        sct.extend(timestamp.to_be_bytes());
        put_vec16(&mut sct, extensions);
        sct.extend([HASH_SHA256, ECDSA]);
        put_vec16(&mut sct, signature.as_ref());
        sct
    }

    fn id(&self) -> LogId {
        let log = self.list.logs().next().unwrap();
        digest(&SHA256, &log.key).as_ref().try_into().unwrap()
    }

    fn read(&self, list: &[u8]) -> (Vec<SctFacts>, Option<String>) {
        let entry = Entry::certificate(GOOGLE_COM);
        read_list(list, SctSource::Tls, &entry, &self.list)
    }
}

fn list(scts: &[&[u8]]) -> Vec<u8> {
    let mut inner = Vec::new();
    for sct in scts {
        put_vec16(&mut inner, sct);
    }
    let mut list = Vec::new();
    put_vec16(&mut list, &inner);
    list
}

#[test]
fn each_octet_counts() {
    let log = TestLog::new();
    let sct = log.sct(GOOGLE_COM, 1_700_000_000_000, b"some");
    let (scts, _) = log.read(&list(&[&sct]));
    assert_eq!(answers(&scts), [Answer::Yes]);
    assert_eq!(scts[0].log.as_ref().unwrap().state, Some(LogState::Usable));
    for at in 0..sct.len() {
        let mut other = sct.clone();
        other[at] ^= 1;
        let (scts, wrong) = log.read(&list(&[&other]));
        match (scts.as_slice(), at) {
            // The version, and the two lengths: no SCT at all.
            ([], 0 | 41..=42 | 49..=50) => assert!(wrong.is_some()),
            // The id: of no known log.
            ([one], 1..=32) => assert_eq!(one.verified.answer, Answer::Undetermined, "{at}"),
            ([one], _) => assert_eq!(one.verified.answer, Answer::No, "{at}"),
            other => panic!("{at}: {other:?}"),
        }
    }
}

#[test]
fn a_time_that_is_none_has_no_date() {
    let log = TestLog::new();
    let far = log.sct(GOOGLE_COM, u64::MAX, b"");
    let (scts, _) = log.read(&list(&[&far]));
    assert_eq!(
        (answers(&scts), scts[0].timestamp),
        (vec![Answer::Yes], None)
    );
}

#[test]
fn one_broken_sct_does_not_cost_the_others() {
    let log = TestLog::new();
    let good = log.sct(GOOGLE_COM, 1, b"");
    let mut second_version = good.clone();
    second_version[0] = 1;
    let (scts, wrong) = log.read(&list(&[&second_version, &good, &[], &good]));
    assert_eq!(answers(&scts), [Answer::Yes; 2]);
    assert!(wrong.is_some());
}

#[test]
fn a_broken_list_is_told_and_never_panics() {
    let log = TestLog::new();
    let good = list(&[&log.sct(GOOGLE_COM, 1, b"")]);
    for end in 0..good.len() {
        let (scts, wrong) = log.read(&good[..end]);
        assert!(scts.is_empty() && wrong.is_some(), "{end}");
    }
    let mut trailing = good.clone();
    trailing.push(0);
    assert!(log.read(&trailing).1.is_some());
    let sct = log.sct(GOOGLE_COM, 1, b"");
    let many = vec![sct.as_slice(); MAX_SCTS + 1];
    let (scts, wrong) = log.read(&list(&many));
    assert_eq!((scts.len(), wrong.is_some()), (MAX_SCTS, true));
}

#[test]
fn bytes_cut_anywhere_never_panic() {
    for end in 0..OCSP.len() {
        let _ = der::list_in_ocsp(&OCSP[..end], &OCSP_SERIAL);
    }
    for end in 0..LETSENCRYPT_ORG.len() {
        let _ = list_in_certificate(&LETSENCRYPT_ORG[..end]);
        let _ = der::tbs_without_scts(&LETSENCRYPT_ORG[..end]);
    }
    let facts = CertificateFacts::read(LETSENCRYPT_ORG);
    assert_eq!(scts_wanted(facts.not_after - facts.not_before), 2);
    assert_eq!(scts_wanted(Duration::days(181)), 3);
}

#[test]
fn clocks_may_differ_by_minutes() {
    let log = TestLog::new();
    let (scts, _) = log.read(&list(&[&log.sct(GOOGLE_COM, 1_700_000_000_000, b"")]));
    let made = scts[0].timestamp.unwrap();
    assert!(scts[0].may_count(made - Duration::minutes(4)));
    assert!(!scts[0].may_count(made - Duration::minutes(6)));
}
