//! RC4 is accepted.

use super::fixes::{CLB_SUITES, HAPROXY_SUITES, JVM_SUITES, NGINX_SUITES};
use super::support::push_suites;
use super::{Check, Findings, Rule, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct SuiteRc4;

static RULE: Rule = Rule {
    id: "suite-rc4",
    title: "RC4 is accepted",
    severity: Severity::High,
    what: "The server accepts a cipher suite with RC4.",
    why: "RFC 7465 forbids RC4 in every version of TLS: its biases give away cookies and passwords \
          that are sent often enough. OpenSSL has left it out by default since 1.1.0.",
    fix: &[NGINX_SUITES, HAPROXY_SUITES, JVM_SUITES, CLB_SUITES],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc7465",
        "https://nvd.nist.gov/vuln/detail/CVE-2015-2808",
    ],
};

impl Check for SuiteRc4 {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        push_suites(view, "with RC4", |suite| suite.kind.rc4, |_| None, out);
    }
}
