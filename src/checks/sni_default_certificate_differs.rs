//! Without a server name, another certificate is sent.

use gladhand_probes::tls::sni::{SniAnswer, SniOutcome};
use gladhand_probes::untrusted::Untrusted;

use super::support::s_client_named;
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct SniDefaultCertificateDiffers;

static RULE: Rule = Rule {
    id: "sni-default-certificate-differs",
    title: "The default certificate is another one",
    severity: Severity::Info,
    what: "Without a server name the server sends another certificate than with its own name.",
    why: "That is usual where several names share an address. A client that sends no SNI gets the \
          default certificate and then refuses its name: such a failure comes from the client's \
          missing SNI, not from the certificate. It is also how a name without a certificate of \
          its own shows up.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Nothing, as long as every client sends SNI. Otherwise make this name's \
                   certificate the default, or use one that has all the names.",
            snippet: None,
        },
        RuleFix {
            product: "nginx",
            text: "The default is the block with `default_server`, or the first one on this \
                   address and port.",
            snippet: Some("listen 443 ssl default_server;"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "Each listener has exactly one default certificate; the others are chosen by \
                   SNI.",
            snippet: Some(
                "aws elbv2 modify-listener --listener-arn <ARN> \
                 --certificates CertificateArn=<CERTIFICATE-ARN>",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc6066#section-3",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html",
    ],
};

impl Check for SniDefaultCertificateDiffers {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().sni.seen() else {
            return;
        };
        let (Some(with), Some(name)) = (&seen.with, &seen.name) else {
            return;
        };
        let (Some(right), Some(default)) = (hash(with), hash(&seen.without)) else {
            return;
        };
        if right == default {
            return;
        }
        let shown = Untrusted::from(name.as_str());
        out.push(Found {
            message: match &seen.without.subject {
                Some(subject) if !subject.is_empty() => format!(
                    "Without a server name another certificate is sent than for {shown}: {subject}."
                ),
                _ => format!("Without a server name another certificate is sent than for {shown}."),
            },
            seen: vec![
                format!("for {shown}: {}", line(with)),
                format!("without a name: {}", line(&seen.without)),
            ],
            reproduce: [None, Some(name.as_str())]
                .into_iter()
                .map(|name| {
                    format!(
                        "{} 2>/dev/null | openssl x509 -noout -subject -fingerprint -sha256",
                        s_client_named(view, name, "")
                    )
                })
                .collect(),
            ..Found::default()
        });
    }
}

fn hash(answer: &SniAnswer) -> Option<&str> {
    (answer.outcome == SniOutcome::Certificate).then_some(answer.sha256.as_deref())?
}

fn line(answer: &SniAnswer) -> String {
    let hash = Untrusted::from(answer.sha256.as_deref().unwrap_or_default());
    match &answer.subject {
        Some(subject) if !subject.is_empty() => format!("{subject}, SHA-256 {hash}"),
        _ => format!("SHA-256 {hash}"),
    }
}
