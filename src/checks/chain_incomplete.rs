//! The issuer of a served certificate is neither served nor a trust anchor.

use gladhand_probes::tls::verification::{Problem, Reason, Verdict};
use gladhand_probes::untrusted::Untrusted;
use gladhand_probes::x509::CertificateFacts;

use super::fixes::ACM_IMPORT;
use super::support::{
    certificate, enumeration, is_self_signed, path, plural, problems, quote, showcerts, subject,
};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct ChainIncomplete;

static RULE: Rule = Rule {
    id: "chain-incomplete",
    title: "The server does not send its whole chain",
    severity: Severity::High,
    what: "The issuer of a served certificate is neither served nor a root of the trust store, or \
           a served issuer has the right name and another key than the one that signed.",
    why: "It works in browsers, which fetch or remember intermediates, and fails in curl, OpenSSL \
          (error 20 or 21), Java, Go and everything else that does not: the classic of `works on \
          my machine`.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "`ssl_certificate` must hold the server's certificate first and then every \
                   intermediate. `ssl_trusted_certificate` is not sent to clients.",
            snippet: Some(
                "cat leaf.pem intermediate.pem > fullchain.pem\n\
                 ssl_certificate /etc/nginx/fullchain.pem;",
            ),
        },
        RuleFix {
            product: "HAProxy",
            text: "Put the intermediates behind the server's certificate in the `crt` file, or \
                   point `issuers-chain-path` in `global` at a directory of them.",
            snippet: Some("cat leaf.pem intermediate.pem key.pem > /etc/haproxy/certs/site.pem"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "Import again with the intermediates as the chain, without the server's \
                   certificate in it. Certificates that ACM issued are always complete.",
            snippet: Some(ACM_IMPORT),
        },
        RuleFix {
            product: "JVM",
            text: "Import the CA's reply as a chain: with the server's certificate alone under the \
                   key's alias, that is all Java sends.",
            snippet: Some(
                "keytool -importcert -alias server -file fullchain.p7b -keystore server.p12",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9846",
        "https://nginx.org/en/docs/http/configuring_https_servers.html#chains",
        "https://docs.aws.amazon.com/acm/latest/userguide/import-certificate-format.html",
    ],
};

impl Check for ChainIncomplete {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        // A certificate that is its own issuer has nothing missing above it.
        if is_self_signed(view) {
            return;
        }
        let missing = problems(view, Reason::ChainIncomplete);
        let bad_signature = problems(view, Reason::BadSignature);
        let Some(problem) = missing.first().or(bad_signature.first()) else {
            return;
        };
        let missing = !missing.is_empty();
        let path = path(view);
        let Some(last) = path.last().map(|place| place.facts) else {
            return;
        };
        let served = certificate(view).map_or(0, |seen| seen.served.len());
        let issuer = &last.issuer;
        out.push(Found {
            key: if missing { "intermediate" } else { "signature" }.into(),
            message: if missing {
                let below = subject(last);
                format!(
                    "The server does not send the certificate of {issuer}, which issued {below}."
                )
            } else {
                "A served certificate was not signed by the key of the issuer of that name.".into()
            },
            seen: seen(served, last, problem, &completed(view)),
            reproduce: reproduce(view, last),
            ..Found::default()
        });
    }
}

/// What was fetched, and what a verifying client makes of the chain with it.
fn completed(view: &View<'_>) -> Vec<String> {
    let Some(issuers) = view.observations().issuers.seen() else {
        return Vec::new();
    };
    let failed = issuers.failed.iter();
    let mut lines: Vec<_> = failed
        .map(|failed| format!("not fetched from {}: {}", failed.url, failed.reason))
        .collect();
    let with = view.observations().verification.seen();
    let Some(with) = with.and_then(|seen| seen.completed.as_ref()) else {
        return lines;
    };
    let added = issuers
        .fetched
        .iter()
        .filter(|issuer| !issuer.certificate.self_signed);
    let added: Vec<_> = added
        .map(|issuer| format!("{} from {}", subject(&issuer.certificate), issuer.url))
        .collect();
    let added = enumeration(&added);
    lines.push(match (with.verdict, with.reason) {
        (Verdict::Trusted, _) => format!("verified when the intermediate {added} is added"),
        (Verdict::Undetermined, _) => format!("with {added} added, it could not be decided"),
        (Verdict::Untrusted, Some(Reason::CertificateUntrustedRoot)) => {
            format!("with {added} added, the chain ends in a root that is not in the trust store")
        }
        (Verdict::Untrusted, _) => format!("with {added} added, it is still refused"),
    });
    lines
}

fn seen(
    served: usize,
    last: &CertificateFacts,
    problem: &Problem,
    completed: &[String],
) -> Vec<String> {
    let count = i64::try_from(served).unwrap_or(i64::MAX);
    let mut lines = vec![
        format!("{} served", plural(count, "certificate")),
        problem.detail.to_string(),
        format!(
            "the path ends at {}, issued by {}",
            subject(last),
            last.issuer
        ),
    ];
    lines.extend(
        last.ca_issuers
            .iter()
            .map(|url| format!("the issuer is said to be at {url}")),
    );
    lines.extend_from_slice(completed);
    lines
}

fn reproduce(view: &View<'_>, last: &CertificateFacts) -> Vec<String> {
    let mut commands = vec![showcerts(view)];
    let http = |url: &&Untrusted| url.raw().starts_with("http://");
    if let Some(url) = last.ca_issuers.iter().find(http) {
        commands.push(format!(
            "curl -s {} | openssl x509 -inform der -noout -subject -issuer",
            quote(&url.to_string())
        ));
    }
    commands
}
