//! Suites without authentication are accepted.

use super::fixes::{HAPROXY_SUITES, JVM_SUITES, NGINX_SUITES};
use super::support::push_suites;
use super::{Check, Findings, Rule, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct SuiteAnonymous;

static RULE: Rule = Rule {
    id: "suite-anonymous",
    title: "Suites without authentication are accepted",
    severity: Severity::High,
    what: "The server accepts an anonymous cipher suite (DH_anon, ECDH_anon): no certificate, and \
           a key exchange that nobody signs.",
    why: "Anybody on the way can pose as the server, and a client that allows such a suite cannot \
          notice. OpenSSL leaves them out of its default, but `ALL` and `HIGH` bring them back at \
          security level 0, unless `!aNULL` follows.",
    fix: &[NGINX_SUITES, HAPROXY_SUITES, JVM_SUITES],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc5246#appendix-A.5",
        "https://www.rfc-editor.org/rfc/rfc9325#section-4.1",
    ],
};

impl Check for SuiteAnonymous {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        push_suites(
            view,
            "without authentication",
            |suite| suite.kind.anonymous,
            |_| None,
            out,
        );
    }
}
