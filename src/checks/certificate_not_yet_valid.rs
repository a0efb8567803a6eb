//! The server's certificate is before its notBefore.

use gladhand_probes::tls::verification::Reason;

use super::support::{certificate_lines, date, leaf, problems, span, x509};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct CertificateNotYetValid;

static RULE: Rule = Rule {
    id: "certificate-not-yet-valid",
    title: "The certificate is not valid yet",
    severity: Severity::Critical,
    what: "The time of the run is before the notBefore of the server's own certificate.",
    why: "Every client that verifies refuses it, as it would an expired one. Usual causes: the \
          certificate was made on a machine whose clock is ahead, it was deployed before its time, \
          or the clock of the client is behind.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Compare the clocks first: that of the machine which issued the certificate, and \
                   that of the machine which runs this check.",
            snippet: Some("timedatectl status"),
        },
        RuleFix {
            product: "any",
            text: "If the clocks are right, serve the previous certificate until notBefore, or \
                   have a private CA issue it anew with a notBefore some minutes back.",
            snippet: None,
        },
    ],
    references: &["https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5"],
};

impl Check for CertificateNotYetValid {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(leaf) = leaf(view) else { return };
        let problems = problems(view, Reason::CertificateNotYetValid);
        out.push(Found {
            key: "leaf".into(),
            message: match problems.first() {
                _ if view.now < leaf.not_before => format!(
                    "The certificate becomes valid only in {}, on {}.",
                    span(leaf.not_before - view.now),
                    date(leaf.not_before)
                ),
                // The client's clock was another one.
                Some(problem) => format!(
                    "A verifying client refuses the certificate: {}.",
                    problem.detail
                ),
                None => return,
            },
            seen: certificate_lines(leaf),
            reproduce: vec![x509(view, "-subject -dates")],
            ..Found::default()
        });
    }
}
