//! What a certificate is to be like.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyUsagePurpose,
    NameConstraints, SanType,
};
use time::{Duration, OffsetDateTime};

use super::Issued;
use super::der;
use super::keys::{Key, KeyKind};
use crate::clock;

/// The hash of the issuer's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256: what rcgen signs with.
    Sha256,
    /// SHA-1: by `openssl`; the issuer needs an RSA key.
    Sha1,
    /// MD5: by `openssl`; the issuer needs an RSA key.
    Md5,
}

/// What a certificate is to be like. [`Spec::leaf`] and [`Spec::ca`] are good ones; each method
/// changes one thing.
#[derive(Clone, Debug)]
pub struct Spec {
    params: CertificateParams,
    key: KeyKind,
    with_key: Option<Arc<Key>>,
    hash: Hash,
    version1: bool,
}

impl Spec {
    /// A good server certificate for these names; an address becomes an iPAddress SAN.
    pub fn leaf(names: &[&str]) -> Self {
        let mut params =
            CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())
                .expect("names are ASCII");
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
        ];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.is_ca = IsCa::ExplicitNoCa;
        Self::new(params)
            .subject(names.first().copied().unwrap_or("no name"))
            .days(-10, 355)
    }

    /// A good certificate authority.
    pub fn ca(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self::new(params).subject(name).days(-400, 2000)
    }

    /// A certificate of a client.
    pub fn client(name: &str) -> Self {
        Self::leaf(&[name]).usage(vec![ExtendedKeyUsagePurpose::ClientAuth])
    }

    fn new(mut params: CertificateParams) -> Self {
        params.use_authority_key_identifier_extension = true;
        Self {
            params,
            key: KeyKind::P256,
            with_key: None,
            hash: Hash::Sha256,
            version1: false,
        }
    }

    /// The kind of key.
    #[must_use]
    pub fn key(mut self, kind: KeyKind) -> Self {
        self.key = kind;
        self
    }

    /// The same key as another certificate.
    #[must_use]
    pub fn key_of(mut self, other: &Issued) -> Self {
        self.with_key = Some(Arc::clone(&other.key));
        self
    }

    /// The subject: only a common name.
    #[must_use]
    pub fn subject(mut self, common_name: &str) -> Self {
        self.params.distinguished_name = DistinguishedName::new();
        self.params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        self
    }

    /// An organisation beside the common name.
    #[must_use]
    pub fn organization(mut self, organization: &str) -> Self {
        self.params
            .distinguished_name
            .push(DnType::OrganizationName, organization);
        self
    }

    /// No subjectAltName: the name stands in the subject only.
    #[must_use]
    pub fn without_sans(mut self) -> Self {
        self.params.subject_alt_names.clear();
        self
    }

    /// One more dNSName, in which any ASCII may stand.
    #[must_use]
    pub fn dns_name(mut self, name: &str) -> Self {
        let name = name.try_into().expect("ASCII");
        self.params.subject_alt_names.push(SanType::DnsName(name));
        self
    }

    /// Valid from so many days from now, to so many days from now.
    #[must_use]
    pub fn days(self, from: i64, to: i64) -> Self {
        let now = clock::now();
        self.dates(now + Duration::days(from), now + Duration::days(to))
    }

    /// Valid between these moments.
    #[must_use]
    pub fn dates(mut self, not_before: OffsetDateTime, not_after: OffsetDateTime) -> Self {
        self.params.not_before = not_before;
        self.params.not_after = not_after;
        self
    }

    /// Past its end since two days.
    #[must_use]
    pub fn expired(self) -> Self {
        self.days(-92, -2)
    }

    /// Valid only from the day after tomorrow.
    #[must_use]
    pub fn not_yet_valid(self) -> Self {
        self.days(2, 92)
    }

    /// These extended key usages instead of serverAuth.
    #[must_use]
    pub fn usage(mut self, usage: Vec<ExtendedKeyUsagePurpose>) -> Self {
        self.params.extended_key_usages = usage;
        self
    }

    /// For clients, not for servers.
    #[must_use]
    pub fn wrong_usage(self) -> Self {
        self.usage(vec![ExtendedKeyUsagePurpose::ClientAuth])
    }

    /// For signing OCSP responses.
    #[must_use]
    pub fn ocsp_signing(self) -> Self {
        self.usage(vec![ExtendedKeyUsagePurpose::OcspSigning])
    }

    /// A CA that may sign certificates, and no lists.
    #[must_use]
    pub fn without_crl_sign(mut self) -> Self {
        self.params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        self
    }

    /// Where an OCSP responder and the issuer's certificate are; either may be empty.
    #[must_use]
    pub fn points_to(mut self, ocsp: &str, issuer: &str) -> Self {
        let access = |last: u8, url: &str| {
            let method = der::encode(der::OID, &[0x2B, 6, 1, 5, 5, 7, 0x30, last]);
            let place = der::encode(0x86, url.as_bytes());
            let whole = der::encode(der::SEQUENCE, &[method, place].concat());
            if url.is_empty() { Vec::new() } else { whole }
        };
        let all = [access(1, ocsp), access(2, issuer)].concat();
        let all = der::encode(der::SEQUENCE, &all);
        let oid = [1, 3, 6, 1, 5, 5, 7, 1, 1];
        let extension = CustomExtension::from_oid_content(&oid, all);
        self.params.custom_extensions.push(extension);
        self
    }

    /// Where the issuer's list is.
    #[must_use]
    pub fn crl_at(mut self, url: &str) -> Self {
        let uris = vec![url.to_owned()];
        self.params.crl_distribution_points = vec![CrlDistributionPoint { uris }];
        self
    }

    /// A response must be stapled (RFC 7633): the TLS feature status_request.
    #[must_use]
    pub fn must_staple(mut self) -> Self {
        let features = der::encode(der::SEQUENCE, &der::encode(der::INTEGER, &[5]));
        let oid = [1, 3, 6, 1, 5, 5, 7, 1, 24];
        let extension = CustomExtension::from_oid_content(&oid, features);
        self.params.custom_extensions.push(extension);
        self
    }

    /// At most so many intermediates below.
    #[must_use]
    pub fn path_length(mut self, length: u8) -> Self {
        self.params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length));
        self
    }

    /// Only names under this domain below.
    #[must_use]
    pub fn only_under(mut self, domain: &str) -> Self {
        self.params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName(domain.into())],
            excluded_subtrees: vec![],
        });
        self
    }

    /// Signed over this hash.
    #[must_use]
    pub fn hash(mut self, hash: Hash) -> Self {
        self.hash = hash;
        self
    }

    /// X.509 version 1: no extensions at all.
    #[must_use]
    pub fn version1(mut self) -> Self {
        self.version1 = true;
        self
    }

    /// Signed by its own key.
    pub fn self_signed(&self) -> Issued {
        let key = self.make_key();
        let issuer = Issuer::from_params(&self.params, &*key);
        self.sign(&key, &issuer, &key)
    }

    /// Signed by another certificate's key. Nothing is checked: any certificate can be the issuer.
    pub fn issued_by(&self, issuer: &Issued) -> Issued {
        let key = self.make_key();
        let signer = Issuer::from_params(&issuer.params, &*issuer.key);
        self.sign(&key, &signer, &issuer.key)
    }

    fn make_key(&self) -> Arc<Key> {
        self.with_key.clone().unwrap_or_else(|| {
            let is_ca = matches!(self.params.is_ca, IsCa::Ca(_));
            Key::of(self.key, if is_ca { "ca" } else { "leaf" })
        })
    }

    fn sign(&self, key: &Arc<Key>, issuer: &Issuer<'_, &Key>, issuer_key: &Key) -> Issued {
        let certificate = self
            .params
            .signed_by(&**key, issuer)
            .expect("a certificate");
        let mut der = certificate.der().to_vec();
        if self.version1 || self.hash != Hash::Sha256 || key.is_foreign() {
            der = der::rewrite(&der, key.spki(), self.version1, self.hash, issuer_key);
        }
        Issued {
            der,
            key: Arc::clone(key),
            params: self.params.clone(),
        }
    }
}
