//! SSLv2's hellos (draft-hickman-netscape-ssl-00 §2.5, RFC 6101 appendix E): enough to ask whether a
//! server still speaks it, and with which cipher kinds.

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
    fn an_alert_record_is_not_ssl2() {
        assert_eq!(
            decode_answer(&[21, 3, 1, 0, 2, 2, 70]),
            Ok(Ssl2Answer::NotSsl2)
        );
    }
}
