//! Key exchanges are signed over SHA-1 or MD5.

use gladhand_probes::Answer;
use gladhand_probes::wire::names::SchemeName;
use gladhand_probes::wire::registry::SignatureScheme;

use super::fixes::{ALB_POLICIES, ALB_PROTOCOLS};
use super::support::s_client;
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct SignatureSha1Accepted;

static RULE: Rule = Rule {
    id: "signature-sha1-accepted",
    title: "The key exchange is signed over SHA-1 or MD5",
    severity: Severity::Low,
    what: "In TLS 1.2 the server signs its key exchange over SHA-1 or MD5 for a client that offers \
           nothing better. Where it does so for a client that offers SHA-256 as well, the severity is \
           high. In TLS 1.3 it signs the handshake over SHA-1. TLS 1.0 and 1.1 have nothing else, and rules of their own; the signatures of \
           certificates are another rule, too.",
    why: "Collisions of SHA-1 can be computed, and RFC 9155 forbids it for signatures of TLS 1.2. \
          OpenSSL 3 at its default security level, RHEL 9, Go 1.25 and rustls refuse such a signature: \
          `wrong signature type` or `unsupported signature algorithm`.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "OpenSSL 3 at security level 1 or more does not sign over SHA-1: see that no \
                   `@SECLEVEL=0` stands in `ssl_ciphers` or in openssl.cnf. Or name the algorithms.",
            snippet: Some(
                "ssl_conf_command SignatureAlgorithms \
                 ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA384:RSA+SHA384;",
            ),
        },
        RuleFix {
            product: "HAProxy",
            text: "The same holds; since 2.8 they can be named in `global`.",
            snippet: Some(
                "ssl-default-bind-sigalgs \
                 ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA384:RSA+SHA384",
            ),
        },
        ALB_PROTOCOLS,
        RuleFix {
            product: "JVM",
            text: "Disable SHA-1 for handshakes in `java.security`; put it behind what stands there.",
            snippet: Some("jdk.tls.disabledAlgorithms=…, SHA1 usage HandshakeSignature"),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9155",
        "https://www.rfc-editor.org/rfc/rfc9325",
        ALB_POLICIES,
    ],
};

impl Check for SignatureSha1Accepted {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().signature_algorithms.seen() else {
            return;
        };
        if let Some(tls13) = &seen.tls13
            && tls13.sha1.answer == Answer::Yes
        {
            out.push(Found {
                key: "TLSv1.3".into(),
                message: "The server signs its handshake in TLS 1.3 over SHA-1 if asked to.".into(),
                seen: vec![tls13.sha1.evidence.clone()],
                ..Found::default()
            });
        }
        let is_weak = |name: &&SchemeName| name.scheme().is_some_and(SignatureScheme::weak_hash);
        if let Some(preferred) = seen.preferred.as_ref().filter(is_weak) {
            out.push(Found {
                message: format!(
                    "The server signs its key exchange with {preferred}, whatever a client offers."
                ),
                seen: vec![format!("offered everything, it takes {preferred}")],
                reproduce: vec![told(view, "")],
                severity: Some(Severity::High),
                ..Found::default()
            });
            return;
        }
        let (Some(scheme), Some(weak)) = (&seen.weak_scheme, &seen.weak) else {
            return;
        };
        out.push(Found {
            message: format!("The server signs its key exchange with {scheme} if asked to."),
            seen: vec![format!("offered SHA-1 and MD5 alone: {}", weak.evidence)],
            reproduce: vec![told(view, " -sigalgs RSA+SHA1:ECDSA+SHA1")],
            ..Found::default()
        });
    }
}

/// The hash that the server signs with, as OpenSSL tells it.
fn told(view: &View<'_>, options: &str) -> String {
    let options = format!("-tls1_2 -cipher 'DEFAULT@SECLEVEL=0'{options}");
    format!(
        "{} 2>/dev/null | grep 'Peer signing digest'",
        s_client(view, &options)
    )
}
