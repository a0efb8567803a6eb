//! The security policy of a listener allows TLS 1.1.

use gladhand_probes::wire::registry::ProtocolVersion;

use super::policies::{CHOOSE, CHOOSE_TERRAFORM, CLASSIC_POLICIES, version_allowed};
use super::{Audit, AuditView, Audited};
use crate::checks::Rule;
use crate::checks::fixes::{ALB_POLICIES, CLB_SUITES};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbPolicyTls11Allowed;

static RULE: Rule = Rule {
    id: "alb-policy-tls-1-1-allowed",
    title: "The security policy allows TLS 1.1",
    severity: Severity::Medium,
    what: "The security policy of a listener has TLS 1.1, as `DescribeSSLPolicies` tells its content, or \
           the policy that a Classic Load Balancer's listener has of its own.",
    why: "RFC 8996 forbids TLS 1.1: its handshake is signed over MD5 and SHA-1, and it knows no AEAD suites. \
          Browsers have refused it since 2020; hardly any client has it and not TLS 1.2, so nothing is gained \
          by it.",
    fix: &[CHOOSE, CHOOSE_TERRAFORM, CLB_SUITES],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc8996",
        ALB_POLICIES,
        CLASSIC_POLICIES,
    ],
};

impl Audit for AlbPolicyTls11Allowed {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn covers(&self) -> &'static [&'static str] {
        &["tls-1-1-accepted"]
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        version_allowed(view, ProtocolVersion::TLS1_1, out);
    }
}
