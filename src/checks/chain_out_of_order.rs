//! The chain's certificates were not sent in the order of the path.

use super::fixes::ACM_IMPORT;
use super::support::{certificate, enumeration, path, showcerts, subject};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct ChainOutOfOrder;

static RULE: Rule = Rule {
    id: "chain-out-of-order",
    title: "The chain is sent in the wrong order",
    severity: Severity::Medium,
    what: "The certificates of the path were not sent in its order: each one is to be certified by \
           the one that follows it. TLS 1.2 demands that, TLS 1.3 recommends it.",
    why: "OpenSSL, browsers and Java sort the chain themselves; embedded stacks, old appliances \
          and some load balancers in front of the server walk it as it comes and refuse it.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Build the file in this order: the server's certificate, the intermediate that \
                   issued it, the next one up. The root is not needed.",
            snippet: Some("cat leaf.pem intermediate.pem > fullchain.pem"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "ACM wants the chain in that order, too: each certificate certifies the one \
                   before it.",
            snippet: Some(ACM_IMPORT),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc5246#section-7.4.2",
        "https://www.rfc-editor.org/rfc/rfc9846",
    ],
};

impl Check for ChainOutOfOrder {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = certificate(view) else {
            return;
        };
        if seen.chain.in_order || seen.chain.path.len() < 2 {
            return;
        }
        let path = path(view);
        let order: Vec<String> = path
            .iter()
            .map(|place| (place.index + 1).to_string())
            .collect();
        out.push(Found {
            message: format!(
                "The certificates were sent in the wrong order: the chain runs through number {}.",
                enumeration(&order)
            ),
            seen: path
                .iter()
                .map(|place| {
                    format!(
                        "sent as number {}: {}",
                        place.index + 1,
                        subject(place.facts)
                    )
                })
                .collect(),
            reproduce: vec![showcerts(view)],
            ..Found::default()
        });
    }
}
