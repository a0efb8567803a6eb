//! Signed certificate timestamps (RFC 6962): what a server has to show that its certificate is in public
//! logs, and whether the logs' signatures are good. Pure.

mod der;
mod logs;

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::chain::signed_by;
use super::facts::KeyFacts;
use super::status::SKEW;
use crate::fact::{Answer, Fact};
use crate::wire::DecodeError;
use crate::wire::codec::{Reader, put_u16, put_u24, put_vec16};

pub use logs::{Log, LogId, LogList, LogListError, LogState};

/// SCTs of one list that are kept, at most.
const MAX_SCTS: usize = 64;

/// `sha256`, `ecdsa` and `rsa` of a DigitallySigned (RFC 5246 §7.4.1.4.1): the only ones that logs sign
/// with (RFC 6962 §2.1.4).
const HASH_SHA256: u8 = 4;
const ECDSA: u8 = 3;
const RSA: u8 = 1;

/// From how many logs Chrome and Safari want SCTs in a certificate that is valid so long: two, or three
/// above 180 days.
pub fn scts_wanted(lifetime: Duration) -> usize {
    if lifetime > Duration::days(180) { 3 } else { 2 }
}

/// From how many logs they want SCTs where one of them comes outside of the certificate.
pub const SCTS_OUTSIDE: usize = 2;

/// Whether these SCTs are what Chrome and Safari want: from so many logs, and not all of one operator. A
/// log that is not known may be anybody's.
pub fn scts_suffice<'a>(scts: impl Iterator<Item = &'a SctFacts>, wanted: usize) -> bool {
    let mut logs = BTreeSet::new();
    let mut operators = BTreeSet::new();
    for sct in scts {
        logs.insert(sct.log_id.as_str());
        operators.insert(sct.log.as_ref().map(|log| log.operator.as_str()));
    }
    logs.len() >= wanted && (operators.len() > 1 || operators.contains(&None))
}

/// How an SCT came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SctSource {
    /// In the certificate.
    Certificate,
    /// In the stapled OCSP response.
    Ocsp,
    /// In the extension signed_certificate_timestamp of the handshake.
    Tls,
}

/// One signed certificate timestamp: a log's promise to have taken a certificate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SctFacts {
    /// How it came.
    pub source: SctSource,
    /// Its version: 1.
    pub version: u8,
    /// The log's id: SHA-256 of its key, in base64 as in lists of logs.
    pub log_id: String,
    /// The log, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogFacts>,
    /// When the log promised (RFC 3339, to the millisecond); none where the number is no date.
    #[serde(with = "time::serde::rfc3339::option")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub timestamp: Option<OffsetDateTime>,
    /// What it is signed with: `ecdsa-sha256`, `rsa-sha256`, or the two numbers.
    pub signature_algorithm: String,
    /// Whether the log's signature is good for this certificate.
    pub verified: Fact,
}

impl SctFacts {
    /// Whether a browser may count it at this time: it is not refuted, not of the future, and of no log
    /// that was rejected, or retired before.
    pub fn may_count(&self, now: OffsetDateTime) -> bool {
        let log = self.log.as_ref();
        let of_good_log = match log.and_then(|log| Some((log.state?, log.since?))) {
            Some((LogState::Rejected, _)) => false,
            Some((LogState::Retired, since)) => self.timestamp.is_some_and(|time| time < since),
            _ => true,
        };
        let of_the_past = self
            .timestamp
            .is_some_and(|time| time <= now.saturating_add(SKEW));
        self.verified.answer != Answer::No && of_good_log && of_the_past
    }
}

/// What is known of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogFacts {
    /// What it is called.
    pub name: String,
    /// Who runs it.
    pub operator: String,
    /// What Chrome makes of it; none where it is not in Chrome's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<LogState>,
    /// Since when (RFC 3339).
    #[serde(with = "time::serde::rfc3339::option")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub since: Option<OffsetDateTime>,
}

/// What a log signed besides the time: the certificate in the form in which it got it.
pub(crate) struct Entry(Result<Vec<u8>, &'static str>);

impl Entry {
    /// The certificate as it is: for SCTs that come outside of it.
    pub(crate) fn certificate(leaf: &[u8]) -> Self {
        let mut entry = Vec::new();
        put_u16(&mut entry, 0); // x509_entry
        put_u24(&mut entry, leaf.len());
        entry.extend_from_slice(leaf);
        Self(Ok(entry))
    }

    /// The certificate before the SCTs came into it, with the hash of its issuer's key.
    pub(crate) fn precertificate(leaf: &[u8], issuer: Option<&[u8]>) -> Self {
        Self(precertificate(leaf, issuer))
    }
}

fn precertificate(leaf: &[u8], issuer: Option<&[u8]>) -> Result<Vec<u8>, &'static str> {
    let issuer =
        issuer.ok_or("the issuer's certificate, whose key is part of it, is not served")?;
    let unreadable = "the certificates cannot be read";
    let (_, child) = X509Certificate::from_der(leaf).map_err(|_| unreadable)?;
    let (_, parent) = X509Certificate::from_der(issuer).map_err(|_| unreadable)?;
    if !signed_by(&child, &parent) {
        return Err("whether the next certificate is the issuer's cannot be verified");
    }
    let tbs = der::tbs_without_scts(leaf).ok_or(unreadable)?;
    let mut entry = Vec::new();
    put_u16(&mut entry, 1); // precert_entry
    entry.extend_from_slice(digest(&SHA256, parent.public_key().raw).as_ref());
    put_u24(&mut entry, tbs.len());
    entry.extend_from_slice(&tbs);
    Ok(entry)
}

/// The list that a certificate carries.
///
/// # Errors
/// It is there, and cannot be read.
pub(crate) fn list_in_certificate(leaf: &[u8]) -> Result<Option<&[u8]>, &'static str> {
    der::list_in_certificate(leaf)
}

/// The list that a stapled OCSP response carries for this certificate.
///
/// # Errors
/// It is there and cannot be read, or the response says nothing of this certificate.
pub(crate) fn list_in_ocsp<'a>(
    response: &'a [u8],
    leaf: &[u8],
) -> Result<Option<&'a [u8]>, &'static str> {
    let unreadable = "the certificate cannot be read";
    let (_, leaf) = X509Certificate::from_der(leaf).map_err(|_| unreadable)?;
    der::list_in_ocsp(response, leaf.tbs_certificate.raw_serial())
}

/// Reads a SignedCertificateTimestampList (RFC 6962 §3.3): the SCTs that can be read, and what is wrong
/// with the others.
pub(crate) fn read_list(
    list: &[u8],
    source: SctSource,
    entry: &Entry,
    logs: &LogList,
) -> (Vec<SctFacts>, Option<String>) {
    let mut scts = Vec::new();
    let mut wrong = None;
    let mut outer = Reader::new("SignedCertificateTimestampList", list);
    let mut inner = match outer.vec16().and_then(|inner| outer.end().map(|()| inner)) {
        Ok(inner) => Reader::new("sct_list", inner),
        Err(error) => return (scts, Some(error.to_string())),
    };
    while !inner.is_empty() {
        if scts.len() == MAX_SCTS {
            wrong = Some(format!("more than {MAX_SCTS} SCTs"));
            break;
        }
        // What breaks the list ends it; what breaks one SCT does not.
        let sct = match inner.vec16() {
            Ok(bytes) => Sct::decode(bytes),
            Err(error) => {
                wrong = Some(error.to_string());
                break;
            }
        };
        match sct {
            Ok(sct) => scts.push(sct.facts(source, entry, logs)),
            Err(error) => wrong = Some(error.to_string()),
        }
    }
    (scts, wrong)
}

/// A SignedCertificateTimestamp of version 1 (RFC 6962 §3.2).
struct Sct<'a> {
    log: LogId,
    timestamp: u64,
    extensions: &'a [u8],
    hash: u8,
    algorithm: u8,
    signature: &'a [u8],
}

impl<'a> Sct<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("SignedCertificateTimestamp", bytes);
        let version = reader.u8()?;
        if version != 0 {
            return Err(DecodeError::Unexpected {
                what: format!("SCT of version {}", u16::from(version) + 1),
            });
        }
        let sct = Self {
            log: reader.array()?,
            timestamp: u64::from_be_bytes(reader.array()?),
            extensions: reader.vec16()?,
            hash: reader.u8()?,
            algorithm: reader.u8()?,
            signature: reader.vec16()?,
        };
        reader.end()?;
        Ok(sct)
    }

    fn facts(&self, source: SctSource, entry: &Entry, logs: &LogList) -> SctFacts {
        let log = logs.get(&self.log);
        let nanoseconds = i128::from(self.timestamp) * 1_000_000;
        SctFacts {
            source,
            version: 1,
            log_id: STANDARD.encode(self.log),
            log: log.map(LogFacts::from),
            timestamp: OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok(),
            signature_algorithm: match (self.hash, self.algorithm) {
                (HASH_SHA256, ECDSA) => "ecdsa-sha256".into(),
                (HASH_SHA256, RSA) => "rsa-sha256".into(),
                (hash, algorithm) => format!("{hash}, {algorithm}"),
            },
            verified: self.verified(entry, log, logs),
        }
    }

    fn verified(&self, entry: &Entry, log: Option<&Log>, logs: &LogList) -> Fact {
        let open = |why: &str| Fact::new(Answer::Undetermined, why);
        let Some(log) = log else {
            let date = logs.date.date();
            return open(&format!("the log is not in the list of {date}"));
        };
        let entry = match &entry.0 {
            Ok(entry) => entry,
            Err(why) => return open(why),
        };
        let key = SubjectPublicKeyInfo::from_der(&log.key).ok();
        let Some((key, (expected, algorithm))) =
            key.and_then(|(_, key)| algorithm(&key).map(|known| (key, known)))
        else {
            return open("the log's key is of a kind that is not verified here");
        };
        if (self.hash, self.algorithm) != (HASH_SHA256, expected) {
            let why = "it says that it is signed in a way that this log does not sign";
            return Fact::new(Answer::No, why);
        }
        let mut message = vec![0, 0]; // v1, certificate_timestamp
        message.extend_from_slice(&self.timestamp.to_be_bytes());
        message.extend_from_slice(entry);
        put_vec16(&mut message, self.extensions);
        let key = UnparsedPublicKey::new(algorithm, &key.subject_public_key.data);
        match key.verify(&message, self.signature) {
            Ok(()) => Fact::new(Answer::Yes, "the log's signature verifies"),
            Err(_) => Fact::new(
                Answer::No,
                "the log's signature does not verify for this certificate",
            ),
        }
    }
}

/// With what a key signs: the number in an SCT, and how to verify it.
fn algorithm(key: &SubjectPublicKeyInfo<'_>) -> Option<(u8, &'static dyn VerificationAlgorithm)> {
    let facts = KeyFacts::of(key);
    match (facts.algorithm.as_str(), facts.curve.as_deref()) {
        ("EC", Some("secp256r1")) => Some((ECDSA, &ECDSA_P256_SHA256_ASN1)),
        ("RSA", _) if facts.bits.is_some_and(|bits| (2048..=8192).contains(&bits)) => {
            Some((RSA, &RSA_PKCS1_2048_8192_SHA256))
        }
        _ => None,
    }
}

impl From<&Log> for LogFacts {
    fn from(log: &Log) -> Self {
        Self {
            name: log.description.clone(),
            operator: log.operator.clone(),
            state: log.state.map(|(state, _)| state),
            since: log.state.map(|(_, since)| since),
        }
    }
}

#[cfg(test)]
mod tests;
