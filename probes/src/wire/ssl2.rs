//! SSLv2's hellos (draft-hickman-netscape-ssl-00 §2.5, RFC 6101 appendix E): enough to ask whether a
//! server still speaks it, and with which cipher kinds.

use super::client_hello_read::HelloState;
use super::codec::{DecodeError, Reader, put_u16};
use super::registry::Ssl2Cipher;

/// A CLIENT-HELLO of SSLv2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssl2ClientHello {
    /// The cipher kinds offered.
    pub ciphers: Vec<Ssl2Cipher>,
    /// The challenge.
    pub challenge: [u8; 16],
}

impl Ssl2ClientHello {
    /// The hello in its two-byte record.
    pub fn record(&self) -> Vec<u8> {
        let mut body = vec![1, 0x00, 0x02];
        put_u16(
            &mut body,
            u16::try_from(self.ciphers.len() * 3).unwrap_or(u16::MAX),
        );
        put_u16(&mut body, 0);
        put_u16(&mut body, 16);
        for cipher in &self.ciphers {
            let [_, a, b, c] = cipher.0.to_be_bytes();
            body.extend_from_slice(&[a, b, c]);
        }
        body.extend_from_slice(&self.challenge);
        let mut record = Vec::with_capacity(body.len() + 2);
        put_u16(
            &mut record,
            0x8000 | u16::try_from(body.len()).unwrap_or(0x7FFF),
        );
        record.extend_from_slice(&body);
        record
    }
}

/// What a client offers in a CLIENT-HELLO of SSLv2's form. SSLv3 and TLS 1.0 clients that may meet an old
/// server send it, too: `version` says what they ask for (RFC 5246 appendix E.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssl2Offer {
    /// The highest version asked for.
    pub version: u16,
    /// The cipher kinds; below 0x010000 they are suites of SSLv3 and TLS.
    pub ciphers: Vec<Ssl2Cipher>,
    /// Bytes of the session id.
    pub session_id: usize,
    /// Bytes of the challenge.
    pub challenge: usize,
    /// Bytes of the message, without the record's header.
    pub length: usize,
}

impl Ssl2Offer {
    /// Reads a client's first bytes, which begin with a two-byte record header of SSLv2.
    pub fn decode(bytes: &[u8]) -> HelloState {
        let Some((&[first, second], rest)) = bytes.split_first_chunk::<2>() else {
            return HelloState::Incomplete;
        };
        let length = usize::from(u16::from_be_bytes([first & 0x7F, second]));
        // The message type, and the major version: SSLv2 says 0x0002.
        let likely = rest.first().is_none_or(|typ| *typ == 1)
            && rest.get(1).is_none_or(|major| matches!(major, 0 | 3));
        if first & 0x80 == 0 || !likely || length < 9 {
            return HelloState::NotTls;
        }
        let Some(body) = rest.get(..length) else {
            return HelloState::Incomplete;
        };
        match Self::body(body) {
            Ok(offer) => HelloState::Ssl2(offer),
            Err(error) => HelloState::Malformed(error),
        }
    }

    fn body(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("SSLv2 CLIENT-HELLO", body);
        reader.u8()?;
        let version = reader.u16()?;
        let ciphers = usize::from(reader.u16()?);
        let session_id = usize::from(reader.u16()?);
        let challenge = usize::from(reader.u16()?);
        let mut list = Reader::new("SSLv2 cipher specs", reader.take(ciphers)?);
        reader.take(session_id)?;
        reader.take(challenge)?;
        reader.end()?;
        let mut ciphers = Vec::new();
        while !list.is_empty() {
            ciphers.push(Ssl2Cipher(list.u24()?));
        }
        Ok(Self {
            version,
            ciphers,
            session_id,
            challenge,
            length: body.len(),
        })
    }
}

/// A SERVER-HELLO of SSLv2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssl2ServerHello {
    /// The cipher kinds that both sides have.
    pub ciphers: Vec<Ssl2Cipher>,
    /// The certificate in DER, if one was sent.
    pub certificate: Option<Vec<u8>>,
}

/// What bytes in answer to an SSLv2 hello are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ssl2Answer {
    /// More bytes are needed.
    Incomplete,
    /// A SERVER-HELLO.
    Hello(Ssl2ServerHello),
    /// An ERROR message, with its code.
    Error(u16),
    /// No SSLv2 record.
    NotSsl2,
}

/// Reads what answers an SSLv2 hello.
///
/// # Errors
/// An SSLv2 record whose content is broken.
pub fn decode_answer(bytes: &[u8]) -> Result<Ssl2Answer, DecodeError> {
    let Some((&[first, second], rest)) = bytes.split_first_chunk::<2>() else {
        return Ok(Ssl2Answer::Incomplete);
    };
    if first & 0x80 == 0 {
        return Ok(Ssl2Answer::NotSsl2);
    }
    let length = usize::from(u16::from_be_bytes([first & 0x7F, second]));
    let Some(body) = rest.get(..length) else {
        // Whether it is SSLv2 at all shows in the message type: SERVER-HELLO 4, ERROR 0.
        return Ok(match rest.first() {
            Some(0 | 4) | None => Ssl2Answer::Incomplete,
            Some(_) => Ssl2Answer::NotSsl2,
        });
    };
    let mut reader = Reader::new("SSLv2 SERVER-HELLO", body);
    match reader.u8() {
        Ok(4) => {}
        Ok(0) => return Ok(Ssl2Answer::Error(reader.u16()?)),
        _ => return Ok(Ssl2Answer::NotSsl2),
    }
    let _session_id_hit = reader.u8()?;
    let _certificate_type = reader.u8()?;
    let _version = reader.u16()?;
    let certificate = usize::from(reader.u16()?);
    let ciphers = usize::from(reader.u16()?);
    let connection_id = usize::from(reader.u16()?);
    let certificate = Some(reader.take(certificate)?.to_vec()).filter(|der| !der.is_empty());
    let mut list = Reader::new("SSLv2 cipher specs", reader.take(ciphers)?);
    reader.take(connection_id)?;
    let mut ciphers = Vec::new();
    while !list.is_empty() {
        ciphers.push(Ssl2Cipher(list.u24()?));
    }
    Ok(Ssl2Answer::Hello(Ssl2ServerHello {
        ciphers,
        certificate,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Vec<u8> {
        let mut body = vec![4, 0, 1, 0, 2, 0, 2, 0, 3, 0, 1, 0xAA, 0xBB];
        body.extend([0x01, 0x00, 0x80, 0xCC]);
        let mut record = vec![0x80, u8::try_from(body.len()).unwrap()];
        record.extend(body);
        record
    }

    #[test]
    fn reads_a_server_hello() {
        let Ok(Ssl2Answer::Hello(hello)) = decode_answer(&answer()) else {
            panic!()
        };
        assert_eq!(hello.ciphers, [Ssl2Cipher(0x01_0080)]);
        assert_eq!(hello.certificate, Some(vec![0xAA, 0xBB]));
    }

    #[test]
    fn waits_for_the_rest_of_a_hello_cut_at_any_length() {
        let whole = answer();
        for length in 0..whole.len() {
            assert_eq!(
                decode_answer(&whole[..length]),
                Ok(Ssl2Answer::Incomplete),
                "{length}"
            );
        }
    }

    #[test]
    fn reads_the_hello_that_is_sent() {
        let hello = Ssl2ClientHello {
            ciphers: Ssl2Cipher::all().to_vec(),
            challenge: [9; 16],
        };
        let record = hello.record();
        for length in 0..record.len() {
            assert_eq!(
                Ssl2Offer::decode(&record[..length]),
                HelloState::Incomplete,
                "{length}"
            );
        }
        let HelloState::Ssl2(offer) = Ssl2Offer::decode(&record) else {
            panic!()
        };
        assert_eq!(offer.version, 2);
        assert_eq!(offer.ciphers, hello.ciphers);
        assert_eq!((offer.session_id, offer.challenge), (0, 16));
        assert_eq!(offer.length, record.len() - 2);
    }

    #[test]
    fn reads_a_compatible_hello_and_refuses_a_broken_one() {
        let mut record = vec![0x80, 15, 1, 3, 1, 0, 6, 0, 0, 0, 0];
        record.extend([0, 0xC0, 0x13, 1, 0, 0x80]);
        let HelloState::Ssl2(offer) = Ssl2Offer::decode(&record) else {
            panic!()
        };
        assert_eq!(offer.version, 0x0301);
        assert_eq!(offer.ciphers, [Ssl2Cipher(0xC013), Ssl2Cipher(0x01_0080)]);
        record[6] = 7;
        assert!(matches!(
            Ssl2Offer::decode(&record),
            HelloState::Malformed(_)
        ));
        assert_eq!(Ssl2Offer::decode(b"\x80\x20GET"), HelloState::NotTls);
    }

    #[test]
    fn an_alert_record_is_not_ssl2() {
        assert_eq!(
            decode_answer(&[21, 3, 1, 0, 2, 2, 70]),
            Ok(Ssl2Answer::NotSsl2)
        );
    }
}
