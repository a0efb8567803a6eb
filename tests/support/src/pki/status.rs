//! What an issuer says of its certificates: OCSP responses and revocation lists, good ones and every
//! kind of bad one. `openssl ocsp` makes only good ones.

use rcgen::{
    CertificateRevocationListParams, Issuer, KeyUsagePurpose, RevocationReason, RevokedCertParams,
    SerialNumber, SigningKey,
};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use super::der::{BIT_STRING, INTEGER, OID, SEQUENCE, children, encode};
use super::{Issued, KeyKind};
use crate::clock;

const OCTET_STRING: u8 = 0x04;
const ENUMERATED: u8 = 0x0A;
const GENERALIZED_TIME: u8 = 0x18;
const NULL: [u8; 2] = [0x05, 0x00];

/// An OCSP response about one certificate. [`Ocsp::good`] is a good one, by the issuer itself; each
/// method changes one thing.
#[derive(Clone, Debug)]
pub struct Ocsp {
    serial: Vec<u8>,
    issuer: Issued,
    signer: Issued,
    delegate: bool,
    status: Vec<u8>,
    this_update: OffsetDateTime,
    next_update: Option<OffsetDateTime>,
    nonce: Option<Vec<u8>>,
    broken: bool,
}

impl Ocsp {
    /// The certificate is not revoked: said yesterday, for a week.
    pub fn good(certificate: &Issued, issuer: &Issued) -> Self {
        let now = clock::now();
        Self {
            serial: field(certificate, 1),
            issuer: issuer.clone(),
            signer: issuer.clone(),
            delegate: false,
            status: encode(0x80, &[]),
            this_update: now - Duration::days(1),
            next_update: Some(now + Duration::days(6)),
            nonce: None,
            broken: false,
        }
    }

    /// It is revoked since so many days, for keyCompromise.
    #[must_use]
    pub fn revoked(mut self, days: i64) -> Self {
        let at = moment(clock::now() - Duration::days(days));
        let reason = encode(0xA0, &encode(ENUMERATED, &[1]));
        self.status = encode(0xA1, &[at, reason].concat());
        self
    }

    /// The responder does not know it.
    #[must_use]
    pub fn unknown(mut self) -> Self {
        self.status = encode(0x82, &[]);
        self
    }

    /// From so many days from now; to so many days from now, or without an end.
    #[must_use]
    pub fn days(mut self, from: i64, to: Option<i64>) -> Self {
        let now = clock::now();
        self.this_update = now + Duration::days(from);
        self.next_update = to.map(|to| now + Duration::days(to));
        self
    }

    /// Signed by somebody else, whose certificate comes along.
    #[must_use]
    pub fn signed_by(mut self, signer: &Issued) -> Self {
        self.signer = signer.clone();
        self.delegate = true;
        self
    }

    /// With this nonce.
    #[must_use]
    pub fn nonce(mut self, nonce: &[u8]) -> Self {
        self.nonce = Some(nonce.to_vec());
        self
    }

    /// The signature is wrong.
    #[must_use]
    pub fn broken(mut self) -> Self {
        self.broken = true;
        self
    }

    /// The response, DER.
    pub fn der(&self) -> Vec<u8> {
        let sha256 = encode(OID, &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01]);
        let cert_id = [
            encode(SEQUENCE, &[sha256, NULL.to_vec()].concat()),
            encode(OCTET_STRING, &Sha256::digest(field(&self.issuer, 5))),
            encode(OCTET_STRING, &Sha256::digest(key_bits(&self.issuer))),
            self.serial.clone(),
        ];
        let next = self.next_update.map(|next| encode(0xA0, &moment(next)));
        let single = [
            encode(SEQUENCE, &cert_id.concat()),
            self.status.clone(),
            moment(self.this_update),
            next.unwrap_or_default(),
        ];
        let singles = encode(SEQUENCE, &encode(SEQUENCE, &single.concat()));
        let nonce = self.nonce.as_ref().map(|nonce| {
            let id = encode(OID, &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 2]);
            let value = encode(OCTET_STRING, &encode(OCTET_STRING, nonce));
            let extension = encode(SEQUENCE, &[id, value].concat());
            encode(0xA1, &encode(SEQUENCE, &extension))
        });
        let data = [
            encode(0xA1, &field(&self.signer, 5)),
            moment(self.this_update),
            singles,
            nonce.unwrap_or_default(),
        ];
        let data = encode(SEQUENCE, &data.concat());
        let mut bits = vec![0];
        bits.extend(self.signer.key.sign(&data).expect("a signature"));
        if self.broken {
            // Still a signature, of something else.
            bits = vec![0];
            bits.extend(
                self.signer
                    .key
                    .sign(b"something else")
                    .expect("a signature"),
            );
        }
        let certificates = if self.delegate {
            encode(0xA0, &encode(SEQUENCE, &self.signer.der))
        } else {
            Vec::new()
        };
        let basic = [
            data,
            algorithm(&self.signer),
            encode(BIT_STRING, &bits),
            certificates,
        ];
        let id = encode(OID, &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 1]);
        let bytes = [id, encode(OCTET_STRING, &encode(SEQUENCE, &basic.concat()))];
        let bytes = encode(0xA0, &encode(SEQUENCE, &bytes.concat()));
        encode(SEQUENCE, &[encode(ENUMERATED, &[0]), bytes].concat())
    }
}

/// A response that is none: 3 tryLater, 6 unauthorized (RFC 6960 §4.2.1).
pub fn ocsp_error(status: u8) -> Vec<u8> {
    encode(SEQUENCE, &encode(ENUMERATED, &[status]))
}

/// The nonce in an OCSP request, where it has one.
pub fn nonce_in(request: &[u8]) -> Option<Vec<u8>> {
    let id = encode(OID, &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 2]);
    let at = request.windows(id.len()).position(|window| window == id)?;
    let value = request.get(at + id.len()..)?;
    let length = usize::from(*value.get(3)?);
    value.get(4..4 + length).map(<[u8]>::to_vec)
}

/// A revocation list. [`Crl::of`] is a good one; each method changes one thing.
#[derive(Clone, Debug)]
pub struct Crl {
    issuer: Issued,
    signer: Issued,
    revoked: Vec<Vec<u8>>,
    days: (i64, i64),
    point: Option<String>,
}

impl Crl {
    /// A list of this issuer on which nobody stands.
    pub fn of(issuer: &Issued) -> Self {
        Self {
            issuer: issuer.clone(),
            signer: issuer.clone(),
            revoked: Vec::new(),
            days: (-1, 6),
            point: None,
        }
    }

    /// One more certificate, since ten days, for superseded.
    #[must_use]
    pub fn with(mut self, certificate: &Issued) -> Self {
        let serial = field(certificate, 1);
        self.revoked
            .push(serial.get(2..).expect("a short number").to_vec());
        self
    }

    /// So many others.
    #[must_use]
    pub fn with_others(mut self, count: u32) -> Self {
        let serial = |number: u32| [&[0x11; 12], &number.to_be_bytes()[..]].concat();
        self.revoked.extend((0..count).map(serial));
        self
    }

    /// From so many days from now, to so many days from now.
    #[must_use]
    pub fn days(mut self, from: i64, to: i64) -> Self {
        self.days = (from, to);
        self
    }

    /// Signed with another key.
    #[must_use]
    pub fn signed_by(mut self, signer: &Issued) -> Self {
        self.signer = signer.clone();
        self
    }

    /// The part of the issuer's list that is at this place.
    #[must_use]
    pub fn of_point(mut self, url: &str) -> Self {
        self.point = Some(url.into());
        self
    }

    /// The list, DER.
    pub fn der(&self) -> Vec<u8> {
        let now = clock::now();
        let revoked = self.revoked.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: now - Duration::days(10),
            reason_code: Some(RevocationReason::Superseded),
            invalidity_date: None,
        });
        let point = self
            .point
            .clone()
            .map(|uri| rcgen::CrlIssuingDistributionPoint {
                distribution_point: rcgen::CrlDistributionPoint { uris: vec![uri] },
                scope: None,
            });
        let list = CertificateRevocationListParams {
            this_update: now + Duration::days(self.days.0),
            next_update: now + Duration::days(self.days.1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: point,
            revoked_certs: revoked.collect(),
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        let mut params = self.issuer.params.clone();
        // rcgen would not sign with a certificate that may not.
        params.key_usages.push(KeyUsagePurpose::CrlSign);
        let issuer = Issuer::from_params(&params, &*self.signer.key);
        list.signed_by(&issuer).expect("a list").der().to_vec()
    }
}

/// A PKCS #7 message that has nothing but these certificates.
pub fn pkcs7(certificates: &[&Issued]) -> Vec<u8> {
    let id = |last: u8| encode(OID, &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, last]);
    let all: Vec<u8> = certificates
        .iter()
        .flat_map(|one| one.der.clone())
        .collect();
    let signed = [
        encode(INTEGER, &[1]),
        encode(0x31, &[]),
        encode(SEQUENCE, &id(1)),
        encode(0xA0, &all),
        encode(0x31, &[]),
    ];
    let signed = encode(0xA0, &encode(SEQUENCE, &signed.concat()));
    encode(SEQUENCE, &[id(2), signed].concat())
}

/// A line of the index that `openssl ocsp` and `openssl ca` read: valid, or revoked since yesterday.
pub fn index_line(certificate: &Issued, revoked: bool) -> String {
    let serial = field(certificate, 1);
    let serial: String = serial
        .get(2..)
        .expect("a short number")
        .iter()
        .skip_while(|octet| **octet == 0)
        .map(|octet| format!("{octet:02X}"))
        .collect();
    let time = |days: i64| {
        let at = clock::now() + Duration::days(days);
        let (date, time) = (at.date(), at.time());
        format!(
            "{:02}{:02}{:02}{:02}{:02}{:02}Z",
            date.year() % 100,
            u8::from(date.month()),
            date.day(),
            time.hour(),
            time.minute(),
            time.second()
        )
    };
    let state = if revoked {
        format!("R\t{}\t{},keyCompromise", time(300), time(-1))
    } else {
        format!("V\t{}\t", time(300))
    };
    format!("{state}\t{serial}\tunknown\t/CN=x\n")
}

/// A field of a version 3 certificate: 1 the serial number, 5 the subject, 6 the public key.
fn field(certificate: &Issued, index: usize) -> Vec<u8> {
    let parts = children(&certificate.der);
    let fields = children(parts.first().expect("a TBSCertificate"));
    fields.get(index).expect("a field").clone()
}

/// The key without tag, length and number of unused bits: what OCSP hashes.
fn key_bits(certificate: &Issued) -> Vec<u8> {
    let parts = children(&field(certificate, 6));
    let bits = parts.get(1).expect("a BIT STRING");
    let header = match bits[1] {
        0x81 => 4,
        0x82 => 5,
        _ => 3,
    };
    bits.get(header..).expect("a key").to_vec()
}

fn algorithm(signer: &Issued) -> Vec<u8> {
    match signer.key.kind() {
        // ecdsa-with-SHA256
        KeyKind::P256 => encode(
            SEQUENCE,
            &encode(OID, &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2]),
        ),
        // sha256WithRSAEncryption
        KeyKind::Rsa(_) => {
            let id = encode(OID, &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11]);
            encode(SEQUENCE, &[id, NULL.to_vec()].concat())
        }
        other => panic!("no responder signs with {other:?} here"),
    }
}

fn moment(at: OffsetDateTime) -> Vec<u8> {
    let (date, time) = (at.date(), at.time());
    let text = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    encode(GENERALIZED_TIME, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::needs;
    use crate::pki::{Pki, Spec};

    /// What `openssl ocsp` makes of a response.
    fn openssl(pki: &Pki, leaf: &Issued, response: &[u8]) -> String {
        let output = Command::new("openssl")
            .args(["ocsp", "-no_nonce", "-respin"])
            .arg(pki.file("resp", response))
            .arg("-issuer")
            .arg(pki.chain_file([pki.intermediate()]))
            .args(["-sha256", "-cert"])
            .arg(pki.chain_file([leaf]))
            .arg("-CAfile")
            .arg(pki.root_file())
            .arg("-verify_other")
            .arg(pki.chain_file([pki.intermediate()]))
            .output()
            .unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    #[test]
    fn openssl_reads_these_responses_alike() {
        needs!("openssl");
        for pki in [Pki::new(), Pki::rsa()] {
            let leaf = pki.leaf(&["lb.example.test"]);
            let ca = pki.intermediate();
            let good = || Ocsp::good(&leaf, ca);
            let delegate = pki.issue(&Spec::leaf(&["responder"]).ocsp_signing());
            let other = pki.leaf(&["other.example.test"]);
            for (response, expected) in [
                (good(), "Response verify OK"),
                (good(), ": good"),
                (good().signed_by(&delegate), "Response verify OK"),
                (good().signed_by(&other), "Response Verify Failure"),
                (good().broken(), "Response Verify Failure"),
                (good().revoked(3), ": revoked"),
                (good().revoked(3), "Reason: keyCompromise"),
                (good().unknown(), ": unknown"),
                (good().days(-9, Some(-2)), "status expired"),
                (good().days(2, Some(9)), "status not yet valid"),
                (Ocsp::good(&other, ca), "No Status found"),
            ] {
                let said = openssl(&pki, &leaf, &response.der());
                assert!(said.contains(expected), "{expected}: {said}");
            }
            let said = openssl(&pki, &leaf, &ocsp_error(3));
            assert!(said.to_lowercase().contains("trylater"), "{said}");
        }
    }
}
