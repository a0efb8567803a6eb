//! What is probed at the listeners: every address, with every server name that is known. Pure.

use std::net::SocketAddr;

use gladhand_probes::aws::Inventory;
use gladhand_probes::aws::inventory::{Listener, LoadBalancer};
use gladhand_probes::settings::{ServerName, Settings};
use gladhand_probes::target::Target;

use super::{Ask, Plan, only, server_names, shared, without};
use crate::checks::aws::listener_subject;
use crate::report::model::Role;
use crate::run::Job;

/// What each further server name is asked: which certificate it gets, and whether a handshake completes.
const OF_A_NAME: &[&str] = &["reach", "handshake", "certificate", "verification"];

/// Ports that speak TLS from the first octet on, by IANA's registry or by custom: a listener that passes TCP
/// through is asked for the TLS of its targets there.
const TLS_PORTS: &[u16] = &[
    443, 465, 636, 853, 989, 990, 992, 993, 994, 995, 5061, 5671, 6443, 6697, 8443, 8883, 9443,
];

/// Names of listeners that are asked for at most: several times the quota of listeners, with all their names.
const MOST: usize = 2_000;

/// What clients meet at a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaks {
    Tls,
    /// The targets' TLS, passed through.
    TlsOfTargets,
    Http,
    /// Nothing that can be asked.
    Other,
}

fn speaks(listener: &Listener) -> Speaks {
    match listener.protocol.as_str() {
        _ if listener.has_tls() => Speaks::Tls,
        "HTTP" => Speaks::Http,
        "TCP" | "TCP_UDP" if TLS_PORTS.contains(&listener.port) => Speaks::TlsOfTargets,
        _ => Speaks::Other,
    }
}

/// Adds the listeners' jobs.
pub(super) fn plan(ask: &Ask<'_>, plan: &mut Plan) {
    let listeners = ask.balancer.listeners.read().into_iter().flatten();
    // The redirect of an HTTP listener shows in the answer to the host that has TLS elsewhere, too.
    let ports: Vec<u16> = listeners
        .clone()
        .filter(|listener| listener.protocol == "HTTP")
        .map(|listener| listener.port)
        .collect();
    let mut http_ports = ports.iter().cycle().copied();
    for listener in listeners {
        let speaks = speaks(listener);
        if speaks == Speaks::Other {
            continue;
        }
        if plan.jobs.len() >= MOST {
            let reason =
                format!("more than {MOST} server names of listeners: the others are not asked");
            plan.gap(ask.balancer.arn.clone(), "listeners", reason);
            return;
        }
        of_listener(ask, listener, speaks, &mut http_ports, plan);
    }
}

fn of_listener(
    ask: &Ask<'_>,
    listener: &Listener,
    speaks: Speaks,
    http_ports: &mut impl Iterator<Item = u16>,
    plan: &mut Plan,
) {
    let dns_name = ask.balancer.dns_name.as_str();
    let host = ask.settings.http.host.as_deref();
    let names = names(ask.inventory, ask.balancer, host, listener, speaks);
    for (number, name) in names.iter().enumerate() {
        let addresses = match ask.nodes.addresses(&[name, dns_name], listener.port) {
            Ok(addresses) => addresses,
            Err(why) => {
                let subject = format!("{} of {}", listener_subject(listener), ask.balancer.name);
                plan.gap(subject, "name", format!("its address is not known: {why}"));
                return;
            }
        };
        let settings = settings(ask, speaks, name, addresses, number, http_ports);
        if settings.selection.is_empty() {
            continue;
        }
        let scheme = if speaks == Speaks::Http {
            "http"
        } else {
            "tls"
        };
        // A name that is none was made into no address either.
        let Ok(target) = format!("{scheme}://{name}:{}", listener.port).parse::<Target>() else {
            continue;
        };
        plan.jobs.push(Job {
            target,
            settings: shared(settings),
            range: None,
            mozilla: None,
            role: Some(Role::Listener {
                load_balancer: ask.balancer.arn.clone(),
                listener: listener.arn.clone(),
            }),
        });
    }
}

fn settings(
    ask: &Ask<'_>,
    speaks: Speaks,
    name: &str,
    addresses: Vec<SocketAddr>,
    number: usize,
    http_ports: &mut impl Iterator<Item = u16>,
) -> Settings {
    let mut settings = ask.settings.clone();
    settings.connect = None;
    settings.addresses = Some(addresses);
    settings.sni = ServerName::OfTarget;
    if number > 0 {
        settings.selection = only(&settings.selection, OF_A_NAME);
    }
    // No certificate is for the name that AWS gives a load balancer.
    if name == ask.balancer.dns_name {
        settings.selection = without(&settings.selection, "verification");
    }
    if speaks == Speaks::Tls {
        settings.http.port = settings.http.port.or_else(|| http_ports.next());
    }
    settings
}

/// Every listener that is probed, with each server name that it is asked for; `host` is what the user asks for.
pub(super) fn asked<'a>(
    inventory: &Inventory,
    balancer: &'a LoadBalancer,
    host: Option<&str>,
) -> Vec<(&'a Listener, String)> {
    let listeners = balancer.listeners.read().into_iter().flatten();
    let mut all = Vec::new();
    for listener in listeners.filter(|listener| speaks(listener) != Speaks::Other) {
        let names = names(inventory, balancer, host, listener, speaks(listener));
        all.extend(names.into_iter().map(|name| (listener, name)));
    }
    all
}

fn names(
    inventory: &Inventory,
    balancer: &LoadBalancer,
    host: Option<&str>,
    listener: &Listener,
    speaks: Speaks,
) -> Vec<String> {
    let mut names = match speaks {
        Speaks::Tls => server_names(inventory, listener).names,
        // Clients ask for the same host there, and rules are by host.
        Speaks::Http => first_name(inventory, balancer).into_iter().collect(),
        // Which names the targets serve, nothing tells.
        Speaks::TlsOfTargets | Speaks::Other => Vec::new(),
    };
    if let Some(host) = host.and_then(host_name) {
        names.retain(|name| *name != host);
        names.insert(0, host);
        if speaks != Speaks::Tls {
            names.truncate(1);
        }
    }
    if names.is_empty() {
        names.push(balancer.dns_name.clone());
    }
    names
}

/// The name of a `Host` field, as it is sent.
fn host_name(host: &str) -> Option<String> {
    host.parse::<Target>().ok()?.name().map(Into::into)
}

/// A name that the load balancer serves: its first certificate's, else one that a rule has.
pub(super) fn first_name(inventory: &Inventory, balancer: &LoadBalancer) -> Option<String> {
    let listeners = balancer.listeners.read()?;
    listeners.iter().find_map(|listener| {
        let names = server_names(inventory, listener).names;
        names.into_iter().next()
    })
}
