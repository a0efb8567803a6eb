//! A certificate of a listener was never issued, or is not valid any more.

use gladhand_probes::untrusted::Untrusted;

use super::certificates::{unvalidated, used};
use super::{Audit, AuditView, Audited};
use crate::checks::{Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbCertificateNotIssued;

static RULE: Rule = Rule {
    id: "alb-certificate-not-issued",
    title: "A certificate of the load balancer is not issued, or revoked",
    severity: Severity::High,
    what: "A certificate that a listener names has another status than ISSUED in ACM: PENDING_VALIDATION, \
           VALIDATION_TIMED_OUT, FAILED, INACTIVE or REVOKED. EXPIRED is told by a rule of its own.",
    why: "A listener cannot be created with a certificate that is not issued \
          (`UnsupportedCertificate`). One that was revoked is refused by clients that ask for its status.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "PENDING_VALIDATION: create the CNAME record that is shown for each name, in the public \
                   zone. ACM waits 72 hours for it.",
            snippet: Some(
                "aws acm describe-certificate --certificate-arn <ARN> --query 'Certificate.DomainValidationOptions[].ResourceRecord'",
            ),
        },
        RuleFix {
            product: "AWS",
            text: "Any other status is final: request a new certificate, and put it in the place of this one.",
            snippet: Some(
                "aws acm request-certificate --domain-name www.example.com --validation-method DNS\n\
                 aws elbv2 modify-listener --listener-arn <ARN> --certificates CertificateArn=<NEW ARN>",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/acm/latest/userguide/troubleshooting-DNS-validation.html",
        "https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateDetail.html",
    ],
};

impl Audit for AlbCertificateNotIssued {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn covers(&self) -> &'static [&'static str] {
        &["certificate-revoked"]
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for certificate in used(view) {
            let detail = certificate.detail;
            let known = [
                "PENDING_VALIDATION",
                "VALIDATION_TIMED_OUT",
                "FAILED",
                "INACTIVE",
                "REVOKED",
            ];
            let Some(status) = detail
                .status
                .as_deref()
                .filter(|status| known.contains(status))
            else {
                continue;
            };
            let reason = detail.failure_reason.as_deref().map(Untrusted::from);
            let reason = reason.map(|reason| format!(" ({reason})"));
            let message = format!(
                "Its status in ACM is {status}{}.",
                reason.unwrap_or_default()
            );
            let mut found = certificate.found(view, message);
            found.seen.extend(unvalidated(detail));
            out.about(certificate.subject(), found);
        }
    }
}
