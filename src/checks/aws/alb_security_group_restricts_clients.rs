use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use gladhand_probes::aws::reachability::{Direction, everything};
use gladhand_probes::untrusted::Untrusted;

use super::network::{describe_security_groups, let_through, protocols};
use super::targets::TROUBLE_DOCS;
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::support::{enumeration, group_by};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbSecurityGroupRestrictsClients;

static RULE: Rule = Rule {
    id: "alb-security-group-restricts-clients",
    title: "Only some clients are let in at an internet-facing load balancer",
    severity: Severity::Info,
    what: "The security groups of an internet-facing load balancer let some addresses, groups or prefix lists \
           in at a listener's port, and not everybody. Often that is meant: a CDN in front, an office.",
    why: "Everybody else waits and times out; so does a probe from a machine that is not let in, and says \
          nothing about the others.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Nothing, if it is meant. For CloudFront in front, let in its managed prefix list, whose entries \
               AWS keeps.",
        snippet: Some(
            "aws ec2 describe-managed-prefix-lists --filters Name=prefix-list-name,Values=com.amazonaws.global.cloudfront.origin-facing",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-update-security-groups.html",
        TROUBLE_DOCS,
    ],
};

impl Audit for AlbSecurityGroupRestrictsClients {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        let own = &view.balancer.security_groups;
        if own.is_empty() || view.balancer.scheme != "internet-facing" {
            return;
        }
        let family = match view.balancer.ip_address_type.as_deref() {
            Some("dualstack-without-public-ipv4") => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        };
        let mut restricted = Vec::new();
        for listener in view.listeners() {
            for protocol in protocols(Some(&listener.protocol)) {
                let flow = (*protocol, listener.port);
                let admitted = view.inventory.admitted(own, Direction::In, flow);
                let somebody = !admitted.is_nobody();
                let other_family = family.is_ipv6() && admitted.is_nobody_of(everything(family));
                if somebody
                    && !other_family
                    && admitted.doubt.is_none()
                    && !admitted.is_everybody(everything(family))
                {
                    let from = let_through(view, own, Direction::In, flow);
                    let subject = Untrusted::from(listener_subject(listener)).to_string();
                    restricted.push((from, subject));
                }
            }
        }
        if restricted.is_empty() {
            return;
        }
        let mut names: Vec<&String> = restricted.iter().map(|(_, subject)| subject).collect();
        names.dedup();
        let message = format!("Only some clients are let in at {}.", enumeration(&names));
        let seen = group_by(restricted.clone())
            .into_iter()
            .map(|(from, mut subjects)| {
                subjects.dedup();
                format!("{}: from {from}", enumeration(&subjects))
            });
        out.push(Found {
            message,
            seen: seen.collect(),
            reproduce: vec![describe_security_groups(view, own)],
            ..Found::default()
        });
    }
}
