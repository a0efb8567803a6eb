//! What a load balancer asks of a target over HTTP, and in which form: its requests, and no answer.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HTTP, HTTPS, authority, check_host, check_path, port};
use crate::cx::Cx;
use crate::probe::ProbeError;
use crate::untrusted::Untrusted;

/// Added to the idle timeout: what closes so soon after it is a matter of the clocks.
const MARGIN: Duration = Duration::from_secs(2);
/// And this part of it, the larger one counts.
const MARGIN_PART: u32 = 20;

/// What a load balancer asks of a target over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetHttp {
    /// The protocol version of the target group.
    pub protocol_version: TargetProtocolVersion,
    /// The load balancer's idle timeout; without one, `keep_alive` does not run.
    pub idle_timeout: Option<Duration>,
    /// The health check, where it goes to this port.
    pub health_check: Option<HealthCheck>,
    /// A request as clients send it; none where only health checks go to this port.
    pub request: Option<TargetRequest>,
}

impl TargetHttp {
    /// How long an idle connection is watched: the idle timeout and a margin.
    pub fn watch(&self) -> Option<Duration> {
        let idle = self.idle_timeout?;
        Some(idle + MARGIN.max(idle / MARGIN_PART))
    }
}

/// The protocol version of a target group, as AWS calls it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum TargetProtocolVersion {
    /// HTTP/1.1.
    #[default]
    #[serde(rename = "HTTP1")]
    Http1,
    /// HTTP/2: with TLS or, by prior knowledge, without.
    #[serde(rename = "HTTP2")]
    Http2,
    /// gRPC over HTTP/2.
    #[serde(rename = "GRPC")]
    Grpc,
}

impl TargetProtocolVersion {
    /// Every version.
    pub const ALL: [Self; 3] = [Self::Http1, Self::Http2, Self::Grpc];

    /// `HTTP1`, `HTTP2` or `GRPC`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP1",
            Self::Http2 => "HTTP2",
            Self::Grpc => "GRPC",
        }
    }
}

impl fmt::Display for TargetProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The health check of a target group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// The path: `/`, for gRPC `/AWS.ALB/healthcheck`.
    pub path: String,
    /// The codes by which a target is healthy: of HTTP, or of gRPC.
    pub matcher: Matcher,
}

impl HealthCheck {
    /// What AWS does unless told otherwise.
    pub fn usual(version: TargetProtocolVersion) -> Self {
        let (path, code) = match version {
            TargetProtocolVersion::Grpc => ("/AWS.ALB/healthcheck", 12),
            _ => ("/", 200),
        };
        Self {
            path: path.into(),
            matcher: Matcher(vec![code..=code]),
        }
    }
}

/// A request as a client's that the load balancer passes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRequest {
    /// What `Host` says; the server name, or the target's, where there is none.
    pub host: Option<String>,
    /// The path; that of the URL that was given, or `/`, where there is none.
    pub path: Option<String>,
    /// What `X-Forwarded-Proto` says: whether clients come by TLS.
    pub https: bool,
}

impl Default for TargetRequest {
    fn default() -> Self {
        Self {
            host: None,
            path: None,
            https: true,
        }
    }
}

/// The codes by which a target is healthy, as AWS writes them: `200`, `200,202`, `200-399`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher(Vec<RangeInclusive<u16>>);

impl Matcher {
    /// Whether a code is among them.
    pub fn contains(&self, code: u16) -> bool {
        self.0.iter().any(|range| range.contains(&code))
    }
}

impl FromStr for Matcher {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let code = |text: &str| text.trim().parse::<u16>().ok();
        let range = |part: &str| match part.split_once('-') {
            Some((from, to)) => Some(code(from)?..=code(to)?).filter(|range| !range.is_empty()),
            None => code(part).map(|code| code..=code),
        };
        let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
        ranges
            .map(Self)
            .ok_or("codes as AWS writes them: 200, 200,202 or 200-399")
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, range) in self.0.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            let (from, to) = (range.start(), range.end());
            if from == to {
                write!(f, "{comma}{from}")?;
            } else {
                write!(f, "{comma}{from}-{to}")?;
            }
        }
        Ok(())
    }
}

/// One request to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// `GET`, or `POST` for gRPC.
    pub(super) method: &'static str,
    /// What `Host`, or `:authority`, says.
    pub(super) host: String,
    /// The path.
    pub(super) path: String,
    /// The other fields.
    pub(super) fields: Vec<(&'static str, String)>,
    /// Whether the connection is to end with the answer.
    pub(super) close: bool,
}

impl Asked {
    /// The health check as AWS sends it: to the address, as `ELB-HealthChecker/2.0`, on a connection that
    /// ends with it.
    pub(super) fn health_check(
        cx: &Cx,
        check: &HealthCheck,
        version: TargetProtocolVersion,
    ) -> Self {
        let ip = cx.endpoint.address.ip().to_string();
        Self {
            method: method(version),
            host: authority(&ip, port(&cx.endpoint), usual_port(cx)),
            path: check.path.clone(),
            fields: vec![
                ("user-agent", "ELB-HealthChecker/2.0".into()),
                ("accept-encoding", "gzip, compressed".into()),
            ],
            close: true,
        }
    }

    /// A client's request, with the fields that an Application Load Balancer adds.
    pub(super) fn request(
        cx: &Cx,
        request: &TargetRequest,
        version: TargetProtocolVersion,
    ) -> Self {
        let name = cx.endpoint.sni.as_ref().unwrap_or(&cx.endpoint.expected);
        let host = request.host.clone();
        let path = request.path.clone().or_else(|| cx.endpoint.path.clone());
        let (proto, port_of_listener) = if request.https {
            ("https", HTTPS)
        } else {
            ("http", HTTP)
        };
        Self {
            method: method(version),
            host: host.unwrap_or_else(|| authority(name, port(&cx.endpoint), usual_port(cx))),
            path: path.unwrap_or_else(|| "/".into()),
            fields: vec![
                (
                    "user-agent",
                    format!("gladhand/{}", env!("CARGO_PKG_VERSION")),
                ),
                ("accept", "*/*".into()),
                ("x-forwarded-proto", proto.into()),
                ("x-forwarded-port", port_of_listener.to_string()),
            ],
            close: false,
        }
    }

    /// Nothing that could be another line of the request.
    ///
    /// # Errors
    /// Host or path are none that a request can hold.
    pub(super) fn check(&self) -> Result<(), ProbeError> {
        let wrong = |what: &str, text: &str| {
            let text = Untrusted::from(text);
            ProbeError::not_applicable(format!("no request can hold the {what} \"{text}\""))
        };
        check_host(&self.host).map_err(|_| wrong("host", &self.host))?;
        check_path(&self.path).map_err(|_| wrong("path", &self.path))
    }

    /// The request in HTTP/1.1. `Connection: keep-alive` says nothing new there, and is what a server of
    /// HTTP/1.0 needs.
    pub(super) fn http1(&self) -> Vec<u8> {
        let Self { path, host, .. } = self;
        let method = if self.method == "POST" {
            "GET"
        } else {
            self.method
        };
        let connection = if self.close { "close" } else { "keep-alive" };
        let mut text =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: {connection}\r\n");
        for (name, value) in &self.fields {
            text = format!("{text}{name}: {value}\r\n");
        }
        format!("{text}\r\n").into_bytes()
    }

    /// The same as a question about the head alone.
    pub(super) fn head(mut self) -> Self {
        self.method = "HEAD";
        self
    }
}

fn method(version: TargetProtocolVersion) -> &'static str {
    match version {
        TargetProtocolVersion::Grpc => "POST",
        _ => "GET",
    }
}

/// The port that `Host` does not name.
fn usual_port(cx: &Cx) -> u16 {
    if cx.endpoint.plaintext { HTTP } else { HTTPS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_aws_writes_them() {
        for text in ["200", "200,202", "200-399", "0-99", "12"] {
            assert_eq!(text.parse::<Matcher>().unwrap().to_string(), text);
        }
        let matcher: Matcher = "200-299,304".parse().unwrap();
        assert!(matcher.contains(250) && matcher.contains(304) && !matcher.contains(301));
        for wrong in ["", "2xx", "300-200", "200,", "-1", "99999"] {
            assert!(wrong.parse::<Matcher>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_request_is_one_request() {
        let asked = |host: &str, path: &str| Asked {
            method: "GET",
            host: host.into(),
            path: path.into(),
            fields: Vec::new(),
            close: true,
        };
        assert!(asked("www.example.com:8080", "/a?b=c").check().is_ok());
        for (host, path) in [
            ("a\r\nX: y", "/"),
            ("*.example.com", "/"),
            ("", "/"),
            ("a", "/b c"),
            ("a", "b"),
            ("a", "/\r\n\r\nGET /"),
        ] {
            assert!(asked(host, path).check().is_err(), "{host:?} {path:?}");
        }
        let bytes = asked("a", "/b").http1();
        assert_eq!(
            bytes,
            b"GET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        );
    }

    #[test]
    fn an_idle_connection_is_watched_a_little_longer_than_the_idle_timeout() {
        let watch = |seconds| {
            let http = TargetHttp {
                idle_timeout: Some(Duration::from_secs(seconds)),
                ..TargetHttp::default()
            };
            http.watch().map(|watch| watch.as_secs())
        };
        assert_eq!(
            (watch(8), watch(60), watch(4000)),
            (Some(10), Some(63), Some(4200))
        );
        assert_eq!(TargetHttp::default().watch(), None);
    }
}
