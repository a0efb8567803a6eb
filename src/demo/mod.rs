//! Broken servers on loopback, for `gladhand demo` and for trying things out: no network needed.
//!
//! Each has one planted fault, and says which findings that fault must bring.

mod pki;
mod servers;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use gladhand_probes::Target;
use gladhand_probes::settings::{ConnectTo, Settings};
use gladhand_probes::x509::Trust;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::report::model::Severity;
use pki::{Leaf, Pki};
use servers::Behaviour;

/// Why the demo cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// A certificate could not be made.
    #[error("making a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A server could not be configured.
    #[error("configuring a server: {0}")]
    Tls(#[from] rustls::Error),
    /// No port on the loopback.
    #[error("listening on the loopback: {0}")]
    Listen(#[from] std::io::Error),
    /// The demo's own root was not accepted.
    #[error("trusting the demo's root: {0}")]
    Trust(String),
}

/// The servers, running until this is dropped.
pub struct Demo {
    trust: Trust,
    servers: Vec<Server>,
    tasks: Vec<JoinHandle<()>>,
}

/// One server with one planted fault.
#[derive(Debug)]
pub struct Server {
    target: Target,
    address: SocketAddr,
    plan: &'static Plan,
}

/// What a server is to show.
#[derive(Debug)]
struct Plan {
    name: &'static str,
    planted: &'static str,
    expected: &'static [&'static str],
    behaviour: Behaviour,
    timeout: Duration,
}

const USUAL: Duration = Duration::from_secs(5);

/// Short: nothing ever comes, and each question waits that long.
const SHORT: Duration = Duration::from_millis(700);

static PLANS: &[Plan] = &[
    Plan {
        name: "healthy",
        planted: "nothing; this one is as it should be",
        expected: &[],
        behaviour: Behaviour::Tls(Leaf::Good),
        timeout: USUAL,
    },
    Plan {
        name: "expired",
        planted: "a certificate that expired 12 days ago",
        expected: &["certificate-expired"],
        behaviour: Behaviour::Tls(Leaf::Expired),
        timeout: USUAL,
    },
    Plan {
        name: "wrong-host",
        planted: "a certificate for another name",
        expected: &["certificate-name-mismatch"],
        behaviour: Behaviour::Tls(Leaf::OtherName),
        timeout: USUAL,
    },
    Plan {
        name: "incomplete-chain",
        planted: "the intermediate certificate is left out",
        expected: &["chain-incomplete"],
        behaviour: Behaviour::Tls(Leaf::Alone),
        timeout: USUAL,
    },
    Plan {
        name: "tls12-only",
        planted: "no TLS 1.3",
        expected: &["tls-1-3-missing"],
        behaviour: Behaviour::Tls12Only,
        timeout: USUAL,
    },
    Plan {
        name: "plaintext",
        planted: "HTTP without TLS on the port",
        expected: &["plaintext-on-tls-port"],
        behaviour: Behaviour::PlaintextHttp,
        timeout: USUAL,
    },
    Plan {
        name: "silent",
        planted: "a port that accepts connections and never answers",
        expected: &["port-silent"],
        behaviour: Behaviour::Silent,
        timeout: SHORT,
    },
];

/// Whether a finding is one that the demo's table is about: at least medium, or planted somewhere.
pub fn counts(rule: &str, severity: Severity) -> bool {
    severity >= Severity::Medium || PLANS.iter().any(|plan| plan.expected.contains(&rule))
}

impl Demo {
    /// Makes the certificates and starts every server on a free port of the loopback.
    pub async fn start(now: OffsetDateTime) -> Result<Self, DemoError> {
        let pki = Pki::new(now)?;
        let trust = Trust::from_pem("the demo's root", pki.root_pem().as_bytes())
            .map_err(|error| DemoError::Trust(error.to_string()))?;
        let mut demo = Self {
            trust,
            servers: Vec::new(),
            tasks: Vec::new(),
        };
        for plan in PLANS {
            let host = format!("{}.demo.test", plan.name);
            let (address, task) = servers::start(plan.behaviour, &host, &pki).await?;
            demo.tasks.push(task);
            let target = Target::from_str(&format!("{host}:{}", address.port()))
                .map_err(|error| DemoError::Trust(error.to_string()))?;
            demo.servers.push(Server {
                target,
                address,
                plan,
            });
        }
        Ok(demo)
    }

    /// The servers.
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// How one of them is to be probed, at this time.
    pub fn settings(
        &self,
        server: &Server,
        now: OffsetDateTime,
        interrupt: watch::Receiver<bool>,
    ) -> Settings {
        Settings {
            timeout: server.plan.timeout,
            deadline: Duration::from_secs(30),
            connect: Some(ConnectTo {
                ip: server.address.ip(),
                port: Some(server.address.port()),
            }),
            trust: self.trust.clone(),
            ..Settings::new(now, interrupt)
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Server {
    /// Its name and port; the name exists in the demo only.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What is wrong with it, in words.
    pub fn planted(&self) -> &'static str {
        self.plan.planted
    }

    /// The rules that must fire, and no other of their kind.
    pub fn expected(&self) -> &'static [&'static str] {
        self.plan.expected
    }
}

/// The loopback, a free port.
const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks;

    #[test]
    fn what_is_planted_is_a_rule() {
        for rule in PLANS.iter().flat_map(|plan| plan.expected) {
            assert!(checks::rule(rule).is_some(), "{rule}");
        }
    }
}
