//! FTP (RFC 4217): greeting, AUTH TLS.

use std::borrow::Cow;

use super::inbox::Inbox;
use super::reply::Replies;
use super::{Dialogue, Trouble, Turn};

/// Asks an FTP server.
#[derive(Debug, Default)]
pub(super) struct Ftp {
    replies: Replies,
    greeted: bool,
}

impl Dialogue for Ftp {
    fn begin(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn hear(&mut self, inbox: &mut Inbox) -> Result<Turn, Trouble> {
        while let Some(reply) = self.replies.next(inbox)? {
            match (self.greeted, reply.code) {
                // 120: ready in some minutes; the greeting follows.
                (_, 100..200) => {}
                (false, 220) => {
                    self.greeted = true;
                    return Ok(Turn::Say(b"AUTH TLS\r\n".to_vec()));
                }
                // 334 is what servers say that take it for an exchange of tokens (RFC 2228).
                (true, 234 | 334) => return Ok(Turn::Ready),
                _ => return Err(Trouble::Refused(reply.text)),
            }
        }
        Ok(Turn::Wait)
    }

    fn asked(&self) -> Option<Cow<'static, str>> {
        self.greeted.then_some("AUTH TLS".into())
    }
}
