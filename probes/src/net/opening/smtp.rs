//! SMTP (RFC 3207) and LMTP (RFC 2033): greeting, EHLO or LHLO, STARTTLS.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use super::inbox::Inbox;
use super::reply::Replies;
use super::{Dialogue, Trouble, Turn};

/// Asks a mail server.
#[derive(Debug)]
pub(super) struct Smtp {
    hello: &'static str,
    client: IpAddr,
    replies: Replies,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Greeting,
    Hello,
    StartTls { offered: bool },
}

impl Smtp {
    /// With `EHLO` (SMTP) or `LHLO` (LMTP), from this address.
    pub(super) fn new(hello: &'static str, client: Option<IpAddr>) -> Self {
        Self {
            hello,
            client: client.unwrap_or(Ipv4Addr::LOCALHOST.into()),
            replies: Replies::default(),
            stage: Stage::Greeting,
        }
    }

    /// A client without a name of its own sends its address as a literal: RFC 5321 §4.1.4.
    fn hello(&self) -> Vec<u8> {
        match self.client {
            IpAddr::V4(ip) => format!("{} [{ip}]\r\n", self.hello),
            IpAddr::V6(ip) => format!("{} [IPv6:{ip}]\r\n", self.hello),
        }
        .into_bytes()
    }
}

impl Dialogue for Smtp {
    fn begin(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn hear(&mut self, inbox: &mut Inbox) -> Result<Turn, Trouble> {
        let Some(reply) = self.replies.next(inbox)? else {
            return Ok(Turn::Wait);
        };
        match (&self.stage, reply.code) {
            (Stage::Greeting, 220) => {
                self.stage = Stage::Hello;
                Ok(Turn::Say(self.hello()))
            }
            (Stage::Hello, 250) => {
                // A box on the way may hide the extension: the server is asked all the same.
                self.stage = Stage::StartTls {
                    offered: reply.offers("STARTTLS"),
                };
                Ok(Turn::Say(b"STARTTLS\r\n".to_vec()))
            }
            (Stage::StartTls { .. }, 220) => Ok(Turn::Ready),
            _ => Err(Trouble::Refused(reply.text)),
        }
    }

    fn asked(&self) -> Option<Cow<'static, str>> {
        match self.stage {
            Stage::Greeting => None,
            Stage::Hello => Some(self.hello.into()),
            Stage::StartTls { offered: true } => Some("STARTTLS".into()),
            Stage::StartTls { offered: false } => Some(
                format!(
                    "STARTTLS (which it does not offer in its answer to {})",
                    self.hello
                )
                .into(),
            ),
        }
    }
}
