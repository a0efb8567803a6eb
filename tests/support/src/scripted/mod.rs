//! A server that does what a scenario file says, on threads and std sockets.
//!
//! A connection goes this way: greeting, first message, rules, faults, and then the model's engine.

mod engine;
mod rustls_engine;
mod script;
mod synthetic;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

pub(crate) use engine::Connection;
pub(crate) use rustls_engine::configuration as tls_configuration;
pub use script::{
    Action, AlertAs, Chain, Engine, Expect, Fault, Features, Kind, Model, Order, Renegotiation,
    Rule, Run, Scenario, When,
};

use crate::net;
use crate::pki::Issued;
use crate::wire::Incoming;

/// A running scripted server. Dropping it closes its port; connections end with their clients.
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What a server presents.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The chain, in the order as sent.
    pub chain: Vec<Issued>,
    /// Other chains by server name.
    pub by_name: BTreeMap<String, Vec<Issued>>,
    /// What is answered to an HTTP request, by server name; where there is none, 200.
    pub answers: BTreeMap<String, Vec<u8>>,
    /// What is stapled, whatever it is; nothing where it is empty.
    pub staple: Vec<u8>,
}

impl Identity {
    /// One chain for every name.
    pub fn of(chain: Vec<Issued>) -> Self {
        Self {
            chain,
            by_name: BTreeMap::new(),
            answers: BTreeMap::new(),
            staple: Vec::new(),
        }
    }
}

/// What a connection's thread needs.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) model: Model,
    pub(crate) fault: Fault,
    pub(crate) rules: Vec<Rule>,
    pub(crate) identity: Identity,
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    /// What is said on each connection, instead of all that.
    pub(crate) talk: Option<fn(Connection<'_>)>,
    stop: AtomicBool,
    connections: AtomicUsize,
    most_at_once: AtomicUsize,
    seen: Mutex<Vec<Incoming>>,
}

impl ScriptedServer {
    /// Starts the server of a scenario.
    pub fn scenario(scenario: &Scenario, identity: Identity) -> Self {
        Self::start(
            scenario.server.clone(),
            scenario.fault.clone(),
            scenario.rule.clone(),
            identity,
        )
    }

    /// A TLS 1.2 and 1.3 server without a fault that sends this chain.
    pub fn serving(chain: Vec<Issued>) -> Self {
        Self::start(
            Model::default(),
            Fault::default(),
            vec![],
            Identity::of(chain),
        )
    }

    /// The same, with this stapled to it.
    pub fn stapling(chain: Vec<Issued>, staple: Vec<u8>) -> Self {
        let identity = Identity {
            staple,
            ..Identity::of(chain)
        };
        Self::start(Model::default(), Fault::default(), vec![], identity)
    }

    /// The same on another loopback address, such as 127.0.0.2, with a given port.
    pub fn serving_at(address: SocketAddr, chain: Vec<Issued>) -> Self {
        let listener = TcpListener::bind(address)
            .unwrap_or_else(|error| panic!("cannot listen on {address}: {error}"));
        Self::on(
            listener,
            Model::default(),
            Fault::default(),
            vec![],
            Identity::of(chain),
            None,
        )
    }

    /// Starts a server that hands each connection to this function.
    pub(crate) fn talking(
        listener: TcpListener,
        identity: Identity,
        talk: fn(Connection<'_>),
    ) -> Self {
        Self::on(
            listener,
            Model::default(),
            Fault::default(),
            vec![],
            identity,
            Some(talk),
        )
    }

    /// Starts a server.
    pub fn start(model: Model, fault: Fault, rules: Vec<Rule>, identity: Identity) -> Self {
        let listener = TcpListener::bind(net::loopback(0)).expect("a port");
        Self::on(listener, model, fault, rules, identity, None)
    }

    fn on(
        listener: TcpListener,
        model: Model,
        fault: Fault,
        rules: Vec<Rule>,
        identity: Identity,
        talk: Option<fn(Connection<'_>)>,
    ) -> Self {
        let address = listener.local_addr().expect("an address");
        let tls = (model.engine == Engine::Rustls)
            .then(|| Arc::new(rustls_engine::configuration(&model, &identity)));
        let shared = Arc::new(Shared {
            model,
            fault,
            rules,
            identity,
            tls,
            talk,
            stop: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            seen: Mutex::new(Vec::new()),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections it accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many connections were open at once, at most.
    pub fn most_at_once(&self) -> usize {
        self.shared.most_at_once.load(Ordering::SeqCst)
    }

    /// The first message of each connection that ended or was answered so far.
    pub fn seen(&self) -> Vec<Incoming> {
        self.shared.seen.lock().expect("the list").clone()
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes accept().
        let _ = net::connect_to(self.address);
    }
}

impl Shared {
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(crate) fn keep(&self, incoming: Incoming) {
        self.seen.lock().expect("the list").push(incoming);
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut open: Vec<Weak<TcpStream>> = Vec::new();
    for stream in listener.incoming().flatten() {
        if shared.stopped() {
            break;
        }
        let number = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
        // A connection that its client has closed does not count, whatever its thread has noticed.
        open.retain(|other| {
            let other = other.upgrade();
            other.is_some_and(|stream| !net::hung_up(&stream))
        });
        shared
            .most_at_once
            .fetch_max(open.len() + 1, Ordering::SeqCst);
        let crowded = shared.fault.one_at_a_time && !open.is_empty();
        if crowded || shared.fault.reset_connections.contains(&number) {
            thread::spawn(move || reset_when_spoken_to(stream));
            continue;
        }
        let stream = Arc::new(stream);
        open.push(Arc::downgrade(&stream));
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            // The engine may drop its own; this one says that the connection is still there.
            if let Ok(own) = stream.try_clone() {
                serve(own, number, &shared);
            }
        });
    }
}

/// A reset that is an answer, and not a race with the client's connect().
fn reset_when_spoken_to(stream: TcpStream) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    let _ = stream.peek(&mut [0]);
    net::reset(stream);
}

fn serve(stream: TcpStream, number: usize, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    engine::serve(stream, number, shared);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::Pki;
    use crate::{needs, tools};

    const NAME: &str = "lb.example.test";

    fn start(text: &str) -> ScriptedServer {
        let pki = Pki::new();
        let scenario = Scenario::parse(&format!("about = \"a test\"\n{text}")).unwrap();
        let chain = pki.chain(&pki.leaf(&[NAME]));
        ScriptedServer::scenario(&scenario, Identity::of(chain))
    }

    fn suites(server: &ScriptedServer, version: &str) -> Vec<u16> {
        tools::openssl_suites(server.port(), NAME, version)
            .into_iter()
            .collect()
    }

    #[test]
    fn openssl_agrees_with_the_rustls_engine() {
        needs!("openssl");
        let server = start(
            "[server]\ngroups = [\"secp384r1\"]\n[server.suites]\n\
             \"TLSv1.3\" = [\"TLS_AES_256_GCM_SHA384\"]\n\
             \"TLSv1.2\" = [\"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\"]",
        );
        assert_eq!(suites(&server, "TLSv1.3"), [0x1302]);
        assert_eq!(suites(&server, "TLSv1.2"), [0xC02B]);
        let before = server.connections();
        assert!(tools::openssl_group(server.port(), NAME, "P-384"));
        assert!(!tools::openssl_group(server.port(), NAME, "X25519"));
        assert_eq!(server.connections(), before + 2);
        let seen = server.seen();
        let Some(Incoming::Tls(hello)) = seen.last() else {
            panic!("{seen:?}")
        };
        assert_eq!(hello.server_name().as_deref(), Some(NAME));
        assert_eq!(hello.groups(), Some(vec![0x001D]));
    }

    #[test]
    fn nmap_reads_the_synthetic_engine() {
        needs!("nmap");
        let server = start(
            "[server]\nengine = \"synthetic\"\nversions = [\"SSLv3\", \"TLSv1.0\", \"TLSv1.2\"]\n\
             [server.suites]\n\"SSLv3\" = [\"TLS_RSA_WITH_RC4_128_SHA\"]\n\
             \"TLSv1.0\" = [\"TLS_RSA_WITH_3DES_EDE_CBC_SHA\", \"TLS_RSA_WITH_DES_CBC_SHA\"]\n\
             \"TLSv1.2\" = [\"TLS_DHE_RSA_WITH_AES_128_CBC_SHA\", \"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA\"]",
        );
        let seen = tools::nmap(server.port(), NAME);
        assert_eq!(seen["SSLv3"], ["TLS_RSA_WITH_RC4_128_SHA"]);
        assert_eq!(
            seen["TLSv1.0"],
            ["TLS_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_RSA_WITH_DES_CBC_SHA"]
        );
        assert_eq!(
            seen["TLSv1.2"],
            [
                "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
                "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
            ]
        );
    }

    #[test]
    fn each_fault_is_there() {
        needs!("openssl");
        for fault in [
            "close-if-suites-over = 1",
            "silent-if-hello-between = [4000, 9000]\nreset-if-hello-over = 100",
            "alert-as = \"reset\"\n[server]\nversions = [\"TLSv1.2\"]\n[server.suites]\n\
             \"TLSv1.2\" = [\"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\"]",
            "reset-connections = [1]",
        ] {
            let server = start(&format!("[fault]\n{fault}"));
            assert_eq!(tools::openssl_default(server.port(), NAME), None, "{fault}");
            assert_eq!(server.connections(), 1, "{fault}");
        }
    }

    #[test]
    fn the_first_rule_that_matches_answers() {
        needs!("openssl");
        let server = start(
            "[[rule]]\nwhen = { hello = \"tls\", sni = \"other.test\" }\nthen = [{ alert = 112 }]\n\
             [[rule]]\nwhen = { connection = 3 }\nthen = [\"reset\"]",
        );
        assert!(tools::openssl_default(server.port(), NAME).is_some());
        assert!(tools::openssl_default(server.port(), "other.test").is_none());
        assert!(tools::openssl_default(server.port(), NAME).is_none());
        assert!(tools::openssl_default(server.port(), NAME).is_some());
    }
}
