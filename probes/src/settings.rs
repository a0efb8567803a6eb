//! How an endpoint is to be probed.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::watch;

use crate::observations::PROBES;
use crate::x509::Trust;

/// How an endpoint is to be probed. Nothing in here is read from the environment or the clock.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The time that certificates are held against: the start of the run.
    pub now: OffsetDateTime,
    /// How long one connection may take, from the first SYN to the last byte.
    pub timeout: Duration,
    /// How long an endpoint may take in all.
    pub deadline: Duration,
    /// Connections open at once per endpoint.
    pub max_connections: usize,
    /// Connections begun per second and endpoint, at most; none: as fast as answers come.
    pub rate: Option<f64>,
    /// Which server name is sent.
    pub sni: ServerName,
    /// Connect there instead of resolving the target's name.
    pub connect: Option<ConnectTo>,
    /// Which addresses are probed.
    pub family: Family,
    /// The roots that chains are held against.
    pub trust: Trust,
    /// Which probes run.
    pub selection: Selection,
    /// Ends the run early, with what was seen so far, when it becomes true.
    pub interrupt: watch::Receiver<bool>,
    /// Panics on purpose in the probe with this id: for the tests of what a panic costs.
    pub fail_point: Option<String>,
}

/// Which server name is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ServerName {
    /// The target's host name; none where it is an address.
    #[default]
    OfTarget,
    /// This one.
    Given(String),
    /// None.
    None,
}

/// Where to connect instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    /// The address.
    pub ip: IpAddr,
    /// The port; the target's, where there is none.
    pub port: Option<u16>,
}

/// Which addresses are probed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// All.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// Which probes run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection(BTreeSet<&'static str>);

impl Default for Selection {
    fn default() -> Self {
        Self(PROBES.iter().map(|probe| probe.id).collect())
    }
}

impl Selection {
    /// Only these (all, where empty) without those. What a probe needs runs with it, even where it
    /// is to be skipped.
    ///
    /// # Errors
    /// The first id that is no probe's.
    pub fn parse<S: AsRef<str>>(only: &[S], skip: &[S]) -> Result<Self, String> {
        let known = |id: &S| {
            let id = id.as_ref().trim();
            PROBES
                .iter()
                .find(|probe| probe.id == id)
                .ok_or_else(|| id.to_owned())
        };
        let skip: Vec<_> = skip.iter().map(known).collect::<Result<_, _>>()?;
        let only: Vec<_> = only.iter().map(known).collect::<Result<_, _>>()?;
        let mut wanted: Vec<_> = PROBES
            .iter()
            .filter(|probe| only.is_empty() || only.iter().any(|o| o.id == probe.id))
            .filter(|probe| !skip.iter().any(|s| s.id == probe.id))
            .collect();
        let mut chosen = BTreeSet::new();
        while let Some(probe) = wanted.pop() {
            if chosen.insert(probe.id) {
                wanted.extend(
                    PROBES
                        .iter()
                        .filter(|other| probe.needs.contains(&other.id)),
                );
            }
        }
        Ok(Self(chosen))
    }

    /// Whether no probe runs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this probe runs.
    pub fn contains(&self, id: &str) -> bool {
        self.0.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_probe_needs_runs_with_it() {
        let chosen = Selection::parse(&["verification"], &[]).unwrap();
        assert!(chosen.contains("certificate") && chosen.contains("reach"));
        assert!(!chosen.contains("groups"));
    }

    #[test]
    fn refuses_an_unknown_probe() {
        assert_eq!(Selection::parse(&["suits"], &[]), Err("suits".into()));
    }
}
