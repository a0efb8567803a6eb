use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use gladhand_probes::aws::reachability::{Direction, everything};
use gladhand_probes::untrusted::Untrusted;

use super::network::{describe_security_groups, protocols, with_names};
use super::targets::aws_command;
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::support::{enumeration, quote};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::{Fix, Severity};

pub(super) struct AlbSecurityGroupBlocksIpv6;

static RULE: Rule = Rule {
    id: "alb-security-group-blocks-ipv6",
    title: "The load balancer has IPv6 addresses, and no client is let in by IPv6",
    severity: Severity::Medium,
    what: "An internet-facing load balancer is `dualstack`, its security groups let everybody in at a listener's \
           port by IPv4, and nobody by IPv6. High where it has no public IPv4 addresses. Silent where a group \
           or a prefix list was not read.",
    why: "0.0.0.0/0 is IPv4 alone. The DNS name has AAAA records, so clients with IPv6 try them first: browsers \
          fall back after a moment, others wait for their timeout or fail.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Let IPv6 in, too.",
        snippet: Some(
            "aws ec2 authorize-security-group-ingress --group-id <SG> --ip-permissions 'IpProtocol=tcp,FromPort=443,ToPort=443,Ipv6Ranges=[{CidrIpv6=::/0}]'",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-ip-address-type.html",
        "https://www.rfc-editor.org/rfc/rfc8305",
    ],
};

impl Audit for AlbSecurityGroupBlocksIpv6 {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        let own = &view.balancer.security_groups;
        let (Some(first), Some(kind)) = (own.first(), &view.balancer.ip_address_type) else {
            return;
        };
        if view.balancer.scheme != "internet-facing" || !kind.starts_with("dualstack") {
            return;
        }
        let v4 = everything(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let v6 = everything(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        let only_v6 = kind == "dualstack-without-public-ipv4";
        let mut names = Vec::new();
        let mut commands = Vec::new();
        for listener in view.listeners() {
            for protocol in protocols(Some(&listener.protocol)) {
                let port = listener.port;
                let admitted = view
                    .inventory
                    .admitted(own, Direction::In, (*protocol, port));
                if !admitted.is_everybody(v4) || !admitted.is_nobody_of(v6) {
                    continue;
                }
                names.push(Untrusted::from(listener_subject(listener)).to_string());
                let (first, protocol) = (quote(first), protocol.name());
                let command = format!(
                    "ec2 authorize-security-group-ingress --group-id {first} --ip-permissions 'IpProtocol={protocol},FromPort={port},ToPort={port},Ipv6Ranges=[{{CidrIpv6=::/0}}]'"
                );
                commands.push(aws_command(view, &command));
            }
        }
        if names.is_empty() {
            return;
        }
        names.dedup();
        commands.truncate(5);
        out.push(Found {
            message: format!("Nobody is let in by IPv6 at {}.", enumeration(&names)),
            seen: vec![
                format!("addresses: {}", Untrusted::from(kind.as_str())),
                format!("its security groups: {}", with_names(view, own)),
            ],
            reproduce: vec![describe_security_groups(view, own)],
            severity: only_v6.then_some(Severity::High),
            fix: vec![Fix {
                product: "AWS".into(),
                text: "Let IPv6 in, too.".into(),
                snippet: Some(commands.join("\n")),
            }],
            ..Found::default()
        });
    }
}
