//! Answers clients for as long as it takes to see their hellos, and sends each away with an alert.
//!
//! No handshake is made, and no certificate is needed. A client has a limited time, a hello a limited
//! length, and there are limited clients at once: the others wait in the system's queue.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gladhand_probes::Untrusted;
use gladhand_probes::clients::Offer;
use gladhand_probes::wire::client_hello_read::{HelloReader, HelloState, MAX_HELLO};
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, timeout, timeout_at};

use crate::hello::model::{Hello, Other};

/// How long a client may take to read the alert and go.
const GOODBYE: Duration = Duration::from_secs(1);

/// Bytes that are read of a client that goes on talking, at most.
const MAX_REST: usize = 64 * 1024;

/// The limits of a listener.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Seconds that a client has for its hello.
    pub timeout: Duration,
    /// Clients at once.
    pub clients: usize,
}

/// What a client brought.
#[derive(Clone, Debug)]
pub enum Came {
    /// A hello.
    Hello(Box<Hello>),
    /// Something else.
    Other(Box<Other>),
}

/// Takes clients until nobody wants to hear of them any more.
///
/// # Errors
/// The system gives no connections.
pub async fn listen(
    listener: TcpListener,
    limits: Limits,
    now: fn() -> OffsetDateTime,
    came: mpsc::Sender<Came>,
) -> io::Result<()> {
    let clients = Arc::new(Semaphore::new(limits.clients));
    loop {
        let Ok(permit) = Arc::clone(&clients).acquire_owned().await else {
            return Ok(());
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = came.closed() => return Ok(()),
        };
        let (stream, source) = match accepted {
            Ok(accepted) => accepted,
            // A client that went away again, or too many open files: others may come.
            Err(error) if is_passing(&error) => {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        let came = came.clone();
        tokio::spawn(async move {
            let told = client(stream, source, limits.timeout, now).await;
            drop(permit);
            let _ = came.send(told).await;
        });
    }
}

fn is_passing(error: &io::Error) -> bool {
    /// ENFILE and EMFILE, which have no kind.
    const TOO_MANY_FILES: [Option<i32>; 2] = [Some(23), Some(24)];
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
            | io::ErrorKind::WouldBlock
    ) || TOO_MANY_FILES.contains(&error.raw_os_error())
}

/// Hears one client out, and sends it away.
async fn client(
    mut stream: TcpStream,
    source: SocketAddr,
    patience: Duration,
    now: fn() -> OffsetDateTime,
) -> Came {
    let destination = stream.local_addr();
    let destination = destination.map_or_else(|_| "unknown".into(), |address| address.to_string());
    let mut reader = HelloReader::default();
    let state = first_words(&mut stream, &mut reader, Instant::now() + patience).await;
    let at = Some(now());
    let goodbye = goodbye(&state);
    // Nobody is kept waiting for what the client makes of it.
    tokio::spawn(async move {
        let _ = timeout(GOODBYE, send_away(stream, &goodbye)).await;
    });
    let what = match state {
        Heard::State(HelloState::Hello(received)) => {
            return hello(source, destination, at, Offer::from(&*received));
        }
        Heard::State(HelloState::Ssl2(offer)) => {
            return hello(source, destination, at, Offer::from(&offer));
        }
        Heard::State(HelloState::NotTls) => "no TLS".into(),
        Heard::State(HelloState::Malformed(error)) => format!("a broken ClientHello: {error}"),
        Heard::State(HelloState::Incomplete) | Heard::Late => "no whole ClientHello in time".into(),
        Heard::Closed => "the client closed before its ClientHello was whole".into(),
        Heard::Failed(error) => format!("the connection failed: {error}"),
    };
    let first = reader.first_bytes();
    let text = !first.is_empty() && first.first() != Some(&22);
    Came::Other(Box::new(Other {
        source: source.to_string(),
        destination,
        at,
        what,
        first_bytes: text.then(|| Untrusted::from_bytes(first)),
        ..Other::default()
    }))
}

fn hello(
    source: SocketAddr,
    destination: String,
    at: Option<OffsetDateTime>,
    offer: Offer,
) -> Came {
    Came::Hello(Box::new(Hello {
        source: source.to_string(),
        destination,
        at,
        offer,
        ..Hello::default()
    }))
}

enum Heard {
    State(HelloState),
    Closed,
    Late,
    Failed(io::Error),
}

async fn first_words(stream: &mut TcpStream, reader: &mut HelloReader, until: Instant) -> Heard {
    let mut buffer = [0; 4096];
    let mut left = MAX_HELLO + MAX_HELLO / 4;
    loop {
        let read = match timeout_at(until, stream.read(&mut buffer)).await {
            Err(_) => return Heard::Late,
            Ok(Err(error)) => return Heard::Failed(error),
            Ok(Ok(0)) => return Heard::Closed,
            Ok(Ok(read)) => read,
        };
        match reader.push(buffer.get(..read).unwrap_or_default()) {
            // Records of a few bytes each announce more than they carry.
            HelloState::Incomplete if read > left => return Heard::Late,
            HelloState::Incomplete => left -= read,
            state => return Heard::State(state),
        }
    }
}

/// The last words: handshake_failure in the client's version of the record layer (RFC 8446 §5.1); to what
/// is no TLS, none.
fn goodbye(heard: &Heard) -> Vec<u8> {
    const HANDSHAKE_FAILURE: u8 = 40;
    let version = match heard {
        Heard::State(HelloState::Hello(received)) => received.hello.legacy_version,
        // Whoever knows nothing newer than SSLv2 knows no alerts.
        Heard::State(HelloState::Ssl2(offer)) if offer.version >= 0x0300 => offer.version,
        Heard::State(HelloState::Malformed(_)) => 0x0301,
        _ => return Vec::new(),
    };
    let [_, minor] = version.clamp(0x0300, 0x0303).to_be_bytes();
    vec![21, 3, minor, 0, 2, 2, HANDSHAKE_FAILURE]
}

/// Says goodbye, and reads on until the client goes: data that nobody reads would make the system reset
/// the connection, and the alert would be lost.
async fn send_away(mut stream: TcpStream, goodbye: &[u8]) -> io::Result<()> {
    stream.write_all(goodbye).await?;
    stream.shutdown().await?;
    let mut buffer = [0; 4096];
    let mut rest = 0;
    while rest < MAX_REST {
        match stream.read(&mut buffer).await? {
            0 => break,
            read => rest += read,
        }
    }
    Ok(())
}
