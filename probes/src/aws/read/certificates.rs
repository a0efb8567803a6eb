//! The certificates that listeners name: ACM's and IAM's.

use std::collections::BTreeSet;

use serde_json::Value;

use super::json::{acm_serial, at, date, list, serial, text, texts};
use super::{Operation, Reader, Subject, needed, optional, section};
use crate::aws::Arn;
use crate::aws::inventory::{
    Certificate, CertificateDetail, ChainCertificate, LoadBalancer, NotRead, Section, Validation,
};
use crate::x509::{CertificateFacts, certificates_in};

const DETAIL: Operation = needed("acm:DescribeCertificate");
const CHAIN: Operation = optional("acm:GetCertificate");
const IAM: Operation = needed("iam:GetServerCertificate");

/// Octets of PEM that are read, at most: ACM and IAM take less than that for a chain.
const MOST_PEM: usize = 4 << 20;

impl<'a> Reader<'a> {
    pub(super) fn certificates(&mut self, load_balancers: &[LoadBalancer]) -> Vec<Certificate> {
        let listeners = load_balancers
            .iter()
            .flat_map(|balancer| balancer.listeners.read().into_iter().flatten());
        let mut known = BTreeSet::new();
        let mut all = Vec::new();
        for listener in listeners {
            let further = listener.certificates.read().into_iter().flatten();
            for arn in listener.default_certificate.iter().chain(further) {
                if known.insert(arn.as_str()) {
                    all.push(self.certificate(arn));
                }
            }
        }
        all
    }

    fn certificate(&mut self, arn: &str) -> Certificate {
        let parsed = arn.parse::<Arn>().ok();
        let in_iam = parsed.as_ref().is_some_and(|arn| arn.service == "iam");
        let name = parsed.as_ref().map(Arn::name).unwrap_or_default();
        // `server-certificate/PATH/NAME`: IAM is asked by the name.
        let name = name.rsplit('/').next().unwrap_or_default();
        let subject = Subject::new(format!("certificate {arn}"), arn, name);
        let detail = if in_iam {
            self.server_certificate(&subject)
        } else {
            self.acm_certificate(&subject)
        };
        Certificate {
            arn: arn.into(),
            detail,
        }
    }

    fn acm_certificate(&mut self, subject: &Subject<'_>) -> Section<CertificateDetail> {
        let is_own = |one: &Value| text(one, "CertificateArn").as_deref() == Some(subject.arn);
        let one = match self.own(DETAIL, subject, "Certificate", is_own) {
            Ok(one) => one,
            Err(why) => return Section::NotRead(why),
        };
        let mut detail = acm_detail(one);
        detail.chain = match self.about_stored(subject, &detail) {
            Ok(bodies) => Section::Read(chain(&stored(&bodies, "Certificate"))),
            Err(why) => Section::NotRead(why),
        };
        // The certificate itself knows best.
        if let Some(leaf) = detail.chain.read().and_then(|chain| chain.first()) {
            detail.serial = Some(leaf.serial.clone());
        }
        Section::Read(detail)
    }

    /// What ACM has stored; before a certificate is issued, there is nothing, which is no gap.
    fn about_stored(
        &mut self,
        subject: &Subject<'_>,
        detail: &CertificateDetail,
    ) -> Result<Vec<&'a Value>, NotRead> {
        let gaps = self.gaps.len();
        let bodies = self.about(CHAIN, subject);
        let issued = detail.status.as_deref().is_none_or(|status| {
            !matches!(
                status,
                "PENDING_VALIDATION" | "VALIDATION_TIMED_OUT" | "FAILED"
            )
        });
        if !issued {
            self.gaps.truncate(gaps);
        }
        bodies
    }

    fn server_certificate(&mut self, subject: &Subject<'_>) -> Section<CertificateDetail> {
        let is_own = |one: &Value| {
            let metadata = at(one, "ServerCertificateMetadata");
            text(metadata, "Arn").as_deref() == Some(subject.arn)
        };
        section(
            self.own(IAM, subject, "ServerCertificate", is_own)
                .map(|one| vec![one]),
            |all| all.first().map(|one| iam_detail(one)).unwrap_or_default(),
        )
    }

    /// The answer that says itself that it is about this one; else the one that was given for it.
    fn own(
        &mut self,
        operation: Operation,
        subject: &Subject<'_>,
        key: &str,
        is_own: impl Fn(&Value) -> bool,
    ) -> Result<&'a Value, NotRead> {
        let answers = self.answers.get(&(operation.action, false)).into_iter();
        let bodies = answers
            .flatten()
            .filter_map(|answer| answer.outcome.as_ref().ok());
        let own = bodies.map(|body| at(body, key)).find(|one| is_own(one));
        if let Some(own) = own {
            return Ok(own);
        }
        let bodies = self.about(operation, subject)?;
        let mut bodies = bodies.into_iter().map(|body| at(body, key));
        let found = bodies.find(|one| one.is_object());
        found.ok_or_else(|| self.not_read(operation, &subject.shown, None))
    }
}

fn acm_detail(one: &Value) -> CertificateDetail {
    let renewal = at(one, "RenewalSummary");
    let status = text(renewal, "RenewalStatus");
    // While a renewal waits for a validation, that is the one that counts.
    let waiting = status.as_deref().is_some_and(|status| {
        status != "SUCCESS" && at(renewal, "DomainValidationOptions").is_array()
    });
    let validations = list(
        if waiting { renewal } else { one },
        "DomainValidationOptions",
    );
    CertificateDetail {
        domain_name: text(one, "DomainName"),
        names: texts(one, "SubjectAlternativeNames"),
        status: text(one, "Status"),
        kind: text(one, "Type"),
        serial: text(one, "Serial").as_deref().and_then(acm_serial),
        // `RSA-2048` in answers, `RSA_2048` in ACM's documentation.
        key_algorithm: text(one, "KeyAlgorithm").map(|name| name.replace('-', "_")),
        signature_algorithm: text(one, "SignatureAlgorithm"),
        not_before: date(one, "NotBefore"),
        not_after: date(one, "NotAfter"),
        renewal_eligibility: text(one, "RenewalEligibility"),
        renewal_status: status,
        failure_reason: text(renewal, "RenewalStatusReason").or_else(|| text(one, "FailureReason")),
        validations: validations.map(validation).collect(),
        in_use_by: texts(one, "InUseBy"),
        chain: Section::default(),
    }
}

fn validation(one: &Value) -> Validation {
    let record = at(one, "ResourceRecord");
    let line = || {
        let kind = text(record, "Type").unwrap_or_else(|| "CNAME".into());
        Some(format!(
            "{} {kind} {}",
            text(record, "Name")?,
            text(record, "Value")?
        ))
    };
    Validation {
        domain: text(one, "DomainName").unwrap_or_default(),
        status: text(one, "ValidationStatus"),
        method: text(one, "ValidationMethod"),
        record: line(),
    }
}

/// IAM tells little of a certificate but the certificate itself.
fn iam_detail(one: &Value) -> CertificateDetail {
    let stored = stored(&[one], "CertificateBody");
    let leaf = stored.first();
    let metadata = at(one, "ServerCertificateMetadata");
    let mut detail = leaf.map(facts_detail).unwrap_or_default();
    detail.kind = Some("IAM".into());
    detail.not_after = detail.not_after.or_else(|| date(metadata, "Expiration"));
    detail.chain = Section::Read(chain(&stored));
    detail
}

/// What the certificate says of itself, in ACM's words.
fn facts_detail(leaf: &CertificateFacts) -> CertificateDetail {
    let common_name = leaf.common_name.as_ref().map(|name| name.raw().to_owned());
    let mut names: Vec<String> = leaf.sans.iter().map(|name| name.raw().to_owned()).collect();
    if names.is_empty() {
        names.extend(common_name.clone());
    }
    let key = &leaf.key;
    let key_algorithm = match (key.algorithm.as_str(), key.bits, key.curve.as_deref()) {
        ("RSA", Some(bits), _) => Some(format!("RSA_{bits}")),
        // OpenSSL's name, which ACM has, too.
        ("EC", _, Some("secp256r1")) => Some("EC_prime256v1".into()),
        ("EC", _, Some(curve)) => Some(format!("EC_{curve}")),
        _ => None,
    };
    let with = |hash: &String| {
        let key = match leaf.signature.as_str() {
            name if name.starts_with("ecdsa") => "ECDSA",
            name if name.ends_with("RSAEncryption") => "RSA",
            _ => return None,
        };
        Some(format!("{}WITH{key}", hash.to_ascii_uppercase()))
    };
    CertificateDetail {
        domain_name: common_name.or_else(|| names.first().cloned()),
        names,
        serial: serial(&leaf.serial),
        key_algorithm,
        signature_algorithm: leaf.signature_hash.as_ref().and_then(with),
        not_before: Some(leaf.not_before),
        not_after: Some(leaf.not_after),
        ..CertificateDetail::default()
    }
}

/// The certificate and its chain. Where one cannot be read, nothing is known of it and of those behind.
fn stored(bodies: &[&Value], first: &str) -> Vec<CertificateFacts> {
    let pems = bodies
        .iter()
        .flat_map(|body| [at(body, first), at(body, "CertificateChain")]);
    pems.filter_map(Value::as_str)
        .filter(|pem| pem.len() <= MOST_PEM)
        .flat_map(|pem| certificates_in(pem.as_bytes()))
        .map(|der| CertificateFacts::read(&der))
        .take_while(|facts| facts.error.is_none())
        .collect()
}

fn chain(stored: &[CertificateFacts]) -> Vec<ChainCertificate> {
    let one = |facts: &CertificateFacts| ChainCertificate {
        subject: facts.subject.raw().to_owned(),
        serial: serial(&facts.serial).unwrap_or_default(),
        sha256: facts.sha256.clone(),
    };
    stored.iter().map(one).collect()
}
