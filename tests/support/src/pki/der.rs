//! Just enough DER to take a certificate apart, sign it anew, and make odd ones.

use rcgen::SigningKey;

use super::{Hash, Key};

pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const OID: u8 = 0x06;
const NULL: [u8; 2] = [0x05, 0x00];
/// `[0] EXPLICIT`: the version of a TBSCertificate.
pub(super) const VERSION: u8 = 0xA0;
/// `[3] EXPLICIT`: its extensions.
pub(super) const EXTENSIONS: u8 = 0xA3;

/// A certificate with another public key, as version 1, or signed over another hash. The issuer's
/// key signs again.
pub(super) fn rewrite(
    certificate: &[u8],
    spki: &[u8],
    version1: bool,
    hash: Hash,
    issuer: &Key,
) -> Vec<u8> {
    let parts = children(certificate);
    let [tbs, algorithm, _signature] = parts.as_slice() else {
        panic!("not a certificate")
    };
    let algorithm = match hash {
        Hash::Sha256 => algorithm.clone(),
        // sha1WithRSAEncryption, md5WithRSAEncryption (RFC 3279, section 2.2.1).
        Hash::Sha1 => rsa_with(5),
        Hash::Md5 => rsa_with(4),
    };
    let mut fields = children(tbs);
    // The inner signature algorithm follows the version and the serial number.
    fields
        .get_mut(2)
        .expect("a signature algorithm")
        .clone_from(&algorithm);
    *fields.get_mut(6).expect("a public key") = spki.to_vec();
    if version1 {
        fields.retain(|field| !matches!(field.first(), Some(&(VERSION | EXTENSIONS))));
    }
    let tbs = encode(SEQUENCE, &fields.concat());
    let signature = match hash {
        Hash::Sha256 => issuer.sign(&tbs).expect("a signature"),
        _ => issuer.sign_with_openssl(hash, &tbs),
    };
    let mut bits = vec![0];
    bits.extend(signature);
    encode(
        SEQUENCE,
        &[tbs, algorithm, encode(BIT_STRING, &bits)].concat(),
    )
}

/// DHParameter of PKCS #3: a prime that begins with a set bit, and the generator 2.
pub(super) fn dh_parameters(prime: &[u8]) -> Vec<u8> {
    let prime = encode(INTEGER, &[&[0], prime].concat());
    encode(SEQUENCE, &[prime, encode(INTEGER, &[2])].concat())
}

/// A PEM block.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = base64(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(std::str::from_utf8(line).expect("base64 is ASCII"));
        pem.push('\n');
    }
    pem + &format!("-----END {label}-----\n")
}

pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let mut word = 0;
        for index in 0..3 {
            word = word << 8 | u32::from(group.get(index).copied().unwrap_or(0));
        }
        for index in 0..4 {
            let digit = word >> (18 - 6 * index) & 0x3F;
            let used = index <= group.len();
            text.push(if used {
                char::from(DIGITS[digit as usize])
            } else {
                '='
            });
        }
    }
    text
}

/// 1.2.840.113549.1.1.`n`, with its NULL parameters.
fn rsa_with(n: u8) -> Vec<u8> {
    let oid = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, n];
    encode(SEQUENCE, &[encode(OID, &oid), NULL.to_vec()].concat())
}

/// The elements inside a constructed one, each whole.
pub(super) fn children(der: &[u8]) -> Vec<Vec<u8>> {
    let (_, mut inside, _) = element(der);
    let mut all = Vec::new();
    while !inside.is_empty() {
        let (whole, _, rest) = element(inside);
        all.push(whole.to_vec());
        inside = rest;
    }
    all
}

/// The first element: whole, its content, and what follows it.
fn element(der: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let (header, length) = match der[1] {
        short @ 0..=0x7F => (2, usize::from(short)),
        0x81 => (3, usize::from(der[2])),
        0x82 => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
        0x83 => (
            5,
            usize::from(der[2]) << 16 | usize::from(der[3]) << 8 | usize::from(der[4]),
        ),
        other => panic!("a length of {other:#x}"),
    };
    let (whole, rest) = der.split_at(header + length);
    (whole, &whole[header..], rest)
}

/// An element: tag, length, content.
pub fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("below 16 MB");
    let [_, high, middle, low] = length.to_be_bytes();
    let mut der = vec![tag];
    match length {
        0..=0x7F => der.push(low),
        0x80..=0xFF => der.extend([0x81, low]),
        0x100..=0xFFFF => der.extend([0x82, middle, low]),
        _ => der.extend([0x83, high, middle, low]),
    }
    der.extend(content);
    der
}
