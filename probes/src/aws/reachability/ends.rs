//! The two ends of the way from a load balancer to a target: its nodes, and the target's interface.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::region::{Region, single, take};
use crate::aws::inventory::{
    Interface, Inventory, LoadBalancer, LoadBalancerType, Subnet, Target, TargetGroup,
};

/// A node of a load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its zone.
    pub zone: String,
    /// Its subnet.
    pub subnet: Option<String>,
    /// Where its address lies: one address each where its interfaces were read, else the subnet; every
    /// address, where neither was.
    pub ranges: Vec<IpNet>,
}

impl Node {
    /// Whether something is known of its address.
    pub fn is_known(&self) -> bool {
        self.ranges.iter().all(|range| range.prefix_len() > 0)
    }
}

impl Inventory {
    /// The nodes of a load balancer, one for each of its zones, with their addresses of the family of `to`.
    pub fn nodes(&self, balancer: &LoadBalancer, to: IpAddr) -> Vec<Node> {
        let zones = balancer.zones.iter();
        let node = |zone: &crate::aws::inventory::Zone| Node {
            zone: zone.name.clone(),
            subnet: zone.subnet_id.clone(),
            ranges: self.ranges(balancer, zone.subnet_id.as_deref(), to),
        };
        zones.map(node).collect()
    }

    fn ranges(&self, balancer: &LoadBalancer, subnet: Option<&str>, to: IpAddr) -> Vec<IpNet> {
        let everything = vec![everything(to)];
        let Some(subnet) = subnet else {
            return everything;
        };
        let own: Vec<IpNet> = self
            .interfaces
            .read()
            .into_iter()
            .flatten()
            .filter(|interface| interface.subnet_id.as_deref() == Some(subnet))
            .filter(|interface| balancer.has_interface(interface))
            .flat_map(|interface| interface.addresses.iter())
            .filter(|address| address.is_ipv4() == to.is_ipv4())
            .map(|address| single(*address))
            .collect();
        if !own.is_empty() {
            return own;
        }
        let ranges = self.subnet(subnet).map(|subnet| subnet.ranges(to));
        ranges
            .filter(|ranges| !ranges.is_empty())
            .unwrap_or(everything)
    }

    /// The interface that traffic to a target comes to, where it is among those that were read: an
    /// instance's primary one, an address' own.
    pub fn interface_of(&self, group: &TargetGroup, target: &Target) -> Option<&Interface> {
        let all = self.interfaces.read()?;
        if group.target_type == "instance" {
            let own = |interface: &&Interface| {
                interface.primary && interface.instance_id.as_deref() == Some(&target.id)
            };
            return all.iter().find(own);
        }
        // Two VPCs may have the same addresses.
        let elsewhere = |interface: &Interface| {
            let subnet = interface.subnet_id.as_deref();
            let vpc = subnet
                .and_then(|id| self.subnet(id))
                .and_then(|subnet| subnet.vpc_id.as_ref());
            vpc.zip(group.vpc_id.as_ref())
                .is_some_and(|(one, other)| one != other)
        };
        let address = target.address?;
        let mut own = all
            .iter()
            .filter(|interface| interface.addresses.contains(&address) && !elsewhere(interface));
        own.next().filter(|_| own.next().is_none())
    }

    /// A subnet, where it was read.
    pub fn subnet(&self, id: &str) -> Option<&Subnet> {
        self.subnets.read()?.iter().find(|subnet| subnet.id == id)
    }
}

impl LoadBalancer {
    /// Whether AWS made this interface for it: `ELB app/shop/50dc6c495c0c9188`, a Classic one's `ELB legacy`.
    pub(crate) fn has_interface(&self, interface: &Interface) -> bool {
        let name = match self.kind {
            LoadBalancerType::Classic => Some(self.name.as_str()),
            _ => self.arn.split_once(":loadbalancer/").map(|(_, name)| name),
        };
        name.is_some() && interface.description.strip_prefix("ELB ") == name
    }
}

impl Subnet {
    /// Its ranges of the family of an address.
    fn ranges(&self, of: IpAddr) -> Vec<IpNet> {
        let all = self.cidr.iter().chain(&self.ipv6_cidrs);
        let all = all.filter_map(|range| range.parse::<IpNet>().ok());
        all.filter(|range| range.addr().is_ipv4() == of.is_ipv4())
            .collect()
    }
}

/// Every address of a family.
pub fn everything(of: IpAddr) -> IpNet {
    match of {
        IpAddr::V4(_) => Ipv4Net::default().into(),
        IpAddr::V6(_) => Ipv6Net::default().into(),
    }
}

/// Ranges that no packet from the internet comes from: RFC 1918, RFC 6598.
const PRIVATE: [&str; 4] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
];

/// Global unicast, RFC 4291.
const GLOBAL: &str = "2000::/3";

/// Where clients in the internet may be, of a family.
pub fn internet(of: IpAddr) -> Vec<IpNet> {
    if of.is_ipv6() {
        return GLOBAL.parse().into_iter().collect();
    }
    let mut public = vec![Region::port(everything(of), 0)];
    for private in PRIVATE.iter().filter_map(|range| range.parse().ok()) {
        take(&mut public, &Region::port(private, 0));
    }
    public.into_iter().map(|part| part.addresses).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn no_private_address_is_in_the_internet() {
        let public = internet(Ipv4Addr::UNSPECIFIED.into());
        let holds = |address: &str| {
            let address: IpAddr = address.parse().unwrap();
            public
                .iter()
                .filter(|range| range.contains(&address))
                .count()
        };
        for private in [
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
        ] {
            assert_eq!(holds(private), 0, "{private}");
        }
        for public in [
            "9.255.255.255",
            "11.0.0.0",
            "172.15.0.1",
            "172.32.0.0",
            "203.0.113.1",
        ] {
            assert_eq!(holds(public), 1, "{public}");
        }
        let address: IpAddr = "2001:db8::1".parse().unwrap();
        assert!(internet(Ipv6Addr::UNSPECIFIED.into())[0].contains(&address));
    }
}
