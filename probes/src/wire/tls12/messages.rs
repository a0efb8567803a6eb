//! Handshake messages out of the fragments of records, and what a NewSessionTicket says.

use crate::wire::codec::{DecodeError, MAX_MESSAGE, Reader};

/// Handshake types (RFC 5246 §7.4) that are met here.
pub(crate) mod typ {
    pub(crate) const HELLO_REQUEST: u8 = 0;
    pub(crate) const SERVER_HELLO: u8 = 2;
    pub(crate) const NEW_SESSION_TICKET: u8 = 4;
    pub(crate) const CERTIFICATE: u8 = 11;
    pub(crate) const SERVER_KEY_EXCHANGE: u8 = 12;
    pub(crate) const CERTIFICATE_REQUEST: u8 = 13;
    pub(crate) const SERVER_HELLO_DONE: u8 = 14;
    pub(crate) const CLIENT_KEY_EXCHANGE: u8 = 16;
    pub(crate) const FINISHED: u8 = 20;
    pub(crate) const CERTIFICATE_STATUS: u8 = 22;
}

/// One handshake message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// `msg_type`.
    pub(crate) typ: u8,
    /// With its four-byte header, as it goes into the hash of the handshake.
    pub(crate) bytes: Vec<u8>,
}

impl Message {
    /// A message with this body.
    pub(crate) fn new(typ: u8, body: &[u8]) -> Self {
        let mut bytes = vec![typ];
        crate::wire::codec::put_u24(&mut bytes, body.len());
        bytes.extend_from_slice(body);
        Self { typ, bytes }
    }

    /// What is behind the header.
    pub(crate) fn body(&self) -> &[u8] {
        self.bytes.get(4..).unwrap_or_default()
    }
}

/// Puts handshake messages together that are cut into records, or share one.
#[derive(Debug, Default)]
pub(crate) struct Messages(Vec<u8>);

impl Messages {
    pub(crate) fn push(&mut self, fragment: &[u8]) {
        self.0.extend_from_slice(fragment);
    }

    /// Whether a message has begun and is not whole yet.
    pub(crate) fn mid_message(&self) -> bool {
        !self.0.is_empty()
    }

    /// The next whole message, if it is there.
    ///
    /// # Errors
    /// It announces more than [`MAX_MESSAGE`].
    pub(crate) fn pop(&mut self) -> Result<Option<Message>, DecodeError> {
        let mut reader = Reader::new("a handshake message", &self.0);
        let (Ok(typ), Ok(length)) = (reader.u8(), reader.u24()) else {
            return Ok(None);
        };
        let length = length as usize;
        if length > MAX_MESSAGE {
            return Err(DecodeError::TooLong {
                field: format!("handshake message {typ}"),
                length,
                limit: MAX_MESSAGE,
            });
        }
        if self.0.len() < 4 + length {
            return Ok(None);
        }
        let bytes = self.0.drain(..4 + length).collect();
        Ok(Some(Message { typ, bytes }))
    }
}

/// A NewSessionTicket of TLS 1.2 and below (RFC 5077 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewSessionTicket {
    /// `ticket_lifetime_hint`, in seconds; 0: unspecified.
    pub(crate) lifetime_hint: u32,
    /// Bytes of `ticket`; 0: the server has changed its mind.
    pub(crate) length: usize,
}

impl NewSessionTicket {
    /// Reads the body of the message.
    pub(crate) fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("NewSessionTicket", body);
        let lifetime_hint = u32::from_be_bytes(reader.array()?);
        let length = reader.vec16()?.len();
        reader.end()?;
        Ok(Self {
            lifetime_hint,
            length,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_whole_whatever_the_fragments() {
        let all = [
            Message::new(typ::SERVER_HELLO, &[1; 70]).bytes,
            Message::new(typ::SERVER_HELLO_DONE, &[]).bytes,
        ]
        .concat();
        for size in 1..=all.len() {
            let mut messages = Messages::default();
            let mut seen = Vec::new();
            for fragment in all.chunks(size) {
                messages.push(fragment);
                while let Some(message) = messages.pop().unwrap() {
                    seen.push((message.typ, message.body().len()));
                }
            }
            assert_eq!(seen, [(2, 70), (14, 0)], "{size}");
            assert!(!messages.mid_message());
        }
    }

    #[test]
    fn an_endless_message_is_refused_at_its_header() {
        let mut messages = Messages::default();
        messages.push(&[11, 0xFF, 0xFF, 0xFF]);
        assert!(matches!(messages.pop(), Err(DecodeError::TooLong { .. })));
    }

    #[test]
    fn reads_the_hint_of_a_ticket() {
        let body = [0, 0, 0x1C, 0x20, 0, 3, 7, 7, 7];
        let ticket = NewSessionTicket::decode(&body).unwrap();
        assert_eq!((ticket.lifetime_hint, ticket.length), (7200, 3));
        for length in 0..body.len() {
            assert!(
                NewSessionTicket::decode(&body[..length]).is_err(),
                "{length}"
            );
        }
        assert!(NewSessionTicket::decode(&[&body[..], &[0]].concat()).is_err());
    }
}
