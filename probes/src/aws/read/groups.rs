//! Target groups, and targets with their health and address.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use serde_json::Value;

use super::balancers::attributes;
use super::json::{address, at, flag, int, list, text, texts};
use super::{Operation, Reader, Subject, needed, optional, section};
use crate::aws::inventory::{
    HealthCheck, Inventory, LoadBalancer, LoadBalancerType, NotRead, Section, Target, TargetGroup,
};

const INSTANCES: Operation = optional("ec2:DescribeInstances");

impl Reader<'_> {
    pub(super) fn target_groups(
        &mut self,
        load_balancers: &[LoadBalancer],
    ) -> Section<Vec<TargetGroup>> {
        let newer: Vec<&LoadBalancer> = load_balancers
            .iter()
            .filter(|balancer| balancer.kind != LoadBalancerType::Classic)
            .collect();
        if newer.is_empty() {
            return Section::Read(Vec::new());
        }
        let operation = needed("elasticloadbalancing:DescribeTargetGroups");
        let bodies = match self.all(operation, "target groups") {
            Ok(bodies) => bodies,
            Err(why) => return Section::NotRead(why),
        };
        let used: BTreeSet<&str> = newer
            .iter()
            .flat_map(|balancer| balancer.target_group_arns())
            .collect();
        let wanted = self.wanted.is_some();
        let is_own = |group: &TargetGroup| {
            let registered = |arn: &String| newer.iter().any(|balancer| balancer.arn == *arn);
            !wanted
                || used.contains(group.arn.as_str())
                || group.load_balancer_arns.iter().any(registered)
        };
        let mut known = BTreeSet::new();
        let mut all: Vec<TargetGroup> = bodies
            .into_iter()
            .flat_map(|body| list(body, "TargetGroups"))
            .map(target_group)
            .filter(|group| is_own(group) && known.insert(group.arn.clone()))
            .collect();
        for group in &mut all {
            self.complete_group(group);
        }
        Section::Read(all)
    }

    fn complete_group(&mut self, group: &mut TargetGroup) {
        let (arn, name) = (group.arn.clone(), group.name.clone());
        let subject = Subject::new(format!("target group {name}"), &arn, &name);
        let operation = needed("elasticloadbalancing:DescribeTargetGroupAttributes");
        group.attributes = section(self.about(operation, &subject), attributes);
        let operation = needed("elasticloadbalancing:DescribeTargetHealth");
        let bodies = self.about(operation, &subject);
        group.targets = section(bodies, |bodies| {
            let all = bodies
                .into_iter()
                .flat_map(|body| list(body, "TargetHealthDescriptions"));
            all.map(|one| target(one, group)).collect()
        });
    }

    /// The addresses of the targets, where anything tells them.
    pub(super) fn addresses(&mut self, all: &mut Inventory) {
        let Section::Read(groups) = &mut all.target_groups else {
            return;
        };
        let is_instance = |group: &&mut TargetGroup| {
            group.target_type == "instance"
                && group.targets.read().is_some_and(|all| !all.is_empty())
        };
        let needed = groups.iter_mut().any(|group| is_instance(&group));
        let described = self.all(
            Operation {
                needed,
                ..INSTANCES
            },
            "instances",
        );
        let interfaces = all.interfaces.read().map(Vec::as_slice).unwrap_or_default();
        let mut instances = HashMap::new();
        // Described first, so that it wins.
        for one in described
            .iter()
            .flatten()
            .flat_map(|body| instances_in(body))
        {
            if let Some((id, addresses)) = instance(one) {
                instances.entry(id).or_insert(addresses);
            }
        }
        for interface in interfaces.iter().filter(|interface| interface.primary) {
            if let Some(id) = &interface.instance_id {
                let v4 = interface.addresses.iter().find(|ip| ip.is_ipv4());
                let v6 = interface.addresses.iter().find(|ip| ip.is_ipv6());
                let addresses = Addresses {
                    v4: v4.copied(),
                    v6: v6.copied(),
                };
                instances.entry(id.clone()).or_insert(addresses);
            }
        }
        for group in groups {
            let v6 = group.ip_address_type.as_deref() == Some("ipv6");
            let Section::Read(targets) = &mut group.targets else {
                continue;
            };
            for target in targets {
                let found = match group.target_type.as_str() {
                    "ip" => target.id.parse().map_err(|_| "its id is no address".into()),
                    "lambda" => Err("a Lambda function".into()),
                    "alb" => Err("an Application Load Balancer".into()),
                    _ => match instances.get(&target.id) {
                        Some(instance) => instance.of(v6),
                        None => Err(unknown(described.as_ref().err())),
                    },
                };
                match found {
                    Ok(address) => target.address = Some(address),
                    Err(why) => target.address_unknown = Some(why),
                }
            }
        }
    }
}

/// Why nothing tells an instance's address.
fn unknown(why: Option<&NotRead>) -> String {
    match why {
        Some(why) => format!("{}: {}", INSTANCES.action, why.reason),
        None => "not among the instances that AWS described".into(),
    }
}

/// The addresses of an instance's first interface.
struct Addresses {
    v4: Option<IpAddr>,
    v6: Option<IpAddr>,
}

impl Addresses {
    /// The one that a target group of that address type takes.
    fn of(&self, v6: bool) -> Result<IpAddr, String> {
        let (address, kind) = if v6 {
            (self.v6, "IPv6")
        } else {
            (self.v4, "private IPv4")
        };
        address.ok_or_else(|| format!("the instance has no {kind} address (it may have ended)"))
    }
}

pub(super) fn instances_in(body: &Value) -> impl Iterator<Item = &Value> {
    let reservations = list(body, "Reservations");
    reservations.flat_map(|reservation| list(reservation, "Instances"))
}

fn instance(one: &Value) -> Option<(String, Addresses)> {
    let mut interfaces = list(one, "NetworkInterfaces");
    let first = interfaces
        .find(|interface| int::<u32>(at(interface, "Attachment"), "DeviceIndex") == Some(0));
    let v6s: Vec<&Value> = first
        .into_iter()
        .flat_map(|first| list(first, "Ipv6Addresses"))
        .collect();
    let primary = v6s
        .iter()
        .find(|address| flag(address, "IsPrimaryIpv6") == Some(true))
        .or_else(|| v6s.first());
    let addresses = Addresses {
        v4: address(one, "PrivateIpAddress").or_else(|| address(first?, "PrivateIpAddress")),
        v6: primary
            .and_then(|primary| address(primary, "Ipv6Address"))
            .or_else(|| address(one, "Ipv6Address")),
    };
    Some((text(one, "InstanceId")?, addresses))
}

fn target_group(one: &Value) -> TargetGroup {
    let mut group = TargetGroup {
        arn: text(one, "TargetGroupArn").unwrap_or_default(),
        name: text(one, "TargetGroupName").unwrap_or_default(),
        protocol: text(one, "Protocol"),
        protocol_version: text(one, "ProtocolVersion"),
        port: int(one, "Port"),
        target_type: text(one, "TargetType").unwrap_or_else(|| "instance".into()),
        ip_address_type: text(one, "IpAddressType"),
        vpc_id: text(one, "VpcId"),
        load_balancer_arns: texts(one, "LoadBalancerArns"),
        ..TargetGroup::default()
    };
    group.health_check = health_check(one, &group);
    group
}

/// With the defaults of `CreateTargetGroup`, as its reference has them, for what is not said.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html>
fn health_check(one: &Value, group: &TargetGroup) -> HealthCheck {
    let lambda = group.target_type == "lambda";
    let of_http = lambda || matches!(group.protocol.as_deref(), Some("HTTP" | "HTTPS"));
    let grpc = group.protocol_version.as_deref() == Some("GRPC");
    let geneve = group.protocol.as_deref() == Some("GENEVE");
    let protocol = text(one, "HealthCheckProtocol").or_else(|| {
        let default = if of_http { "HTTP" } else { "TCP" };
        (!lambda).then(|| default.to_owned())
    });
    let by_http = lambda || matches!(protocol.as_deref(), Some("HTTP" | "HTTPS"));
    let matcher = at(one, "Matcher");
    let default = |text: &str| by_http.then(|| text.to_owned());
    HealthCheck {
        enabled: flag(one, "HealthCheckEnabled").unwrap_or(!lambda),
        port: text(one, "HealthCheckPort").or_else(|| {
            let default = if geneve { "80" } else { "traffic-port" };
            (!lambda).then(|| default.to_owned())
        }),
        path: text(one, "HealthCheckPath")
            .or_else(|| default(if grpc { "/AWS.ALB/healthcheck" } else { "/" })),
        matcher: text(matcher, "HttpCode")
            .or_else(|| text(matcher, "GrpcCode"))
            .or_else(|| {
                default(match (grpc, of_http) {
                    (true, _) => "12",
                    (_, true) => "200",
                    (_, false) => "200-399",
                })
            }),
        interval: int(one, "HealthCheckIntervalSeconds").or(Some(match (lambda, geneve) {
            (true, _) => 35,
            (_, true) => 10,
            _ => 30,
        })),
        // Its default depends on the protocol, and AWS's pages differ about how.
        timeout: int(one, "HealthCheckTimeoutSeconds"),
        healthy_threshold: int(one, "HealthyThresholdCount").or(Some(5)),
        unhealthy_threshold: int(one, "UnhealthyThresholdCount").or(Some(if lambda {
            5
        } else {
            2
        })),
        protocol,
    }
}

fn target(one: &Value, group: &TargetGroup) -> Target {
    let (described, health) = (at(one, "Target"), at(one, "TargetHealth"));
    let port = int(described, "Port").or(group.port);
    // `traffic-port`, in the answers of stand-ins.
    let checked = |text: &str| match text {
        "traffic-port" => port,
        number => number.parse().ok(),
    };
    let health_check_port = text(one, "HealthCheckPort")
        .as_deref()
        .and_then(checked)
        .or_else(|| group.health_check.port.as_deref().and_then(checked));
    Target {
        id: text(described, "Id").unwrap_or_default(),
        port,
        health_check_port,
        zone: text(described, "AvailabilityZone"),
        address: None,
        address_unknown: None,
        state: text(health, "State").unwrap_or_default(),
        reason: text(health, "Reason"),
        description: text(health, "Description"),
    }
}
