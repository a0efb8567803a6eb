//! A certificate of a listener has a weak key.

use gladhand_probes::untrusted::Untrusted;
use gladhand_probes::x509::KeyFacts;

use super::certificates::used;
use super::{Audit, AuditView, Audited};
use crate::checks::certificate_weak_key::is_weak;
use crate::checks::{Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbCertificateWeakKey;

static RULE: Rule = Rule {
    id: "alb-certificate-weak-key",
    title: "A certificate of the load balancer has a weak key",
    severity: Severity::High,
    what: "A certificate that a listener has, has an RSA key of less than 2048 bits, as ACM or IAM tells.",
    why: "RSA with 1024 bits is within reach of factoring. OpenSSL at security level 2 says `ee key too \
          small`, and rustls refuses it. No public CA signs such a key any more: the certificate was \
          imported.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Request a certificate with an EC key, which is also the fastest, and put it in the place of \
               this one. For clients without ECDSA keep one with RSA_2048 beside it: the listener picks what \
               the client supports.",
        snippet: Some(
            "aws acm request-certificate --domain-name www.example.com --validation-method DNS --key-algorithm EC_prime256v1",
        ),
    }],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9325#section-4.5",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html",
    ],
};

impl Audit for AlbCertificateWeakKey {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn covers(&self) -> &'static [&'static str] {
        &["certificate-weak-key"]
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for certificate in used(view) {
            let Some(algorithm) = certificate.detail.key_algorithm.as_deref() else {
                continue;
            };
            if key(algorithm).is_some_and(|key| is_weak(&key)) {
                let message = format!("The key is {}.", Untrusted::from(algorithm));
                out.about(certificate.subject(), certificate.found(view, message));
            }
        }
    }
}

/// ACM's `RSA_2048`, as the facts of a certificate have it. Its curves are all strong enough.
fn key(algorithm: &str) -> Option<KeyFacts> {
    let bits = algorithm
        .strip_prefix("RSA_")
        .or_else(|| algorithm.strip_prefix("RSA-"))?;
    Some(KeyFacts {
        algorithm: "RSA".into(),
        bits: Some(bits.parse().ok()?),
        curve: None,
    })
}
