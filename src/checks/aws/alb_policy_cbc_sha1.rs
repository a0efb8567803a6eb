//! The security policy of a listener has CBC suites with SHA-1.

use super::policies::{CHOOSE, CHOOSE_TERRAFORM, CLASSIC_POLICIES, suites_allowed};
use super::{Audit, AuditView, Audited};
use crate::checks::fixes::{ALB_POLICIES, CLB_SUITES};
use crate::checks::{Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbPolicyCbcSha1;

static RULE: Rule = Rule {
    id: "alb-policy-cbc-sha1",
    title: "The security policy has CBC suites with SHA-1",
    severity: Severity::Low,
    what: "The security policy of a listener has a suite with a 128-bit block cipher in CBC mode and \
           HMAC-SHA1, such as ECDHE-RSA-AES128-SHA. Those with SHA-256 do not count, and those with 3DES have \
           a rule of their own.",
    why: "The MAC is computed before the encryption, and implementations have leaked through the padding \
          again and again (Lucky Thirteen and its successors). Every client with TLS 1.2 has an AEAD suite; \
          these are for clients of 2013 and older.",
    fix: &[
        CHOOSE,
        RuleFix {
            product: "AWS",
            text: "Where CBC with SHA-256 is still wanted: ELBSecurityPolicy-TLS13-1-2-2021-06 has that, and \
                   none with SHA-1.",
            snippet: None,
        },
        CHOOSE_TERRAFORM,
        CLB_SUITES,
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9325#section-4.2",
        ALB_POLICIES,
        CLASSIC_POLICIES,
    ],
};

impl Audit for AlbPolicyCbcSha1 {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn covers(&self) -> &'static [&'static str] {
        &["suite-cbc-sha1"]
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        suites_allowed(
            view,
            "with CBC and SHA-1",
            |kind| kind.cbc_sha1 && !kind.block64 && !kind.anonymous,
            out,
        );
    }
}
