//! What a verifying client makes of a chain. webpki gives the verdict, but one reason at a time, and
//! "unknown issuer" for most of them; the reasons are found here, from the facts. Pure.

use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use time::OffsetDateTime;
use webpki::{EndEntityCert, Error, KeyUsage};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::chain::can_verify;
use super::facts::rfc3339;
use super::names::name_problem;
use super::reason::{Problem, Reason, Verdict};
use super::{CertificateFacts, ChainFacts, Trust};

/// Bits of an RSA key that verifying clients take, at least.
const RSA_BITS: u32 = 2048;

/// What a verifying client makes of a chain.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) verdict: Verdict,
    pub(crate) reason: Option<Reason>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) anchor: Option<String>,
    pub(crate) error: Option<String>,
}

/// Holds a chain against roots, a name and a time.
pub(crate) fn verify(
    served: &[CertificateFacts],
    chain: &ChainFacts,
    trust: &Trust,
    expected: &str,
    now: OffsetDateTime,
) -> Verified {
    let undetermined = |error: &str| Verified {
        verdict: Verdict::Undetermined,
        reason: None,
        problems: Vec::new(),
        anchor: None,
        error: Some(error.into()),
    };
    let Some(leaf) = served.first() else {
        return undetermined("no certificate");
    };
    if let Some(error) = &leaf.error {
        return undetermined(&format!("the server's certificate cannot be read: {error}"));
    }
    let look = Look {
        served,
        chain,
        trust,
        now,
    };
    let end_entity = CertificateDer::from(leaf.der.as_slice());
    let library = look.path(&end_entity, now);
    let name = name_problem(&end_entity, leaf, expected);

    let mut problems = look.dates();
    problems.extend(look.path_problems(&end_entity, library.as_ref().err()));
    if let Ok(path) = &library {
        // What the verifier has not used is no reason against its verdict.
        problems.retain(|problem| match problem.certificate {
            None | Some(0) => true,
            Some(index) => served
                .get(index)
                .is_some_and(|facts| path.intermediates.contains(&facts.der)),
        });
    }
    problems.extend(name.clone());
    // One reason each: several facts may lead to the same one.
    let mut unique: Vec<Problem> = Vec::new();
    for problem in problems {
        let known = unique.iter().any(|known| {
            known.reason == problem.reason && known.certificate == problem.certificate
        });
        if !known {
            unique.push(problem);
        }
    }
    let weak_leaf = unique.iter().any(|problem| {
        problem.reason == Reason::CertificateWeakKey && problem.certificate == Some(0)
    });
    let good = name.is_none() && !weak_leaf;
    let no_key = unusable(leaf);
    let verdict = match &library {
        // The chain is good; whether the server has the key is more than anybody can tell.
        Ok(_) if good && no_key.is_some() => Verdict::Undetermined,
        Ok(_) if good => Verdict::Trusted,
        // A root of the store that serves itself: webpki wants a leaf that is no CA, others do not.
        Err(Error::CaUsedAsEndEntity)
            if good && trust.holds(&leaf.der) && look.dates().is_empty() =>
        {
            Verdict::Trusted
        }
        // What this library lacks, others have: no verdict where nothing else speaks against it.
        Err(error) if unique.is_empty() && is_beyond_the_library(error) => Verdict::Undetermined,
        _ => Verdict::Untrusted,
    };
    let error = library.as_ref().err().map(ToString::to_string);
    let error = error.or(no_key);
    if verdict == Verdict::Untrusted && unique.is_empty() {
        let detail = error.clone().unwrap_or_default().into();
        unique.push(Problem {
            reason: Reason::Other,
            certificate: None,
            detail,
        });
    }
    Verified {
        verdict,
        reason: match verdict {
            Verdict::Untrusted => unique.first().map(|problem| problem.reason),
            _ => None,
        },
        problems: unique,
        anchor: library.ok().map(|path| path.anchor),
        error: error.filter(|_| verdict != Verdict::Trusted),
    }
}

/// The largest RSA key that OpenSSL and GnuTLS compute with; Go and rustls take 8192 bits.
const MAX_RSA_BITS: u32 = 16_384;

/// Why no client can verify a signature by the server's key: webpki looks at the chain only.
fn unusable(leaf: &CertificateFacts) -> Option<String> {
    match (leaf.key.algorithm.as_str(), leaf.key.bits) {
        ("RSA", None) => Some("the RSA key of the certificate cannot be read".into()),
        ("RSA", Some(bits)) if bits > MAX_RSA_BITS => Some(format!(
            "the certificate has an RSA key of {bits} bits; no client takes more than {MAX_RSA_BITS}"
        )),
        _ => None,
    }
}

/// A path that webpki has found good.
struct GoodPath {
    anchor: String,
    intermediates: Vec<Vec<u8>>,
}

struct Look<'a> {
    served: &'a [CertificateFacts],
    chain: &'a ChainFacts,
    trust: &'a Trust,
    now: OffsetDateTime,
}

impl Look<'_> {
    /// webpki's verdict at a time.
    fn path(&self, end_entity: &CertificateDer<'_>, at: OffsetDateTime) -> Result<GoodPath, Error> {
        let certificate = EndEntityCert::try_from(end_entity)?;
        let intermediates: Vec<CertificateDer<'_>> = self
            .served
            .iter()
            .skip(1)
            .map(|facts| CertificateDer::from(facts.der.as_slice()))
            .collect();
        let path = certificate.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            self.trust.anchors(),
            &intermediates,
            unix_time(at),
            KeyUsage::server_auth(),
            None,
            None,
        )?;
        Ok(GoodPath {
            anchor: distinguished_name(&path.anchor().subject),
            intermediates: path
                .intermediate_certificates()
                .map(|cert| cert.der().to_vec())
                .collect(),
        })
    }

    fn dates(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (place, index) in self.chain.path.iter().enumerate() {
            let Some(facts) = self.served.get(*index) else {
                continue;
            };
            // A root's dates bind nobody, and neither does what stands above a trusted issuer.
            if place > 0 && (facts.self_signed || self.trust.holds(&facts.der)) {
                continue;
            }
            let (reason, detail) = match (
                place,
                facts.not_after < self.now,
                facts.not_before > self.now,
            ) {
                (0, true, _) => (
                    Reason::CertificateExpired,
                    format!("expired at {}", rfc3339(facts.not_after)),
                ),
                (0, _, true) => (
                    Reason::CertificateNotYetValid,
                    format!("not valid before {}", rfc3339(facts.not_before)),
                ),
                (_, true, _) => (
                    Reason::ChainIntermediateExpired,
                    format!("{} expired at {}", facts.subject, rfc3339(facts.not_after)),
                ),
                (_, _, true) => (
                    Reason::ChainIntermediateExpired,
                    format!(
                        "{} is not valid before {}",
                        facts.subject,
                        rfc3339(facts.not_before)
                    ),
                ),
                _ => continue,
            };
            problems.push(Problem {
                reason,
                certificate: Some(*index),
                detail: detail.into(),
            });
        }
        problems
    }

    /// Why there is no path: from webpki's error, and from the facts where it has only "unknown
    /// issuer" for them.
    fn path_problems(
        &self,
        end_entity: &CertificateDer<'_>,
        error: Option<&Error>,
    ) -> Vec<Problem> {
        let mut problems = self.weaknesses();
        problems.extend(self.usage());
        let Some(error) = error else {
            return problems;
        };
        // Dates hide what else is wrong: ask again at a time when all of them hold.
        let timeless = self
            .when_all_are_valid()
            .and_then(|at| self.path(end_entity, at).err());
        let error = match error {
            Error::CertExpired { .. } | Error::CertNotValidYet { .. } => match &timeless {
                Some(error) => error,
                None => return problems,
            },
            error => error,
        };
        let add = |reason, detail: String| Problem {
            reason,
            certificate: None,
            detail: detail.into(),
        };
        match error {
            Error::NameConstraintViolation => problems.push(add(
                Reason::CertificateNameConstraints,
                "an issuer's name constraints exclude a name of the certificate".into(),
            )),
            Error::PathLenConstraintViolated => {
                let exceeded = "a pathLenConstraint is exceeded";
                let found = self.path_length();
                problems
                    .push(found.unwrap_or_else(|| add(Reason::ChainPathLength, exceeded.into())));
            }
            // `weaknesses`, `usage` and `unknown_issuer` say it.
            Error::UnsupportedCertVersion
            | Error::UnsupportedCriticalExtension
            | Error::RequiredEkuNotFoundContext(_)
            | Error::EndEntityUsedAsCa
            | Error::CaUsedAsEndEntity
            | Error::UnknownIssuer
            | Error::InvalidSignatureForPublicKey
            | Error::UnsupportedSignatureAlgorithmContext(_)
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {}
            _ if self.path_length().is_some() => problems.extend(self.path_length()),
            other => problems.push(add(Reason::Other, other.to_string())),
        }
        if let Some(problem) = self.unknown_issuer() {
            // Where something weak stops the path, it also makes a good signature look bad.
            let explained = problem.reason == Reason::BadSignature
                && (problems.iter().any(stops_path) || !is_about_the_issuer(error));
            if !explained {
                problems.insert(0, problem);
            }
        }
        problems
    }

    /// Keys, signatures and versions that verifying clients do not take.
    fn weaknesses(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (place, index) in self.chain.path.iter().enumerate() {
            let Some(facts) = self.served.get(*index) else {
                continue;
            };
            // Nobody verifies a root's own signature; but what it has signed, by its key.
            let root = place > 0 && (facts.self_signed || self.trust.holds(&facts.der));
            let mut add = |reason, detail: String| {
                problems.push(Problem {
                    reason,
                    certificate: Some(*index),
                    detail: detail.into(),
                });
            };
            if !root && facts.version != 3 {
                add(
                    Reason::CertificateX509V1,
                    format!("X.509 version {}", facts.version),
                );
            }
            let weak = match facts.key.algorithm.as_str() {
                "RSA" => facts.key.bits.is_some_and(|bits| bits < RSA_BITS),
                "EC" => facts.key.bits.is_some_and(|bits| bits < 224),
                "DSA" => true,
                _ => false,
            };
            if weak {
                let bits = facts
                    .key
                    .bits
                    .map_or_else(String::new, |bits| format!(", {bits} bits"));
                add(
                    Reason::CertificateWeakKey,
                    format!("{}{bits}", facts.key.algorithm),
                );
            }
            if !root && is_weak_hash(facts) {
                add(Reason::CertificateWeakSignature, facts.signature.clone());
            }
        }
        problems
    }

    /// Certificates used for what they are not made for.
    fn usage(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (place, index) in self.chain.path.iter().enumerate() {
            let Some(facts) = self.served.get(*index) else {
                continue;
            };
            if place > 0 && facts.self_signed {
                continue;
            }
            let mut add = |detail: String| {
                problems.push(Problem {
                    reason: Reason::CertificateWrongUsage,
                    certificate: Some(*index),
                    detail: detail.into(),
                });
            };
            if let Some(usages) = &facts.extended_key_usage {
                // anyExtendedKeyUsage is not enough for the verifiers (OpenSSL's error 26).
                if !usages.iter().any(|usage| usage == "serverAuth") {
                    add(format!(
                        "extendedKeyUsage is {}, without serverAuth",
                        usages.join(", ")
                    ));
                }
            }
            let signs = facts
                .key_usage
                .as_ref()
                .is_none_or(|usages| usages.iter().any(|usage| usage == "keyCertSign"));
            match place {
                0 if facts.ca && !self.trust.holds(&facts.der) && !facts.self_signed => {
                    add("a CA certificate is used as the server's own".into());
                }
                0 => {}
                _ if !facts.ca && facts.version == 3 => {
                    add(format!(
                        "{} issues certificates, but is no CA",
                        facts.subject
                    ));
                }
                _ if !signs => add(format!("{} is a CA without keyCertSign", facts.subject)),
                _ => {}
            }
        }
        problems
    }

    /// More intermediates below a CA than its pathLenConstraint allows (RFC 5280 §4.2.1.9).
    fn path_length(&self) -> Option<Problem> {
        let path: Vec<&CertificateFacts> = self
            .chain
            .path
            .iter()
            .filter_map(|index| self.served.get(*index))
            .collect();
        for (place, facts) in path.iter().enumerate().skip(1) {
            let below = path
                .iter()
                .take(place)
                .skip(1)
                .filter(|ca| !ca.self_issued)
                .count();
            let Some(allowed) = facts.path_length else {
                continue;
            };
            if below > allowed as usize {
                let detail = format!(
                    "{} allows {allowed} intermediate CAs below it, and has {below}",
                    facts.subject
                );
                return Some(Problem {
                    reason: Reason::ChainPathLength,
                    certificate: self.chain.path.get(place).copied(),
                    detail: detail.into(),
                });
            }
        }
        None
    }

    /// What "unknown issuer" means here.
    fn unknown_issuer(&self) -> Option<Problem> {
        let top_index = *self.chain.path.last()?;
        let top = self.served.get(top_index)?;
        let problem = |reason, detail: String| {
            Some(Problem {
                reason,
                certificate: Some(top_index),
                detail: detail.into(),
            })
        };
        let (_, parsed) = X509Certificate::from_der(&top.der).ok()?;
        let issuer = parsed.issuer().as_raw();
        // The server's own certificate is a root only where it is self-signed.
        let may_be_root = |index: &&usize| **index != 0 || top.self_signed;
        if self
            .chain
            .path
            .iter()
            .filter(may_be_root)
            .any(|index| self.is_anchor(*index))
        {
            return None;
        }
        if top.self_signed {
            return if top_index == 0 {
                problem(
                    Reason::CertificateSelfSigned,
                    "signed by its own key".into(),
                )
            } else {
                problem(
                    Reason::CertificateUntrustedRoot,
                    format!("the root {} is not in the trust store", top.subject),
                )
            };
        }
        let same_name = self.served.iter().enumerate().any(|(index, other)| {
            index != top_index
                && X509Certificate::from_der(&other.der).is_ok_and(|(_, other)| {
                    other.subject().as_raw() == issuer
                        && can_verify(&parsed.signature_algorithm, other.public_key())
                })
        });
        if same_name {
            return problem(
                Reason::BadSignature,
                format!("the served certificate of {} has another key", top.issuer),
            );
        }
        let anchored = self
            .trust
            .anchors()
            .iter()
            .any(|anchor| content(issuer) == Some(anchor.subject.as_ref()));
        if anchored {
            return problem(
                Reason::BadSignature,
                format!("the trust store's {} has another key", top.issuer),
            );
        }
        // What is missing above the top: an intermediate that the server should send, or a root that
        // the client does not have? A public CA says where its certificate is (caIssuers), and a user
        // who names the roots expects the chain to end in them; anything else is a private CA's.
        let missing = !top.ca_issuers.is_empty() || self.trust.is_given();
        if missing {
            problem(
                Reason::ChainIncomplete,
                format!(
                    "the issuer {} is neither sent nor in the trust store",
                    top.issuer
                ),
            )
        } else {
            problem(
                Reason::CertificateUntrustedRoot,
                format!(
                    "the chain ends in {}, which is not in the trust store",
                    top.issuer
                ),
            )
        }
    }

    /// Whether a served certificate is one of the roots, by name and key.
    fn is_anchor(&self, index: usize) -> bool {
        let Some(facts) = self.served.get(index) else {
            return false;
        };
        let Ok((_, certificate)) = X509Certificate::from_der(&facts.der) else {
            return false;
        };
        let subject = content(certificate.subject().as_raw());
        let key = content(certificate.public_key().raw);
        self.trust.anchors().iter().any(|anchor| {
            subject == Some(anchor.subject.as_ref())
                && key == Some(anchor.subject_public_key_info.as_ref())
        })
    }

    /// A time at which every certificate of the path is valid, the latest such.
    fn when_all_are_valid(&self) -> Option<OffsetDateTime> {
        let path: Vec<&CertificateFacts> = self
            .chain
            .path
            .iter()
            .filter_map(|index| self.served.get(*index))
            .collect();
        let from = path.iter().map(|facts| facts.not_before).max()?;
        let to = path.iter().map(|facts| facts.not_after).min()?;
        (from <= to).then_some(to)
    }
}

/// Whether the signature is over a hash that collisions are known of.
fn is_weak_hash(facts: &CertificateFacts) -> bool {
    matches!(
        facts.signature_hash.as_deref(),
        Some("md2" | "md4" | "md5" | "sha1")
    )
}

/// Whether it is a limit of webpki's, not a fault of the chain's.
fn is_beyond_the_library(error: &Error) -> bool {
    matches!(
        error,
        Error::UnsupportedCriticalExtension
            | Error::UnsupportedSignatureAlgorithmContext(_)
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
            | Error::MaximumPathDepthExceeded
            | Error::MaximumPathBuildCallsExceeded
            | Error::MaximumSignatureChecksExceeded
            | Error::MaximumNameConstraintComparisonsExceeded
    )
}

/// Whether webpki found no issuer, or none whose signature is good.
fn is_about_the_issuer(error: &Error) -> bool {
    matches!(
        error,
        Error::UnknownIssuer | Error::InvalidSignatureForPublicKey
    )
}

/// Whether a problem keeps a verifier from building the path at all.
fn stops_path(problem: &Problem) -> bool {
    match problem.reason {
        Reason::CertificateWeakSignature | Reason::CertificateX509V1 => true,
        // The server's own key signs no certificate.
        Reason::CertificateWeakKey | Reason::CertificateWrongUsage => {
            problem.certificate != Some(0)
        }
        _ => false,
    }
}

/// The content of a DER SEQUENCE, which is what an anchor keeps of its subject.
fn content(sequence: &[u8]) -> Option<&[u8]> {
    match sequence {
        [0x30, length, rest @ ..] if *length < 0x80 => rest.get(..usize::from(*length)),
        [0x30, 0x81, length, rest @ ..] => rest.get(..usize::from(*length)),
        [0x30, 0x82, high, low, rest @ ..] => {
            rest.get(..usize::from(u16::from_be_bytes([*high, *low])))
        }
        _ => None,
    }
}

/// An anchor's subject in words.
fn distinguished_name(content: &[u8]) -> String {
    x509_parser::x509::X509Name::from_der(&super::der::sequence(content))
        .map(|(_, name)| name.to_string())
        .unwrap_or_default()
}

fn unix_time(at: OffsetDateTime) -> UnixTime {
    let seconds = u64::try_from(at.unix_timestamp()).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}
