//! The server asks for a client certificate.

use gladhand_probes::tls::handshake::HandshakeOutcome;

use super::support::s_client;
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct ClientCertificateRequired;

static RULE: Rule = Rule {
    id: "client-certificate-required",
    title: "The server asks for a client certificate",
    severity: Severity::Medium,
    what: "The server sends a CertificateRequest. Medium where the handshake then fails without a \
           certificate; info where it goes on, since the server may still answer every request \
           with an error, as nginx does.",
    why: "Clients without a certificate get no further, or get 400 for every request. AWS load \
          balancers send no certificate to their targets: such a target is unhealthy behind one, \
          or answers 502. Clients show the alert certificate_required (116), handshake_failure \
          (40) or bad_certificate (42).",
    fix: &[
        RuleFix {
            product: "any",
            text: "If this is meant to be so, give the client its certificate and key, issued by a \
                   CA that the server names.",
            snippet: Some("curl --cert client.pem --key client.key https://www.example.com/"),
        },
        RuleFix {
            product: "nginx",
            text: "If not, take the demand away, or make it optional for the paths that need none.",
            snippet: Some("ssl_verify_client off;"),
        },
        RuleFix {
            product: "HAProxy",
            text: "The same on the bind line.",
            snippet: Some("bind :443 ssl crt /etc/haproxy/certs/ verify none"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "A listener asks for one where its mutual authentication is `verify` or \
                   `passthrough`.",
            snippet: Some(
                "aws elbv2 describe-listeners --listener-arns <ARN> \
                 --query 'Listeners[].MutualAuthentication'",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9846#section-4.3.2",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html",
    ],
};

impl Check for ClientCertificateRequired {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().handshake.seen() else {
            return;
        };
        if !seen.client_certificate_requested {
            return;
        }
        let completed = seen.outcome == HandshakeOutcome::Completed;
        out.push(Found {
            key: if completed { "requested" } else { "required" }.into(),
            message: if completed {
                "The server asks for a client certificate, and goes on without one: it may still \
                 answer every request with an error."
                    .into()
            } else {
                "The server asks for a client certificate, and ends the handshake without one."
                    .into()
            },
            seen: seen.error.iter().map(ToString::to_string).collect(),
            reproduce: vec![format!(
                "{} 2>/dev/null | grep -A5 'client certificate CA names'",
                s_client(view, "")
            )],
            severity: completed.then_some(Severity::Info),
            ..Found::default()
        });
    }
}
