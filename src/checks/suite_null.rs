//! Suites without encryption are accepted.

use super::fixes::{HAPROXY_SUITES, JVM_SUITES, NGINX_SUITES};
use super::support::push_suites;
use super::{Check, Findings, Rule, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct SuiteNull;

static RULE: Rule = Rule {
    id: "suite-null",
    title: "Suites without encryption are accepted",
    severity: Severity::Critical,
    what: "The server accepts a cipher suite with NULL encryption.",
    why: "Whatever is sent in such a session can be read by everybody on the way. RFC 9325 forbids \
          these suites. They are in no default, nor in OpenSSL's `ALL`: somebody has enabled them \
          by name, for debugging.",
    fix: &[NGINX_SUITES, HAPROXY_SUITES, JVM_SUITES],
    references: &["https://www.rfc-editor.org/rfc/rfc9325#section-4.1"],
};

impl Check for SuiteNull {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        push_suites(
            view,
            "without encryption",
            |suite| suite.kind.null,
            |_| None,
            out,
        );
    }
}
