//! Audits a load balancer: what to probe of an inventory, and what everything together says.
//!
//! Plans jobs for `run` and puts what came of them, what AWS says and the findings into one report. It
//! asks nobody: AWS is `gladhand_probes::aws`'s, the network `run`'s, and judgement `checks`'.

mod fold;
mod listeners;
mod names;
mod nodes;
mod report;
mod source;
mod targets;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use gladhand_probes::aws::Inventory;
use gladhand_probes::aws::inventory::LoadBalancer;
use gladhand_probes::observations::PROBES;
use gladhand_probes::settings::{ConnectTo, Selection};
use gladhand_probes::{Settings, Untrusted};

pub use self::names::{ServerNames, server_names};
pub use self::nodes::{Nodes, Pin};
pub use self::report::{Audited, report};
pub use self::source::{SourceError, choose, saved};
pub use self::targets::{Unprobed, unprobed};
use crate::report::model::NotMeasured;
use crate::run::Job;

/// What is to be probed, and how.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// What AWS says.
    pub inventory: &'a Inventory,
    /// The load balancer.
    pub balancer: &'a LoadBalancer,
    /// Limits, roots, the client's certificate, which probes, and the host and path of requests.
    pub settings: &'a Settings,
    /// Where its listeners are.
    pub nodes: &'a Nodes,
    /// Whether its targets are probed, too.
    pub targets: bool,
    /// The path was asked for, and is not the default.
    pub path_given: bool,
    /// Whether it is measured how long targets keep idle connections.
    pub keep_alive: bool,
}

/// What will be probed, and what cannot be.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// One for each listener and server name, and for each port of a target.
    pub jobs: Vec<Job>,
    /// What cannot even be tried.
    pub not_measured: Vec<NotMeasured>,
}

/// Plans the probes of a load balancer: its listeners as clients see them, its targets as it sees them.
pub fn plan(ask: &Ask<'_>) -> Plan {
    let mut plan = Plan::default();
    listeners::plan(ask, &mut plan);
    if ask.targets {
        targets::plan(ask, &mut plan);
    }
    plan
}

impl Plan {
    fn gap(&mut self, subject: impl Into<String>, what: &str, reason: impl Into<String>) {
        self.not_measured.push(NotMeasured {
            subject: subject.into(),
            what: what.into(),
            reason: reason.into(),
        });
    }
}

/// What is wrong with where to connect: a port where several listeners would be looked for, or a name or port
/// that no listener is asked for. Nobody has to be asked to find out.
///
/// # Errors
/// What to give instead, in words.
pub fn check_places(
    inventory: &Inventory,
    balancer: &LoadBalancer,
    host: Option<&str>,
    connect: Option<ConnectTo>,
    pins: &[Pin],
) -> Result<(), String> {
    let asked = listeners::asked(inventory, balancer, host);
    if let Some(port) = connect.and_then(|connect| connect.port) {
        let first = asked.first().map(|(listener, _)| listener.arn.as_str());
        if asked
            .iter()
            .any(|(listener, _)| Some(listener.arn.as_str()) != first)
        {
            return Err(format!(
                "--connect has the port {port}, and there are several listeners: give the address alone"
            ));
        }
    }
    let used = |pin: &&Pin| {
        let dns_name = balancer.dns_name.as_str();
        asked.iter().any(|(listener, name)| {
            listener.port == pin.port && ["*", dns_name, name].contains(&pin.name.as_str())
        })
    };
    // Where nothing is asked at all, that is told already.
    match pins.iter().find(|pin| !asked.is_empty() && !used(pin)) {
        None => Ok(()),
        Some(pin) => Err(format!(
            "--resolve names {}:{}, which no listener is asked for; `*` stands for every name",
            Untrusted::from(pin.name.as_str()),
            pin.port
        )),
    }
}

/// The chosen probes that are also among these.
fn only(chosen: &Selection, ids: &[&str]) -> Selection {
    let known = PROBES.iter().map(|probe| probe.id);
    Selection::Of(
        known
            .filter(|id| ids.contains(id) && chosen.contains(id))
            .collect(),
    )
}

/// The chosen probes without this one, and without those that need it.
fn without(chosen: &Selection, left_out: &'static str) -> Selection {
    let mut out = vec![left_out];
    loop {
        let more = PROBES.iter().find(|probe| {
            !out.contains(&probe.id) && probe.needs.iter().any(|need| out.contains(need))
        });
        match more {
            Some(probe) => out.push(probe.id),
            None => break,
        }
    }
    let known = PROBES.iter().map(|probe| probe.id);
    Selection::Of(
        known
            .filter(|id| !out.contains(id) && chosen.contains(id))
            .collect(),
    )
}

fn shared(settings: Settings) -> Arc<Settings> {
    Arc::new(settings)
}
