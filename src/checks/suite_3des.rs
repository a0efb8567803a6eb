//! 3DES, or another cipher with 64-bit blocks, is accepted.

use super::fixes::{CLB_SUITES, HAPROXY_SUITES, JVM_SUITES, NGINX_SUITES};
use super::support::push_suites;
use super::{Check, Findings, Rule, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct Suite3Des;

static RULE: Rule = Rule {
    id: "suite-3des",
    title: "3DES is accepted",
    severity: Severity::Medium,
    what: "The server accepts a cipher suite with 3DES, or another cipher with blocks of 64 bits: \
           DES, IDEA, RC2. With single DES the severity is high. Export suites have a rule of \
           their own.",
    why: "With blocks of 64 bits, a long session gives away parts of the plaintext: Sweet32 \
          (CVE-2016-2183) needs some hundred gigabytes. Single DES can be searched through in a \
          day. Windows XP was the last client that needed them.",
    fix: &[NGINX_SUITES, HAPROXY_SUITES, JVM_SUITES, CLB_SUITES],
    references: &[
        "https://sweet32.info/",
        "https://nvd.nist.gov/vuln/detail/CVE-2016-2183",
        "https://www.rfc-editor.org/rfc/rfc9325#section-4.1",
    ],
};

impl Check for Suite3Des {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        push_suites(
            view,
            "with 64-bit blocks",
            |suite| suite.kind.block64 && !suite.kind.export,
            |suites| {
                suites
                    .iter()
                    .any(|suite| suite.kind.des)
                    .then_some(Severity::High)
            },
            out,
        );
    }
}
