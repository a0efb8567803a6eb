//! The certificate may not be used for a TLS server.

use gladhand_probes::tls::verification::Reason;

use super::support::{chain_text, push_problems};
use super::{Check, Findings, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct CertificateWrongUsage;

static RULE: Rule = Rule {
    id: "certificate-wrong-usage",
    title: "The certificate is not for a TLS server",
    severity: Severity::High,
    what: "The certificate's extensions do not allow what it is used for: an extended key usage \
           without serverAuth, a key usage without digitalSignature, a CA certificate in the \
           server's place, or an issuer that is no CA.",
    why: "Clients refuse it (OpenSSL: unsuitable certificate purpose; Java: Extended key usage \
          does not permit use for TLS server authentication). Usual cause: a client, e-mail or \
          code signing certificate, or the CA's own, was put into the server's configuration.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Have a server certificate issued: basicConstraints CA:FALSE, keyUsage \
                   digitalSignature, extendedKeyUsage serverAuth.",
            snippet: Some("extendedKeyUsage = serverAuth"),
        },
        RuleFix {
            product: "any",
            text: "If such a certificate exists already, the wrong file is deployed: the first \
                   certificate in the file must be the server's own.",
            snippet: Some("openssl x509 -in fullchain.pem -noout -subject -purpose"),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12",
        "https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.3",
    ],
};

impl Check for CertificateWrongUsage {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        push_problems(
            view,
            Reason::CertificateWrongUsage,
            |problem| {
                format!(
                    "A certificate may not be used as it is: {}.",
                    problem.detail
                )
            },
            &chain_text(view, "Subject:|CA:|Sign|TLS Web"),
            out,
        );
    }
}
