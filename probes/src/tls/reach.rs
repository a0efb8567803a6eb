//! What is on this port at all.

use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Attempt, milliseconds};
use crate::http::is_settings_frame;
use crate::http::target::TargetProtocolVersion;
use crate::net::NetError;
use crate::net::connect::Heard;
use crate::net::opening::{Failure, ProxyProtocol, StartTls};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::settings::BalancerClient;
use crate::tls::ask::is_ambiguous;
use crate::tls::backend::Backend;
use crate::tls::hellos::{Hello, HelloOutcome};
use crate::tls::large_hello::{self, LargeHello};
use crate::tls::nodes::NodesSeen;
use crate::untrusted::Untrusted;
use crate::wire::key_share::SMALL_SHARES;
use crate::wire::registry::{Group, ProtocolVersion, Suite};

/// How long a plaintext server is waited for, once the port has not answered TLS.
const PLAINTEXT_WAIT: Duration = Duration::from_secs(2);

/// How a client of HTTP/2 begins (RFC 9113 §3.4), with empty SETTINGS.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Asks for TLS the way an ordinary client does; where that fails, in other ways, and at last in
/// plaintext.
pub struct Reach;

impl Probe for Reach {
    const ID: &'static str = "reach";
    const ABOUT: &'static str = "what is on this port at all: TLS, plaintext, silence, nothing";
    const STAGE: Stage = Stage::Reach;
    const NEEDS: &'static [&'static str] = &[];
    type Seen = ReachSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<ReachSeen, ProbeError> {
        let mut seen = ReachSeen::new(ReachOutcome::Silent);
        seen.before_tls = OpeningSeen::of(cx);
        if cx.endpoint.plaintext {
            return plaintext_expected(cx, seen).await;
        }
        let hello = Hello::ordinary(cx.sni());
        let mut told = cx.ask(&hello).await;
        // The first question about each version goes out at the same time: what may be about that is
        // asked again, alone.
        let crowded = match &told.outcome {
            Err(error) => *error == NetError::Refused && cx.may_look_ahead(),
            Ok(HelloOutcome::Silent) => false,
            Ok(_) => told.in_company && is_ambiguous(&told),
        };
        if crowded && let Ok(quiet) = cx.quiet().await {
            let again = quiet.ask(&hello, cx.settings.timeout).await;
            if again.outcome != told.outcome {
                cx.note_lost(&told);
            }
            cx.correct(&hello, &again);
            told = again;
        }
        seen.connect_ms = told.connect_time.map(milliseconds);
        let first = match told.outcome {
            Err(error) => return no_connection(error, seen),
            Ok(outcome) => outcome,
        };
        seen.saw("a hello of TLS 1.0 to 1.3", &first);
        if first.is_hello() {
            seen.outcome = ReachOutcome::Tls;
            cx.remember_good(hello);
            return Ok(seen);
        }
        if let HelloOutcome::NotTls(bytes) = &first {
            seen.not_tls(bytes);
            return Ok(seen);
        }
        // Silence costs a deadline each time; and a server that rejects the name has understood the
        // hello: nothing but the name would change its answer.
        if !matches!(first, HelloOutcome::Silent) && !first.rejects_the_name() {
            for (what, hello) in others(cx) {
                let outcome = match cx.ask(&hello).await.outcome {
                    Ok(outcome) => outcome,
                    Err(error) => {
                        seen.evidence.push(format!("{what}: {error}"));
                        continue;
                    }
                };
                seen.saw(what, &outcome);
                if outcome.is_hello() {
                    seen.outcome = ReachOutcome::Tls;
                    cx.remember_good(hello);
                    return Ok(seen);
                }
            }
        }
        if !matches!(first, HelloOutcome::Alert(_)) {
            let small = Hello::small(cx.sni());
            let ask_small = async {
                // Where the first hello was answered somehow, the small one has been asked.
                match first {
                    HelloOutcome::Silent => Some(cx.ask(&small).await),
                    _ => None,
                }
            };
            // Behind a proxy, the segments of this connection end at the proxy.
            let may_be_size = first == HelloOutcome::Silent && cx.settings.before_tls.via.is_none();
            let ask_clamped = async {
                if may_be_size && cx.chosen(LargeHello::ID) {
                    let told = cx.ask(&large_hello::clamped(cx)).await;
                    return told.outcome.ok().filter(HelloOutcome::is_hello);
                }
                None
            };
            // Silence costs a deadline each time: the question that a load balancer's probe puts next goes
            // out beside these.
            let balancer = cx
                .settings
                .client
                .as_ref()
                .filter(|_| cx.chosen(Backend::ID));
            let balancer = balancer.and_then(BalancerClient::hello);
            let ask_balancer = async {
                if let Some(hello) = balancer.filter(|_| first == HelloOutcome::Silent) {
                    cx.ask(&hello).await;
                }
            };
            let (told, answer, clamped, ()) =
                tokio::join!(ask_small, ask_http(cx), ask_clamped, ask_balancer);
            if let Some(outcome) = clamped {
                seen.saw("a hello of TLS 1.0 to 1.3 in small segments", &outcome);
            }
            if let Some(Ok(outcome)) = told.map(|told| told.outcome) {
                seen.saw("a small hello of TLS 1.2", &outcome);
                if outcome.is_hello() {
                    seen.outcome = ReachOutcome::Tls;
                    cx.remember_good(small);
                    return Ok(seen);
                }
            }
            if !answer.is_empty() {
                seen.evidence.push(format!(
                    "an HTTP request: \"{}\"",
                    Untrusted::from_bytes(answer.get(..64).unwrap_or(&answer))
                ));
                // What has begun to speak TLS is no plaintext server; and servers of TLS have a plaintext
                // answer to a plaintext request, too.
                if !matches!(first, HelloOutcome::Malformed(_)) && !wants_https(cx, &answer).await {
                    seen.not_tls(&answer);
                    return Ok(seen);
                }
            }
        }
        match first {
            HelloOutcome::Alert(alert) => {
                seen.outcome = ReachOutcome::Alert;
                seen.alert = Some(alert.description.0);
                seen.alert_name = alert.description.name().map(Into::into);
            }
            HelloOutcome::Closed => seen.outcome = ReachOutcome::Closed,
            HelloOutcome::Reset => seen.outcome = ReachOutcome::Reset,
            HelloOutcome::Silent => seen.outcome = ReachOutcome::Silent,
            other => {
                seen.outcome = ReachOutcome::ProtocolError;
                seen.error = Some(other.to_string().into());
            }
        }
        Ok(seen)
    }

    /// What one answer shows is on the port.
    fn doubt(_: &mut Attempt<ReachSeen>, _: &NodesSeen, _: &str) {}
}

/// Other hellos, for servers that the ordinary one offers nothing: what each is, and the hello.
fn others(cx: &Cx) -> Vec<(&'static str, Hello)> {
    let tls12 = ProtocolVersion::TLS1_2;
    vec![
        ("a lean hello of TLS 1.0 to 1.3", Hello::lean(cx.sni())),
        ("a small hello of TLS 1.2", Hello::small(cx.sni())),
        (
            "a hello of TLS 1.3 with key shares",
            Hello::tls13(Suite::tls13(), Group::tls13(), SMALL_SHARES, cx.sni()),
        ),
        (
            "a hello of TLS 1.3 with every group",
            Hello::tls13(Suite::tls13(), Group::tls13(), &[], cx.sni()),
        ),
        ("a hello of TLS 1.2", Hello::common(tls12, cx.sni())),
        (
            "a hello of TLS 1.2 with rare suites",
            Hello::legacy(tls12, Suite::rare(), Group::tls12_curves(), cx.sni()),
        ),
        (
            "a hello of TLS 1.0",
            Hello::common(ProtocolVersion::TLS1_0, cx.sni()),
        ),
        (
            "a hello of SSLv3",
            Hello::common(ProtocolVersion::SSL3, None),
        ),
        ("a hello of SSLv2", Hello::ssl2()),
    ]
}

async fn ask_http(cx: &Cx) -> Vec<u8> {
    match cx
        .plaintext(head_request(cx).as_bytes(), PLAINTEXT_WAIT)
        .await
    {
        Ok(answer) => answer.first,
        // What the port does with a hello is known by now, and stands.
        Err(_) => Vec::new(),
    }
}

fn head_request(cx: &Cx) -> String {
    http_request(cx, "HEAD")
}

fn http_request(cx: &Cx, method: &str) -> String {
    let host = match cx.endpoint.expected.parse() {
        Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
        _ => cx.endpoint.expected.clone(),
    };
    format!("{method} / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
}

impl ReachSeen {
    /// How STARTTLS failed: the protocol, and what became of it.
    pub fn starttls_failure(&self) -> Option<(StartTls, &Failure)> {
        let before = self.before_tls.as_ref()?;
        Some((before.starttls?, before.failure.as_ref()?))
    }
}

impl OpeningSeen {
    fn of(cx: &Cx) -> Option<Self> {
        let before = &cx.settings.before_tls;
        let said = Self {
            via: before.via.as_ref().map(ToString::to_string),
            to: cx.endpoint.behind_proxy.as_ref().map(ToString::to_string),
            proxy_protocol: before.proxy_protocol,
            starttls: before.starttls,
            failure: None,
        };
        (!before.is_nothing()).then_some(said)
    }
}

/// An `http://` target: is HTTP there?
async fn plaintext_expected(cx: &Cx, mut seen: ReachSeen) -> Result<ReachSeen, ProbeError> {
    // Who speaks nothing but HTTP/2 may answer nothing else.
    let http = cx.settings.target_http.as_ref();
    let is_http2 = http.is_some_and(|http| http.protocol_version != TargetProtocolVersion::Http1);
    let (what, request) = if is_http2 {
        ("the preface of HTTP/2", HTTP2_PREFACE.to_vec())
    } else {
        ("an HTTP request", head_request(cx).into_bytes())
    };
    let answer = match cx.plaintext(&request, cx.settings.timeout).await {
        Err(error) => return no_connection(error, seen),
        Ok(answer) => answer,
    };
    seen.connect_ms = Some(milliseconds(answer.connect_time));
    seen.outcome = match answer.heard {
        // TLS answers a plaintext request with an alert record, where it answers at all.
        Heard::Bytes(_) if answer.first.starts_with(&[21, 3]) => ReachOutcome::Tls,
        Heard::Bytes(_) => {
            seen.not_tls(&answer.first);
            seen.outcome
        }
        Heard::Closed => ReachOutcome::Closed,
        Heard::Reset => ReachOutcome::Reset,
        Heard::Nothing | Heard::TooMuch => ReachOutcome::Silent,
    };
    let said = match answer.heard {
        Heard::Bytes(_) if is_settings_frame(&answer.first) => "a frame of HTTP/2".into(),
        Heard::Bytes(_) => {
            let first = answer.first.get(..64).unwrap_or(&answer.first);
            format!("\"{}\"", Untrusted::from_bytes(first))
        }
        Heard::Closed => "the connection was closed without an answer".into(),
        Heard::Reset => "the connection was reset".into(),
        Heard::Nothing | Heard::TooMuch => "no answer in time".into(),
    };
    seen.evidence.push(format!("{what}: {said}"));
    // Servers of HTTPS answer a plaintext request with 400, or not at all: does it speak TLS?
    let told = cx.ask(&Hello::ordinary(cx.sni())).await;
    if let Ok(outcome) = &told.outcome {
        seen.saw("a hello of TLS 1.0 to 1.3", outcome);
        if outcome.is_hello() {
            seen.outcome = ReachOutcome::Tls;
        }
    }
    Ok(seen)
}

fn no_connection(error: NetError, mut seen: ReachSeen) -> Result<ReachSeen, ProbeError> {
    seen.evidence.push(match &error {
        NetError::StartTls { protocol, failure } => format!("STARTTLS for {protocol}: {failure}"),
        error => format!("a TCP connection: {error}"),
    });
    seen.outcome = match error {
        NetError::StartTls { failure, .. } => {
            seen.banner = Some(failure.said.clone()).filter(|said| !said.is_empty());
            if let Some(before) = &mut seen.before_tls {
                before.failure = Some(failure);
            }
            ReachOutcome::OpeningFailed
        }
        NetError::Refused => ReachOutcome::Refused,
        NetError::Timeout { .. } => ReachOutcome::Timeout,
        NetError::Unreachable { why } => {
            seen.error = Some(format!("no way there: {why}").into());
            ReachOutcome::Timeout
        }
        other => return Err(other.into()),
    };
    Ok(seen)
}

impl ReachSeen {
    fn new(outcome: ReachOutcome) -> Self {
        Self {
            outcome,
            alert: None,
            alert_name: None,
            error: None,
            protocol: None,
            banner: None,
            connect_ms: None,
            before_tls: None,
            evidence: Vec::new(),
        }
    }

    fn saw(&mut self, asked: &str, answer: &HelloOutcome) {
        self.evidence.push(format!("{asked}: {answer}"));
    }

    fn not_tls(&mut self, first: &[u8]) {
        let protocol = protocol_of(first);
        self.outcome = match protocol {
            Some("http" | "h2c") => ReachOutcome::PlaintextHttp,
            Some(_) => ReachOutcome::PlaintextOther,
            None if is_text(first) => ReachOutcome::PlaintextOther,
            None => ReachOutcome::ProtocolError,
        };
        if self.outcome == ReachOutcome::ProtocolError {
            let hex: Vec<_> = first
                .iter()
                .take(16)
                .map(|byte| format!("{byte:02x}"))
                .collect();
            self.error = Some(format!("bytes of no known protocol: {}", hex.join(" ")).into());
        }
        self.protocol = protocol.map(Into::into);
        self.banner = Some(Untrusted::from_bytes(first));
    }
}

/// Whether it is a server of TLS that calls a plaintext request bad: nginx, Apache, Go and others say so
/// in the body of a 400.
async fn wants_https(cx: &Cx, answer: &[u8]) -> bool {
    let status = answer.split(|byte| *byte == b' ').nth(1);
    if !answer.starts_with(b"HTTP/") || !status.is_some_and(|status| status.starts_with(b"400")) {
        return false;
    }
    let request = http_request(cx, "GET");
    let Ok(answer) = cx.plaintext(request.as_bytes(), PLAINTEXT_WAIT).await else {
        return false;
    };
    let body = answer.first.to_ascii_lowercase();
    let holds = |word: &[u8]| body.windows(word.len()).any(|part| part == word);
    holds(b"https") || holds(b"ssl") || holds(b"tls")
}

/// The protocol by its first bytes.
fn protocol_of(first: &[u8]) -> Option<&'static str> {
    if is_settings_frame(first) {
        return Some("h2c");
    }
    let lower = first
        .get(..64.min(first.len()))
        .unwrap_or_default()
        .to_ascii_lowercase();
    let begins = |prefix: &str| lower.starts_with(prefix.as_bytes());
    let holds = |word: &str| {
        lower
            .windows(word.len())
            .any(|part| part == word.as_bytes())
    };
    Some(match () {
        () if begins("http/") || begins("<!doctype") || begins("<html") => "http",
        () if begins("ssh-") => "ssh",
        () if begins("220") && holds("ftp") => "ftp",
        () if begins("220") || begins("421") || begins("554") => "smtp",
        () if begins("* ok") || begins("* bye") || begins("* preauth") => "imap",
        () if begins("+ok") => "pop3",
        () if begins("-err") || begins("-noauth") || begins("-denied") => {
            if holds("redis") || begins("-err unknown") || begins("-err protocol") || begins("-no")
            {
                "redis"
            } else {
                "pop3"
            }
        }
        () if begins("<?xml") || begins("<stream:") => "xmpp",
        () if begins("rfb 00") => "vnc",
        () if begins("amqp") => "amqp",
        () if begins("sip/2.0") => "sip",
        () if is_mysql(first) => "mysql",
        () if is_postgres_error(first) => "postgresql",
        () => return None,
    })
}

/// The initial handshake packet: a length, sequence 0, protocol version 10 (or an error packet).
fn is_mysql(first: &[u8]) -> bool {
    matches!(first, [_, _, 0, 0, 10, digit, ..] if digit.is_ascii_digit())
        || matches!(first, [_, _, 0, 0, 0xFF, _, _, ..])
}

/// `E`, a length, and a severity field.
fn is_postgres_error(first: &[u8]) -> bool {
    matches!(first, [b'E', 0, 0, _, _, b'S', ..])
}

fn is_text(bytes: &[u8]) -> bool {
    let printable =
        |byte: &u8| (0x20..0x7F).contains(byte) || matches!(byte, b'\r' | b'\n' | b'\t');
    !bytes.is_empty() && bytes.iter().all(printable)
}

/// What is on the port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReachSeen {
    /// What answered.
    pub outcome: ReachOutcome,
    /// The number of the alert, where the outcome is `alert`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<u8>,
    /// The alert's IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_name: Option<String>,
    /// What could not be understood, where the outcome is `protocol-error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Untrusted>,
    /// The protocol that answered instead of TLS, by its banner: `http`, `h2c` (HTTP/2), `ssh`,
    /// `smtp` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The first bytes that answered instead of TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banner: Option<Untrusted>,
    /// Milliseconds that the first TCP connection took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_ms: Option<f64>,
    /// What was said on every connection before TLS; none where TLS began at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_tls: Option<OpeningSeen>,
    /// What was sent, and what came back, in order.
    pub evidence: Vec<String>,
}

/// What was said on every connection before TLS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpeningSeen {
    /// The proxy that connections went through; the endpoint's address is the proxy's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// What the proxy was asked to connect to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The version of the PROXY protocol header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_protocol: Option<ProxyProtocol>,
    /// The protocol in which TLS was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starttls: Option<StartTls>,
    /// Why TLS could not begin, where the outcome is `opening-failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// What answered on the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReachOutcome {
    /// A TLS or SSL server.
    Tls,
    /// HTTP without TLS.
    PlaintextHttp,
    /// Another protocol without TLS; see `protocol` and `banner`.
    PlaintextOther,
    /// The connection is accepted; nothing ever comes back.
    Silent,
    /// The connection is refused: nothing listens there, or a firewall says so.
    Refused,
    /// No answer to the connection attempt: a firewall or security group drops it, or no route.
    Timeout,
    /// The connection is reset in answer to every hello.
    Reset,
    /// The connection is closed in answer to every hello.
    Closed,
    /// Every hello is answered with an alert.
    Alert,
    /// Something like TLS that breaks the protocol.
    ProtocolError,
    /// The server does not begin with TLS where STARTTLS asks it to; see `before_tls`.
    OpeningFailed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_protocols_by_their_first_bytes() {
        let known: [(&[u8], &str); 10] = [
            (b"\0\0\x06\x04\0\0\0\0\0\0\x05\0\0\x40\0", "h2c"),
            (b"HTTP/1.1 400 Bad Request\r\n", "http"),
            (b"<!DOCTYPE HTML PUBLIC", "http"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", "ssh"),
            (b"220 mail.example.com ESMTP\r\n", "smtp"),
            (b"220 ProFTPD Server\r\n", "ftp"),
            (b"-ERR unknown command\r\n", "redis"),
            (b"-ERR bad command\r\n", "pop3"),
            (b"\x4a\0\0\0\x0a8.0.36\0", "mysql"),
            (b"E\0\0\0\x84SFATAL\0", "postgresql"),
        ];
        for (first, protocol) in known {
            assert_eq!(protocol_of(first), Some(protocol));
        }
    }

    #[test]
    fn garbage_is_broken_and_text_is_plaintext() {
        let mut seen = ReachSeen::new(ReachOutcome::Silent);
        seen.not_tls(&[0x99, 0x01, 0xFE]);
        assert_eq!(seen.outcome, ReachOutcome::ProtocolError);
        seen.not_tls(b"hello, who are you?\n");
        assert_eq!(seen.outcome, ReachOutcome::PlaintextOther);
    }
}
