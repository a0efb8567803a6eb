//! A fallback is not refused.

use gladhand_probes::Answer;
use gladhand_probes::wire::registry::ProtocolVersion;

use super::fixes::{ALB_PROTOCOLS, HAPROXY_PROTOCOLS, NGINX_PROTOCOLS};
use super::support::{flag, s_client, sslscan};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct FallbackScsvMissing;

static RULE: Rule = Rule {
    id: "fallback-scsv-missing",
    title: "A fallback to an older version is not refused",
    severity: Severity::Low,
    what: "The server speaks an older version beside its newest, and answers a hello of the oldest \
           that carries TLS_FALLBACK_SCSV as it answers any other. Where TLS 1.2 is the oldest and \
           its ServerHello carries the sentinel of TLS 1.3, there is nothing to find.",
    why: "A client that tries again with an older version after a failed handshake can be made to do \
          so by anybody on the way: that is how POODLE came to SSLv3. Clients that still do it send \
          this value, and the server ends such a handshake with inappropriate_fallback (86). Today's \
          browsers do not fall back any more.",
    fix: &[
        NGINX_PROTOCOLS,
        HAPROXY_PROTOCOLS,
        ALB_PROTOCOLS,
        RuleFix {
            product: "JVM",
            text: "Java has no such check: leave only TLS 1.2 and 1.3.",
            snippet: Some("server.ssl.enabled-protocols=TLSv1.2,TLSv1.3"),
        },
        RuleFix {
            product: "any",
            text: "Update the TLS stack: OpenSSL checks since 1.0.1j, GnuTLS since 3.4.",
            snippet: None,
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc7507#section-3",
        "https://www.rfc-editor.org/rfc/rfc8446#section-4.1.3",
    ],
};

impl Check for FallbackScsvMissing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().fallback_scsv.seen() else {
            return;
        };
        if seen.answer != Answer::No {
            return;
        }
        let options = format!(
            "{} -fallback_scsv -cipher 'DEFAULT@SECLEVEL=0'",
            flag(seen.version)
        );
        out.push(Found {
            message: format!(
                "The server speaks {} and lets a client fall back to {}.",
                seen.newest, seen.version
            ),
            seen: vec![format!(
                "{} with TLS_FALLBACK_SCSV: {}",
                seen.version, seen.evidence
            )],
            reproduce: vec![match seen.version {
                ProtocolVersion::SSL3 => sslscan(view, "--ssl3"),
                _ => s_client(view, &options),
            }],
            ..Found::default()
        });
    }
}
