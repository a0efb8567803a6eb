//! A certificate of the path is signed over MD5 or SHA-1.

use gladhand_probes::tls::verification::Reason;
use gladhand_probes::untrusted::Untrusted;
use gladhand_probes::x509::CertificateFacts;

use super::support::{certificate_lines, path, problem_key, problems, showcerts};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct CertificateWeakSignature;

static RULE: Rule = Rule {
    id: "certificate-weak-signature",
    title: "A certificate is signed over MD5 or SHA-1",
    severity: Severity::High,
    what: "The server's certificate, or an intermediate on its path, has a signature over MD5 or \
           SHA-1. Self-signed certificates are left out: nobody relies on their signatures.",
    why: "Collisions can be computed for both, so that a forged certificate can carry a true \
          signature. Browsers, Go and OpenSSL at its default security level (`ca md too weak`) \
          refuse them.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Have the certificate issued anew with SHA-256. For an intermediate, take the \
                   CA's current chain: most have been issued again with the same key.",
            snippet: Some(
                "openssl x509 -req -sha256 -in request.pem -CA ca.pem -CAkey ca.key -out leaf.pem",
            ),
        },
        RuleFix {
            product: "JVM",
            text: "The algorithms that Java refuses stand in `java.security`; let it stay that \
                   way.",
            snippet: Some("jdk.certpath.disabledAlgorithms"),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9155",
        "https://www.rfc-editor.org/rfc/rfc6151",
        "https://shattered.io/",
    ],
};

impl Check for CertificateWeakSignature {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let mut told: Vec<&str> = Vec::new();
        for place in path(view) {
            if told.contains(&place.role()) || place.facts.self_signed || !is_weak(place.facts) {
                continue;
            }
            told.push(place.role());
            out.push(Found {
                key: place.role().into(),
                message: format!(
                    "{} is signed with {}.",
                    place.name(),
                    Untrusted::from(place.facts.signature.as_str())
                ),
                seen: certificate_lines(place.facts),
                reproduce: vec![showcerts(view)],
                ..Found::default()
            });
        }
        for problem in problems(view, Reason::CertificateWeakSignature) {
            let key = problem_key(view, problem);
            if !told.contains(&key) {
                told.push(key);
                out.push(Found {
                    key: key.into(),
                    message: format!(
                        "A verifying client refuses a signature of the chain: {}.",
                        problem.detail
                    ),
                    reproduce: vec![showcerts(view)],
                    ..Found::default()
                });
            }
        }
    }
}

fn is_weak(facts: &CertificateFacts) -> bool {
    let hash = facts.signature_hash.as_deref().unwrap_or_default();
    matches!(
        hash.to_ascii_lowercase().as_str(),
        "md2" | "md4" | "md5" | "sha1"
    )
}
