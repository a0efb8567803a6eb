//! The ways from a load balancer to its targets, and what security groups and network ACLs let through on
//! them: what the rules about networks share.

use std::net::IpAddr;

use gladhand_probes::aws::inventory::{
    Interface, LoadBalancer, LoadBalancerType, Target, TargetGroup,
};
use gladhand_probes::aws::reachability::{Direction, Node, Passage, Peer, Protocol, single};
use gladhand_probes::untrusted::Untrusted;

use super::network_acls::acls;
use super::targets::{Group, aws_command, is_routed};
use super::{
    AuditView, alb_network_acl_blocks_targets, alb_security_group_blocks_egress,
    alb_security_group_blocks_targets,
};
use crate::checks::support::{enumeration, quote};
use crate::report::model::Severity;

/// Who sends to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// The load balancer's nodes.
    Nodes,
    /// The clients themselves, whose addresses a Network Load Balancer keeps.
    Clients,
    /// One of them; which one was not read.
    Unknown,
}

/// What a port of a target is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// Requests.
    Traffic,
    /// Health checks.
    HealthCheck,
    /// Both.
    Both,
}

/// A port of a target that something has to get to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way<'a> {
    /// The target.
    pub(super) target: &'a Target,
    /// Its address.
    pub(super) address: IpAddr,
    /// The protocol.
    pub(super) protocol: Protocol,
    /// The port.
    pub(super) port: u16,
    /// What for.
    pub(super) purpose: Use,
    /// From where.
    pub(super) sender: Sender,
}

/// The ways to the targets of a group; none to those that are unused or leaving, or whose address is not
/// known.
pub(super) fn ways<'a>(view: &AuditView<'_>, group: Group<'a>) -> Vec<Way<'a>> {
    if !matches!(group.group.target_type.as_str(), "instance" | "ip") {
        return Vec::new();
    }
    let sender = sender(view.balancer, group.group);
    let traffic = protocols(group.group.protocol.as_deref());
    let mut ways = Vec::new();
    for target in group.in_use() {
        let (Some(address), Some(port)) = (target.address, target.port) else {
            continue;
        };
        let way = |protocol, port, purpose, sender| Way {
            target,
            address,
            protocol,
            port,
            purpose,
            sender,
        };
        let checked = health_port(group.group, target);
        let one = checked == Some(port) && sender == Sender::Nodes;
        for protocol in traffic {
            let purpose = match (one, protocol) {
                (true, Protocol::Tcp) => Use::Both,
                _ => Use::Traffic,
            };
            ways.push(way(*protocol, port, purpose, sender));
        }
        let told = one && traffic.contains(&Protocol::Tcp);
        if let Some(checked) = checked.filter(|_| !told) {
            ways.push(way(Protocol::Tcp, checked, Use::HealthCheck, Sender::Nodes));
        }
    }
    ways
}

/// The protocols above IP of a target group's or listener's one.
pub(super) fn protocols(protocol: Option<&str>) -> &'static [Protocol] {
    match protocol {
        Some("HTTP" | "HTTPS" | "TCP" | "TLS" | "SSL") => &[Protocol::Tcp],
        Some("UDP" | "QUIC") => &[Protocol::Udp],
        Some("TCP_UDP" | "TCP_QUIC") => &[Protocol::Tcp, Protocol::Udp],
        _ => &[],
    }
}

fn health_port(group: &TargetGroup, target: &Target) -> Option<u16> {
    let check = &group.health_check;
    check.protocol.as_ref().filter(|_| check.enabled)?;
    target
        .health_check_port
        .or_else(|| match check.port.as_deref() {
            None | Some("traffic-port") => target.port,
            Some(port) => port.parse().ok(),
        })
}

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html#client-ip-preservation>
fn sender(balancer: &LoadBalancer, group: &TargetGroup) -> Sender {
    if balancer.kind != LoadBalancerType::Network {
        return Sender::Nodes;
    }
    let udp = protocols(group.protocol.as_deref()).contains(&Protocol::Udp);
    if udp {
        return Sender::Clients;
    }
    let Some(attributes) = group.attributes.read() else {
        return Sender::Unknown;
    };
    match attributes
        .get("preserve_client_ip.enabled")
        .map(String::as_str)
    {
        Some("true") => Sender::Clients,
        None if group.target_type == "instance" => Sender::Clients,
        _ => Sender::Nodes,
    }
}

/// Whether nodes send to targets in other zones; none where that was not read.
pub(super) fn is_cross_zone(balancer: &LoadBalancer, group: &TargetGroup) -> Option<bool> {
    let key = "load_balancing.cross_zone.enabled";
    let own = match balancer.kind {
        LoadBalancerType::Classic => None,
        _ => Some(group.attribute(key)?),
    };
    match own {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => balancer.attribute(key).map(|value| value == "true"),
    }
}

impl Way<'_> {
    /// Whether AWS itself got an answer where packets would be dropped: then something here is not as it was
    /// read, or was changed a moment ago.
    pub(super) fn is_proven(&self) -> bool {
        let answered = self.target.state == "healthy"
            || self.target.reason.as_deref() == Some("Target.ResponseCodeMismatch");
        answered && self.purpose != Use::Traffic
    }

    /// `10.0.1.25:8443`.
    pub(super) fn name(&self) -> String {
        match self.address {
            IpAddr::V4(address) => format!("{address}:{}", self.port),
            IpAddr::V6(address) => format!("[{address}]:{}", self.port),
        }
    }
}

impl Use {
    /// `for requests and health checks`.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Traffic => "for requests",
            Self::HealthCheck => "for health checks",
            Self::Both => "for requests and health checks",
        }
    }

    /// The key of a finding.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Traffic => "traffic",
            Self::HealthCheck => "health-check",
            Self::Both => "traffic-and-health-check",
        }
    }
}

/// How bad it is that targets cannot be reached: at its worst where health checks cannot tell.
pub(super) fn severity(view: &AuditView<'_>, group: Group<'_>, purpose: Use) -> Severity {
    match purpose {
        Use::Traffic if is_routed(view, group.group) != Some(false) => Severity::High,
        _ => group.severity(view),
    }
}

/// Whether the load balancer's own security groups let it out to a target; a load balancer without any has
/// no such limit.
pub(super) fn egress(view: &AuditView<'_>, group: &TargetGroup, way: &Way<'_>) -> Passage<()> {
    let own = &view.balancer.security_groups;
    if own.is_empty() {
        return Passage::Open;
    }
    let interface = view.inventory.interface_of(group, way.target);
    let peer = Peer {
        range: single(way.address),
        groups: interface.map(|interface| interface.security_groups.as_slice()),
    };
    let flow = (way.protocol, way.port);
    view.inventory.groups_let(own, Direction::Out, flow, peer)
}

/// The zones from which the security groups of a target's interface let the load balancer in, and not.
pub(super) struct Ingress<'a> {
    /// The interface.
    pub(super) interface: &'a Interface,
    /// The zones of the nodes that are kept out.
    pub(super) blocked: Vec<String>,
    /// Whether all nodes are.
    pub(super) everywhere: bool,
}

/// What the security groups of a target's interface do with the load balancer's nodes; none where the
/// interface was not read, or no node is known to be kept out.
pub(super) fn ingress<'a>(
    view: &AuditView<'a>,
    group: &TargetGroup,
    way: &Way<'_>,
) -> Option<Ingress<'a>> {
    let interface = view.inventory.interface_of(group, way.target)?;
    let nodes = nodes(view, group, way);
    let kept_out = |node: &&Node| {
        let mut answers = node.ranges.iter().map(|range| {
            let peer = Peer {
                range: *range,
                groups: Some(&view.balancer.security_groups),
            };
            let flow = (way.protocol, way.port);
            let own = &interface.security_groups;
            view.inventory.groups_let(own, Direction::In, flow, peer)
        });
        answers.all(|answer| answer == Passage::Blocked(()))
    };
    let blocked: Vec<String> = nodes
        .iter()
        .filter(kept_out)
        .map(|node| Untrusted::from(node.zone.as_str()).to_string())
        .collect();
    (!blocked.is_empty()).then_some(Ingress {
        interface,
        everywhere: blocked.len() == nodes.len(),
        blocked,
    })
}

/// The nodes that send to a target: all of them, or those of its zone. None where its zone is not known and
/// matters.
pub(super) fn nodes(view: &AuditView<'_>, group: &TargetGroup, way: &Way<'_>) -> Vec<Node> {
    let mut nodes = view.inventory.nodes(view.balancer, way.address);
    if is_cross_zone(view.balancer, group) == Some(true) {
        return nodes;
    }
    let interface = view.inventory.interface_of(group, way.target);
    let there = interface.and_then(|interface| interface.zone.as_deref());
    match way.target.zone.as_deref().or(there) {
        // Outside of the VPC, so in no zone: every node sends there.
        Some("all") => {}
        Some(zone) => nodes.retain(|node| node.zone == zone),
        None => nodes.clear(),
    }
    nodes
}

/// The rules that tell why health checks of these targets get no answer.
pub(super) fn blocked_by(
    view: &AuditView<'_>,
    group: &TargetGroup,
    targets: &[&Target],
) -> Vec<&'static str> {
    let all = group.targets.read().map_or(&[][..], Vec::as_slice);
    let whole = Group {
        group,
        targets: all,
    };
    let mut ways = ways(view, whole);
    ways.retain(|way| way.purpose != Use::Traffic && targets.contains(&way.target));
    let mut rules = Vec::new();
    if ways
        .iter()
        .any(|way| egress(view, group, way) == Passage::Blocked(()))
    {
        rules.push(alb_security_group_blocks_egress::ID);
    }
    if ways.iter().any(|way| ingress(view, group, way).is_some()) {
        rules.push(alb_security_group_blocks_targets::ID);
    }
    if ways.iter().any(|way| !acls(view, group, way).0.is_empty()) {
        rules.push(alb_network_acl_blocks_targets::ID);
    }
    rules
}

/// Whom security groups let through at a port: `10.0.0.0/8, sg-1`; `nobody`.
pub(super) fn let_through(
    view: &AuditView<'_>,
    groups: &[String],
    direction: Direction,
    flow: (Protocol, u16),
) -> String {
    let admitted = view.inventory.admitted(groups, direction, flow);
    let ranges = admitted.ranges.iter().map(ToString::to_string);
    let ids = admitted.groups.iter().chain(&admitted.prefix_lists);
    let mut names: Vec<String> = ranges.chain(ids.map(|id| shown(id))).collect();
    names.dedup();
    let more = names.len().saturating_sub(6);
    names.truncate(6);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    if names.is_empty() {
        "nobody".into()
    } else {
        enumeration(&names)
    }
}

/// Security groups with their names: `sg-1 (web) and sg-2`.
pub(super) fn with_names(view: &AuditView<'_>, groups: &[String]) -> String {
    let told = groups.iter().take(8).map(|id| {
        let group = view.inventory.security_group(id);
        match group
            .map(|group| group.name.as_str())
            .filter(|name| !name.is_empty())
        {
            Some(name) => format!("{} ({})", shown(id), Untrusted::from(name)),
            None => shown(id),
        }
    });
    enumeration(&told.collect::<Vec<_>>())
}

/// An id, for a line.
pub(super) fn shown(id: &str) -> String {
    Untrusted::from(id).to_string()
}

/// The rules of security groups.
pub(super) fn describe_security_groups(view: &AuditView<'_>, groups: &[String]) -> String {
    let ids: Vec<String> = groups.iter().take(8).map(|id| quote(id)).collect();
    let ids = ids.join(" ");
    aws_command(
        view,
        &format!("ec2 describe-security-groups --group-ids {ids}"),
    )
}
