//! The stapled OCSP response is no valid one of the issuer.

use gladhand_probes::x509::{RevocationStatus, StatusProblem};

use super::support::{stapled_with, stapling, status_command, status_lines};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// What is the response's own fault, and no rule of its own tells.
const FAULTS: &[StatusProblem] = &[
    StatusProblem::Refused,
    StatusProblem::BadSignature,
    StatusProblem::WrongSigner,
];

/// See [`RULE`].
pub(super) struct StaplingInvalid;

static RULE: Rule = Rule {
    id: "stapling-invalid",
    title: "The stapled OCSP response is no valid one of the issuer",
    severity: Severity::High,
    what: "What the server staples is an error of the responder (`tryLater`, `unauthorized`), \
           has a signature that does not verify, is signed by somebody who may not speak for the \
           issuer, or says that the responder does not know the certificate. What this program \
           cannot read or verify is listed as not measured.",
    why: "Firefox refuses such a connection (SEC_ERROR_OCSP_TRY_SERVER_LATER, \
           SEC_ERROR_OCSP_UNKNOWN_CERT and the like), as do clients that insist on stapling; \
           others ignore it.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "Let nginx verify what it fetches before it staples it, and leave \
                    `ssl_stapling_file` out.",
            snippet: Some(
                "ssl_stapling on;\nssl_stapling_verify on;\nssl_trusted_certificate /etc/nginx/chain.pem;\nresolver 127.0.0.53;",
            ),
        },
        RuleFix {
            product: "any",
            text: "Do not staple what is no good answer. Apache httpd staples errors unless it \
                    is told not to. If the responder does not know a new certificate, wait some \
                    minutes.",
            snippet: Some("SSLStaplingReturnResponderErrors off"),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc6960#section-4.2.2.2",
        "https://www.rfc-editor.org/rfc/rfc6066#section-8",
    ],
};

impl Check for StaplingInvalid {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let unknown = stapling(view)
            .and_then(|seen| seen.response.as_ref())
            .filter(|response| response.status == RevocationStatus::Unknown);
        let (key, message, response) = match (stapled_with(view, FAULTS), unknown) {
            (Some(response), _) => (
                "response",
                format!(
                    "The stapled OCSP response cannot be relied on: {}.",
                    response.evidence
                ),
                response,
            ),
            (None, Some(response)) => (
                "unknown",
                "The stapled OCSP response says that the responder does not know the certificate."
                    .into(),
                response,
            ),
            (None, None) => return,
        };
        out.push(Found {
            key: key.into(),
            message,
            seen: status_lines(response),
            reproduce: vec![status_command(view)],
            ..Found::default()
        });
    }
}
