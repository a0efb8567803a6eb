//! What has to be asked, told from what was answered so far.
//!
//! Pure. The collector asks until nothing is left to ask; a folder of saved answers lacks what this
//! would still ask. So live and saved audits ask the same.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Arn;
use super::answers::{Answer, Answers};
use super::inventory::LoadBalancerType;
use super::operations::{
    ATTRIBUTES, About, CALLER, CERTIFICATE, CERTIFICATE_PEM, CLASSIC_ATTRIBUTES, CLASSIC_HEALTH,
    CLASSIC_LOAD_BALANCERS, CLASSIC_POLICIES, CLASSIC_TAGS, INSTANCES, INTERFACES,
    LISTENER_ATTRIBUTES, LISTENER_CERTIFICATES, LISTENERS, LOAD_BALANCERS, METRICS, NETWORK_ACLS,
    Operation, PREFIX_LIST, RULES, SECURITY_GROUPS, SERVER_CERTIFICATE, SSL_POLICIES, SUBNETS,
    TAGS, TARGET_GROUP_ATTRIBUTES, TARGET_GROUPS, TARGET_HEALTH, TRUST_STORES, WEB_ACL,
};

/// Things named in one request of ELB: its limit for tags.
const ELB_BATCH: usize = 20;
/// Values of one filter of EC2: its limit.
const FILTER_VALUES: usize = 200;
/// Seconds that a data point of CloudWatch stands for.
const PERIOD: u32 = 300;

/// The metrics of an Application Load Balancer.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html>
const APPLICATION_METRICS: &[&str] = &[
    "ClientTLSNegotiationErrorCount",
    "TargetTLSNegotiationErrorCount",
    "TargetConnectionErrorCount",
    "RejectedConnectionCount",
    "RequestCount",
    "HTTPCode_ELB_4XX_Count",
    "HTTPCode_ELB_5XX_Count",
    "HTTPCode_ELB_502_Count",
    "HTTPCode_ELB_503_Count",
    "HTTPCode_ELB_504_Count",
    "HTTPCode_Target_5XX_Count",
    "UnhealthyRoutingRequestCount",
    "DesyncMitigationMode_NonCompliant_Request_Count",
    "DroppedInvalidHeaderRequestCount",
];
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html>
const NETWORK_METRICS: &[&str] = &[
    "ClientTLSNegotiationErrorCount",
    "TargetTLSNegotiationErrorCount",
    "NewFlowCount_TLS",
    "RejectedFlowCount",
    "TCP_Client_Reset_Count",
    "TCP_ELB_Reset_Count",
    "TCP_Target_Reset_Count",
    "PortAllocationErrorCount",
    "SecurityGroupBlockedFlowCount_Inbound_TCP",
    "UnhealthyRoutingFlowCount",
];
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-cloudwatch-metrics.html>
const CLASSIC_METRICS: &[&str] = &[
    "BackendConnectionErrors",
    "RequestCount",
    "HTTPCode_ELB_4XX",
    "HTTPCode_ELB_5XX",
    "HTTPCode_Backend_5XX",
    "SpilloverCount",
    "DesyncMitigationMode_NonCompliant_Request_Count",
];

/// One request, all its pages included.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is asked.
    pub operation: &'static Operation,
    /// What it is about, where the answer does not say it.
    pub resource: Option<String>,
    /// What it is about, for who reads of its failure.
    pub subjects: Vec<String>,
    /// Parameters, spelt as the Query protocol spells them.
    pub params: Vec<(String, String)>,
}

/// What is wanted at all.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Whether something is going to be probed.
    pub probe: bool,
    /// From when to when metrics are wanted; none for whatever time there is.
    pub metrics: Option<(OffsetDateTime, OffsetDateTime)>,
}

/// What was asked already: operation and subject.
#[derive(Clone, Debug, Default)]
pub struct Asked(BTreeSet<(usize, String)>);

impl Call {
    /// A call without parameters.
    pub fn new(operation: &'static Operation) -> Self {
        Self {
            operation,
            resource: None,
            subjects: Vec::new(),
            params: Vec::new(),
        }
    }

    /// A call about one thing, named by the operation's own parameter.
    pub fn about(operation: &'static Operation, resource: &str, value: &str) -> Self {
        let mut call = Self::new(operation);
        call.resource = Some(resource.into());
        call.subjects = vec![resource.into()];
        match operation.about {
            About::LoadBalancer(name) | About::One(name) => call.with(name, value),
            About::Itself => call,
        }
    }

    /// With a parameter.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// With a list of ELB's or CloudWatch's: `Names.member.1`.
    #[must_use]
    pub fn list<'a>(mut self, name: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        for (at, value) in values.into_iter().enumerate() {
            self = self.with(format!("{name}.member.{}", at + 1), value);
            self.subjects.push(value.into());
        }
        self
    }

    /// With a filter of EC2: those that are gone are left out of the answer, where a list of ids would
    /// make the whole call fail.
    #[must_use]
    fn filter(mut self, number: usize, name: &str, values: &[String]) -> Self {
        self = self.with(format!("Filter.{number}.Name"), name);
        for (at, value) in values.iter().enumerate() {
            self = self.with(format!("Filter.{number}.Value.{}", at + 1), value);
        }
        self
    }

    /// What it is about, short enough to be read.
    pub fn subject(&self) -> String {
        match self.subjects.as_slice() {
            [] => self.operation.command(),
            [one] => one.clone(),
            [one, two] => format!("{one}, {two}"),
            [one, rest @ ..] => format!("{one} and {} more", rest.len()),
        }
    }
}

impl Asked {
    /// Whether this was not asked yet; from now on it was.
    fn first(&mut self, operation: &Operation, subject: &str) -> bool {
        self.0.insert((operation.place(), subject.into()))
    }

    /// Those that were not asked yet, each once.
    fn new_of<'a>(
        &mut self,
        operation: &Operation,
        subjects: impl IntoIterator<Item = &'a str>,
    ) -> Vec<String> {
        subjects
            .into_iter()
            .filter(|subject| !subject.is_empty() && self.first(operation, subject))
            .map(str::to_owned)
            .collect()
    }
}

/// What is to be asked next. Nothing: everything was.
pub fn next(answers: &Answers, scope: &Scope, asked: &mut Asked) -> Vec<Call> {
    let mut plan = Plan {
        answers,
        scope,
        asked,
        calls: Vec::new(),
    };
    for balancer in balancers(answers) {
        plan.account();
        plan.balancer(&balancer);
    }
    plan.certificates();
    plan.network();
    plan.calls
}

/// A load balancer, as far as it decides what to ask.
struct Balancer<'a> {
    kind: LoadBalancerType,
    /// The ARN; a Classic one's name.
    id: &'a str,
    name: &'a str,
    value: &'a Value,
}

struct Plan<'a> {
    answers: &'a Answers,
    scope: &'a Scope,
    asked: &'a mut Asked,
    calls: Vec<Call>,
}

impl<'a> Plan<'a> {
    fn account(&mut self) {
        if self.asked.first(&CALLER, "") {
            self.calls.push(Call::new(&CALLER));
        }
    }

    fn balancer(&mut self, balancer: &Balancer<'a>) {
        if balancer.kind == LoadBalancerType::Classic {
            self.classic(balancer);
        } else {
            self.modern(balancer);
        }
        self.metrics(balancer);
        let node = match balancer.kind {
            LoadBalancerType::Classic => balancer.name.to_owned(),
            // arn:…:loadbalancer/app/NAME/ID
            _ => of_arn(balancer.id),
        };
        let description = format!("ELB {node}");
        if self.asked.first(&INTERFACES, &description) {
            let mut call = Call::new(&INTERFACES);
            call.subjects.push(description.clone());
            self.calls
                .push(call.filter(1, "description", &[description]));
        }
    }

    fn one(&mut self, operation: &'static Operation, resource: &str) {
        if !resource.is_empty() && self.asked.first(operation, resource) {
            self.calls.push(Call::about(operation, resource, resource));
        }
    }

    fn modern(&mut self, balancer: &Balancer<'a>) {
        self.one(&ATTRIBUTES, balancer.id);
        self.one(&LISTENERS, balancer.id);
        if self.asked.first(&TARGET_GROUPS, balancer.id) {
            let mut call = Call::new(&TARGET_GROUPS).with("LoadBalancerArn", balancer.id);
            call.subjects.push(balancer.id.into());
            self.calls.push(call);
        }
        let application = balancer.kind == LoadBalancerType::Application;
        if application {
            self.one(&WEB_ACL, balancer.id);
        }
        let mut tagged = vec![balancer.id];
        let listeners = self.items(&LISTENERS, "Listeners");
        for listener in &listeners {
            let Some(arn) = text(listener, "ListenerArn") else {
                continue;
            };
            self.one(&LISTENER_ATTRIBUTES, arn);
            if matches!(text(listener, "Protocol"), Some("HTTPS" | "TLS")) {
                self.one(&LISTENER_CERTIFICATES, arn);
            }
            if application {
                self.one(&RULES, arn);
            }
        }
        let policies = listeners
            .iter()
            // Stand-ins name a policy for listeners without TLS.
            .filter(|listener| matches!(text(listener, "Protocol"), Some("HTTPS" | "TLS")))
            .filter_map(|listener| text(listener, "SslPolicy"));
        let policies = self.asked.new_of(&SSL_POLICIES, policies);
        if !policies.is_empty() {
            let names = policies.iter().map(String::as_str);
            self.calls
                .push(Call::new(&SSL_POLICIES).list("Names", names));
        }
        let stores = strings(&listeners, "MutualAuthentication.TrustStoreArn");
        let stores = self.asked.new_of(&TRUST_STORES, stores);
        self.batches(&TRUST_STORES, "TrustStoreArns", &stores);

        let groups = self.items(&TARGET_GROUPS, "TargetGroups");
        let known: BTreeSet<&str> = strings(&groups, "TargetGroupArn").into_iter().collect();
        for group in &groups {
            let Some(arn) = text(group, "TargetGroupArn") else {
                continue;
            };
            self.one(&TARGET_GROUP_ATTRIBUTES, arn);
            self.one(&TARGET_HEALTH, arn);
            tagged.push(arn);
        }
        if self.answered(&TARGET_GROUPS) {
            let mut named = named_target_groups(self.answers);
            named.retain(|arn| !known.contains(arn));
            let named = self.asked.new_of(&TARGET_GROUPS, named);
            self.batches(&TARGET_GROUPS, "TargetGroupArns", &named);
        }
        let tagged = self.asked.new_of(&TAGS, tagged);
        self.batches(&TAGS, "ResourceArns", &tagged);
    }

    fn batches(&mut self, operation: &'static Operation, list: &str, subjects: &[String]) {
        for batch in subjects.chunks(ELB_BATCH) {
            let call = Call::new(operation).list(list, batch.iter().map(String::as_str));
            self.calls.push(call);
        }
    }

    fn classic(&mut self, balancer: &Balancer<'a>) {
        for operation in [&CLASSIC_ATTRIBUTES, &CLASSIC_POLICIES, &CLASSIC_HEALTH] {
            self.one(operation, balancer.name);
        }
        let names = self.asked.new_of(&CLASSIC_TAGS, [balancer.name]);
        self.batches(&CLASSIC_TAGS, "LoadBalancerNames", &names);
    }

    fn metrics(&mut self, balancer: &Balancer<'a>) {
        if !self.asked.first(&METRICS, balancer.id) {
            return;
        }
        let own = of_arn(balancer.id);
        let (namespace, dimension, value, metrics) = match balancer.kind {
            LoadBalancerType::Classic => (
                "AWS/ELB",
                "LoadBalancerName",
                balancer.name,
                CLASSIC_METRICS,
            ),
            LoadBalancerType::Network => (
                "AWS/NetworkELB",
                "LoadBalancer",
                own.as_str(),
                NETWORK_METRICS,
            ),
            _ => (
                "AWS/ApplicationELB",
                "LoadBalancer",
                own.as_str(),
                APPLICATION_METRICS,
            ),
        };
        let mut call = Call::new(&METRICS);
        call.resource = Some(balancer.id.into());
        call.subjects.push(balancer.id.into());
        if let Some((start, end)) = self.scope.metrics {
            call = call
                .with("StartTime", aligned(start))
                .with("EndTime", aligned(end));
        }
        for (at, metric) in metrics.iter().enumerate() {
            let query = format!("MetricDataQueries.member.{}", at + 1);
            let stat = format!("{query}.MetricStat");
            call = call
                .with(format!("{query}.Id"), format!("m{}", at + 1))
                .with(format!("{query}.Label"), *metric)
                .with(format!("{stat}.Metric.Namespace"), namespace)
                .with(format!("{stat}.Metric.MetricName"), *metric)
                .with(format!("{stat}.Metric.Dimensions.member.1.Name"), dimension)
                .with(format!("{stat}.Metric.Dimensions.member.1.Value"), value)
                .with(format!("{stat}.Period"), PERIOD.to_string())
                .with(format!("{stat}.Stat"), "Sum");
        }
        self.calls.push(call);
    }

    fn certificates(&mut self) {
        for arn in named_certificates(self.answers) {
            let Ok(parsed) = arn.parse::<Arn>() else {
                continue;
            };
            if parsed.service == "iam" {
                // server-certificate/PATH/NAME: only the name is asked for.
                let name = parsed.resource.rsplit('/').next().unwrap_or_default();
                if self.asked.first(&SERVER_CERTIFICATE, arn) {
                    self.calls.push(Call::about(&SERVER_CERTIFICATE, arn, name));
                }
            } else if parsed.service == "acm" {
                self.one(&CERTIFICATE, arn);
                if self.scope.probe {
                    self.one(&CERTIFICATE_PEM, arn);
                }
            }
        }
    }

    /// Instances, interfaces, and what guards them.
    fn network(&mut self) {
        let health = self.items(&TARGET_HEALTH, "TargetHealthDescriptions");
        let mut ids = strings(&health, "Target.Id");
        let classic = self.items(&CLASSIC_LOAD_BALANCERS, "LoadBalancerDescriptions");
        ids.extend(strings(&classic, "Instances.InstanceId"));
        let instances: Vec<&str> = ids
            .iter()
            .copied()
            .filter(|id| id.starts_with("i-"))
            .collect();
        let new = self.asked.new_of(&INSTANCES, instances.iter().copied());
        self.filters(&INSTANCES, "instance-id", &new);
        let new = self.asked.new_of(&INTERFACES, instances);
        self.filters(&INTERFACES, "attachment.instance-id", &new);

        let (v4, v6): (Vec<&str>, Vec<&str>) = ids
            .into_iter()
            .filter(|id| id.parse::<IpAddr>().is_ok())
            .partition(|id| id.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv4()));
        let new = self.asked.new_of(&INTERFACES, v4);
        self.filters(&INTERFACES, "addresses.private-ip-address", &new);
        let new = self.asked.new_of(&INTERFACES, v6);
        self.filters(&INTERFACES, "ipv6-addresses.ipv6-address", &new);

        let interfaces = self.items(&INTERFACES, "NetworkInterfaces");
        let reserved = self.items(&INSTANCES, "Reservations");
        let modern = self.items(&LOAD_BALANCERS, "LoadBalancers");

        let mut groups = strings(&modern, "SecurityGroups");
        groups.extend(strings(&classic, "SecurityGroups"));
        groups.extend(strings(&interfaces, "Groups.GroupId"));
        groups.extend(strings(&reserved, "Instances.SecurityGroups.GroupId"));
        let new = self.asked.new_of(&SECURITY_GROUPS, groups);
        self.filters(&SECURITY_GROUPS, "group-id", &new);

        let mut subnets = strings(&modern, "AvailabilityZones.SubnetId");
        subnets.extend(strings(&classic, "Subnets"));
        subnets.extend(strings(&interfaces, "SubnetId"));
        subnets.extend(strings(&reserved, "Instances.SubnetId"));
        let new = self.asked.new_of(&SUBNETS, subnets.iter().copied());
        self.filters(&SUBNETS, "subnet-id", &new);
        let new = self.asked.new_of(&NETWORK_ACLS, subnets);
        self.filters(&NETWORK_ACLS, "association.subnet-id", &new);

        for list in named_prefix_lists(self.answers) {
            self.one(&PREFIX_LIST, list);
        }
    }

    fn filters(&mut self, operation: &'static Operation, filter: &str, values: &[String]) {
        for batch in values.chunks(FILTER_VALUES) {
            let mut call = Call::new(operation).filter(1, filter, batch);
            call.subjects = batch.to_vec();
            self.calls.push(call);
        }
    }

    fn items(&self, operation: &Operation, list: &str) -> Vec<&'a Value> {
        items(self.answers, operation, list)
    }

    fn answered(&self, operation: &Operation) -> bool {
        to(self.answers, operation).next().is_some()
    }
}

/// The load balancers of these answers.
fn balancers(answers: &Answers) -> Vec<Balancer<'_>> {
    let elements = |operation, list: &'static str| {
        answered(answers, operation)
            .filter_map(move |value| value.get(list)?.as_array())
            .flatten()
    };
    let modern = elements(&LOAD_BALANCERS, "LoadBalancers").filter_map(|value| {
        Some(Balancer {
            kind: match text(value, "Type")? {
                "application" => LoadBalancerType::Application,
                "network" => LoadBalancerType::Network,
                _ => return None,
            },
            id: text(value, "LoadBalancerArn")?,
            name: text(value, "LoadBalancerName")?,
            value,
        })
    });
    let classic =
        elements(&CLASSIC_LOAD_BALANCERS, "LoadBalancerDescriptions").filter_map(|value| {
            let name = text(value, "LoadBalancerName")?;
            Some(Balancer {
                kind: LoadBalancerType::Classic,
                id: name,
                name,
                value,
            })
        });
    modern.chain(classic).collect()
}

/// The load balancers' ids (ARN, or a Classic one's name), with their names and DNS names.
pub(super) fn load_balancers(answers: &Answers) -> Vec<(&str, &str, &str)> {
    let mut found = Vec::new();
    for balancer in balancers(answers) {
        let dns = text(balancer.value, "DNSName").unwrap_or_default();
        found.push((balancer.id, balancer.name, dns));
    }
    found
}

/// The target groups that actions of listeners and rules name.
pub(super) fn named_target_groups(answers: &Answers) -> Vec<&str> {
    let listeners = items(answers, &LISTENERS, "Listeners");
    let rules = items(answers, &RULES, "Rules");
    let mut named = strings(&listeners, "DefaultActions.TargetGroupArn");
    named.extend(strings(
        &listeners,
        "DefaultActions.ForwardConfig.TargetGroups.TargetGroupArn",
    ));
    named.extend(strings(&rules, "Actions.TargetGroupArn"));
    named.extend(strings(
        &rules,
        "Actions.ForwardConfig.TargetGroups.TargetGroupArn",
    ));
    named
}

fn named_certificates(answers: &Answers) -> Vec<&str> {
    let listeners = items(answers, &LISTENERS, "Listeners");
    let further = items(answers, &LISTENER_CERTIFICATES, "Certificates");
    let classic = items(answers, &CLASSIC_LOAD_BALANCERS, "LoadBalancerDescriptions");
    let mut arns = strings(&listeners, "Certificates.CertificateArn");
    arns.extend(strings(&further, "CertificateArn"));
    arns.extend(strings(
        &classic,
        "ListenerDescriptions.Listener.SSLCertificateId",
    ));
    arns
}

fn named_prefix_lists(answers: &Answers) -> Vec<&str> {
    let groups = items(answers, &SECURITY_GROUPS, "SecurityGroups");
    let mut lists = strings(&groups, "IpPermissions.PrefixListIds.PrefixListId");
    lists.extend(strings(
        &groups,
        "IpPermissionsEgress.PrefixListIds.PrefixListId",
    ));
    lists
}

/// What an answer to this operation can be about, each once.
pub(super) fn candidates(answers: &Answers, operation: &Operation) -> Vec<String> {
    let all: Vec<&str> = match operation.about {
        About::Itself => Vec::new(),
        About::LoadBalancer(_) => {
            let of_type = |balancer: &Balancer<'_>| {
                operation.types.is_empty() || operation.types.contains(&balancer.kind)
            };
            let ids = balancers(answers).into_iter().filter(of_type);
            ids.map(|balancer| balancer.id).collect()
        }
        About::One("ListenerArn") => {
            strings(&items(answers, &LISTENERS, "Listeners"), "ListenerArn")
        }
        About::One("TargetGroupArn") => strings(
            &items(answers, &TARGET_GROUPS, "TargetGroups"),
            "TargetGroupArn",
        ),
        About::One("PrefixListId") => named_prefix_lists(answers),
        About::One(_) => {
            let of_service = |arn: &&str| {
                let arn = arn.parse::<Arn>();
                arn.is_ok_and(|arn| arn.service == operation.service.iam())
            };
            let arns = named_certificates(answers).into_iter();
            arns.filter(of_service).collect()
        }
    };
    let distinct: BTreeSet<&str> = all.into_iter().collect();
    distinct.into_iter().map(str::to_owned).collect()
}

/// The elements of this list in every answer to the operation.
fn items<'a>(answers: &'a Answers, operation: &Operation, list: &str) -> Vec<&'a Value> {
    answered(answers, operation)
        .filter_map(|value| value.get(list)?.as_array())
        .flatten()
        .collect()
}

fn to<'a>(answers: &'a Answers, operation: &Operation) -> impl Iterator<Item = &'a Answer> {
    let (action, classic) = (operation.action(), operation.is_classic());
    let wanted = move |answer: &&Answer| answer.classic == classic && answer.action == action;
    answers.all.iter().filter(wanted)
}

fn answered<'a>(answers: &'a Answers, operation: &Operation) -> impl Iterator<Item = &'a Value> {
    to(answers, operation).filter_map(|answer| answer.outcome.as_ref().ok())
}

fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member)?.as_str()
}

/// The strings at this path, through every list on the way.
fn strings<'a>(values: &[&'a Value], path: &str) -> Vec<&'a str> {
    let mut level: Vec<&Value> = values.to_vec();
    for member in path.split('.') {
        level = level
            .into_iter()
            .filter_map(|value| value.get(member))
            .flat_map(|value| match value {
                Value::Array(items) => items.iter().collect(),
                other => vec![other],
            })
            .collect();
    }
    level.into_iter().filter_map(Value::as_str).collect()
}

/// `app/NAME/ID` of a load balancer's ARN.
fn of_arn(arn: &str) -> String {
    arn.parse()
        .map_or_else(|_| arn.to_owned(), |arn: Arn| arn.name().to_owned())
}

/// To the whole period, as CloudWatch answers fastest; in RFC 3339.
fn aligned(time: OffsetDateTime) -> String {
    let period = i64::from(PERIOD);
    let seconds = time.unix_timestamp().div_euclid(period) * period;
    OffsetDateTime::from_unix_timestamp(seconds)
        .unwrap_or(time)
        .format(&Rfc3339)
        .unwrap_or_default()
}
