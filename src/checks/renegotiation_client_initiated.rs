//! Clients may renegotiate.

use gladhand_probes::Answer;

use super::support::s_client;
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct RenegotiationClientInitiated;

static RULE: Rule = Rule {
    id: "renegotiation-client-initiated",
    title: "Clients may renegotiate",
    severity: Severity::Medium,
    what: "In TLS 1.2 the server begins another handshake where a client asks for one on a connection \
           that has finished its first. Where it does so without RFC 5746, the severity is high. How \
           often it would do so is not tried: a limit on the way does not show.",
    why: "No client needs it, and each handshake costs the server many times what it costs the \
          client: on one connection a client can ask for thousands, past every limit on new \
          connections (CVE-2011-1473). Without RFC 5746 somebody in between can put a request of \
          their own before the client's (CVE-2009-3555). HTTP/2 forbids it.",
    fix: &[
        RuleFix {
            product: "JVM",
            text: "Java renegotiates up to TLS 1.2 unless it is told not to.",
            snippet: Some("-Djdk.tls.rejectClientInitiatedRenegotiation=true"),
        },
        RuleFix {
            product: "any",
            text: "nginx, Apache and HAProxy of today refuse it: update. OpenSSL 3 refuses it unless a \
                   program sets `SSL_OP_ALLOW_CLIENT_RENEGOTIATION`; 1.1.1 wants to be told. TLS 1.3 \
                   has no renegotiation.",
            snippet: Some("SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);"),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9325#section-3.5",
        "https://www.rfc-editor.org/rfc/rfc9113#section-9.2.1",
        "https://nvd.nist.gov/vuln/detail/CVE-2011-1473",
    ],
};

impl Check for RenegotiationClientInitiated {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().renegotiation.seen() else {
            return;
        };
        for (version, seen) in &seen.0 {
            let Some(tried) = &seen.client_initiated else {
                continue;
            };
            if tried.answer != Answer::Yes {
                continue;
            }
            let insecure = seen.answer == Answer::No;
            let how = if insecure { ", the insecure way" } else { "" };
            let command = s_client(view, "-no_tls1_3")
                .trim_end_matches(" </dev/null")
                .to_owned();
            out.push(Found {
                key: version.to_string(),
                message: format!("The server renegotiates in {version} when a client asks{how}."),
                seen: vec![format!("{version}: {}", tried.evidence)],
                reproduce: vec![format!("(sleep 1; echo R; sleep 1) | {command}")],
                severity: insecure.then_some(Severity::High),
                ..Found::default()
            });
        }
    }
}
