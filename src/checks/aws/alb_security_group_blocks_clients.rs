use gladhand_probes::aws::inventory::{Listener, LoadBalancerType};
use gladhand_probes::aws::reachability::{Direction, Protocol};

use super::network::{describe_security_groups, protocols, with_names};
use super::targets::{TROUBLE_DOCS, aws_command};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::support::quote;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::{Fix, Severity};

pub(super) struct AlbSecurityGroupBlocksClients;

static RULE: Rule = Rule {
    id: "alb-security-group-blocks-clients",
    title: "The load balancer's security groups let nobody in at a listener's port",
    severity: Severity::High,
    what: "No rule for what comes in of the load balancer's security groups is about a listener's port: neither \
           for an address nor for a security group or a prefix list. That only some are let in is told by \
           another rule. Low where the listener only redirects; medium at an internal Network Load Balancer, \
           which PrivateLink may go around. Silent where a group or a prefix list was not read.",
    why: "Clients wait and time out: the packets are dropped in silence.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Let the clients in; a load balancer for everybody from 0.0.0.0/0 and ::/0.",
        snippet: Some(
            "aws ec2 authorize-security-group-ingress --group-id <SG> --protocol tcp --port 443 --cidr 0.0.0.0/0",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-update-security-groups.html",
        TROUBLE_DOCS,
    ],
};

impl Audit for AlbSecurityGroupBlocksClients {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        let own = &view.balancer.security_groups;
        if own.is_empty() {
            return;
        }
        for listener in view.listeners() {
            for protocol in protocols(Some(&listener.protocol)) {
                let flow = (*protocol, listener.port);
                if view
                    .inventory
                    .admitted(own, Direction::In, flow)
                    .is_nobody()
                {
                    out.about(listener_subject(listener), tell(view, listener, *protocol));
                }
            }
        }
    }
}

fn tell(view: &AuditView<'_>, listener: &Listener, protocol: Protocol) -> Found {
    let own = &view.balancer.security_groups;
    let (name, port) = (protocol.name(), listener.port);
    let internal = view.balancer.scheme != "internet-facing";
    let fix = own.first().filter(|_| !internal).map(|first| Fix {
        product: "AWS".into(),
        text: "Let the clients in: this lets everybody in, narrow the range where it is not for everybody.".into(),
        snippet: Some(aws_command(
            view,
            &format!(
                "ec2 authorize-security-group-ingress --group-id {} --protocol {name} --port {port} --cidr 0.0.0.0/0",
                quote(first)
            ),
        )),
    });
    Found {
        key: name.into(),
        message: format!("Nobody is let in at {name} {port}."),
        seen: vec![format!("its security groups: {}", with_names(view, own))],
        reproduce: vec![describe_security_groups(view, own)],
        severity: lesser(view, listener, internal),
        fix: fix.into_iter().collect(),
        ..Found::default()
    }
}

fn lesser(view: &AuditView<'_>, listener: &Listener, internal: bool) -> Option<Severity> {
    let mut actions = listener.default_actions.iter();
    let redirects = listener.rules.read().is_some_and(Vec::is_empty)
        && listener.protocol == "HTTP"
        && actions.any(|action| action.kind == "redirect");
    if redirects {
        return Some(Severity::Low);
    }
    let network = view.balancer.kind == LoadBalancerType::Network;
    (network && internal).then_some(Severity::Medium)
}
