//! Who issued a certificate: a name and a key, from a certificate or from a trust anchor.

use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use super::chain::{can_verify, issued, signature_is_good, signed_by};
use super::der::sequence;
use super::{CertificateFacts, ChainFacts, Trust};
use crate::untrusted::Untrusted;

/// The name and the key of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issuer {
    /// The distinguished name, DER.
    pub(super) name: Vec<u8>,
    /// The SubjectPublicKeyInfo, DER.
    pub(super) key: Vec<u8>,
    /// Whether its certificate allows it to sign CRLs; an anchor says nothing.
    pub(super) signs_crls: bool,
}

impl Issuer {
    /// The issuer of a certificate: one of these whose key has signed it, else a trust anchor. A name alone
    /// is anybody's: what its key signs would be believed.
    pub(crate) fn find<'a>(
        child: &[u8],
        candidates: impl IntoIterator<Item = &'a CertificateFacts>,
        trust: &Trust,
    ) -> Option<Self> {
        let (_, child) = X509Certificate::from_der(child).ok()?;
        let among = candidates.into_iter().find_map(|facts| {
            let (_, issuer) = X509Certificate::from_der(&facts.der).ok()?;
            let is_name = child.issuer().as_raw() == issuer.subject().as_raw();
            (is_name && signed_by(&child, &issuer)).then(|| Self::of(&issuer))
        });
        among.or_else(|| Self::anchor(&child, trust))
    }

    fn of(certificate: &X509Certificate<'_>) -> Self {
        let usage = certificate.key_usage().ok().flatten();
        Self {
            name: certificate.subject().as_raw().to_vec(),
            key: certificate.public_key().raw.to_vec(),
            signs_crls: usage.is_none_or(|usage| usage.value.crl_sign()),
        }
    }

    /// The trust anchor that issued a certificate.
    pub(super) fn anchor(child: &X509Certificate<'_>, trust: &Trust) -> Option<Self> {
        trust.anchors().iter().find_map(|anchor| {
            let name = sequence(&anchor.subject);
            if child.issuer().as_raw() != name {
                return None;
            }
            let key = sequence(&anchor.subject_public_key_info);
            let (_, parsed) = SubjectPublicKeyInfo::from_der(&key).ok()?;
            let good = signature_is_good(
                &parsed,
                &child.signature_algorithm,
                &child.signature_value,
                child.tbs_certificate.as_ref(),
            );
            let is_issuer = good || !can_verify(&child.signature_algorithm, &parsed);
            is_issuer.then_some(Self {
                name,
                key,
                signs_crls: true,
            })
        })
    }

    /// The name in words.
    pub(super) fn words(&self) -> Untrusted {
        X509Name::from_der(&self.name)
            .map(|(_, name)| name.to_string())
            .unwrap_or_default()
            .into()
    }
}

/// Whether one certificate is issued by another.
pub(crate) fn is_issued_by(child: &[u8], issuer: &[u8]) -> bool {
    let child = X509Certificate::from_der(child);
    let issuer = X509Certificate::from_der(issuer);
    matches!((child, issuer), (Ok((_, child)), Ok((_, issuer))) if issued(&child, &issuer))
}

/// The certificate at the end of the path, where it is no root, and its issuer is neither served nor a
/// trust anchor.
pub(crate) fn without_issuer<'a>(
    served: &'a [CertificateFacts],
    chain: &ChainFacts,
    trust: &Trust,
) -> Option<&'a CertificateFacts> {
    let top = served.get(*chain.path.last()?)?;
    (!top.self_signed && !is_anchored(top, trust)).then_some(top)
}

/// Whether a certificate is a trust anchor, or issued by one.
pub(super) fn is_anchored(facts: &CertificateFacts, trust: &Trust) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(&facts.der) else {
        return false;
    };
    trust.holds(&facts.der) || Issuer::anchor(&certificate, trust).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_only_the_name_does_not_speak_for_the_issuer() {
        // ecdsa-with-SHA512 by P-521, which is not verified here: anybody can have a key of that name.
        let child = include_bytes!("testdata/under-p521.der");
        let other = CertificateFacts::read(include_bytes!("testdata/same-name-as-ca.der"));
        let trust = Trust::mozilla();
        assert_eq!(Issuer::find(child, [&other], &trust), None);
    }

    #[test]
    fn who_has_signed_it_does() {
        let child = include_bytes!("sct/testdata/aws-amazon-com.der");
        let above = CertificateFacts::read(include_bytes!("sct/testdata/amazon-m01.der"));
        let found = Issuer::find(child, [&above], &Trust::mozilla()).unwrap();
        assert_eq!(found.words(), above.subject);
    }
}
