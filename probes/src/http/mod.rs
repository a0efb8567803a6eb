//! What a server says in HTTP, once the handshake is made; and on port 80, without one. And what a load
//! balancer meets when it asks a target.

mod exchange;
mod hsts;
mod http1;
mod http2;
pub mod keep_alive;
mod response;
mod strict;
pub mod target;
pub mod target_response;

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use self::exchange::{End, Exchange, Request};
pub use self::hsts::Hsts;
pub use self::response::Head;
pub(crate) use self::strict::MOST;
#[cfg(feature = "fuzzing")]
pub(crate) use self::strict::in_pieces;
pub(crate) use self::strict::is_settings_frame;
pub use self::strict::{AnswerEnd, Framing, Problem, ProblemKind};
use crate::cx::Cx;
use crate::fact::{Attempt, milliseconds};
use crate::net::NetError;
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::settings::Settings;
use crate::target::Endpoint;
use crate::tls::handshake::{HandshakeOutcome, beyond_rustls};
use crate::tls::hellos::{Hello, HelloOutcome};
use crate::tls::nodes::NodesSeen;
use crate::tls::session::{Session, SessionSpec};
use crate::untrusted::Untrusted;
use crate::wire::registry::ProtocolVersion;

/// The ports that a URL does not name.
const HTTPS: u16 = 443;
const HTTP: u16 = 80;

/// Bytes that are kept of what is no HTTP.
const FIRST: usize = 256;

/// Sends one request over the ordinary handshake's session, and one to port 80 of the same address.
pub struct Http;

impl Probe for Http {
    const ID: &'static str = "http";
    const ABOUT: &'static str =
        "one HTTP request over the session: status, HSTS; the redirect from port 80";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach", "handshake"];
    type Seen = HttpSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<HttpSeen, ProbeError> {
        let Some(request) = cx.http() else {
            return Err(ProbeError::not_applicable(
                "another protocol is spoken here before TLS (STARTTLS)",
            ));
        };
        let (session, redirect) = tokio::join!(
            async { cx.session(&SessionSpec::ordinary(cx.sni())).await },
            redirect(cx)
        );
        let session = session?;
        let Some(exchange) = &session.http else {
            return Err(no_session(cx, &session).await);
        };
        Ok(HttpSeen {
            host: request.host.clone(),
            path: request.path.clone(),
            answer: HttpAnswer::from(exchange),
            redirect: redirect?,
        })
    }

    /// It is one answer, of one of them.
    fn doubt(_: &mut Attempt<HttpSeen>, _: &NodesSeen, _: &str) {}
}

/// Why there is no session that a request could go over.
async fn no_session(cx: &Cx, session: &Session) -> ProbeError {
    let why = session.error.as_deref().unwrap_or("it broke");
    if let Some(beyond) = beyond_rustls(cx, cx.sni()).await {
        return ProbeError::undecided(beyond);
    }
    let told = cx.ask(&Hello::ordinary(cx.sni())).await;
    let flight = told.outcome.as_ref().ok().and_then(HelloOutcome::flight);
    let version = flight.map(|flight| flight.hello.version());
    if let Some(old) = version.filter(|version| *version < ProtocolVersion::TLS1_2) {
        return ProbeError::undecided(format!(
            "the server takes {old}, which this program cannot complete a handshake with"
        ));
    }
    if session.client_certificate.is_some() && !session.client_certificate_sent {
        return ProbeError::not_applicable(format!(
            "the server talks to nobody without a client certificate: {why}"
        ));
    }
    if session.outcome == HandshakeOutcome::ProtocolError {
        return ProbeError::undecided(format!("no handshake was completed: {why}"));
    }
    // That is told of the handshake: an ordinary client sends no request here.
    ProbeError::not_applicable(format!("the ordinary handshake fails: {why}"))
}

/// The request that goes over a session, where one is asked for and makes sense.
pub(crate) fn request(endpoint: &Endpoint, settings: &Settings) -> Option<Request> {
    // As a load balancer: whether requests are refused for want of a client certificate.
    let asked = settings.selection.contains(Http::ID) || settings.client.is_some();
    if !asked || settings.before_tls.starttls.is_some() {
        return None;
    }
    Some(Request {
        host: host(endpoint, settings, port(endpoint), HTTPS),
        path: settings.http.path.clone(),
    })
}

/// What the field `Host` says (RFC 9110 §7.2): the name, and a port that is not the scheme's own.
fn host(endpoint: &Endpoint, settings: &Settings, port: u16, usual: u16) -> String {
    if let Some(host) = &settings.http.host {
        return host.clone();
    }
    let name = endpoint.sni.as_ref().unwrap_or(&endpoint.expected);
    authority(name, port, usual)
}

/// A name or address with its port, unless that is the usual one.
fn authority(name: &str, port: u16, usual: u16) -> String {
    let name = match name.parse() {
        Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
        _ => name.to_owned(),
    };
    if port == usual {
        name
    } else {
        format!("{name}:{port}")
    }
}

/// The port that was asked for: behind a proxy it is not the one that is connected to.
fn port(endpoint: &Endpoint) -> u16 {
    match &endpoint.behind_proxy {
        Some(destination) => destination.port,
        None => endpoint.address.port(),
    }
}

/// What the plaintext port of the same address answers; none where no port is known to be that.
async fn redirect(cx: &Cx) -> Result<Option<Redirect>, NetError> {
    let Some(plain) = cx.settings.http.port.or_else(|| {
        let usual = port(&cx.endpoint) == HTTPS;
        usual.then_some(HTTP)
    }) else {
        return Ok(None);
    };
    let request = Request {
        host: host(&cx.endpoint, &cx.settings, plain, HTTP),
        path: cx.settings.http.path.clone(),
    };
    let mut endpoint = cx.endpoint.clone();
    match &mut endpoint.behind_proxy {
        Some(destination) => destination.port = plain,
        None => endpoint.address.set_port(plain),
    }
    let told = |outcome, error: Option<String>| Redirect {
        port: plain,
        answer: HttpAnswer {
            outcome,
            error: error.map(Into::into),
            ..HttpAnswer::default()
        },
        to_https: None,
    };
    Ok(Some(match cx.plain_http(&endpoint, &request).await {
        Ok(exchange) => {
            let answer = HttpAnswer::from(&exchange);
            Redirect {
                port: plain,
                to_https: answer.head.as_ref().map(leads_to_https),
                answer,
            }
        }
        Err(NetError::Refused) => told(HttpOutcome::Refused, None),
        Err(NetError::Reset) => told(HttpOutcome::Reset, None),
        Err(NetError::Timeout { .. }) => told(HttpOutcome::Silent, None),
        // That there is no way to it is a fact about that port; that time is up is none.
        Err(
            error @ (NetError::Deadline { .. } | NetError::Budget { .. } | NetError::Interrupted),
        ) => return Err(error),
        Err(error) => told(HttpOutcome::Unreachable, Some(error.to_string())),
    }))
}

/// Whether it is a redirect to an HTTPS URL.
fn leads_to_https(head: &Head) -> bool {
    let location = head.location.as_ref().map(Untrusted::raw);
    let location = location.unwrap_or_default().trim_start();
    let https = location
        .get(..8)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
    (300..400).contains(&head.status) && https
}

/// A name or address with or without a port, as a `Host` field may hold it.
///
/// # Errors
/// What is wrong with it, in words.
pub fn check_host(host: &str) -> Result<(), &'static str> {
    let sound = |c: char| c.is_ascii_alphanumeric() || "-._~:[]%".contains(c);
    if host.is_empty() || !host.chars().all(sound) {
        return Err("a name or an address, with or without a port: www.example.com");
    }
    Ok(())
}

/// A request target in origin form (RFC 9112 §3.2.1).
///
/// # Errors
/// What is wrong with it, in words.
pub fn check_path(path: &str) -> Result<(), &'static str> {
    if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("a path begins with a slash and has no blanks: /health?full=1");
    }
    Ok(())
}

impl From<&Exchange> for HttpAnswer {
    fn from(exchange: &Exchange) -> Self {
        let (outcome, head, error) = match &exchange.end {
            End::Answered(head) => (HttpOutcome::Answered, Some((**head).clone()), None),
            End::Silent => (HttpOutcome::Silent, None, None),
            End::Closed => (HttpOutcome::Closed, None, None),
            End::Reset => (HttpOutcome::Reset, None, None),
            End::NotHttp => (HttpOutcome::NotHttp, None, None),
            End::TooLarge => (HttpOutcome::TooLarge, None, None),
            End::Malformed(why) => (HttpOutcome::Malformed, None, Some(why.as_str().into())),
            End::Broken(how) => (HttpOutcome::Broken, None, Some(how.as_str().into())),
        };
        let first = exchange.received.get(..FIRST).unwrap_or(&exchange.received);
        Self {
            first: (head.is_none() && !first.is_empty()).then(|| Untrusted::from_bytes(first)),
            answer_ms: exchange.took.map(milliseconds),
            client_certificate_missed: head.is_some() && exchange.misses_certificate(),
            outcome,
            head,
            error,
        }
    }
}

/// What was seen of HTTP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HttpSeen {
    /// What `Host` said in the request.
    pub host: String,
    /// The path that was asked for.
    pub path: String,
    /// The answer over the session.
    #[serde(flatten)]
    pub answer: HttpAnswer,
    /// What the plaintext port of the same address answers; none where that was not asked: the port of
    /// TLS is not 443, and no other was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect: Option<Redirect>,
}

/// What came of one request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HttpAnswer {
    /// How it ended.
    pub outcome: HttpOutcome,
    /// The head of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Head>,
    /// Whether the answer says, in nginx's words, that it is because no client certificate was sent, or
    /// because the one that was is not taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub client_certificate_missed: bool,
    /// The first bytes of an answer that has no head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Untrusted>,
    /// What is wrong with the answer, or with the way to the port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Untrusted>,
    /// Milliseconds from the request to the first byte of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_ms: Option<f64>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HttpOutcome {
    /// By an answer.
    Answered,
    /// By silence: no whole head of an answer came in time.
    #[default]
    Silent,
    /// By the end of the connection.
    Closed,
    /// By a reset.
    Reset,
    /// By something that is no HTTP/1.
    NotHttp,
    /// By a head of more than 64 KiB, or too many interim answers.
    TooLarge,
    /// By an answer that cannot be read.
    Malformed,
    /// The session broke: by an alert, or what is no TLS.
    Broken,
    /// The port takes no connection.
    Refused,
    /// There is no way to the port.
    Unreachable,
}

/// What the plaintext port answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Redirect {
    /// The port: 80, unless another one was named.
    pub port: u16,
    /// Its answer.
    #[serde(flatten)]
    pub answer: HttpAnswer,
    /// Whether that leads to an HTTPS URL; none where there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_https: Option<bool>,
}
