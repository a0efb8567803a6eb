//! One TCP connection with an end: deadline and byte limit.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::NetError;
use super::gate::Gate;

/// Bytes read from one connection, at most.
pub(crate) const MAX_BYTES: usize = 256 * 1024;

/// One connection. Every wait on it ends by its deadline.
#[derive(Debug)]
pub(crate) struct Connection<'a> {
    stream: TcpStream,
    gate: &'a Gate,
    end: Instant,
    received: usize,
    was_reset: bool,
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
    pub(crate) async fn open(
        address: SocketAddr,
        gate: &'a Gate,
        timeout: Duration,
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
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one door to the network"
        )]
        let connecting = TcpStream::connect(address);
        let stream = match gate.until(end, connecting).await? {
            None if gate.is_late() => return Err(gate.late()),
            None => {
                return Err(NetError::Timeout {
                    seconds: timeout.as_secs_f64().to_string(),
                });
            }
            // The RST of a server that has accepted already: a connection there was.
            Some(Err(error)) if is_reset(&error) => {
                gate.count();
                return Err(NetError::Reset);
            }
            Some(Err(error)) => return Err(explain(&error, timeout)),
            Some(Ok(stream)) => stream,
        };
        gate.count();
        // Small writes leave at once; a failure to say so costs milliseconds only.
        let _ = stream.set_nodelay(true);
        Ok(Self {
            stream,
            gate,
            end,
            received: 0,
            was_reset: false,
            connect_time: begun.elapsed(),
            _slot: slot,
        })
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
        if self.received >= MAX_BYTES {
            return Ok(Heard::TooMuch);
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

    /// The limit of this connection, for work that takes it away.
    pub(crate) fn limit(&self) -> Limit<'a> {
        Limit {
            gate: self.gate,
            end: self.end,
        }
    }
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

/// Whether the peer reset the connection.
pub(crate) fn is_reset(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionReset | ConnectionAborted | BrokenPipe
    )
}

fn explain(error: &io::Error, timeout: Duration) -> NetError {
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
        if self.received >= MAX_BYTES {
            let limit = format!("more than {MAX_BYTES} bytes from the server");
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, limit)));
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
