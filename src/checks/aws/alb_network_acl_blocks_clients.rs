use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use gladhand_probes::aws::inventory::Listener;
use gladhand_probes::aws::reachability::{
    Denial, Direction, EPHEMERAL, Passage, Protocol, everything, internet,
};
use gladhand_probes::untrusted::Untrusted;
use ipnet::IpNet;

use super::network::protocols;
use super::network_acls::{FEW, allow, denied, describe_acls};
use super::targets::TROUBLE_DOCS;
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::support::{enumeration, group_by};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::{Fix, Severity};

pub(super) struct AlbNetworkAclBlocksClients;

static RULE: Rule = Rule {
    id: "alb-network-acl-blocks-clients",
    title: "A network ACL drops what clients send to a listener, or what they get",
    severity: Severity::High,
    what: "The network ACL of one of the load balancer's subnets lets no address in at a listener's port, or \
           lets the answers to none of those addresses out at the ephemeral ports, 1024-65535. Medium where \
           that is so in some zones only, or for a thousand and more of the ephemeral ports. That single addresses are kept \
           out is no finding.",
    why: "Clients wait and time out. With some zones only, it depends on the address that DNS gave; with some \
          ports only, on the port that the client or its NAT happens to use. ACLs know no connections: answers \
          need an entry of their own.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Let the listener's port in from the clients, and the ephemeral ports out to them.",
        snippet: Some(
            "aws ec2 create-network-acl-entry --network-acl-id <ACL> --egress --rule-number 90 --protocol tcp --port-range From=1024,To=65535 --cidr-block 0.0.0.0/0 --rule-action allow",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html",
        "https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports",
        TROUBLE_DOCS,
    ],
};

/// A zone's ACL that drops something.
struct Dropped {
    zone: String,
    listener: String,
    denial: Denial,
    /// What would have to be let through.
    ports: RangeInclusive<u16>,
    protocol: Protocol,
    partly: bool,
}

impl Audit for AlbNetworkAclBlocksClients {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        let clients = clients(view);
        let mut outwards = Vec::new();
        for listener in view.listeners() {
            let (inwards, more): (Vec<_>, Vec<_>) = dropped(view, listener, &clients)
                .into_iter()
                .partition(|dropped| dropped.denial.direction == Direction::In);
            outwards.extend(more.into_iter().map(|dropped| (dropped.partly, dropped)));
            if !inwards.is_empty() {
                let what = format!("lets no client in at port {}", listener.port);
                let found = tell(view, "in", &what, &inwards);
                out.about(listener_subject(listener), found);
            }
        }
        // The answers of all listeners go out to the same ports: one cause, one finding.
        for (partly, dropped) in group_by(outwards) {
            let (key, what) = if partly {
                (
                    "out-some-ports",
                    "drops answers to a part of the clients' ports",
                )
            } else {
                ("out", "lets no answer out to clients")
            };
            out.push(tell(view, key, what, &dropped));
        }
    }
}

/// Where clients may be: by IPv6, where the load balancer has no public IPv4 addresses.
fn clients(view: &AuditView<'_>) -> Vec<IpNet> {
    let family = family(view);
    match view.balancer.scheme.as_str() {
        "internet-facing" => internet(family),
        _ => vec![everything(family)],
    }
}

fn family(view: &AuditView<'_>) -> IpAddr {
    match view.balancer.ip_address_type.as_deref() {
        Some("dualstack-without-public-ipv4") => Ipv6Addr::UNSPECIFIED.into(),
        _ => Ipv4Addr::UNSPECIFIED.into(),
    }
}

fn dropped(view: &AuditView<'_>, listener: &Listener, clients: &[IpNet]) -> Vec<Dropped> {
    let mut all = Vec::new();
    for zone in &view.balancer.zones {
        let Some(subnet) = &zone.subnet_id else {
            continue;
        };
        for protocol in protocols(Some(&listener.protocol)) {
            let flow = (*protocol, listener.port);
            let (denial, partly) = match view.inventory.acl_serves(subnet, flow, clients) {
                Passage::Blocked(denial) => (denial, false),
                Passage::Partly(denial) if denial.ports.len() >= FEW => (denial, true),
                Passage::Open | Passage::Partly(_) | Passage::Unknown(_) => continue,
            };
            let ports = match denial.direction {
                Direction::In => listener.port..=listener.port,
                Direction::Out => EPHEMERAL,
            };
            all.push(Dropped {
                listener: Untrusted::from(listener_subject(listener)).to_string(),
                ports,
                zone: Untrusted::from(zone.name.as_str()).to_string(),
                denial,
                protocol: *protocol,
                partly,
            });
        }
    }
    all
}

fn tell(view: &AuditView<'_>, key: &str, what: &str, all: &[Dropped]) -> Found {
    let mut zones: Vec<&str> = all.iter().map(|dropped| dropped.zone.as_str()).collect();
    zones.sort_unstable();
    zones.dedup();
    let everywhere = zones.len() == view.balancer.zones.len();
    let partly = all.iter().all(|dropped| dropped.partly);
    let mut ids: Vec<&str> = all
        .iter()
        .map(|dropped| dropped.denial.acl.as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let everybody = everything(family(view));
    let missing = all.iter().map(|dropped| {
        let (denial, protocol) = (&dropped.denial, dropped.protocol);
        (denial, protocol, everybody, &dropped.ports)
    });
    let commands = allow(view, missing);
    let lines = all.iter().map(|dropped| {
        let line = denied(&dropped.denial, dropped.protocol);
        (line, dropped.listener.as_str())
    });
    let lines = group_by(lines.collect()).into_iter().take(8);
    let seen = lines.map(|(line, listeners)| format!("{line}: {}", enumeration(&listeners)));
    Found {
        key: key.into(),
        message: format!("The network ACL in {} {what}.", enumeration(&zones)),
        seen: seen.collect(),
        reproduce: vec![describe_acls(view, &ids)],
        severity: (partly || !everywhere).then_some(Severity::Medium),
        fix: vec![Fix {
            product: "AWS".into(),
            text: "Add the entries that are missing, before those that deny; or let in only the ranges that \
                   clients come from."
                .into(),
            snippet: (!commands.is_empty()).then(|| commands.join("\n")),
        }],
        ..Found::default()
    }
}
