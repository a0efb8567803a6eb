//! One certificate's facts.

use aws_lc_rs::digest::{SHA256, digest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use crate::untrusted::Untrusted;

/// Names of a certificate that are kept, at most.
const MAX_SANS: usize = 1000;

/// Octets of a serial number that are kept, at most.
const MAX_SERIAL: usize = 64;

/// What one certificate says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateFacts {
    /// The subject, as in RFC 4514 but in the order of the certificate.
    pub subject: Untrusted,
    /// The issuer.
    pub issuer: Untrusted,
    /// The subject's common name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common_name: Option<Untrusted>,
    /// The serial number in hex.
    pub serial: String,
    /// Valid from (RFC 3339).
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String")]
    pub not_before: OffsetDateTime,
    /// Valid to (RFC 3339).
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String")]
    pub not_after: OffsetDateTime,
    /// The names and addresses of the subjectAltName.
    pub sans: Vec<Untrusted>,
    /// Those of `sans` that stand there as iPAddress.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ip_sans: Vec<String>,
    /// The public key.
    pub key: KeyFacts,
    /// The signature algorithm, by its OpenSSL name: `sha256WithRSAEncryption`.
    pub signature: String,
    /// The hash under that signature: `sha256`; none for Ed25519 and Ed448.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_hash: Option<String>,
    /// SHA-256 of the certificate, in lower-case hex.
    pub sha256: String,
    /// The X.509 version: 1 or 3.
    pub version: u32,
    /// basicConstraints says that it is a CA.
    pub ca: bool,
    /// basicConstraints pathLenConstraint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_length: Option<u32>,
    /// Subject and issuer are the same name.
    pub self_issued: bool,
    /// Self-issued, and the signature verifies under its own key.
    pub self_signed: bool,
    /// Extended key usages, by their OpenSSL names (`serverAuth`) or their OIDs; none where the
    /// extension is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_key_usage: Option<Vec<String>>,
    /// Key usages by their RFC 5280 names; none where the extension is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_usage: Option<Vec<String>>,
    /// Whether it carries name constraints.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub name_constraints: bool,
    /// Where the issuer's certificate can be fetched (authorityInfoAccess caIssuers).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ca_issuers: Vec<Untrusted>,
    /// Where an OCSP responder can be asked about it (authorityInfoAccess OCSP).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ocsp: Vec<Untrusted>,
    /// Where the list of revoked certificates is (cRLDistributionPoints).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crl: Vec<Untrusted>,
    /// It demands that an OCSP response is stapled (TLS feature status_request, RFC 7633).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_staple: bool,
    /// Why the certificate cannot be read, where it cannot; the other fields then say nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The bytes; not part of a report.
    #[serde(skip)]
    pub der: Vec<u8>,
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyFacts {
    /// `RSA`, `EC`, `DSA`, `Ed25519`, `Ed448`, or the algorithm's OID.
    pub algorithm: String,
    /// Its size in bits; none where unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<u32>,
    /// The curve, by its IANA name, of an EC key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curve: Option<String>,
}

impl CertificateFacts {
    /// Reads one certificate. One that cannot be read says so in `error`.
    pub fn read(der: &[u8]) -> Self {
        match X509Certificate::from_der(der) {
            Ok((rest, _)) if !rest.is_empty() => {
                Self::unreadable(der, "bytes after the certificate".into())
            }
            Ok((_, certificate)) => match broken(&certificate) {
                Some(error) => Self::unreadable(der, error.into()),
                None => Self::of(der, &certificate),
            },
            Err(error) => Self::unreadable(der, error.to_string()),
        }
    }

    fn unreadable(der: &[u8], error: String) -> Self {
        Self {
            subject: Untrusted::default(),
            issuer: Untrusted::default(),
            common_name: None,
            serial: String::new(),
            not_before: OffsetDateTime::UNIX_EPOCH,
            not_after: time::macros::datetime!(9999-12-31 23:59:59 UTC),
            sans: Vec::new(),
            ip_sans: Vec::new(),
            key: KeyFacts {
                algorithm: "unknown".into(),
                bits: None,
                curve: None,
            },
            signature: "unknown".into(),
            signature_hash: None,
            sha256: sha256(der),
            version: 0,
            ca: false,
            path_length: None,
            self_issued: false,
            self_signed: false,
            extended_key_usage: None,
            key_usage: None,
            name_constraints: false,
            ca_issuers: Vec::new(),
            ocsp: Vec::new(),
            crl: Vec::new(),
            must_staple: false,
            error: Some(error),
            der: der.to_vec(),
        }
    }

    fn of(der: &[u8], certificate: &X509Certificate<'_>) -> Self {
        let mut facts = Self::unreadable(der, String::new());
        let (signature, hash) = signature_names(&certificate.signature_algorithm.algorithm);
        let self_issued = certificate.subject().as_raw() == certificate.issuer().as_raw();
        facts.error = None;
        facts.subject = name(certificate.subject());
        facts.issuer = name(certificate.issuer());
        facts.common_name = certificate
            .subject()
            .iter_common_name()
            .last()
            .map(|cn| Untrusted::from_bytes(cn.attr_value().data));
        facts.serial = serial(certificate.tbs_certificate.raw_serial());
        facts.not_before = certificate.validity().not_before.to_datetime();
        facts.not_after = certificate.validity().not_after.to_datetime();
        facts.key = KeyFacts::of(certificate.public_key());
        facts.signature = signature;
        facts.signature_hash = hash;
        facts.version = certificate.version().0.saturating_add(1);
        facts.self_issued = self_issued;
        facts.self_signed = self_issued && super::chain::issued(certificate, certificate);
        for extension in certificate.extensions() {
            facts.take_extension(extension.parsed_extension());
        }
        facts.take_pointers(certificate);
        facts
    }

    fn take_extension(&mut self, extension: &ParsedExtension<'_>) {
        match extension {
            ParsedExtension::BasicConstraints(constraints) => {
                self.ca = constraints.ca;
                self.path_length = constraints.path_len_constraint;
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                for general in names.general_names.iter().take(MAX_SANS) {
                    match general {
                        GeneralName::DNSName(dns) => self.sans.push((*dns).into()),
                        GeneralName::IPAddress(bytes) => {
                            let ip = ip(bytes);
                            self.sans.push(ip.clone().into());
                            self.ip_sans.push(ip);
                        }
                        _ => {}
                    }
                }
            }
            ParsedExtension::ExtendedKeyUsage(usage) => {
                let known = [
                    (usage.any, "anyExtendedKeyUsage"),
                    (usage.server_auth, "serverAuth"),
                    (usage.client_auth, "clientAuth"),
                    (usage.code_signing, "codeSigning"),
                    (usage.email_protection, "emailProtection"),
                    (usage.time_stamping, "timeStamping"),
                    (usage.ocsp_signing, "OCSPSigning"),
                ];
                let named = known
                    .iter()
                    .filter(|(set, _)| *set)
                    .map(|(_, name)| (*name).into());
                let others = usage.other.iter().map(Oid::to_id_string);
                self.extended_key_usage = Some(named.chain(others).collect());
            }
            ParsedExtension::KeyUsage(usage) => {
                let known = [
                    (usage.digital_signature(), "digitalSignature"),
                    (usage.non_repudiation(), "nonRepudiation"),
                    (usage.key_encipherment(), "keyEncipherment"),
                    (usage.data_encipherment(), "dataEncipherment"),
                    (usage.key_agreement(), "keyAgreement"),
                    (usage.key_cert_sign(), "keyCertSign"),
                    (usage.crl_sign(), "cRLSign"),
                    (usage.encipher_only(), "encipherOnly"),
                    (usage.decipher_only(), "decipherOnly"),
                ];
                let set = known
                    .iter()
                    .filter(|(set, _)| *set)
                    .map(|(_, name)| (*name).into());
                self.key_usage = Some(set.collect());
            }
            ParsedExtension::NameConstraints(_) => self.name_constraints = true,
            _ => {}
        }
    }
}

impl KeyFacts {
    /// Reads a subject's public key.
    pub(super) fn of(key: &SubjectPublicKeyInfo<'_>) -> Self {
        let oid = key.algorithm.algorithm.to_id_string();
        let named = |algorithm: &str, bits| KeyFacts {
            algorithm: algorithm.into(),
            bits,
            curve: None,
        };
        match oid.as_str() {
            "1.3.101.112" => return named("Ed25519", Some(256)),
            "1.3.101.113" => return named("Ed448", Some(456)),
            _ => {}
        }
        match key.parsed() {
            Ok(PublicKey::RSA(rsa)) => {
                // RSASSA-PSS keys are RSA keys that may do nothing else.
                let modulus = rsa.modulus.iter().skip_while(|byte| **byte == 0);
                let bytes = u32::try_from(modulus.clone().count()).unwrap_or(u32::MAX);
                let leading = modulus
                    .clone()
                    .next()
                    .map_or(0, |byte| byte.leading_zeros());
                named("RSA", Some(bytes.saturating_mul(8).saturating_sub(leading)))
            }
            Ok(PublicKey::EC(_)) => {
                let parameters = key.algorithm.parameters.as_ref();
                let curve = parameters
                    .and_then(|any| any.as_oid().ok())
                    .map(|oid| oid.to_id_string());
                let (curve, bits) = match curve.as_deref() {
                    Some("1.2.840.10045.3.1.7") => ("secp256r1", 256),
                    Some("1.3.132.0.34") => ("secp384r1", 384),
                    Some("1.3.132.0.35") => ("secp521r1", 521),
                    Some("1.3.132.0.33") => ("secp224r1", 224),
                    Some("1.2.840.10045.3.1.1") => ("secp192r1", 192),
                    Some("1.3.132.0.10") => ("secp256k1", 256),
                    Some("1.3.36.3.3.2.8.1.1.7") => ("brainpoolP256r1", 256),
                    Some("1.3.36.3.3.2.8.1.1.11") => ("brainpoolP384r1", 384),
                    Some("1.3.36.3.3.2.8.1.1.13") => ("brainpoolP512r1", 512),
                    other => {
                        let curve = other.map(Into::into);
                        return KeyFacts {
                            algorithm: "EC".into(),
                            bits: None,
                            curve,
                        };
                    }
                };
                KeyFacts {
                    algorithm: "EC".into(),
                    bits: Some(bits),
                    curve: Some(curve.into()),
                }
            }
            Ok(PublicKey::DSA(_)) => named("DSA", None),
            // rsaEncryption, around numbers that are none, or too large to be read.
            Err(_) if oid == "1.2.840.113549.1.1.1" => named("RSA", None),
            _ => named(&oid.chars().take(64).collect::<String>(), None),
        }
    }
}

/// What the library reads over, and clients do not.
fn broken(certificate: &X509Certificate<'_>) -> Option<&'static str> {
    // An empty SEQUENCE is two octets.
    let unread = |name: &X509Name<'_>| name.iter_rdn().next().is_none() && name.as_raw().len() > 2;
    if certificate.tbs_certificate.raw_serial().is_empty() {
        Some("the serial number has no content")
    } else if unread(certificate.subject()) {
        Some("the subject is no name")
    } else if unread(certificate.issuer()) {
        Some("the issuer is no name")
    } else {
        None
    }
}

/// In hex; RFC 5280 §4.1.2.2 allows 20 octets.
fn serial(octets: &[u8]) -> String {
    match octets.get(..MAX_SERIAL) {
        Some(begin) if octets.len() > MAX_SERIAL => {
            format!("{}… ({} octets)", hex(begin), octets.len())
        }
        _ => hex(octets),
    }
}

pub(super) fn name(name: &X509Name<'_>) -> Untrusted {
    // The library prints `CN=a, O=b`; its own escapes are not enough for a terminal.
    name.to_string().into()
}

fn ip(bytes: &[u8]) -> String {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return std::net::Ipv4Addr::from(v4).to_string();
    }
    if let Ok(v6) = <[u8; 16]>::try_from(bytes) {
        return std::net::Ipv6Addr::from(v6).to_string();
    }
    format!("{} bytes that are no address", bytes.len())
}

/// OpenSSL's name of a signature algorithm, and its hash.
fn signature_names(oid: &Oid<'_>) -> (String, Option<String>) {
    let oid = oid.to_id_string();
    let (name, hash) = match oid.as_str() {
        "1.2.840.113549.1.1.2" => ("md2WithRSAEncryption", "md2"),
        "1.2.840.113549.1.1.4" => ("md5WithRSAEncryption", "md5"),
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => ("sha1WithRSAEncryption", "sha1"),
        "1.2.840.113549.1.1.14" => ("sha224WithRSAEncryption", "sha224"),
        "1.2.840.113549.1.1.11" => ("sha256WithRSAEncryption", "sha256"),
        "1.2.840.113549.1.1.12" => ("sha384WithRSAEncryption", "sha384"),
        "1.2.840.113549.1.1.13" => ("sha512WithRSAEncryption", "sha512"),
        "1.2.840.10040.4.3" => ("dsaWithSHA1", "sha1"),
        "2.16.840.1.101.3.4.3.2" => ("dsa_with_SHA256", "sha256"),
        "1.2.840.10045.4.1" => ("ecdsa-with-SHA1", "sha1"),
        "1.2.840.10045.4.3.1" => ("ecdsa-with-SHA224", "sha224"),
        "1.2.840.10045.4.3.2" => ("ecdsa-with-SHA256", "sha256"),
        "1.2.840.10045.4.3.3" => ("ecdsa-with-SHA384", "sha384"),
        "1.2.840.10045.4.3.4" => ("ecdsa-with-SHA512", "sha512"),
        "1.2.840.113549.1.1.10" => return ("rsassaPss".into(), None),
        "1.3.101.112" => return ("ED25519".into(), None),
        "1.3.101.113" => return ("ED448".into(), None),
        // An identifier has no length limit of its own.
        _ => return (oid.chars().take(64).collect(), None),
    };
    (name.into(), Some(hash.into()))
}

pub(super) fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_else(|_| at.to_string())
}

pub(crate) fn sha256(der: &[u8]) -> String {
    hex(digest(&SHA256, der).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_bounded() {
        assert_eq!(serial(&[0xAB, 1]), "ab01");
        let long = serial(&[0x5A; 10_240]);
        assert!(
            long.ends_with("5a… (10240 octets)") && long.len() < 200,
            "{long}"
        );
    }
}
