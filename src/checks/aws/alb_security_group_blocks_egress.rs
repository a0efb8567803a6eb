use gladhand_probes::aws::reachability::{Direction, Passage};

use super::network::{
    Use, Way, describe_security_groups, egress, let_through, severity, shown, ways, with_names,
};
use super::targets::{Group, TROUBLE_DOCS, aws_command, count, groups, verb};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::support::{enumeration, group_by, quote};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::{Fix, Severity};

/// The rule's id, to which findings about health refer.
pub(super) const ID: &str = "alb-security-group-blocks-egress";

pub(super) struct AlbSecurityGroupBlocksEgress;

static RULE: Rule = Rule {
    id: ID,
    title: "The load balancer's security groups do not let it out to its targets",
    severity: Severity::High,
    what: "No rule for what goes out of the load balancer's security groups takes a target's address and port, \
           be it the port of the traffic or that of the health checks. Silent where a group or a prefix list \
           was not read, and where a health check at that port passes. A blocked health check is medium where \
           other targets are healthy.",
    why: "The packets are dropped in silence: requests wait 10 s for the connection and end with 504, health \
          checks with `Target.Timeout`. A new security group lets everything out, until somebody narrows it.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Let the load balancer out to the targets, at both ports.",
        snippet: Some(
            "aws ec2 authorize-security-group-egress --group-id <BALANCER-SG> --protocol tcp --port 8443 --source-group <TARGET-SG>",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-update-security-groups.html",
        TROUBLE_DOCS,
    ],
};

impl Audit for AlbSecurityGroupBlocksEgress {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for group in groups(view) {
            let blocked = ways(view, group).into_iter().filter(|way| {
                !way.is_proven() && egress(view, group.group, way) == Passage::Blocked(())
            });
            for (purpose, ways) in group_by(blocked.map(|way| (way.purpose, way)).collect()) {
                out.about(
                    group_subject(group.group),
                    tell(view, group, purpose, &ways),
                );
            }
        }
    }
}

fn tell(view: &AuditView<'_>, group: Group<'_>, purpose: Use, ways: &[Way<'_>]) -> Found {
    let own = &view.balancer.security_groups;
    let mut seen = Vec::new();
    let mut commands = Vec::new();
    let flows = ways.iter().map(|way| ((way.protocol, way.port), way));
    for ((protocol, port), ways) in group_by(flows.collect()).into_iter().take(8) {
        let names: Vec<String> = ways.iter().take(10).map(|way| way.name()).collect();
        let to = let_through(view, own, Direction::Out, (protocol, port));
        let told = with_names(view, own);
        let protocol = protocol.name();
        seen.push(format!(
            "{}: {told} lets out at {protocol} {port}: to {to}",
            enumeration(&names),
        ));
        for way in ways {
            let interface = view.inventory.interface_of(group.group, way.target);
            let target = interface.and_then(|interface| interface.security_groups.first());
            let Some(own) = own.first() else { continue };
            let to = match (target, way.address.is_ipv4()) {
                (Some(target), _) => {
                    format!(
                        "--protocol {protocol} --port {port} --source-group {}",
                        quote(target)
                    )
                }
                (None, true) => {
                    format!(
                        "--protocol {protocol} --port {port} --cidr {}/32",
                        way.address
                    )
                }
                (None, false) => format!(
                    "--ip-permissions 'IpProtocol={protocol},FromPort={port},ToPort={port},Ipv6Ranges=[{{CidrIpv6={}/128}}]'",
                    way.address
                ),
            };
            let own = quote(own);
            let command = format!("ec2 authorize-security-group-egress --group-id {own} {to}");
            let command = aws_command(view, &command);
            if !commands.contains(&command) && commands.len() < 5 {
                commands.push(command);
            }
        }
    }
    let own_words = enumeration(&own.iter().take(5).map(|id| shown(id)).collect::<Vec<_>>());
    Found {
        key: purpose.key().into(),
        message: format!(
            "{own_words} {} not let the load balancer out to {} {}.",
            verb(own.len(), "does", "do"),
            count(ways.len()),
            purpose.words(),
        ),
        seen,
        reproduce: vec![describe_security_groups(view, own)],
        severity: Some(severity(view, group, purpose)),
        fix: vec![Fix {
            product: "AWS".into(),
            text: "Let the load balancer out to the targets.".into(),
            snippet: Some(commands.join("\n")),
        }],
        ..Found::default()
    }
}
