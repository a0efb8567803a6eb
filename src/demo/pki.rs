//! The demo's certificates: a root and an intermediate made at start, and leaves good and bad.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use time::{Duration, OffsetDateTime};

/// Which certificate a server is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    /// Valid, with its intermediate.
    Good,
    /// Expired 12 days ago.
    Expired,
    /// For another name.
    OtherName,
    /// Without its intermediate.
    Alone,
}

/// A chain as a server sends it, and its key.
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// A root, and an intermediate under it.
pub(super) struct Pki {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: CertifiedIssuer<'static, KeyPair>,
    now: OffsetDateTime,
}

impl Pki {
    pub(super) fn new(now: OffsetDateTime) -> Result<Self, rcgen::Error> {
        let root = CertifiedIssuer::self_signed(
            authority("gladhand demo root", now, BasicConstraints::Unconstrained),
            KeyPair::generate()?,
        )?;
        let intermediate = CertifiedIssuer::signed_by(
            authority(
                "gladhand demo intermediate",
                now,
                BasicConstraints::Constrained(0),
            ),
            KeyPair::generate()?,
            &root,
        )?;
        Ok(Self {
            root,
            intermediate,
            now,
        })
    }

    pub(super) fn root_pem(&self) -> String {
        self.root.pem()
    }

    /// A certificate for a host, and what is wrong with it.
    pub(super) fn identity(&self, host: &str, leaf: Leaf) -> Result<Identity, rcgen::Error> {
        let name = if leaf == Leaf::OtherName {
            "other.demo.test"
        } else {
            host
        };
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.distinguished_name = distinguished_name(name);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = self.now - Duration::days(20);
        params.not_after = self.now + Duration::days(70);
        if leaf == Leaf::Expired {
            params.not_before = self.now - Duration::days(102);
            params.not_after = self.now - Duration::days(12);
        }
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.intermediate)?;
        let mut chain = vec![certificate.der().clone()];
        if leaf != Leaf::Alone {
            chain.push(self.intermediate.der().clone());
        }
        Ok(Identity {
            chain,
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        })
    }
}

fn authority(name: &str, now: OffsetDateTime, basic: BasicConstraints) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name(name);
    params.is_ca = IsCa::Ca(basic);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = now - Duration::days(400);
    params.not_after = now + Duration::days(3650);
    params
}

fn distinguished_name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}
