//! A TCP proxy that counts the connections to the server behind it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::net;

/// Passes connections on to one port, byte for byte, and counts them.
#[derive(Debug)]
pub struct CountingProxy {
    port: u16,
    count: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

impl CountingProxy {
    /// In front of the server on this loopback port.
    pub fn before(server: u16) -> Self {
        let listener = TcpListener::bind(net::loopback(0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let count = Arc::new(AtomicUsize::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        {
            let (count, stop) = (Arc::clone(&count), Arc::clone(&stop));
            thread::spawn(move || {
                for client in listener.incoming().flatten() {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    count.fetch_add(1, Ordering::SeqCst);
                    thread::spawn(move || pass_on(client, server));
                }
            });
        }
        Self { port, count, stop }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections it took so far.
    pub fn connections(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

impl Drop for CountingProxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = net::connect(self.port);
    }
}

/// Passes a connection on to a loopback port until either side ends.
pub(crate) fn pass_on(client: TcpStream, server: u16) {
    let Ok(server) = net::connect(server) else {
        return net::reset(client);
    };
    let (Ok(from_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let up = thread::spawn(move || copy(from_client, to_server));
    copy(server, client);
    let _ = up.join();
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut buffer) {
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}
