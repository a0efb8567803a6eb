//! Certificate revocation lists (RFC 5280 §5, §6.3). Pure. A list may have hundreds of thousands of
//! entries: they are stepped over, and only that of the certificate is read.

use rustls_pki_types::CertificateRevocationListDer;
use rustls_pki_types::pem::PemObject;
use time::{Duration, OffsetDateTime};
use x509_cert::der::{Tag, TagNumber};
use x509_parser::asn1_rs::BitString;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{
    DistributionPointName, GeneralName, IssuingDistributionPoint, ParsedExtension, X509Extension,
};
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::RevokedCertificate;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::chain::{can_verify, signature_is_good};
use super::der::{Element, Elements, number};
use super::issuer::Issuer;
use super::status::{RevocationStatus, StatusFacts, StatusProblem, Trouble};

/// Octets of a list, at most.
pub(crate) const MAX_LIST: usize = 16 * 1024 * 1024;

/// Extensions of a list that are read, at most.
const MAX_EXTENSIONS: usize = 32;

/// What a list says of a certificate of this issuer.
pub(crate) fn read(
    list: &[u8],
    subject: &[u8],
    issuer: &Issuer,
    now: OffsetDateTime,
) -> StatusFacts {
    StatusFacts::judge(|facts| {
        if list.len() > MAX_LIST {
            return Err(unreadable("it is too long"));
        }
        // It is to be DER (RFC 5280 §4.2.1.13); some serve PEM.
        let unwrapped = list
            .starts_with(b"-----BEGIN")
            .then(|| CertificateRevocationListDer::from_pem_slice(list).ok())
            .flatten();
        let list = unwrapped.as_deref().unwrap_or(list);
        let (_, subject) = X509Certificate::from_der(subject)
            .map_err(|_| unreadable("the certificate itself cannot be read"))?;
        let list = List::read(list)?;
        if list.issuer != issuer.name {
            let why = "it is another issuer's list";
            return Err((StatusProblem::WrongSigner, why.into()));
        }
        facts.this_update = Some(list.this_update);
        facts.next_update = list.next_update;
        list.verify(issuer)?;
        facts.signer = Some(issuer.words());
        if list.next_update.is_none() {
            return Err(unreadable("it has no nextUpdate"));
        }
        facts.check_dates(now, Duration::ZERO)?;
        let only_some_reasons = list.covers(&subject)?;
        match list.entry(subject.raw_serial())? {
            Some(entry) => {
                let reason = entry.reason_code().map(|(_, reason)| u32::from(reason.0));
                facts.revoked(entry.revocation_date.to_datetime(), reason);
                facts.evidence = "it stands in the issuer's list".into();
            }
            None if only_some_reasons => {
                let why = "it does not stand in the list, which has only some reasons";
                return Err((StatusProblem::Unsupported, why.into()));
            }
            None => {
                facts.status = RevocationStatus::Good;
                facts.evidence = "it does not stand in the issuer's list".into();
            }
        }
        Ok(())
    })
}

/// A list, its entries unread.
struct List<'a> {
    signed: &'a [u8],
    algorithm: AlgorithmIdentifier<'a>,
    signature: BitString<'a>,
    issuer: &'a [u8],
    this_update: OffsetDateTime,
    next_update: Option<OffsetDateTime>,
    entries: &'a [u8],
    extensions: Vec<X509Extension<'a>>,
}

impl<'a> List<'a> {
    fn read(der: &'a [u8]) -> Result<Self, Trouble> {
        Self::parts(der).ok_or_else(|| unreadable("it is no CertificateList"))
    }

    fn parts(der: &'a [u8]) -> Option<Self> {
        let mut outer = Elements::of_sequence(der)?;
        let signed = outer.next()?;
        let (_, algorithm) = AlgorithmIdentifier::from_der(outer.next()?.whole).ok()?;
        let (_, signature) = BitString::from_der(outer.next()?.whole).ok()?;
        let mut parts = Elements::of_sequence(signed.whole)?;
        parts.next_if(|tag| tag == Tag::Integer);
        parts.next_if(|tag| tag == Tag::Sequence)?; // the algorithm once more
        let issuer = parts.next_if(|tag| tag == Tag::Sequence)?.whole;
        let is_time = |tag| matches!(tag, Tag::UtcTime | Tag::GeneralizedTime);
        let this_update = moment(parts.next_if(is_time)?)?;
        let next_update = match parts.next_if(is_time) {
            Some(time) => Some(moment(time)?),
            None => None,
        };
        let entries = parts.next_if(|tag| tag == Tag::Sequence);
        let wrapped = parts.next_if(|tag| {
            tag == Tag::ContextSpecific {
                constructed: true,
                number: TagNumber::N0,
            }
        });
        let extensions = match wrapped {
            Some(wrapped) => Elements::of_sequence(wrapped.content)?
                .take(MAX_EXTENSIONS + 1)
                .map(|one| X509Extension::from_der(one.whole).ok().map(|(_, one)| one))
                .collect::<Option<Vec<_>>>()?,
            None => Vec::new(),
        };
        if !parts.is_empty() || extensions.len() > MAX_EXTENSIONS {
            return None;
        }
        Some(Self {
            signed: signed.whole,
            algorithm,
            signature,
            issuer,
            this_update,
            next_update,
            entries: entries.map(|entries| entries.content).unwrap_or_default(),
            extensions,
        })
    }

    /// Whether the issuer has signed it, and may.
    fn verify(&self, issuer: &Issuer) -> Result<(), Trouble> {
        let (_, key) = SubjectPublicKeyInfo::from_der(&issuer.key)
            .map_err(|_| unreadable("the issuer's key cannot be read"))?;
        if !signature_is_good(&key, &self.algorithm, &self.signature, self.signed) {
            let name = issuer.words();
            return Err(if can_verify(&self.algorithm, &key) {
                let why = format!("its signature does not verify under the key of {name}");
                (StatusProblem::BadSignature, why)
            } else {
                let oid = self.algorithm.algorithm.to_id_string();
                let why = format!("its signature, {oid}, cannot be verified here");
                (StatusProblem::Unsupported, why)
            });
        }
        if !issuer.signs_crls {
            let why = "the issuer's certificate is without cRLSign";
            return Err((StatusProblem::WrongSigner, why.into()));
        }
        Ok(())
    }

    /// Whether this certificate would stand in it; and whether only for some reasons.
    fn covers(&self, subject: &X509Certificate<'_>) -> Result<bool, Trouble> {
        let mut only_some_reasons = false;
        for extension in &self.extensions {
            match extension.parsed_extension() {
                ParsedExtension::IssuingDistributionPoint(point) => {
                    only_some_reasons |= point.only_some_reasons.is_some();
                    in_scope(point, subject)?;
                }
                _ if extension.critical => {
                    let oid: String = extension.oid.to_id_string().chars().take(64).collect();
                    let why = format!("the list has the critical extension {oid}");
                    return Err((StatusProblem::Unsupported, why));
                }
                _ => {}
            }
        }
        Ok(only_some_reasons)
    }

    /// The entry with this serial number.
    fn entry(&self, serial: &[u8]) -> Result<Option<RevokedCertificate<'a>>, Trouble> {
        let serial = number(serial);
        let mut entries = Elements::of(self.entries);
        for entry in entries.by_ref() {
            let first = Elements::of(entry.content).next();
            if first.is_some_and(|first| number(first.content) == serial) {
                let (_, entry) = RevokedCertificate::from_der(entry.whole)
                    .map_err(|_| unreadable("the entry of the certificate cannot be read"))?;
                return Ok(Some(entry));
            }
        }
        if entries.is_empty() {
            Ok(None)
        } else {
            Err(unreadable("its entries break off"))
        }
    }
}

/// Whether the certificate is one of those that the list is about (RFC 5280 §6.3.3 (b)).
fn in_scope(
    point: &IssuingDistributionPoint<'_>,
    subject: &X509Certificate<'_>,
) -> Result<(), Trouble> {
    let unsupported = |why: &str| Err((StatusProblem::Unsupported, why.into()));
    if point.indirect_crl {
        return unsupported("an indirect list, of several issuers");
    }
    let is_ca = subject.is_ca();
    if point.only_contains_attribute_certs
        || (point.only_contains_ca_certs && !is_ca)
        || (point.only_contains_user_certs && is_ca)
    {
        let why = "the list is about another kind of certificates";
        return Err((StatusProblem::WrongCertificate, why.into()));
    }
    match &point.distribution_point {
        None => Ok(()),
        Some(DistributionPointName::FullName(names)) => {
            let ours = distribution_points(subject);
            let is_ours = uris(names).any(|uri| ours.contains(&uri));
            if is_ours {
                return Ok(());
            }
            let why = "the list is another part of the issuer's: its distribution point is not \
                       one of the certificate's";
            Err((StatusProblem::WrongCertificate, why.into()))
        }
        Some(_) => unsupported("a distribution point that is named relative to its issuer"),
    }
}

/// Where the certificate says that its list is.
pub(super) fn distribution_points<'a>(certificate: &'a X509Certificate<'_>) -> Vec<&'a str> {
    let mut all = Vec::new();
    for extension in certificate.extensions() {
        let ParsedExtension::CRLDistributionPoints(points) = extension.parsed_extension() else {
            continue;
        };
        for point in points.points.iter().take(16) {
            if let Some(DistributionPointName::FullName(names)) = &point.distribution_point {
                all.extend(uris(names).take(16));
            }
        }
    }
    all
}

fn uris<'a>(names: &'a [GeneralName<'_>]) -> impl Iterator<Item = &'a str> {
    names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => Some(*uri),
        _ => None,
    })
}

fn moment(time: Element<'_>) -> Option<OffsetDateTime> {
    let (_, time) = ASN1Time::from_der(time.whole).ok()?;
    Some(time.to_datetime())
}

fn unreadable(why: &str) -> Trouble {
    (
        StatusProblem::Unreadable,
        format!("the list cannot be read: {why}"),
    )
}
