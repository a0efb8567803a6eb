//! What is probed at the targets: each port that the load balancer sends something to, asked as it asks. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use gladhand_probes::aws::inventory::{
    Action, Condition, Listener, LoadBalancerType, Target as AwsTarget, TargetGroup,
};
use gladhand_probes::aws::policy::backend_policy;
use gladhand_probes::settings::{
    BalancerClient, BalancerKind, HealthCheck, ServerName, Settings, TargetHttp,
    TargetProtocolVersion, TargetRequest, check_path,
};
use gladhand_probes::target::Target;

use super::{Ask, Plan, listeners, only, shared};
use crate::checks::aws::group_subject;
use crate::report::model::{Purpose, Role};
use crate::run::Job;

/// What a load balancer meets at a target; nothing that only other clients would.
pub(super) const AT_A_TARGET: &[&str] = &[
    "reach",
    "handshake",
    "client_auth",
    "certificate",
    "backend",
    "target_response",
    "keep_alive",
];

/// What else is worth knowing where a balancer's hello may fail: what the target would have taken.
pub(super) const OF_TLS: &[&str] = &["versions", "suites"];

/// A target may take as long as the load balancer waits, for the connection and for the handshake.
const DEADLINE: Duration = Duration::from_secs(60);

/// Ports of targets that are probed at most: several times the quota of targets that a load balancer has.
/// An audit of somebody else's answers must not become a scan of a network.
const MOST_PORTS: usize = 10_000;

/// Why the targets of a group are not probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unprobed {
    /// Lambda functions: nothing to connect to.
    Lambda,
    /// A load balancer: an audit of its own.
    LoadBalancer,
    /// UDP, QUIC or GENEVE: no TLS over TCP.
    Protocol,
}

impl Unprobed {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Lambda => "not probed: a Lambda function takes no connection",
            Self::LoadBalancer => "not probed: a load balancer has an audit of its own",
            Self::Protocol => "not probed: no TLS over TCP",
        }
    }
}

/// Why nothing is probed at a group's targets; none where they can be.
pub fn unprobed(group: &TargetGroup) -> Option<Unprobed> {
    match group.target_type.as_str() {
        "lambda" => return Some(Unprobed::Lambda),
        "alb" => return Some(Unprobed::LoadBalancer),
        _ => {}
    }
    match group.protocol.as_deref() {
        Some("HTTP" | "HTTPS" | "TCP" | "TLS" | "SSL" | "TCP_UDP") => None,
        _ => Some(Unprobed::Protocol),
    }
}

/// Adds the targets' jobs.
pub(super) fn plan(ask: &Ask<'_>, plan: &mut Plan) {
    let groups = ask.inventory.target_groups.read().into_iter().flatten();
    let arn = ask.balancer.arn.as_str();
    let before = plan.jobs.len();
    let mut left = 0;
    for group in groups.filter(|group| group.load_balancer_arns.iter().any(|used| used == arn)) {
        if unprobed(group).is_some() {
            continue;
        }
        if plan.jobs.len() - before < MOST_PORTS {
            of_group(ask, group, plan);
        } else {
            left += 1;
        }
    }
    let over = (plan.jobs.len() - before).saturating_sub(MOST_PORTS);
    if over > 0 || left > 0 {
        plan.jobs.truncate(before + MOST_PORTS);
        let reason = format!(
            "more than {MOST_PORTS} ports: {over} further ones and {left} target groups are not asked"
        );
        plan.gap(ask.balancer.arn.clone(), "targets", reason);
    }
}

fn of_group(ask: &Ask<'_>, group: &TargetGroup, plan: &mut Plan) {
    let mut unknown = BTreeSet::new();
    let mut without_address = 0_usize;
    let mut refused: BTreeMap<&str, BTreeSet<IpAddr>> = BTreeMap::new();
    // The same for every target: made once, however many there are.
    let (traffic, check) = (traffic(group), health_check(group));
    let of_traffic = shared(target_settings(ask, group, Purpose::Traffic, traffic));
    let of_check = shared(target_settings(ask, group, Purpose::HealthCheck, check));
    for target in group.targets.read().into_iter().flatten() {
        let (Some(ip), Some(port)) = (target.address, target.port.or(group.port)) else {
            without_address += 1;
            unknown.extend(target.address_unknown.clone());
            continue;
        };
        if let Some(why) = ask.nodes.refuses(ip) {
            refused.entry(why).or_default().insert(ip);
            continue;
        }
        let mut add = |port: u16, purpose: Purpose, settings: &Arc<Settings>| {
            let at = SocketAddr::new(ip, port);
            plan.jobs
                .extend(job(ask, group, target, at, purpose, settings));
        };
        add(port, Purpose::Traffic, &of_traffic);
        let check_port = target.health_check_port.unwrap_or(port);
        if group.health_check.enabled && (check_port != port || !check.goes_with(traffic)) {
            add(check_port, Purpose::HealthCheck, &of_check);
        }
    }
    for (why, addresses) in refused {
        let mut named: Vec<String> = addresses.iter().take(3).map(IpAddr::to_string).collect();
        if addresses.len() > named.len() {
            named.push(format!("{} more", addresses.len() - named.len()));
        }
        let reason = format!("{} not contacted: {why}", named.join(", "));
        plan.gap(group_subject(group), "targets", reason);
    }
    if without_address > 0 {
        let why = match unknown.len() {
            0 => "the answers do not tell it".into(),
            _ => unknown.into_iter().collect::<Vec<_>>().join("; "),
        };
        let reason = format!("the address of {without_address} of its targets is not known: {why}");
        plan.gap(group_subject(group), "targets", reason);
    }
}

/// What the load balancer speaks with a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    Tls,
    Http,
    /// It only connects, or passes on whatever comes.
    Tcp,
}

impl Speaks {
    /// Whether a probe of that traffic shows what a check of this kind would.
    fn goes_with(self, traffic: Self) -> bool {
        self == traffic || self == Self::Tcp
    }
}

fn speaks(protocol: Option<&str>) -> Speaks {
    match protocol {
        Some("HTTPS" | "TLS" | "SSL") => Speaks::Tls,
        Some("HTTP") => Speaks::Http,
        _ => Speaks::Tcp,
    }
}

fn traffic(group: &TargetGroup) -> Speaks {
    speaks(group.protocol.as_deref())
}

fn health_check(group: &TargetGroup) -> Speaks {
    match group.health_check.protocol.as_deref() {
        None => traffic(group),
        told => speaks(told),
    }
}

fn job(
    ask: &Ask<'_>,
    group: &TargetGroup,
    target: &AwsTarget,
    at: SocketAddr,
    purpose: Purpose,
    settings: &Arc<Settings>,
) -> Option<Job> {
    if settings.selection.is_empty() {
        return None;
    }
    let speaks = match purpose {
        Purpose::Traffic => traffic(group),
        Purpose::HealthCheck => health_check(group),
    };
    let scheme = if speaks == Speaks::Http {
        "http"
    } else {
        "tls"
    };
    Some(Job {
        target: format!("{scheme}://{at}").parse::<Target>().ok()?,
        settings: Arc::clone(settings),
        range: None,
        mozilla: None,
        role: Some(Role::Target {
            load_balancer: ask.balancer.arn.clone(),
            target_group: group.arn.clone(),
            id: target.id.clone(),
            port: target.port.or(group.port)?,
            purpose,
        }),
    })
}

/// How a target is asked: as the load balancer asks it, without a server name and without a certificate.
pub(crate) fn target_settings(
    ask: &Ask<'_>,
    group: &TargetGroup,
    purpose: Purpose,
    speaks: Speaks,
) -> Settings {
    let mut settings = ask.settings.clone();
    settings.connect = None;
    settings.addresses = None;
    settings.sni = ServerName::None;
    settings.client_identity = None;
    settings.deadline = settings.deadline.max(DEADLINE);
    settings.revocation = false;
    settings.fetch_issuers = false;
    settings.selection = match speaks {
        Speaks::Tls => only(&settings.selection, &[AT_A_TARGET, OF_TLS].concat()),
        Speaks::Http => only(&settings.selection, AT_A_TARGET),
        Speaks::Tcp => only(&settings.selection, &["reach"]),
    };
    settings.client = Some(client(ask));
    settings.target_http = target_http(ask, group, purpose);
    settings
}

/// The load balancer as a client. What a Classic one offers its instances is not documented.
fn client(ask: &Ask<'_>) -> BalancerClient {
    let kind = match ask.balancer.kind {
        LoadBalancerType::Network => BalancerKind::Nlb,
        _ => BalancerKind::Alb,
    };
    BalancerClient::new(kind, backend_policy(ask.balancer))
}

/// What goes to a port over HTTP; none where nothing does, as far as the load balancer knows.
fn target_http(ask: &Ask<'_>, group: &TargetGroup, purpose: Purpose) -> Option<TargetHttp> {
    let protocol_version = TargetProtocolVersion::ALL
        .into_iter()
        .find(|version| group.protocol_version.as_deref() == Some(version.name()))
        .unwrap_or_default();
    let checked = group.health_check.enabled
        && matches!(
            group.health_check.protocol.as_deref(),
            Some("HTTP" | "HTTPS")
        );
    // A check of another protocol, or on another port, is a question of its own.
    let here = match purpose {
        Purpose::HealthCheck => true,
        Purpose::Traffic => health_check(group) == traffic(group) && !has_a_port_of_its_own(group),
    };
    let health_check = (checked && here).then(|| {
        let usual = HealthCheck::usual(protocol_version);
        let path = group.health_check.path.clone();
        let matcher = group.health_check.matcher.as_deref();
        HealthCheck {
            path: path
                .filter(|path| check_path(path).is_ok())
                .unwrap_or(usual.path),
            matcher: matcher
                .and_then(|codes| codes.parse().ok())
                .unwrap_or(usual.matcher),
        }
    });
    let is_http = matches!(group.protocol.as_deref(), Some("HTTP" | "HTTPS"));
    let request = (is_http && purpose == Purpose::Traffic).then(|| {
        let Request { host, path } = request(ask, group);
        let mut listeners = ask.balancer.listeners.read().into_iter().flatten();
        TargetRequest {
            host,
            path: Some(path),
            https: listeners.any(Listener::has_tls),
        }
    });
    if health_check.is_none() && request.is_none() {
        return None;
    }
    Some(TargetHttp {
        protocol_version,
        idle_timeout: request
            .as_ref()
            .filter(|_| ask.keep_alive)
            .and_then(|_| ask.balancer.idle_timeout())
            .map(|seconds| Duration::from_secs(seconds.into())),
        health_check,
        request,
    })
}

fn has_a_port_of_its_own(group: &TargetGroup) -> bool {
    let targets = group.targets.read().into_iter().flatten();
    targets.into_iter().any(|target| {
        let traffic = target.port.or(group.port);
        target
            .health_check_port
            .is_some_and(|port| Some(port) != traffic)
    })
}

/// A request that the load balancer would send to a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// What `Host` says; none where nothing tells a name.
    pub(crate) host: Option<String>,
    /// The path.
    pub(crate) path: String,
}

/// What a client would have asked for, for the request to be sent to this group: what the user gives goes
/// before what rules tell.
pub(crate) fn request(ask: &Ask<'_>, group: &TargetGroup) -> Request {
    let listeners = ask.balancer.listeners.read().into_iter().flatten();
    let routed = listeners.flat_map(|listener: &Listener| {
        let rules = listener.rules.read().into_iter().flatten();
        rules
            .filter(|rule| leads_to(&rule.actions, group))
            .map(|rule| (host(&rule.conditions), path(&rule.conditions)))
    });
    let (rule_host, rule_path) = routed
        .max_by_key(|(host, path)| (host.is_some(), path.is_some()))
        .unwrap_or_default();
    let given = &ask.settings.http;
    Request {
        host: given
            .host
            .clone()
            .or(rule_host)
            .or_else(|| listeners::first_name(ask.inventory, ask.balancer)),
        path: match rule_path {
            Some(path) if !ask.path_given => path,
            _ => given.path.clone(),
        },
    }
}

fn leads_to(actions: &[Action], group: &TargetGroup) -> bool {
    let mut groups = actions.iter().flat_map(|action| &action.target_groups);
    groups.any(|weighted| weighted.target_group_arn == group.arn)
}

fn values<'a>(conditions: &'a [Condition], field: &'a str) -> impl Iterator<Item = &'a str> {
    let of_field = conditions
        .iter()
        .filter(move |condition| condition.field == field);
    of_field.flat_map(|condition| condition.values.iter().map(String::as_str))
}

fn host(conditions: &[Condition]) -> Option<String> {
    values(conditions, "host-header").find_map(|value| {
        let host = value.replace("*.", "www.");
        let sound =
            !host.contains(['*', '?']) && gladhand_probes::settings::check_host(&host).is_ok();
        sound.then_some(host)
    })
}

/// A path that a pattern stands for: what `*` and `?` are left out of.
fn path(conditions: &[Condition]) -> Option<String> {
    values(conditions, "path-pattern").find_map(|pattern| {
        let path = pattern.replace(['*', '?'], "");
        let sound = check_path(&path).is_ok();
        sound.then_some(path)
    })
}

/// An address with its port, as a target is called.
pub(crate) fn at(ip: IpAddr, port: u16) -> String {
    SocketAddr::new(ip, port).to_string()
}
