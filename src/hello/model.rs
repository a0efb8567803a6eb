//! The report on hellos: the contract with scripts. Fields are added, never renamed.

use std::fmt;

use gladhand_probes::Untrusted;
use gladhand_probes::clients::Offer;
use gladhand_probes::wire::messages::Alert;
use gladhand_probes::wire::names::{GroupName, SuiteName};
use gladhand_probes::wire::registry::AlertDescription;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::hello::against::Against;
use crate::hello::capture::Captured;
use crate::report::model::Tool;

/// The version of the report's shape: major.minor.
pub const SCHEMA: &str = "1.0";

/// The JSON Schema of the report.
pub fn schema() -> Schema {
    schemars::schema_for!(HelloReport)
}

/// The hellos that came, or that a capture holds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct HelloReport {
    /// [`SCHEMA`].
    pub schema: String,
    /// What made the report.
    pub tool: Tool,
    /// The address that was listened on, or the file; `-` is stdin.
    pub from: Untrusted,
    /// Whether everything asked was seen: a hello at least, the whole file, the number wanted.
    pub complete: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_measured: Vec<String>,
    /// Whether a signal ended the run early.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// The hellos, in the order in which they came.
    pub hellos: Vec<Hello>,
    /// Hellos over the limit, which are not in the list.
    #[serde(default)]
    pub left_out: usize,
    /// Connections without a hello that can be read, and what was there instead.
    pub others: Vec<Other>,
    /// What the capture holds; none for a listener.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<CaptureFacts>,
}

impl HelloReport {
    /// An empty one.
    pub fn new(from: Untrusted) -> Self {
        Self {
            schema: SCHEMA.into(),
            tool: Tool {
                name: env!("CARGO_PKG_NAME").into(),
                version: env!("CARGO_PKG_VERSION").into(),
            },
            from,
            complete: false,
            not_measured: Vec::new(),
            interrupted: false,
            hellos: Vec::new(),
            left_out: 0,
            others: Vec::new(),
            capture: None,
        }
    }

    /// Takes what a capture holds, and what of it could not be read.
    pub fn take(&mut self, captured: Captured) {
        let gaps = &mut self.not_measured;
        gaps.extend(captured.facts.cut_short.clone());
        match captured.others.len() {
            0 => {}
            1 => gaps.push("the ClientHello of a connection that has TLS".into()),
            count => gaps.push(format!(
                "the ClientHellos of {count} connections that have TLS"
            )),
        }
        if captured.left_out > 0 {
            let count = captured.left_out;
            gaps.push(format!("{count} connections beyond what is kept"));
        }
        self.hellos = captured.hellos;
        self.others = captured.others;
        self.left_out = captured.left_out;
        self.interrupted = captured.interrupted;
        self.capture = Some(captured.facts);
    }
}

/// A client's hello, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// The client's address and port.
    pub source: String,
    /// The server's, as the client addressed it.
    pub destination: String,
    /// When its last byte came (RFC 3339); none where the capture has no times.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<OffsetDateTime>,
    /// What it offers.
    #[serde(flatten)]
    pub offer: Offer,
    /// What the server answered, in a capture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerSide>,
    /// The alerts of both sides.
    pub alerts: Vec<AlertSeen>,
    /// How the connection ended, in a capture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// What is missing for the counterpart that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
}

/// What a server answered to a hello.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerSide {
    /// The version that it chose; none where no ServerHello came.
    pub version: Option<String>,
    /// The suite that it chose.
    pub suite: Option<SuiteName>,
    /// The group of its key share, or of its ServerKeyExchange.
    pub group: Option<GroupName>,
    /// The group that it asked for with a HelloRetryRequest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<GroupName>,
    /// The protocol of ALPN that it chose (in TLS 1.3 it is encrypted).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpn: Option<Untrusted>,
    /// Whether it asked for a client certificate (in TLS 1.3 that is encrypted).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub requests_certificate: bool,
    /// What of its answer cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

/// A side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Who sends the ClientHello.
    Client,
    /// Who answers it.
    Server,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertSeen {
    /// Who sent it.
    pub from: Side,
    /// 1 warning, 2 fatal; none where it is encrypted.
    pub level: Option<u8>,
    /// Its number.
    pub number: Option<u8>,
    /// Its name in the IANA registry: `certificate_unknown`.
    pub name: Option<String>,
    /// Encrypted: which one it is cannot be told. In TLS 1.3 taken from the size of the client's first
    /// encrypted record, which a Finished never has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub encrypted: bool,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ended {
    /// Who ended it first.
    pub by: Side,
    /// With what.
    pub how: How,
}

/// With what a connection was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// FIN.
    Close,
    /// RST.
    Reset,
}

/// A connection without a hello that can be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Other {
    /// The client's address and port; where no side shows that it is the client, the first sender's.
    pub source: String,
    /// The other side's.
    pub destination: String,
    /// When it was seen last (RFC 3339).
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<OffsetDateTime>,
    /// What was there, or why it cannot be read.
    pub what: String,
    /// The client's first bytes, where they are no TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_bytes: Option<Untrusted>,
    /// What the server answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerSide>,
    /// The alerts of both sides.
    pub alerts: Vec<AlertSeen>,
    /// How the connection ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// What a capture holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaptureFacts {
    /// `pcap` or `pcapng`.
    pub format: String,
    /// Packets in it.
    pub packets: u64,
    /// TCP segments among them.
    pub segments: u64,
    /// TCP connections.
    pub connections: u64,
    /// Connections on which no TLS was seen.
    pub without_tls: u64,
    /// Fragments of IP packets, which are not put together.
    pub fragments: u64,
    /// Packets of which only the beginning was captured.
    pub truncated: u64,
    /// Packets that are no IP, or broken.
    pub undecoded: u64,
    /// Packets to or from UDP port 443: QUIC, which is not read.
    pub udp_443: u64,
    /// Why the file ends before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_short: Option<String>,
}

impl AlertSeen {
    /// One in clear.
    pub fn clear(from: Side, alert: Alert) -> Self {
        Self {
            from,
            level: Some(alert.level),
            number: Some(alert.description.0),
            name: alert.description.name().map(Into::into),
            encrypted: false,
        }
    }

    /// One that is encrypted.
    pub const fn encrypted(from: Side) -> Self {
        Self {
            from,
            level: None,
            number: None,
            name: None,
            encrypted: true,
        }
    }
}

/// `certificate_unknown (46), fatal`.
impl fmt::Display for AlertSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(number) = self.number else {
            return f.write_str("an encrypted alert, which one cannot be told");
        };
        write!(f, "{}", AlertDescription(number))?;
        match self.level {
            Some(1) => f.write_str(", warning"),
            Some(2) => f.write_str(", fatal"),
            Some(level) => write!(f, ", level {level}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

/// `the client closed it`.
impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.how {
            How::Close => "closed",
            How::Reset => "reset",
        };
        write!(f, "the {} {how} it first", self.by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hello::{against, capture, counterpart};
    use crate::report::json::write_pretty;

    #[test]
    fn the_checked_in_schema_is_up_to_date() {
        let path = format!("{}/docs/hello.schema.json", env!("CARGO_MANIFEST_DIR"));
        let mut now = Vec::new();
        write_pretty(&schema(), &mut now).unwrap();
        if std::env::var_os("GLADHAND_UPDATE").is_some() {
            std::fs::write(&path, &now).unwrap();
        }
        let checked_in = std::fs::read(&path).unwrap_or_default();
        assert!(
            checked_in == now,
            "docs/hello.schema.json is out of date; run the test with GLADHAND_UPDATE=1"
        );
    }

    #[test]
    fn every_capture_is_a_report_under_the_schema() {
        let schema = serde_json::to_value(schema()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let policy = counterpart::known("policy:ELBSecurityPolicy-2016-08")
            .unwrap()
            .unwrap();
        let folder = format!("{}/fixtures/hello", env!("CARGO_MANIFEST_DIR"));
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let Ok(captured) = capture::read(std::fs::File::open(&path).unwrap(), || false) else {
                continue;
            };
            let mut report = HelloReport::new(path.to_string_lossy().as_ref().into());
            report.take(captured);
            for hello in &mut report.hellos {
                hello.against = Some(against::compare(&hello.offer, &policy));
            }
            let json = serde_json::to_value(&report).unwrap();
            let errors: Vec<_> = validator
                .iter_errors(&json)
                .map(|e| e.to_string())
                .collect();
            assert!(errors.is_empty(), "{}: {errors:?}", path.display());
            let back: HelloReport = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(serde_json::to_value(&back).unwrap(), json);
            seen += 1;
        }
        assert!(seen >= 12);
    }
}
