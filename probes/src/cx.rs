//! The only door from a probe to the network: asks hellos, within the endpoint's limits, and
//! remembers the answers, so that a question two probes have in common is put once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::fact;
use crate::http::{self, Request};
use crate::lock::lock;
use crate::net::NetError;
use crate::net::connect::{Connection, Heard};
use crate::net::fetch::{self, FetchError, Fetched};
use crate::net::gate::{AllSlots, Gate};
use crate::probe::ProbeError;
use crate::settings::Settings;
use crate::steadiness::{Noticed, Steadiness};
use crate::target::Endpoint;
use crate::tls::ask::{self, Reply};
use crate::tls::handshake::HandshakeOutcome;
use crate::tls::hellos::{Delivery, Hello, HelloOutcome};
use crate::tls::issuers::IssuersSeen;
use crate::tls::renegotiate::{self, Asked};
use crate::tls::session::{self, ResumeSpec, Resumer, Resumptions, Session, SessionSpec};
use crate::tls::versions::Version;
use crate::wire::flight::{FlightDecoder, State};
use crate::wire::messages::Alert;
use crate::wire::registry::{AlertDescription, ProtocolVersion};
use crate::wire::ssl2::{self, Ssl2Answer};

/// How long silence lasts that says something: at least so long, and so many times the TCP handshake.
const SILENCE: Duration = Duration::from_secs(1);
const SILENCE_FACTOR: u32 = 10;

/// How long the rest of a banner is waited for, once its first bytes are there.
const BANNER_WAIT: Duration = Duration::from_millis(300);

/// Connections refused in a row, after which a server counts as gone.
const GONE: u32 = 8;

/// How often a handshake is made again that ended without a word from the server.
const SECOND_HANDSHAKES: u32 = 3;

/// How often a renegotiation is asked for again whose answer may be chance.
const RENEGOTIATIONS: u32 = 2;

/// How often a control is sent at once, then after a pause each time, the longer the oftener; and the
/// time that all of it may take.
const CONTROLS: u32 = 2;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const PAUSES: u32 = 5;
const BACKING_OFF: Duration = Duration::from_secs(12);

/// How often it is looked for an answer to something else that serves as a control: a quarter of a round
/// trip each.
const LOOKS_FOR_GOOD: u32 = 16;

/// Of the rate that a server bore, so much is asked of it afterwards.
const OF_ITS_RATE: f64 = 0.7;

/// One endpoint, as its probes see it.
#[derive(Debug)]
pub struct Cx {
    pub(crate) endpoint: Endpoint,
    pub(crate) settings: Settings,
    gate: Gate,
    hellos: Memo<Hello, Told>,
    replies: Memo<Hello, Reply>,
    versions: Memo<ProtocolVersion, Version>,
    sessions: Memo<SessionSpec, Arc<Session>>,
    resumptions: Memo<ResumeSpec, Arc<Resumptions>>,
    issuers: OnceCell<Result<IssuersSeen, ProbeError>>,
    known_good: OnceLock<Hello>,
    last_good: Mutex<Option<Instant>>,
    longest_answered: AtomicUsize,
    refuses_clearly: AtomicBool,
    waited_in_vain: AtomicBool,
    refused_in_a_row: AtomicU32,
    steadiness: Steadiness,
    way_of_refusing: Mutex<Option<(HelloOutcome, u32)>>,
    longest_in_bytes: AtomicUsize,
    slowest_connect: Mutex<Duration>,
    dropped: Mutex<HashMap<Hello, Instant>>,
    control_turn: tokio::sync::Mutex<()>,
    http: Option<Request>,
}

/// What a hello was answered with.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// The answer, or why the hello could not be sent.
    pub(crate) outcome: Result<HelloOutcome, NetError>,
    /// When the answer was there.
    pub(crate) at: Instant,
    /// How long the TCP handshake took.
    pub(crate) connect_time: Option<Duration>,
    /// Whether other connections to the endpoint were open at the same time.
    pub(crate) in_company: bool,
}

impl Told {
    /// Whether the server took up an offer.
    pub(crate) fn is_hello(&self) -> bool {
        self.outcome.as_ref().is_ok_and(HelloOutcome::is_hello)
    }

    /// Whether it is a hello, or a refusal that the RFCs define.
    pub(crate) fn is_clear(&self) -> bool {
        self.outcome.is_ok() && !ask::is_ambiguous(self)
    }
}

impl Cx {
    pub(crate) fn new(endpoint: &Endpoint, settings: &Settings) -> Self {
        Self {
            endpoint: endpoint.clone(),
            gate: Gate::new(
                settings.max_connections,
                settings.rate,
                settings.deadline,
                settings.interrupt.clone(),
            ),
            settings: settings.clone(),
            hellos: Memo::default(),
            replies: Memo::default(),
            versions: Memo::default(),
            sessions: Memo::default(),
            resumptions: Memo::default(),
            issuers: OnceCell::new(),
            known_good: OnceLock::new(),
            last_good: Mutex::new(None),
            longest_answered: AtomicUsize::new(0),
            refuses_clearly: AtomicBool::new(false),
            waited_in_vain: AtomicBool::new(false),
            refused_in_a_row: AtomicU32::new(0),
            steadiness: Steadiness::default(),
            way_of_refusing: Mutex::new(None),
            longest_in_bytes: AtomicUsize::new(0),
            slowest_connect: Mutex::new(Duration::ZERO),
            dropped: Mutex::default(),
            control_turn: tokio::sync::Mutex::default(),
            http: http::request(endpoint, settings),
        }
    }

    /// Whether the probe was asked for.
    pub(crate) fn chosen(&self, id: &str) -> bool {
        self.settings.selection.contains(id)
    }

    /// Panics where the settings say so: the tests of what a panic costs.
    pub(crate) fn fail_point(&self, id: &str) {
        assert!(
            self.settings.fail_point.as_deref() != Some(id),
            "the fail point of `{id}`"
        );
    }

    /// How many connections were opened.
    pub(crate) fn connections(&self) -> u32 {
        self.gate.opened()
    }

    /// The name to be sent, if any.
    pub(crate) fn sni(&self) -> Option<String> {
        self.endpoint.sni.clone()
    }

    /// The answer to a hello; asked once, however many probes want it. Where there is no connection,
    /// it is not remembered.
    pub(crate) async fn ask(&self, hello: &Hello) -> Told {
        let cell = self.hellos.cell(hello);
        let asked = cell.get_or_try_init(async || {
            let told = self.ask_now(hello, self.patience(), true).await;
            // A guess that had no answer, and the question that has one: the first was lost.
            let dropped = lock(&self.dropped).remove(hello);
            if let Some(at) = dropped
                && told.is_clear()
            {
                self.steadiness.lost(at, true);
            }
            if told.outcome.is_ok() {
                Ok(told)
            } else {
                Err(told)
            }
        });
        asked.await.cloned().unwrap_or_else(|told| told)
    }

    /// Asks what is likely to be asked next, side by side, so that the answers are there by then. What
    /// is not clear is not remembered: a guess counts for nothing against the server.
    pub(crate) async fn look_ahead(&self, hellos: impl IntoIterator<Item = Hello>) {
        if !self.may_look_ahead() {
            return;
        }
        let asking = hellos.into_iter().map(|hello| async move {
            let cell = self.hellos.cell(&hello);
            let asked = cell.get_or_try_init(async || {
                let told = self.ask_now(&hello, self.patience(), true).await;
                let usual = self.way_of_refusing();
                let as_usual = |outcome: &HelloOutcome| {
                    ask::is_close_notify(outcome)
                        || usual.is_some_and(|usual| usual.same_kind(outcome))
                };
                if told.is_clear() || told.outcome.as_ref().is_ok_and(as_usual) {
                    Ok(told)
                } else {
                    lock(&self.dropped).insert(hello.clone(), told.at);
                    Err(())
                }
            });
            let _ = asked.await;
        });
        join_all(asking).await;
    }

    /// Whether questions may be put that could turn out to be needless: not to a server that has shown
    /// any trouble, and not where the user wants few connections.
    pub(crate) fn may_look_ahead(&self) -> bool {
        self.gate.at_once() >= 4
            && self.settings.rate.is_none()
            && !self.steadiness.is_doubtful()
            && !self.is_gone()
    }

    /// Whether a hello is answered already.
    pub(crate) fn knows(&self, hello: &Hello) -> bool {
        self.hellos.cell(hello).initialized()
    }

    async fn ask_now(&self, hello: &Hello, timeout: Duration, own_slot: bool) -> Told {
        let mut in_company = false;
        let (outcome, connect_time) = match self.exchange(hello, timeout, own_slot).await {
            Err(NetError::Reset) => {
                in_company = own_slot && self.gate.busy() > 0;
                (Ok(HelloOutcome::Reset), None)
            }
            Ok(exchange) => {
                in_company = exchange.in_company;
                if exchange.outcome.is_hello() {
                    self.good(exchange.begun);
                    self.longest_answered
                        .fetch_max(hello.length(), Ordering::Relaxed);
                    self.longest_in_bytes
                        .fetch_max(exchange.sent, Ordering::Relaxed);
                }
                let mut slowest = lock(&self.slowest_connect);
                *slowest = (*slowest).max(exchange.connect_time);
                drop(slowest);
                (Ok(exchange.outcome), Some(exchange.connect_time))
            }
            Err(error) => (Err(error), None),
        };
        self.steadiness.asked();
        match outcome {
            Err(NetError::Refused) => _ = self.refused_in_a_row.fetch_add(1, Ordering::Relaxed),
            Err(_) => {}
            Ok(_) => self.refused_in_a_row.store(0, Ordering::Relaxed),
        }
        let told = Told {
            outcome,
            at: Instant::now(),
            connect_time,
            in_company,
        };
        if told.is_clear() {
            self.steadiness.answered();
        }
        told
    }

    /// The same question once more, with an answer of its own, beside whatever else goes on.
    pub(crate) async fn ask_again(&self, hello: &Hello) -> Told {
        self.ask_now(hello, self.settings.timeout, true).await
    }

    /// Waits until no connection to the endpoint is open, and keeps it so: what is then asked is
    /// not disturbed by the other probes.
    pub(crate) async fn quiet(&self) -> Result<Quiet<'_>, NetError> {
        let mut slots = self.gate.all_slots().await?;
        if self.steadiness.wants_narrowing() {
            slots.narrow(self.gate.at_once() / 2);
        }
        Ok(Quiet {
            cx: self,
            _slots: slots,
        })
    }

    /// Waits, within the endpoint's deadline.
    pub(crate) async fn pause(&self, pause: Duration) -> Result<(), NetError> {
        self.gate.sleep(pause).await
    }

    /// The reply to a question, found out once: a refusal that took a control to be sure of is sure
    /// for every probe.
    pub(crate) async fn reply(
        &self,
        hello: &Hello,
        find_out: impl Future<Output = Reply>,
    ) -> Reply {
        self.replies
            .cell(hello)
            .get_or_init(|| find_out)
            .await
            .clone()
    }

    /// Whether a hello is known that this server answers.
    pub(crate) fn answers_anything(&self) -> bool {
        self.known_good.get().is_some()
    }

    /// How many suites were offered in the longest hello that was answered.
    pub(crate) fn longest_answered(&self) -> usize {
        self.longest_answered.load(Ordering::Relaxed)
    }

    /// How many bytes the longest hello had that was answered.
    pub(crate) fn longest_in_bytes(&self) -> usize {
        self.longest_in_bytes.load(Ordering::Relaxed)
    }

    /// Notes how this server refuses, confirmed by a control and by repetition.
    pub(crate) fn note_way_of_refusing(&self, outcome: &HelloOutcome) {
        let mut way = lock(&self.way_of_refusing);
        *way = match way.take() {
            Some((known, times)) if known.same_kind(outcome) => Some((known, times + 1)),
            _ => Some((outcome.clone(), 1)),
        };
    }

    /// The way in which this server has refused again and again, beyond doubt each time.
    pub(crate) fn way_of_refusing(&self) -> Option<HelloOutcome> {
        let way = lock(&self.way_of_refusing).clone();
        way.filter(|(_, times)| *times >= 2 && !self.steadiness.is_doubtful())
            .map(|(outcome, _)| outcome)
    }

    /// How long silence lasts that says something: from a server that refuses by saying nothing, not
    /// much longer than any answer takes.
    pub(crate) fn silence(&self) -> Duration {
        (self.slowest_connect() * SILENCE_FACTOR).clamp(SILENCE, self.settings.timeout.max(SILENCE))
    }

    /// How long the answer to a question is waited for.
    fn patience(&self) -> Duration {
        match self.way_of_refusing() {
            Some(HelloOutcome::Silent) => self.silence().min(self.settings.timeout),
            _ => self.settings.timeout,
        }
    }

    /// Whether the server answers, now or at any time after `since`, what it is known to answer;
    /// asked beside whatever else goes on.
    pub(crate) async fn answers_since(&self, control: Option<&Hello>, since: Instant) -> bool {
        // One control serves all who wait for one.
        let _turn = self.control_turn.lock().await;
        if self.hears_good_since(since).await {
            return true;
        }
        let Some(hello) = control.or(self.known_good.get()) else {
            return false;
        };
        self.ask_again(hello).await.is_hello()
    }

    /// Notes a refusal by an alert that the RFCs define: this server says what it refuses.
    pub(crate) fn note_clear_refusal(&self) {
        self.refuses_clearly.store(true, Ordering::Relaxed);
    }

    /// Puts a better answer in the place of one that meant nothing.
    pub(crate) fn correct(&self, hello: &Hello, told: &Told) {
        if told.outcome.is_ok() {
            self.hellos.put(hello.clone(), told.clone());
        }
    }

    /// Notes that a question without an answer at that time was answered when it was put again.
    pub(crate) fn note_lost(&self, told: &Told) {
        self.steadiness.lost(told.at, told.in_company);
    }

    /// What was noticed of the server's steadiness.
    pub(crate) fn noticed(&self) -> Noticed {
        self.steadiness.noticed()
    }

    /// How many connections may be open at once by now.
    pub(crate) fn at_once(&self) -> u32 {
        self.gate.at_once()
    }

    /// How often an ambiguous refusal has to come again before it counts: twice; more often from a server
    /// that refuses clearly elsewhere, or has contradicted itself.
    pub(crate) fn repeats(&self) -> u32 {
        let suspicious =
            self.refuses_clearly.load(Ordering::Relaxed) || self.steadiness.is_doubtful();
        if suspicious { 4 } else { 2 }
    }

    /// The hello that this server is known to answer.
    pub(crate) fn known_good(&self) -> Option<Hello> {
        self.known_good.get().cloned()
    }

    /// How long the slowest TCP handshake took.
    pub(crate) fn slowest_connect(&self) -> Duration {
        *lock(&self.slowest_connect)
    }

    /// Every handshake that was made.
    pub(crate) fn sessions(&self) -> Vec<Arc<Session>> {
        let sessions = self.sessions.filled().into_iter();
        sessions
            .filter(|(spec, _)| spec.sni == self.sni())
            .map(|(_, session)| session)
            .collect()
    }

    /// Every question that was put, with its answer.
    pub(crate) fn answered(&self) -> Vec<(Hello, Told)> {
        self.hellos.filled()
    }

    /// Whether a version is spoken; found out once.
    pub(crate) async fn version(
        &self,
        version: ProtocolVersion,
        find_out: impl Future<Output = Version>,
    ) -> Version {
        let cell = self.versions.cell(&version);
        cell.get_or_init(|| find_out).await.clone()
    }

    /// Whether the server has stopped accepting connections.
    pub(crate) fn is_gone(&self) -> bool {
        self.refused_in_a_row.load(Ordering::Relaxed) >= GONE
    }

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

    /// Names a hello that this server is known to answer.
    pub(crate) fn remember_good(&self, hello: Hello) {
        let _ = self.known_good.set(hello);
    }

    async fn connect(
        &self,
        timeout: Duration,
        segment: Option<u32>,
        own_slot: bool,
    ) -> Result<Connection<'_>, NetError> {
        let before = &self.settings.before_tls;
        let how = (timeout, segment);
        Connection::open(&self.endpoint, before, &self.gate, how, own_slot).await
    }

    async fn exchange(
        &self,
        hello: &Hello,
        timeout: Duration,
        own_slot: bool,
    ) -> Result<HelloExchange, NetError> {
        let delivery = hello.delivery();
        let mut connection = self.connect(timeout, delivery.segment(), own_slot).await?;
        let begun = Instant::now();
        let crowd = self.gate.busy();
        let bytes = hello.encode(random());
        match delivery {
            Delivery::InTwo => connection.send_in_two(&bytes).await?,
            Delivery::Whole | Delivery::Clamped => connection.send(&bytes).await?,
        }
        let mut answer = match hello {
            Hello::Ssl2 { .. } => Answer::Ssl2(Vec::new()),
            Hello::Tls(_) => Answer::Tls(FlightDecoder::default()),
        };
        let mut buffer = vec![0; 4096];
        let outcome = loop {
            let heard = connection.hear(&mut buffer).await?;
            if let Heard::Bytes(read) = heard {
                let outcome = answer.push(buffer.get(..read).unwrap_or_default());
                if let Some(outcome) = outcome {
                    break outcome;
                }
            } else {
                break answer.end(heard);
            }
        };
        let outcome = match outcome {
            HelloOutcome::NotTls(first) => {
                HelloOutcome::NotTls(rest_of_banner(&mut connection, first).await?)
            }
            outcome => outcome,
        };
        Ok(HelloExchange {
            outcome,
            sent: bytes.len(),
            begun: begun - connection.connect_time,
            connect_time: connection.connect_time,
            in_company: own_slot && crowd.max(self.gate.busy()) > 1,
        })
    }

    fn good(&self, begun: Instant) {
        let mut last = lock(&self.last_good);
        *last = (*last).max(Some(begun));
    }

    /// The same; where there is little room for a question of its own, waits for what is asked anyway.
    async fn hears_good_since(&self, since: Instant) -> bool {
        let step = (self.slowest_connect() / 4).max(Duration::from_millis(1));
        for _ in 0..LOOKS_FOR_GOOD {
            if self.was_good_since(since) {
                return true;
            }
            let has_room = self.gate.busy() < self.gate.at_once() / 2;
            if has_room || self.pause(step).await.is_err() {
                break;
            }
        }
        self.was_good_since(since)
    }

    /// Whether anything that began after `since` was answered.
    fn was_good_since(&self, since: Instant) -> bool {
        lock(&self.last_good).is_some_and(|begun| begun >= since)
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

/// One hello and its answer.
struct HelloExchange {
    outcome: HelloOutcome,
    sent: usize,
    begun: Instant,
    connect_time: Duration,
    in_company: bool,
}

/// An endpoint to which no connection is open but the one that asks here.
#[derive(Debug)]
pub(crate) struct Quiet<'a> {
    cx: &'a Cx,
    _slots: AllSlots<'a>,
}

impl Quiet<'_> {
    /// The answer to a hello, asked now, waiting for it so long at most.
    pub(crate) async fn ask(&self, hello: &Hello, wait: Duration) -> Told {
        self.cx
            .ask_now(hello, wait.min(self.cx.settings.timeout), false)
            .await
    }

    /// Whether the server answers a hello that it is known to answer, after `since`. None where no
    /// such hello is known.
    pub(crate) async fn still_answers(&self, since: Instant) -> Option<bool> {
        let hello = self.cx.known_good.get()?;
        if self.cx.was_good_since(since) {
            return Some(true);
        }
        Some(self.is_answered(hello).await)
    }

    /// Whether the server answers the control, or after `since` anything that it is known to answer. A
    /// server that answers nothing any more may have been asked too fast: it is left alone for a
    /// while, and from then on asked more slowly.
    pub(crate) async fn control(&self, control: Option<&Hello>, since: Instant) -> Option<bool> {
        if control.is_none() && self.cx.was_good_since(since) {
            return Some(true);
        }
        let hello = control.or(self.cx.known_good.get())?;
        let per_second = self.cx.steadiness.answered_lately();
        for _ in 0..CONTROLS {
            if self.is_answered(hello).await {
                return Some(true);
            }
        }
        // The control may be what is not answered: what is known to be answered tells.
        let known = self.cx.known_good.get()?;
        if known != hello && self.is_answered(known).await {
            return Some(false);
        }
        if self.cx.waited_in_vain.load(Ordering::Relaxed) {
            return Some(false);
        }
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        for _ in 0..PAUSES {
            if begun.elapsed() + pause > BACKING_OFF || self.cx.pause(pause).await.is_err() {
                break;
            }
            if self.is_answered(known).await {
                self.cx.steadiness.throttled(per_second);
                self.cx
                    .gate
                    .slow_down(f64::from(per_second.max(1)) * OF_ITS_RATE);
                return Some(known == hello || self.is_answered(hello).await);
            }
            pause *= 2;
        }
        self.cx.waited_in_vain.store(true, Ordering::Relaxed);
        Some(false)
    }

    async fn is_answered(&self, hello: &Hello) -> bool {
        self.ask(hello, self.cx.settings.timeout).await.is_hello()
    }
}

/// What a server sends, while it comes.
enum Answer {
    Ssl2(Vec<u8>),
    Tls(FlightDecoder),
}

impl Answer {
    /// Takes bytes; the outcome, once they decide it.
    fn push(&mut self, bytes: &[u8]) -> Option<HelloOutcome> {
        match self {
            Self::Tls(decoder) => outcome_of(decoder.push(bytes), decoder),
            Self::Ssl2(received) => {
                received.extend_from_slice(bytes);
                // s2n-tls puts the client's version on its alert: 2.0, which is no version of a record.
                if let [21, 0, 2, 0, 2, level, description] = *received.as_slice() {
                    return Some(HelloOutcome::Alert(Alert {
                        level,
                        description: AlertDescription(description),
                    }));
                }
                match ssl2::decode_answer(received) {
                    Ok(Ssl2Answer::Incomplete) => None,
                    Ok(Ssl2Answer::Hello(hello)) => Some(HelloOutcome::Ssl2(hello)),
                    Ok(Ssl2Answer::Error(code)) => Some(HelloOutcome::Ssl2Error(code)),
                    Ok(Ssl2Answer::NotSsl2) => {
                        let mut decoder = FlightDecoder::default();
                        let outcome = outcome_of(decoder.push(received), &decoder);
                        *self = Self::Tls(decoder);
                        outcome
                    }
                    Err(error) => Some(HelloOutcome::Malformed(error)),
                }
            }
        }
    }

    /// The outcome where no more bytes come.
    fn end(&mut self, heard: Heard) -> HelloOutcome {
        let (how, outcome) = match heard {
            Heard::Reset => ("reset", HelloOutcome::Reset),
            Heard::Nothing => ("silent", HelloOutcome::Silent),
            Heard::TooMuch => ("too many bytes", HelloOutcome::Silent),
            Heard::Closed | Heard::Bytes(_) => ("closed", HelloOutcome::Closed),
        };
        let Self::Tls(decoder) = self else {
            return outcome;
        };
        let state = decoder.end(how);
        outcome_of(state, decoder).unwrap_or_else(|| {
            // A warning, and then nothing: the warning is what the server had to say. Some (s2n-tls)
            // refuse with close_notify alone.
            let mut warnings = decoder.warnings().iter();
            match warnings
                .rfind(|alert| alert.description.0 != 0)
                .or(decoder.warnings().last())
            {
                Some(alert) => HelloOutcome::Alert(*alert),
                None => outcome,
            }
        })
    }
}

fn outcome_of(state: State, decoder: &FlightDecoder) -> Option<HelloOutcome> {
    Some(match state {
        State::Incomplete => return None,
        State::Hello(flight) if flight.hello.is_retry() => HelloOutcome::Retry(flight.into()),
        State::Hello(flight) => HelloOutcome::ServerHello(flight.into()),
        State::Alert(alert) => HelloOutcome::Alert(alert),
        State::NotTls => HelloOutcome::NotTls(decoder.first_bytes().to_vec()),
        State::Malformed(error) => HelloOutcome::Malformed(error),
    })
}

/// A banner's first line is seldom cut, but its server may write it in pieces.
async fn rest_of_banner(
    connection: &mut Connection<'_>,
    mut first: Vec<u8>,
) -> Result<Vec<u8>, NetError> {
    let mut buffer = vec![0; 512];
    while first.len() < 512 && !first.contains(&b'\n') {
        let Heard::Bytes(read) = connection.hear_within(&mut buffer, BANNER_WAIT).await? else {
            break;
        };
        first.extend(buffer.iter().take(read));
    }
    Ok(first)
}

/// 32 bytes for a hello's random: from the system, since they need not be secret, and the start of the
/// crypto library takes longer than a question to a server nearby.
fn random() -> [u8; 32] {
    let mut bytes = [0x5A; 32];
    // Where the system has no randomness, a constant random still asks the question.
    let _ = getrandom::fill(&mut bytes);
    bytes
}

/// Results by question; each is found once, also when asked for twice at the same time.
#[derive(Debug)]
struct Memo<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone, V> Memo<K, V> {
    fn cell(&self, key: &K) -> Arc<OnceCell<V>> {
        let mut map = lock(&self.0);
        Arc::clone(map.entry(key.clone()).or_default())
    }

    /// What is there so far.
    fn filled(&self) -> Vec<(K, V)>
    where
        V: Clone,
    {
        let map = lock(&self.0);
        map.iter()
            .filter_map(|(key, cell)| Some((key.clone(), cell.get()?.clone())))
            .collect()
    }

    /// Takes the place of what is there.
    fn put(&self, key: K, value: V) {
        let mut map = lock(&self.0);
        map.insert(key, Arc::new(OnceCell::new_with(Some(value))));
    }
}
