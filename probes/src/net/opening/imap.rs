//! IMAP (RFC 9051 §6.2.1): greeting, STARTTLS.

use std::borrow::Cow;

use super::inbox::Inbox;
use super::{Dialogue, Trouble, Turn};

/// Asks an IMAP server.
#[derive(Debug, Default)]
pub(super) struct Imap {
    greeted: bool,
}

/// The tag of the one command.
const TAG: &[u8] = b"a1 ";

impl Dialogue for Imap {
    fn begin(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn hear(&mut self, inbox: &mut Inbox) -> Result<Turn, Trouble> {
        if !self.greeted && !matches!(inbox.bytes().first(), None | Some(b'*')) {
            return Err(Trouble::NotUnderstood(inbox.bytes().to_vec()));
        }
        while let Some(line) = inbox.line()? {
            if let Some(untagged) = after(&line, b"* ") {
                let is = |word: &[u8]| after(untagged, word).is_some();
                if is(b"BYE") || (is(b"PREAUTH") && !self.greeted) {
                    // RFC 9051 §6.2.1: not where the client counts as logged in.
                    return Err(Trouble::Refused(line));
                }
                if !self.greeted && is(b"OK") {
                    self.greeted = true;
                    return Ok(Turn::Say(b"a1 STARTTLS\r\n".to_vec()));
                }
                if self.greeted {
                    continue;
                }
            } else if let Some(tagged) = line.strip_prefix(TAG).filter(|_| self.greeted) {
                return match after(tagged, b"OK") {
                    Some(_) => Ok(Turn::Ready),
                    None => Err(Trouble::Refused(line)),
                };
            }
            return Err(Trouble::NotUnderstood(line));
        }
        Ok(Turn::Wait)
    }

    fn asked(&self) -> Option<Cow<'static, str>> {
        self.greeted.then_some("STARTTLS".into())
    }
}

/// What stands behind a word, whatever its case.
fn after<'a>(line: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (first, rest) = line.split_at_checked(word.len())?;
    first.eq_ignore_ascii_case(word).then_some(rest)
}
