//! A listener lets in clients whose certificate has expired.

use super::commands::listener as describe;
use super::mtls::with_mode;
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbMtlsExpiryIgnored;

static RULE: Rule = Rule {
    id: "alb-mtls-expiry-ignored",
    title: "Expired client certificates are let in",
    severity: Severity::Low,
    what: "A listener whose mTLS mode is verify has IgnoreClientCertificateExpiry.",
    why: "A certificate that was left to expire, so as to take the access away, goes on working for ever; a \
          revocation list has to name it instead. It is meant for the hours in which devices are late with \
          their renewal.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Renew what has expired (the connection log's leaf_client_cert_validity tells), then switch it \
               off.",
        snippet: Some(
            "aws elbv2 modify-listener --listener-arn <ARN> --mutual-authentication Mode=verify,TrustStoreArn=<TRUST STORE ARN>,IgnoreClientCertificateExpiry=false",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html",
    ],
};

impl Audit for AlbMtlsExpiryIgnored {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for (listener, mutual) in with_mode(view, "verify") {
            if mutual.ignore_client_certificate_expiry == Some(true) {
                let found = Found {
                    message: "The listener lets in clients whose certificate has expired.".into(),
                    reproduce: vec![describe(view, listener)],
                    ..Found::default()
                };
                out.about(listener_subject(listener), found);
            }
        }
    }
}
