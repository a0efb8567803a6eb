//! What security groups and network ACLs let through, as far as it was read.
//!
//! A derived fact, three-valued: a "no" stands on every rule that could have let something through; where
//! one of them was not read, the answer is unknown.
//!
//! - Security groups are stateful and only allow: those of an interface count together, in any order.
//! - Network ACLs are stateless and ordered: the first entry that matches decides, for each direction.
//!
//! <https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>,
//! <https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html>

mod ends;
mod region;

use std::ops::RangeInclusive;

use ipnet::IpNet;

pub use self::ends::{Node, everything, internet};
pub use self::region::single;
use self::region::{Covered, Region, covered, take};
use super::inventory::{AclEntry, Inventory, NetworkAcl, Permission, SecurityGroup};

/// The ports that balancers and clients take answers at.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html>
pub const EPHEMERAL: RangeInclusive<u16> = 1024..=65535;

/// What is let through on the way, seen from whoever has the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Ingress.
    In,
    /// Egress.
    Out,
}

/// The protocol above IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP, 6.
    Tcp,
    /// UDP, 17: QUIC, too.
    Udp,
}

/// Whether packets get through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passage<B> {
    /// All of them.
    Open,
    /// To or from every address some, at other ports not.
    Partly(B),
    /// None.
    Blocked(B),
    /// It cannot be told: what was not read, or what is not known.
    Unknown(String),
}

/// The other end, as a security group sees it.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// Its address lies somewhere in this range: one address, a subnet, everything.
    pub range: IpNet,
    /// Its security groups; none where they are not known.
    pub groups: Option<&'a [String]>,
}

/// Whom security groups name for a port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admitted {
    /// Ranges that rules name themselves.
    pub ranges: Vec<IpNet>,
    /// Ranges of the prefix lists.
    pub listed: Vec<IpNet>,
    /// Security groups.
    pub groups: Vec<String>,
    /// Prefix lists.
    pub prefix_lists: Vec<String>,
    /// Why there may be more: what was not read.
    pub doubt: Option<String>,
}

/// The entry of a network ACL that denies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The ACL.
    pub acl: String,
    /// The subnet that it is for.
    pub subnet: String,
    /// Which way.
    pub direction: Direction,
    /// The number of the entry; none where no entry matches, which denies.
    pub entry: Option<u32>,
    /// The ports that it denies, the longest run of them.
    pub ports: RangeInclusive<u16>,
}

/// What a network ACL does with something: each part with the number of the entry that decided.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decided {
    allowed: Vec<Region>,
    denied: Vec<(Region, Option<u32>)>,
}

impl Inventory {
    /// Whether security groups (those of one interface) let a protocol's port through.
    ///
    /// The range of the peer has to be let through as a whole; where only a part is, it depends on the
    /// address, and the answer is unknown.
    pub fn groups_let(
        &self,
        groups: &[String],
        direction: Direction,
        (protocol, port): (Protocol, u16),
        peer: Peer<'_>,
    ) -> Passage<()> {
        if groups.is_empty() {
            return Passage::Unknown("its security groups are not known".into());
        }
        let mut named = self.admitted(groups, direction, (protocol, port));
        match peer.groups {
            Some(own) if named.groups.iter().any(|group| has(own, group)) => return Passage::Open,
            None if !named.groups.is_empty() => {
                let reason = "a rule names security groups, and the other end's are not known";
                named.doubt = Some(reason.into());
            }
            _ => {}
        }
        match (named.covers(peer.range), named.doubt) {
            (Some(Covered::Everything), _) => Passage::Open,
            (_, Some(reason)) => Passage::Unknown(reason),
            (Some(Covered::Nothing), None) => Passage::Blocked(()),
            (Some(Covered::Partly), None) => {
                Passage::Unknown(format!("only a part of {} is let through", peer.range))
            }
            (None, None) => Passage::Unknown("too many rules".into()),
        }
    }

    /// Everybody whom security groups (those of one interface) name for a protocol's port.
    pub fn admitted(
        &self,
        groups: &[String],
        direction: Direction,
        (protocol, port): (Protocol, u16),
    ) -> Admitted {
        let mut admitted = Admitted::default();
        for id in groups {
            let Some(group) = self.security_group(id) else {
                admitted.doubt = Some(format!("security group {id} was not read"));
                continue;
            };
            let permissions = group.permissions(direction).iter();
            for permission in permissions.filter(|permission| permission.is_for(protocol, port)) {
                self.admit(permission, &mut admitted);
            }
        }
        admitted
    }

    fn admit(&self, permission: &Permission, admitted: &mut Admitted) {
        let mut read = |range: &String| {
            let parsed = range.parse();
            if parsed.is_err() {
                admitted.doubt = Some("a rule has a range that cannot be read".into());
            }
            parsed.ok()
        };
        let ranges: Vec<IpNet> = permission.cidrs.iter().filter_map(&mut read).collect();
        let known = self.prefix_lists.read();
        let lists = permission.prefix_lists.iter();
        let lists = lists.map(|list| (list, known.and_then(|known| known.get(list))));
        let (read_lists, missing): (Vec<_>, Vec<_>) = lists.partition(|(_, list)| list.is_some());
        let entries = read_lists
            .into_iter()
            .filter_map(|(_, list)| list)
            .flatten();
        let listed: Vec<IpNet> = entries.filter_map(&mut read).collect();
        if let Some((list, _)) = missing.first() {
            admitted.doubt = Some(format!("prefix list {list} was not read"));
        }
        admitted.ranges.extend(ranges);
        admitted.listed.extend(listed);
        admitted.groups.extend(permission.groups.iter().cloned());
        admitted
            .prefix_lists
            .extend(permission.prefix_lists.iter().cloned());
    }

    /// Whether the network ACL of a subnet lets a protocol through, to or from every address in `range`.
    pub fn acl_lets(
        &self,
        subnet: &str,
        direction: Direction,
        (protocol, ports): (Protocol, RangeInclusive<u16>),
        range: IpNet,
    ) -> Passage<Denial> {
        let Some(acl) = self.network_acl(subnet) else {
            return Passage::Unknown(format!("the network ACL of {subnet} was not read"));
        };
        let whole = Region {
            addresses: range,
            ports,
        };
        match acl.decide(direction, protocol, vec![whole.clone()]) {
            Some(decided) => decided.passage(&[whole], acl, subnet, direction),
            None => Passage::Unknown(format!("an entry of {} cannot be read", acl.id)),
        }
    }

    /// Whether the network ACL of a subnet lets clients in at a port, and the answers out again. Which
    /// clients there are is not known, but that they are in these ranges: [`Passage::Blocked`] says that
    /// there can be none at all, and [`Passage::Partly`] that each of them depends on the port that it comes
    /// from.
    pub fn acl_serves(
        &self,
        subnet: &str,
        (protocol, port): (Protocol, u16),
        clients: &[IpNet],
    ) -> Passage<Denial> {
        let Some(acl) = self.network_acl(subnet) else {
            return Passage::Unknown(format!("the network ACL of {subnet} was not read"));
        };
        let unreadable = || Passage::Unknown(format!("an entry of {} cannot be read", acl.id));
        let asked: Vec<Region> = clients
            .iter()
            .map(|range| Region::port(*range, port))
            .collect();
        let Some(inwards) = acl.decide(Direction::In, protocol, asked.clone()) else {
            return unreadable();
        };
        if inwards.allowed.is_empty() {
            return inwards.passage(&asked, acl, subnet, Direction::In);
        }
        let back: Vec<Region> = inwards
            .allowed
            .iter()
            .map(|part| Region {
                addresses: part.addresses,
                ports: EPHEMERAL,
            })
            .collect();
        match acl.decide(Direction::Out, protocol, back.clone()) {
            Some(outwards) => outwards.passage(&back, acl, subnet, Direction::Out),
            None => unreadable(),
        }
    }

    /// A security group, where it was read.
    pub fn security_group(&self, id: &str) -> Option<&SecurityGroup> {
        self.security_groups
            .read()?
            .iter()
            .find(|group| group.id == id)
    }

    /// The network ACL of a subnet, where it was read.
    pub fn network_acl(&self, subnet: &str) -> Option<&NetworkAcl> {
        let acls = self.network_acls.read()?;
        acls.iter()
            .find(|acl| acl.subnets.iter().any(|of| of == subnet))
    }
}

impl Admitted {
    /// Whether nobody is named, for sure.
    pub fn is_nobody(&self) -> bool {
        let ranges = self.ranges.is_empty() && self.listed.is_empty();
        ranges && self.groups.is_empty() && self.doubt.is_none()
    }

    /// Whether every address of a range is named, whatever else was not read.
    pub fn is_everybody(&self, of: IpNet) -> bool {
        self.covers(of) == Some(Covered::Everything)
    }

    /// Whether no address of a range is named, no security group either, for sure.
    pub fn is_nobody_of(&self, of: IpNet) -> bool {
        let none = self.covers(of) == Some(Covered::Nothing);
        none && self.groups.is_empty() && self.doubt.is_none()
    }

    fn covers(&self, range: IpNet) -> Option<Covered> {
        let all: Vec<IpNet> = self.ranges.iter().chain(&self.listed).copied().collect();
        covered(range, &all)
    }
}

impl SecurityGroup {
    /// What it lets through, one way.
    pub fn permissions(&self, direction: Direction) -> &[Permission] {
        match direction {
            Direction::In => &self.ingress,
            Direction::Out => &self.egress,
        }
    }
}

impl Permission {
    /// Whether it is about a protocol's port, whoever it names.
    pub fn is_for(&self, protocol: Protocol, port: u16) -> bool {
        if self.protocol == "-1" {
            return true;
        }
        // -1 stands for all where AWS prints a port at all.
        let bound = |bound: Option<i32>, all: i32| bound.filter(|port| *port >= 0).unwrap_or(all);
        let ports = bound(self.from_port, 0)..=bound(self.to_port, i32::from(u16::MAX));
        protocol.is_called(&self.protocol) && ports.contains(&i32::from(port))
    }
}

impl Protocol {
    /// `tcp`, `udp`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    fn is_called(self, name: &str) -> bool {
        match self {
            Self::Tcp => name.eq_ignore_ascii_case("tcp") || name == "6",
            Self::Udp => name.eq_ignore_ascii_case("udp") || name == "17",
        }
    }
}

impl NetworkAcl {
    /// What it does with each part; none where an entry that could decide cannot be read.
    fn decide(
        &self,
        direction: Direction,
        protocol: Protocol,
        mut parts: Vec<Region>,
    ) -> Option<Decided> {
        let here = |entry: &&AclEntry| {
            entry.egress == (direction == Direction::Out)
                && (entry.protocol == "-1" || protocol.is_called(&entry.protocol))
        };
        let mut entries: Vec<&AclEntry> = self.entries.iter().filter(here).collect();
        entries.sort_by_key(|entry| entry.number);
        let mut decided = Decided::default();
        for entry in entries {
            if parts.is_empty() {
                break;
            }
            let by = Region {
                addresses: entry.cidr.parse().ok()?,
                ports: entry.ports(),
            };
            let taken = take(&mut parts, &by)?;
            if entry.allow {
                decided.allowed.extend(taken);
            } else {
                let number = Some(entry.number);
                decided
                    .denied
                    .extend(taken.into_iter().map(|part| (part, number)));
            }
        }
        // "*", which AWS shows as 32767, denies what is left.
        decided
            .denied
            .extend(parts.into_iter().map(|part| (part, None)));
        Some(decided)
    }
}

impl AclEntry {
    fn ports(&self) -> RangeInclusive<u16> {
        if self.protocol == "-1" {
            return 0..=u16::MAX;
        }
        self.from_port.unwrap_or(0)..=self.to_port.unwrap_or(u16::MAX)
    }
}

impl Decided {
    /// The answer for the whole: what is denied at some addresses only depends on the address.
    fn passage(
        &self,
        whole: &[Region],
        acl: &NetworkAcl,
        subnet: &str,
        direction: Direction,
    ) -> Passage<Denial> {
        let longest = self.denied.iter().rev();
        let Some((part, entry)) = longest.max_by_key(|(part, _)| part.ports.len()) else {
            return Passage::Open;
        };
        let denial = Denial {
            acl: acl.id.clone(),
            subnet: subnet.into(),
            direction,
            entry: *entry,
            ports: part.ports.clone(),
        };
        if self.allowed.is_empty() {
            return Passage::Blocked(denial);
        }
        let denied: Vec<IpNet> = self.denied.iter().map(|(part, _)| part.addresses).collect();
        let everywhere = whole
            .iter()
            .all(|part| covered(part.addresses, &denied) == Some(Covered::Everything));
        if everywhere {
            Passage::Partly(denial)
        } else {
            Passage::Unknown(format!(
                "{} lets only a part of the addresses through",
                acl.id
            ))
        }
    }
}

/// Whether the groups hold the one that a rule names; that of another account is `123456789012/sg-…`.
fn has(groups: &[String], named: &str) -> bool {
    let named = named.rsplit('/').next().unwrap_or(named);
    groups.iter().any(|group| group == named)
}

#[cfg(test)]
mod tests;
