//! A listener takes no connection from here.

use std::net::IpAddr;

use gladhand_probes::tls::reach::ReachOutcome;

use super::served::{Places, Seen, endpoints};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbServedUnreachable;

static RULE: Rule = Rule {
    id: "alb-served-unreachable",
    title: "A listener takes no connection from here",
    severity: Severity::High,
    what: "A listener was probed, and its port refuses connections or never answers them: high where that is so \
           at some addresses of the load balancer while others answer; info where it is so at all of them, \
           since that may be meant so. An internal load balancer that cannot be reached at all is no finding.",
    why: "DNS gives clients any of the addresses: where some do not answer, some clients wait for a timeout, or \
          get none at all, and come again by chance. Usual causes are a subnet without a route or with a network \
          ACL of its own, a zone that lost its targets, and an address that is no longer the load balancer's.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "See that the load balancer's security groups let the port in, from where clients are.",
            snippet: Some("aws ec2 describe-security-groups --group-ids <ID>"),
        },
        RuleFix {
            product: "AWS",
            text: "Where some addresses answer: compare route tables and network ACLs of the subnets.",
            snippet: Some(
                "aws ec2 describe-network-acls --filters Name=association.subnet-id,Values=<SUBNET>",
            ),
        },
        RuleFix {
            product: "any",
            text: "See whether the addresses are those that the name has now: AWS changes them.",
            snippet: Some("dig +short <DNS NAME>"),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html",
    ],
};

impl Audit for AlbServedUnreachable {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for listener in view.listeners() {
            let seen = endpoints(view, listener);
            let reached: Vec<IpAddr> = seen
                .iter()
                .filter(|seen| is_reached(**seen))
                .map(|seen| seen.endpoint.ip)
                .collect();
            let mut places = Places::default();
            for &seen in &seen {
                // One name's connection may be lost by chance where another's is taken.
                let dead = dead(seen).filter(|_| !reached.contains(&seen.endpoint.ip));
                if let Some(how) = dead.filter(|_| !places.addresses.contains(&seen.endpoint.ip)) {
                    places.add(seen, how);
                }
            }
            let some = !reached.is_empty();
            if places.is_empty() || (!some && view.balancer.scheme == "internal") {
                continue;
            }
            let (key, message) = if some {
                let at = places.of(&seen);
                (
                    "some",
                    format!("Port {} takes no connection{at}.", listener.port),
                )
            } else {
                let message = format!(
                    "Port {} takes no connection from here, at any address of the load balancer.",
                    listener.port
                );
                ("all", message)
            };
            let found = Found {
                severity: (!some).then_some(Severity::Info),
                ..places.found(key, message)
            };
            out.about(listener_subject(listener), found);
        }
    }
}

/// How the port takes no connection.
fn dead(seen: Seen<'_>) -> Option<&'static str> {
    match seen.endpoint.observations.reach.seen()?.outcome {
        ReachOutcome::Refused => Some("the connection is refused"),
        ReachOutcome::Timeout => Some("no answer to the connection attempt"),
        _ => None,
    }
}

fn is_reached(seen: Seen<'_>) -> bool {
    let reach = seen.endpoint.observations.reach.seen();
    reach.is_some() && dead(seen).is_none()
}
