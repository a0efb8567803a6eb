//! TLS 1.3 is refused.

use gladhand_probes::Answer;
use gladhand_probes::wire::registry::ProtocolVersion;

use super::fixes::{ALB_POLICIES, ALB_RES};
use super::support::{listeners_command, s_client};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct Tls13Missing;

static RULE: Rule = Rule {
    id: "tls-1-3-missing",
    title: "TLS 1.3 is refused",
    severity: Severity::Low,
    what: "The server refuses TLS 1.3 beyond doubt, and speaks an older version.",
    why: "TLS 1.3 (RFC 9846) saves a round trip, encrypts the server's certificate, leaves no old \
          suites to choose, and is the only version with post-quantum key exchange.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "Needs nginx 1.13.0 and OpenSSL 1.1.1. Enable it in the `server` block that \
                   listens first on this address and port.",
            snippet: Some("ssl_protocols TLSv1.2 TLSv1.3;"),
        },
        RuleFix {
            product: "HAProxy",
            text: "Enabled by default with OpenSSL 1.1.1 and newer: remove `no-tlsv13` and \
                   `ssl-max-ver TLSv1.2` from the bind lines and `ssl-default-bind-options`.",
            snippet: Some("ssl-default-bind-options ssl-min-ver TLSv1.2"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "Choose a policy whose name has TLS13; ELBSecurityPolicy-2016-08 and those with \
                   FS or TLS-1-2 in the name end at TLS 1.2.",
            snippet: Some(ALB_RES),
        },
        RuleFix {
            product: "JVM",
            text: "Java 11 has it, Java 8 since update 261: name it among the connector's \
                   protocols.",
            snippet: Some("server.ssl.enabled-protocols=TLSv1.2,TLSv1.3"),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9846",
        "https://www.rfc-editor.org/rfc/rfc9325#section-3.1.1",
        ALB_POLICIES,
    ],
};

impl Check for Tls13Missing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(versions) = view.observations().versions.seen() else {
            return;
        };
        let Some(seen) = versions.0.get(&ProtocolVersion::TLS1_3) else {
            return;
        };
        let Some(newest) = versions.spoken().last() else {
            return;
        };
        if seen.answer != Answer::No {
            return;
        }
        let mut reproduce = vec![s_client(view, "-tls1_3")];
        reproduce.extend(listeners_command(view));
        out.push(Found {
            key: ProtocolVersion::TLS1_3.to_string(),
            message: format!(
                "The server refuses TLSv1.3; the newest version it accepts is {newest}."
            ),
            seen: vec![seen.evidence.clone()],
            reproduce,
            ..Found::default()
        });
    }
}
