//! Application, Network and Gateway Load Balancers: listeners, rules, actions.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::json::{address, at, clipped, each, flag, int, list, pairs, text, texts};
use super::{Operation, Reader, Subject, needed, optional, section};
use crate::aws::Arn;
use crate::aws::answers::{Answer, Refusal};
use crate::aws::inventory::{
    Action, Condition, Listener, LoadBalancer, LoadBalancerType, MutualAuthentication, Redirect,
    Rule, Section, SslPolicy, TrustStore, Weighted, Zone,
};

const LISTENERS: Operation = needed("elasticloadbalancing:DescribeListeners");
const RULES: Operation = needed("elasticloadbalancing:DescribeRules");

impl Reader<'_> {
    pub(super) fn load_balancers(&mut self) -> Vec<LoadBalancer> {
        let key = ("elasticloadbalancing:DescribeLoadBalancers", false);
        if !self.answers.contains_key(&key) {
            // A Classic one was asked for, perhaps.
            return Vec::new();
        }
        let bodies = self.all(needed(key.0), "load balancers");
        let mut known = BTreeSet::new();
        let mut all = Vec::new();
        for body in bodies.unwrap_or_default() {
            for one in list(body, "LoadBalancers") {
                let balancer = load_balancer(one);
                if self.is_wanted(&balancer) && known.insert(balancer.arn.clone()) {
                    all.push(balancer);
                }
            }
        }
        for balancer in &mut all {
            self.complete(balancer);
        }
        all
    }

    /// What other answers tell of a load balancer.
    fn complete(&mut self, balancer: &mut LoadBalancer) {
        let (arn, name) = (balancer.arn.clone(), balancer.name.clone());
        let subject = Subject::new(name.clone(), &arn, &name);
        let operation = needed("elasticloadbalancing:DescribeLoadBalancerAttributes");
        balancer.attributes = section(self.about(operation, &subject), attributes);
        balancer.tags = self.tags(false, &subject, |one| {
            text(one, "ResourceArn").as_deref() == Some(&arn)
        });
        balancer.web_acl = self.web_acl(balancer.kind, &subject);
        balancer.metrics = self.metrics(&subject);
        balancer.listeners = self.listeners(balancer.kind, &subject);
    }

    /// Tags tell whose they are.
    pub(super) fn tags(
        &mut self,
        classic: bool,
        subject: &Subject<'_>,
        is_own: impl Fn(&Value) -> bool,
    ) -> Section<BTreeMap<String, String>> {
        let operation = Operation {
            classic,
            ..optional("elasticloadbalancing:DescribeTags")
        };
        let bodies = match self.all(operation, &subject.shown) {
            Ok(bodies) => bodies,
            Err(why) => return Section::NotRead(why),
        };
        let own = bodies
            .into_iter()
            .flat_map(|body| list(body, "TagDescriptions"))
            .find(|one| is_own(one));
        match own {
            Some(own) => Section::Read(pairs(own, "Tags")),
            None => Section::NotRead(self.not_read(operation, &subject.shown, None)),
        }
    }

    fn web_acl(
        &mut self,
        kind: LoadBalancerType,
        subject: &Subject<'_>,
    ) -> Section<Option<String>> {
        if kind != LoadBalancerType::Application {
            return Section::Read(None);
        }
        let bodies = self.about(optional("wafv2:GetWebACLForResource"), subject);
        section(bodies, |bodies| {
            let mut acls = bodies.into_iter().map(|body| at(body, "WebACL"));
            acls.find_map(|acl| text(acl, "ARN").or_else(|| text(acl, "Name")))
        })
    }

    /// The sum of each metric over everything that was asked for.
    pub(super) fn metrics(&mut self, subject: &Subject<'_>) -> Section<BTreeMap<String, f64>> {
        let operation = optional("cloudwatch:GetMetricData");
        let bodies = match self.about(operation, subject) {
            Ok(bodies) => bodies,
            Err(why) => {
                // Asked for one load balancer only, nobody has to say which.
                let unnamed = self.unnamed(operation.action, false);
                let bodies: Vec<_> = unnamed
                    .filter_map(|answer| answer.outcome.as_ref().ok())
                    .collect();
                if self.wanted.is_none() || bodies.is_empty() {
                    return Section::NotRead(why);
                }
                bodies
            }
        };
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        for one in bodies
            .into_iter()
            .flat_map(|body| list(body, "MetricDataResults"))
        {
            let label = text(one, "Label").or_else(|| text(one, "Id"));
            // With dimensions, it is the last word.
            let name = label.and_then(|label| label.split_whitespace().last().map(str::to_owned));
            let Some(name) = name else { continue };
            let status = text(one, "StatusCode");
            if let Some("Forbidden" | "InternalError") = status.as_deref() {
                let refusal = Refusal {
                    code: status.unwrap_or_default(),
                    message: name,
                };
                self.not_read(operation, &subject.shown, Some(&refusal));
                continue;
            }
            let values = list(one, "Values").filter_map(Value::as_f64);
            let sum = sums.get(&name).copied().unwrap_or_default() + values.sum::<f64>();
            if sum.is_finite() {
                sums.insert(name, sum);
            }
        }
        Section::Read(sums)
    }

    fn listeners(
        &mut self,
        kind: LoadBalancerType,
        balancer: &Subject<'_>,
    ) -> Section<Vec<Listener>> {
        let is_own = |one: &Value| text(one, "LoadBalancerArn").as_deref() == Some(balancer.arn);
        let own = match self.elements(LISTENERS, balancer, "Listeners", is_own) {
            Ok(own) => own,
            Err(why) => return Section::NotRead(why),
        };
        let mut known = BTreeSet::new();
        let mut all: Vec<Listener> = own
            .into_iter()
            .map(listener)
            .filter(|listener| known.insert(listener.arn.clone()))
            .collect();
        all.sort_by_key(|listener| listener.port);
        for listener in &mut all {
            self.complete_listener(kind, listener);
        }
        Section::Read(all)
    }

    fn complete_listener(&mut self, kind: LoadBalancerType, listener: &mut Listener) {
        let arn = listener.arn.clone();
        let shown = format!("listener {}:{}", listener.protocol, listener.port);
        let subject = Subject::new(shown, &arn, "");
        let operation = needed("elasticloadbalancing:DescribeListenerAttributes");
        listener.attributes = section(self.about(operation, &subject), attributes);
        listener.certificates = if listener.has_tls() {
            let operation = needed("elasticloadbalancing:DescribeListenerCertificates");
            let bodies = self.about(operation, &subject);
            section(bodies, |bodies| further_certificates(listener, bodies))
        } else {
            Section::Read(Vec::new())
        };
        listener.rules = self.rules(kind, &subject);
    }

    fn rules(&mut self, kind: LoadBalancerType, listener: &Subject<'_>) -> Section<Vec<Rule>> {
        if kind != LoadBalancerType::Application {
            // Others have the default action alone.
            return Section::Read(Vec::new());
        }
        // `listener-rule/app/NAME/BALANCER/LISTENER/RULE`
        let prefix = listener.arn.replacen(":listener/", ":listener-rule/", 1) + "/";
        let is_own = |one: &Value| text(one, "RuleArn").is_some_and(|arn| arn.starts_with(&prefix));
        let own = match self.elements(RULES, listener, "Rules", is_own) {
            Ok(own) => own,
            Err(why) => return Section::NotRead(why),
        };
        let is_default = |one: &&Value| {
            flag(one, "IsDefault") == Some(true)
                || text(one, "Priority").as_deref() == Some("default")
        };
        let mut all: Vec<Rule> = own
            .into_iter()
            .filter(|one| !is_default(one))
            .map(rule)
            .collect();
        all.sort_by_key(|rule| rule.priority);
        all.dedup_by(|a, b| a == b);
        Section::Read(all)
    }

    pub(super) fn ssl_policies(&mut self) -> Section<Vec<SslPolicy>> {
        let operation = optional("elasticloadbalancing:DescribeSSLPolicies");
        let key = (operation.action, false);
        let answers = self.answers.get(&key).cloned().unwrap_or_default();
        let answered = answers.iter().any(|answer| answer.outcome.is_ok());
        if answered {
            // Asked again, without the name that AWS does not know: nothing is missing.
            let is_left = |answer: &&Answer| !matches!(&answer.outcome, Err(refusal) if refusal.code == "SSLPolicyNotFound");
            let left = answers.into_iter().filter(is_left).collect();
            self.answers.insert(key, left);
        }
        let bodies = self.all(operation, "security policies");
        section(bodies, |bodies| {
            let all = bodies
                .into_iter()
                .flat_map(|body| list(body, "SslPolicies"));
            let mut known = BTreeSet::new();
            all.map(ssl_policy)
                .filter(|policy| known.insert(policy.name.clone()))
                .collect()
        })
    }

    pub(super) fn trust_stores(
        &mut self,
        load_balancers: &[LoadBalancer],
    ) -> Section<Vec<TrustStore>> {
        let listeners = load_balancers
            .iter()
            .flat_map(|balancer| balancer.listeners.read().into_iter().flatten());
        let used: BTreeSet<&str> = listeners
            .filter_map(|listener| listener.mutual_authentication.as_ref())
            .filter_map(|mutual| mutual.trust_store_arn.as_deref())
            .collect();
        if used.is_empty() {
            return Section::Read(Vec::new());
        }
        let operation = needed("elasticloadbalancing:DescribeTrustStores");
        let bodies = match self.all(operation, "trust stores") {
            Ok(bodies) => bodies,
            Err(why) => return Section::NotRead(why),
        };
        let revoked = self.revoked_entries();
        let all = bodies
            .into_iter()
            .flat_map(|body| list(body, "TrustStores"));
        let all = all.map(|one| {
            let arn = text(one, "TrustStoreArn").unwrap_or_default();
            TrustStore {
                name: text(one, "Name").unwrap_or_default(),
                status: text(one, "Status").unwrap_or_default(),
                ca_certificates: int(one, "NumberOfCaCertificates"),
                revoked_entries: int(one, "TotalRevokedEntries")
                    .or_else(|| revoked.get(&arn).copied()),
                arn,
            }
        });
        let mut known = BTreeSet::new();
        Section::Read(
            all.filter(|store| used.contains(store.arn.as_str()))
                .filter(|store| known.insert(store.arn.clone()))
                .collect(),
        )
    }

    fn revoked_entries(&mut self) -> HashMap<String, u64> {
        let operation = optional("elasticloadbalancing:DescribeTrustStoreRevocations");
        let bodies = self.all(operation, "trust stores").unwrap_or_default();
        let mut sums: HashMap<String, u64> = HashMap::new();
        for one in bodies
            .into_iter()
            .flat_map(|body| list(body, "TrustStoreRevocations"))
        {
            let arn = text(one, "TrustStoreArn").unwrap_or_default();
            let sum = sums.entry(arn).or_default();
            *sum = sum.saturating_add(int(one, "NumberOfRevokedEntries").unwrap_or_default());
        }
        sums
    }
}

pub(super) fn attributes(bodies: Vec<&Value>) -> BTreeMap<String, String> {
    let all = bodies
        .into_iter()
        .flat_map(|body| pairs(body, "Attributes"));
    all.collect()
}

fn load_balancer(one: &Value) -> LoadBalancer {
    let arn = text(one, "LoadBalancerArn").unwrap_or_default();
    let kind = match text(one, "Type").as_deref() {
        Some("application") => LoadBalancerType::Application,
        Some("network") => LoadBalancerType::Network,
        Some("gateway") => LoadBalancerType::Gateway,
        _ => kind_of(&arn),
    };
    let state = at(one, "State");
    LoadBalancer {
        name: text(one, "LoadBalancerName").unwrap_or_default(),
        dns_name: text(one, "DNSName").unwrap_or_default(),
        kind,
        scheme: text(one, "Scheme").unwrap_or_default(),
        state: text(state, "Code"),
        state_reason: text(state, "Reason"),
        ip_address_type: text(one, "IpAddressType"),
        vpc_id: text(one, "VpcId"),
        zones: list(one, "AvailabilityZones").map(zone).collect(),
        security_groups: texts(one, "SecurityGroups"),
        arn,
        ..LoadBalancer::default()
    }
}

/// `loadbalancer/app/…`, `net`, `gwy`.
fn kind_of(arn: &str) -> LoadBalancerType {
    let arn = arn.parse::<Arn>().ok();
    let name = arn.as_ref().map(Arn::name).unwrap_or_default();
    match name.split('/').next() {
        Some("net") => LoadBalancerType::Network,
        Some("gwy") => LoadBalancerType::Gateway,
        _ => LoadBalancerType::Application,
    }
}

fn zone(one: &Value) -> Zone {
    let addresses = list(one, "LoadBalancerAddresses").flat_map(|node| {
        ["IpAddress", "PrivateIPv4Address", "IPv6Address"]
            .into_iter()
            .filter_map(|key| address(node, key))
    });
    Zone {
        name: text(one, "ZoneName").unwrap_or_default(),
        subnet_id: text(one, "SubnetId"),
        addresses: addresses.collect(),
    }
}

fn listener(one: &Value) -> Listener {
    let mut listener = Listener {
        arn: text(one, "ListenerArn").unwrap_or_default(),
        protocol: text(one, "Protocol").unwrap_or_default(),
        port: int(one, "Port").unwrap_or_default(),
        alpn_policy: texts(one, "AlpnPolicy"),
        mutual_authentication: mutual_authentication(at(one, "MutualAuthentication")),
        default_actions: actions(one, "DefaultActions"),
        ..Listener::default()
    };
    // Stand-ins give a policy to every listener.
    if listener.has_tls() {
        listener.ssl_policy = text(one, "SslPolicy");
        let named = each(one, "Certificates", "CertificateArn");
        listener.default_certificate = named.into_iter().next();
    }
    listener
}

/// All but the default one; which one that is, is said here again.
fn further_certificates(listener: &mut Listener, bodies: Vec<&Value>) -> Vec<String> {
    let mut all = Vec::new();
    for one in bodies
        .into_iter()
        .flat_map(|body| list(body, "Certificates"))
    {
        let Some(arn) = text(one, "CertificateArn") else {
            continue;
        };
        if flag(one, "IsDefault") == Some(true) {
            listener.default_certificate.get_or_insert(arn);
        } else if !all.contains(&arn) {
            all.push(arn);
        }
    }
    all.retain(|arn| listener.default_certificate.as_ref() != Some(arn));
    all
}

fn mutual_authentication(one: &Value) -> Option<MutualAuthentication> {
    Some(MutualAuthentication {
        mode: text(one, "Mode")?,
        trust_store_arn: text(one, "TrustStoreArn"),
        trust_store_association_status: text(one, "TrustStoreAssociationStatus"),
        ignore_client_certificate_expiry: flag(one, "IgnoreClientCertificateExpiry"),
        advertise_trust_store_ca_names: text(one, "AdvertiseTrustStoreCaNames"),
    })
}

fn rule(one: &Value) -> Rule {
    Rule {
        arn: text(one, "RuleArn").unwrap_or_default(),
        priority: int(one, "Priority").unwrap_or(u32::MAX),
        conditions: list(one, "Conditions").map(condition).collect(),
        actions: actions(one, "Actions"),
        rewrites: list(one, "Transforms").next().is_some(),
    }
}

fn condition(one: &Value) -> Condition {
    let field = text(one, "Field").unwrap_or_default();
    let config = at(
        one,
        match field.as_str() {
            "host-header" => "HostHeaderConfig",
            "path-pattern" => "PathPatternConfig",
            "http-header" => "HttpHeaderConfig",
            "query-string" => "QueryStringConfig",
            "http-request-method" => "HttpRequestMethodConfig",
            "source-ip" => "SourceIpConfig",
            _ => "",
        },
    );
    let mut values = if field == "query-string" {
        list(config, "Values").filter_map(query).collect()
    } else {
        texts(config, "Values")
    };
    if values.is_empty() {
        values = texts(one, "Values");
    }
    let mut regex_values = texts(config, "RegexValues");
    if regex_values.is_empty() {
        regex_values = texts(one, "RegexValues");
    }
    Condition {
        field,
        values,
        regex_values,
        header: text(config, "HttpHeaderName"),
    }
}

fn query(one: &Value) -> Option<String> {
    let value = text(one, "Value")?;
    Some(match text(one, "Key") {
        Some(key) => format!("{key}={value}"),
        None => value,
    })
}

fn actions(one: &Value, key: &str) -> Vec<Action> {
    let mut all: Vec<&Value> = list(one, key).collect();
    all.sort_by_key(|action| int::<u32>(action, "Order").unwrap_or(u32::MAX));
    all.into_iter().map(action).collect()
}

fn action(one: &Value) -> Action {
    let forward = at(one, "ForwardConfig");
    let weighted = |group: &Value| {
        Some(Weighted {
            target_group_arn: text(group, "TargetGroupArn")?,
            weight: int(group, "Weight").unwrap_or(1),
        })
    };
    let mut target_groups: Vec<Weighted> =
        list(forward, "TargetGroups").filter_map(weighted).collect();
    if target_groups.is_empty() {
        target_groups.extend(weighted(one));
    }
    let stickiness = at(forward, "TargetGroupStickinessConfig");
    let redirect_to = at(one, "RedirectConfig");
    Action {
        kind: text(one, "Type").unwrap_or_default(),
        target_groups,
        sticky: flag(stickiness, "Enabled") == Some(true),
        redirect: redirect_to.is_object().then(|| redirect(redirect_to)),
        status_code: text(at(one, "FixedResponseConfig"), "StatusCode"),
    }
}

/// What a redirect leaves out stays as it was in the request (`RedirectActionConfig` of the API).
fn redirect(one: &Value) -> Redirect {
    // An empty query is one, too: none.
    let part = |key, same: &str| clipped(at(one, key).as_str().unwrap_or(same));
    Redirect {
        protocol: part("Protocol", "#{protocol}"),
        port: part("Port", "#{port}"),
        host: part("Host", "#{host}"),
        path: part("Path", "/#{path}"),
        query: part("Query", "#{query}"),
        status_code: part("StatusCode", ""),
    }
}

fn ssl_policy(one: &Value) -> SslPolicy {
    let mut ciphers: Vec<(u32, String)> = list(one, "Ciphers")
        .filter_map(|cipher| {
            let priority = int(cipher, "Priority").unwrap_or(u32::MAX);
            Some((priority, text(cipher, "Name")?))
        })
        .collect();
    ciphers.sort_by_key(|(priority, _)| *priority);
    SslPolicy {
        name: text(one, "Name").unwrap_or_default(),
        protocols: texts(one, "SslProtocols"),
        ciphers: ciphers.into_iter().map(|(_, name)| name).collect(),
        load_balancer_types: texts(one, "SupportedLoadBalancerTypes"),
    }
}
