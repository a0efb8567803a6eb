use gladhand_probes::aws::inventory::LoadBalancerType;
use gladhand_probes::aws::reachability::{Direction, everything, internet};

use super::network::{
    Sender, Way, describe_security_groups, let_through, severity, shown, ways, with_names,
};
use super::targets::{Group, aws_command, count, groups};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::support::{enumeration, group_by, quote};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::{Fix, Severity};

pub(super) struct NlbSecurityGroupBlocksClients;

static RULE: Rule = Rule {
    id: "nlb-security-group-blocks-clients",
    title: "Client addresses are kept, and the targets' security groups do not let clients in",
    severity: Severity::High,
    what: "A Network Load Balancer keeps the clients' addresses towards a target group, and the targets' \
           security groups let in, at the port of the traffic, neither its security group nor any client: \
           nobody at all, or only private addresses where the load balancer faces the internet. Silent where \
           something of it was not read. AWS keeps client addresses by default for targets by instance and for \
           UDP.",
    why: "Targets see the client as the source, so a rule for the load balancer's subnets lets health checks in \
          and drops every request: targets are healthy, and clients time out.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Let the load balancer's security group in, which covers clients behind it too. A load \
                   balancer that was made without one needs the clients' ranges there.",
            snippet: Some(
                "aws ec2 authorize-security-group-ingress --group-id <TARGET-SG> --protocol tcp --port 8443 --source-group <BALANCER-SG>",
            ),
        },
        RuleFix {
            product: "AWS NLB",
            text: "Or do not keep client addresses, where the targets need not know them (not for UDP).",
            snippet: Some(
                "aws elbv2 modify-target-group-attributes --target-group-arn <ARN> --attributes Key=preserve_client_ip.enabled,Value=false",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html#client-ip-preservation",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html",
    ],
};

impl Audit for NlbSecurityGroupBlocksClients {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        if view.balancer.kind != LoadBalancerType::Network {
            return;
        }
        for group in groups(view) {
            let mut ways = ways(view, group);
            ways.retain(|way| way.sender == Sender::Clients && keeps_out(view, group, way));
            if !ways.is_empty() {
                out.about(group_subject(group.group), tell(view, group, &ways));
            }
        }
    }
}

fn keeps_out(view: &AuditView<'_>, group: Group<'_>, way: &Way<'_>) -> bool {
    let Some(interface) = view.inventory.interface_of(group.group, way.target) else {
        return false;
    };
    let own = &interface.security_groups;
    let flow = (way.protocol, way.port);
    let admitted = view.inventory.admitted(own, Direction::In, flow);
    // Whether rules that name other groups hold for clients is nothing to be sure of.
    let sure = admitted.groups.is_empty() && admitted.doubt.is_none() && !own.is_empty();
    let clients = match view.balancer.scheme.as_str() {
        "internet-facing" => internet(way.address),
        _ => vec![everything(way.address)],
    };
    sure && clients.iter().all(|range| admitted.is_nobody_of(*range))
}

fn tell(view: &AuditView<'_>, group: Group<'_>, ways: &[Way<'_>]) -> Found {
    let mut seen = Vec::new();
    let mut guards: Vec<String> = Vec::new();
    let mut commands: Vec<String> = Vec::new();
    let alike = ways.iter().filter_map(|way| {
        let interface = view.inventory.interface_of(group.group, way.target)?;
        let own = interface.security_groups.clone();
        Some(((own, way.protocol, way.port), way))
    });
    for ((own, protocol, port), ways) in group_by(alike.collect()).into_iter().take(8) {
        let names: Vec<String> = ways.iter().take(10).map(|way| way.name()).collect();
        let from = let_through(view, &own, Direction::In, (protocol, port));
        let protocol = protocol.name();
        seen.push(format!(
            "{}: {} lets in at {protocol} {port}: {from}",
            enumeration(&names),
            with_names(view, &own),
        ));
        if let (Some(first), Some(source)) = (own.first(), view.balancer.security_groups.first()) {
            let (first, source) = (quote(first), quote(source));
            let command = format!(
                "ec2 authorize-security-group-ingress --group-id {first} --protocol {protocol} --port {port} --source-group {source}"
            );
            commands.push(aws_command(view, &command));
        }
        guards.extend(
            own.into_iter()
                .filter(|id| !guards.contains(id))
                .collect::<Vec<_>>(),
        );
    }
    let sources = &view.balancer.security_groups;
    seen.push(if sources.is_empty() {
        "the load balancer has no security group that a rule could name".into()
    } else {
        format!("the load balancer's own: {}", with_names(view, sources))
    });
    commands.truncate(5);
    let fix = (!commands.is_empty()).then(|| Fix {
        product: "AWS".into(),
        text: format!(
            "Let {} in at the targets' security group: it covers the clients behind it.",
            sources.first().map(|id| shown(id)).unwrap_or_default(),
        ),
        snippet: Some(commands.join("\n")),
    });
    Found {
        message: format!(
            "The security groups of {} let no client in, and the load balancer keeps client addresses.",
            count(ways.len()),
        ),
        seen,
        reproduce: vec![describe_security_groups(view, &guards)],
        severity: Some(severity(view, group, super::network::Use::Traffic)),
        fix: fix.into_iter().collect(),
        ..Found::default()
    }
}
