//! Without a server name, the server refuses.

use gladhand_probes::tls::sni::{SniAnswer, SniOutcome};
use gladhand_probes::wire::registry::AlertDescription;

use super::support::{alert_words, reach, rejects_the_name, s_client, s_client_named};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct SniRequired;

static RULE: Rule = Rule {
    id: "sni-required",
    title: "The server requires a server name",
    severity: Severity::Info,
    what: "With its name in the hello (SNI) the server sends a certificate; without one it \
           refuses, or sends none. For a target that was given by its address: it refuses with the \
           alert unrecognized_name.",
    why: "Clients that send no SNI cannot connect: health checks by address, old devices, nginx as \
          a proxy unless `proxy_ssl_server_name on`, HAProxy unless the server line has `sni`. AWS \
          does not document that an Application Load Balancer sends SNI to its targets, and \
          reports agree that it does not: such a target answers 502 behind it.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "Give the default server of this address and port a certificate, instead of \
                   `ssl_reject_handshake on`.",
            snippet: Some(
                "server { listen 443 ssl default_server; ssl_certificate default.pem; \
                 ssl_certificate_key default.key; return 421; }",
            ),
        },
        RuleFix {
            product: "HAProxy",
            text: "Without `strict-sni`, the first certificate of the bind line is the default.",
            snippet: Some(
                "bind :443 ssl crt /etc/haproxy/certs/default.pem crt /etc/haproxy/certs/",
            ),
        },
        RuleFix {
            product: "nginx",
            text: "Where nginx is the client, let it send the name.",
            snippet: Some("proxy_ssl_server_name on; proxy_ssl_name www.example.com;"),
        },
        RuleFix {
            product: "HAProxy",
            text: "Where HAProxy is the client, let it send the name, in health checks, too.",
            snippet: Some(
                "server s1 192.0.2.1:443 ssl verify required ca-file /etc/ssl/ca.pem \
                 sni str(www.example.com) check-sni www.example.com",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc6066#section-3",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html",
    ],
};

impl Check for SniRequired {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().sni.seen() else {
            return refused_at_once(view, out);
        };
        let Some(what) = refusal(&seen.without) else {
            return;
        };
        let (message, with) = match &seen.with {
            Some(with) if with.outcome == SniOutcome::Certificate => {
                let name = seen.name.as_deref().unwrap_or_default();
                (
                    format!(
                        "Without a server name the server {what}; with one it sends a certificate."
                    ),
                    Some((name, with)),
                )
            }
            // An address cannot be sent as SNI; the alert says what is missing.
            None if seen.without.alert == Some(AlertDescription::UNRECOGNIZED_NAME.0) => (
                format!(
                    "Without a server name the server {what}; an address cannot be sent as one."
                ),
                None,
            ),
            _ => return,
        };
        let mut lines = vec![format!("without a name: {}", seen.without.evidence)];
        let mut reproduce = vec![s_client_named(view, None, "")];
        if let Some((name, with)) = with {
            lines.push(format!("with its name: {}", with.evidence));
            reproduce.push(s_client_named(view, Some(name), ""));
        }
        out.push(Found {
            message,
            seen: lines,
            reproduce,
            ..Found::default()
        });
    }
}

/// Where names were not probed, the first hello of a target without a name may have told as much.
fn refused_at_once(view: &View<'_>, out: &mut Findings<'_>) {
    let Some(reach) = reach(view).filter(|seen| rejects_the_name(seen)) else {
        return;
    };
    if view.endpoint.sni.is_none() {
        let alert = AlertDescription::UNRECOGNIZED_NAME;
        out.push(Found {
            message: format!("Without a server name the server sends the alert {alert}."),
            seen: reach.evidence.clone(),
            reproduce: vec![s_client(view, "")],
            ..Found::default()
        });
    }
}

/// How the server refuses, in words; none where it does not, or where the answer decides nothing.
fn refusal(answer: &SniAnswer) -> Option<String> {
    match (answer.outcome, answer.alert) {
        (SniOutcome::Alert, Some(alert)) => Some(format!("sends the alert {}", alert_words(alert))),
        (SniOutcome::Alert, None) => Some("sends an alert".into()),
        (SniOutcome::Closed, _) => Some("closes the connection".into()),
        (SniOutcome::Reset, _) => Some("resets the connection".into()),
        (SniOutcome::Silent, _) => Some("does not answer".into()),
        (SniOutcome::NoCertificate, _) => Some("sends no certificate".into()),
        (SniOutcome::Certificate | SniOutcome::Undetermined, _) => None,
    }
}
