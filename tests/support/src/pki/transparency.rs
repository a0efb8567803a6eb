//! Logs of Certificate Transparency, and what they sign (RFC 6962).

use std::fmt::Write;
use std::sync::Arc;

use rcgen::SigningKey;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::der::{self, EXTENSIONS, INTEGER, OID, SEQUENCE};
use super::{Issued, Key, KeyKind, Pki};

const OCTET_STRING: u8 = 0x04;
const BIT_STRING: u8 = 0x03;
const GENERALIZED_TIME: u8 = 0x18;

/// 1.3.6.1.4.1.11129.2.4.`n`
const fn google(n: u8) -> [u8; 10] {
    [0x2B, 0x06, 0x01, 0x04, 0x01, 0xD6, 0x79, 0x02, 0x04, n]
}

/// A log.
#[derive(Debug)]
pub struct CtLog {
    key: Arc<Key>,
    name: &'static str,
    operator: &'static str,
}

impl CtLog {
    /// A log with a P-256 key.
    pub fn new(name: &'static str, operator: &'static str) -> Self {
        Self {
            key: Key::of(KeyKind::P256, "log"),
            name,
            operator,
        }
    }

    /// A list of these logs, as Google publishes its own.
    pub fn list(logs: &[&Self]) -> String {
        let mut operators = String::new();
        for log in logs {
            let comma = if operators.is_empty() { "" } else { "," };
            let (id, key) = (der::base64(&log.id()), der::base64(log.key.spki()));
            let (name, operator) = (log.name, log.operator);
            write!(
                operators,
                r#"{comma}{{"name":"{operator}","logs":[{{"description":"{name}","log_id":"{id}",
                "key":"{key}","state":{{"usable":{{"timestamp":"2024-01-01T00:00:00Z"}}}}}}]}}"#
            )
            .expect("text");
        }
        format!(
            r#"{{"version":"1","log_list_timestamp":"2026-01-01T00:00:00Z","operators":[{operators}]}}"#
        )
    }

    /// An SCT to go into this certificate, of a moment.
    pub fn for_precertificate(&self, pki: &Pki, leaf: &Issued, at: OffsetDateTime) -> Vec<u8> {
        let tbs = &der::children(&leaf.der)[0];
        let mut entry = vec![0, 1];
        entry.extend(Sha256::digest(pki.intermediate.key.spki()));
        entry.extend(vector24(tbs));
        self.sct(&entry, at)
    }

    /// An SCT to go with this certificate, of a moment.
    pub fn for_certificate(&self, leaf: &Issued, at: OffsetDateTime) -> Vec<u8> {
        let mut entry = vec![0, 0];
        entry.extend(vector24(&leaf.der));
        self.sct(&entry, at)
    }

    fn id(&self) -> Vec<u8> {
        Sha256::digest(self.key.spki()).to_vec()
    }

    fn sct(&self, entry: &[u8], at: OffsetDateTime) -> Vec<u8> {
        let milliseconds = u64::try_from(at.unix_timestamp() * 1000).expect("after 1970");
        let time = milliseconds.to_be_bytes();
        let signed = [&[0, 0][..], &time, entry, &[0, 0]].concat();
        let signature = self.key.sign(&signed).expect("a signature");
        let mut sct = [&[0][..], &self.id(), &time, &[0, 0], &[4, 3]].concat();
        sct.extend(vector16(&signature));
        sct
    }
}

/// A SignedCertificateTimestampList.
pub fn sct_list(scts: &[Vec<u8>]) -> Vec<u8> {
    let scts: Vec<u8> = scts.iter().flat_map(|sct| vector16(sct)).collect();
    vector16(&scts)
}

/// The certificate with one more extension, the list of its SCTs; the intermediate signs again.
pub fn with_scts(pki: &Pki, leaf: &Issued, list: &[u8]) -> Issued {
    let parts = der::children(&leaf.der);
    let mut fields = der::children(&parts[0]);
    let at = fields.iter().position(|field| field[0] == EXTENSIONS);
    let field = &mut fields[at.expect("extensions")];
    let mut extensions = der::children(&der::children(field)[0]);
    extensions.push(extension(2, list));
    *field = der::encode(EXTENSIONS, &der::encode(SEQUENCE, &extensions.concat()));
    let tbs = der::encode(SEQUENCE, &fields.concat());
    let signature = pki.intermediate.key.sign(&tbs).expect("a signature");
    let bits = der::encode(BIT_STRING, &[&[0], &signature[..]].concat());
    let whole = der::encode(SEQUENCE, &[tbs, parts[1].clone(), bits].concat());
    leaf.clone().with_der(whole)
}

/// A file for `openssl s_server -serverinfo`: the list in the extension signed_certificate_timestamp.
pub fn serverinfo(list: &[u8]) -> String {
    let mut info = vec![0, 18];
    info.extend(vector16(list));
    der::pem("SERVERINFO FOR SCT", &info)
}

/// An OCSP response that says that the certificate is good, with the list. Its signature is none.
pub fn ocsp_response(leaf: &Issued, list: &[u8]) -> Vec<u8> {
    let tbs = der::children(&der::children(&leaf.der)[0]);
    let serial = tbs.iter().find(|field| field[0] == INTEGER);
    let sequence = |parts: &[Vec<u8>]| der::encode(SEQUENCE, &parts.concat());
    let hash = der::encode(OCTET_STRING, &[7; 20]);
    // SHA-1, ecdsa-with-SHA256, id-pkix-ocsp-basic
    let sha1 = sequence(&[der::encode(OID, &[0x2B, 0x0E, 3, 2, 0x1A])]);
    let ecdsa = der::encode(OID, &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2]);
    let basic = der::encode(OID, &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 1]);
    let time = der::encode(GENERALIZED_TIME, b"20260101000000Z");
    let id = sequence(&[
        sha1,
        hash.clone(),
        hash.clone(),
        serial.expect("one").clone(),
    ]);
    let single = sequence(&[
        id,
        der::encode(0x80, &[]),
        time.clone(),
        der::encode(0xA1, &sequence(&[extension(5, list)])),
    ]);
    let data = sequence(&[der::encode(0xA2, &hash), time, sequence(&[single])]);
    let signed = sequence(&[
        data,
        sequence(&[ecdsa]),
        der::encode(BIT_STRING, &[0, 1, 2, 3]),
    ]);
    let typed = sequence(&[basic, der::encode(OCTET_STRING, &signed)]);
    sequence(&[der::encode(0x0A, &[0]), der::encode(0xA0, &typed)])
}

fn extension(n: u8, list: &[u8]) -> Vec<u8> {
    let value = der::encode(OCTET_STRING, &der::encode(OCTET_STRING, list));
    der::encode(SEQUENCE, &[der::encode(OID, &google(n)), value].concat())
}

fn vector16(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("below 64 KiB");
    [&length.to_be_bytes()[..], bytes].concat()
}

fn vector24(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("below 16 MiB");
    [&length.to_be_bytes()[1..], bytes].concat()
}
