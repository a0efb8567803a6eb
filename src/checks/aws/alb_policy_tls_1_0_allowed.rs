//! The security policy of a listener allows TLS 1.0.

use gladhand_probes::wire::registry::ProtocolVersion;

use super::policies::{CHOOSE, CHOOSE_TERRAFORM, CLASSIC_POLICIES, version_allowed};
use super::{Audit, AuditView, Audited};
use crate::checks::Rule;
use crate::checks::fixes::{ALB_POLICIES, CLB_SUITES};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbPolicyTls10Allowed;

static RULE: Rule = Rule {
    id: "alb-policy-tls-1-0-allowed",
    title: "The security policy allows TLS 1.0",
    severity: Severity::Medium,
    what: "The security policy of a listener has TLS 1.0, as `DescribeSSLPolicies` tells its content, or \
           the policy that a Classic Load Balancer's listener has of its own.",
    why: "RFC 8996 forbids TLS 1.0: its handshake is signed over MD5 and SHA-1, and its CBC suites are open \
          to BEAST. Browsers have refused it since 2020, and PCI DSS does not allow it.",
    fix: &[CHOOSE, CHOOSE_TERRAFORM, CLB_SUITES],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc8996",
        ALB_POLICIES,
        CLASSIC_POLICIES,
    ],
};

impl Audit for AlbPolicyTls10Allowed {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn covers(&self) -> &'static [&'static str] {
        &["tls-1-0-accepted"]
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        version_allowed(view, ProtocolVersion::TLS1_0, out);
    }
}
