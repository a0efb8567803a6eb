//! One TCP connection with an end: deadline and byte limit.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::NetError;
use super::gate::Gate;
use super::opening::{BeforeTls, Next, Opening, Problem};
use crate::target::Endpoint;

/// Bytes read from one connection, at most, unless more are allowed.
pub(crate) const MAX_BYTES: usize = 256 * 1024;

/// Between the two pieces of what is sent in two: longer than a receiver waits to join them.
const BETWEEN_PIECES: Duration = Duration::from_millis(20);

/// One connection. Every wait on it ends by its deadline.
#[derive(Debug)]
pub(crate) struct Connection<'a> {
    stream: TcpStream,
    gate: &'a Gate,
    end: Instant,
    received: usize,
    most: usize,
    was_reset: bool,
    /// What came behind the dialogue before TLS, in the same breath.
    pending: Vec<u8>,
    /// How long the TCP handshake took.
    pub(crate) connect_time: Duration,
    _slot: Option<SemaphorePermit<'a>>,
}

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// So many bytes.
    Bytes(usize),
    /// FIN.
    Closed,
    /// RST.
    Reset,
    /// Nothing until the deadline.
    Nothing,
    /// The byte limit is reached.
    TooMuch,
}

impl<'a> Connection<'a> {
    /// Connects within the gate's limits: in a slot of its own, or in one that the caller holds.
    /// What goes before TLS is said, so that TLS is what comes next. `segment` limits the bytes of
    /// payload in each TCP segment, in both directions.
    pub(crate) async fn open(
        endpoint: &Endpoint,
        before: &BeforeTls,
        gate: &'a Gate,
        (timeout, segment): (Duration, Option<u32>),
        own_slot: bool,
    ) -> Result<Self, NetError> {
        let slot = if own_slot {
            Some(gate.slot().await?)
        } else {
            None
        };
        gate.pass().await?;
        let end = gate.end_of(timeout);
        let begun = Instant::now();
        let connecting = connect(endpoint.address, segment);
        let stream = match gate.until(end, connecting).await? {
            None if gate.is_late() => return Err(gate.late()),
            Some(Ok(stream)) => stream,
            // The RST of a server that has accepted already: a connection there was.
            Some(Err(error)) if before.via.is_none() && is_reset(&error) => {
                gate.count();
                return Err(NetError::Reset);
            }
            failed => {
                let error = match failed {
                    Some(Err(error)) => explain(&error, timeout),
                    _ => NetError::Timeout {
                        seconds: timeout.as_secs_f64().to_string(),
                    },
                };
                return Err(match &before.via {
                    // It is the proxy's, and says nothing about the target.
                    Some(via) => NetError::Via {
                        proxy: via.to_string(),
                        why: error.to_string(),
                    },
                    None => error,
                });
            }
        };
        gate.count();
        // Small writes leave at once; a failure to say so costs milliseconds only.
        let _ = stream.set_nodelay(true);
        let local = stream.local_addr().ok();
        let mut connection = Self {
            stream,
            gate,
            end,
            received: 0,
            most: MAX_BYTES,
            was_reset: false,
            pending: Vec::new(),
            connect_time: begun.elapsed(),
            _slot: slot,
        };
        if let Some(opening) = Opening::of(endpoint, before, local, endpoint.address) {
            Box::pin(connection.say(opening)).await?;
        }
        Ok(connection)
    }

    /// Says what goes before TLS.
    async fn say(&mut self, mut opening: Opening) -> Result<(), NetError> {
        let mut buffer = vec![0; 2048];
        loop {
            let heard = match opening.next()? {
                Next::Ready => break,
                Next::Send(bytes) => {
                    self.send(&bytes).await?;
                    continue;
                }
                Next::Wait => self.hear(&mut buffer).await?,
            };
            let problem = match heard {
                Heard::Bytes(read) => {
                    opening.push(buffer.get(..read).unwrap_or_default());
                    continue;
                }
                Heard::Closed => Problem::Closed,
                Heard::Reset => Problem::Reset,
                Heard::Nothing => Problem::Silent,
                Heard::TooMuch => Problem::TooMuch,
            };
            return Err(opening.ended(problem));
        }
        self.pending = opening.rest();
        Ok(())
    }

    /// Sends everything. A peer that has hung up is no error here: what it said can still be read.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        let sent = self
            .gate
            .until(self.end, self.stream.write_all(bytes))
            .await?;
        // The error of a reset is told once: to whoever touches the socket first.
        self.was_reset |= sent.is_some_and(|sent| sent.is_err_and(|error| is_reset(&error)));
        Ok(())
    }

    /// The same in two pieces, each in a segment of its own at least.
    pub(crate) async fn send_in_two(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        self.send(first).await?;
        self.gate.sleep(BETWEEN_PIECES).await?;
        self.send(second).await
    }

    /// Reads what is there, waiting for it until the deadline.
    ///
    /// # Errors
    /// The endpoint's time is used up, or the run is interrupted.
    pub(crate) async fn hear(&mut self, buffer: &mut [u8]) -> Result<Heard, NetError> {
        self.hear_until(buffer, self.end).await
    }

    /// Reads what is there, waiting for it so long at most.
    pub(crate) async fn hear_within(
        &mut self,
        buffer: &mut [u8],
        wait: Duration,
    ) -> Result<Heard, NetError> {
        self.hear_until(buffer, self.end.min(Instant::now() + wait))
            .await
    }

    async fn hear_until(&mut self, buffer: &mut [u8], end: Instant) -> Result<Heard, NetError> {
        if self.received >= self.most {
            return Ok(Heard::TooMuch);
        }
        if !self.pending.is_empty() {
            let count = self.pending.len().min(buffer.len());
            for (to, from) in buffer.iter_mut().zip(self.pending.drain(..count)) {
                *to = from;
            }
            return Ok(Heard::Bytes(count));
        }
        Ok(
            match self.gate.until(end, self.stream.read(buffer)).await? {
                None if self.gate.is_late() => return Err(self.gate.late()),
                None => Heard::Nothing,
                Some(Ok(0)) if self.was_reset => Heard::Reset,
                Some(Ok(0)) => Heard::Closed,
                Some(Ok(read)) => {
                    self.received += read;
                    Heard::Bytes(read)
                }
                Some(Err(error)) if is_reset(&error) => Heard::Reset,
                Some(Err(_)) => Heard::Closed,
            },
        )
    }

    /// From now on, so many bytes are read from it at most.
    pub(crate) fn allow(&mut self, bytes: usize) {
        self.most = bytes;
    }

    /// The limit of this connection, for work that takes it away.
    pub(crate) fn limit(&self) -> Limit<'a> {
        Limit {
            gate: self.gate,
            end: self.end,
        }
    }
}

/// A connection, with segments of so many bytes at most: the SYN tells the peer, too.
async fn connect(address: SocketAddr, segment: Option<u32>) -> io::Result<TcpStream> {
    let Some(segment) = segment else {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one door to the network"
        )]
        return TcpStream::connect(address).await;
    };
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    clamp(&socket, segment)?;
    socket.connect(address).await
}

#[cfg(unix)]
fn clamp(socket: &TcpSocket, segment: u32) -> io::Result<()> {
    socket2::SockRef::from(socket).set_tcp_mss(segment)
}

#[cfg(not(unix))]
fn clamp(_: &TcpSocket, _: u32) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "this system has no limit for a connection's segments",
    ))
}

/// When work on a connection has to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit<'a> {
    gate: &'a Gate,
    end: Instant,
}

impl Limit<'_> {
    /// Runs work until the connection's deadline; `None` where that comes first.
    ///
    /// # Errors
    /// The endpoint's time is used up, or the run is interrupted.
    pub(crate) async fn run<T>(self, work: impl Future<Output = T>) -> Result<Option<T>, NetError> {
        match self.gate.until(self.end, work).await? {
            None if self.gate.is_late() => Err(self.gate.late()),
            done => Ok(done),
        }
    }
}

/// The first of these addresses that takes a connection within the time; a single one is not tried.
pub(crate) async fn first_that_answers(
    addresses: &[SocketAddr],
    timeout: Duration,
) -> Option<SocketAddr> {
    if let [only] = addresses {
        return Some(*only);
    }
    for address in addresses {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one door to the network"
        )]
        let connecting = TcpStream::connect(address);
        if let Ok(Ok(_)) = tokio::time::timeout(timeout, connecting).await {
            return Some(*address);
        }
    }
    None
}

/// Whether the peer reset the connection.
pub(crate) fn is_reset(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionReset | ConnectionAborted | BrokenPipe
    )
}

pub(super) fn explain(error: &io::Error, timeout: Duration) -> NetError {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable, TimedOut};
    match error.kind() {
        ConnectionRefused => NetError::Refused,
        TimedOut => NetError::Timeout {
            seconds: timeout.as_secs_f64().to_string(),
        },
        HostUnreachable | NetworkUnreachable => NetError::Unreachable {
            why: error.to_string(),
        },
        _ => NetError::Other {
            why: error.to_string(),
        },
    }
}

impl AsyncRead for Connection<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.received >= self.most {
            let limit = format!("more than {} bytes from the server", self.most);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, limit)));
        }
        if !self.pending.is_empty() {
            let count = self.pending.len().min(buffer.remaining());
            let first: Vec<u8> = self.pending.drain(..count).collect();
            buffer.put_slice(&first);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.received += buffer.filled().len() - before;
        polled
    }
}

impl AsyncWrite for Connection<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
