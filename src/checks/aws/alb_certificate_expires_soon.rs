//! A certificate of a listener expires soon.

use super::alb_certificate_not_renewing::problem;
use super::certificates::{Used, used};
use super::{Audit, AuditView, Audited};
use crate::checks::certificate_expires_soon::limit;
use crate::checks::fixes::ACM_IMPORT;
use crate::checks::support::{date, span};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbCertificateExpiresSoon;

static RULE: Rule = Rule {
    id: "alb-certificate-expires-soon",
    title: "A certificate of the load balancer expires soon",
    severity: Severity::Medium,
    what: "A certificate that a listener has expires in less than 30 days; where its whole lifetime is under \
           90 days, in less than a third of it. With less than a third of that limit left, the severity is \
           high. Not those that ACM should be renewing by now and does not: they have a rule of their own.",
    why: "Nobody renews an imported certificate, in ACM or in IAM, but whoever imported it.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Import the renewed certificate under the same ARN: every listener takes it up.",
            snippet: Some(ACM_IMPORT),
        },
        RuleFix {
            product: "AWS",
            text: "Or have ACM issue one, which renews by itself as long as it is in use and its DNS records \
                   stay.",
            snippet: Some(
                "aws acm request-certificate --domain-name www.example.com --validation-method DNS",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/acm/latest/userguide/import-reimport.html",
        "https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html",
    ],
};

impl Audit for AlbCertificateExpiresSoon {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn covers(&self) -> &'static [&'static str] {
        &["certificate-expires-soon"]
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for certificate in used(view) {
            if !certificate.is_issued() || problem(&certificate, view.now).is_some() {
                continue;
            }
            let (Some(left), Some(lifetime), Some(until)) = (
                certificate.left(view.now),
                certificate.lifetime(),
                certificate.detail.not_after,
            ) else {
                continue;
            };
            let limit = limit(lifetime);
            if left >= limit {
                continue;
            }
            let message = format!(
                "The certificate expires in {}, on {}{}.",
                span(left),
                date(until),
                who_renews(&certificate)
            );
            let found = Found {
                severity: (left < limit / 3).then_some(Severity::High),
                ..certificate.found(view, message)
            };
            out.about(certificate.subject(), found);
        }
    }
}

/// What is to be added on how it gets renewed.
fn who_renews(certificate: &Used<'_>) -> &'static str {
    match certificate.detail.kind.as_deref() {
        Some("IMPORTED") => ", and ACM does not renew it: it was imported",
        Some("IAM") => ", and nothing renews it: it was uploaded to IAM",
        _ => "",
    }
}
