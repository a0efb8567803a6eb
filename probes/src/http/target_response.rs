//! What a target answers to a load balancer's health check, and to a client's request: read as strictly as a
//! load balancer may, and with a look at how far the two differ.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::http2::Extra;
use super::strict::{Answer as Read, AnswerEnd, Framing, Problem, ProblemKind};
use super::target::{Asked, HealthCheck, TargetProtocolVersion};
use super::{Head, http1, http2};
use crate::cx::{Cx, NoStream};
use crate::fact::{Answer, Attempt, Fact, milliseconds};
use crate::net::NetError;
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::nodes::NodesSeen;
use crate::untrusted::Untrusted;
use crate::wire::registry::AlertDescription;

/// Bytes that are kept of what is no HTTP.
const FIRST: usize = 256;

/// `no_application_protocol` (RFC 7301 §3.2).
const NO_APPLICATION_PROTOCOL: AlertDescription = AlertDescription(120);

/// Asks a target as a load balancer does.
pub struct TargetResponse;

impl Probe for TargetResponse {
    const ID: &'static str = "target_response";
    const ABOUT: &'static str =
        "a load balancer's health check and a client's request to a target, read strictly";
    const STAGE: Stage = Stage::Recheck;
    const NEEDS: &'static [&'static str] = &["reach"];
    type Seen = TargetResponseSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<TargetResponseSeen, ProbeError> {
        let Some(http) = &cx.settings.target_http else {
            return Err(ProbeError::not_applicable(
                "not asked as a target behind a load balancer (--health-path, --idle-timeout)",
            ));
        };
        if cx.settings.before_tls.starttls.is_some() {
            return Err(ProbeError::not_applicable(
                "another protocol is spoken here before TLS (STARTTLS)",
            ));
        }
        let version = http.protocol_version;
        let (health_check, request) = tokio::join!(
            async {
                let check = http.health_check.as_ref()?;
                let asked = Asked::health_check(cx, check, version);
                let answer = ask(cx, &asked, version).await;
                Some(answer.map(|answer| HealthCheckSeen::of(check, answer)))
            },
            async {
                let request = http.request.as_ref()?;
                Some(ask(cx, &Asked::request(cx, request, version), version).await)
            }
        );
        let (health_check, request) = (health_check.transpose()?, request.transpose()?);
        let of_check = health_check.as_ref().map(|check| &check.answer);
        let Some(shown) = request.as_ref().or(of_check) else {
            return Err(ProbeError::not_applicable(
                "neither health checks nor requests go here",
            ));
        };
        let (http1, http2) = spoken(cx, http.request.as_ref(), version, shown).await?;
        Ok(TargetResponseSeen {
            protocol_version: version,
            health_check,
            request,
            http1,
            http2,
        })
    }

    /// It is what one of them answers.
    fn doubt(_: &mut Attempt<TargetResponseSeen>, _: &NodesSeen, _: &str) {}
}

/// A request and its answer. Where there is none, or only a part of one, it is asked for once more: that
/// may have been chance.
async fn ask(
    cx: &Cx,
    asked: &Asked,
    version: TargetProtocolVersion,
) -> Result<TargetAnswer, ProbeError> {
    let first = once(cx, asked, version).await?;
    if first.is_clear() {
        return Ok(first);
    }
    let mut second = once(cx, asked, version).await?;
    if !second.is_like(&first) {
        second.unsteady = Some(first.outcome);
    }
    Ok(second)
}

async fn once(
    cx: &Cx,
    asked: &Asked,
    version: TargetProtocolVersion,
) -> Result<TargetAnswer, ProbeError> {
    asked.check()?;
    let timeout = cx.settings.timeout;
    if version == TargetProtocolVersion::Http1 {
        let (mut stream, limit) = match cx.stream(None, timeout, &[]).await {
            Ok(open) => open,
            Err(NoStream::Net(NetError::Reset)) => return Ok(TargetAnswer::reset(asked)),
            Err(error) => return Err(error.into()),
        };
        let exchanged = http1::exchange(&mut stream, limit, asked, true).await?;
        return Ok(TargetAnswer::new(
            asked,
            exchanged.answer,
            exchanged.took,
            Extra::default(),
        ));
    }
    let https = !cx.endpoint.plaintext;
    let request = http2::request(asked, https).ok_or_else(no_request)?;
    let (stream, limit) = match cx.stream(None, timeout, &["h2"]).await {
        Ok(open) => open,
        Err(NoStream::Net(NetError::Reset)) => return Ok(TargetAnswer::reset(asked)),
        Err(NoStream::Handshake(why, Some(NO_APPLICATION_PROTOCOL))) => {
            let mut answer = TargetAnswer::reset(asked);
            answer.outcome = AnswerEnd::Http2Error;
            answer.alpn = Some(Fact::new(Answer::No, why));
            return Ok(answer);
        }
        Err(error) => return Err(error.into()),
    };
    let alpn = https.then(|| match stream.alpn() {
        Some(b"h2") => Fact::new(Answer::Yes, "the server selects h2 by ALPN"),
        _ => Fact::new(Answer::No, "the server does not select h2 by ALPN"),
    });
    let (exchanged, extra, _) = http2::exchange(stream, limit, request).await?;
    let mut answer = TargetAnswer::new(asked, exchanged.answer, exchanged.took, extra);
    answer.alpn = alpn;
    Ok(answer)
}

pub(super) fn no_request() -> ProbeError {
    ProbeError::not_applicable("host and path cannot be asked for in HTTP/2")
}

/// Whether HTTP/1.1 and HTTP/2 are spoken. The one that was not asked is only asked where the other is not
/// answered: with the same request, and its answer is the control by which a refusal counts.
async fn spoken(
    cx: &Cx,
    request: Option<&super::target::TargetRequest>,
    version: TargetProtocolVersion,
    shown: &TargetAnswer,
) -> Result<(Option<Fact>, Option<Fact>), ProbeError> {
    let is_http1 = version == TargetProtocolVersion::Http1;
    let name = if is_http1 { "HTTP/1.1" } else { "HTTP/2" };
    let told = format!("a request of {name}: {}", shown.told());
    if shown.head.is_some() || shown.spoken {
        let fact = Some(Fact::new(Answer::Yes, told));
        return Ok(if is_http1 { (fact, None) } else { (None, fact) });
    }
    let (other, other_name) = if is_http1 {
        (TargetProtocolVersion::Http2, "HTTP/2")
    } else {
        (TargetProtocolVersion::Http1, "HTTP/1.1")
    };
    let request = request.cloned().unwrap_or_default();
    let asked = Asked::request(cx, &request, other);
    let control = match once(cx, &asked, other).await {
        Ok(answer) => answer,
        Err(ProbeError::Net(NetError::Interrupted)) => return Err(NetError::Interrupted.into()),
        Err(error) => {
            let open = Fact::new(Answer::Undetermined, told);
            let why = format!("a request of {other_name}: {error}");
            let other = Fact::new(Answer::Undetermined, why);
            return Ok(in_order(is_http1, open, other));
        }
    };
    let is_spoken = control.head.is_some() || control.spoken || shown.outcome == AnswerEnd::Http2;
    let answer = |is| {
        if is {
            Answer::Yes
        } else {
            Answer::Undetermined
        }
    };
    let other_told = format!("a request of {other_name}: {}", control.told());
    let asked_fact = Fact::new(
        if is_spoken {
            Answer::No
        } else {
            Answer::Undetermined
        },
        if is_spoken {
            format!("{told}; {other_told}")
        } else {
            told
        },
    );
    Ok(in_order(
        is_http1,
        asked_fact,
        Fact::new(answer(is_spoken), other_told),
    ))
}

fn in_order(is_http1: bool, asked: Fact, other: Fact) -> (Option<Fact>, Option<Fact>) {
    if is_http1 {
        (Some(asked), Some(other))
    } else {
        (Some(other), Some(asked))
    }
}

/// What a target answers to a load balancer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetResponseSeen {
    /// The protocol version in which it was asked.
    pub protocol_version: TargetProtocolVersion,
    /// The answer to the health check, where health checks go to this port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheckSeen>,
    /// The answer to a client's request, where requests go to this port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<TargetAnswer>,
    /// Whether HTTP/1.1 is spoken; none where nothing turned on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http1: Option<Fact>,
    /// Whether HTTP/2 is spoken; none where nothing turned on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http2: Option<Fact>,
}

impl TargetResponseSeen {
    /// The fact about the version that was asked, and that about the other one.
    pub fn versions(&self) -> (Option<&Fact>, Option<&Fact>) {
        match self.protocol_version {
            TargetProtocolVersion::Http1 => (self.http1.as_ref(), self.http2.as_ref()),
            _ => (self.http2.as_ref(), self.http1.as_ref()),
        }
    }

    /// Whether the version that was asked is not spoken, and the other one is.
    pub fn speaks_another_version(&self) -> bool {
        let is = |fact: Option<&Fact>, answer| fact.is_some_and(|fact| fact.answer == answer);
        let (asked, other) = self.versions();
        is(asked, Answer::No) && is(other, Answer::Yes)
    }
}

/// The answer to a health check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HealthCheckSeen {
    /// The codes by which the target is healthy, as AWS writes them: `200-299`. For gRPC, those of gRPC.
    pub matcher: String,
    /// Whether the code of the answer is one of them; none where there is no code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<bool>,
    /// The answer.
    #[serde(flatten)]
    pub answer: TargetAnswer,
}

impl HealthCheckSeen {
    fn of(check: &HealthCheck, answer: TargetAnswer) -> Self {
        let code = match (&answer.head, answer.grpc_status) {
            (Some(_), Some(code)) if answer.method == "POST" => u16::try_from(code).ok(),
            (Some(head), _) if answer.method != "POST" => Some(head.status),
            _ => None,
        };
        Self {
            matcher: check.matcher.to_string(),
            matches: code.map(|code| check.matcher.contains(code)),
            answer,
        }
    }
}

/// One request to a target, and what came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetAnswer {
    /// The method.
    pub method: String,
    /// What `Host` said.
    pub host: String,
    /// The path.
    pub path: String,
    /// How the answer ended.
    pub outcome: AnswerEnd,
    /// How the first answer ended, where two requests were answered differently.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsteady: Option<AnswerEnd>,
    /// The head, as a lenient client reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Head>,
    /// Bytes of the head, from the status line to the empty line; of HTTP/1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_bytes: Option<u64>,
    /// What says where the body ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub framing: Option<Framing>,
    /// The bytes that `Content-Length` announces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_length: Option<u64>,
    /// The bytes of the body that came, without those of the chunked coding.
    pub body_bytes: u64,
    /// Interim answers (1xx) before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub interim: u32,
    /// What is wrong with its form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// Whether it is a 400 that says that TLS is spoken on this port.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wants_https: bool,
    /// The first bytes of what is no HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Untrusted>,
    /// `grpc-status`, where gRPC was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grpc_status: Option<u32>,
    /// `content-type`, where gRPC was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<Untrusted>,
    /// Whether the server selects h2 by ALPN, where HTTP/2 was asked over TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpn: Option<Fact>,
    /// Whether frames of HTTP/2 came without an answer in them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spoken: bool,
    /// How HTTP/2 broke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Untrusted>,
    /// Milliseconds from the request to the first byte of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_ms: Option<f64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl TargetAnswer {
    fn new(asked: &Asked, read: Read, took: Option<std::time::Duration>, extra: Extra) -> Self {
        let wants_https =
            read.head.as_ref().is_some_and(|head| head.status == 400) && says_https(&read.first);
        let first = read.first.get(..FIRST).unwrap_or(&read.first);
        // A body may hold what is nobody's business; what is no HTTP at all has to be seen.
        let shown = read.head.is_none() && !first.is_empty();
        Self {
            method: asked.method.into(),
            host: asked.host.clone(),
            path: asked.path.clone(),
            outcome: read.end,
            unsteady: None,
            head: read.head,
            header_bytes: Some(read.head_bytes).filter(|bytes| *bytes > 0),
            framing: read.framing,
            content_length: read.declared,
            body_bytes: read.body_bytes,
            interim: read.interim,
            problems: read.problems,
            wants_https,
            first: shown.then(|| Untrusted::from_bytes(first)),
            grpc_status: extra.grpc_status,
            content_type: extra.content_type.map(Into::into),
            alpn: None,
            spoken: extra.spoken,
            error: extra.error.map(Into::into),
            answer_ms: took.map(milliseconds),
        }
    }

    fn reset(asked: &Asked) -> Self {
        let read = Read {
            end: AnswerEnd::Reset,
            ..Read::default()
        };
        Self::new(asked, read, None, Extra::default())
    }

    /// The status, where there is a head.
    pub fn status(&self) -> Option<u16> {
        self.head.as_ref().map(|head| head.status)
    }

    /// Whether something of this kind is wrong with it.
    pub fn has(&self, kind: ProblemKind) -> bool {
        self.problems.iter().any(|problem| problem.kind == kind)
    }

    /// Whether the answer is one that chance does not make.
    fn is_clear(&self) -> bool {
        use AnswerEnd::{
            BrokenOff, Closed, Complete, HeadTooLarge, Http2, Http2Error, Malformed, NotHttp,
            NotReadFurther, Reset, Silent, Stalled, Tls, Unfinished,
        };
        match self.outcome {
            Complete | NotReadFurther | HeadTooLarge | Malformed | NotHttp | Http2 | Tls => true,
            Closed | Reset | Silent | BrokenOff | Stalled | Unfinished | Http2Error => false,
        }
    }

    /// Whether it says the same as another one.
    fn is_like(&self, other: &Self) -> bool {
        // A preface that is not understood ends now in one of these ways, now in another.
        let refused = |answer: &Self| {
            use AnswerEnd::{Closed, Http2Error, Reset};
            answer.framing.is_none() && matches!(answer.outcome, Closed | Reset | Http2Error)
        };
        let of_http2 = [self, other]
            .iter()
            .any(|answer| answer.outcome == AnswerEnd::Http2Error);
        if of_http2 && refused(self) && refused(other) {
            return true;
        }
        self.outcome == other.outcome
            && self.status() == other.status()
            && (self.outcome != AnswerEnd::Stalled || self.body_bytes == other.body_bytes)
    }

    /// The answer in a few words: `HTTP 200 OK`, `the connection is closed without an answer`.
    pub fn told(&self) -> String {
        let how = match self.outcome {
            AnswerEnd::Complete | AnswerEnd::NotReadFurther => "",
            AnswerEnd::HeadTooLarge => "a head of more than 128 KiB",
            AnswerEnd::Closed => "the connection is closed without an answer",
            AnswerEnd::Reset => "the connection is reset without an answer",
            AnswerEnd::Silent => "no answer in time",
            AnswerEnd::BrokenOff => "the answer breaks off",
            AnswerEnd::Stalled => "the answer stops before its end",
            AnswerEnd::Unfinished => "the answer is not over in time",
            AnswerEnd::Malformed => "the answer cannot be read",
            AnswerEnd::NotHttp => "the answer is no HTTP/1",
            AnswerEnd::Http2 => "the answer is HTTP/2",
            AnswerEnd::Tls => "the answer is TLS",
            AnswerEnd::Http2Error => "the answer is no HTTP/2",
        };
        let head = self.head.as_ref().map(Head::told);
        let grpc = self.grpc_status.map(|code| format!("grpc-status {code}"));
        let parts: Vec<String> = head.into_iter().chain(grpc).collect();
        let head = parts.join(", ");
        match (head.as_str(), how) {
            ("", "") => "an answer".into(),
            ("", how) => match &self.error {
                Some(error) => format!("{how}: {error}"),
                None => how.into(),
            },
            (_, "") => head,
            (_, how) => format!("{head}, {how}"),
        }
    }
}

/// nginx, Apache and Go say so in the body of a 400.
fn says_https(body: &[u8]) -> bool {
    let body = body.to_ascii_lowercase();
    let holds = |word: &[u8]| body.windows(word.len()).any(|part| part == word);
    holds(b"https") || holds(b"ssl") || holds(b"tls")
}
