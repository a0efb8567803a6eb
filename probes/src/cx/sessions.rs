//! What goes over a connection besides one hello: handshakes, HTTP, plaintext; and fetches elsewhere.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::Cx;
use super::exchange::random;
use crate::fact;
use crate::http::{self, Request};
use crate::net::NetError;
use crate::net::connect::{Connection, Heard, Limit};
use crate::net::fetch::{self, FetchError, Fetched};
use crate::net::gate::Gate;
use crate::probe::ProbeError;
use crate::target::Endpoint;
use crate::tls::handshake::HandshakeOutcome;
use crate::tls::issuers::IssuersSeen;
use crate::tls::renegotiate::{self, Asked};
use crate::tls::session::{self, ResumeSpec, Resumer, Resumptions, Session, SessionSpec, Stream};
use crate::wire::registry::AlertDescription;

/// How often a handshake is made again that ended without a word from the server.
const SECOND_HANDSHAKES: u32 = 3;

/// How often a renegotiation is asked for again whose answer may be chance.
const RENEGOTIATIONS: u32 = 2;

impl Cx {
    /// One real handshake, completed by rustls; done once a specification. One that ends without a
    /// word from the server is made again while nothing else goes on.
    pub(crate) async fn session(&self, spec: &SessionSpec) -> Result<Arc<Session>, NetError> {
        let cell = self.sessions.cell(spec);
        let made = cell.get_or_try_init(async || {
            let mut last = self.session_now(spec, true).await;
            if last.as_ref().is_ok_and(|session| !session.may_be_chance()) {
                return last;
            }
            let Ok(_quiet) = self.quiet().await else {
                return last;
            };
            for _ in 0..SECOND_HANDSHAKES {
                last = self.session_now(spec, false).await.or(last);
                // Silence costs a whole deadline: once more is enough.
                let ended = last.as_ref().is_ok_and(|session| {
                    !session.may_be_chance() || session.outcome == HandshakeOutcome::Silent
                });
                if ended || self.is_gone() {
                    break;
                }
            }
            last
        });
        made.await.cloned()
    }

    async fn session_now(
        &self,
        spec: &SessionSpec,
        own_slot: bool,
    ) -> Result<Arc<Session>, NetError> {
        session::warm_up().await;
        let begun = Instant::now();
        let connection = self.connect(self.settings.timeout, None, own_slot).await?;
        let identity = self.settings.client_identity.as_ref();
        let request = self.http.as_ref();
        let session = Session::run(connection, spec, &self.endpoint, identity, request).await?;
        if session.completed() {
            self.good(begun);
        }
        Ok(Arc::new(session))
    }

    /// Handshakes that offer a session again; made once a specification. Where one breaks, the others are
    /// made while nothing else goes on.
    pub(crate) async fn resumptions(
        &self,
        spec: &ResumeSpec,
    ) -> Result<Arc<Resumptions>, NetError> {
        let cell = self.resumptions.cell(spec);
        let made = cell.get_or_try_init(async || {
            let mut resumer =
                Resumer::new(spec, &self.endpoint, self.settings.client_identity.as_ref())?;
            let mut quiet = None;
            while resumer.wants_more() {
                if resumer.broke() && quiet.is_none() {
                    quiet = Some(self.quiet().await?);
                }
                match self
                    .connect(self.settings.timeout, None, quiet.is_none())
                    .await
                {
                    Ok(connection) => resumer.handshake(connection).await?,
                    Err(_) if quiet.is_none() => quiet = Some(self.quiet().await?),
                    Err(error) => return Err(error),
                }
            }
            Ok(Arc::new(resumer.finish()))
        });
        made.await.cloned()
    }

    /// Another handshake asked for on a connection that has finished one of TLS 1.2; where what comes back
    /// may be chance, again while nothing else goes on.
    pub(crate) async fn renegotiate(&self) -> Result<Vec<Asked>, NetError> {
        let ask = async |own_slot| {
            let connection = self.connect(self.settings.timeout, None, own_slot).await?;
            let silence = self.silence();
            renegotiate::ask(connection, self.sni(), random, silence).await
        };
        let mut asked: Vec<Asked> = ask(true).await.into_iter().collect();
        if asked.last().is_some_and(|asked| !asked.may_be_chance()) {
            return Ok(asked);
        }
        let _quiet = self.quiet().await?;
        for _ in 0..RENEGOTIATIONS {
            asked.push(ask(false).await?);
            let decided = renegotiate::fact(&asked).answer != fact::Answer::Undetermined;
            if decided || asked.last().is_some_and(|asked| !asked.may_be_chance()) {
                break;
            }
        }
        Ok(asked)
    }

    /// What a certificate points to, from wherever that is. It is no connection to the endpoint, and
    /// goes past what is said before TLS there.
    pub(crate) async fn fetch(&self, request: &fetch::Request<'_>) -> Result<Fetched, FetchError> {
        if self.settings.before_tls.via.is_some() {
            return Err(FetchError::Proxy);
        }
        let terms = fetch::Terms {
            gate: &self.gate,
            target: self.endpoint.address.ip(),
            timeout: self.settings.timeout,
            family: self.settings.family,
        };
        fetch::fetch(request, &terms).await
    }

    /// The issuers' certificates that the server does not send; fetched once.
    pub(crate) async fn issuers(
        &self,
        find_out: impl Future<Output = Result<IssuersSeen, ProbeError>>,
    ) -> Result<IssuersSeen, ProbeError> {
        self.issuers.get_or_init(|| find_out).await.clone()
    }

    /// Plaintext bytes sent, and what came back: for telling what a port speaks if not TLS.
    pub(crate) async fn plaintext(
        &self,
        request: &[u8],
        wait: Duration,
    ) -> Result<Plaintext, NetError> {
        let mut connection = self.connect(self.settings.timeout, None, true).await?;
        let connect_time = connection.connect_time;
        connection.send(request).await?;
        let mut buffer = vec![0; 1024];
        let heard = connection.hear_within(&mut buffer, wait).await?;
        let first = match heard {
            Heard::Bytes(read) => buffer.get(..read).unwrap_or_default().to_vec(),
            _ => Vec::new(),
        };
        Ok(Plaintext {
            first,
            heard,
            connect_time,
        })
    }

    /// A connection for HTTP as a load balancer's, with TLS unless plaintext is expected; it lasts as long
    /// as `lasts`. `gate`: within other limits than the endpoint's.
    pub(crate) async fn stream<'a>(
        &'a self,
        gate: Option<&'a Gate>,
        lasts: Duration,
        alpn: &[&str],
    ) -> Result<(Stream<'a>, Limit<'a>), NoStream> {
        let gate = gate.unwrap_or(&self.gate);
        let before = &self.settings.before_tls;
        let timeout = self.settings.timeout;
        let connecting = Connection::open(&self.endpoint, before, gate, (lasts, None), true);
        let late = NetError::Timeout {
            seconds: timeout.as_secs_f64().to_string(),
        };
        let mut connection = match tokio::time::timeout(timeout, connecting).await {
            Ok(connected) => connected?,
            Err(_) => return Err(late.into()),
        };
        connection.allow(http::MOST);
        let limit = connection.limit();
        if self.endpoint.plaintext {
            return Ok((Stream::Plain(connection), limit));
        }
        session::warm_up().await;
        let spec = SessionSpec {
            alpn: alpn.iter().map(ToString::to_string).collect(),
            ..SessionSpec::brief(self.sni())
        };
        let identity = self.settings.client_identity.as_ref();
        let shaking = Stream::tls(connection, &spec, &self.endpoint, identity);
        let Ok(shaken) = tokio::time::timeout(timeout, shaking).await else {
            let why = "the server stopped answering in the handshake";
            return Err(NoStream::Handshake(why.into(), None));
        };
        match shaken? {
            Ok(stream) => Ok((stream, limit)),
            Err((why, alert)) => Err(NoStream::Handshake(why, alert)),
        }
    }

    /// A gate of its own for something that outlasts the endpoint's deadline; its connections count.
    pub(crate) async fn beyond_the_deadline<T>(
        &self,
        allowed: Duration,
        work: impl AsyncFnOnce(&Gate) -> T,
    ) -> T {
        let gate = Gate::new(1, None, allowed, self.settings.interrupt.clone());
        let done = work(&gate).await;
        self.elsewhere.fetch_add(gate.opened(), Ordering::Relaxed);
        done
    }

    /// The HTTP request that goes over the ordinary handshake's session; none where none is asked for.
    pub(crate) fn http(&self) -> Option<&Request> {
        self.http.as_ref()
    }

    /// The answer to an HTTP request without TLS, at a neighbour of this endpoint.
    pub(crate) async fn plain_http(
        &self,
        neighbour: &Endpoint,
        request: &Request,
    ) -> Result<http::Exchange, NetError> {
        let (before, timeout) = (&self.settings.before_tls, self.settings.timeout);
        let connecting = Connection::open(neighbour, before, &self.gate, (timeout, None), true);
        let mut connection = connecting.await?;
        let (limit, connect_time) = (connection.limit(), connection.connect_time);
        let mut exchange = http::Exchange::default();
        // How it ended stands in the exchange; time that is up leaves it silent.
        let run = exchange.run(&mut connection, request, connect_time);
        let _ = limit.run(run).await?;
        Ok(exchange)
    }
}

/// Why there is nothing that HTTP could go over.
#[derive(Clone, Debug)]
pub(crate) enum NoStream {
    /// There is no connection.
    Net(NetError),
    /// The handshake fails; how, and by which alert.
    Handshake(String, Option<AlertDescription>),
}

impl From<NetError> for NoStream {
    fn from(error: NetError) -> Self {
        Self::Net(error)
    }
}

impl From<NoStream> for ProbeError {
    fn from(why: NoStream) -> Self {
        match why {
            NoStream::Net(error) => error.into(),
            NoStream::Handshake(why, _) => Self::undecided(format!("the handshake fails: {why}")),
        }
    }
}

/// What a plaintext request was answered with.
#[derive(Clone, Debug)]
pub(crate) struct Plaintext {
    /// The first bytes; none where none came.
    pub(crate) first: Vec<u8>,
    /// What was heard first.
    pub(crate) heard: Heard,
    /// How long the TCP handshake took.
    pub(crate) connect_time: Duration,
}
