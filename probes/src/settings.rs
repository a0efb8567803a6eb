//! How an endpoint is to be probed.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::watch;

pub use crate::clients::{BalancerClient, BalancerKind};
pub use crate::http::target::{
    HealthCheck, Matcher, TargetHttp, TargetProtocolVersion, TargetRequest,
};
pub use crate::http::{check_host, check_path};
use crate::net::opening::BeforeTls;
pub use crate::tls::session::{ClientIdentity, IdentityError};
use crate::x509::{LogList, Trust};

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
    /// Connect to each of these instead of resolving the target's name: who asks for several names of
    /// one server resolves once. `connect` goes before it.
    pub addresses: Option<Vec<SocketAddr>>,
    /// What is said on every connection before TLS.
    pub before_tls: BeforeTls,
    /// Which addresses are probed; behind a proxy, which of the proxy's are connected to.
    pub family: Family,
    /// The roots that chains are held against.
    pub trust: Trust,
    /// The logs of Certificate Transparency whose SCTs can be verified.
    pub ct_logs: Arc<LogList>,
    /// What is presented to servers that ask for a client certificate.
    pub client_identity: Option<ClientIdentity>,
    /// The load balancer as which a target is asked, besides what other clients see; none: only those.
    ///
    /// Every connection may then take as long as the load balancer waits, where `timeout` is shorter.
    pub client: Option<BalancerClient>,
    /// What is asked for in HTTP.
    pub http: HttpRequest,
    /// What a load balancer asks of the endpoint over HTTP, where it is a target behind one.
    pub target_http: Option<TargetHttp>,
    /// Fetch OCSP responses and revocation lists from where the certificates say that they are.
    pub revocation: bool,
    /// Fetch missing issuers' certificates from where the certificates say that they are.
    pub fetch_issuers: bool,
    /// Which probes run.
    pub selection: Selection,
    /// Ends the run early, with what was seen so far, when it becomes true.
    pub interrupt: watch::Receiver<bool>,
    /// Panics on purpose in the probe with this id: for the tests of what a panic costs.
    pub fail_point: Option<String>,
}

impl Settings {
    /// What the command line does where no flag says otherwise: every probe, each name's own addresses,
    /// 8 connections at once, 5 seconds each and 60 in all, Mozilla's roots, nothing fetched.
    pub fn new(now: OffsetDateTime, interrupt: watch::Receiver<bool>) -> Self {
        Self {
            now,
            timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(60),
            max_connections: 8,
            rate: None,
            sni: ServerName::default(),
            connect: None,
            addresses: None,
            before_tls: BeforeTls::default(),
            family: Family::default(),
            trust: Trust::mozilla(),
            ct_logs: LogList::shipped(),
            client_identity: None,
            client: None,
            http: HttpRequest::default(),
            target_http: None,
            revocation: false,
            fetch_issuers: false,
            selection: Selection::default(),
            interrupt,
            fail_point: None,
        }
    }
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

/// What is asked for in HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// What `Host` says; the server name, or the target's, where there is none.
    pub host: Option<String>,
    /// The path.
    pub path: String,
    /// The port of plaintext HTTP; 80 where the endpoint's is 443, where there is none.
    pub port: Option<u16>,
}

impl Default for HttpRequest {
    fn default() -> Self {
        Self {
            host: None,
            path: "/".into(),
            port: None,
        }
    }
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

/// Which probes run; `observations::select` makes one from what a user asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// Every probe.
    #[default]
    All,
    /// Those with these ids.
    Of(BTreeSet<&'static str>),
}

impl Selection {
    /// Whether no probe runs.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Of(ids) if ids.is_empty())
    }

    /// Whether this probe runs.
    pub fn contains(&self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Of(ids) => ids.contains(id),
        }
    }
}
