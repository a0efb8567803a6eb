//! The chain that a server should send. Pure.

use super::issuer::{is_anchored, is_issued_by};
use super::{CertificateFacts, ChainFacts, Trust};
use crate::untrusted::Untrusted;

/// Certificates of a chain, at most.
const MOST: usize = 16;

/// What a server should send, DER: its own certificate, and every intermediate up to the root, without
/// the root; of what is served, and of what was fetched.
///
/// # Errors
/// Why there is no whole chain: the certificate whose issuer is missing.
pub fn bundle(
    served: &[CertificateFacts],
    chain: &ChainFacts,
    fetched: &[CertificateFacts],
    trust: &Trust,
) -> Result<Vec<Vec<u8>>, String> {
    let on_path = chain.path.iter().filter_map(|index| served.get(*index));
    let mut path: Vec<&CertificateFacts> = Vec::new();
    for facts in on_path.chain(fetched).take(MOST) {
        if let Some(error) = &facts.error {
            let error = Untrusted::from(error.as_str());
            return Err(format!("a certificate cannot be read: {error}"));
        }
        if let Some(last) = path.last() {
            if is_anchored(last, trust) || last.self_signed {
                break;
            }
            if !is_issued_by(&last.der, &facts.der) {
                continue;
            }
        }
        path.push(facts);
    }
    let Some(top) = path.last().copied() else {
        return Err("the server sends no certificate".into());
    };
    if !top.self_signed && !is_anchored(top, trust) {
        return Err(format!(
            "the certificate of {}, which issued {}, is neither sent nor to be had",
            top.issuer, top.subject
        ));
    }
    // Clients have the root, or refuse it.
    let is_root = |facts: &CertificateFacts| facts.self_signed || trust.holds(&facts.der);
    let sent = path.iter().enumerate();
    let sent = sent.filter(|(place, facts)| *place == 0 || !is_root(facts));
    Ok(sent.map(|(_, facts)| facts.der.clone()).collect())
}
