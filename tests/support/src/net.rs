//! Loopback ports and connections.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::{AddressFamily, SocketType, sockopt};

/// The loopback address and this port.
pub fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A port for a server that cannot bind port 0 itself.
///
/// It lies below the range that the kernel gives to outgoing connections, and no other call of this
/// process gets it, so that the race between reserving and binding is with other processes only.
pub fn free_port() -> u16 {
    const FIRST: u32 = 12_000;
    const COUNT: u32 = 20_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(7919);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + start.wrapping_add(step) % COUNT;
        let port = u16::try_from(port).expect("below 32000");
        if TcpListener::bind(loopback(port)).is_ok() {
            return port;
        }
    }
    panic!("no free port on the loopback");
}

/// Connects to a port of 127.0.0.1.
pub fn connect(port: u16) -> std::io::Result<TcpStream> {
    connect_to(loopback(port))
}

/// Connects to an address, which must be a loopback one.
#[allow(clippy::disallowed_methods)]
pub fn connect_to(address: SocketAddr) -> std::io::Result<TcpStream> {
    assert!(
        address.ip().is_loopback(),
        "tests stay on the loopback: {address}"
    );
    TcpStream::connect_timeout(&address, Duration::from_secs(5))
}

/// Whether the other side has ended its half of a connection, read or unread.
pub fn hung_up(stream: &TcpStream) -> bool {
    let mut polled = [PollFd::new(stream, PollFlags::RDHUP)];
    // HUP and ERR are told unasked.
    rustix::event::poll(&mut polled, Some(&Timespec::default())).is_ok_and(|events| events > 0)
}

/// Ends a connection with a reset instead of a FIN.
pub fn reset(stream: TcpStream) {
    // A linger time of zero makes close() send RST and drop what is unsent.
    let _ = sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
    drop(stream);
}

/// A port that refuses connections for as long as the value lives: bound, and not listening.
#[derive(Debug)]
pub struct ClosedPort {
    socket: OwnedFd,
    port: u16,
}

impl ClosedPort {
    /// Takes a port on 127.0.0.1.
    pub fn new() -> Self {
        let socket =
            rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        rustix::net::bind(&socket, &loopback(0)).expect("a port");
        let address: SocketAddr = rustix::net::getsockname(&socket)
            .expect("the socket's address")
            .try_into()
            .expect("an IP address");
        Self {
            socket,
            port: address.port(),
        }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// A port that answers no connection attempt, as behind a firewall that drops packets: its queue of
/// connections is full, and nobody accepts them.
#[derive(Debug)]
pub struct DeafPort {
    _socket: OwnedFd,
    _queued: Vec<TcpStream>,
    port: u16,
}

impl DeafPort {
    /// Takes a port on 127.0.0.1 and fills its queue.
    #[allow(clippy::disallowed_methods)]
    pub fn new() -> Self {
        let ClosedPort { socket, port } = ClosedPort::new();
        rustix::net::listen(&socket, 0).expect("a listener");
        let mut queued = Vec::new();
        while let Ok(stream) =
            TcpStream::connect_timeout(&loopback(port), Duration::from_millis(300))
        {
            queued.push(stream);
            assert!(queued.len() < 100, "a queue of 0 is never full");
        }
        Self {
            _socket: socket,
            _queued: queued,
            port,
        }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Default for DeafPort {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for ClosedPort {
    fn default() -> Self {
        Self::new()
    }
}
