//! Handshake messages out of the fragments of records.

use super::codec::{DecodeError, MAX_MESSAGE, Reader, put_u24};

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
        put_u24(&mut bytes, body.len());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_whole_whatever_the_fragments() {
        let all = [Message::new(2, &[1; 70]).bytes, Message::new(14, &[]).bytes].concat();
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
}
