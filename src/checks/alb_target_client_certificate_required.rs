//! The target wants a client certificate from the load balancer.

use gladhand_probes::tls::backend::BackendClientCertificate;
use gladhand_probes::{Answer, Fact};

use super::support::{backend, s_client_as_balancer};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbTargetClientCertificateRequired;

static RULE: Rule = Rule {
    id: "alb-target-client-certificate-required",
    title: "The target wants a client certificate, and the load balancer has none",
    severity: Severity::High,
    what: "The target ends the handshake, or refuses requests (nginx: 400), without a client certificate. \
           Where it only asks for one and goes on without, the finding is an info.",
    why: "Load balancers present no client certificate to their targets: every request ends with 502 or \
          the target's refusal, health checks fail. Clients' certificates are verified by the listener \
          (mutual TLS), or by the target behind a TCP listener of a Network Load Balancer.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "Ask no certificate of the load balancer; let nobody else reach the port, by the \
                   security group.",
            snippet: Some("ssl_verify_client off;"),
        },
        RuleFix {
            product: "HAProxy",
            text: "Take `verify required` off the bind line that the load balancer connects to.",
            snippet: Some("bind :443 ssl crt /etc/haproxy/certs/ verify none"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "Verify clients at the listener, with a trust store.",
            snippet: Some(
                "aws elbv2 modify-listener --listener-arn <ARN> --mutual-authentication Mode=verify,TrustStoreArn=<ARN>",
            ),
        },
        RuleFix {
            product: "AWS NLB",
            text: "Or let the target verify them: a TCP listener and a TCP target group pass TLS through.",
            snippet: None,
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html",
    ],
};

impl Check for AlbTargetClientCertificateRequired {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = backend(view) else { return };
        let Some(asked) = &seen.client_certificate else {
            return;
        };
        let Some((key, message, severity)) = judged(asked) else {
            return;
        };
        let facts = [
            ("asked for", Some(&asked.requested)),
            (
                "required by the handshake",
                asked.required_by_handshake.as_ref(),
            ),
            ("required by HTTP", asked.required_by_http.as_ref()),
        ];
        let line = |(what, fact): (&str, Option<&Fact>)| {
            fact.map(|fact| format!("{what}: {}: {}", fact.answer, fact.evidence))
        };
        out.push(Found {
            key: key.into(),
            message: message.into(),
            seen: facts.into_iter().filter_map(line).collect(),
            reproduce: vec![s_client_as_balancer(view, seen)],
            severity: Some(severity),
            ..Found::default()
        });
    }
}

/// Key, message and severity; none where no certificate is asked for.
fn judged(asked: &BackendClientCertificate) -> Option<(&'static str, &'static str, Severity)> {
    let is_yes = |fact: &Option<Fact>| fact.as_ref().is_some_and(|fact| fact.answer == Answer::Yes);
    if is_yes(&asked.required_by_handshake) {
        let told = "The target ends the handshake without a client certificate; the load balancer has none.";
        return Some(("required", told, Severity::High));
    }
    if is_yes(&asked.required_by_http) {
        let told =
            "The target refuses requests without a client certificate; the load balancer has none.";
        return Some(("required-by-http", told, Severity::High));
    }
    if asked.requested.answer != Answer::Yes {
        return None;
    }
    let goes_on = asked.required_by_handshake.as_ref();
    Some(match goes_on.map(|fact| fact.answer) {
        Some(Answer::No) => (
            "asked",
            "The target asks the load balancer for a client certificate, and goes on without.",
            Severity::Info,
        ),
        _ => (
            "asked",
            "The target asks the load balancer for a client certificate; whether it insists was not measured.",
            Severity::Info,
        ),
    })
}
