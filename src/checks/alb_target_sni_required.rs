//! The target answers hellos with a server name only.

use gladhand_probes::tls::backend::Cause;

use super::support::{backend, backend_lines, s_client_as_balancer, s_client_named};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbTargetSniRequired;

static RULE: Rule = Rule {
    id: "alb-target-sni-required",
    title: "The target wants a server name, and the load balancer sends none",
    severity: Severity::High,
    what: "The target refuses the load balancer's hello, which has no server name (SNI), and answers the \
           same hello with one; or, where no name is known, refuses with the alert unrecognized_name.",
    why: "AWS does not document that load balancers send SNI to their targets, and reports agree that they \
          do not. Clients get 502, health checks fail with Target.FailedHealthChecks.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "Give the default server of this address and port a certificate, which may be \
                   self-signed, instead of `ssl_reject_handshake on`.",
            snippet: Some(
                "server { listen 443 ssl default_server; ssl_certificate default.pem; \
                 ssl_certificate_key default.key; }",
            ),
        },
        RuleFix {
            product: "HAProxy",
            text: "Take `strict-sni` off the bind line: the first certificate is the default then.",
            snippet: Some("bind :443 ssl crt /etc/haproxy/certs/"),
        },
        RuleFix {
            product: "Apache",
            text: "Set `SSLStrictSNIVHostCheck off`, so that the first virtual host of the address answers.",
            snippet: Some("SSLStrictSNIVHostCheck off"),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc6066#section-3",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html",
    ],
};

impl Check for AlbTargetSniRequired {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let wanted = |causes: &[Cause]| causes.contains(&Cause::ServerName);
        let Some(seen) = backend(view).filter(|seen| wanted(&seen.causes())) else {
            return;
        };
        let message = if seen.instead.is_empty() {
            "The target refuses a hello without a server name, with the alert unrecognized_name; the load \
             balancer sends none."
        } else {
            "The target answers only where the hello has a server name; the load balancer sends none."
        };
        let mut reproduce = vec![s_client_as_balancer(view, seen)];
        if let Some(name) = &view.endpoint.sni {
            reproduce.push(s_client_named(view, Some(name), ""));
        }
        out.push(Found {
            message: message.into(),
            seen: backend_lines(seen),
            reproduce,
            ..Found::default()
        });
    }
}
