//! What certificates come in where an issuer's are to be fetched (RFC 5280 §4.2.2.1): DER, PEM, or a
//! PKCS #7 message that has nothing but certificates (RFC 5652 §5). Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_cert::der::{Tag, TagNumber};

use super::der::Elements;

/// Certificates that are taken, at most.
const MOST: usize = 16;

/// A certificate in PEM form (RFC 7468): lines of 64 characters.
pub fn pem(der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}

/// id-signedData, as it is encoded.
const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];

/// The certificates in there, DER; none where it is nothing of that kind.
pub(crate) fn certificates_in(bytes: &[u8]) -> Vec<Vec<u8>> {
    let begin = b"-----BEGIN";
    if bytes.windows(begin.len()).any(|window| window == begin) {
        let all = CertificateDer::pem_slice_iter(bytes).take(MOST);
        return all.filter_map(Result::ok).map(|der| der.to_vec()).collect();
    }
    if let Some(all) = signed_data(bytes) {
        return all;
    }
    match Elements::of_sequence(bytes) {
        Some(_) => vec![bytes.to_vec()],
        None => Vec::new(),
    }
}

fn signed_data(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let context = |tag| {
        tag == Tag::ContextSpecific {
            constructed: true,
            number: TagNumber::N0,
        }
    };
    let mut outer = Elements::of_sequence(bytes)?;
    let kind = outer.next_if(|tag| tag == Tag::ObjectIdentifier)?;
    if kind.content != SIGNED_DATA {
        return None;
    }
    let mut parts = Elements::of_sequence(outer.next_if(context)?.content)?;
    parts.next_if(|tag| tag == Tag::Integer)?;
    parts.next_if(|tag| tag == Tag::Set)?;
    parts.next_if(|tag| tag == Tag::Sequence)?;
    let certificates = Elements::of(parts.next_if(context)?.content).take(MOST);
    Some(certificates.map(|one| one.whole.to_vec()).collect())
}
