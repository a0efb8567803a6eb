//! An X.509 version 1 certificate.

use gladhand_probes::tls::verification::Reason;

use super::support::{certificate_lines, chain_text, path, problem_key, problems};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct CertificateX509V1;

static RULE: Rule = Rule {
    id: "certificate-x509-v1",
    title: "A certificate is X.509 version 1",
    severity: Severity::High,
    what: "The server's certificate, or an intermediate on its path, is X.509 version 1. A root of \
           version 1 is left out: clients have it from their own store.",
    why: "Version 1 has no extensions: no subjectAltName, so no name that a client accepts, and no \
          basicConstraints, so nobody can tell a CA from a server. Clients that look for the name \
          in the subjectAltName refuse it, and rustls in any case. Usual cause: `openssl x509 \
          -req` without an extension file, which makes version 1 in OpenSSL 3.0 and older.",
    fix: &[RuleFix {
        product: "any",
        text: "Issue it again with extensions, as version 3.",
        snippet: Some(
            "printf 'subjectAltName=DNS:www.example.com\\nextendedKeyUsage=serverAuth\\n' > v3.ext && \
                 openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -extfile v3.ext -out leaf.pem",
        ),
    }],
    references: &["https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.1"],
};

impl Check for CertificateX509V1 {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let mut told: Vec<&str> = Vec::new();
        for place in path(view) {
            let role = place.role();
            if place.facts.version != 1 || role == "root" || told.contains(&role) {
                continue;
            }
            told.push(role);
            out.push(Found {
                key: role.into(),
                message: format!("{} is X.509 version 1, without extensions.", place.name()),
                seen: certificate_lines(place.facts),
                reproduce: vec![chain_text(view, "Subject:|Version:")],
                ..Found::default()
            });
        }
        for problem in problems(view, Reason::CertificateX509V1) {
            let key = problem_key(view, problem);
            if !told.contains(&key) {
                told.push(key);
                out.push(Found {
                    key: key.into(),
                    message: format!(
                        "A verifying client refuses a certificate's version: {}.",
                        problem.detail
                    ),
                    reproduce: vec![chain_text(view, "Subject:|Version:")],
                    ..Found::default()
                });
            }
        }
    }
}
