//! The way through an HTTP proxy: CONNECT (RFC 9110 §9.3.6).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::inbox::Inbox;
use super::via::Credentials;
use super::{Destination, Dialogue, Trouble, Turn};

/// Asks an HTTP proxy.
#[derive(Debug)]
pub(super) struct HttpConnect {
    to: Destination,
    credentials: Option<Credentials>,
    /// The status line has come, and says that the tunnel is there.
    tunnelled: bool,
}

impl HttpConnect {
    pub(super) fn new(to: &Destination, credentials: Option<&Credentials>) -> Self {
        Self {
            to: to.clone(),
            credentials: credentials.cloned(),
            tunnelled: false,
        }
    }
}

impl Dialogue for HttpConnect {
    fn begin(&mut self) -> Vec<u8> {
        let to = &self.to;
        let mut request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n");
        if let Some(Credentials { user, password }) = &self.credentials {
            // RFC 7617: in base64, so that no character of them ends the header.
            let pair = STANDARD.encode(format!("{user}:{password}"));
            request.push_str("Proxy-Authorization: Basic ");
            request.push_str(&pair);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        request.into_bytes()
    }

    fn hear(&mut self, inbox: &mut Inbox) -> Result<Turn, Trouble> {
        let begins = |bytes: &[u8]| bytes.iter().zip(b"HTTP/1.").all(|(a, b)| a == b);
        if !self.tunnelled && !begins(inbox.bytes()) {
            return Err(Trouble::NotUnderstood(inbox.bytes().to_vec()));
        }
        while let Some(line) = inbox.line()? {
            if self.tunnelled {
                if line.is_empty() {
                    // A body cannot follow: RFC 9110 §9.3.6.
                    return Ok(Turn::Ready);
                }
                continue;
            }
            match code(&line) {
                Some(200..300) => self.tunnelled = true,
                Some(_) => return Err(Trouble::Refused(line)),
                None => return Err(Trouble::NotUnderstood(line)),
            }
        }
        Ok(Turn::Wait)
    }

    fn asked(&self) -> Option<Cow<'static, str>> {
        Some(format!("CONNECT {}", self.to).into())
    }
}

/// The code of a status line.
fn code(line: &[u8]) -> Option<u16> {
    let mut words = line.split(|byte| *byte == b' ');
    let version = words.next()?;
    let code = words.next().filter(|code| code.len() == 3)?;
    if !matches!(version, b"HTTP/1.0" | b"HTTP/1.1") || !code.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(code).ok()?.parse().ok()
}
