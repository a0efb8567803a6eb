//! What the user points at, and the addresses that it has.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use crate::http::check_path;
use crate::net::opening::Destination;

/// A host and port to be probed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The name or address.
    pub host: Host,
    /// The port.
    pub port: u16,
    /// An `http://` URL: plaintext is expected there.
    pub plaintext: bool,
    /// The path and query of a URL that has one; asked of a target behind a load balancer.
    pub path: Option<String>,
}

/// A name or an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A DNS name in its A-label form, lower case, without a trailing dot.
    Name(String),
    /// An address.
    Ip(IpAddr),
}

/// One address of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where to connect.
    pub address: SocketAddr,
    /// The server name to send.
    pub sni: Option<String>,
    /// The name or address that the certificate must be for.
    pub expected: String,
    /// Plaintext is expected: only the probes run that make sense without TLS.
    pub plaintext: bool,
    /// The path of the URL that was given, where it has one.
    pub path: Option<String>,
    /// What the proxy is asked to connect to, where connections go through one; `address` is then
    /// the proxy's.
    pub behind_proxy: Option<Destination>,
}

/// Why a text is no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// Nothing there.
    #[error("an empty target; give a host, host:port, URL or address")]
    Empty,
    /// A port that is none.
    #[error("`{port}` is no port; ports are 1 to 65535")]
    Port {
        /// As given.
        port: String,
    },
    /// A URL of another scheme.
    #[error("cannot probe the scheme `{scheme}`; give https://, http:// or host:port")]
    Scheme {
        /// As given.
        scheme: String,
    },
    /// No host name, no address.
    #[error("`{host}` is neither a host name nor an address: {why}")]
    Host {
        /// As given.
        host: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl FromStr for Target {
    type Err = TargetError;

    /// Reads `host`, `host:port`, a URL, an IPv4 address or an IPv6 literal with or without brackets.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        Self::parse(text, 443)
    }
}

impl Target {
    /// The same, with the port that stands for none where there is no URL to say another.
    ///
    /// # Errors
    /// [`TargetError`].
    pub fn parse(text: &str, default_port: u16) -> Result<Self, TargetError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TargetError::Empty);
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => ("tls".into(), text),
        };
        let (default_port, plaintext) = match scheme.as_str() {
            "tls" => (default_port, false),
            "https" => (443, false),
            "http" => (80, true),
            _ => return Err(TargetError::Scheme { scheme }),
        };
        if let Some((ip, length)) = text.split_once('/')
            && ip.parse::<IpAddr>().is_ok()
            && length.bytes().all(|byte| byte.is_ascii_digit())
            && !length.is_empty()
        {
            return Err(TargetError::Host {
                host: text.into(),
                why: "a range of addresses; give each address",
            });
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let authority = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let (host, port) = split_port(authority)?;
        let port = match port {
            None | Some("") => default_port,
            Some(port) => parse_port(port)?,
        };
        Ok(Self {
            host: parse_host(host)?,
            port,
            plaintext,
            path: path(text.contains("://"), rest),
        })
    }

    /// The name that a client sends as SNI and holds the certificate against; none for an address.
    pub fn name(&self) -> Option<&str> {
        match &self.host {
            Host::Name(name) => Some(name),
            Host::Ip(_) => None,
        }
    }
}

impl fmt::Display for Target {
    /// The canonical form: `host:port`, `[::1]:443`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(IpAddr::V4(ip)) => write!(f, "{ip}"),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

/// A port number from 1.
///
/// # Errors
/// [`TargetError::Port`].
pub fn parse_port(text: &str) -> Result<u16, TargetError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if port > 0 && digits => Ok(port),
        _ => Err(TargetError::Port { port: text.into() }),
    }
}

/// The path and query of a URL: none where it is the root alone, or nothing that a request can hold.
fn path(is_url: bool, rest: &str) -> Option<String> {
    let start = rest.find(['/', '?', '#']).filter(|_| is_url)?;
    let path = rest.get(start..)?.split('#').next().unwrap_or_default();
    let path = if path.starts_with('?') {
        format!("/{path}")
    } else {
        path.to_owned()
    };
    (path.len() > 1 && check_path(&path).is_ok()).then_some(path)
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), TargetError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let Some((host, after)) = rest.split_once(']') else {
            return Err(TargetError::Host {
                host: authority.into(),
                why: "no closing bracket",
            });
        };
        return match after {
            "" => Ok((host, None)),
            _ => match after.strip_prefix(':') {
                Some(port) => Ok((host, Some(port))),
                None => Err(TargetError::Port { port: after.into() }),
            },
        };
    }
    if authority.parse::<Ipv6Addr>().is_ok() {
        return Ok((authority, None));
    }
    match authority.split_once(':') {
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((authority, None)),
    }
}

fn parse_host(host: &str) -> Result<Host, TargetError> {
    let wrong = |why| TargetError::Host {
        host: host.into(),
        why,
    };
    if host.is_empty() {
        return Err(wrong("it is empty"));
    }
    if let Ok(ip) = host.parse() {
        return Ok(Host::Ip(ip));
    }
    let ascii = idna::domain_to_ascii(host).map_err(|_| wrong("not a valid international name"))?;
    let name = ascii
        .strip_suffix('.')
        .unwrap_or(&ascii)
        .to_ascii_lowercase();
    if name.len() > 253 {
        return Err(wrong("longer than 253 characters"));
    }
    for label in name.split('.') {
        if label.is_empty() {
            return Err(wrong("an empty label"));
        }
        if label.len() > 63 {
            return Err(wrong("a label longer than 63 characters"));
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !label.bytes().all(allowed) {
            return Err(wrong("a character that names do not have"));
        }
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong("it looks like an address, and is none"));
    }
    Ok(Host::Name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        text.parse::<Target>().unwrap().to_string()
    }

    #[test]
    fn reads_what_people_paste() {
        assert_eq!(canonical("Example.COM"), "example.com:443");
        assert_eq!(canonical("example.com."), "example.com:443");
        assert_eq!(canonical("example.com:8443"), "example.com:8443");
        assert_eq!(canonical("https://example.com/a?b=c:1"), "example.com:443");
        assert_eq!(canonical("https://u:p@example.com:444/"), "example.com:444");
        assert_eq!(canonical("http://10.0.1.25:8080/api"), "10.0.1.25:8080");
        assert_eq!(canonical("192.0.2.1"), "192.0.2.1:443");
        assert_eq!(canonical("::1"), "[::1]:443");
        assert_eq!(canonical("[2001:db8::1]:8443"), "[2001:db8::1]:8443");
        assert_eq!(canonical("bücher.example"), "xn--bcher-kva.example:443");
        assert_eq!(canonical("my_host.internal"), "my_host.internal:443");
    }

    #[test]
    fn keeps_the_path_of_a_url() {
        let path = |text: &str| text.parse::<Target>().unwrap().path;
        assert_eq!(path("http://10.0.1.25:8080/api"), Some("/api".into()));
        assert_eq!(path("https://a.example/b?c=d#e"), Some("/b?c=d".into()));
        assert_eq!(path("http://a.example?c=d"), Some("/?c=d".into()));
        for without in [
            "http://a.example/",
            "http://a.example",
            "a.example/b",
            "http://a/\u{1b}",
        ] {
            assert_eq!(path(without), None, "{without}");
        }
    }

    #[test]
    fn refuses_what_is_no_target() {
        for text in [
            "",
            "  ",
            "example.com:0",
            "example.com:65536",
            "example.com:http",
            "example.com:+1",
            "ftp://example.com",
            "a b",
            "a..b",
            "256.1.1.1",
            "[::1",
            "[::1]8",
            "-\u{1b}[2J",
            ":443",
            "127.0.0.1/8",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text:?}");
        }
    }
}
