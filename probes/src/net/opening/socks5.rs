//! The way through a SOCKS proxy, version 5: RFC 1928, with user and password as in RFC 1929. A name
//! goes to the proxy as a name.

use std::borrow::Cow;
use std::net::IpAddr;

use super::inbox::Inbox;
use super::via::Credentials;
use super::{Destination, Dialogue, Trouble, Turn};
use crate::target::Host;

/// Asks a SOCKS proxy.
#[derive(Debug)]
pub(super) struct Socks5 {
    to: Destination,
    credentials: Option<Credentials>,
    stage: Stage,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    Method,
    Password,
    Connect,
}

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const USERNAME_PASSWORD: u8 = 2;
const NO_ACCEPTABLE_METHOD: u8 = 0xFF;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const DOMAIN_NAME: u8 = 3;
const IPV6: u8 = 4;

impl Socks5 {
    pub(super) fn new(to: &Destination, credentials: Option<&Credentials>) -> Self {
        Self {
            to: to.clone(),
            credentials: credentials.cloned(),
            stage: Stage::Method,
        }
    }

    fn request(&self) -> Vec<u8> {
        let mut request = vec![VERSION, CONNECT, 0];
        match &self.to.host {
            Host::Ip(IpAddr::V4(ip)) => {
                request.push(IPV4);
                request.extend(ip.octets());
            }
            Host::Ip(IpAddr::V6(ip)) => {
                request.push(IPV6);
                request.extend(ip.octets());
            }
            Host::Name(name) => {
                request.push(DOMAIN_NAME);
                request.extend(counted(name));
            }
        }
        request.extend(self.to.port.to_be_bytes());
        request
    }
}

impl Dialogue for Socks5 {
    fn begin(&mut self) -> Vec<u8> {
        match self.credentials {
            None => vec![VERSION, 1, NO_AUTHENTICATION],
            Some(_) => vec![VERSION, 2, NO_AUTHENTICATION, USERNAME_PASSWORD],
        }
    }

    fn hear(&mut self, inbox: &mut Inbox) -> Result<Turn, Trouble> {
        let bytes = inbox.checked()?;
        let other = || Trouble::NotUnderstood(bytes.to_vec());
        let version = if self.stage == Stage::Password {
            1
        } else {
            VERSION
        };
        if bytes.first().is_some_and(|first| *first != version) {
            return Err(other());
        }
        let Some(&[_, second]) = bytes.first_chunk() else {
            return Ok(Turn::Wait);
        };
        match (&self.stage, second, &self.credentials) {
            (Stage::Method, NO_AUTHENTICATION, _) | (Stage::Password, 0, _) => {
                inbox.take(2);
                self.stage = Stage::Connect;
                Ok(Turn::Say(self.request()))
            }
            (Stage::Method, USERNAME_PASSWORD, Some(credentials)) => {
                inbox.take(2);
                self.stage = Stage::Password;
                let mut login = vec![1];
                login.extend(counted(&credentials.user));
                login.extend(counted(&credentials.password));
                Ok(Turn::Say(login))
            }
            (Stage::Method, NO_ACCEPTABLE_METHOD, None) => Err(refused(
                "it wants a user and a password (socks5://USER:PASSWORD@…)",
            )),
            (Stage::Method, NO_ACCEPTABLE_METHOD, Some(_)) => {
                Err(refused("it takes no user and password"))
            }
            (Stage::Method, ..) => Err(other()),
            (Stage::Password, ..) => Err(refused("user or password are wrong")),
            (Stage::Connect, 0, _) => {
                let address = match bytes.get(3..5) {
                    None => return Ok(Turn::Wait),
                    Some([IPV4, _]) => 4,
                    Some([IPV6, _]) => 16,
                    Some([DOMAIN_NAME, length]) => 1 + usize::from(*length),
                    Some(_) => return Err(other()),
                };
                let length = 4 + address + 2;
                if bytes.len() < length {
                    return Ok(Turn::Wait);
                }
                inbox.take(length);
                Ok(Turn::Ready)
            }
            (Stage::Connect, code, _) => Err(refused(reason(code))),
        }
    }

    fn asked(&self) -> Option<Cow<'static, str>> {
        Some(match self.stage {
            Stage::Method => "the SOCKS greeting".into(),
            Stage::Password => "user and password".into(),
            Stage::Connect => format!("the request to connect to {}", self.to).into(),
        })
    }
}

fn refused(why: &str) -> Trouble {
    Trouble::Refused(why.as_bytes().to_vec())
}

/// The codes of RFC 1928 §6.
fn reason(code: u8) -> &'static str {
    match code {
        1 => "general failure (1)",
        2 => "not allowed by its rules (2)",
        3 => "network unreachable (3)",
        4 => "host unreachable (4)",
        5 => "connection refused (5)",
        6 => "time to live expired (6)",
        7 => "command not supported (7)",
        8 => "address type not supported (8)",
        _ => "an unknown code",
    }
}

/// A text with its length in one byte before it; names and credentials are never longer.
fn counted(text: &str) -> Vec<u8> {
    let text = text.as_bytes();
    let text = text.get(..255).unwrap_or(text);
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    [&[length], text].concat()
}
