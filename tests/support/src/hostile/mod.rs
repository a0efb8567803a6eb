//! Servers that mean harm: one value a behaviour, in the file of the layer that it abuses.
//!
//! None of them is a server that anybody should run, and none of them ends anything by itself: what
//! never ends here has to be ended by the client.

mod certificates;
mod completed;
mod handshake;
mod http;
mod plaintext;
mod records;
mod transport;

use std::net::TcpListener;

use rustix::net::sockopt;

use crate::net;
use crate::pki::{Issued, Pki};
use crate::scripted::{Connection, Identity, ScriptedServer};

/// A hostile server.
#[derive(Clone, Copy, Debug)]
pub struct Behaviour {
    /// What it is called.
    pub name: &'static str,
    /// Whether everything about it can be measured all the same, so that a green report is no lie.
    pub measurable: bool,
    does: Does,
}

#[derive(Clone, Copy, Debug)]
enum Does {
    /// This, on each connection.
    Talks(fn(Connection<'_>)),
    /// Sound TLS 1.2 and 1.3, with a chain that is not.
    Serves(fn(&Pki) -> Vec<Issued>),
}

impl Behaviour {
    const fn talks(name: &'static str, talk: fn(Connection<'_>)) -> Self {
        Self {
            name,
            measurable: false,
            does: Does::Talks(talk),
        }
    }

    const fn serves(name: &'static str, chain: fn(&Pki) -> Vec<Issued>) -> Self {
        Self {
            name,
            measurable: false,
            does: Does::Serves(chain),
        }
    }

    const fn measurable(mut self) -> Self {
        self.measurable = true;
        self
    }

    /// Starts such a server on a free port of 127.0.0.1. Where it has a certificate that can be
    /// read, it is for `host` and issued by `pki`.
    pub fn start(&self, pki: &Pki, host: &str) -> ScriptedServer {
        let good = Identity::of(pki.chain(&pki.leaf(&[host])));
        match self.does {
            Does::Serves(chain) => ScriptedServer::serving(chain(pki)),
            Does::Talks(talk) => {
                let listener = TcpListener::bind(net::loopback(0)).expect("a port");
                if self.name == transport::TAKES_NOTHING {
                    // The least that the kernel allows; connections inherit it.
                    sockopt::set_socket_recv_buffer_size(&listener, 1).expect("a buffer");
                }
                ScriptedServer::talking(listener, good, talk)
            }
        }
    }
}

/// Every behaviour.
pub fn all() -> Vec<Behaviour> {
    [
        transport::ALL,
        records::ALL,
        handshake::ALL,
        completed::ALL,
        http::ALL,
        certificates::ALL,
        plaintext::ALL,
    ]
    .concat()
}

/// The name that [`certificates`] are for.
pub const HOST: &str = "lb.example.test";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_a_name_of_its_own_and_starts() {
        let all = all();
        let names: BTreeSet<_> = all.iter().map(|behaviour| behaviour.name).collect();
        assert_eq!(names.len(), all.len());
        assert!(all.len() >= 30, "{}", all.len());
        let pki = Pki::new();
        for behaviour in all {
            let server = behaviour.start(&pki, HOST);
            // The RST of a server that has accepted may overtake connect().
            let listens = match net::connect(server.port()) {
                Ok(_) => true,
                Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
            };
            assert!(listens, "{}", behaviour.name);
        }
    }
}
