//! Secure renegotiation is missing.

use gladhand_probes::Answer;
use gladhand_probes::wire::registry::ProtocolVersion;

use super::support::{answer, s_client, version_list};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct RenegotiationInsecure;

static RULE: Rule = Rule {
    id: "renegotiation-insecure",
    title: "Secure renegotiation is missing",
    severity: Severity::High,
    what: "In TLS 1.0, 1.1 or 1.2 the server answers with no renegotiation_info, neither to the \
           signalling value nor to the extension of RFC 5746. Where it speaks TLS 1.3 as well, the \
           severity is medium. Whether it does renegotiate is not tried.",
    why: "OpenSSL 3 refuses such a server: `unsafe legacy renegotiation disabled` in Python, Node, \
          Ruby and curl, as soon as TLS 1.2 or older is negotiated. Where the server does \
          renegotiate, somebody in between can put a request of their own before the client's \
          (CVE-2009-3555).",
    fix: &[
        RuleFix {
            product: "any",
            text: "Update the TLS stack: OpenSSL has RFC 5746 since 0.9.8m, Java since 6u22, Windows \
                   since MS10-049. Where that is a box that decrypts and encrypts again, it is the \
                   box. To let an OpenSSL 3 client in until then, and at its risk, allow it the old \
                   way in its openssl.cnf.",
            snippet: Some("Options = UnsafeLegacyServerConnect"),
        },
        RuleFix {
            product: "JVM",
            text: "Java answers unless its server is told to speak as it did before: remove the \
                   property.",
            snippet: Some("-Dsun.security.ssl.allowLegacyHelloMessages=true"),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc5746#section-3.6",
        "https://www.rfc-editor.org/rfc/rfc9325#section-3.5",
        "https://docs.openssl.org/3.0/man7/migration_guide/",
    ],
};

impl Check for RenegotiationInsecure {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().renegotiation.seen() else {
            return;
        };
        let without = seen.0.iter().filter(|(_, seen)| seen.answer == Answer::No);
        let without: Vec<_> = without.collect();
        let versions: Vec<ProtocolVersion> = without.iter().map(|(version, _)| **version).collect();
        if versions.is_empty() {
            return;
        }
        let newer = answer(view, ProtocolVersion::TLS1_3) == Answer::Yes;
        out.push(Found {
            message: format!(
                "The server knows no secure renegotiation in {}.",
                version_list(&versions)
            ),
            seen: without
                .iter()
                .map(|(version, seen)| format!("{version}: {}", seen.evidence))
                .collect(),
            reproduce: vec![format!(
                "{} 2>&1 | grep -i renegotiation",
                s_client(view, "-no_tls1_3 -cipher 'DEFAULT@SECLEVEL=0'")
            )],
            severity: newer.then_some(Severity::Medium),
            ..Found::default()
        });
    }
}
