//! Nothing comes back.

use gladhand_probes::tls::reach::ReachOutcome;

use super::support::{nc, port, reach, s_client};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct PortSilent;

static RULE: Rule = Rule {
    id: "port-silent",
    title: "The port is silent",
    severity: Severity::Info,
    what: "The connection attempt gets no answer at all, or the connection is accepted and no \
           hello is ever answered. Nothing could be measured.",
    why: "No answer to the SYN: a security group, network ACL or firewall drops it, the host is \
          down, or there is no route; an internal load balancer is reachable from its network \
          alone. Accepted and silent: a process that hangs or waits for something else (PROXY \
          protocol, another protocol), or a middlebox that accepts for a server that is gone. A \
          load balancer in front answers 504 after 10 seconds.",
    fix: &[
        RuleFix {
            product: "AWS ALB",
            text: "No answer: the security group of the load balancer must let the clients in on \
                   the listener's port, that of the targets the load balancer on the traffic and \
                   the health check port; the network ACLs need both ways, with ports 1024 to \
                   65535 back.",
            snippet: Some(
                "aws elbv2 describe-load-balancers --load-balancer-arns <ARN> \
                 --query 'LoadBalancers[].[Scheme,SecurityGroups,VpcId]'",
            ),
        },
        RuleFix {
            product: "any",
            text: "Accepted and silent: see on the server whether the connection arrives and what \
                   the process waits for.",
            snippet: Some("tcpdump -ni any tcp port 443"),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html",
    ],
};

impl Check for PortSilent {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = reach(view) else { return };
        let port = port(view);
        let (key, message, command) = match seen.outcome {
            ReachOutcome::Timeout => (
                "no-answer",
                format!(
                    "Nothing comes back from port {port}: the connection attempt gets no answer."
                ),
                nc(view),
            ),
            ReachOutcome::Silent => (
                "accepted",
                format!("Port {port} accepts the connection and then never answers a hello."),
                s_client(view, ""),
            ),
            _ => return,
        };
        out.push(Found {
            key: key.into(),
            message,
            seen: seen.evidence.clone(),
            reproduce: vec![command],
            ..Found::default()
        });
    }
}
