//! The load balancer sends TLS, and the target speaks plaintext.

use gladhand_probes::tls::reach::ReachOutcome;

use super::support::{balancer, port, reach, reach_words, s_client_named};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbTargetPlaintext;

static RULE: Rule = Rule {
    id: "alb-target-plaintext",
    title: "The load balancer sends TLS to a plaintext port",
    severity: Severity::High,
    what: "The target answers a hello with plaintext, or speaks first. For target groups and health checks \
           with the protocol HTTPS or TLS.",
    why: "The handshake between load balancer and target fails: clients get 502, health checks fail with \
          Target.FailedHealthChecks.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "A target group's protocol cannot be changed: make one with HTTP, register the targets \
                   and let the listener forward to it. The path to the target is plaintext then.",
            snippet: Some(
                "aws elbv2 create-target-group --name web-http --protocol HTTP --port 80 --vpc-id <VPC>",
            ),
        },
        RuleFix {
            product: "AWS",
            text: "Where only the health check has the wrong protocol, change that.",
            snippet: Some(
                "aws elbv2 modify-target-group --target-group-arn <ARN> --health-check-protocol HTTP",
            ),
        },
        RuleFix {
            product: "nginx",
            text: "Or switch TLS on at the target: a self-signed certificate will do.",
            snippet: Some(
                "listen 8443 ssl; ssl_certificate target.pem; ssl_certificate_key target.key;",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html",
    ],
};

impl Check for AlbTargetPlaintext {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = reach(view).filter(|_| balancer(view).is_some()) else {
            return;
        };
        let plaintext = matches!(
            seen.outcome,
            ReachOutcome::PlaintextHttp | ReachOutcome::PlaintextOther
        );
        if !plaintext || view.target.plaintext_expected {
            return;
        }
        out.push(Found {
            message: format!(
                "Port {} {}, and the load balancer sends TLS there.",
                port(view),
                reach_words(seen)
            ),
            seen: seen.evidence.clone(),
            reproduce: vec![s_client_named(view, None, "")],
            ..Found::default()
        });
    }
}
