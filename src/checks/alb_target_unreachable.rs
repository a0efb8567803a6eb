//! The target cannot be reached from here.

use gladhand_probes::tls::reach::ReachOutcome;

use super::support::{balancer, nc, reach};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbTargetUnreachable;

static RULE: Rule = Rule {
    id: "alb-target-unreachable",
    title: "The target cannot be reached from here",
    severity: Severity::Info,
    what: "The connection is refused, or the attempt gets no answer, on the way from this machine. That does \
           not say that the load balancer fares the same: its way is another one, and a target's security \
           group lets it in and nobody else.",
    why: "Nothing could be measured. A refusal came back from the target or from something before it: where \
          nothing stands between, nobody listens on that port, and the load balancer answers 502. No answer: \
          dropped by a security group or network ACL, no route, or the host is down; for the load balancer \
          that would be 504.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Ask what the load balancer sees: healthy, or why not.",
            snippet: Some(
                "aws elbv2 describe-target-health --target-group-arn <ARN> \
                 --query 'TargetHealthDescriptions[].[Target.Id,Target.Port,TargetHealth.State,TargetHealth.Reason]' --output text",
            ),
        },
        RuleFix {
            product: "any",
            text: "Run this on a machine in the subnets and with the security group of the load balancer; or \
                   on the target itself, whether something listens, and on which address.",
            snippet: Some("ss -ltnp"),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html",
    ],
};

impl Check for AlbTargetUnreachable {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = reach(view).filter(|_| balancer(view).is_some()) else {
            return;
        };
        let (key, what) = match seen.outcome {
            ReachOutcome::Refused => ("refused", "refuses the connection"),
            ReachOutcome::Timeout => ("no-answer", "does not answer the connection attempt"),
            _ => return,
        };
        out.push(Found {
            key: key.into(),
            message: format!(
                "From here, port {} {what}; what the load balancer meets there is not known.",
                view.endpoint.port
            ),
            seen: seen.evidence.clone(),
            reproduce: vec![nc(view)],
            ..Found::default()
        });
    }
}
