//! SSLv2 is accepted.

use gladhand_probes::wire::registry::ProtocolVersion;

use super::fixes::NGINX_PROTOCOLS;
use super::support::version_accepted;
use super::{Check, Findings, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct Ssl2Accepted;

static RULE: Rule = Rule {
    id: "ssl-2-accepted",
    title: "SSLv2 is accepted",
    severity: Severity::Critical,
    what: "The server answers an SSLv2 hello with an SSLv2 hello of its own.",
    why: "RFC 6176 forbids SSLv2. Worse than its own weakness: DROWN (CVE-2016-0800) uses it to \
          decrypt TLS connections of every server that has the same RSA key, also of those that do \
          not speak SSLv2 themselves.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Switch SSLv2 off, or replace the stack: OpenSSL has not had it since 1.1.0. \
                   Then make a new key, if the old one is used for RSA key exchange anywhere.",
            snippet: None,
        },
        NGINX_PROTOCOLS,
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc6176",
        "https://drownattack.com/",
        "https://nvd.nist.gov/vuln/detail/CVE-2016-0800",
    ],
};

impl Check for Ssl2Accepted {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        version_accepted(view, ProtocolVersion::SSL2, out);
    }
}
