//! A certificate is sent twice.

use super::fixes::ACM_IMPORT;
use super::support::{certificate, showcerts, subject};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct ChainDuplicate;

static RULE: Rule = Rule {
    id: "chain-duplicate",
    title: "A certificate is sent twice",
    severity: Severity::Low,
    what: "The same certificate stands in the chain more than once.",
    why: "Most clients skip the copy. Strict ones take it for a chain in the wrong order, and in \
          every full handshake its bytes are wasted. Usual cause: the server's certificate stands \
          both in the certificate file and in the chain file.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "If `ssl_certificate` is made of a chain file that begins with the server's \
                   certificate, do not put that one in front of it again.",
            snippet: Some("grep -c 'BEGIN CERTIFICATE' /etc/nginx/fullchain.pem"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "`--certificate-chain` must not contain the certificate given with \
                   `--certificate`.",
            snippet: Some(ACM_IMPORT),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc5246#section-7.4.2",
        "https://docs.aws.amazon.com/acm/latest/userguide/import-certificate-format.html",
    ],
};

impl Check for ChainDuplicate {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = certificate(view) else {
            return;
        };
        let copies: Vec<_> = seen
            .chain
            .duplicates
            .iter()
            .filter_map(|index| {
                seen.served
                    .get(*index)
                    .map(|facts| (index + 1, subject(facts)))
            })
            .collect();
        let Some((_, first)) = copies.first() else {
            return;
        };
        out.push(Found {
            message: format!("The server sends {first} more than once."),
            seen: copies
                .iter()
                .map(|(number, subject)| format!("sent again as number {number}: {subject}"))
                .collect(),
            reproduce: vec![showcerts(view)],
            ..Found::default()
        });
    }
}
