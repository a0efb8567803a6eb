//! TLS 1.1 is accepted.

use gladhand_probes::wire::registry::ProtocolVersion;

use super::fixes::{
    ALB_POLICIES, ALB_PROTOCOLS, HAPROXY_PROTOCOLS, JVM_PROTOCOLS, NGINX_PROTOCOLS,
};
use super::support::version_accepted;
use super::{Check, Findings, Rule, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct Tls11Accepted;

static RULE: Rule = Rule {
    id: "tls-1-1-accepted",
    title: "TLS 1.1 is accepted",
    severity: Severity::Medium,
    what: "The server completes the hello exchange when a client offers nothing newer than TLS \
           1.1.",
    why: "RFC 8996 forbids TLS 1.1: its handshake is signed over MD5 and SHA-1, and it has no AEAD \
          suites. Browsers have refused it since 2020. Hardly any client speaks TLS 1.1 and not \
          1.2, so switching it off breaks next to nobody.",
    fix: &[
        NGINX_PROTOCOLS,
        HAPROXY_PROTOCOLS,
        ALB_PROTOCOLS,
        JVM_PROTOCOLS,
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc8996",
        "https://www.rfc-editor.org/rfc/rfc9325#section-3.1.1",
        ALB_POLICIES,
    ],
};

impl Check for Tls11Accepted {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        version_accepted(view, ProtocolVersion::TLS1_1, out);
    }
}
