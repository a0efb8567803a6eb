//! What is said on a connection before TLS: the way through a proxy, a PROXY protocol header,
//! STARTTLS; in this order.
//!
//! Each of them is a state machine in a file of its own: it is given the bytes that came, and says
//! what to send. No I/O here; [`super::connect`] moves the bytes, within the connection's deadline.
//! What a peer may say is bounded in [`inbox`], in lines and in bytes.

mod ftp;
mod http_connect;
mod imap;
mod inbox;
mod ldap;
mod mysql;
mod pop3;
mod postgres;
mod proxy_protocol;
mod reply;
mod smtp;
mod socks5;
mod starttls;
mod via;
mod xmpp;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::inbox::{Inbox, TooMuch};
use super::NetError;
use crate::target::{Endpoint, Host};
use crate::untrusted::Untrusted;

pub use proxy_protocol::ProxyProtocol;
pub use starttls::StartTls;
pub use via::{Via, ViaError};

/// What is said on every connection before TLS; by default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BeforeTls {
    /// The proxy that connections go through.
    pub via: Option<Via>,
    /// The header that a load balancer would send first.
    pub proxy_protocol: Option<ProxyProtocol>,
    /// The protocol in which TLS is asked for.
    pub starttls: Option<StartTls>,
}

impl BeforeTls {
    /// Whether TLS begins at once.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a proxy is asked to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The name, which the proxy resolves, or the address.
    pub host: Host,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// How a dialogue failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// What was sent; none where the peer speaks first, and was to greet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// What became of it.
    pub problem: Problem,
    /// What the peer said.
    #[serde(default, skip_serializing_if = "Untrusted::is_empty")]
    pub said: Untrusted,
}

/// What became of a dialogue that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// The peer refuses, in the protocol's own words.
    Refused,
    /// What came is not that protocol.
    NotUnderstood,
    /// More came than any real peer says.
    TooMuch,
    /// The peer closed the connection.
    Closed,
    /// The peer reset the connection.
    Reset,
    /// The peer stopped answering.
    Silent,
}

impl Problem {
    /// Whether the peer answered: that is no chance, as an end or silence may be.
    pub fn is_answer(self) -> bool {
        matches!(self, Self::Refused | Self::NotUnderstood | Self::TooMuch)
    }
}

impl Failure {
    /// Whether the peer's words show that the port speaks TLS from the first byte.
    pub fn is_tls_alert(&self) -> bool {
        self.said.raw().starts_with("\u{15}\u{3}")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked = self.asked.as_deref();
        match (self.problem, asked) {
            (Problem::Refused, None) => f.write_str("it greets with")?,
            (Problem::Refused, Some(asked)) => write!(f, "it answers {asked} with")?,
            (Problem::NotUnderstood, None) => f.write_str("it greets in another protocol")?,
            (Problem::NotUnderstood, Some(asked)) => {
                write!(f, "it answers {asked} in another protocol")?;
            }
            (Problem::TooMuch, None) => f.write_str("its greeting has no end")?,
            (Problem::TooMuch, Some(asked)) => write!(f, "its answer to {asked} has no end")?,
            (Problem::Closed, None) => {
                f.write_str("it closes the connection without a greeting")?;
            }
            (Problem::Closed, Some(asked)) => write!(f, "it closes the connection after {asked}")?,
            (Problem::Reset, None) => f.write_str("it resets the connection without a greeting")?,
            (Problem::Reset, Some(asked)) => write!(f, "it resets the connection after {asked}")?,
            (Problem::Silent, None) => f.write_str("no greeting comes in time")?,
            (Problem::Silent, Some(asked)) => write!(f, "no answer to {asked} comes in time")?,
        }
        if !self.said.is_empty() {
            let colon = if self.problem == Problem::Refused {
                ""
            } else {
                ":"
            };
            write!(f, "{colon} \"{}\"", self.said)?;
        }
        Ok(())
    }
}

/// What a machine does next.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    /// Nothing, until more comes.
    Wait,
    /// Sends this.
    Say(Vec<u8>),
    /// It is at its end: what follows on the connection is no longer its business.
    Ready,
}

/// Why a machine cannot go on.
#[derive(Debug, PartialEq, Eq)]
enum Trouble {
    /// [`Problem::Refused`], in these words.
    Refused(Vec<u8>),
    /// [`Problem::NotUnderstood`].
    NotUnderstood(Vec<u8>),
    /// [`Problem::TooMuch`].
    TooMuch,
}

impl From<TooMuch> for Trouble {
    fn from(TooMuch: TooMuch) -> Self {
        Self::TooMuch
    }
}

/// One dialogue. Every machine has a fixed number of steps.
trait Dialogue: fmt::Debug + Send {
    /// What is sent before anything comes; nothing where the peer speaks first.
    fn begin(&mut self) -> Vec<u8>;

    /// Takes from the inbox what it understands.
    fn hear(&mut self, inbox: &mut Inbox) -> Result<Turn, Trouble>;

    /// What was sent last, in words; none where the peer is to greet.
    fn asked(&self) -> Option<Cow<'static, str>>;
}

/// With whom a dialogue is, for saying what became of it.
#[derive(Clone, Debug)]
enum With {
    Proxy(String),
    ProxyProtocol,
    Server(StartTls),
}

/// What goes before TLS on one connection: dialogues one after the other.
#[derive(Debug)]
pub(crate) struct Opening {
    inbox: Inbox,
    dialogues: VecDeque<(With, Box<dyn Dialogue>)>,
    begun: bool,
}

/// What the connection does next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Sends this.
    Send(Vec<u8>),
    /// Reads.
    Wait,
    /// Begins with TLS.
    Ready,
}

impl Opening {
    /// What goes before TLS on a connection between these two addresses; none where nothing does.
    pub(crate) fn of(
        endpoint: &Endpoint,
        before: &BeforeTls,
        local: Option<SocketAddr>,
        peer: SocketAddr,
    ) -> Option<Self> {
        if before.is_nothing() {
            return None;
        }
        let mut dialogues: VecDeque<(With, Box<dyn Dialogue>)> = VecDeque::new();
        if let (Some(via), Some(to)) = (&before.via, &endpoint.behind_proxy) {
            dialogues.push_back((With::Proxy(via.to_string()), via.dialogue(to)));
        }
        if let Some(version) = before.proxy_protocol {
            // Behind a proxy, the addresses of the connection that the server sees are unknown.
            let direct = local.filter(|_| before.via.is_none());
            let addresses = direct.map(|local| (local, peer));
            let header = proxy_protocol::Header::new(version, addresses);
            dialogues.push_back((With::ProxyProtocol, Box::new(header)));
        }
        if let Some(protocol) = before.starttls {
            let name = endpoint.sni.as_ref().unwrap_or(&endpoint.expected);
            let dialogue = protocol.dialogue(name, local.map(|local| local.ip()));
            dialogues.push_back((With::Server(protocol), dialogue));
        }
        Some(Self {
            inbox: Inbox::default(),
            dialogues,
            begun: false,
        })
    }

    /// What to do now.
    ///
    /// # Errors
    /// The peer refuses, or is not understood.
    pub(crate) fn next(&mut self) -> Result<Next, NetError> {
        loop {
            let Some((_, dialogue)) = self.dialogues.front_mut() else {
                return Ok(Next::Ready);
            };
            if !self.begun {
                self.begun = true;
                let first = dialogue.begin();
                if !first.is_empty() {
                    return Ok(Next::Send(first));
                }
            }
            match dialogue.hear(&mut self.inbox) {
                Ok(Turn::Wait) => return Ok(Next::Wait),
                Ok(Turn::Say(bytes)) => return Ok(Next::Send(bytes)),
                Ok(Turn::Ready) => {
                    self.dialogues.pop_front();
                    self.inbox.next_dialogue();
                    self.begun = false;
                }
                Err(trouble) => {
                    let (problem, said) = match trouble {
                        Trouble::Refused(said) => (Problem::Refused, said),
                        Trouble::NotUnderstood(said) => (Problem::NotUnderstood, said),
                        Trouble::TooMuch => (Problem::TooMuch, self.inbox.bytes().to_vec()),
                    };
                    return Err(self.failed(problem, &said));
                }
            }
        }
    }

    /// Takes what came.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.inbox.push(bytes);
    }

    /// The error where nothing more comes.
    pub(crate) fn ended(&self, problem: Problem) -> NetError {
        self.failed(problem, self.inbox.bytes())
    }

    /// What came behind the last dialogue: the peer's first bytes of what should be TLS.
    pub(crate) fn rest(self) -> Vec<u8> {
        self.inbox.bytes().to_vec()
    }

    fn failed(&self, problem: Problem, said: &[u8]) -> NetError {
        let front = self.dialogues.front();
        let said = said.get(..MAX_SAID).unwrap_or(said).trim_ascii();
        let failure = Failure {
            asked: front
                .and_then(|(_, dialogue)| dialogue.asked())
                .map(Cow::into_owned),
            problem,
            said: Untrusted::from_bytes(said),
        };
        match front {
            Some((With::Server(protocol), _)) => NetError::StartTls {
                protocol: *protocol,
                failure,
            },
            Some((With::Proxy(proxy), _)) => NetError::Via {
                proxy: proxy.clone(),
                why: failure.to_string(),
            },
            Some((With::ProxyProtocol, _)) | None => NetError::Other {
                why: failure.to_string(),
            },
        }
    }
}

/// Bytes of what a peer said that are kept, at most.
const MAX_SAID: usize = 1024;
