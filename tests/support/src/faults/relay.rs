//! One connection to the server behind the proxy, and what becomes of its answer on the way back.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt;

use super::{Fault, Instead};
use crate::net;
use crate::wire::{self, Incoming};

const WARNING: u8 = 1;
const FATAL: u8 = 2;
const UNRECOGNIZED_NAME: u8 = 112;
/// The version of the records that the proxy makes itself.
const RECORD: u16 = 0x0303;

/// Goes on until told to end in another way than the server does.
type Flow = ControlFlow<Instead>;

/// Gives a client something else, and no server.
pub(super) fn instead(mut client: TcpStream, instead: Instead) {
    if let Instead::Reset = instead {
        return net::reset(client);
    }
    say(&mut client, instead);
    drain(&mut client);
}

/// Takes a client's first message to the server, and then everything in both directions.
pub(super) fn pass_on(
    client: TcpStream,
    mut server: TcpStream,
    incoming: &Incoming,
    raw: &[u8],
    faults: &[Fault],
) {
    let _ = server.set_nodelay(true);
    let delay = delay(faults);
    thread::sleep(delay);
    if server.write_all(raw).is_err() {
        return net::reset(client);
    }
    let retry = Arc::new(OnceLock::new());
    let (Ok(from_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else {
        return net::reset(client);
    };
    let up = {
        let retry = Arc::clone(&retry);
        thread::spawn(move || up(from_client, to_server, delay, &retry))
    };
    let mut answer = Answer {
        client,
        faults,
        named: matches!(incoming, Incoming::Tls(hello) if hello.server_name().is_some()),
        retry,
        pending: Vec::new(),
        first: true,
        in_the_clear: true,
        sent: 0,
    };
    let end = answer.relay(&mut server);
    let mut client = answer.client;
    let _ = server.shutdown(Shutdown::Both);
    if let Instead::Reset = end {
        // The last of the two descriptors that closes sends the RST: the other thread must let go.
        let _ = sockopt::set_socket_linger(&client, Some(Duration::ZERO));
        let _ = client.shutdown(Shutdown::Read);
    } else {
        say(&mut client, end);
    }
    let _ = up.join();
}

/// From the client to the server. What the server no longer takes is read all the same: octets that
/// nobody read would turn a FIN into a RST.
fn up(mut client: TcpStream, mut server: TcpStream, delay: Duration, retry: &OnceLock<Vec<u8>>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        if let Some(retry) = retry.get() {
            let _ = client.write_all(retry);
            continue;
        }
        thread::sleep(delay);
        let _ = server.write_all(&buffer[..count]);
    }
    let _ = server.shutdown(Shutdown::Both);
}

/// The server's answer on its way to the client.
struct Answer<'a> {
    client: TcpStream,
    faults: &'a [Fault],
    /// Whether the hello has a server name.
    named: bool,
    /// The HelloRetryRequest, once it was sent and is to be sent again.
    retry: Arc<OnceLock<Vec<u8>>>,
    /// A record that is not whole yet.
    pending: Vec<u8>,
    /// Nothing was sent yet.
    first: bool,
    /// Records can still be read.
    in_the_clear: bool,
    /// Octets that the client got.
    sent: usize,
}

impl Answer<'_> {
    /// Relays until the server or a fault ends it; says how it ends.
    fn relay(&mut self, server: &mut TcpStream) -> Instead {
        let mut buffer = [0; 16 * 1024];
        loop {
            let read = match server.read(&mut buffer) {
                Ok(0) => return Instead::Close,
                Ok(count) => &buffer[..count],
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Instead::Reset,
                Err(_) => return Instead::Close,
            };
            thread::sleep(delay(self.faults));
            self.pending.extend(read);
            while let Some(record) = self.next_record() {
                if let Flow::Break(instead) = self.record(&record) {
                    return instead;
                }
            }
        }
    }

    /// The next whole record; what is not TLS passes as it comes.
    fn next_record(&mut self) -> Option<Vec<u8>> {
        let length = match *self.pending.as_slice() {
            [20..=23, 3, _, high, low, ..] => 5 + usize::from(u16::from_be_bytes([high, low])),
            [] | [20..=23, 3, ..] | [20..=23] => return None,
            _ => self.pending.len(),
        };
        (self.pending.len() >= length).then(|| self.pending.drain(..length).collect())
    }

    fn record(&mut self, record: &[u8]) -> Flow {
        let [kind, major, minor, _, _, payload @ ..] = record else {
            return self.send(record);
        };
        let version = u16::from_be_bytes([*major, *minor]);
        let handshake = *kind == wire::HANDSHAKE && self.in_the_clear;
        if matches!(*kind, wire::CHANGE_CIPHER_SPEC | wire::APPLICATION_DATA) {
            self.in_the_clear = false;
        }
        if self.in_the_clear && *kind == wire::ALERT && payload.first() == Some(&FATAL) {
            for fault in self.faults {
                if let Fault::Alert(instead) = fault {
                    return Flow::Break(*instead);
                }
            }
        }
        let first = std::mem::replace(&mut self.first, false);
        if first {
            self.warnings()?;
        }
        for fault in self.faults {
            match *fault {
                Fault::EndlessRetry if first && wire::is_retry(payload) => {
                    let _ = self.retry.set(record.to_vec());
                }
                Fault::AfterServerHello(instead) if first && handshake => {
                    let message = wire::first_message(payload).unwrap_or(payload);
                    self.send(&wire::records(*kind, version, message, 16_384))?;
                    return Flow::Break(instead);
                }
                Fault::Records(octets) if handshake => {
                    return self.send(&wire::records(*kind, version, payload, octets));
                }
                _ => {}
            }
        }
        self.send(record)
    }

    fn warnings(&mut self) -> Flow {
        for fault in self.faults {
            let numbers: &[u8] = match fault {
                Fault::Warnings(numbers) => numbers,
                Fault::NameWarning if self.named => &[UNRECOGNIZED_NAME],
                _ => &[],
            };
            for number in numbers {
                self.send(&wire::alert(RECORD, WARNING, *number))?;
            }
        }
        Flow::Continue(())
    }

    /// Sends, as slowly and as far as the faults allow. Who has left is told nothing more.
    fn send(&mut self, bytes: &[u8]) -> Flow {
        let mut bytes = bytes;
        let mut then = None;
        for fault in self.faults {
            if let Fault::After(limit, instead) = *fault
                && self.sent + bytes.len() > limit
            {
                bytes = &bytes[..limit - self.sent];
                then = Some(instead);
            }
        }
        for fault in self.faults {
            if let Fault::Trickle { octets, pause } = *fault {
                let slow = bytes.len().min(octets.saturating_sub(self.sent));
                let (one_by_one, rest) = bytes.split_at(slow);
                for byte in one_by_one {
                    self.write(&[*byte])?;
                    thread::sleep(pause);
                }
                bytes = rest;
            }
        }
        self.write(bytes)?;
        then.map_or(Flow::Continue(()), Flow::Break)
    }

    fn write(&mut self, bytes: &[u8]) -> Flow {
        self.sent += bytes.len();
        match self.client.write_all(bytes) {
            Ok(()) => Flow::Continue(()),
            Err(_) => Flow::Break(Instead::Close),
        }
    }
}

/// Half of the latency: it is there on the way to the server, and on the way back.
fn delay(faults: &[Fault]) -> Duration {
    let latency = faults.iter().find_map(|fault| match fault {
        Fault::Latency(latency) => Some(*latency / 2),
        _ => None,
    });
    latency.unwrap_or_default()
}

/// What there is to say, and FIN, unless it is silence.
fn say(client: &mut TcpStream, instead: Instead) {
    let bytes = match instead {
        Instead::Alert(number) => wire::alert(RECORD, FATAL, number),
        Instead::ServerHello(version, suite) => {
            let hello = wire::server_hello(version, suite, &wire::renegotiation_info());
            wire::records(wire::HANDSHAKE, RECORD, &hello, 16_384)
        }
        Instead::Silence => return,
        Instead::Close | Instead::Reset => vec![],
    };
    let _ = client.write_all(&bytes);
    let _ = client.shutdown(Shutdown::Write);
}

/// Reads and forgets until the client leaves.
fn drain(client: &mut TcpStream) {
    let mut buffer = [0; 4096];
    while let Ok(1..) = client.read(&mut buffer) {}
}
