//! The stapled OCSP response is about another certificate.

use gladhand_probes::x509::StatusProblem;

use super::support::{certificate_lines, leaf, stapled_with, status_command};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct StaplingWrongCertificate;

static RULE: Rule = Rule {
    id: "stapling-wrong-certificate",
    title: "The stapled OCSP response is for another certificate",
    severity: Severity::High,
    what: "What the server staples names another serial number or another issuer than its \
           certificate has.",
    why: "It was there before the certificate was renewed, or is the one of another site. \
           Firefox refuses the connection, as do clients that insist on stapling; to others it \
           is as if nothing was stapled.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "A file of `ssl_stapling_file` belongs to one certificate: renew it with the \
                    certificate, or leave it out and let nginx fetch the response.",
            snippet: Some(
                "ssl_stapling on;\nssl_stapling_verify on;\nssl_trusted_certificate /etc/nginx/chain.pem;\nresolver 127.0.0.53;",
            ),
        },
        RuleFix {
            product: "HAProxy",
            text: "The `.ocsp` file beside the certificate is of the old one: renew both \
                    together, and reload.",
            snippet: Some(
                "openssl ocsp -issuer chain.pem -cert site.pem -url http://ocsp.example.com -no_nonce -respout site.pem.ocsp",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc6960#section-3.2",
        "https://www.rfc-editor.org/rfc/rfc6066#section-8",
    ],
};

impl Check for StaplingWrongCertificate {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(response) = stapled_with(view, &[StatusProblem::WrongCertificate]) else {
            return;
        };
        let mut lines = vec![response.evidence.to_string()];
        lines.extend(leaf(view).map(certificate_lines).unwrap_or_default());
        out.push(Found {
            key: "leaf".into(),
            message: "The stapled OCSP response is not about the certificate that is served."
                .into(),
            seen: lines,
            reproduce: vec![status_command(view)],
            ..Found::default()
        });
    }
}
