//! A Diffie-Hellman key is used in several handshakes.

use gladhand_probes::Answer;

use super::fixes::{HAPROXY_SUITES, NGINX_SUITES};
use super::support::s_client;
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct DhPublicValueReused;

static RULE: Rule = Rule {
    id: "dh-public-value-reused",
    title: "A Diffie-Hellman key is used more than once",
    severity: Severity::Low,
    what: "With a DHE suite the server sends the same public value in two of three handshakes made one \
           after the other. Elliptic curves are not looked at.",
    why: "The key is then not ephemeral: who gets it from the server's memory decrypts every handshake \
          made with it, and it is what the Raccoon attack (CVE-2020-1968) needs.",
    fix: &[
        NGINX_SUITES,
        HAPROXY_SUITES,
        RuleFix {
            product: "any",
            text: "Update the TLS stack: OpenSSL makes a new key for each handshake since 1.0.2f \
                   (before, with SSL_OP_SINGLE_DH_USE only). Or leave DHE suites out.",
            snippet: None,
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9325#section-7.4",
        "https://raccoon-attack.com/",
    ],
};

impl Check for DhPublicValueReused {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().dh_parameters.seen() else {
            return;
        };
        if seen.reused.answer != Answer::Yes {
            return;
        }
        let once = s_client(view, "-no_tls1_3 -cipher 'DHE:@SECLEVEL=0' -msg");
        out.push(Found {
            message: format!(
                "The server uses a Diffie-Hellman key again, with {}.",
                seen.suite
            ),
            seen: vec![format!("{}: {}", seen.version, seen.reused.evidence)],
            // The same lines twice: the public value stands in ServerKeyExchange.
            reproduce: vec![format!("{once} 2>/dev/null | grep -A20 ServerKeyExchange")],
            ..Found::default()
        });
    }
}
