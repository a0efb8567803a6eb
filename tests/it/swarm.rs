//! Thousands of endpoints in one process: a listener on each of many loopback addresses, and on each
//! one behaviour.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gladhand_testkit::pki::Issued;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

/// What an endpoint does.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// Nobody listens.
    Refuses,
    /// Accepts, and says nothing.
    Silent,
    /// FIN in answer to the first bytes.
    Closes,
    /// RST in answer to the first bytes.
    Resets,
    /// These bytes in answer to the first bytes, and then FIN.
    Says(Vec<u8>),
    /// TLS.
    Serves(Arc<ServerConfig>),
}

/// The running endpoints. Dropping it ends them all.
pub(crate) struct Swarm {
    port: u16,
    net: u8,
    connections: Arc<AtomicUsize>,
    _runtime: Runtime,
}

impl Swarm {
    /// One endpoint a behaviour, at the addresses 127.`net`.0.1 and on.
    pub(crate) fn start(net: u8, behaviours: &[Behaviour]) -> Self {
        allow_sockets(behaviours.len() as u64 + 2_000);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let connections = Arc::new(AtomicUsize::new(0));
        let (port, listeners) = runtime.block_on(bind(net, behaviours));
        for (listener, behaviour) in listeners {
            runtime.spawn(accept(listener, behaviour, Arc::clone(&connections)));
        }
        Self {
            port,
            net,
            connections,
            _runtime: runtime,
        }
    }

    /// The port of all of them.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The endpoint with this number, as a target.
    pub(crate) fn target(&self, number: usize) -> String {
        format!("{}:{}", address(self.net, number), self.port)
    }

    /// How many connections were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// TLS 1.2 and 1.3 with this chain.
pub(crate) fn serves(chain: &[Issued]) -> Behaviour {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = chain.first().expect("a certificate").key().private_pem();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
    let chain = chain
        .iter()
        .map(|issued| CertificateDer::from(issued.der().to_vec()))
        .collect();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a chain and its key");
    Behaviour::Serves(Arc::new(config))
}

fn address(net: u8, number: usize) -> Ipv4Addr {
    let byte = |number: usize| u8::try_from(number).expect("fewer endpoints");
    Ipv4Addr::new(127, net, byte(number / 250), byte(number % 250 + 1))
}

/// Finds a port that is free at every address.
async fn bind(net: u8, behaviours: &[Behaviour]) -> (u16, Vec<(TcpListener, Behaviour)>) {
    'ports: for _ in 0..20 {
        let port = gladhand_testkit::net::free_port();
        let mut listeners = Vec::new();
        for (number, behaviour) in behaviours.iter().enumerate() {
            if matches!(behaviour, Behaviour::Refuses) {
                continue;
            }
            match TcpListener::bind(SocketAddr::from((address(net, number), port))).await {
                Ok(listener) => listeners.push((listener, behaviour.clone())),
                Err(_) => continue 'ports,
            }
        }
        return (port, listeners);
    }
    panic!("no port is free at all addresses");
}

async fn accept(listener: TcpListener, behaviour: Behaviour, connections: Arc<AtomicUsize>) {
    while let Ok((stream, _)) = listener.accept().await {
        connections.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(serve(stream, behaviour.clone()));
    }
}

async fn serve(mut stream: TcpStream, behaviour: Behaviour) {
    let _ = stream.set_nodelay(true);
    let mut buffer = [0; 4096];
    match behaviour {
        Behaviour::Refuses => {}
        Behaviour::Silent => while matches!(stream.read(&mut buffer).await, Ok(1..)) {},
        Behaviour::Closes => {
            let _ = stream.read(&mut buffer).await;
            end(stream).await;
        }
        Behaviour::Resets => {
            let _ = stream.read(&mut buffer).await;
            if let Ok(stream) = stream.into_std() {
                gladhand_testkit::net::reset(stream);
            }
        }
        Behaviour::Says(bytes) => {
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(&bytes).await;
            end(stream).await;
        }
        Behaviour::Serves(config) => {
            if let Ok(mut stream) = TlsAcceptor::from(config).accept(stream).await {
                let _ = stream.read(&mut buffer).await;
                let _ = stream.shutdown().await;
            }
        }
    }
}

/// FIN, and then what the client still sends is read: unread bytes would make a reset of it.
async fn end(mut stream: TcpStream) {
    let _ = stream.shutdown().await;
    let mut buffer = [0; 4096];
    let rest = async { while matches!(stream.read(&mut buffer).await, Ok(1..)) {} };
    let _ = tokio::time::timeout(Duration::from_secs(2), rest).await;
}

/// Makes room for so many sockets.
fn allow_sockets(wanted: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit {
            current: Some(limit.maximum.map_or(wanted, |most| most.min(wanted))),
            maximum: limit.maximum,
        };
        setrlimit(Resource::Nofile, raised).expect("more sockets");
    }
}
