//! What the network lets through: security groups, subnets, network ACLs, interfaces, prefix lists.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::Value;

use super::groups::instances_in;
use super::json::{address, at, each, flag, int, list, text};
use super::{Operation, Reader, Subject, needed, optional, section};
use crate::aws::inventory::{
    AclEntry, Interface, Inventory, LoadBalancer, NetworkAcl, Permission, Section, SecurityGroup,
    Subnet,
};

impl Reader<'_> {
    pub(super) fn networks(&mut self, all: &mut Inventory, load_balancers: &[LoadBalancer]) {
        let needed = !load_balancers.is_empty();
        let ask = |action| Operation {
            needed,
            ..optional(action)
        };
        // Where nothing names a group, AWS is not asked for any: a Network Load Balancer may have none.
        let interfaces = all.interfaces.read().into_iter().flatten();
        let has_groups = load_balancers
            .iter()
            .any(|lb| !lb.security_groups.is_empty())
            || interfaces
                .into_iter()
                .any(|one| !one.security_groups.is_empty());
        let of_groups = Operation {
            needed: needed && has_groups,
            ..optional("ec2:DescribeSecurityGroups")
        };
        all.security_groups = self.collect(
            of_groups,
            ("security groups", "SecurityGroups"),
            security_group,
            |group| &group.id,
        );
        if self.wanted.is_some()
            && let (Section::Read(groups), Section::Read(interfaces)) =
                (&mut all.security_groups, &all.interfaces)
        {
            let own = load_balancers
                .iter()
                .flat_map(|balancer| &balancer.security_groups);
            let of_interfaces = interfaces
                .iter()
                .flat_map(|interface| &interface.security_groups);
            let used: BTreeSet<&String> = own.chain(of_interfaces).collect();
            groups.retain(|group| used.contains(&group.id));
        }
        all.subnets = self.collect(
            ask("ec2:DescribeSubnets"),
            ("subnets", "Subnets"),
            subnet,
            |subnet| &subnet.id,
        );
        all.network_acls = self.collect(
            ask("ec2:DescribeNetworkAcls"),
            ("network ACLs", "NetworkAcls"),
            network_acl,
            |acl| &acl.id,
        );
        all.prefix_lists = self.prefix_lists(&all.security_groups);
    }

    /// The interfaces, also those that are told with the instances only.
    pub(super) fn interfaces(&mut self, needed: bool) -> Section<Vec<Interface>> {
        let operation = Operation {
            needed,
            ..optional("ec2:DescribeNetworkInterfaces")
        };
        let mut read = self.collect(
            operation,
            ("network interfaces", "NetworkInterfaces"),
            interface,
            |interface| &interface.id,
        );
        if let Section::Read(all) = &mut read {
            let mut known: BTreeSet<String> = all.iter().map(|one| one.id.clone()).collect();
            let key = ("ec2:DescribeInstances", false);
            let answers = self.answers.get(&key).into_iter().flatten();
            for instance in answers
                .filter_map(|answer| answer.outcome.as_ref().ok())
                .flat_map(instances_in)
            {
                for one in list(instance, "NetworkInterfaces") {
                    let mut own = interface(one);
                    own.instance_id = text(instance, "InstanceId");
                    own.primary = is_first(one);
                    own.zone = own
                        .zone
                        .or_else(|| text(at(instance, "Placement"), "AvailabilityZone"));
                    if known.insert(own.id.clone()) {
                        all.push(own);
                    }
                }
            }
        }
        read
    }

    /// Everything of one kind that any answer has, each once.
    fn collect<T>(
        &mut self,
        operation: Operation,
        (shown, key): (&str, &str),
        read: impl Fn(&Value) -> T,
        id: impl Fn(&T) -> &String,
    ) -> Section<Vec<T>> {
        section(self.all(operation, shown), |bodies| {
            let mut known = BTreeSet::new();
            let all = bodies.into_iter().flat_map(|body| list(body, key));
            all.map(read)
                .filter(|one| !id(one).is_empty() && known.insert(id(one).clone()))
                .collect()
        })
    }

    /// Those that the security groups name.
    fn prefix_lists(
        &mut self,
        groups: &Section<Vec<SecurityGroup>>,
    ) -> Section<BTreeMap<String, Vec<String>>> {
        let groups = match groups {
            Section::Read(groups) => groups,
            Section::NotRead(why) => return Section::NotRead(why.clone()),
        };
        let permissions = groups
            .iter()
            .flat_map(|group| group.ingress.iter().chain(&group.egress));
        let used: BTreeSet<&String> = permissions
            .flat_map(|permission| &permission.prefix_lists)
            .collect();
        let operation = needed("ec2:GetManagedPrefixListEntries");
        let mut all = BTreeMap::new();
        let mut missing = None;
        for id in used {
            let subject = Subject::new(format!("prefix list {id}"), "", id);
            match self.about(operation, &subject) {
                Ok(bodies) => {
                    let entries = bodies
                        .into_iter()
                        .flat_map(|body| each(body, "Entries", "Cidr"));
                    all.insert(id.clone(), entries.collect());
                }
                Err(why) => missing = Some(why),
            }
        }
        match missing {
            Some(why) if all.is_empty() => Section::NotRead(why),
            _ => Section::Read(all),
        }
    }
}

fn security_group(one: &Value) -> SecurityGroup {
    SecurityGroup {
        id: text(one, "GroupId").unwrap_or_default(),
        name: text(one, "GroupName").unwrap_or_default(),
        vpc_id: text(one, "VpcId"),
        ingress: list(one, "IpPermissions").map(permission).collect(),
        egress: list(one, "IpPermissionsEgress").map(permission).collect(),
    }
}

fn permission(one: &Value) -> Permission {
    let mut cidrs = each(one, "IpRanges", "CidrIp");
    cidrs.extend(each(one, "Ipv6Ranges", "CidrIpv6"));
    Permission {
        protocol: text(one, "IpProtocol").unwrap_or_default(),
        from_port: int(one, "FromPort"),
        to_port: int(one, "ToPort"),
        cidrs,
        groups: each(one, "UserIdGroupPairs", "GroupId"),
        prefix_lists: each(one, "PrefixListIds", "PrefixListId"),
    }
}

fn subnet(one: &Value) -> Subnet {
    // Those that are going or gone stand there, too.
    let associated = |range: &&Value| {
        let state = text(at(range, "Ipv6CidrBlockState"), "State");
        state.is_none_or(|state| state == "associated")
    };
    Subnet {
        id: text(one, "SubnetId").unwrap_or_default(),
        vpc_id: text(one, "VpcId"),
        zone: text(one, "AvailabilityZone"),
        cidr: text(one, "CidrBlock"),
        ipv6_cidrs: list(one, "Ipv6CidrBlockAssociationSet")
            .filter(associated)
            .filter_map(|range| text(range, "Ipv6CidrBlock"))
            .collect(),
    }
}

fn network_acl(one: &Value) -> NetworkAcl {
    let mut entries: Vec<AclEntry> = list(one, "Entries").filter_map(acl_entry).collect();
    entries.sort_by_key(|entry| (entry.egress, entry.number));
    NetworkAcl {
        id: text(one, "NetworkAclId").unwrap_or_default(),
        vpc_id: text(one, "VpcId"),
        subnets: each(one, "Associations", "SubnetId"),
        entries,
    }
}

/// None where it does not say what it is for: it could be anywhere in the order.
fn acl_entry(one: &Value) -> Option<AclEntry> {
    let ports = at(one, "PortRange");
    Some(AclEntry {
        number: int(one, "RuleNumber")?,
        egress: flag(one, "Egress")?,
        allow: text(one, "RuleAction")? == "allow",
        protocol: text(one, "Protocol").unwrap_or_default(),
        cidr: text(one, "CidrBlock").or_else(|| text(one, "Ipv6CidrBlock"))?,
        from_port: int(ports, "From"),
        to_port: int(ports, "To"),
    })
}

fn interface(one: &Value) -> Interface {
    let v4 = list(one, "PrivateIpAddresses").filter_map(|ip| address(ip, "PrivateIpAddress"));
    let v6 = list(one, "Ipv6Addresses").filter_map(|ip| address(ip, "Ipv6Address"));
    let mut addresses: Vec<IpAddr> = address(one, "PrivateIpAddress").into_iter().collect();
    for ip in v4.chain(v6) {
        if !addresses.contains(&ip) {
            addresses.push(ip);
        }
    }
    let instance_id = text(at(one, "Attachment"), "InstanceId");
    Interface {
        id: text(one, "NetworkInterfaceId").unwrap_or_default(),
        description: text(one, "Description").unwrap_or_default(),
        subnet_id: text(one, "SubnetId"),
        zone: text(one, "AvailabilityZone"),
        addresses,
        public_address: address(at(one, "Association"), "PublicIp"),
        security_groups: each(one, "Groups", "GroupId"),
        primary: instance_id.is_some() && is_first(one),
        instance_id,
    }
}

fn is_first(interface: &Value) -> bool {
    int::<u32>(at(interface, "Attachment"), "DeviceIndex") == Some(0)
}
