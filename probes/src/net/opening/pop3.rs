//! POP3 (RFC 2595 §4): greeting, STLS.

use std::borrow::Cow;

use super::inbox::Inbox;
use super::{Dialogue, Trouble, Turn};

/// Asks a POP3 server.
#[derive(Debug, Default)]
pub(super) struct Pop3 {
    greeted: bool,
}

impl Dialogue for Pop3 {
    fn begin(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn hear(&mut self, inbox: &mut Inbox) -> Result<Turn, Trouble> {
        if !matches!(inbox.bytes().first(), None | Some(b'+' | b'-')) {
            return Err(Trouble::NotUnderstood(inbox.bytes().to_vec()));
        }
        let Some(line) = inbox.line()? else {
            return Ok(Turn::Wait);
        };
        match (line.starts_with(b"+OK"), self.greeted) {
            (true, true) => Ok(Turn::Ready),
            (true, false) => {
                self.greeted = true;
                Ok(Turn::Say(b"STLS\r\n".to_vec()))
            }
            (false, _) if line.starts_with(b"-ERR") => Err(Trouble::Refused(line)),
            (false, _) => Err(Trouble::NotUnderstood(line)),
        }
    }

    fn asked(&self) -> Option<Cow<'static, str>> {
        self.greeted.then_some("STLS".into())
    }
}
