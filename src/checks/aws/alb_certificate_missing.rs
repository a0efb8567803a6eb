//! A listener with TLS has no certificate.

use super::commands::listener as describe;
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbCertificateMissing;

static RULE: Rule = Rule {
    id: "alb-certificate-missing",
    title: "A listener with TLS has no certificate",
    severity: Severity::High,
    what: "A listener with the protocol HTTPS, TLS or SSL names no default certificate.",
    why: "AWS refuses such a listener, so that the deployment fails; a handshake with \
          it could not succeed.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Give the listener a certificate from ACM, in the region of the load balancer.",
            snippet: Some(
                "aws elbv2 modify-listener --listener-arn <ARN> --certificates CertificateArn=<CERTIFICATE ARN>",
            ),
        },
        RuleFix {
            product: "Terraform",
            text: "Set `certificate_arn` in the `aws_lb_listener`; an `aws_lb_listener_certificate` adds only \
                   those for SNI.",
            snippet: Some("certificate_arn = aws_acm_certificate_validation.www.certificate_arn"),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html",
    ],
};

impl Audit for AlbCertificateMissing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for listener in view.listeners() {
            if listener.has_tls() && listener.default_certificate.is_none() {
                let found = Found {
                    message: "The listener has no default certificate.".into(),
                    reproduce: vec![describe(view, listener)],
                    ..Found::default()
                };
                out.about(listener_subject(listener), found);
            }
        }
    }
}
