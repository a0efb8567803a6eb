//! The security policy of a listener has no post-quantum key exchange.

use gladhand_probes::elb_policies::elb_policy;
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
    what: "The security policy of a listener has TLS 1.3 and no post-quantum group: none of those that \
           s2n-tls has under the same name, or AWS does not list it among the policies with post-quantum key \
           exchange. Not where neither is known of it. Without TLS 1.3 there can be none, which another rule \
           tells.",
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
            // Without TLS 1.3 there can be none, which is another rule.
            if !policy.versions.contains(&ProtocolVersion::TLS1_3) {
                continue;
            }
            let seen = match &policy.groups {
                Some(groups) if groups.iter().any(|group| group.post_quantum()) => continue,
                Some(groups) if groups.is_empty() => continue,
                Some(groups) => {
                    let names: Vec<String> = groups.iter().map(ToString::to_string).collect();
                    format!("it has {}", enumeration(&names))
                }
                None if elb_policy(&policy.name).is_some() => {
                    "AWS does not list it among those with post-quantum key exchange".into()
                }
                None => continue,
            };
            let found = Found {
                message: format!("{} has no post-quantum group.", name(&policy)),
                seen: vec![seen],
                ..Found::default()
            };
            out.about(listener_subject(listener), found);
        }
    }
}
