//! The head of an HTTP/1 answer, as far as it is of interest here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hsts::Hsts;
use crate::untrusted::Untrusted;

/// Header fields of one answer, at most.
const FIELDS: usize = 256;

/// Header fields that AWS load balancers and the services behind them add.
const AWS_FIELDS: &[&str] = &[
    "x-amzn-trace-id",
    "x-amzn-requestid",
    "x-amz-cf-id",
    "x-amzn-waf-action",
];

/// Cookies by which AWS load balancers keep clients at one target, or logged in: a name, or how it begins.
const AWS_COOKIES: &[&str] = &[
    "AWSALBTGCORS",
    "AWSALBTG",
    "AWSALBCORS",
    "AWSALBAPP-",
    "AWSALBAuthNonce",
    "AWSALB",
    "AWSELBAuthSessionCookie-",
    "AWSELBCORS",
    "AWSELB",
];

/// The head of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Head {
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub version: String,
    /// The status code (RFC 9110 §15).
    pub status: u16,
    /// The reason phrase, which means nothing to a client; empty where there is none.
    #[serde(default, skip_serializing_if = "Untrusted::is_empty")]
    pub reason: Untrusted,
    /// The field `Server`. AWS load balancers answer as `awselb/2.0` where no target does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Untrusted>,
    /// The field `Location`: where a redirect leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Untrusted>,
    /// The first field `Strict-Transport-Security`, which is the one that counts (RFC 6797 §8.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hsts: Option<Hsts>,
    /// The field `Connection`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<Untrusted>,
    /// The field `Keep-Alive`: how long and for how many requests an idle connection is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_alive: Option<Untrusted>,
    /// Whether the connection stays open for another request (RFC 9112 §9.3).
    pub persistent: bool,
    /// The names of the header fields and cookies that AWS load balancers and services behind them add;
    /// their values are not kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aws: Vec<String>,
}

impl Head {
    /// `HTTP 403 Forbidden`.
    pub(crate) fn told(&self) -> String {
        let told = format!("HTTP {} {}", self.status, self.reason);
        told.trim_end().to_owned()
    }
}

/// Reads a whole head: it, and how many bytes it has.
pub(crate) fn head(bytes: &[u8]) -> Result<(Head, usize), String> {
    let mut fields = vec![httparse::EMPTY_HEADER; FIELDS];
    let mut parsed = httparse::Response::new(&mut fields);
    let mut config = httparse::ParserConfig::default();
    // As clients are: what one field breaks is that field.
    config
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_spaces_after_header_name_in_responses(true)
        .ignore_invalid_headers_in_responses(true);
    let length = match config.parse_response(&mut parsed, bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Err("the head breaks off".into()),
        Err(error) => return Err(error.to_string()),
    };
    let minor = parsed.version.unwrap_or(1);
    let of = |name: &str| {
        let mut fields = parsed.headers.iter();
        fields
            .find(|field| field.name.eq_ignore_ascii_case(name))
            .map(|field| field.value)
    };
    let text = |name: &str| of(name).map(Untrusted::from_bytes);
    let connection = text("connection");
    let says = |word: &str| {
        let options = connection.as_ref().map(Untrusted::raw).unwrap_or_default();
        options
            .split(',')
            .any(|option| option.trim().eq_ignore_ascii_case(word))
    };
    let head = Head {
        version: format!("HTTP/1.{minor}"),
        status: parsed.code.unwrap_or_default(),
        reason: parsed.reason.unwrap_or_default().into(),
        server: text("server"),
        location: text("location"),
        hsts: of("strict-transport-security").map(Hsts::read),
        keep_alive: text("keep-alive"),
        persistent: !says("close") && (minor >= 1 || says("keep-alive")),
        aws: aws(parsed.headers),
        connection,
    };
    Ok((head, length))
}

/// Which of the names that AWS adds are there.
fn aws(fields: &[httparse::Header<'_>]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !found.iter().any(|known| known == name) {
            found.push(name.into());
        }
    };
    for field in fields {
        let mut known = AWS_FIELDS.iter();
        if let Some(name) = known.find(|name| field.name.eq_ignore_ascii_case(name)) {
            add(name);
        }
        if !field.name.eq_ignore_ascii_case("set-cookie") {
            continue;
        }
        let cookie = field.value.split(|byte| *byte == b'=').next();
        let is = |name: &&&str| match name.strip_suffix('-') {
            Some(_) => cookie.is_some_and(|cookie| cookie.starts_with(name.as_bytes())),
            None => cookie == Some(name.as_bytes()),
        };
        if let Some(name) = AWS_COOKIES.iter().find(is) {
            add(name.trim_end_matches('-'));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &str) -> Head {
        head(format!("HTTP/1.1 302 Found\r\n{fields}\r\n").as_bytes())
            .unwrap()
            .0
    }

    #[test]
    fn reads_what_is_of_interest() {
        let head = read(
            "server: awselb/2.0\r\nLocation: https://a/\r\nKeep-Alive: timeout=5\r\n\
             Connection: keep-alive\r\nX-Amzn-Trace-Id: Root=1\r\n\
             Set-Cookie: AWSALB=secret; Path=/\r\nSet-Cookie: AWSALBAPP-0=secret\r\n\
             Set-Cookie: session=secret\r\n",
        );
        assert_eq!((head.status, head.reason.raw()), (302, "Found"));
        assert_eq!(head.server, Some("awselb/2.0".into()));
        assert_eq!(head.keep_alive, Some("timeout=5".into()));
        assert_eq!(head.aws, ["x-amzn-trace-id", "AWSALB", "AWSALBAPP"]);
        assert!(!format!("{head:?}").contains("secret"));
    }

    #[test]
    fn a_connection_persists_unless_it_is_said_not_to() {
        assert!(read("").persistent);
        assert!(!read("Connection: Upgrade, Close\r\n").persistent);
        let old = |fields: &str| {
            let bytes = format!("HTTP/1.0 200 OK\r\n{fields}\r\n");
            head(bytes.as_bytes()).unwrap().0.persistent
        };
        assert!(!old(""));
        assert!(old("Connection: keep-alive\r\n"));
    }

    #[test]
    fn a_field_that_is_none_costs_only_itself() {
        let head = read("bad header\r\nServer: x\r\n");
        assert_eq!(head.server, Some("x".into()));
    }

    #[test]
    fn too_many_fields_are_an_error() {
        let fields = "a: b\r\n".repeat(FIELDS + 1);
        let bytes = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
        assert!(head(bytes.as_bytes()).is_err());
    }
}
