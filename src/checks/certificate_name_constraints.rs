//! An issuer's name constraints exclude the certificate's names.

use gladhand_probes::tls::verification::Reason;

use super::support::{chain_text, push_problems};
use super::{Check, Findings, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct CertificateNameConstraints;

static RULE: Rule = Rule {
    id: "certificate-name-constraints",
    title: "A CA of the chain may not issue for these names",
    severity: Severity::High,
    what: "A CA certificate of the chain carries name constraints, and a name of the certificate \
           lies outside of what they permit, or inside of what they exclude.",
    why: "Clients refuse the whole certificate, even where the name they asked for is permitted: \
          one stray name is enough (OpenSSL: permitted subtree violation). It comes up with \
          private CAs that are bound to a domain, when a certificate gets one name more.",
    fix: &[RuleFix {
        product: "any",
        text: "Issue the certificate without the stray names, or from a CA that may issue for \
               them. The permitted names stand in the CA's certificate.",
        snippet: Some("openssl x509 -in intermediate.pem -noout -ext nameConstraints"),
    }],
    references: &["https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.10"],
};

impl Check for CertificateNameConstraints {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        push_problems(
            view,
            Reason::CertificateNameConstraints,
            |problem| {
                format!(
                    "A CA of the chain may not issue this certificate: {}.",
                    problem.detail
                )
            },
            &chain_text(view, "Subject:|Permitted:|Excluded:|DNS:"),
            out,
        );
    }
}
