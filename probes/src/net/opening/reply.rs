//! Replies with a three-digit code, as SMTP (RFC 5321 §4.2) and FTP (RFC 959 §4.2) have them.

use super::Trouble;
use super::inbox::Inbox;

/// Bytes of a reply's text that are kept, at most.
const MAX_TEXT: usize = 4096;

/// A reply, whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// The code.
    pub(super) code: u16,
    /// Every line, as it came.
    pub(super) text: Vec<u8>,
}

/// Puts replies together. FTP lets the lines between the first and the last begin as they like;
/// SMTP's have the code, too, and are read the same way.
#[derive(Debug, Default)]
pub(super) struct Replies {
    open: Option<Reply>,
}

impl Replies {
    /// The next reply; none where its end has not come.
    pub(super) fn next(&mut self, inbox: &mut Inbox) -> Result<Option<Reply>, Trouble> {
        if self.open.is_none() && !begins_like_a_reply(inbox.bytes()) {
            return Err(Trouble::NotUnderstood(inbox.bytes().to_vec()));
        }
        while let Some(line) = inbox.line()? {
            match (code_of(&line), &mut self.open) {
                (Some((code, false)), Some(open)) if open.code == code => {
                    open.keep(&line);
                    return Ok(self.open.take());
                }
                (_, Some(open)) => open.keep(&line),
                (Some((code, more)), None) => {
                    let reply = Reply { code, text: line };
                    if !more {
                        return Ok(Some(reply));
                    }
                    self.open = Some(reply);
                }
                (None, None) => return Err(Trouble::NotUnderstood(line)),
            }
        }
        Ok(None)
    }
}

impl Reply {
    fn keep(&mut self, line: &[u8]) {
        if self.text.len() + line.len() < MAX_TEXT {
            self.text.push(b'\n');
            self.text.extend_from_slice(line);
        }
    }

    /// Whether a line names this extension, as SMTP's answers to EHLO do.
    pub(super) fn offers(&self, extension: &str) -> bool {
        self.text.split(|byte| *byte == b'\n').any(|line| {
            let word = line.get(4..).unwrap_or_default();
            word.trim_ascii().eq_ignore_ascii_case(extension.as_bytes())
        })
    }
}

/// The code of a line, and whether more lines follow.
fn code_of(line: &[u8]) -> Option<(u16, bool)> {
    let (digits, rest) = line.split_at_checked(3)?;
    let more = match rest.first() {
        None | Some(b' ') => false,
        Some(b'-') => true,
        Some(_) => return None,
    };
    let code = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (100..600).contains(&code).then_some((code, more))
}

/// Whether the first bytes can become a reply: tells other protocols without waiting for a line.
fn begins_like_a_reply(bytes: &[u8]) -> bool {
    bytes.iter().take(3).all(u8::is_ascii_digit)
        && bytes
            .get(3)
            .is_none_or(|byte| matches!(byte, b' ' | b'-' | b'\r' | b'\n'))
}
