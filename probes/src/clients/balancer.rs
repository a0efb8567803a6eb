//! An AWS load balancer as the client of its targets.
//!
//! What it offers is the content of the policy that it has towards them; AWS documents that, and that it
//! verifies no certificate. It documents neither groups nor signature schemes (those of s2n-tls under the
//! same name stand in for them), and no server name: none is sent.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::elb_policies::{ElbPolicy, elb_policy};
use crate::tls::hellos::{Extras, Hello, TlsHello};
use crate::tls::session::Parameters;
use crate::untrusted::Untrusted;
use crate::wire::registry::{Group, SignatureScheme};

/// How long a load balancer waits for the TCP connection, and once more for the TLS handshake.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html>
const GIVES_UP: Duration = Duration::from_secs(10);

/// The policy towards targets while a listener has one of the family that knows TLS 1.3.
const ASSUMED: &str = "ELBSecurityPolicy-TLS13-1-0-2021-06";

/// The policy whose groups and signature schemes stand in for those of [`ASSUMED`]: s2n-tls has that one
/// under no name; its twin differs in post-quantum groups alone.
const TWIN: &str = "ELBSecurityPolicy-TLS13-1-0-PQ-2025-09";

/// A load balancer, asking a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalancerClient {
    /// Its type.
    pub kind: BalancerKind,
    /// The policy towards its targets; none: not known, and no TLS can be asked as it would.
    pub policy: Option<&'static ElbPolicy>,
    /// Nobody named a policy: it is the one that is usual today.
    pub assumed: bool,
    /// How long it waits for a handshake: 10 s.
    pub gives_up: Duration,
}

/// The type of a load balancer that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BalancerKind {
    /// An Application Load Balancer.
    Alb,
    /// A Network Load Balancer.
    Nlb,
}

/// Why a text names no load balancer as a client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BalancerError {
    /// No such profile.
    #[error(
        "`{given}` is no client profile; there are: alb, nlb, each with `:POLICY` behind it or not"
    )]
    Profile {
        /// As given.
        given: Untrusted,
    },
    /// No such policy.
    #[error(
        "`{given}` is no security policy that is known here; `gladhand policies` lists those that are"
    )]
    Policy {
        /// As given.
        given: Untrusted,
    },
    /// A Classic Load Balancer's: what that offers targets is documented nowhere.
    #[error("`{given}` is a policy of Classic Load Balancers")]
    Classic {
        /// As given.
        given: Untrusted,
    },
}

impl BalancerClient {
    /// The probes that tell how a load balancer fares at a target.
    pub const PROBES: [&str; 4] = ["reach", "backend", "target_response", "keep_alive"];

    /// A load balancer with this policy towards its targets.
    pub fn new(kind: BalancerKind, policy: Option<&'static ElbPolicy>) -> Self {
        Self {
            kind,
            policy,
            assumed: false,
            gives_up: GIVES_UP,
        }
    }

    /// How long it is listened, so that what it would no longer wait for is told from silence.
    pub(crate) fn patience(&self) -> Duration {
        self.gives_up + self.gives_up / 10
    }

    /// Its hello; none where the policy is not known.
    pub(crate) fn hello(&self) -> Option<Hello> {
        let policy = self.policy?;
        let groups = groups(policy);
        let hello = Hello::Tls(TlsHello {
            versions: policy.versions.clone(),
            suites: policy.suites.clone(),
            fillers: 0,
            shares: shares(&groups),
            groups,
            sni: None,
            extras: None,
        });
        Some(hello.with(Extras {
            schemes: Some(schemes(policy)),
            ..Extras::default()
        }))
    }

    /// The same for a handshake that is completed.
    pub(crate) fn parameters(&self) -> Option<Parameters> {
        let policy = self.policy?;
        Some(Parameters {
            versions: policy.versions.clone(),
            suites: policy.suites.clone(),
            groups: groups(policy),
            schemes: schemes(policy),
        })
    }
}

/// `alb:ELBSecurityPolicy-2016-08`, as the report names the client.
impl fmt::Display for BalancerClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        match self.policy {
            Some(policy) => write!(f, ":{}", policy.name),
            None => Ok(()),
        }
    }
}

impl FromStr for BalancerClient {
    type Err = BalancerError;

    /// Reads `alb`, `nlb`, or either with a policy behind a colon: that of a listener, from which the one
    /// towards targets follows, or that one itself.
    fn from_str(text: &str) -> Result<Self, BalancerError> {
        let (kind, policy) = match text.trim().split_once(':') {
            Some((kind, policy)) => (kind, Some(policy.trim())),
            None => (text.trim(), None),
        };
        let kind = BalancerKind::ALL
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(kind));
        let kind = kind.ok_or_else(|| BalancerError::Profile { given: text.into() })?;
        let Some(name) = policy else {
            return Ok(Self {
                assumed: true,
                ..Self::new(kind, elb_policy(ASSUMED))
            });
        };
        let given = || Untrusted::from(name);
        let named = elb_policy(name).ok_or_else(|| BalancerError::Policy { given: given() })?;
        let backend = named.backend.as_deref().and_then(elb_policy);
        let backend = backend.ok_or_else(|| BalancerError::Classic { given: given() })?;
        Ok(Self::new(kind, Some(backend)))
    }
}

impl BalancerKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Alb, Self::Nlb];

    /// The word on the command line and in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alb => "alb",
            Self::Nlb => "nlb",
        }
    }

    /// The type of the client that a report names: `alb:ELBSecurityPolicy-2016-08`.
    pub fn of(client: &str) -> Option<Self> {
        let kind = client.split(':').next()?;
        Self::ALL.into_iter().find(|known| known.name() == kind)
    }
}

/// The groups that a load balancer with this policy is taken to offer: AWS documents none.
pub fn groups(policy: &ElbPolicy) -> Vec<Group> {
    let own = policy.groups.clone();
    own.unwrap_or_else(|| {
        let twin = elb_policy(TWIN).and_then(|twin| twin.groups.clone());
        let groups = twin.unwrap_or_default().into_iter();
        groups.filter(|group| !group.post_quantum()).collect()
    })
}

fn schemes(policy: &ElbPolicy) -> Vec<SignatureScheme> {
    let own = policy.signature_schemes.clone();
    own.or_else(|| elb_policy(TWIN)?.signature_schemes.clone())
        .unwrap_or_default()
}

/// Key shares as s2n-tls sends them: for the most preferred hybrid and the most preferred curve.
fn shares(groups: &[Group]) -> Vec<Group> {
    let hybrid = groups.iter().find(|group| group.post_quantum());
    let curve = groups.iter().find(|group| !group.post_quantum());
    hybrid.into_iter().chain(curve).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::registry::{ProtocolVersion, Suite};

    fn tls(client: &str) -> TlsHello {
        match client.parse::<BalancerClient>().unwrap().hello().unwrap() {
            Hello::Tls(hello) => hello,
            Hello::Ssl2 { .. } => panic!("SSLv2"),
        }
    }

    #[test]
    fn offers_what_the_policy_has_and_no_name() {
        let hello = tls("alb:ELBSecurityPolicy-2016-08");
        assert_eq!(hello.versions.first(), Some(&ProtocolVersion::TLS1_2));
        assert_eq!(hello.versions.last(), Some(&ProtocolVersion::TLS1_0));
        let policy = elb_policy("ELBSecurityPolicy-2016-08").unwrap();
        assert_eq!(hello.suites, policy.suites);
        assert_eq!(hello.sni, None);
        assert!(!hello.suites.contains(&Suite(0x1301)));
    }

    #[test]
    fn a_listeners_policy_gives_the_one_towards_targets() {
        let name = |text: &str| text.parse::<BalancerClient>().map(|c| c.to_string());
        assert_eq!(
            name("alb:elbsecuritypolicy-tls13-1-2-2021-06").unwrap(),
            "alb:ELBSecurityPolicy-TLS13-1-0-2021-06"
        );
        assert_eq!(
            name("nlb:ELBSecurityPolicy-FS-1-2-Res-2020-10").unwrap(),
            "nlb:ELBSecurityPolicy-2016-08"
        );
        assert_eq!(
            name("alb").unwrap(),
            "alb:ELBSecurityPolicy-TLS13-1-0-2021-06"
        );
        assert!(matches!(name("elb"), Err(BalancerError::Profile { .. })));
        assert!(matches!(
            name("alb:ELBSecurityPolicy-TLS-1-3-1-2-2021-06"),
            Err(BalancerError::Policy { .. })
        ));
        assert!(matches!(
            name("alb:ELBSecurityPolicy-2015-03"),
            Err(BalancerError::Classic { .. })
        ));
    }

    #[test]
    fn only_the_post_quantum_families_send_a_hybrid_share() {
        let shares = |client| tls(client).shares;
        let hybrid = Group(0x11EC);
        assert_eq!(shares("alb"), [Group::X25519]);
        assert_eq!(
            shares("alb:ELBSecurityPolicy-TLS13-1-2-PQ-2025-09"),
            [hybrid, Group::X25519]
        );
        assert_eq!(
            shares("alb:ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04"),
            [Group::SECP256R1]
        );
    }

    #[test]
    fn the_client_of_a_report_has_its_type() {
        assert_eq!(
            BalancerKind::of("alb:ELBSecurityPolicy-2016-08"),
            Some(BalancerKind::Alb)
        );
        assert_eq!(BalancerKind::of("nlb"), Some(BalancerKind::Nlb));
        assert_eq!(BalancerKind::of("albatross"), None);
    }
}
