//! A listener takes any client certificate and leaves it to the targets to verify it.

use super::commands::listener as describe;
use super::mtls::with_mode;
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbMtlsPassthrough;

static RULE: Rule = Rule {
    id: "alb-mtls-passthrough",
    title: "Client certificates are passed on unverified",
    severity: Severity::Info,
    what: "A listener has the mTLS mode passthrough.",
    why: "The load balancer asks for a certificate, takes any, or none, and passes the chain on in the field \
          X-Amzn-Mtls-Clientcert. Whoever gets in is decided by the targets alone: one that only looks \
          whether the field is there lets everybody in.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Verify the chain from the field in every target: signature, CA, validity, revocation. \
                   Accept requests from the load balancer alone.",
            snippet: None,
        },
        RuleFix {
            product: "AWS",
            text: "Or have the load balancer verify.",
            snippet: Some(
                "aws elbv2 modify-listener --listener-arn <ARN> --mutual-authentication Mode=verify,TrustStoreArn=<TRUST STORE ARN>",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html",
    ],
};

impl Audit for AlbMtlsPassthrough {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for (listener, _) in with_mode(view, "passthrough") {
            let found = Found {
                message: "The listener passes client certificates on without verifying them."
                    .into(),
                reproduce: vec![describe(view, listener)],
                ..Found::default()
            };
            out.about(listener_subject(listener), found);
        }
    }
}
