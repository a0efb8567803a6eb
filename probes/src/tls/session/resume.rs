//! A session and handshakes that offer it again: what the server issues for that, and whether it takes
//! it back. One [`Resumer`] has one means of resumption and as many handshakes as it needs.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustls::client::{
    ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls12Resumption,
    Tls13ClientSessionValue,
};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, Error, HandshakeKind, NamedGroup, SupportedProtocolVersion};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{
    AFTERMATH, AFTERMATH_FACTOR, ClientIdentity, SessionSpec, provider, record, server_name,
};
use crate::lock::lock;
use crate::net::NetError;
use crate::net::connect::{Connection, is_reset};
use crate::target::Endpoint;
use crate::wire::handshake::Messages;
use crate::wire::messages::ServerHello;
use crate::wire::record::{ContentType, Deframer};
use crate::wire::registry::AlertDescription;
use crate::wire::tls12::{NewSessionTicket, typ};

/// Handshakes that break, at most.
const FAILURES: usize = 3;

/// Tries where some were taken and some were not.
const MIXED_TRIES: usize = 4;

/// How long tickets of TLS 1.3 may follow one another, and the first one Finished, before the server is
/// asked to close the connection.
const LULL: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));

/// Bytes of the clear part of a handshake that are kept.
const MAX_CLEAR: usize = 64 * 1024;

/// Tickets kept.
const MAX_TICKETS: usize = 8;

/// By which means a session is to be resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Means {
    /// TLS 1.2, from the server's memory (RFC 5246 §7.3).
    SessionId,
    /// TLS 1.2, with a ticket (RFC 5077).
    Ticket,
    /// TLS 1.3, with the pre-shared key of a ticket (RFC 8446 §2.2).
    Psk,
}

/// Which sessions. Equal values are the same question.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ResumeSpec {
    /// The server name to send, if any.
    pub(crate) sni: Option<String>,
    /// By which means.
    pub(crate) means: Means,
    /// How often the session is offered where it is taken each time.
    pub(crate) tries: usize,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resumptions {
    /// Whether a first, full handshake was completed.
    pub(crate) established: bool,
    /// Bytes of the session id in the ServerHello of TLS 1.2.
    pub(crate) session_id: usize,
    /// The ticket of TLS 1.2, where one came.
    pub(crate) ticket: Option<NewSessionTicket>,
    /// How many tickets came behind the first handshake of TLS 1.3.
    pub(crate) tickets: u32,
    /// `max_early_data_size` of those, where one allows early data.
    pub(crate) max_early_data_size: Option<u32>,
    /// Whether the server closed the connection, so that no further ticket can come.
    pub(crate) closed: bool,
    /// For each handshake that offered a session and was completed: whether it was resumed.
    pub(crate) resumed: Vec<bool>,
    /// How handshakes broke.
    pub(crate) failures: Vec<String>,
    /// No session is kept that could be offered again.
    exhausted: bool,
    /// A handshake broke in a way that is no chance.
    hopeless: bool,
}

/// Makes the handshakes, one a connection.
#[derive(Debug)]
pub(crate) struct Resumer {
    spec: ResumeSpec,
    config: Arc<ClientConfig>,
    store: Arc<Store>,
    name: ServerName<'static>,
    seen: Resumptions,
}

impl Resumer {
    /// `identity` is presented where the server asks for a client certificate.
    pub(crate) fn new(
        spec: &ResumeSpec,
        endpoint: &Endpoint,
        identity: Option<&ClientIdentity>,
    ) -> Result<Self, NetError> {
        let store = Arc::new(Store::default());
        let config = config(spec, &store, identity).map_err(|error| NetError::Other {
            why: error.to_string(),
        })?;
        let named = SessionSpec::brief(spec.sni.clone());
        Ok(Self {
            config: Arc::new(config),
            store,
            name: server_name(&named, endpoint.address.ip()),
            spec: spec.clone(),
            seen: Resumptions::default(),
        })
    }

    /// Whether another handshake would tell more.
    pub(crate) fn wants_more(&self) -> bool {
        let seen = &self.seen;
        if seen.hopeless || seen.failures.len() >= FAILURES {
            return false;
        }
        if !seen.established {
            return true;
        }
        let taken = seen.resumed.iter().filter(|resumed| **resumed).count();
        let wanted = match seen.resumed.len() {
            made if taken > 0 && taken < made => MIXED_TRIES,
            // A refusal has to come again.
            1.. if taken == 0 => self.spec.tries.max(2),
            _ => self.spec.tries,
        };
        seen.resumed.len() < wanted && !seen.exhausted
    }

    /// Whether the last handshake broke.
    pub(crate) fn broke(&self) -> bool {
        !self.seen.failures.is_empty()
    }

    pub(crate) fn finish(self) -> Resumptions {
        self.seen
    }

    /// One handshake, with the session of an earlier one where there is one.
    pub(crate) async fn handshake(&mut self, connection: Connection<'_>) -> Result<(), NetError> {
        let limit = connection.limit();
        lock(&self.store.0).given = false;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let tap = Tap {
            inner: connection,
            heard: Vec::new(),
        };
        let work = async {
            let begun = Instant::now();
            let mut stream = connector.connect(self.name.clone(), tap).await?;
            let took = begun.elapsed();
            let closed = self.afterwards(&mut stream, took).await?;
            // A server may forget a session whose connection just broke off.
            let _ = stream.shutdown().await;
            Ok::<_, io::Error>((stream, closed))
        };
        let made = limit.run(work).await?;
        match made {
            Some(Ok((stream, closed))) => self.completed(&stream, closed),
            Some(Err(error)) => {
                let (reason, may_be_chance) = reason(&error);
                self.seen.failures.push(reason);
                self.seen.hopeless = !may_be_chance;
            }
            None => {
                let silent = "the server stopped answering in the handshake";
                self.seen.failures.push(silent.into());
            }
        }
        Ok(())
    }

    fn completed(&mut self, stream: &TlsStream<Tap<'_>>, closed: bool) {
        let (tap, connection) = stream.get_ref();
        let store = lock(&self.store.0);
        if self.seen.established {
            if store.given {
                let kind = connection.handshake_kind();
                self.seen.resumed.push(kind == Some(HandshakeKind::Resumed));
            }
        } else {
            self.seen.established = true;
            self.seen.closed = closed;
            self.seen.tickets = store.tickets;
            self.seen.max_early_data_size = store.max_early_data_size;
            if self.spec.means != Means::Psk {
                (self.seen.session_id, self.seen.ticket) = issued(&tap.heard);
            }
        }
        self.seen.exhausted = match self.spec.means {
            Means::Psk => store.tls13.is_empty(),
            Means::SessionId => self.seen.session_id == 0,
            Means::Ticket => self.seen.ticket.is_none_or(|ticket| ticket.length == 0),
        };
    }

    /// Waits for the tickets of TLS 1.3, which come after the handshake: until there is a lull. Where
    /// none comes, the server is asked to close the connection, which it will not do before it has
    /// sent them. Whether it did.
    async fn afterwards(
        &self,
        stream: &mut TlsStream<Tap<'_>>,
        took: Duration,
    ) -> io::Result<bool> {
        // They are counted once; from then on one to offer is enough.
        let enough = self.seen.established && self.kept() > 0;
        if self.spec.means != Means::Psk || enough {
            return Ok(false);
        }
        let lull = took.clamp(LULL.0, LULL.1);
        loop {
            let before = self.kept();
            let Ok(ended) = tokio::time::timeout(lull, self.heard_beyond(stream, before)).await
            else {
                break;
            };
            if ended? {
                return Ok(true);
            }
            if self.kept() <= before {
                break;
            }
        }
        if self.kept() > 0 {
            return Ok(false);
        }
        let _ = stream.shutdown().await;
        let wait = AFTERMATH.max(took * AFTERMATH_FACTOR);
        let ended = tokio::time::timeout(wait, self.heard_beyond(stream, 0)).await;
        ended.unwrap_or(Ok(false))
    }

    fn kept(&self) -> usize {
        lock(&self.store.0).tls13.len()
    }

    /// Reads until more than so many tickets are there, or until the end, which gives true.
    async fn heard_beyond(
        &self,
        stream: &mut TlsStream<Tap<'_>>,
        tickets: usize,
    ) -> io::Result<bool> {
        let mut bytes = [0; 1024];
        poll_fn(|context| {
            loop {
                let mut buffer = ReadBuf::new(&mut bytes);
                match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
                    Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                        return Poll::Ready(Ok(true));
                    }
                    Poll::Ready(Ok(())) | Poll::Pending if self.kept() > tickets => {
                        return Poll::Ready(Ok(false));
                    }
                    Poll::Pending => return Poll::Pending,
                    // What the application says does not matter.
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) if is_end(&error) => return Poll::Ready(Ok(true)),
                    Poll::Ready(Err(error)) if is_alert(&error) => return Poll::Ready(Err(error)),
                    // A flood of whatever it is: what came before it counts.
                    Poll::Ready(Err(_)) => return Poll::Ready(Ok(false)),
                }
            }
        })
        .await
    }
}

/// The session id of the ServerHello and the NewSessionTicket, from what the server sends in clear in
/// TLS 1.2.
fn issued(heard: &[u8]) -> (usize, Option<NewSessionTicket>) {
    let (mut deframer, mut messages) = (Deframer::default(), Messages::default());
    let (mut id, mut ticket) = (0, None);
    deframer.push(heard);
    while let Ok(Some(record)) = deframer.pop() {
        match record.content_type {
            ContentType::Handshake => messages.push(&record.fragment),
            ContentType::ChangeCipherSpec => break,
            _ => continue,
        }
        while let Ok(Some(message)) = messages.pop() {
            if message.typ == typ::SERVER_HELLO {
                let hello = ServerHello::decode(message.body());
                id = hello.map_or(0, |hello| hello.session_id.len());
            } else if message.typ == typ::NEW_SESSION_TICKET {
                ticket = NewSessionTicket::decode(message.body()).ok();
            }
        }
    }
    (id, ticket)
}

fn config(
    spec: &ResumeSpec,
    store: &Arc<Store>,
    identity: Option<&ClientIdentity>,
) -> Result<ClientConfig, Error> {
    let version: &'static SupportedProtocolVersion = match spec.means {
        Means::Psk => &TLS13,
        Means::SessionId | Means::Ticket => &TLS12,
    };
    let tls12 = match spec.means {
        Means::SessionId => Tls12Resumption::SessionIdOnly,
        Means::Ticket | Means::Psk => Tls12Resumption::SessionIdOrTickets,
    };
    let provider = provider();
    let recorder = Arc::new(record::Recorder::new(
        Arc::clone(&provider),
        identity.cloned(),
        &[],
    ));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&recorder) as _)
        .with_client_cert_resolver(recorder);
    config.enable_sni = spec.sni.is_some();
    config.resumption = Resumption::store(Arc::clone(store) as _).tls12_resumption(tls12);
    Ok(config)
}

/// The sessions of one server.
#[derive(Debug, Default)]
struct Store(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    /// Oldest first; each is offered once (RFC 8446 §C.4).
    tls13: VecDeque<Tls13ClientSessionValue>,
    /// How many came.
    tickets: u32,
    max_early_data_size: Option<u32>,
    /// Whether the handshake that is made has one to offer.
    given: bool,
}

impl ClientSessionStore for Store {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        lock(&self.0).group = Some(group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        lock(&self.0).group
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        // The first one: it is offered again and again.
        lock(&self.0).tls12.get_or_insert(value);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        let mut kept = lock(&self.0);
        kept.given = kept.tls12.is_some();
        kept.tls12.clone()
    }

    fn remove_tls12_session(&self, _: &ServerName<'_>) {
        lock(&self.0).tls12 = None;
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        let mut kept = lock(&self.0);
        kept.tickets += 1;
        let early = Some(value.max_early_data_size()).filter(|size| *size > 0);
        kept.max_early_data_size = kept.max_early_data_size.max(early);
        if kept.tls13.len() < MAX_TICKETS {
            kept.tls13.push_back(value);
        }
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        let mut kept = lock(&self.0);
        let ticket = kept.tls13.pop_front();
        kept.given = ticket.is_some();
        ticket
    }
}

/// Hears what the server sends first.
#[derive(Debug)]
struct Tap<'a> {
    inner: Connection<'a>,
    heard: Vec<u8>,
}

impl AsyncRead for Tap<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        let new = buffer.filled().iter().skip(before);
        let room = MAX_CLEAR.saturating_sub(self.heard.len());
        self.heard.extend(new.take(room));
        polled
    }
}

impl AsyncWrite for Tap<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// Whether the connection is over, in form or not.
fn is_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof || is_reset(error)
}

/// Whether it is an alert from the server.
fn is_alert(error: &io::Error) -> bool {
    let inner = error.get_ref();
    inner.is_some_and(|inner| matches!(inner.downcast_ref(), Some(Error::AlertReceived(_))))
}

/// How a handshake broke, in words; and whether that may have been chance.
fn reason(error: &io::Error) -> (String, bool) {
    let rustls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>());
    match rustls {
        Some(Error::AlertReceived(alert)) => {
            let alert = AlertDescription((*alert).into());
            // close_notify and internal_error.
            let may_be_chance = matches!(alert.0, 0 | 80);
            (format!("alert {alert} from the server"), may_be_chance)
        }
        None if is_reset(error) => ("the server reset the connection".into(), true),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            ("the server closed the connection".into(), true)
        }
        _ => (error.to_string(), false),
    }
}
