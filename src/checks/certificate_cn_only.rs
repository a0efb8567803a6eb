//! The name stands in the common name only.

use gladhand_probes::tls::verification::Reason;
use gladhand_probes::untrusted::Untrusted;

use super::support::{certificate_lines, leaf, names_presented, objects, verification, x509};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct CertificateCnOnly;

static RULE: Rule = Rule {
    id: "certificate-cn-only",
    title: "The name stands in the common name only",
    severity: Severity::High,
    what: "The name that was asked for is the certificate's common name, and its subjectAltName \
           does not have it, or is not there.",
    why: "Today's clients read the subjectAltName only: Chrome since 58, Go since 1.15, rustls \
          always. OpenSSL, curl and Java still fall back to the common name where there is no \
          subjectAltName, which is why such a certificate seems to work from one machine and fails \
          from the next.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Have the certificate issued anew with the name as a dNSName in the \
                   subjectAltName.",
            snippet: Some(
                "openssl req -new -key key.pem -subj /CN=www.example.com \
                 -addext 'subjectAltName=DNS:www.example.com' -out request.pem",
            ),
        },
        RuleFix {
            product: "JVM",
            text: "keytool writes a common name alone unless it is told otherwise.",
            snippet: Some(
                "keytool -certreq -alias server -keystore server.p12 -ext SAN=dns:www.example.com",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9525",
        "https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6",
    ],
};

impl Check for CertificateCnOnly {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        // An X.509 v1 certificate cannot have a subjectAltName: that rule tells the cause.
        if !objects(view, Reason::CertificateCnOnly)
            || leaf(view).is_some_and(|leaf| leaf.version == 1)
        {
            return;
        }
        let Some(seen) = verification(view) else {
            return;
        };
        let name = Untrusted::from(seen.name.as_str());
        out.push(Found {
            key: "leaf".into(),
            message: match leaf(view).and_then(names_presented) {
                Some(names) => format!(
                    "{name} is only the certificate's common name; its subjectAltName has {names}."
                ),
                None => {
                    format!(
                        "{name} is only the certificate's common name; there is no subjectAltName."
                    )
                }
            },
            seen: leaf(view).map(certificate_lines).unwrap_or_default(),
            reproduce: vec![x509(view, "-subject -ext subjectAltName")],
            ..Found::default()
        });
    }
}
