//! A certificate that ACM should renew is not renewed.

use gladhand_probes::untrusted::Untrusted;
use time::{Duration, OffsetDateTime};

use super::certificates::{Used, unvalidated, used};
use super::{Audit, AuditView, Audited};
use crate::checks::certificate_expires_soon::limit;
use crate::checks::support::{date, span};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbCertificateNotRenewing;

/// How long before the end ACM begins: public certificates.
const PUBLIC: Duration = Duration::days(45);

/// The same for those of a private CA.
const PRIVATE: Duration = Duration::days(60);

static RULE: Rule = Rule {
    id: "alb-certificate-not-renewing",
    title: "ACM does not renew a certificate of the load balancer",
    severity: Severity::Medium,
    what: "A certificate that ACM issued, and that a listener has: the renewal failed (high) or waits for a \
           validation; or it has less than 45 days left (60 from a private CA; at most a third of its \
           lifetime), and is not eligible for renewal, or no renewal has begun. That alone is low while more \
           than 30 days are left. With less than 10 days left the severity is high.",
    why: "ACM renews by itself only what is in use and whose names it can validate again. Most often the \
          CNAME that proved the name has been tidied away, or the zone moved without it; a CAA record that \
          leaves out Amazon does the same. On the last day every client refuses the connection.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Put the CNAME record back that is shown for each name, in the public zone: ACM goes on \
                   within hours.",
            snippet: Some(
                "aws acm describe-certificate --certificate-arn <ARN> --query 'Certificate.DomainValidationOptions[].ResourceRecord'",
            ),
        },
        RuleFix {
            product: "AWS",
            text: "A certificate that is validated by mail: have ACM send the mail once more, or request a new \
                   one with DNS validation, which needs nobody's click.",
            snippet: Some(
                "aws acm resend-validation-email --certificate-arn <ARN> --domain example.com --validation-domain example.com",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/acm/latest/userguide/troubleshooting-renewal.html",
        "https://docs.aws.amazon.com/acm/latest/userguide/dns-renewal-validation.html",
    ],
};

impl Audit for AlbCertificateNotRenewing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn covers(&self) -> &'static [&'static str] {
        &["certificate-expires-soon"]
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for certificate in used(view) {
            let Some(problem) = problem(&certificate, view.now) else {
                continue;
            };
            let until = certificate.detail.not_after.map(date).unwrap_or_default();
            let message = format!(
                "{}; the certificate expires in {}, on {until}.",
                problem.words,
                span(problem.left)
            );
            let mut found = certificate.found(view, message);
            found.seen.extend(unvalidated(certificate.detail));
            out.about(
                certificate.subject(),
                Found {
                    severity: Some(problem.severity),
                    ..found
                },
            );
        }
    }
}

/// Why a certificate is not being renewed.
pub(super) struct Problem {
    words: String,
    severity: Severity,
    left: Duration,
}

/// Why ACM is not renewing the certificate, where it should. What has expired, or was never issued, is
/// told by other rules.
pub(super) fn problem(certificate: &Used<'_>, now: OffsetDateTime) -> Option<Problem> {
    if !certificate.is_managed() || !certificate.is_issued() {
        return None;
    }
    let detail = certificate.detail;
    let left = certificate.left(now)?;
    let lifetime = certificate.lifetime()?;
    let early = match detail.kind.as_deref() {
        Some("PRIVATE") => PRIVATE,
        _ => PUBLIC,
    };
    let late = left < early.min(lifetime / 3);
    let by_time = if left < limit(lifetime) / 3 {
        Severity::High
    } else {
        Severity::Medium
    };
    let (words, severity) = match detail.renewal_status.as_deref() {
        Some("FAILED") => {
            let reason = detail.failure_reason.as_deref().map(Untrusted::from);
            let reason = reason.map(|reason| format!(" ({reason})"));
            let words = format!("The renewal failed{}", reason.unwrap_or_default());
            (words, Severity::High)
        }
        Some("PENDING_VALIDATION") => ("The renewal waits for a validation".into(), by_time),
        // What is said of the last renewal stays until the next one.
        Some("SUCCESS") => return None,
        _ if !late => return None,
        _ if detail.renewal_eligibility.as_deref() == Some("INELIGIBLE") => {
            let words = "ACM does not renew it: it is not eligible";
            (words.into(), by_time)
        }
        Some("PENDING_AUTO_RENEWAL") => ("The renewal has not come to an end".into(), by_time),
        _ => ("No renewal has begun".into(), by_time),
    };
    // In the first days of its time, ACM may still be about to begin.
    let young =
        left >= limit(lifetime) && detail.renewal_eligibility.as_deref() != Some("INELIGIBLE");
    let begun = matches!(
        detail.renewal_status.as_deref(),
        Some("FAILED" | "PENDING_VALIDATION")
    );
    let severity = if young && !begun {
        Severity::Low
    } else {
        severity
    };
    Some(Problem {
        words,
        severity,
        left,
    })
}
