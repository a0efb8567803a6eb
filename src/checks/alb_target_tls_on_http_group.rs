//! The load balancer sends plaintext, and the target speaks TLS.

use gladhand_probes::tls::reach::ReachOutcome;

use super::support::{balancer, port, reach, s_client_named};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbTargetTlsOnHttpGroup;

static RULE: Rule = Rule {
    id: "alb-target-tls-on-http-group",
    title: "The load balancer sends plaintext HTTP to a TLS port",
    severity: Severity::High,
    what: "The target answers a hello of TLS on a port that gets plaintext HTTP. For target groups and health \
           checks with the protocol HTTP.",
    why: "The target answers each request with 400 (nginx: \"The plain HTTP request was sent to HTTPS \
          port\"), an alert, or not at all: clients get that 400, or 502, and health checks fail.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "A target group's protocol cannot be changed: make one with HTTPS, register the targets \
                   and let the listener forward to it. Load balancers do not verify the certificate.",
            snippet: Some(
                "aws elbv2 create-target-group --name web-https --protocol HTTPS --port 443 --vpc-id <VPC>",
            ),
        },
        RuleFix {
            product: "AWS",
            text: "Where only the health check has the wrong protocol, change that.",
            snippet: Some(
                "aws elbv2 modify-target-group --target-group-arn <ARN> --health-check-protocol HTTPS",
            ),
        },
        RuleFix {
            product: "AWS",
            text: "Or register the target with its plaintext port.",
            snippet: Some(
                "aws elbv2 register-targets --target-group-arn <ARN> --targets Id=10.0.1.25,Port=8080",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html",
    ],
};

impl Check for AlbTargetTlsOnHttpGroup {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = reach(view).filter(|_| balancer(view).is_some()) else {
            return;
        };
        if seen.outcome != ReachOutcome::Tls || !view.target.plaintext_expected {
            return;
        }
        out.push(Found {
            message: format!(
                "Port {} speaks TLS, and the load balancer sends plaintext HTTP there.",
                port(view)
            ),
            seen: seen.evidence.clone(),
            reproduce: vec![s_client_named(view, None, "")],
            ..Found::default()
        });
    }
}
