//! The security policy of a listener has suites without forward secrecy.

use super::policies::{CHOOSE, CHOOSE_TERRAFORM, is_classic, suites_allowed};
use super::{Audit, AuditView, Audited};
use crate::checks::fixes::ALB_POLICIES;
use crate::checks::{Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbPolicyRsaKeyExchange;

static RULE: Rule = Rule {
    id: "alb-policy-rsa-key-exchange",
    title: "The security policy has RSA key exchange",
    severity: Severity::Low,
    what: "The security policy of a listener has a suite whose key exchange is not ephemeral, such as \
           AES128-GCM-SHA256. Not of Classic Load Balancers: every predefined policy of theirs has such \
           suites.",
    why: "Whoever records the traffic can decrypt it once the certificate's key leaks. Go 1.22, Java 24 and \
          rustls no longer offer such suites, and everything of the last ten years has ECDHE.",
    fix: &[
        CHOOSE,
        RuleFix {
            product: "AWS",
            text: "Where old clients need CBC suites: ELBSecurityPolicy-TLS13-1-2-2021-06 and the FS policies \
                   keep those without RSA key exchange.",
            snippet: None,
        },
        CHOOSE_TERRAFORM,
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9325#section-4.1",
        ALB_POLICIES,
    ],
};

impl Audit for AlbPolicyRsaKeyExchange {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn covers(&self) -> &'static [&'static str] {
        &["suite-no-forward-secrecy"]
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        if !is_classic(view) {
            let what = "without forward secrecy";
            suites_allowed(view, what, |kind| !kind.forward_secret, out);
        }
    }
}
