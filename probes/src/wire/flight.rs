//! A server's first flight, put together from bytes as they come: across fragmented and coalesced
//! records, up to the point where it is all there, or where it goes dark (TLS 1.3).

use super::codec::DecodeError;
use super::handshake::Messages;
use super::messages::{
    Alert, CertificateRequest, ServerHello, ServerKeyExchange, decode_certificate,
    decode_certificate_status,
};
use super::record::{ContentType, Deframer};
use super::registry::ProtocolVersion;

/// Warning alerts before the ServerHello, at most; and HelloRequests.
const MAX_NOISE: u8 = 8;

/// A server's first flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flight {
    /// The ServerHello.
    pub hello: ServerHello,
    /// The chain as sent; none where no Certificate message came in clear.
    pub certificates: Option<Vec<Vec<u8>>>,
    /// The stapled OCSP response.
    pub status: Option<Vec<u8>>,
    /// What the ServerKeyExchange tells.
    pub key_exchange: Option<ServerKeyExchange>,
    /// What the CertificateRequest asks for.
    pub certificate_request: Option<CertificateRequest>,
    /// Whether the flight came to its end: ServerHelloDone, or the end of what is in clear.
    pub whole: bool,
    /// Warning alerts on the way.
    pub warnings: Vec<Alert>,
    /// What broke the flight after the ServerHello.
    pub trouble: Option<String>,
}

/// What a server's bytes amount to so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// More bytes are needed.
    Incomplete,
    /// A whole flight, or a HelloRetryRequest.
    Hello(Box<Flight>),
    /// A fatal alert instead of a ServerHello.
    Alert(Alert),
    /// The first bytes are no TLS record.
    NotTls,
    /// TLS, but broken.
    Malformed(DecodeError),
}

impl Flight {
    /// The server's own certificate, in DER, where certificates came in clear.
    pub fn leaf(&self) -> Option<&[u8]> {
        self.certificates.as_ref()?.first().map(Vec::as_slice)
    }
}

/// Puts a server's first flight together.
#[derive(Debug, Default)]
pub struct FlightDecoder {
    deframer: Deframer,
    first: Vec<u8>,
    received: usize,
    handshake: Messages,
    flight: Option<Box<Flight>>,
    warnings: Vec<Alert>,
    hello_requests: u8,
}

impl FlightDecoder {
    /// Takes bytes as they come, and tells what they amount to.
    pub fn push(&mut self, bytes: &[u8]) -> State {
        self.received += bytes.len();
        let room = 512_usize.saturating_sub(self.first.len());
        self.first.extend(bytes.iter().take(room));
        if !looks_like_tls(&self.first) {
            return State::NotTls;
        }
        self.deframer.push(bytes);
        match self.advance() {
            Ok(state) => state,
            Err(error) => match self.flight.take() {
                // The ServerHello stands, whatever follows it.
                Some(mut flight) => {
                    flight.trouble = Some(error.to_string());
                    State::Hello(flight)
                }
                None => State::Malformed(error),
            },
        }
    }

    /// What the bytes amount to when no more will come; `how` says why: closed, reset or silent.
    pub fn end(&mut self, how: &str) -> State {
        if let Some(mut flight) = self.flight.take() {
            flight.trouble = Some(format!("the flight stopped before ServerHelloDone ({how})"));
            return State::Hello(flight);
        }
        if self.received == 0 || (!self.warnings.is_empty() && !self.deframer.mid_record()) {
            return State::Incomplete;
        }
        let what = if self.deframer.mid_record() {
            "a record"
        } else {
            "the ServerHello"
        };
        State::Malformed(DecodeError::Stopped {
            received: self.received,
            what: what.into(),
            how: how.into(),
        })
    }

    /// The first bytes as they came.
    pub fn first_bytes(&self) -> &[u8] {
        &self.first
    }

    /// The warning alerts that came without a ServerHello.
    pub fn warnings(&self) -> &[Alert] {
        &self.warnings
    }

    fn advance(&mut self) -> Result<State, DecodeError> {
        while let Some(record) = self.deframer.pop()? {
            match record.content_type {
                ContentType::Alert => {
                    if let Some(state) = self.alerts(&record.fragment)? {
                        return Ok(state);
                    }
                }
                ContentType::Handshake => {
                    self.handshake.push(&record.fragment);
                    while let Some(message) = self.handshake.pop()? {
                        if let Some(state) = self.message(message.typ, message.body())? {
                            return Ok(state);
                        }
                    }
                }
                // TLS 1.3 servers may send it for middleboxes (RFC 8446 §D.4).
                ContentType::ChangeCipherSpec if self.flight.is_none() => {}
                other => {
                    return Err(DecodeError::Unexpected {
                        what: format!("{other:?} record"),
                    });
                }
            }
        }
        Ok(State::Incomplete)
    }

    /// Takes the alerts of a record, of which there may be several before TLS 1.3; a state where one
    /// is fatal.
    fn alerts(&mut self, fragment: &[u8]) -> Result<Option<State>, DecodeError> {
        for bytes in fragment.chunks(2) {
            let alert = Alert::decode(bytes)?;
            if alert.is_fatal() {
                let Some(mut flight) = self.flight.take() else {
                    return Ok(Some(State::Alert(alert)));
                };
                flight.trouble = Some(format!("alert {} after ServerHello", alert.description));
                return Ok(Some(State::Hello(flight)));
            }
            self.warnings.push(alert);
            if self.warnings.len() > usize::from(MAX_NOISE) {
                return Err(DecodeError::Flood {
                    what: "warning alerts".into(),
                });
            }
        }
        Ok(None)
    }

    /// Takes one message; a state where the flight ends with it.
    fn message(&mut self, typ: u8, body: &[u8]) -> Result<Option<State>, DecodeError> {
        const HELLO_REQUEST: u8 = 0;
        if typ == HELLO_REQUEST {
            self.hello_requests += 1;
            if self.hello_requests > MAX_NOISE {
                return Err(DecodeError::Flood {
                    what: "HelloRequests".into(),
                });
            }
            return Ok(None);
        }
        let Some(flight) = &mut self.flight else {
            if typ != 2 {
                return Err(DecodeError::Unexpected {
                    what: format!("handshake message {typ} before ServerHello"),
                });
            }
            let hello = ServerHello::decode(body)?;
            if hello.legacy_version > ProtocolVersion::TLS1_2.0 {
                // RFC 8446 §4.1.3: newer versions stand in supported_versions.
                return Err(DecodeError::Unexpected {
                    what: format!("ServerHello.legacy_version 0x{:04X}", hello.legacy_version),
                });
            }
            let dark = hello.is_retry() || hello.version() >= ProtocolVersion::TLS1_3;
            let flight = Box::new(Flight {
                hello,
                certificates: None,
                status: None,
                key_exchange: None,
                certificate_request: None,
                whole: dark,
                warnings: std::mem::take(&mut self.warnings),
                trouble: None,
            });
            if dark {
                return Ok(Some(State::Hello(flight)));
            }
            self.flight = Some(flight);
            return Ok(None);
        };
        let version = flight.hello.version();
        match typ {
            11 => flight.certificates = Some(decode_certificate(body)?),
            12 => {
                flight.key_exchange = ServerKeyExchange::decode(body, flight.hello.suite, version)?;
            }
            13 => flight.certificate_request = Some(CertificateRequest::decode(body, version)?),
            22 => flight.status = Some(decode_certificate_status(body)?),
            14 => {
                flight.whole = true;
                return Ok(self.flight.take().map(State::Hello));
            }
            4 => {} // NewSessionTicket belongs later, but harms nothing.
            other => {
                return Err(DecodeError::Unexpected {
                    what: format!("handshake message {other} in the server's first flight"),
                });
            }
        }
        Ok(None)
    }
}

/// Whether bytes begin like a TLS record: a known content type, and major version 3.
fn looks_like_tls(first: &[u8]) -> bool {
    first
        .first()
        .is_none_or(|kind| ContentType::from_u8(*kind).is_some())
        && first.get(1).is_none_or(|major| *major == 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ServerHello (TLS 1.2, 0xC02F), Certificate with one certificate, ServerHelloDone.
    fn messages() -> Vec<u8> {
        let mut hello = vec![3, 3];
        hello.extend([7; 32]);
        hello.extend([0, 0xC0, 0x2F, 0]);
        let mut all = vec![2, 0, 0, u8::try_from(hello.len()).unwrap()];
        all.extend(hello);
        all.extend([11, 0, 0, 8, 0, 0, 5, 0, 0, 2, 0xAA, 0xBB]);
        all.extend([14, 0, 0, 0]);
        all
    }

    fn records(fragment: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for part in messages().chunks(fragment) {
            out.extend([22, 3, 3, 0, u8::try_from(part.len()).unwrap()]);
            out.extend(part);
        }
        out
    }

    #[test]
    fn joins_fragmented_and_coalesced_records() {
        for fragment in 1..=messages().len() {
            for write in [1, 2, 7, 1000] {
                let mut decoder = FlightDecoder::default();
                let mut state = State::Incomplete;
                for bytes in records(fragment).chunks(write) {
                    assert_eq!(state, State::Incomplete);
                    state = decoder.push(bytes);
                }
                let State::Hello(flight) = state else {
                    panic!("{fragment} {write} {state:?}")
                };
                assert_eq!(flight.certificates, Some(vec![vec![0xAA, 0xBB]]));
                assert!(flight.whole);
            }
        }
    }

    #[test]
    fn a_server_hello_stands_whatever_follows() {
        let mut decoder = FlightDecoder::default();
        // The ServerHello has a record of its own; the last record is cut.
        let mut bytes = records(42);
        bytes.truncate(bytes.len() - 4);
        assert_eq!(decoder.push(&bytes), State::Incomplete);
        let State::Hello(flight) = decoder.end("silent") else {
            panic!()
        };
        assert!(!flight.whole && flight.trouble.is_some());
    }

    #[test]
    fn tells_other_protocols_by_their_first_bytes() {
        for banner in [
            "HTTP/1.1 400 Bad Request\r\n",
            "SSH-2.0-x\r\n",
            "220 mail\r\n",
        ] {
            assert_eq!(
                FlightDecoder::default().push(banner.as_bytes()),
                State::NotTls
            );
        }
    }

    #[test]
    fn warnings_are_heard_and_floods_are_ended() {
        let warning = [21, 3, 3, 0, 2, 1, 112];
        let mut decoder = FlightDecoder::default();
        assert_eq!(decoder.push(&warning), State::Incomplete);
        let State::Hello(flight) = decoder.push(&records(50)) else {
            panic!()
        };
        assert_eq!(flight.warnings.len(), 1);

        let both = [21, 3, 3, 0, 4, 1, 112, 2, 40];
        let State::Alert(alert) = FlightDecoder::default().push(&both) else {
            panic!()
        };
        assert_eq!(alert.description.0, 40);

        let mut decoder = FlightDecoder::default();
        let state = decoder.push(&warning.repeat(100));
        assert!(
            matches!(state, State::Malformed(DecodeError::Flood { .. })),
            "{state:?}"
        );
    }

    #[test]
    fn never_panics_and_never_grows_without_bound() {
        let mut seed = 1_u64;
        for _ in 0..2000 {
            let mut decoder = FlightDecoder::default();
            let mut bytes = records(20);
            for _ in 0..3 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = usize::try_from(seed >> 33).unwrap() % bytes.len();
                bytes[at] = u8::try_from(seed >> 24 & 0xFF).unwrap();
            }
            decoder.push(&bytes);
            decoder.end("closed");
        }
    }

    #[test]
    fn an_endless_certificate_is_refused_at_its_header() {
        let mut bytes = records(1000);
        let at = bytes.iter().position(|byte| *byte == 11).unwrap();
        bytes[at + 1] = 0xFF;
        let State::Hello(flight) = FlightDecoder::default().push(&bytes) else {
            panic!()
        };
        assert!(flight.trouble.unwrap().contains("announces"));
    }
}
