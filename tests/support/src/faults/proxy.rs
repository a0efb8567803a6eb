//! The proxy: takes connections, and gives each to a thread of its own.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustix::net::Shutdown;

use super::arrivals::Arrived;
use super::{Fault, Instead, chance, relay};
use crate::{net, wire};

/// How long a client may take for its first message.
const PATIENCE: Duration = Duration::from_secs(30);

/// Stands in front of one server or several. Dropping it closes its port; connections end with their
/// clients.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    listener: Arc<TcpListener>,
    shared: Arc<Shared>,
}

/// Which of several nodes a connection gets.
#[derive(Clone, Copy, Debug)]
pub enum Choice {
    /// One after the other.
    InTurn,
    /// By chance, with this seed.
    ByChance(u64),
    /// By the client's port, as a balancer does that hashes a connection's addresses.
    ByClientPort,
}

#[derive(Debug)]
struct Shared {
    nodes: Vec<u16>,
    choice: Choice,
    faults: Vec<Fault>,
    stop: AtomicBool,
    connections: AtomicUsize,
}

impl FaultProxy {
    /// In front of the server on this loopback port.
    pub fn before(server: u16, faults: &[Fault]) -> Self {
        Self::before_nodes(&[server], Choice::InTurn, faults)
    }

    /// In front of several servers that pass for one.
    pub fn before_nodes(nodes: &[u16], choice: Choice, faults: &[Fault]) -> Self {
        assert!(!nodes.is_empty(), "a proxy before nothing");
        // A port of its own choice is kept when the socket stops listening; port 0 is given back.
        let listener = (0..20)
            .find_map(|_| TcpListener::bind(net::loopback(net::free_port())).ok())
            .expect("a port");
        let listener = Arc::new(listener);
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            nodes: nodes.to_vec(),
            choice,
            faults: faults.to_vec(),
            stop: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
        });
        {
            let (listener, shared) = (Arc::clone(&listener), Arc::clone(&shared));
            thread::spawn(move || accept(&listener, &shared));
        }
        Self {
            address,
            listener,
            shared,
        }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections it took so far, those that it turned away included.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes accept().
        let _ = rustix::net::shutdown(&self.listener, Shutdown::Read);
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut arrived = Arrived::default();
    let gone_after = shared.gone_after();
    while let Ok((client, from)) = listener.accept() {
        if shared.stop.load(Ordering::SeqCst) {
            break;
        }
        let number = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
        let client = Arc::new(client);
        let instead = arrived.next(&shared.faults, number, &client);
        let node = shared.node(number, from);
        let shared = Arc::clone(shared);
        let serve = move || serve(&client, instead, node, &shared.faults);
        // A limit turns away at once, not when a thread gets its turn.
        if let Some(Instead::Reset) = instead {
            serve();
        } else {
            thread::spawn(serve);
        }
        if gone_after == Some(number) {
            let _ = rustix::net::shutdown(listener, Shutdown::Read);
        }
    }
}

impl Shared {
    fn node(&self, number: usize, client: SocketAddr) -> u16 {
        let turn = match self.choice {
            Choice::InTurn => number,
            Choice::ByChance(seed) => usize::try_from(chance(seed, number) >> 32).unwrap_or(0),
            Choice::ByClientPort => {
                usize::try_from(chance(0, client.port().into()) >> 32).unwrap_or(0)
            }
        };
        let node = self.nodes.get(turn % self.nodes.len());
        *node.expect("within the list")
    }

    fn gone_after(&self) -> Option<usize> {
        self.faults.iter().find_map(|fault| match fault {
            Fault::GoneAfter(number) => Some(*number),
            _ => None,
        })
    }
}

fn serve(client: &TcpStream, instead: Option<Instead>, node: u16, faults: &[Fault]) {
    let Ok(mut client) = client.try_clone() else {
        return;
    };
    let _ = client.set_nodelay(true);
    // An alert is an answer: to something.
    let at_once = matches!(
        instead,
        Some(Instead::Reset | Instead::Close | Instead::Silence)
    );
    let mut first_segment = 0;
    let (incoming, raw) = if at_once {
        (wire::Incoming::Nothing, vec![])
    } else {
        let _ = client.set_read_timeout(Some(PATIENCE));
        first_segment = client.peek(&mut [0; 16 * 1024]).unwrap_or(0);
        wire::read_incoming(&mut client, PATIENCE)
    };
    let in_pieces = raw.len() > first_segment;
    let _ = client.set_read_timeout(None);
    let instead = instead.or_else(|| {
        faults.iter().find_map(|fault| match fault {
            Fault::Hello(which, instead) => which.holds(&incoming, in_pieces).then_some(*instead),
            _ => None,
        })
    });
    if let Some(instead) = instead {
        return relay::instead(client, instead);
    }
    match net::connect(node) {
        Ok(server) => relay::pass_on(client, server, &incoming, &raw, faults),
        Err(_) => net::reset(client),
    }
}
