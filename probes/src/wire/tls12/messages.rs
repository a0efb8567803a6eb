//! The types of handshake messages, and what a NewSessionTicket says.

use crate::wire::codec::{DecodeError, Reader};

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
