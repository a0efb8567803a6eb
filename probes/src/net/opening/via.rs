//! The proxy that connections go through.

use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use super::http_connect::HttpConnect;
use super::socks5::Socks5;
use super::{Destination, Dialogue};
use crate::target::{Host, Target, TargetError};

/// The port of a SOCKS proxy, by RFC 1928.
const SOCKS_PORT: u16 = 1080;

/// A proxy: `http://[USER:PASSWORD@]HOST:PORT` or `socks5://[USER:PASSWORD@]HOST[:PORT]`.
///
/// Its `Display` leaves user and password out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) port: u16,
    credentials: Option<Credentials>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Socks5,
}

/// Who asks the proxy.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: String,
}

/// Why a text is no proxy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViaError {
    /// Another kind of proxy.
    #[error("give http://HOST:PORT or socks5://HOST:PORT")]
    Scheme,
    /// An HTTP proxy without a port: none is usual.
    #[error("give the proxy's port: http://HOST:PORT")]
    Port,
    /// A path or a query.
    #[error("a proxy has no path: give http://HOST:PORT or socks5://HOST:PORT")]
    Path,
    /// User or password that cannot be sent.
    #[error("user and password must be UTF-8, at most 255 bytes each, and the user has no `:`")]
    Credentials,
    /// No host, or a port that is none.
    #[error(transparent)]
    Host(#[from] TargetError),
}

impl Via {
    pub(super) fn dialogue(&self, to: &Destination) -> Box<dyn Dialogue> {
        match self.scheme {
            Scheme::Http => Box::new(HttpConnect::new(to, self.credentials.as_ref())),
            Scheme::Socks5 => Box::new(Socks5::new(to, self.credentials.as_ref())),
        }
    }
}

impl FromStr for Via {
    type Err = ViaError;

    fn from_str(text: &str) -> Result<Self, ViaError> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(ViaError::Scheme)?;
        let (scheme, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Scheme::Http, None),
            // The proxy resolves names in any case, which is what the `h` is for elsewhere.
            "socks5" | "socks5h" => (Scheme::Socks5, Some(SOCKS_PORT)),
            _ => return Err(ViaError::Scheme),
        };
        let (userinfo, place) = match rest.rsplit_once('@') {
            Some((userinfo, place)) => (Some(userinfo), place),
            None => (None, rest),
        };
        let place = place.strip_suffix('/').unwrap_or(place);
        if place.contains(['/', '?', '#']) {
            return Err(ViaError::Path);
        }
        // Port 0 stands for none: it cannot be given.
        let target = Target::parse(place, default_port.unwrap_or(0))?;
        if target.port == 0 {
            return Err(ViaError::Port);
        }
        Ok(Self {
            scheme,
            host: target.host,
            port: target.port,
            credentials: userinfo.map(credentials).transpose()?,
        })
    }
}

fn credentials(userinfo: &str) -> Result<Credentials, ViaError> {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let decode = |text| {
        let decoded = percent_decode_str(text).decode_utf8();
        let decoded = decoded.map_err(|_| ViaError::Credentials)?;
        if decoded.len() > 255 {
            return Err(ViaError::Credentials);
        }
        Ok(decoded.into_owned())
    };
    let (user, password) = (decode(user)?, decode(password)?);
    if user.contains(':') {
        return Err(ViaError::Credentials);
    }
    Ok(Credentials { user, password })
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Socks5 => "socks5",
        };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Via {
        text.parse().unwrap()
    }

    #[test]
    fn reads_proxies() {
        assert_eq!(
            read("http://Proxy.Example:3128/").to_string(),
            "http://proxy.example:3128"
        );
        assert_eq!(read("socks5://[::1]").to_string(), "socks5://[::1]:1080");
        assert_eq!(
            read("socks5h://10.0.0.1:9").to_string(),
            "socks5://10.0.0.1:9"
        );
    }

    #[test]
    fn user_and_password_are_read_and_never_shown() {
        let via = read("http://us%65r:p%40ss%3A@proxy:80");
        let credentials = via.credentials.clone().unwrap();
        assert_eq!(credentials.user, "user");
        assert_eq!(credentials.password, "p@ss:");
        let shown = format!("{via} {via:?}");
        assert!(!shown.contains("user") && !shown.contains("ss:"), "{shown}");
    }

    #[test]
    fn refuses_what_is_no_proxy() {
        for (text, error) in [
            ("proxy:3128", ViaError::Scheme),
            ("https://proxy:443", ViaError::Scheme),
            ("socks4://proxy", ViaError::Scheme),
            ("http://proxy", ViaError::Port),
            ("http://proxy:3128/path", ViaError::Path),
            ("http://a%3Ab:c@proxy:3128", ViaError::Credentials),
            ("http://%ff@proxy:3128", ViaError::Credentials),
        ] {
            assert_eq!(text.parse::<Via>(), Err(error), "{text}");
        }
        for text in ["http://", "http://:3128", "socks5://a b", "http://proxy:0"] {
            let error = text.parse::<Via>().unwrap_err();
            assert!(matches!(error, ViaError::Host(_)), "{text}: {error:?}");
        }
    }
}
