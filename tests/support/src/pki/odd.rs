//! Certificates field by field: what no certificate authority would sign.

use rcgen::SigningKey;

use super::der::{self, BIT_STRING, EXTENSIONS, INTEGER, OID, SEQUENCE, VERSION, encode};
use super::keys::{Key, KeyKind};
use super::{Issued, unhex};

/// Tag of a UTF8String.
pub const UTF8: u8 = 0x0C;
/// Tag of a PrintableString.
pub const PRINTABLE: u8 = 0x13;
/// Tag of a UTCTime.
pub const UTC_TIME: u8 = 0x17;
/// Tag of a GeneralizedTime.
pub const GENERALIZED_TIME: u8 = 0x18;
/// Tag of a BMPString.
pub const BMP: u8 = 0x1E;

/// id-at-commonName.
pub const COMMON_NAME: &[u8] = &[0x55, 4, 3];
/// id-at-organizationName.
pub const ORGANIZATION: &[u8] = &[0x55, 4, 10];

/// Tag of a rfc822Name in a subjectAltName.
pub const RFC822_NAME: u8 = 0x81;
/// Tag of a dNSName.
pub const DNS_NAME: u8 = 0x82;
/// Tag of a directoryName, whose content is a whole [`name`].
pub const DIRECTORY_NAME: u8 = 0xA4;
/// Tag of a uniformResourceIdentifier.
pub const URI: u8 = 0x86;

const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 17];
const SET: u8 = 0x31;
const OCTET_STRING: u8 = 0x04;
/// ecdsa-with-SHA256 (RFC 5758, section 3.2).
const ECDSA_SHA256: &[u8] = &[0x30, 0x0A, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2];

/// A certificate to be signed, each field as DER. [`Odd::leaf`] is a good one; each method replaces
/// one field, and nothing is checked.
#[derive(Clone, Debug)]
pub struct Odd {
    serial: Vec<u8>,
    algorithm: Vec<u8>,
    issuer: Option<Vec<u8>>,
    validity: Vec<u8>,
    subject: Vec<u8>,
    spki: Option<Vec<u8>>,
    extensions: Vec<Vec<u8>>,
}

impl Odd {
    /// A good server certificate for this name, valid from 2020 to 2049.
    pub fn leaf(host: &str) -> Self {
        Self {
            serial: encode(INTEGER, &[0x12, 0x34]),
            algorithm: ECDSA_SHA256.to_vec(),
            issuer: None,
            validity: Vec::new(),
            subject: name(&[(COMMON_NAME, UTF8, host.as_bytes())]),
            spki: None,
            extensions: vec![names(&[(DNS_NAME, host.as_bytes())])],
        }
        .times(
            &encode(UTC_TIME, b"200101000000Z"),
            &encode(UTC_TIME, b"491231235959Z"),
        )
    }

    /// The content of the serial number.
    #[must_use]
    pub fn serial(mut self, content: &[u8]) -> Self {
        self.serial = encode(INTEGER, content);
        self
    }

    /// The AlgorithmIdentifier of the signature, inside and outside.
    #[must_use]
    pub fn algorithm(mut self, algorithm: Vec<u8>) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// The issuer's name, instead of that of the certificate that signs.
    #[must_use]
    pub fn issuer(mut self, name: Vec<u8>) -> Self {
        self.issuer = Some(name);
        self
    }

    /// Both times, as whole elements.
    #[must_use]
    pub fn times(mut self, from: &[u8], to: &[u8]) -> Self {
        self.validity = encode(SEQUENCE, &[from, to].concat());
        self
    }

    /// The subject's name.
    #[must_use]
    pub fn subject(mut self, name: Vec<u8>) -> Self {
        self.subject = name;
        self
    }

    /// The SubjectPublicKeyInfo, instead of that of the key that comes with the certificate.
    #[must_use]
    pub fn spki(mut self, spki: Vec<u8>) -> Self {
        self.spki = Some(spki);
        self
    }

    /// One more extension.
    #[must_use]
    pub fn extension(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    /// These extensions, and no other.
    #[must_use]
    pub fn extensions(mut self, extensions: Vec<Vec<u8>>) -> Self {
        self.extensions = extensions;
        self
    }

    /// Signed by another certificate's key, which must be on P-256.
    pub fn issued_by(&self, issuer: &Issued) -> Issued {
        let key = Key::of(KeyKind::P256, "leaf");
        let issuer_name = self.issuer.clone().unwrap_or_else(|| subject_of(issuer));
        let tbs = [
            encode(VERSION, &encode(INTEGER, &[2])),
            self.serial.clone(),
            self.algorithm.clone(),
            issuer_name,
            self.validity.clone(),
            self.subject.clone(),
            self.spki.clone().unwrap_or_else(|| key.spki().to_vec()),
            encode(EXTENSIONS, &encode(SEQUENCE, &self.extensions.concat())),
        ];
        let tbs = encode(SEQUENCE, &tbs.concat());
        let signature = issuer.key.sign(&tbs).expect("a signature");
        let signature = encode(BIT_STRING, &[&[0], signature.as_slice()].concat());
        Issued {
            der: encode(SEQUENCE, &[tbs, self.algorithm.clone(), signature].concat()),
            key,
            params: rcgen::CertificateParams::default(),
        }
    }
}

/// A distinguished name of one attribute a set: object identifier, tag and content of each.
pub fn name(attributes: &[(&[u8], u8, &[u8])]) -> Vec<u8> {
    let sets: Vec<u8> = attributes
        .iter()
        .flat_map(|(oid, tag, text)| {
            let pair = [encode(OID, oid), encode(*tag, text)].concat();
            encode(SET, &encode(SEQUENCE, &pair))
        })
        .collect();
    encode(SEQUENCE, &sets)
}

/// A subjectAltName: tag and content of each name.
pub fn names(names: &[(u8, &[u8])]) -> Vec<u8> {
    let all: Vec<u8> = names
        .iter()
        .flat_map(|(tag, content)| encode(*tag, content))
        .collect();
    extension(SUBJECT_ALT_NAME, false, &encode(SEQUENCE, &all))
}

/// An extension.
pub fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xFF] } else { &[] };
    let parts = [
        encode(OID, oid),
        critical.to_vec(),
        encode(OCTET_STRING, value),
    ];
    encode(SEQUENCE, &parts.concat())
}

/// An RSA key of this modulus and exponent, which need not be ones.
pub fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let positive = |content: &[u8]| encode(INTEGER, &[&[0], content].concat());
    let key = encode(SEQUENCE, &[positive(modulus), positive(exponent)].concat());
    let algorithm = unhex("300D06092A864886F70D0101010500");
    let bits = encode(BIT_STRING, &[&[0], key.as_slice()].concat());
    encode(SEQUENCE, &[algorithm, bits].concat())
}

/// The subject of a certificate, as DER.
fn subject_of(issued: &Issued) -> Vec<u8> {
    let parts = der::children(&issued.der);
    let fields = der::children(parts.first().expect("a TBSCertificate"));
    // Version, serial, algorithm, issuer, validity, and then the subject.
    fields.get(5).expect("a subject").clone()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::needs;
    use crate::pki::Pki;

    #[test]
    fn openssl_accepts_one_that_nothing_is_odd_about() {
        needs!("openssl");
        let pki = Pki::new();
        let leaf = Odd::leaf("lb.example.test").issued_by(pki.intermediate());
        let output = Command::new("openssl")
            .args(["verify", "-verify_hostname", "lb.example.test", "-CAfile"])
            .arg(pki.root_file())
            .arg("-untrusted")
            .arg(pki.chain_file([pki.intermediate()]))
            .arg(pki.chain_file([&leaf]))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(said.contains(": OK"), "{said}");
    }
}
