//! The certificates that a load balancer's listeners have, and what several rules say of them.

use gladhand_probes::aws::Arn;
use gladhand_probes::aws::inventory::{CertificateDetail, Listener};
use gladhand_probes::untrusted::Untrusted;
use time::{Duration, OffsetDateTime};

use super::commands::aws;
use super::{AuditView, listener_subject};
use crate::checks::Found;
use crate::checks::support::{date, enumeration, quote};

/// A certificate that listeners name, with what ACM or IAM tells of it.
pub(super) struct Used<'a> {
    pub(super) arn: &'a str,
    pub(super) detail: &'a CertificateDetail,
    listeners: Vec<&'a Listener>,
}

/// Every certificate that a listener with TLS names and whose detail was read, each once.
pub(super) fn used<'a>(view: &AuditView<'a>) -> Vec<Used<'a>> {
    let mut all: Vec<Used<'a>> = Vec::new();
    for listener in view.listeners().filter(|listener| listener.has_tls()) {
        for arn in arns(listener) {
            match all.iter_mut().find(|used| used.arn == arn) {
                Some(used) if !used.listeners.contains(&listener) => used.listeners.push(listener),
                Some(_) => {}
                None => all.extend(detail(view, arn).map(|detail| Used {
                    arn,
                    detail,
                    listeners: vec![listener],
                })),
            }
        }
    }
    all
}

/// The certificates that a listener names, the default one first; those for SNI where they were read.
pub(super) fn arns(listener: &Listener) -> impl Iterator<Item = &str> {
    let further = listener.certificates.read().into_iter().flatten();
    let default = listener.default_certificate.iter();
    default.chain(further).map(String::as_str)
}

/// What ACM or IAM tells of a certificate; none where it was not read.
pub(super) fn detail<'a>(view: &AuditView<'a>, arn: &str) -> Option<&'a CertificateDetail> {
    let mut all = view.inventory.certificates.iter();
    all.find(|known| known.arn == arn)?.detail.read()
}

/// The names of a certificate. ACM's main name is among them; IAM's may be the subject alone.
pub(super) fn names(detail: &CertificateDetail) -> impl Iterator<Item = &str> {
    let main = detail
        .domain_name
        .iter()
        .filter(|_| detail.names.is_empty());
    detail.names.iter().chain(main).map(String::as_str)
}

impl Used<'_> {
    /// How it is called in findings: `certificate www.example.com`.
    pub(super) fn subject(&self) -> String {
        let name = self.detail.domain_name.as_deref();
        let name = name.or_else(|| self.detail.names.first().map(String::as_str));
        let name = name.unwrap_or(self.arn.rsplit('/').next().unwrap_or_default());
        format!("certificate {}", Untrusted::from(name))
    }

    /// What tells it apart from another one for the same name: the type of its key.
    pub(super) fn key(&self) -> String {
        let algorithm = self.detail.key_algorithm.as_deref().unwrap_or_default();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        algorithm.chars().filter(|c| plain(*c)).collect()
    }

    /// A finding about it, with what AWS tells.
    pub(super) fn found(&self, view: &AuditView<'_>, message: String) -> Found {
        let listeners: Vec<String> = self
            .listeners
            .iter()
            .map(|used| listener_subject(used))
            .collect();
        let kind = self.detail.kind.as_deref().map(|kind| format!(" ({kind})"));
        let arn = format!("{}{}", self.arn, kind.unwrap_or_default());
        let mut seen = vec![
            Untrusted::from(arn).to_string(),
            format!("of {}", Untrusted::from(enumeration(&listeners))),
        ];
        seen.extend(
            self.detail
                .not_after
                .map(|at| format!("valid until {}", date(at))),
        );
        Found {
            key: self.key(),
            message,
            seen,
            reproduce: vec![self.describe(view)],
            ..Found::default()
        }
    }

    /// Whether ACM renews it by itself.
    pub(super) fn is_managed(&self) -> bool {
        matches!(
            self.detail.kind.as_deref(),
            Some("AMAZON_ISSUED" | "PRIVATE")
        )
    }

    /// Whether its status lets it be served: IAM's have none.
    pub(super) fn is_issued(&self) -> bool {
        self.detail
            .status
            .as_deref()
            .is_none_or(|status| status == "ISSUED")
    }

    /// How much time is left, while it is valid.
    pub(super) fn left(&self, now: OffsetDateTime) -> Option<Duration> {
        let left = self.detail.not_after? - now;
        (!left.is_negative()).then_some(left)
    }

    /// Its lifetime; of one whose beginning is not known, a year.
    pub(super) fn lifetime(&self) -> Option<Duration> {
        let until = self.detail.not_after?;
        let from = self.detail.not_before;
        Some(from.map_or(Duration::days(365), |from| until - from))
    }

    /// The command that shows what AWS tells.
    fn describe(&self, view: &AuditView<'_>) -> String {
        let arn: Option<Arn> = self.arn.parse().ok();
        if let Some(arn) = arn.filter(|arn| arn.service == "iam") {
            // The path, if there is one, is no part of the name.
            let name = quote(arn.name().rsplit('/').next().unwrap_or_default());
            return format!("aws iam get-server-certificate --server-certificate-name {name}");
        }
        let arn = quote(self.arn);
        let query = "'Certificate.[Type,Status,NotAfter,RenewalEligibility,RenewalSummary]'";
        aws(
            view,
            &format!("acm describe-certificate --certificate-arn {arn} --query {query}"),
        )
    }
}

/// The names whose validation has not succeeded, each with the record that DNS validation wants.
pub(super) fn unvalidated(detail: &CertificateDetail) -> Vec<String> {
    let open = detail.validations.iter();
    let open = open.filter(|validation| validation.status.as_deref() != Some("SUCCESS"));
    open.map(|validation| {
        let status = validation.status.as_deref().unwrap_or("not validated");
        let wants = match (&validation.record, validation.method.as_deref()) {
            (Some(record), _) => format!("; the record must be {record}"),
            (None, Some("EMAIL")) => "; somebody must click the link in the mail".into(),
            _ => String::new(),
        };
        Untrusted::from(format!("{}: {status}{wants}", validation.domain)).to_string()
    })
    .collect()
}
