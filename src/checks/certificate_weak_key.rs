//! A key too small for verifying clients.

use gladhand_probes::tls::verification::Reason;
use gladhand_probes::x509::KeyFacts;

use super::support::{certificate_lines, key_words, path, problem_key, problems, showcerts};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct CertificateWeakKey;

/// The least an RSA key must have.
const RSA_BITS: u32 = 2048;

/// The least an elliptic curve must have.
const EC_BITS: u32 = 224;

static RULE: Rule = Rule {
    id: "certificate-weak-key",
    title: "A certificate has a weak key",
    severity: Severity::High,
    what: "The server's certificate, or one on its path, has an RSA key of less than 2048 bits, an \
           EC key of less than 224 bits, or a DSA key.",
    why: "RSA with 1024 bits is within reach of factoring, and no public CA signs such a key any \
          more. OpenSSL at security level 2 says `ee key too small`, rustls refuses RSA under 2048 \
          bits, Java under 1024; TLS 1.3 has no DSA at all.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Make a new key and have a certificate issued for it: RSA with 2048 or 3072 bits \
                   for the oldest clients, P-256 for all others.",
            snippet: Some("openssl ecparam -name prime256v1 -genkey -noout -out key.pem"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "Request the certificate from ACM with an EC key, and add it beside the RSA one: \
                   the listener picks the one that the client supports.",
            snippet: Some(
                "aws acm request-certificate --domain-name www.example.com \
                 --validation-method DNS --key-algorithm EC_prime256v1",
            ),
        },
        RuleFix {
            product: "JVM",
            text: "Old keytool versions made 1024-bit keys, or DSA keys, by default: name the \
                   algorithm.",
            snippet: Some(
                "keytool -genkeypair -alias server -keyalg EC -groupname secp256r1 \
                 -keystore server.p12 -ext SAN=dns:www.example.com",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9325#section-4.5",
        "https://cabforum.org/working-groups/server/baseline-requirements/",
    ],
};

impl Check for CertificateWeakKey {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let mut told: Vec<&str> = Vec::new();
        for place in path(view)
            .into_iter()
            .filter(|place| is_weak(&place.facts.key))
        {
            if told.contains(&place.role()) {
                continue;
            }
            told.push(place.role());
            out.push(Found {
                key: place.role().into(),
                message: format!(
                    "{} has a weak key: {}.",
                    place.name(),
                    key_words(place.facts)
                ),
                seen: certificate_lines(place.facts),
                reproduce: vec![showcerts(view)],
                ..Found::default()
            });
        }
        // A client's own limit may be stricter than ours.
        for problem in problems(view, Reason::CertificateWeakKey) {
            let key = problem_key(view, problem);
            if !told.contains(&key) {
                told.push(key);
                out.push(Found {
                    key: key.into(),
                    message: format!(
                        "A verifying client refuses a key of the chain: {}.",
                        problem.detail
                    ),
                    reproduce: vec![showcerts(view)],
                    ..Found::default()
                });
            }
        }
    }
}

/// Whether a key is too small, or of a kind that verifying clients refuse.
pub(super) fn is_weak(key: &KeyFacts) -> bool {
    match key.algorithm.as_str() {
        "RSA" => key.bits.is_some_and(|bits| bits < RSA_BITS),
        "EC" => key.bits.is_some_and(|bits| bits < EC_BITS),
        "DSA" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_limits() {
        let weak = |algorithm: &str, bits| {
            is_weak(&KeyFacts {
                algorithm: algorithm.into(),
                bits,
                curve: None,
            })
        };
        assert!(weak("RSA", Some(2047)) && !weak("RSA", Some(2048)) && !weak("RSA", None));
        assert!(weak("EC", Some(192)) && !weak("EC", Some(224)) && !weak("EC", Some(256)));
        assert!(weak("DSA", Some(3072)) && weak("DSA", None));
        assert!(!weak("Ed25519", Some(253)) && !weak("1.2.3", Some(8)));
    }
}
