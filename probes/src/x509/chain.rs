//! How the certificates of a chain belong together. Pure.

use aws_lc_rs::signature as aws;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use x509_parser::asn1_rs::BitString;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;
use x509_parser::verify::verify_signature;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::facts::{CertificateFacts, KeyFacts};

/// How served certificates belong together. Numbers count from 0 in the order as sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainFacts {
    /// The path from the server's certificate upwards, through what was served.
    pub path: Vec<usize>,
    /// Whether the path's certificates were sent in that order (RFC 5246 §7.4.2; TLS 1.3 only
    /// recommends it).
    pub in_order: bool,
    /// Certificates that were sent before.
    pub duplicates: Vec<usize>,
    /// Certificates that no other one needs.
    pub unrelated: Vec<usize>,
    /// Self-signed certificates other than the server's own.
    pub roots: Vec<usize>,
}

/// How these certificates belong together.
pub fn chain_facts(served: &[CertificateFacts]) -> ChainFacts {
    let parsed: Vec<Option<X509Certificate<'_>>> = served
        .iter()
        .map(|facts| {
            X509Certificate::from_der(&facts.der)
                .ok()
                .map(|(_, certificate)| certificate)
        })
        .collect();
    let at = |index: usize| parsed.get(index).and_then(Option::as_ref);
    let mut facts = ChainFacts::default();
    let mut seen: Vec<&[u8]> = Vec::new();
    for (index, certificate) in served.iter().enumerate() {
        if seen.contains(&certificate.der.as_slice()) {
            facts.duplicates.push(index);
        } else {
            seen.push(&certificate.der);
        }
        if index > 0 && certificate.self_signed {
            facts.roots.push(index);
        }
    }
    if served.is_empty() {
        return facts;
    }
    facts.path.push(0);
    let mut current = 0;
    while let Some(child) = at(current) {
        if served.get(current).is_some_and(|child| child.self_signed) {
            break;
        }
        // The next one first: that is where the issuer belongs.
        let candidates = (current + 1..served.len()).chain(0..current);
        let issuer = candidates
            .filter(|index| !facts.path.contains(index) && !facts.duplicates.contains(index))
            .find(|index| at(*index).is_some_and(|issuer| issued(child, issuer)));
        let Some(issuer) = issuer else { break };
        facts.path.push(issuer);
        current = issuer;
    }
    facts.in_order = facts.path.is_sorted();
    let on_path = |index: &usize| facts.path.contains(index);
    // Another certificate of the same issuer and key (a cross-signature) belongs to the chain too.
    let alternate = |index: usize| {
        at(index).is_some_and(|other| {
            facts
                .path
                .iter()
                .filter_map(|on| at(*on))
                .any(|certificate| {
                    certificate.subject().as_raw() == other.subject().as_raw()
                        && certificate.public_key().raw == other.public_key().raw
                        || issued(certificate, other)
                })
        })
    };
    facts.unrelated = (0..served.len())
        .filter(|index| !on_path(index) && !facts.duplicates.contains(index))
        .filter(|index| at(*index).is_some())
        .filter(|index| !alternate(*index))
        .collect();
    facts
}

/// Whether one certificate is issued by another: the names fit, and the signature, where it can be
/// verified here, else the key identifiers.
pub(super) fn issued(child: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    let (algorithm, key) = (&child.signature_algorithm, issuer.public_key());
    child.issuer().as_raw() == issuer.subject().as_raw()
        && (signed_by(child, issuer)
            || (!can_verify(algorithm, key) && identifiers_fit(child, issuer)))
}

/// Whether the signature on one certificate verifies under another's key.
pub(super) fn signed_by(child: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    let (algorithm, key) = (&child.signature_algorithm, issuer.public_key());
    signature_is_good(
        key,
        algorithm,
        &child.signature_value,
        child.tbs_certificate.as_ref(),
    )
}

/// Whether a signature verifies under a key.
pub(super) fn signature_is_good(
    key: &SubjectPublicKeyInfo<'_>,
    algorithm: &AlgorithmIdentifier<'_>,
    signature: &BitString<'_>,
    signed: &[u8],
) -> bool {
    if verify_signature(key, algorithm, signature, signed).is_ok() {
        return true;
    }
    // Keys and hashes that are no longer good enough still tell who signed what.
    let legacy: &dyn aws::VerificationAlgorithm = match oid(algorithm).as_str() {
        "1.2.840.113549.1.1.5" => &aws::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        "1.2.840.113549.1.1.11" => &aws::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        "1.2.840.113549.1.1.13" => &aws::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        _ => return false,
    };
    aws::UnparsedPublicKey::new(legacy, &key.subject_public_key.data)
        .verify(signed, &signature.data)
        .is_ok()
}

/// Whether a signature of this algorithm and key can be verified here at all.
pub(super) fn can_verify(
    algorithm: &AlgorithmIdentifier<'_>,
    key: &SubjectPublicKeyInfo<'_>,
) -> bool {
    let key = KeyFacts::of(key);
    let algorithm = oid(algorithm);
    // No key of another type has made it: that needs no verification.
    let of_type = match key.algorithm.as_str() {
        "RSA" => algorithm.starts_with("1.2.840.113549.1.1."),
        "EC" => algorithm.starts_with("1.2.840.10045.4."),
        _ => true,
    };
    if !of_type {
        return true;
    }
    let has_bits = |least| key.bits.is_some_and(|bits| (least..=8192).contains(&bits));
    match algorithm.as_str() {
        "1.2.840.113549.1.1.5" | "1.2.840.113549.1.1.11" | "1.2.840.113549.1.1.13" => {
            has_bits(1024)
        }
        // No short keys with SHA-384.
        "1.2.840.113549.1.1.12" => has_bits(2048),
        "1.2.840.10045.4.3.2" | "1.2.840.10045.4.3.3" => {
            matches!(key.curve.as_deref(), Some("secp256r1" | "secp384r1"))
        }
        "1.3.101.112" => true,
        _ => false,
    }
}

fn oid(algorithm: &AlgorithmIdentifier<'_>) -> String {
    algorithm.algorithm.to_id_string()
}

/// Whether the key identifiers fit, where both are there (RFC 5280 §4.2.1.1).
fn identifiers_fit(child: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    let authority = child
        .extensions()
        .iter()
        .find_map(|e| match e.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(aki) => {
                aki.key_identifier.as_ref().map(|id| id.0)
            }
            _ => None,
        });
    let subject = issuer
        .extensions()
        .iter()
        .find_map(|e| match e.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
            _ => None,
        });
    match (authority, subject) {
        (Some(authority), Some(subject)) => authority == subject,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_that_is_not_verified_here_does_not_part_a_chain() {
        // sha384WithRSAEncryption by a key of 1024 bits.
        let child = include_bytes!("testdata/under-rsa1024-sha384.der");
        let issuer = include_bytes!("testdata/ca-rsa1024.der");
        let served = [
            CertificateFacts::read(child),
            CertificateFacts::read(issuer),
        ];
        assert_eq!(chain_facts(&served).path, [0, 1]);
    }
}
