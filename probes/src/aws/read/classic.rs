//! Classic Load Balancers, put into the terms of the others: what AWS has no ARN for gets one that is made up
//! of the balancer's, and the instances behind a listener are a target group.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::json::{at, each, int, list, pairs, text, texts};
use super::{Caller, Operation, Reader, Subject, classic, classic_name, section};
use crate::aws::Arn;
use crate::aws::inventory::{
    Action, HealthCheck, Listener, LoadBalancer, LoadBalancerType, NotRead, ProtocolPort, Section,
    SslPolicy, Subnet, Target, TargetGroup, Weighted, Zone,
};
use crate::elb_policies::elb_policy_of;

const BALANCERS: Operation = classic("elasticloadbalancing:DescribeLoadBalancers");
const POLICIES: Operation = classic("elasticloadbalancing:DescribeLoadBalancerPolicies");
const HEALTH: Operation = classic("elasticloadbalancing:DescribeInstanceHealth");

/// The policy type whose attributes are versions and suites.
const NEGOTIATION: &str = "SSLNegotiationPolicyType";

impl<'a> Reader<'a> {
    pub(super) fn classic_load_balancers(&mut self, caller: &Caller) -> Vec<LoadBalancer> {
        let mut known = BTreeSet::new();
        let mut all = Vec::new();
        for one in self.classic_descriptions() {
            let mut balancer = load_balancer(one);
            balancer.arn = self.made_up_arn(one, &balancer, caller);
            if self.is_wanted(&balancer) && known.insert(balancer.arn.clone()) {
                self.complete_classic(one, &mut balancer);
                all.push(balancer);
            }
        }
        all
    }

    fn classic_descriptions(&mut self) -> Vec<&'a Value> {
        if !self.answers.contains_key(&(BALANCERS.action, true)) {
            return Vec::new();
        }
        let bodies = self.all(BALANCERS, "load balancers").unwrap_or_default();
        bodies
            .into_iter()
            .flat_map(|body| list(body, "LoadBalancerDescriptions"))
            .collect()
    }

    /// `arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/NAME`, as IAM policies have it.
    fn made_up_arn(&self, one: &Value, balancer: &LoadBalancer, caller: &Caller) -> String {
        let wanted = self.wanted.unwrap_or_default();
        if classic_name(wanted) == balancer.name && !balancer.name.is_empty() {
            return wanted.into();
        }
        let host = balancer.dns_name.trim_end_matches('.');
        let mut labels = host.split('.').skip(1);
        let region = labels.next().filter(|_| labels.next() == Some("elb"));
        let partition = caller.partition.as_deref().unwrap_or_else(|| {
            if host.ends_with(".amazonaws.com.cn") {
                "aws-cn"
            } else if region.is_some_and(|region| region.starts_with("us-gov-")) {
                "aws-us-gov"
            } else {
                "aws"
            }
        });
        // The owner of the security group that is the balancer's as a source is its account.
        let owner = text(at(one, "SourceSecurityGroup"), "OwnerAlias");
        let owner = owner.filter(|owner| owner.bytes().all(|byte| byte.is_ascii_digit()));
        let arn = Arn {
            partition: partition.into(),
            service: "elasticloadbalancing".into(),
            region: region.unwrap_or_default().into(),
            account: caller.account.clone().or(owner).unwrap_or_default(),
            resource: format!("loadbalancer/{}", balancer.name),
        };
        arn.to_string()
    }

    fn complete_classic(&mut self, one: &Value, balancer: &mut LoadBalancer) {
        let (arn, name) = (balancer.arn.clone(), balancer.name.clone());
        let subject = Subject::new(name.clone(), &arn, &name);
        let operation = classic("elasticloadbalancing:DescribeLoadBalancerAttributes");
        balancer.attributes = section(self.about(operation, &subject), attributes);
        balancer.tags = self.tags(true, &subject, |one| {
            text(one, "LoadBalancerName").as_deref() == Some(&name)
        });
        balancer.web_acl = Section::Read(None);
        balancer.metrics = self.metrics(&subject);

        let policies = if list(one, "ListenerDescriptions").any(|one| {
            let protocol = text(at(one, "Listener"), "Protocol").unwrap_or_default();
            has_tls(&protocol)
        }) {
            self.about(POLICIES, &subject)
        } else {
            Ok(Vec::new())
        };
        let policies = policies.map(|bodies| {
            let all = bodies
                .into_iter()
                .flat_map(|body| list(body, "PolicyDescriptions"));
            all.map(|one| (text(one, "PolicyName").unwrap_or_default(), one))
                .collect()
        });
        let mut listeners: Vec<Listener> = list(one, "ListenerDescriptions")
            .map(|one| listener(one, balancer, &policies))
            .collect();
        listeners.sort_by_key(|listener| listener.port);
        balancer.listeners = Section::Read(listeners);
    }

    /// The instances behind each protocol and port.
    pub(super) fn classic_target_groups(
        &mut self,
        load_balancers: &[LoadBalancer],
        groups: &mut Section<Vec<TargetGroup>>,
    ) {
        let Section::Read(groups) = groups else {
            return;
        };
        let descriptions = self.classic_descriptions();
        for balancer in load_balancers {
            if balancer.kind != LoadBalancerType::Classic {
                continue;
            }
            let is_own =
                |one: &&&Value| text(one, "LoadBalancerName").as_deref() == Some(&balancer.name);
            let Some(one) = descriptions.iter().find(is_own) else {
                continue;
            };
            let subject = Subject::new(balancer.name.clone(), &balancer.arn, &balancer.name);
            let targets = match self.about(HEALTH, &subject) {
                Ok(bodies) => Ok(targets(one, &bodies)),
                Err(why) => Err(why),
            };
            let check = health_check(at(one, "HealthCheck"));
            let listeners = balancer.listeners.read().into_iter().flatten();
            let behind: BTreeSet<(&str, u16)> = listeners
                .filter_map(|listener| listener.instance.as_ref())
                .map(|instance| (instance.protocol.as_str(), instance.port))
                .collect();
            for (protocol, port) in behind {
                groups.push(target_group(balancer, protocol, port, &check, &targets));
            }
        }
    }

    /// Its zones are told by name, its subnets by id: subnets tell which belongs where.
    pub(super) fn classic_zones(
        &mut self,
        load_balancers: &mut [LoadBalancer],
        subnets: &Section<Vec<Subnet>>,
    ) {
        let descriptions = self.classic_descriptions();
        for balancer in load_balancers {
            if balancer.kind != LoadBalancerType::Classic {
                continue;
            }
            let name = Some(balancer.name.as_str());
            let one = descriptions
                .iter()
                .find(|one| text(one, "LoadBalancerName").as_deref() == name);
            let own = one.map(|one| texts(one, "Subnets")).unwrap_or_default();
            let lone = match (own.as_slice(), balancer.zones.len()) {
                ([lone], 1) => Some(lone.clone()),
                _ => None,
            };
            for zone in &mut balancer.zones {
                let there = subnets.read().into_iter().flatten().find(|subnet| {
                    subnet.zone.as_ref() == Some(&zone.name) && own.contains(&subnet.id)
                });
                zone.subnet_id = there
                    .map(|subnet| subnet.id.clone())
                    .or_else(|| lone.clone());
            }
        }
    }
}

fn has_tls(protocol: &str) -> bool {
    matches!(protocol, "HTTPS" | "SSL")
}

fn load_balancer(one: &Value) -> LoadBalancer {
    let zone = |name| Zone {
        name,
        ..Zone::default()
    };
    LoadBalancer {
        name: text(one, "LoadBalancerName").unwrap_or_default(),
        dns_name: text(one, "DNSName").unwrap_or_default(),
        kind: LoadBalancerType::Classic,
        scheme: text(one, "Scheme").unwrap_or_default(),
        vpc_id: text(one, "VPCId"),
        zones: texts(one, "AvailabilityZones")
            .into_iter()
            .map(zone)
            .collect(),
        security_groups: texts(one, "SecurityGroups"),
        ..LoadBalancer::default()
    }
}

/// Under the keys that the others have for the same.
fn attributes(bodies: Vec<&Value>) -> BTreeMap<String, String> {
    const SAME: [(&str, &str, &str); 7] = [
        (
            "CrossZoneLoadBalancing",
            "Enabled",
            "load_balancing.cross_zone.enabled",
        ),
        ("AccessLog", "Enabled", "access_logs.s3.enabled"),
        ("AccessLog", "S3BucketName", "access_logs.s3.bucket"),
        ("AccessLog", "S3BucketPrefix", "access_logs.s3.prefix"),
        (
            "ConnectionDraining",
            "Enabled",
            "connection_draining.enabled",
        ),
        (
            "ConnectionDraining",
            "Timeout",
            "connection_draining.timeout_seconds",
        ),
        (
            "ConnectionSettings",
            "IdleTimeout",
            "idle_timeout.timeout_seconds",
        ),
    ];
    let mut all = BTreeMap::new();
    for body in bodies {
        let given = at(body, "LoadBalancerAttributes");
        for (group, key, same) in SAME {
            if let Some(value) = text(at(given, group), key) {
                all.insert(same.to_owned(), value);
            }
        }
        for (key, value) in pairs(given, "AdditionalAttributes") {
            let same = match key.as_str() {
                "elb.http.desyncmitigationmode" => "routing.http.desync_mitigation_mode".into(),
                _ => key,
            };
            all.insert(same, value);
        }
    }
    all
}

type Policies<'a> = Result<HashMap<String, &'a Value>, NotRead>;

fn listener(one: &Value, balancer: &LoadBalancer, policies: &Policies<'_>) -> Listener {
    let described = at(one, "Listener");
    let protocol = text(described, "Protocol").unwrap_or_default();
    let port: u16 = int(described, "LoadBalancerPort").unwrap_or_default();
    // Where nothing else is said, it goes on as it came in.
    let instance = ProtocolPort {
        protocol: text(described, "InstanceProtocol").unwrap_or_else(|| protocol.clone()),
        port: int(described, "InstancePort").unwrap_or_default(),
    };
    let forward = Action {
        kind: "forward".into(),
        target_groups: vec![Weighted {
            target_group_arn: instances_arn(&balancer.arn, &instance.protocol, instance.port),
            weight: 1,
        }],
        ..Action::default()
    };
    let mut listener = Listener {
        arn: format!("{}/{port}", balancer.arn),
        protocol,
        port,
        certificates: Section::Read(Vec::new()),
        default_actions: vec![forward],
        rules: Section::Read(Vec::new()),
        attributes: Section::Read(BTreeMap::new()),
        instance: Some(instance),
        ..Listener::default()
    };
    if listener.has_tls() {
        listener.default_certificate = text(described, "SSLCertificateId");
        let names = texts(one, "PolicyNames");
        (listener.ssl_policy, listener.own_policy) = negotiation(&names, policies);
    }
    listener
}

/// The predefined policy that a listener has, or the content of its own. Among its policies are such for
/// stickiness, too.
fn negotiation(names: &[String], policies: &Policies<'_>) -> (Option<String>, Option<SslPolicy>) {
    let predefined = |name: &str| elb_policy_of(name, LoadBalancerType::Classic).is_some();
    let described = policies.as_ref().ok().and_then(|policies| {
        names.iter().find_map(|name| {
            let one = *policies.get(name)?;
            let is_negotiation = text(one, "PolicyTypeName").as_deref() == Some(NEGOTIATION);
            is_negotiation.then_some((name, one))
        })
    });
    let Some((name, one)) = described else {
        // Its name is enough where it is a predefined one's.
        return (names.iter().find(|name| predefined(name)).cloned(), None);
    };
    let own = own_policy(name, one);
    match reference(one) {
        Some(reference) if predefined(&reference) => (Some(reference), None),
        // Newer than the table.
        Some(reference) => (Some(reference), Some(own)),
        None if predefined(name) => (Some(name.clone()), None),
        None => (Some(name.clone()), Some(own)),
    }
}

fn policy_attributes(one: &Value) -> impl Iterator<Item = (String, String)> {
    list(one, "PolicyAttributeDescriptions").filter_map(|attribute| {
        let value = text(attribute, "AttributeValue")?;
        Some((text(attribute, "AttributeName")?, value))
    })
}

/// The predefined policy that it takes over.
fn reference(one: &Value) -> Option<String> {
    let mut all = policy_attributes(one);
    all.find(|(name, _)| name == "Reference-Security-Policy")
        .map(|(_, value)| value)
}

/// Each version (`Protocol-TLSv1.2`) and each suite is an attribute, true or false.
fn own_policy(name: &str, one: &Value) -> SslPolicy {
    let mut own = SslPolicy {
        name: name.into(),
        load_balancer_types: vec!["classic".into()],
        ..SslPolicy::default()
    };
    for (name, value) in policy_attributes(one) {
        if !value.eq_ignore_ascii_case("true") || name == "Server-Defined-Cipher-Order" {
            continue;
        }
        match name.strip_prefix("Protocol-") {
            Some(version) => own.protocols.push(version.into()),
            None => own.ciphers.push(name),
        }
    }
    own
}

fn instances_arn(balancer: &str, protocol: &str, port: u16) -> String {
    format!("{balancer}/instances/{protocol}/{port}")
}

fn target_group(
    balancer: &LoadBalancer,
    protocol: &str,
    port: u16,
    check: &HealthCheck,
    targets: &Result<Vec<Target>, NotRead>,
) -> TargetGroup {
    let checked = check.port.as_deref().and_then(|port| port.parse().ok());
    let targets = targets.as_ref().map(|targets| {
        let mut targets = targets.clone();
        for target in &mut targets {
            target.port = Some(port);
            target.health_check_port = checked;
        }
        targets
    });
    TargetGroup {
        arn: instances_arn(&balancer.arn, protocol, port),
        name: balancer.name.clone(),
        protocol: Some(protocol.into()),
        port: Some(port),
        target_type: "instance".into(),
        vpc_id: balancer.vpc_id.clone(),
        load_balancer_arns: vec![balancer.arn.clone()],
        health_check: check.clone(),
        attributes: Section::Read(BTreeMap::new()),
        targets: match targets {
            Ok(targets) => Section::Read(targets),
            Err(why) => Section::NotRead(why.clone()),
        },
        ..TargetGroup::default()
    }
}

/// `HTTPS:8443/health`, `TCP:80`.
fn health_check(one: &Value) -> HealthCheck {
    let target = text(one, "Target").unwrap_or_default();
    let (protocol, rest) = target.split_once(':').unwrap_or_default();
    let (port, path) = match rest.split_once('/') {
        Some((port, path)) => (port, Some(format!("/{path}"))),
        None => (rest, None),
    };
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    HealthCheck {
        enabled: true,
        protocol: given(protocol),
        port: given(port),
        path,
        matcher: None,
        interval: int(one, "Interval"),
        timeout: int(one, "Timeout"),
        healthy_threshold: int(one, "HealthyThreshold"),
        unhealthy_threshold: int(one, "UnhealthyThreshold"),
    }
}

/// The instances with their health; one that AWS tells no health of has no state.
fn targets(one: &Value, health: &[&Value]) -> Vec<Target> {
    let states = || health.iter().flat_map(|body| list(body, "InstanceStates"));
    let mut ids = each(one, "Instances", "InstanceId");
    let known: BTreeSet<String> = ids.iter().cloned().collect();
    let others = states().filter_map(|state| text(state, "InstanceId"));
    ids.extend(others.filter(|id| !known.contains(id)));
    let by_id: HashMap<String, &Value> = states()
        .filter_map(|state| Some((text(state, "InstanceId")?, state)))
        .collect();
    let target = |id: String| {
        let state = by_id.get(&id).copied().unwrap_or(&Value::Null);
        let told = |key| text(state, key).filter(|text| text != "N/A");
        Target {
            state: match text(state, "State").as_deref() {
                Some("InService") => "healthy".into(),
                Some("OutOfService") => "unhealthy".into(),
                Some(_) => "unknown".into(),
                None => String::new(),
            },
            reason: told("ReasonCode"),
            description: told("Description"),
            id,
            ..Target::default()
        }
    };
    ids.into_iter().map(target).collect()
}
