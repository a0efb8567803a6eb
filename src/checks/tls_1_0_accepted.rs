//! TLS 1.0 is accepted.

use gladhand_probes::wire::registry::ProtocolVersion;

use super::fixes::{
    ALB_POLICIES, ALB_PROTOCOLS, HAPROXY_PROTOCOLS, JVM_PROTOCOLS, NGINX_PROTOCOLS,
};
use super::support::version_accepted;
use super::{Check, Findings, Rule, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct Tls10Accepted;

static RULE: Rule = Rule {
    id: "tls-1-0-accepted",
    title: "TLS 1.0 is accepted",
    severity: Severity::Medium,
    what: "The server completes the hello exchange when a client offers nothing newer than TLS \
           1.0.",
    why: "RFC 8996 forbids TLS 1.0: its handshake is signed over MD5 and SHA-1, and its CBC suites \
          are open to BEAST. Browsers have refused it since 2020, and PCI DSS does not allow it.",
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

impl Check for Tls10Accepted {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        version_accepted(view, ProtocolVersion::TLS1_0, out);
    }
}
