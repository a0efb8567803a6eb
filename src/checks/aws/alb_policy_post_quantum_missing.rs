//! The security policy of a listener has no post-quantum key exchange.

use gladhand_probes::wire::registry::ProtocolVersion;

use super::policies::{CHOOSE_TERRAFORM, is_classic, name, policies};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::fixes::ALB_POLICIES;
use crate::checks::support::enumeration;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbPolicyPostQuantumMissing;

static RULE: Rule = Rule {
    id: "alb-policy-post-quantum-missing",
    title: "The security policy has no post-quantum key exchange",
    severity: Severity::Info,
    what: "The security policy of a listener has TLS 1.3, its groups are known, and none of them is a \
           post-quantum one. AWS documents no groups: they are known of the policies that s2n-tls has under \
           the same name, and not of others. Without TLS 1.3 there can be none, which another rule tells.",
    why: "Traffic that is recorded today can be decrypted once quantum computers are large enough. Browsers, \
          OpenSSL 3.5 and Go 1.24 offer X25519MLKEM768 by default; without it the listener still works with \
          all of them.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Choose the policy of the same name with PQ in it: the same versions and suites, and three \
                   hybrid groups.",
            snippet: Some(
                "aws elbv2 modify-listener --listener-arn <ARN> --ssl-policy ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
            ),
        },
        CHOOSE_TERRAFORM,
    ],
    references: &[ALB_POLICIES, "https://www.rfc-editor.org/rfc/rfc10024"],
};

impl Audit for AlbPolicyPostQuantumMissing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn covers(&self) -> &'static [&'static str] {
        &["group-post-quantum-missing"]
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        if is_classic(view) {
            return;
        }
        for (listener, policy) in policies(view) {
            let Some(groups) = &policy.groups else {
                continue;
            };
            let new = policy.versions.contains(&ProtocolVersion::TLS1_3);
            if !new || groups.is_empty() || groups.iter().any(|group| group.post_quantum()) {
                continue;
            }
            let names: Vec<String> = groups.iter().map(ToString::to_string).collect();
            let found = Found {
                message: format!("{} has no post-quantum group.", name(&policy)),
                seen: vec![format!("it has {}", enumeration(&names))],
                ..Found::default()
            };
            out.about(listener_subject(listener), found);
        }
    }
}
