//! The certificate demands a stapled OCSP response, and none is stapled.

use gladhand_probes::Answer;

use super::support::{certificate_lines, leaf, stapling, status_command, x509};
use super::{Check, Findings, Found, Rule, RuleFix, View, fixes};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct StaplingMustStapleMissing;

static RULE: Rule = Rule {
    id: "stapling-must-staple-missing",
    title: "The certificate demands stapling, and the server does not staple",
    severity: Severity::High,
    what: "The server's certificate has the TLS feature extension with status_request \
           (`must-staple`), and two handshakes that asked for a stapled response got none. A \
           server that staples only now and then may have been seen at the wrong moment.",
    why: "Firefox refuses the connection (MOZILLA_PKIX_ERROR_REQUIRED_TLS_FEATURE_MISSING), and \
           so does GnuTLS. Other clients do not look: it works here and fails there, or fails \
           after a restart until the first response is fetched.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "Let nginx fetch and staple the response. It staples from the second \
                    handshake of each worker on, so use a file where the first one matters, and \
                    renew that.",
            snippet: Some(
                "ssl_stapling on;\nssl_stapling_verify on;\nssl_trusted_certificate /etc/nginx/chain.pem;\nresolver 127.0.0.53;",
            ),
        },
        fixes::HAPROXY_STAPLING,
        RuleFix {
            product: "AWS ALB",
            text: "Load balancers of AWS staple nothing. Order the certificate again without \
                    the extension.",
            snippet: Some(
                "openssl req -new -key key.pem -subj /CN=www.example.com -addext subjectAltName=DNS:www.example.com",
            ),
        },
        RuleFix {
            product: "JVM",
            text: "Java staples where it is told to, and fetches the response itself.",
            snippet: Some("-Djdk.tls.server.enableStatusRequestExtension=true"),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc7633",
        "https://www.rfc-editor.org/rfc/rfc6066#section-8",
        "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_stapling",
    ],
};

impl Check for StaplingMustStapleMissing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = stapling(view) else { return };
        if !seen.must_staple || seen.stapled.answer != Answer::No {
            return;
        }
        let mut lines = vec![seen.stapled.evidence.clone()];
        lines.extend(leaf(view).map(certificate_lines).unwrap_or_default());
        out.push(Found {
            key: "leaf".into(),
            message:
                "The certificate demands a stapled OCSP response, and the server staples none."
                    .into(),
            seen: lines,
            reproduce: vec![status_command(view), x509(view, "-ext tlsfeature")],
            ..Found::default()
        });
    }
}
