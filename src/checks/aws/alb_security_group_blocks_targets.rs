use std::collections::BTreeSet;

use gladhand_probes::aws::reachability::{Direction, Protocol};
use ipnet::IpNet;

use super::network::{
    Ingress, Sender, Use, Way, describe_security_groups, ingress, let_through, nodes, severity,
    ways, with_names,
};
use super::targets::{Group, TROUBLE_DOCS, aws_command, count, groups};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::support::{enumeration, group_by, quote};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::{Fix, Severity};

/// The rule's id, to which findings about health refer.
pub(super) const ID: &str = "alb-security-group-blocks-targets";

pub(super) struct AlbSecurityGroupBlocksTargets;

static RULE: Rule = Rule {
    id: ID,
    title: "The targets' security groups do not let the load balancer in",
    severity: Severity::High,
    what: "No rule for what comes in of the security groups at a target's interface takes the load balancer, \
           by its security groups or by its nodes' addresses, at the port of the traffic or at that of the \
           health checks. Silent where the interface, a group or a prefix list was not read (a target outside \
           of the VPC cannot be judged), and where health checks at that port pass. A blocked health check is \
           medium where other targets are healthy.",
    why: "The packets are dropped in silence: requests wait 10 s for the connection and end with 504, health \
          checks with `Target.Timeout`. Where only the health check's port is open, targets are healthy and \
          every request fails.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Let the load balancer's security group in at the targets', at both ports.",
        snippet: Some(
            "aws ec2 authorize-security-group-ingress --group-id <TARGET-SG> --protocol tcp --port 8443 --source-group <BALANCER-SG>",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-register-targets.html#target-security-groups",
        TROUBLE_DOCS,
    ],
};

/// A way with what keeps it from being gone.
type Blocked<'a> = (Way<'a>, Ingress<'a>);

impl Audit for AlbSecurityGroupBlocksTargets {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for group in groups(view) {
            let blocked = ways(view, group).into_iter().filter_map(|way| {
                let kept_out = ingress(view, group.group, &way)?;
                let refuted = way.is_proven() && kept_out.everywhere;
                (way.sender == Sender::Nodes && !refuted).then_some((way.purpose, (way, kept_out)))
            });
            for (purpose, blocked) in group_by(blocked.collect()) {
                out.about(
                    group_subject(group.group),
                    tell(view, group, purpose, &blocked),
                );
            }
        }
    }
}

fn tell(view: &AuditView<'_>, group: Group<'_>, purpose: Use, blocked: &[Blocked<'_>]) -> Found {
    let mut seen = Vec::new();
    let mut commands = Vec::new();
    let mut guards: Vec<String> = Vec::new();
    let alike = blocked.iter().map(|(way, ingress)| {
        let own = ingress.interface.security_groups.clone();
        ((own, way.protocol, way.port), (way, ingress))
    });
    for ((own, protocol, port), alike) in group_by(alike.collect()).into_iter().take(8) {
        let names: Vec<String> = alike.iter().take(10).map(|(way, _)| way.name()).collect();
        let from = let_through(view, &own, Direction::In, (protocol, port));
        seen.push(format!(
            "{}: {} lets in at {} {port}: {from}",
            enumeration(&names),
            with_names(view, &own),
            protocol.name(),
        ));
        for (way, _) in &alike {
            for command in admit(view, group, way, &own) {
                if !commands.contains(&command) && commands.len() < 5 {
                    commands.push(command);
                }
            }
        }
        guards.extend(
            own.into_iter()
                .filter(|id| !guards.contains(id))
                .collect::<Vec<_>>(),
        );
    }
    let everywhere = blocked.iter().all(|(_, ingress)| ingress.everywhere);
    let zones: BTreeSet<&String> = blocked
        .iter()
        .flat_map(|(_, ingress)| &ingress.blocked)
        .collect();
    let zones: Vec<&String> = zones.into_iter().collect();
    let from = if everywhere {
        String::new()
    } else {
        format!(" from {}", enumeration(&zones))
    };
    seen.push(comes_from(view, group, blocked));
    Found {
        key: purpose.key().into(),
        message: format!(
            "The security groups of {} do not let the load balancer in{from} {}.",
            count(blocked.len()),
            purpose.words(),
        ),
        seen,
        reproduce: vec![describe_security_groups(view, &guards)],
        severity: Some(severity(view, group, purpose)),
        fix: vec![Fix {
            product: "AWS".into(),
            text: "Let the load balancer in at the targets' security group.".into(),
            snippet: Some(commands.join("\n")),
        }],
        ..Found::default()
    }
}

/// Where the load balancer's packets come from.
fn comes_from(view: &AuditView<'_>, group: Group<'_>, blocked: &[Blocked<'_>]) -> String {
    let own = with_names(view, &view.balancer.security_groups);
    let mut ranges: Vec<String> = Vec::new();
    if let Some((way, _)) = blocked.first() {
        for node in nodes(view, group.group, way)
            .iter()
            .filter(|node| node.is_known())
        {
            ranges.extend(node.ranges.iter().map(ToString::to_string));
        }
    }
    ranges.truncate(8);
    let all: Vec<String> = [own, enumeration(&ranges)]
        .into_iter()
        .filter(|words| !words.is_empty())
        .collect();
    format!("the load balancer comes from {}", all.join("; "))
}

/// The commands that let the load balancer in: by its security group, or else by its nodes' addresses.
fn admit(view: &AuditView<'_>, group: Group<'_>, way: &Way<'_>, own: &[String]) -> Vec<String> {
    let Some(own) = own.first() else {
        return Vec::new();
    };
    let command = |from: &str| {
        let own = quote(own);
        let command = format!("ec2 authorize-security-group-ingress --group-id {own} {from}");
        aws_command(view, &command)
    };
    if let Some(source) = view.balancer.security_groups.first() {
        let from = format!(
            "--protocol {} --port {} --source-group {}",
            way.protocol.name(),
            way.port,
            quote(source)
        );
        return vec![command(&from)];
    }
    let nodes = nodes(view, group.group, way);
    let ranges = nodes.iter().filter(|node| node.is_known());
    ranges
        .flat_map(|node| &node.ranges)
        .map(|range| command(&from_range(*range, way.protocol, way.port)))
        .collect()
}

fn from_range(range: IpNet, protocol: Protocol, port: u16) -> String {
    let protocol = protocol.name();
    match range {
        IpNet::V4(_) => format!("--protocol {protocol} --port {port} --cidr {range}"),
        // `--cidr` takes IPv4 alone.
        IpNet::V6(_) => format!(
            "--ip-permissions 'IpProtocol={protocol},FromPort={port},ToPort={port},Ipv6Ranges=[{{CidrIpv6={range}}}]'"
        ),
    }
}
