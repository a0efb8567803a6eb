//! The plaintext port serves something else than a redirect to HTTPS.

use std::net::SocketAddr;

use super::support::quote;
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct HttpRedirectMissing;

static RULE: Rule = Rule {
    id: "http-redirect-missing",
    title: "The plaintext port does not lead to HTTPS",
    severity: Severity::Medium,
    what: "Port 80 of the same address (or that of `--http-port`), asked for the same host and path, \
           answers with content (2xx): medium; or with a redirect to something that is no HTTPS URL: \
           low, since only one step is followed. Errors (4xx, 5xx) serve nothing, and a port that \
           answers nothing is as good as a redirect to programs.",
    why: "Who types the name, or follows an old link, comes without TLS and stays there: whatever is \
          asked and sent, cookies and forms as well, can be read and changed on the way.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "A `server` block for port 80 that does nothing else.",
            snippet: Some("server { listen 80; return 301 https://$host$request_uri; }"),
        },
        RuleFix {
            product: "HAProxy",
            text: "In the frontend that has no TLS.",
            snippet: Some("http-request redirect scheme https code 301 unless { ssl_fc }"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "Give the HTTP listener a redirect as its default action.",
            snippet: Some(
                "aws elbv2 modify-listener --listener-arn <ARN> --default-actions \
                 'Type=redirect,RedirectConfig={Protocol=HTTPS,Port=443,StatusCode=HTTP_301}'",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.4",
        "https://www.rfc-editor.org/rfc/rfc6797#section-7.2",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html",
    ],
};

impl Check for HttpRedirectMissing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().http.seen() else {
            return;
        };
        let Some(redirect) = &seen.redirect else {
            return;
        };
        let Some(head) = redirect
            .answer
            .head
            .as_ref()
            .filter(|_| redirect.to_https == Some(false))
        else {
            return;
        };
        let port = redirect.port;
        let (key, message, severity) = match (head.status, &head.location) {
            (200..=299, _) => {
                let message = format!(
                    "Port {port} answers without TLS, and with content: HTTP {}.",
                    head.status
                );
                ("content", message, None)
            }
            (301 | 302 | 303 | 307 | 308, Some(location)) => {
                let message =
                    format!("Port {port} redirects to {location}, which is no HTTPS URL.");
                ("elsewhere", message, Some(Severity::Low))
            }
            _ => return,
        };
        let mut lines = vec![format!("HTTP {}", head.status)];
        lines.extend(head.server.iter().map(|server| format!("Server: {server}")));
        let address = SocketAddr::new(view.endpoint.ip, port);
        out.push(Found {
            key: key.into(),
            message,
            seen: lines,
            reproduce: vec![format!(
                "curl -si -H {} {} | head -20",
                quote(&format!("Host: {}", host(&seen.host))),
                quote(&format!("http://{address}{}", seen.path))
            )],
            severity,
            ..Found::default()
        });
    }
}

/// The host without the port of HTTPS.
fn host(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}
