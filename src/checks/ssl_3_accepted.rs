//! SSLv3 is accepted.

use gladhand_probes::wire::registry::ProtocolVersion;

use super::fixes::{HAPROXY_PROTOCOLS, NGINX_PROTOCOLS};
use super::support::version_accepted;
use super::{Check, Findings, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct Ssl3Accepted;

static RULE: Rule = Rule {
    id: "ssl-3-accepted",
    title: "SSLv3 is accepted",
    severity: Severity::High,
    what: "The server completes the hello exchange when a client offers nothing newer than SSLv3.",
    why: "RFC 7568 forbids SSLv3. POODLE (CVE-2014-3566) reads cookies out of its CBC suites, and \
          the only other cipher is RC4. No client of the last ten years needs it.",
    fix: &[
        NGINX_PROTOCOLS,
        HAPROXY_PROTOCOLS,
        RuleFix {
            product: "JVM",
            text: "Put SSLv3 back into the disabled algorithms of `java.security`, where it is by \
                   default, and name the protocols of the connector.",
            snippet: Some("server.ssl.enabled-protocols=TLSv1.2,TLSv1.3"),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc7568",
        "https://nvd.nist.gov/vuln/detail/CVE-2014-3566",
    ],
};

impl Check for Ssl3Accepted {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        version_accepted(view, ProtocolVersion::SSL3, out);
    }
}
