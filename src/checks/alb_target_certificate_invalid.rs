//! The target's certificate is one that only a load balancer takes.

use gladhand_probes::tls::backend::BackendCertificate;
use time::OffsetDateTime;

use super::support::{backend, date, s_client_as_balancer};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbTargetCertificateInvalid;

static RULE: Rule = Rule {
    id: "alb-target-certificate-invalid",
    title: "The target's certificate would not pass a client that verifies",
    severity: Severity::Info,
    what: "The target's certificate is self-signed, expired or not yet valid. Names and issuers are not \
           looked at.",
    why: "It breaks nothing: Application and Network Load Balancers verify no certificate of a target, \
          neither for requests nor for health checks. So it is not the reason of a 502; but nobody else \
          than the load balancer should talk to that target, and whoever is in between could.",
    fix: &[RuleFix {
        product: "any",
        text: "Nothing has to be done for the load balancer. Where the path has to be safe from who can \
               intercept it inside the VPC, that takes TLS passed through to the target (NLB with TCP).",
        snippet: None,
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html",
    ],
};

impl Check for AlbTargetCertificateInvalid {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = backend(view) else { return };
        let Some(certificate) = &seen.certificate else {
            return;
        };
        let what = problems(certificate, view.now);
        if what.is_empty() {
            return;
        }
        let keys: Vec<&str> = what.iter().map(|(key, _)| *key).collect();
        let words: Vec<String> = what.into_iter().map(|(_, words)| words).collect();
        out.push(Found {
            key: keys.join(","),
            message: format!(
                "The target's certificate {}; the load balancer does not verify it.",
                words.join(" and ")
            ),
            seen: vec![
                format!("subject {}", certificate.subject),
                format!("issuer {}", certificate.issuer),
                format!(
                    "valid from {} to {}",
                    date(certificate.not_before),
                    date(certificate.not_after)
                ),
            ],
            reproduce: vec![format!(
                "{} 2>/dev/null | openssl x509 -noout -subject -issuer -dates",
                s_client_as_balancer(view, seen)
            )],
            ..Found::default()
        });
    }
}

/// Key and words of each thing that a client would object to.
fn problems(certificate: &BackendCertificate, now: OffsetDateTime) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    if certificate.self_signed {
        all.push(("self-signed", "is self-signed".to_owned()));
    }
    if certificate.not_after < now {
        all.push((
            "expired",
            format!("expired on {}", date(certificate.not_after)),
        ));
    }
    if certificate.not_before > now {
        let from = date(certificate.not_before);
        all.push(("not-yet-valid", format!("is valid only from {from} on")));
    }
    all
}
