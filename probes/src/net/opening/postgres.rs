//! PostgreSQL: an SSLRequest, answered with one byte
//! (<https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL>).

use std::borrow::Cow;

use super::inbox::Inbox;
use super::{Dialogue, Trouble, Turn};

/// Asks a PostgreSQL server.
#[derive(Debug, Default)]
pub(super) struct Postgres;

/// A length of 8, and the code 80877103.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F];

/// Bytes of an error message, at most: what PostgreSQL's own client accepts here.
const MAX_ERROR: usize = 30_000;

impl Dialogue for Postgres {
    fn begin(&mut self) -> Vec<u8> {
        SSL_REQUEST.to_vec()
    }

    fn hear(&mut self, inbox: &mut Inbox) -> Result<Turn, Trouble> {
        let bytes = inbox.checked()?;
        match bytes.first() {
            None => Ok(Turn::Wait),
            // The server waits for the client then: one that goes on is another (SSH, say).
            Some(b'S') if bytes.len() == 1 => {
                inbox.take(1);
                Ok(Turn::Ready)
            }
            Some(b'N') => Err(Trouble::Refused(b"N (no TLS)".to_vec())),
            Some(b'E') => match error(bytes) {
                Some(text) => Err(Trouble::Refused(text)),
                None => Ok(Turn::Wait),
            },
            Some(_) => Err(Trouble::NotUnderstood(bytes.to_vec())),
        }
    }

    fn asked(&self) -> Option<Cow<'static, str>> {
        Some("the SSLRequest".into())
    }
}

/// What an ErrorResponse says; none where it has not come whole.
fn error(bytes: &[u8]) -> Option<Vec<u8>> {
    let length: [u8; 4] = bytes.get(1..5)?.try_into().ok()?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if !(4..=MAX_ERROR).contains(&length) {
        // Servers before protocol 3 put the text right there.
        return Some(bytes.get(1..)?.to_vec());
    }
    let fields = bytes.get(5..=length)?;
    let message = fields
        .split(|byte| *byte == 0)
        .find_map(|field| field.strip_prefix(b"M"));
    Some(message.unwrap_or(fields).to_vec())
}
