//! How long a server keeps an idle connection.
//!
//! A load balancer keeps connections to its targets for the next request, up to its idle timeout. A target
//! that closes earlier can do so while a request is on its way: the client gets a 502.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout};

use super::Head;
use super::http1;
use super::http2::{self, IdleEnd};
use super::strict::{AnswerEnd, Ending};
use super::target::{Asked, TargetProtocolVersion, TargetRequest};
use super::target_response::{TargetResponseSeen, no_request};
use crate::cx::{Cx, NoStream};
use crate::fact::Attempt;
use crate::net::NetError;
use crate::net::connect::Limit;
use crate::net::gate::Gate;
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::nodes::NodesSeen;
use crate::tls::session::Stream;
use crate::untrusted::Untrusted;

/// How long the end of a connection is waited for whose server has announced it.
const ANNOUNCED: Duration = Duration::from_secs(5);

/// Bytes that are kept of what comes unasked.
const KEPT: usize = 256;

/// Sends one request, and waits for the end of the idle connection.
pub struct KeepAlive;

impl Probe for KeepAlive {
    const ID: &'static str = "keep_alive";
    const ABOUT: &'static str =
        "how long an idle connection is kept, against a load balancer's idle timeout";
    const STAGE: Stage = Stage::Wait;
    const NEEDS: &'static [&'static str] = &["reach"];
    type Seen = KeepAliveSeen;

    async fn run(cx: &Cx, so_far: &Observations) -> Result<KeepAliveSeen, ProbeError> {
        let http = cx.settings.target_http.as_ref();
        let Some((http, watch)) = http.and_then(|http| Some((http, http.watch()?))) else {
            return Err(ProbeError::not_applicable(
                "no idle timeout to hold it against (--idle-timeout)",
            ));
        };
        let answered = so_far.target_response.seen();
        if answered.is_some_and(TargetResponseSeen::speaks_another_version) {
            let version = http.protocol_version;
            let why = format!("the target does not speak the protocol version {version}");
            return Err(ProbeError::not_applicable(why));
        }
        let idle_timeout = http.idle_timeout.unwrap_or_default();
        let request = http.request.clone().or_else(|| {
            // Where no client's requests go, what health checks ask for is there at least.
            let check = http.health_check.as_ref()?;
            Some(TargetRequest {
                path: Some(check.path.clone()),
                ..TargetRequest::default()
            })
        });
        let asked = Asked::request(cx, &request.unwrap_or_default(), http.protocol_version);
        asked.check()?;
        let watched = cx
            .beyond_the_deadline(watch + cx.settings.timeout * 8, async |gate| {
                let measuring = Measuring { cx, gate, watch };
                match http.protocol_version {
                    TargetProtocolVersion::Http1 => measuring.http1(asked).await,
                    _ => measuring.http2(asked).await,
                }
            })
            .await?;
        Ok(KeepAliveSeen {
            idle_timeout: idle_timeout.as_secs_f64(),
            watched: watch.as_secs_f64(),
            ..watched
        })
    }

    /// It is one connection, to one of them.
    fn doubt(_: &mut Attempt<KeepAliveSeen>, _: &NodesSeen, _: &str) {}
}

struct Measuring<'a> {
    cx: &'a Cx,
    gate: &'a Gate,
    watch: Duration,
}

impl<'a> Measuring<'a> {
    /// A connection that may be watched to the end.
    async fn stream(&self, alpn: &[&str]) -> Result<(Stream<'a>, Limit<'a>), NoStream> {
        // The time of the answer is limited apart.
        let lasts = self.watch + self.cx.settings.timeout * 4;
        self.cx.stream(Some(self.gate), lasts, alpn).await
    }

    async fn http1(&self, asked: Asked) -> Result<KeepAliveSeen, ProbeError> {
        let mut asked = asked;
        let mut seen = KeepAliveSeen::of(&asked);
        let (mut stream, limit, exchanged) = loop {
            let (mut stream, limit) = self.stream(&[]).await?;
            let answering = http1::exchange(&mut stream, limit, &asked, false);
            let exchanged = match timeout(self.cx.settings.timeout, answering).await {
                Ok(exchanged) => exchanged?,
                Err(_) if asked.method == "GET" => {
                    seen.evidence
                        .push("GET: not answered in time, asked by HEAD instead".into());
                    asked = asked.head();
                    continue;
                }
                Err(_) => return Err(ProbeError::undecided("no answer to a request in time")),
            };
            // A long body is of no interest here.
            if exchanged.answer.end == AnswerEnd::NotReadFurther && asked.method == "GET" {
                let line = "GET: more than 1 MiB of body, asked by HEAD instead";
                seen.evidence.push(line.into());
                asked = asked.head();
                continue;
            }
            break (stream, limit, exchanged);
        };
        let answer = exchanged.answer;
        seen.method = asked.method.into();
        let head = match (answer.head, answer.end) {
            (Some(head), AnswerEnd::Complete) => head,
            (head, end) => return Err(unanswered(head.as_ref(), end)),
        };
        seen.told(&head);
        let over = answer.framing == Some(super::Framing::UntilClose);
        if over {
            seen.ended_by = KeepAliveEnd::Close;
            seen.persistent = false;
            seen.evidence
                .push("the answer ends with the connection".into());
            return Ok(seen);
        }
        let watch = if seen.persistent {
            self.watch
        } else {
            self.watch.min(ANNOUNCED)
        };
        self.watch_idle(&mut stream, limit, &mut seen, (exchanged.ended, watch))
            .await?;
        Ok(seen)
    }

    /// Waits for the end of a connection on which nothing is asked any more.
    async fn watch_idle(
        &self,
        stream: &mut Stream<'_>,
        limit: Limit<'_>,
        seen: &mut KeepAliveSeen,
        (since, watch): (Instant, Duration),
    ) -> Result<(), ProbeError> {
        let mut unasked = Vec::new();
        let waiting = async {
            let mut buffer = [0; 1024];
            loop {
                match stream.read(&mut buffer).await {
                    Ok(0) => return (Ending::Closed, None),
                    Ok(read) => {
                        let room = KEPT.saturating_sub(unasked.len());
                        unasked.extend(buffer.iter().take(read.min(room)));
                    }
                    Err(error) => return (http1::ending(&error), Some(error.to_string())),
                }
            }
        };
        let left = watch.saturating_sub(since.elapsed());
        let waited = limit.run(timeout(left, waiting)).await;
        seen.seconds = seconds(since.elapsed());
        match waited {
            Ok(Some(Ok((ending, how)))) => {
                seen.ended_by = match ending {
                    Ending::Reset => KeepAliveEnd::Reset,
                    _ => KeepAliveEnd::Close,
                };
                seen.evidence.extend(how);
            }
            Ok(Some(Err(_)) | None) => {}
            Err(NetError::Interrupted) => seen.interrupted = true,
            Err(error) => return Err(error.into()),
        }
        seen.unasked = Some(Untrusted::from_bytes(&unasked)).filter(|text| !text.is_empty());
        Ok(())
    }

    async fn http2(&self, asked: Asked) -> Result<KeepAliveSeen, ProbeError> {
        let mut seen = KeepAliveSeen::of(&asked);
        let https = !self.cx.endpoint.plaintext;
        let request = http2::request(&asked, https).ok_or_else(no_request)?;
        let (stream, limit) = self.stream(&["h2"]).await?;
        let asking = http2::exchange(stream, limit, request);
        let Ok(asking) = timeout(self.cx.settings.timeout, asking).await else {
            return Err(ProbeError::undecided("no answer to a request in time"));
        };
        let (exchanged, _, open) = asking?;
        let head = match (&exchanged.answer.head, exchanged.answer.end) {
            (Some(head), AnswerEnd::Complete) => head,
            (head, end) => return Err(unanswered(head.as_ref(), end)),
        };
        seen.told(head);
        // Connection fields mean nothing in HTTP/2 (RFC 9113 §8.2.2).
        seen.persistent = true;
        seen.advertised = None;
        let since = exchanged.ended;
        let Some(mut open) = open else {
            seen.ended_by = KeepAliveEnd::Close;
            return Ok(seen);
        };
        let left = self.watch.saturating_sub(since.elapsed());
        let waited = limit.run(open.idle(left)).await;
        seen.seconds = seconds(since.elapsed());
        match waited {
            Ok(Some(Some(IdleEnd::Closed))) => seen.ended_by = KeepAliveEnd::Close,
            Ok(Some(Some(IdleEnd::Reset))) => seen.ended_by = KeepAliveEnd::Reset,
            Ok(Some(None) | None) => {}
            Err(NetError::Interrupted) => seen.interrupted = true,
            Err(error) => return Err(error.into()),
        }
        Ok(seen)
    }
}

/// Milliseconds matter, and nothing finer.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e3).round() / 1e3
}

/// Why there is no idle connection that could be watched.
fn unanswered(head: Option<&Head>, end: AnswerEnd) -> ProbeError {
    let how = match end {
        AnswerEnd::Closed => "the connection is closed in answer to a request",
        AnswerEnd::Reset => "the connection is reset in answer to a request",
        AnswerEnd::Silent => "a request is not answered in time",
        AnswerEnd::NotHttp | AnswerEnd::Tls | AnswerEnd::Http2 => "the answer is no HTTP/1",
        AnswerEnd::Http2Error => "the answer is no HTTP/2",
        AnswerEnd::NotReadFurther => "the answer is longer than is read here",
        _ => "the answer to a request has no clear end",
    };
    ProbeError::undecided(match head {
        Some(head) => format!("{how} ({})", head.told()),
        None => how.into(),
    })
}

/// How long an idle connection was kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeepAliveSeen {
    /// Seconds from the end of the answer to the end of the connection; as long as it was watched, where it
    /// was still open then.
    pub seconds: f64,
    /// How it ended.
    pub ended_by: KeepAliveEnd,
    /// Seconds as the server announces them: `Keep-Alive: timeout=5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advertised: Option<u64>,
    /// Whether the answer lets the connection persist (RFC 9112 §9.3): where it does not, its end is no
    /// surprise to anybody.
    pub persistent: bool,
    /// The load balancer's idle timeout, in seconds.
    pub idle_timeout: f64,
    /// How long it was to be watched, in seconds: the idle timeout and a margin.
    pub watched: f64,
    /// Whether the run was interrupted while it was watched.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// The method, host and path of the request.
    pub method: String,
    /// What `Host` said.
    pub host: String,
    /// The path.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// The field `Server` of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Untrusted>,
    /// What the server said before it ended the connection, without being asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unasked: Option<Untrusted>,
    /// What else was seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
}

/// How an idle connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeepAliveEnd {
    /// The server closed it: FIN, or close_notify.
    Close,
    /// The server reset it: RST.
    Reset,
    /// It was open for as long as it was watched.
    StillOpen,
}

impl KeepAliveSeen {
    fn of(asked: &Asked) -> Self {
        Self {
            seconds: 0.0,
            ended_by: KeepAliveEnd::StillOpen,
            advertised: None,
            persistent: true,
            idle_timeout: 0.0,
            watched: 0.0,
            interrupted: false,
            method: asked.method.into(),
            host: asked.host.clone(),
            path: asked.path.clone(),
            status: 0,
            server: None,
            unasked: None,
            evidence: Vec::new(),
        }
    }

    fn told(&mut self, head: &Head) {
        self.status = head.status;
        self.server.clone_from(&head.server);
        self.persistent = head.persistent;
        self.advertised = head
            .keep_alive
            .as_ref()
            .and_then(|field| advertised(field.raw()));
    }
}

/// The seconds of `Keep-Alive: timeout=5, max=100`.
fn advertised(field: &str) -> Option<u64> {
    field.split([',', ';']).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        name.trim()
            .eq_ignore_ascii_case("timeout")
            .then(|| value.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_servers_announce() {
        assert_eq!(advertised("timeout=5"), Some(5));
        assert_eq!(advertised("max=100, Timeout=\"65\""), Some(65));
        assert_eq!(advertised("timeout=5, max=100"), Some(5));
        for none in ["", "max=100", "timeout", "timeout=x", "timeout=-1"] {
            assert_eq!(advertised(none), None, "{none}");
        }
    }
}
