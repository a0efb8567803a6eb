//! An intermediate on the path is past its notAfter, or before its notBefore.

use gladhand_probes::tls::verification::Reason;

use super::fixes::ACM_IMPORT;
use super::support::{
    certificate_lines, date, intermediates, is_trusted, problems, showcerts, span, subject,
};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct ChainIntermediateExpired;

static RULE: Rule = Rule {
    id: "chain-intermediate-expired",
    title: "An intermediate has expired",
    severity: Severity::High,
    what: "An intermediate on the path is past its notAfter, or before its notBefore. Expired \
           certificates that the path does not need are left out. Where a verifying client finds \
           another path to a root, the severity is medium.",
    why: "Clients refuse the chain although the server's own certificate is valid. Those that find \
          a way around it hide the problem: when DST Root CA X3 ran out in 2021, browsers went on, \
          and clients with OpenSSL 1.0.2 broke.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Download the CA's current intermediates and replace those in the chain file. \
                   The server's own certificate may stay if its issuer's key is the same.",
            snippet: Some("cat leaf.pem new-intermediate.pem > fullchain.pem"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "Import the same certificate again, with the new chain.",
            snippet: Some(ACM_IMPORT),
        },
    ],
    references: &["https://www.rfc-editor.org/rfc/rfc5280#section-6.1.3"],
};

impl Check for ChainIntermediateExpired {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let invalid = intermediates(view)
            .map(|place| place.facts)
            .find(|facts| view.now > facts.not_after || view.now < facts.not_before);
        if let Some(facts) = invalid {
            let message = if view.now > facts.not_after {
                format!(
                    "The intermediate {} expired {} ago, on {}.",
                    subject(facts),
                    span(view.now - facts.not_after),
                    date(facts.not_after)
                )
            } else {
                format!(
                    "The intermediate {} becomes valid only in {}, on {}.",
                    subject(facts),
                    span(facts.not_before - view.now),
                    date(facts.not_before)
                )
            };
            out.push(Found {
                key: "intermediate".into(),
                message,
                seen: certificate_lines(facts),
                reproduce: vec![showcerts(view)],
                severity: is_trusted(view).then_some(Severity::Medium),
                ..Found::default()
            });
        } else if let Some(problem) = problems(view, Reason::ChainIntermediateExpired).first() {
            out.push(Found {
                key: "intermediate".into(),
                message: format!(
                    "A CA certificate of the chain is not valid now: {}.",
                    problem.detail
                ),
                reproduce: vec![showcerts(view)],
                ..Found::default()
            });
        }
    }
}
