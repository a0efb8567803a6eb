//! What network ACLs keep from getting between a load balancer and its targets, in words, and the entries
//! that are missing.

use std::ops::RangeInclusive;

use gladhand_probes::aws::inventory::{NetworkAcl, TargetGroup};
use gladhand_probes::aws::reachability::{
    Denial, Direction, EPHEMERAL, Node, Passage, Protocol, single,
};
use gladhand_probes::untrusted::Untrusted;
use ipnet::IpNet;

use super::AuditView;
use super::network::{Way, nodes, shown};
use super::targets::aws_command;
use crate::checks::support::quote;

/// Ephemeral ports that may be denied without a word: many ACLs keep a few out, such as RDP's.
pub(super) const FEW: usize = 1024;

/// What a network ACL keeps from getting from a node to a target, or back.
pub(super) struct Dropped {
    /// The entry.
    pub(super) denial: Denial,
    /// Where packets would go to or come from at all, and at which ports: for the remedy.
    pub(super) range: IpNet,
    /// The ports.
    pub(super) ports: RangeInclusive<u16>,
    /// The node's zone.
    pub(super) zone: String,
    /// Whether only some ports are denied.
    pub(super) partly: bool,
}

/// What network ACLs keep from getting from the nodes to a target, or back, and whether that is so for all
/// nodes. Within a subnet they have no say.
pub(super) fn acls(
    view: &AuditView<'_>,
    group: &TargetGroup,
    way: &Way<'_>,
) -> (Vec<Dropped>, bool) {
    let there = view
        .inventory
        .interface_of(group, way.target)
        .and_then(|interface| interface.subnet_id.as_deref());
    let nodes = nodes(view, group, way);
    let mut dropped: Vec<Dropped> = Vec::new();
    let mut through = false;
    for node in &nodes {
        let before = dropped.len();
        for range in &node.ranges {
            dropped.extend(first_drop(view, node, *range, there, way));
        }
        through |= dropped.len() - before < node.ranges.len();
    }
    (dropped, !through)
}

fn first_drop(
    view: &AuditView<'_>,
    node: &Node,
    from: IpNet,
    there: Option<&str>,
    way: &Way<'_>,
) -> Option<Dropped> {
    let here = node.subnet.as_deref()?;
    let to = single(way.address);
    let of_here = view.inventory.subnet(here)?;
    let local = |range: &String| range.parse().is_ok_and(|range: IpNet| range.contains(&to));
    if there == Some(here) || of_here.cidr.iter().chain(&of_here.ipv6_cidrs).any(local) {
        return None;
    }
    let port = way.port..=way.port;
    let mut hops = vec![(here, Direction::Out, to, port.clone())];
    if let Some(there) = there {
        hops.push((there, Direction::In, from, port));
        hops.push((there, Direction::Out, from, EPHEMERAL));
    }
    hops.push((here, Direction::In, to, EPHEMERAL));
    let mut partly = None;
    for (subnet, direction, range, ports) in hops {
        let flow = (way.protocol, ports.clone());
        let dropped = |denial, partly| Dropped {
            denial,
            range: subnet_of(view, range),
            ports,
            zone: Untrusted::from(node.zone.as_str()).to_string(),
            partly,
        };
        match view.inventory.acl_lets(subnet, direction, flow, range) {
            Passage::Blocked(denial) => return Some(dropped(denial, false)),
            Passage::Partly(denial) if denial.ports.len() >= FEW => {
                partly = partly.or(Some(dropped(denial, true)));
            }
            Passage::Open | Passage::Partly(_) | Passage::Unknown(_) => {}
        }
    }
    partly
}

/// The subnet's range that an address lies in, where it was read: a load balancer's nodes move in it, and
/// targets, too.
fn subnet_of(view: &AuditView<'_>, range: IpNet) -> IpNet {
    let subnets = view.inventory.subnets.read().into_iter().flatten();
    let ranges = subnets.flat_map(|subnet| subnet.cidr.iter().chain(&subnet.ipv6_cidrs));
    let mut ranges = ranges.filter_map(|range| range.parse::<IpNet>().ok());
    ranges
        .find(|subnet| subnet.contains(&range))
        .unwrap_or(range)
}

/// The entries of network ACLs.
pub(super) fn describe_acls(view: &AuditView<'_>, acls: &[&str]) -> String {
    let ids: Vec<String> = acls.iter().take(8).map(|id| quote(id)).collect();
    let ids = ids.join(" ");
    aws_command(
        view,
        &format!("ec2 describe-network-acls --network-acl-ids {ids}"),
    )
}

/// A denial in words: `acl-1 (subnet-1) denies tcp 8443 out by entry 100`.
pub(super) fn denied(denial: &Denial, protocol: Protocol) -> String {
    let (from, to) = (denial.ports.start(), denial.ports.end());
    let ports = if from == to {
        from.to_string()
    } else {
        format!("{from}-{to}")
    };
    let by = match denial.entry {
        Some(32767) | None => "as no entry allows it".into(),
        Some(number) => format!("by entry {number}"),
    };
    format!(
        "{} ({}) denies {} {ports} {}, {by}",
        shown(&denial.acl),
        shown(&denial.subnet),
        protocol.name(),
        way_words(denial.direction),
    )
}

/// `in` or `out`.
fn way_words(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "in",
        Direction::Out => "out",
    }
}

/// The commands that add the entries that are missing, before those that deny: each with a number of its own.
pub(super) fn allow<'a>(
    view: &AuditView<'_>,
    missing: impl Iterator<Item = (&'a Denial, Protocol, IpNet, &'a RangeInclusive<u16>)>,
) -> Vec<String> {
    let mut told = Vec::new();
    let mut taken = Vec::new();
    let mut commands = Vec::new();
    for (denial, protocol, range, ports) in missing {
        let entry = (
            denial.acl.as_str(),
            denial.direction,
            protocol,
            range,
            ports,
        );
        if told.contains(&entry) || commands.len() >= 5 {
            continue;
        }
        told.push(entry);
        let acl = view.inventory.network_acl(&denial.subnet);
        let Some(number) = acl.and_then(|acl| free_number(acl, denial, &taken)) else {
            continue;
        };
        taken.push((denial.acl.clone(), denial.direction, number));
        commands.push(allow_one(view, denial, number, (protocol, range, ports)));
    }
    commands
}

fn allow_one(
    view: &AuditView<'_>,
    denial: &Denial,
    number: u32,
    (protocol, range, ports): (Protocol, IpNet, &RangeInclusive<u16>),
) -> String {
    let block = match range {
        IpNet::V4(_) => "--cidr-block",
        IpNet::V6(_) => "--ipv6-cidr-block",
    };
    let way = match denial.direction {
        Direction::In => "--ingress",
        Direction::Out => "--egress",
    };
    let (id, protocol) = (quote(&denial.acl), protocol.name());
    let (from, to) = (ports.start(), ports.end());
    aws_command(
        view,
        &format!(
            "ec2 create-network-acl-entry --network-acl-id {id} {way} --rule-number {number} --protocol \
             {protocol} --port-range From={from},To={to} {block} {range} --rule-action allow"
        ),
    )
}

/// A number that no entry has, evaluated before the entry that denies.
fn free_number(
    acl: &NetworkAcl,
    denial: &Denial,
    promised: &[(String, Direction, u32)],
) -> Option<u32> {
    let taken = |number: &u32| {
        let promised = promised.iter().any(|(id, direction, taken)| {
            *id == acl.id && *direction == denial.direction && taken == number
        });
        let out = denial.direction == Direction::Out;
        let mut entries = acl.entries.iter();
        promised || entries.any(|entry| entry.egress == out && entry.number == *number)
    };
    let free = |below: u32| {
        let tens = (1..below).rev().filter(|number| number % 10 == 0);
        tens.chain((1..below).rev()).find(|number| !taken(number))
    };
    match denial.entry {
        Some(before) if before < 32767 => free(before),
        _ => {
            let numbers = acl.entries.iter().map(|entry| entry.number);
            let last = numbers.filter(|number| *number < 32767).max().unwrap_or(0);
            free((last / 10 + 2).saturating_mul(10).min(32767))
        }
    }
}
