//! A certificate is sent that the path does not need.

use super::support::{certificate, showcerts, subject};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct ChainUnrelated;

static RULE: Rule = Rule {
    id: "chain-unrelated",
    title: "The chain contains certificates that do not belong to it",
    severity: Severity::Low,
    what: "The server sends certificates that no other one of the chain needs: they issued nothing \
           in it.",
    why: "Clients that build the path themselves skip them; those that walk the chain as it comes \
          refuse it. Often the wrong intermediate is deployed after a change of CA, and then \
          `chain-incomplete` is found, too.",
    fix: &[RuleFix {
        product: "any",
        text: "Look at subject and issuer of each certificate in the file, and keep those that \
               lead from the server's certificate upwards.",
        snippet: Some(
            "openssl crl2pkcs7 -nocrl -certfile fullchain.pem | openssl pkcs7 -print_certs -noout",
        ),
    }],
    references: &["https://www.rfc-editor.org/rfc/rfc5246#section-7.4.2"],
};

impl Check for ChainUnrelated {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = certificate(view) else {
            return;
        };
        let strays: Vec<_> = seen
            .chain
            .unrelated
            .iter()
            .filter(|index| !seen.chain.duplicates.contains(index))
            .filter_map(|index| seen.served.get(*index).map(|facts| (index + 1, facts)))
            .collect();
        let Some((_, first)) = strays.first() else {
            return;
        };
        out.push(Found {
            message: format!(
                "The server sends {}, which its chain does not need.",
                subject(first)
            ),
            seen: strays
                .iter()
                .map(|(number, facts)| {
                    format!(
                        "number {number}: {}, issued by {}",
                        subject(facts),
                        facts.issuer
                    )
                })
                .collect(),
            reproduce: vec![showcerts(view)],
            ..Found::default()
        });
    }
}
