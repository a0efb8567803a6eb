//! The connection is refused.

use gladhand_probes::tls::reach::ReachOutcome;

use super::support::{listeners_command, nc, reach};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct PortClosed;

static RULE: Rule = Rule {
    id: "port-closed",
    title: "The port is closed",
    severity: Severity::Info,
    what: "The connection is refused (RST in answer to SYN). Nothing could be measured.",
    why: "Nothing listens on this address and port, or a firewall rejects instead of dropping. The \
          packet came back, so routing is right. A load balancer in front answers 502 at once.",
    fix: &[
        RuleFix {
            product: "any",
            text: "On the server, see whether it listens, and on which address: a server bound to \
                   127.0.0.1 refuses everybody else.",
            snippet: Some("ss -ltnp"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "See which ports have a listener. For a target: whether the target group's port \
                   is the one that the process listens on.",
            snippet: Some(
                "aws elbv2 describe-listeners --load-balancer-arn <ARN> --query 'Listeners[].Port'",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9293#section-3.5.2",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html",
    ],
};

impl Check for PortClosed {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = reach(view).filter(|seen| seen.outcome == ReachOutcome::Refused) else {
            return;
        };
        let mut reproduce = vec![nc(view)];
        reproduce.extend(listeners_command(view));
        out.push(Found {
            message: format!("Port {} refuses the connection.", view.endpoint.port),
            seen: seen.evidence.clone(),
            reproduce,
            ..Found::default()
        });
    }
}
