//! The only door from a probe to the network: asks hellos, within the endpoint's limits, and
//! remembers the answers, so that a question two probes have in common is put once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, SemaphorePermit};
use tokio::time::Instant;

use crate::net::NetError;
use crate::net::connect::{Connection, Heard};
use crate::net::gate::Gate;
use crate::settings::Settings;
use crate::target::Endpoint;
use crate::tls::ask::Reply;
use crate::tls::handshake::HandshakeOutcome;
use crate::tls::hellos::{Hello, HelloOutcome};
use crate::tls::session::{Session, SessionSpec};
use crate::wire::flight::{FlightDecoder, State};
use crate::wire::ssl2::{self, Ssl2Answer};

/// How long the rest of a banner is waited for, once its first bytes are there.
const BANNER_WAIT: Duration = Duration::from_millis(300);

/// Connections refused in a row, after which a server counts as gone.
const GONE: u32 = 8;

/// How often a handshake is made again that ended without a word from the server.
const SECOND_HANDSHAKES: u32 = 3;

/// One endpoint, as its probes see it.
#[derive(Debug)]
pub struct Cx {
    pub(crate) endpoint: Endpoint,
    pub(crate) settings: Settings,
    gate: Gate,
    hellos: Memo<Hello, Told>,
    replies: Memo<Hello, Reply>,
    sessions: Memo<SessionSpec, Arc<Session>>,
    known_good: OnceLock<Hello>,
    last_good: Mutex<Option<Instant>>,
    longest_answered: AtomicUsize,
    refuses_clearly: AtomicBool,
    contradicts_itself: AtomicBool,
    refused_in_a_row: AtomicU32,
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
            sessions: Memo::default(),
            known_good: OnceLock::new(),
            last_good: Mutex::new(None),
            longest_answered: AtomicUsize::new(0),
            refuses_clearly: AtomicBool::new(false),
            contradicts_itself: AtomicBool::new(false),
            refused_in_a_row: AtomicU32::new(0),
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
            let told = self.ask_now(hello, self.settings.timeout, true).await;
            if told.outcome.is_ok() {
                Ok(told)
            } else {
                Err(told)
            }
        });
        asked.await.cloned().unwrap_or_else(|told| told)
    }

    async fn ask_now(&self, hello: &Hello, timeout: Duration, own_slot: bool) -> Told {
        let begun = Instant::now();
        let (outcome, connect_time) = match self.exchange(hello, timeout, own_slot).await {
            Ok((outcome, connect_time)) => (Ok(outcome), Some(connect_time)),
            Err(error) => (Err(error), None),
        };
        if outcome.as_ref().is_ok_and(HelloOutcome::is_hello) {
            self.good(begun);
            self.longest_answered
                .fetch_max(hello.length(), Ordering::Relaxed);
        }
        match outcome {
            Err(NetError::Refused) => _ = self.refused_in_a_row.fetch_add(1, Ordering::Relaxed),
            Err(_) => {}
            Ok(_) => self.refused_in_a_row.store(0, Ordering::Relaxed),
        }
        Told {
            outcome,
            at: Instant::now(),
            connect_time,
        }
    }

    /// Waits until no connection to the endpoint is open, and keeps it so: what is then asked is
    /// not disturbed by the other probes.
    pub(crate) async fn quiet(&self) -> Result<Quiet<'_>, NetError> {
        Ok(Quiet {
            cx: self,
            _slots: self.gate.all_slots().await?,
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

    /// Notes a refusal by an alert that the RFCs define: this server says what it refuses.
    pub(crate) fn note_clear_refusal(&self) {
        self.refuses_clearly.store(true, Ordering::Relaxed);
    }

    /// Notes that a question was answered in two ways: chance is at work.
    pub(crate) fn note_contradiction(&self) {
        self.contradicts_itself.store(true, Ordering::Relaxed);
    }

    /// How often an ambiguous refusal has to come again before it counts: more often from a server
    /// that refuses clearly elsewhere, or has contradicted itself.
    pub(crate) fn repeats(&self) -> u32 {
        let suspicious = self.refuses_clearly.load(Ordering::Relaxed)
            || self.contradicts_itself.load(Ordering::Relaxed);
        if suspicious { 4 } else { 1 }
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
            if last
                .as_ref()
                .is_ok_and(|session| !session.ended_without_a_word())
            {
                return last;
            }
            let Ok(_quiet) = self.quiet().await else {
                return last;
            };
            for _ in 0..SECOND_HANDSHAKES {
                last = self.session_now(spec, false).await.or(last);
                // Silence costs a whole deadline: once more is enough.
                let ended = last.as_ref().is_ok_and(|session| {
                    !session.ended_without_a_word() || session.outcome == HandshakeOutcome::Silent
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
        let begun = Instant::now();
        let connection = self.connect(self.settings.timeout, own_slot).await?;
        let session = Session::run(connection, spec, &self.endpoint).await?;
        if session.completed() {
            self.good(begun);
        }
        Ok(Arc::new(session))
    }

    /// Plaintext bytes sent, and what came back: for telling what a port speaks if not TLS.
    pub(crate) async fn plaintext(
        &self,
        request: &[u8],
        wait: Duration,
    ) -> Result<Plaintext, NetError> {
        let mut connection = self.connect(self.settings.timeout, true).await?;
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

    /// Names a hello that this server is known to answer.
    pub(crate) fn remember_good(&self, hello: Hello) {
        let _ = self.known_good.set(hello);
    }

    async fn connect(&self, timeout: Duration, own_slot: bool) -> Result<Connection<'_>, NetError> {
        let before = &self.settings.before_tls;
        Connection::open(&self.endpoint, before, &self.gate, timeout, own_slot).await
    }

    async fn exchange(
        &self,
        hello: &Hello,
        timeout: Duration,
        own_slot: bool,
    ) -> Result<(HelloOutcome, Duration), NetError> {
        let mut connection = self.connect(timeout, own_slot).await?;
        connection.send(&hello.encode(random())).await?;
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
        Ok((outcome, connection.connect_time))
    }

    fn good(&self, begun: Instant) {
        let mut last = self
            .last_good
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = (*last).max(Some(begun));
    }

    fn last_good(&self) -> Option<Instant> {
        *self
            .last_good
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
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

/// An endpoint to which no connection is open but the one that asks here.
#[derive(Debug)]
pub(crate) struct Quiet<'a> {
    cx: &'a Cx,
    _slots: SemaphorePermit<'a>,
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
        if self.cx.last_good().is_some_and(|begun| begun >= since) {
            return Some(true);
        }
        let told = self.ask(hello, self.cx.settings.timeout).await;
        Some(told.outcome.is_ok_and(|outcome| outcome.is_hello()))
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
            // A warning, and then nothing: the warning is what the server had to say.
            match decoder
                .warnings()
                .iter()
                .rfind(|alert| alert.description.0 != 0)
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
        State::Hello(flight) if flight.hello.is_retry() => HelloOutcome::Retry(flight),
        State::Hello(flight) => HelloOutcome::ServerHello(flight),
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

/// 32 bytes for a hello's random.
fn random() -> [u8; 32] {
    let mut bytes = [0x5A; 32];
    // Where the system has no randomness, a constant random still asks the question.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
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
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(map.entry(key.clone()).or_default())
    }
}
