//! The root is sent along.

use super::support::{certificate, showcerts, subject};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct ChainSuperfluousRoot;

static RULE: Rule = Rule {
    id: "chain-superfluous-root",
    title: "The root is sent along",
    severity: Severity::Info,
    what: "The chain contains a self-signed certificate other than the server's own.",
    why: "A client trusts the root that it has, never one that it is sent: the bytes are wasted in \
          every full handshake, and make the first flight longer. Nothing breaks.",
    fix: &[RuleFix {
        product: "any",
        text: "Leave the root out of the file: the server's certificate and the intermediates are \
               all that clients need.",
        snippet: Some("cat leaf.pem intermediate.pem > fullchain.pem"),
    }],
    references: &["https://www.rfc-editor.org/rfc/rfc5246#section-7.4.2"],
};

impl Check for ChainSuperfluousRoot {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = certificate(view) else {
            return;
        };
        let chain = &seen.chain;
        // A root of another chain is unrelated, a second copy a duplicate: other rules tell those.
        let elsewhere =
            |index: &usize| chain.unrelated.contains(index) || chain.duplicates.contains(index);
        let roots: Vec<String> = chain
            .roots
            .iter()
            .filter(|index| **index != 0 && !elsewhere(index))
            .filter_map(|index| seen.served.get(*index))
            .map(subject)
            .collect();
        let Some(root) = roots.first() else { return };
        out.push(Found {
            message: format!("The server sends the root {root}, which no client needs."),
            seen: roots
                .iter()
                .map(|root| format!("self-signed: {root}"))
                .collect(),
            reproduce: vec![showcerts(view)],
            ..Found::default()
        });
    }
}
