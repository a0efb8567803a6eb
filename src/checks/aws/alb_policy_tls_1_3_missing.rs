//! The security policy of a listener has no TLS 1.3.

use gladhand_probes::wire::registry::ProtocolVersion;

use super::policies::{
    CHOOSE, CHOOSE_TERRAFORM, describe, is_classic, name, policies, versions_line,
};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::fixes::ALB_POLICIES;
use crate::checks::{Found, Rule};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbPolicyTls13Missing;

static RULE: Rule = Rule {
    id: "alb-policy-tls-1-3-missing",
    title: "The security policy has no TLS 1.3",
    severity: Severity::Low,
    what: "The security policy of a listener ends at TLS 1.2. Not of Classic Load Balancers, which have no \
           TLS 1.3 at all.",
    why: "TLS 1.3 saves a round trip, encrypts the server's certificate, and is the only version with \
          post-quantum key exchange. Where no listener has a policy with it, the load balancer does not \
          speak it with targets either: one that takes TLS 1.3 alone answers no handshake, which clients see \
          as 502.",
    fix: &[CHOOSE, CHOOSE_TERRAFORM],
    references: &[
        ALB_POLICIES,
        "https://www.rfc-editor.org/rfc/rfc9325#section-3.1.1",
    ],
};

impl Audit for AlbPolicyTls13Missing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn covers(&self) -> &'static [&'static str] {
        &["tls-1-3-missing"]
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        if is_classic(view) {
            return;
        }
        for (listener, policy) in policies(view) {
            if policy.versions.is_empty() || policy.versions.contains(&ProtocolVersion::TLS1_3) {
                continue;
            }
            let found = Found {
                message: format!("{} has no TLS 1.3.", name(&policy)),
                seen: vec![versions_line(&policy)],
                reproduce: vec![describe(view, &policy)],
                ..Found::default()
            };
            out.about(listener_subject(listener), found);
        }
    }
}
