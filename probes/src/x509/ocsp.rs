//! OCSP (RFC 6960): the request about a certificate, and what a response says of it. Pure.

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};
use time::{Duration, OffsetDateTime};
use x509_cert::der::asn1::{Null, ObjectIdentifier, OctetString};
use x509_cert::der::{self, Decode, Encode};
use x509_cert::ext::Extension;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_ocsp::{
    BasicOcspResponse, CertId, CertStatus, OcspGeneralizedTime, OcspRequest, OcspResponse,
    OcspResponseStatus, Request, ResponderId, TbsRequest, Version,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::chain::{can_verify, signature_is_good};
use super::der::{Elements, number};
use super::issuer::Issuer;
use super::status::{RevocationStatus, StatusFacts, StatusProblem, Trouble};

/// Octets of a response, at most.
pub(crate) const MAX_RESPONSE: usize = 64 * 1024;

/// Certificates in a response that are looked at, at most.
const MAX_CERTIFICATES: usize = 8;

/// How long a response without a nextUpdate is taken: no public CA may give one out for longer.
const WITHOUT_NEXT_UPDATE: Duration = Duration::days(10);

const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");
const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
const SHA1_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");

/// Asks about one certificate, with a nonce (RFC 9654). None where it cannot be asked about: its serial
/// number is none.
pub(crate) fn request(subject: &[u8], issuer: &Issuer, nonce: &[u8]) -> Option<Vec<u8>> {
    let (_, subject) = X509Certificate::from_der(subject).ok()?;
    let encode = || -> der::Result<Vec<u8>> {
        // Every responder knows SHA-1 here, and some nothing else; nothing secret hangs on it.
        let cert_id = CertId {
            hash_algorithm: AlgorithmIdentifierOwned {
                oid: SHA1_OID,
                parameters: Some(Null.into()),
            },
            issuer_name_hash: hash(&SHA1_FOR_LEGACY_USE_ONLY, &issuer.name)?,
            issuer_key_hash: hash(&SHA1_FOR_LEGACY_USE_ONLY, &key_bits(&issuer.key))?,
            serial_number: SerialNumber::new(subject.raw_serial())?,
        };
        let nonce = Extension {
            extn_id: NONCE,
            critical: false,
            extn_value: OctetString::new(OctetString::new(nonce)?.to_der()?)?,
        };
        let request = OcspRequest {
            tbs_request: TbsRequest {
                version: Version::V1,
                requestor_name: None,
                request_list: vec![Request {
                    req_cert: cert_id,
                    single_request_extensions: None,
                }],
                request_extensions: Some(vec![nonce]),
            },
            optional_signature: None,
        };
        request.to_der()
    };
    encode().ok()
}

/// What a response says of a certificate of this issuer. `nonce` is what it was asked with; one that
/// answers nobody in particular has none, and is as good.
pub(crate) fn read(
    response: &[u8],
    subject: &[u8],
    issuer: &Issuer,
    nonce: Option<&[u8]>,
    now: OffsetDateTime,
) -> StatusFacts {
    StatusFacts::judge(|facts| {
        let basic = basic(response)?;
        let decoded =
            BasicOcspResponse::from_der(&basic).map_err(|error| unreadable(&error.to_string()))?;
        let data = &decoded.tbs_response_data;
        let (_, subject) =
            X509Certificate::from_der(subject).map_err(|_| unreadable("the certificate itself"))?;
        let mut other = None;
        let single = data.responses.iter().find(|single| {
            let is_it = concerns(&single.cert_id, &subject, issuer);
            if let Err((problem, why)) = is_it {
                // One that cannot be told may be the one that is meant.
                if other.is_none() || problem == StatusProblem::Unsupported {
                    other = Some((problem, why));
                }
            }
            is_it.is_ok()
        });
        let Some(single) = single else {
            let nothing = "it is about no certificate at all";
            let (problem, why) = other.unwrap_or((StatusProblem::WrongCertificate, nothing));
            return Err((problem, why.into()));
        };
        facts.this_update = Some(moment(single.this_update));
        facts.next_update = single.next_update.map(moment);
        facts.signer = Some(signer(&basic, &decoded, issuer, now)?.into());
        facts.check_dates(now, WITHOUT_NEXT_UPDATE)?;
        let answered = data.nonce();
        if let (Some(asked), Some(answered)) = (nonce, &answered)
            && answered.0.as_bytes() != asked
        {
            let why = "the nonce is not the one that it was asked with";
            return Err((StatusProblem::OldAnswer, why.into()));
        }
        let nonce = match (nonce, answered) {
            (Some(_), Some(_)) => ", made for this request",
            _ => "",
        };
        let status = match single.cert_status {
            CertStatus::Good(_) => RevocationStatus::Good,
            CertStatus::Unknown(_) => RevocationStatus::Unknown,
            CertStatus::Revoked(info) => {
                let reason = info.revocation_reason.map(|reason| reason as u32);
                facts.revoked(moment(info.revocation_time), reason);
                RevocationStatus::Revoked
            }
        };
        facts.status = status;
        facts.evidence = format!("a signed OCSP response says {status}{nonce}").into();
        Ok(())
    })
}

/// The BasicOCSPResponse in a response that is successful.
fn basic(response: &[u8]) -> Result<Vec<u8>, Trouble> {
    if response.len() > MAX_RESPONSE {
        return Err(unreadable(&format!("more than {MAX_RESPONSE} octets")));
    }
    let response =
        OcspResponse::from_der(response).map_err(|error| unreadable(&error.to_string()))?;
    let why = match response.response_status {
        OcspResponseStatus::Successful => None,
        OcspResponseStatus::MalformedRequest => Some("malformedRequest (1)"),
        OcspResponseStatus::InternalError => Some("internalError (2)"),
        OcspResponseStatus::TryLater => Some("tryLater (3)"),
        OcspResponseStatus::SigRequired => Some("sigRequired (5)"),
        OcspResponseStatus::Unauthorized => Some("unauthorized (6)"),
    };
    if let Some(why) = why {
        let why = format!("the responder answers {why}");
        return Err((StatusProblem::Refused, why));
    }
    let bytes = response
        .response_bytes
        .ok_or_else(|| unreadable("successful, and empty"))?;
    if bytes.response_type != BASIC {
        let why = format!("a response of the type {}", bytes.response_type);
        return Err((StatusProblem::Unsupported, why));
    }
    Ok(bytes.response.into_bytes())
}

/// Whether a CertID names this certificate; else why not.
fn concerns(
    id: &CertId,
    subject: &X509Certificate<'_>,
    issuer: &Issuer,
) -> Result<(), (StatusProblem, &'static str)> {
    let wrong = |why| Err((StatusProblem::WrongCertificate, why));
    if number(id.serial_number.as_bytes()) != number(subject.raw_serial()) {
        return wrong("it is about a certificate with another serial number");
    }
    let algorithm: &Algorithm = match id.hash_algorithm.oid.to_string().as_str() {
        "1.3.14.3.2.26" => &SHA1_FOR_LEGACY_USE_ONLY,
        "2.16.840.1.101.3.4.2.1" => &SHA256,
        "2.16.840.1.101.3.4.2.2" => &SHA384,
        "2.16.840.1.101.3.4.2.3" => &SHA512,
        _ => {
            let why = "it names the issuer by an unknown hash";
            return Err((StatusProblem::Unsupported, why));
        }
    };
    let is =
        |told: &OctetString, octets: &[u8]| told.as_bytes() == digest(algorithm, octets).as_ref();
    if is(&id.issuer_name_hash, &issuer.name) && is(&id.issuer_key_hash, &key_bits(&issuer.key)) {
        Ok(())
    } else {
        wrong("it is about a certificate of another issuer")
    }
}

/// Who signed the response, where that is the issuer, or a responder with a certificate of the issuer's
/// for that purpose (RFC 6960 §4.2.2.2).
fn signer(
    basic: &[u8],
    decoded: &BasicOcspResponse,
    issuer: &Issuer,
    now: OffsetDateTime,
) -> Result<String, Trouble> {
    let mut parts = Elements::of_sequence(basic).ok_or_else(|| unreadable("no SEQUENCE"))?;
    let (Some(signed), Some(algorithm)) = (parts.next(), parts.next()) else {
        return Err(unreadable("nothing signed"));
    };
    let (_, algorithm) = AlgorithmIdentifier::from_der(algorithm.whole)
        .map_err(|_| unreadable("the signature's algorithm"))?;
    let signature = decoded
        .signature
        .as_bytes()
        .ok_or_else(|| unreadable("the signature"))?;
    let signature = x509_parser::asn1_rs::BitString::new(0, signature);
    let is_by = |key: &[u8]| -> Option<bool> {
        let (_, key) = SubjectPublicKeyInfo::from_der(key).ok()?;
        let good = signature_is_good(&key, &algorithm, &signature, signed.whole);
        (good || can_verify(&algorithm, &key)).then_some(good)
    };
    let responder = &decoded.tbs_response_data.responder_id;
    let mut bad = None;
    let mut check = |name: &str, key: &[u8]| match is_by(key) {
        Some(true) => true,
        Some(false) => {
            bad.get_or_insert((
                StatusProblem::BadSignature,
                format!("its signature does not verify under the key of {name}"),
            ));
            false
        }
        None => {
            let why = format!(
                "its signature, {}, cannot be verified here",
                algorithm.algorithm.to_id_string()
            );
            bad.get_or_insert((StatusProblem::Unsupported, why));
            false
        }
    };
    if is_responder(responder, &issuer.name, &issuer.key) {
        let name = issuer.words().to_string();
        if check(&name, &issuer.key) {
            return Ok(name);
        }
    }
    let certificates = decoded.certs.iter().flatten().take(MAX_CERTIFICATES);
    for der in certificates.filter_map(|certificate| certificate.to_der().ok()) {
        let Ok((_, delegate)) = X509Certificate::from_der(&der) else {
            continue;
        };
        let key = delegate.public_key().raw;
        let name = delegate.subject().to_string();
        if !is_responder(responder, delegate.subject().as_raw(), key) || !check(&name, key) {
            continue;
        }
        return match authority(&delegate, issuer, now) {
            Ok(()) => Ok(name),
            Err((problem, why)) => Err((problem, format!("it is signed by {name}, {why}"))),
        };
    }
    let nobody = "the issuer has not signed it, and no responder's certificate in it has";
    Err(bad.unwrap_or((StatusProblem::WrongSigner, nobody.into())))
}

/// Whether a delegate may speak for the issuer; else why not.
fn authority(
    delegate: &X509Certificate<'_>,
    issuer: &Issuer,
    now: OffsetDateTime,
) -> Result<(), (StatusProblem, &'static str)> {
    let wrong = |why| Err((StatusProblem::WrongSigner, why));
    let not_its = "whose certificate is not the issuer's";
    let Ok((_, key)) = SubjectPublicKeyInfo::from_der(&issuer.key) else {
        return wrong(not_its);
    };
    if delegate.issuer().as_raw() != issuer.name {
        return wrong(not_its);
    }
    let algorithm = &delegate.signature_algorithm;
    let signed = delegate.tbs_certificate.as_ref();
    if !signature_is_good(&key, algorithm, &delegate.signature_value, signed) {
        if can_verify(algorithm, &key) {
            return wrong(not_its);
        }
        let why = "whose certificate has a signature that cannot be verified here";
        return Err((StatusProblem::Unsupported, why));
    }
    let usage = delegate.extended_key_usage().ok().flatten();
    if !usage.is_some_and(|usage| usage.value.ocsp_signing) {
        return wrong("whose certificate is without OCSPSigning");
    }
    let validity = delegate.validity();
    if now < validity.not_before.to_datetime() || now > validity.not_after.to_datetime() {
        return wrong("whose certificate is not valid now");
    }
    Ok(())
}

/// Whether a ResponderID names somebody: by name, or by the SHA-1 of the key.
fn is_responder(responder: &ResponderId, name: &[u8], key: &[u8]) -> bool {
    match responder {
        ResponderId::ByName(told) => told.to_der().is_ok_and(|told| told == name),
        ResponderId::ByKey(told) => {
            told.as_bytes() == digest(&SHA1_FOR_LEGACY_USE_ONLY, &key_bits(key)).as_ref()
        }
    }
}

/// The BIT STRING of a SubjectPublicKeyInfo, without tag, length and number of unused bits.
fn key_bits(key: &[u8]) -> Vec<u8> {
    SubjectPublicKeyInfo::from_der(key)
        .map(|(_, key)| key.subject_public_key.data.to_vec())
        .unwrap_or_default()
}

fn hash(algorithm: &'static Algorithm, octets: &[u8]) -> der::Result<OctetString> {
    OctetString::new(digest(algorithm, octets).as_ref())
}

fn moment(time: OcspGeneralizedTime) -> OffsetDateTime {
    let seconds = time.0.to_unix_duration().as_secs();
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn unreadable(what: &str) -> Trouble {
    let why = format!("the OCSP response cannot be read: {what}");
    (StatusProblem::Unreadable, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHILD: &[u8] = include_bytes!("testdata/under-p521.der");

    /// The issuer of [`CHILD`], by its P-521 key.
    fn issuer() -> Issuer {
        let (_, certificate) =
            X509Certificate::from_der(include_bytes!("testdata/ca-p521.der")).unwrap();
        Issuer {
            name: certificate.subject().as_raw().to_vec(),
            key: certificate.public_key().raw.to_vec(),
            signs_crls: true,
        }
    }

    #[test]
    fn an_unknown_hash_says_nothing_of_the_certificate() {
        let (_, child) = X509Certificate::from_der(CHILD).unwrap();
        let id = |oid: &str, serial: u8| CertId {
            hash_algorithm: AlgorithmIdentifierOwned {
                oid: ObjectIdentifier::new(oid).unwrap(),
                parameters: None,
            },
            issuer_name_hash: OctetString::new([0; 28]).unwrap(),
            issuer_key_hash: OctetString::new([0; 28]).unwrap(),
            serial_number: SerialNumber::new(&[serial]).unwrap(),
        };
        let problem = |id| concerns(&id, &child, &issuer()).unwrap_err().0;
        // SHA-224
        let unknown = id("2.16.840.1.101.3.4.2.4", 7);
        assert_eq!(problem(unknown), StatusProblem::Unsupported);
        let other = id("2.16.840.1.101.3.4.2.4", 8);
        assert_eq!(problem(other), StatusProblem::WrongCertificate);
        let other = id("2.16.840.1.101.3.4.2.1", 7);
        assert_eq!(problem(other), StatusProblem::WrongCertificate);
    }

    #[test]
    fn a_delegation_that_cannot_be_verified_is_not_refuted() {
        let (_, delegate) = X509Certificate::from_der(CHILD).unwrap();
        let now = delegate.validity().not_before.to_datetime();
        let (problem, _) = authority(&delegate, &issuer(), now).unwrap_err();
        assert_eq!(problem, StatusProblem::Unsupported);
        let stranger = Issuer {
            name: delegate.subject().as_raw().to_vec(),
            ..issuer()
        };
        let (problem, _) = authority(&delegate, &stranger, now).unwrap_err();
        assert_eq!(problem, StatusProblem::WrongSigner);
    }
}
