//! A certificate of a listener has expired.

use super::certificates::used;
use super::{Audit, AuditView, Audited};
use crate::checks::fixes::ACM_IMPORT;
use crate::checks::support::{date, span};
use crate::checks::{Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbCertificateExpired;

static RULE: Rule = Rule {
    id: "alb-certificate-expired",
    title: "A certificate of the load balancer has expired",
    severity: Severity::Critical,
    what: "A certificate that a listener has, by default or for SNI, is past its notAfter as ACM or IAM \
           tells, or has the status EXPIRED.",
    why: "Load balancers go on serving it, and every client that verifies refuses the connection, most of \
          them with the alert certificate_expired (45). ACM renews no certificate that has expired.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "An imported certificate: import the new one under the same ARN, and every listener takes \
                   it up within minutes.",
            snippet: Some(ACM_IMPORT),
        },
        RuleFix {
            product: "AWS",
            text: "One that ACM issued: request a new one, validate it, and put it in the place of the old one \
                   (for SNI: add-listener-certificates, then remove-listener-certificates).",
            snippet: Some(
                "aws acm request-certificate --domain-name www.example.com --validation-method DNS\n\
                 aws elbv2 modify-listener --listener-arn <ARN> --certificates CertificateArn=<NEW ARN>",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/acm/latest/userguide/troubleshooting-renewal.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html",
    ],
};

impl Audit for AlbCertificateExpired {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn covers(&self) -> &'static [&'static str] {
        &["certificate-expired"]
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for certificate in used(view) {
            let until = certificate.detail.not_after;
            let message = match until.filter(|until| *until < view.now) {
                Some(until) => format!(
                    "The certificate expired {} ago, on {}.",
                    span(view.now - until),
                    date(until)
                ),
                None if certificate.detail.status.as_deref() == Some("EXPIRED") => {
                    "ACM tells that the certificate has expired.".into()
                }
                None => continue,
            };
            out.about(certificate.subject(), certificate.found(view, message));
        }
    }
}
