//! The chain is longer than a CA of it allows.

use gladhand_probes::tls::verification::Reason;

use super::support::{chain_text, push_problems};
use super::{Check, Findings, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct ChainPathLength;

static RULE: Rule = Rule {
    id: "chain-path-length",
    title: "The chain is longer than a CA allows",
    severity: Severity::High,
    what: "A CA certificate of the chain limits how many CAs may follow below it \
           (pathLenConstraint), and more do.",
    why: "Clients refuse the chain (OpenSSL: path length constraint exceeded). It comes up in \
          private PKIs, when a CA with `pathlen:0` is made to sign another CA.",
    fix: &[RuleFix {
        product: "any",
        text: "Issue the server's certificate from the CA that has the limit, or have that CA \
               certified again with a longer one. The limits stand in the CA certificates.",
        snippet: Some("openssl x509 -in intermediate.pem -noout -ext basicConstraints"),
    }],
    references: &["https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.9"],
};

impl Check for ChainPathLength {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        push_problems(
            view,
            Reason::ChainPathLength,
            |problem| {
                format!(
                    "The chain is longer than one of its CAs allows: {}.",
                    problem.detail
                )
            },
            &chain_text(view, "Subject:|CA:"),
            out,
        );
    }
}
