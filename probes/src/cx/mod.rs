//! The only door from a probe to the network: asks hellos, within the endpoint's limits, and
//! remembers the answers, so that a question two probes have in common is put once.

mod exchange;
mod memo;
mod quiet;
mod sessions;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use self::memo::Memo;
pub(crate) use self::quiet::Quiet;
pub(crate) use self::sessions::NoStream;
use crate::http::{self, Request};
use crate::lock::lock;
use crate::net::NetError;
use crate::net::connect::Connection;
use crate::net::gate::Gate;
use crate::probe::{Probe, ProbeError};
use crate::settings::Settings;
use crate::steadiness::{Noticed, Steadiness};
use crate::target::Endpoint;
use crate::tls::ask::{self, Reply};
use crate::tls::backend::Backend;
use crate::tls::hellos::{Hello, HelloOutcome};
use crate::tls::issuers::IssuersSeen;
use crate::tls::session::{ResumeSpec, Resumptions, Session, SessionSpec};
use crate::tls::versions::Version;
use crate::wire::registry::ProtocolVersion;

/// How long silence lasts that says something: at least so long, and so many times the TCP handshake.
const SILENCE: Duration = Duration::from_secs(1);
const SILENCE_FACTOR: u32 = 10;

/// Connections refused in a row, after which a server counts as gone.
const GONE: u32 = 8;

/// How often it is looked for an answer to something else that serves as a control: a quarter of a round
/// trip each.
const LOOKS_FOR_GOOD: u32 = 16;

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
    /// Connections beside the gate's.
    elsewhere: AtomicU32,
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
    /// From the first byte of the hello to the answer, or to the end of the wait.
    pub(crate) took: Option<Duration>,
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
        let mut settings = settings.clone();
        if let Some(client) = &settings.client {
            settings.timeout = settings.timeout.max(client.patience());
        }
        Self {
            endpoint: endpoint.clone(),
            gate: Gate::new(
                settings.max_connections,
                settings.rate,
                settings.deadline,
                settings.interrupt.clone(),
            ),
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
            http: http::request(endpoint, &settings),
            elsewhere: AtomicU32::new(0),
            settings,
        }
    }

    /// Whether the probe was asked for. What a load balancer gets is asked only where one is named.
    pub(crate) fn chosen(&self, id: &str) -> bool {
        let makes_sense = id != Backend::ID || self.settings.client.is_some();
        makes_sense && self.settings.selection.contains(id)
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
        self.gate.opened() + self.elsewhere.load(Ordering::Relaxed)
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
        let mut took = None;
        let (outcome, connect_time) = match self.exchange(hello, timeout, own_slot).await {
            Err(NetError::Reset) => {
                in_company = own_slot && self.gate.busy() > 0;
                (Ok(HelloOutcome::Reset), None)
            }
            Ok(exchange) => {
                in_company = exchange.in_company;
                took = Some(exchange.took);
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
            took,
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
