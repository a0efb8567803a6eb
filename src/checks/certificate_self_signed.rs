//! The server's certificate is signed by its own key.

use super::support::{certificate_lines, is_self_signed, leaf, showcerts, subject};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct CertificateSelfSigned;

static RULE: Rule = Rule {
    id: "certificate-self-signed",
    title: "The certificate is self-signed",
    severity: Severity::High,
    what: "The server's own certificate is signed by its own key, and it is not itself in the \
           trust store that it was verified against.",
    why: "Only a client that was given this very certificate accepts it (OpenSSL: error 18, Java: \
          PKIX path building failed). An AWS load balancer does not verify its targets and accepts \
          it: behind one, a self-signed certificate is not what breaks the handshake.",
    fix: &[
        RuleFix {
            product: "any",
            text: "For clients that you do not control, take a certificate from a public CA; \
                   inside, from your own CA, whose root the clients are given once.",
            snippet: None,
        },
        RuleFix {
            product: "JVM",
            text: "As a stopgap, let the client trust this certificate.",
            snippet: Some("keytool -importcert -alias server -file server.pem -cacerts"),
        },
        RuleFix {
            product: "HAProxy",
            text: "In front of such a server, verify against the certificate itself, rather than \
                   not at all.",
            snippet: Some(
                "server s1 192.0.2.1:443 ssl verify required ca-file /etc/haproxy/s1.pem",
            ),
        },
        RuleFix {
            product: "nginx",
            text: "In front of such a server, the same.",
            snippet: Some(
                "proxy_ssl_verify on; proxy_ssl_trusted_certificate /etc/nginx/upstream.pem;",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc5280#section-6.1",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html",
    ],
};

impl Check for CertificateSelfSigned {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        if !is_self_signed(view) {
            return;
        }
        out.push(Found {
            key: "leaf".into(),
            message: match leaf(view) {
                Some(leaf) => {
                    format!(
                        "The certificate {} is signed by its own key.",
                        subject(leaf)
                    )
                }
                None => "The certificate is signed by its own key.".into(),
            },
            seen: leaf(view).map(certificate_lines).unwrap_or_default(),
            reproduce: vec![showcerts(view)],
            ..Found::default()
        });
    }
}
