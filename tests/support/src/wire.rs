//! What a client sent, read as little as a scripted server needs, and the answers it can give.
//!
//! Written on its own, so that gladhand's codec is not tested with itself.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Record types.
pub const CHANGE_CIPHER_SPEC: u8 = 20;
/// An alert record.
pub const ALERT: u8 = 21;
/// A handshake record.
pub const HANDSHAKE: u8 = 22;
/// An application data record.
pub const APPLICATION_DATA: u8 = 23;

const SERVER_NAME: u16 = 0;
const SUPPORTED_GROUPS: u16 = 10;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;
const KEY_SHARE: u16 = 51;

/// The random of a HelloRetryRequest (RFC 8446, section 4.1.3).
const RETRY: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
    0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

/// What came first on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A ClientHello of SSLv3 to TLS 1.3.
    Tls(ClientHello),
    /// An SSLv2 CLIENT-HELLO, whatever version it asks for.
    Ssl2(Ssl2Hello),
    /// An HTTP request.
    Http,
    /// Something else.
    Other,
    /// Nothing: the client closed first, or waited.
    Nothing,
}

/// A ClientHello.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// The version of the record that carries it.
    pub record_version: u16,
    /// Its `legacy_version`.
    pub version: u16,
    /// Its session id.
    pub session_id: Vec<u8>,
    /// The suites, in order.
    pub suites: Vec<u16>,
    /// The compression methods.
    pub compression: Vec<u8>,
    /// The extensions, in order, with their content.
    pub extensions: Vec<(u16, Vec<u8>)>,
    /// The length of the handshake message, its four-byte header included.
    pub length: usize,
}

/// An SSLv2 CLIENT-HELLO.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ssl2Hello {
    /// The highest version that it asks for.
    pub version: u16,
    /// The three-byte cipher specs.
    pub ciphers: Vec<[u8; 3]>,
}

impl ClientHello {
    /// Reads a handshake message.
    pub fn parse(record_version: u16, message: &[u8]) -> Option<Self> {
        let mut r = Reader(message);
        (r.u8()? == 1).then_some(())?;
        let body = r.take_u24()?;
        let mut r = Reader(body);
        let version = r.u16()?;
        r.take(32)?;
        let session_id = r.take_u8()?.to_vec();
        let suites = u16s(r.take_u16()?);
        let compression = r.take_u8()?.to_vec();
        let mut extensions = Vec::new();
        if !r.0.is_empty() {
            let mut list = Reader(r.take_u16()?);
            while !list.0.is_empty() {
                extensions.push((list.u16()?, list.take_u16()?.to_vec()));
            }
        }
        let length = body.len() + 4;
        Some(Self {
            record_version,
            version,
            session_id,
            suites,
            compression,
            extensions,
            length,
        })
    }

    /// The content of an extension.
    pub fn extension(&self, id: u16) -> Option<&[u8]> {
        self.extensions
            .iter()
            .find(|(known, _)| *known == id)
            .map(|(_, body)| body.as_slice())
    }

    /// The versions offered: those of supported_versions, or every one up to `legacy_version`.
    pub fn versions(&self) -> Vec<u16> {
        match self.extension(SUPPORTED_VERSIONS) {
            Some(body) => u16s(Reader(body).take_u8().unwrap_or_default()),
            None => (0x0300..=self.version.min(0x0303)).rev().collect(),
        }
    }

    /// The groups of supported_groups; none where the extension is absent.
    pub fn groups(&self) -> Option<Vec<u16>> {
        Some(u16s(Reader(self.extension(SUPPORTED_GROUPS)?).take_u16()?))
    }

    /// The groups of the key shares; none where the extension is absent.
    pub fn key_shares(&self) -> Option<Vec<u16>> {
        let mut list = Reader(Reader(self.extension(KEY_SHARE)?).take_u16()?);
        let mut groups = Vec::new();
        while !list.0.is_empty() {
            groups.push(list.u16()?);
            list.take_u16()?;
        }
        Some(groups)
    }

    /// The signature schemes; none where the extension is absent.
    pub fn signature_schemes(&self) -> Option<Vec<u16>> {
        Some(u16s(
            Reader(self.extension(SIGNATURE_ALGORITHMS)?).take_u16()?,
        ))
    }

    /// The protocols of ALPN, as text; none where the extension is absent.
    pub fn alpn(&self) -> Option<Vec<String>> {
        let mut list = Reader(Reader(self.extension(ALPN)?).take_u16()?);
        let mut names = Vec::new();
        while !list.0.is_empty() {
            names.push(String::from_utf8_lossy(list.take_u8()?).into_owned());
        }
        Some(names)
    }

    /// The server name.
    pub fn server_name(&self) -> Option<String> {
        let mut list = Reader(Reader(self.extension(SERVER_NAME)?).take_u16()?);
        (list.u8()? == 0).then_some(())?;
        Some(String::from_utf8_lossy(list.take_u16()?).into_owned())
    }
}

impl Ssl2Hello {
    /// Reads an SSLv2 record (the two-byte header of the SSLv2 specification).
    pub fn parse(record: &[u8]) -> Option<Self> {
        let mut r = Reader(record);
        r.take(2)?;
        (r.u8()? == 1).then_some(())?;
        let version = r.u16()?;
        let ciphers = usize::from(r.u16()?);
        r.take(4)?;
        let ciphers = r.take(ciphers)?;
        let ciphers = ciphers
            .chunks_exact(3)
            .filter_map(|c| c.try_into().ok())
            .collect();
        Some(Self { version, ciphers })
    }
}

/// Reads the first message of a client, and the raw bytes that it came in.
pub fn read_incoming(stream: &mut TcpStream, patience: Duration) -> (Incoming, Vec<u8>) {
    let mut raw = Vec::new();
    let mut buffer = [0; 4096];
    let begin = Instant::now();
    let _ = stream.set_read_timeout(Some(Duration::from_millis(50)));
    loop {
        if let Some(incoming) = recognise(&raw) {
            return (incoming, raw);
        }
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => raw.extend_from_slice(&buffer[..count]),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if begin.elapsed() > patience {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    let incoming = if raw.is_empty() {
        Incoming::Nothing
    } else {
        Incoming::Other
    };
    (incoming, raw)
}

/// None: more bytes are needed.
fn recognise(raw: &[u8]) -> Option<Incoming> {
    match *raw {
        [] => None,
        [HANDSHAKE, 3, ..] | [HANDSHAKE] => {
            let message = handshake_message(raw)?;
            let record_version = u16::from_be_bytes([raw[1], raw[2]]);
            Some(
                ClientHello::parse(record_version, &message).map_or(Incoming::Other, Incoming::Tls),
            )
        }
        [high, low, ..] if high & 0x80 != 0 => {
            let length = usize::from(high & 0x7F) << 8 | usize::from(low);
            let record = raw.get(..2 + length)?;
            Some(Ssl2Hello::parse(record).map_or(Incoming::Other, Incoming::Ssl2))
        }
        [first, ..] if first & 0x80 != 0 => None,
        _ => {
            let text = String::from_utf8_lossy(raw);
            if !text.contains('\n') {
                return None;
            }
            let first_line = text.lines().next().unwrap_or_default();
            let http = first_line.ends_with("HTTP/1.1") || first_line.ends_with("HTTP/1.0");
            Some(if http {
                Incoming::Http
            } else {
                Incoming::Other
            })
        }
    }
}

/// The first handshake message, put together from the records that carry it.
fn handshake_message(raw: &[u8]) -> Option<Vec<u8>> {
    let mut records = Reader(raw);
    let mut message = Vec::new();
    loop {
        if let Some(length) = message.get(1..4) {
            let length = u32::from_be_bytes([0, length[0], length[1], length[2]]) as usize;
            if message.len() >= 4 + length {
                message.truncate(4 + length);
                return Some(message);
            }
        }
        records.take(3)?;
        message.extend_from_slice(records.take_u16()?);
    }
}

/// The first handshake message of a record's payload, where it is whole.
pub fn first_message(payload: &[u8]) -> Option<&[u8]> {
    let length = payload.get(1..4)?;
    let length = u32::from_be_bytes([0, length[0], length[1], length[2]]) as usize;
    payload.get(..4 + length)
}

/// Whether a handshake message is a HelloRetryRequest.
pub fn is_retry(message: &[u8]) -> bool {
    message.first() == Some(&2) && message.get(6..38) == Some(RETRY.as_slice())
}

/// Records of one type, none longer than `limit`.
pub fn records(kind: u8, version: u16, payload: &[u8], limit: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for fragment in payload.chunks(limit.max(1)) {
        out.push(kind);
        out.extend(version.to_be_bytes());
        out.extend(
            u16::try_from(fragment.len())
                .expect("a record")
                .to_be_bytes(),
        );
        out.extend(fragment);
    }
    out
}

/// An alert record.
pub fn alert(version: u16, level: u8, description: u8) -> Vec<u8> {
    records(ALERT, version, &[level, description], 2)
}

/// A handshake message with its header.
pub fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend(u24(body.len()));
    message.extend(body);
    message
}

/// The three bytes of a length.
pub fn u24(length: usize) -> [u8; 3] {
    let [_, a, b, c] = u32::try_from(length).expect("24 bits").to_be_bytes();
    [a, b, c]
}

/// A vector with a two-byte length.
pub fn vec16(content: &[u8]) -> Vec<u8> {
    let mut out = u16::try_from(content.len())
        .expect("16 bits")
        .to_be_bytes()
        .to_vec();
    out.extend(content);
    out
}

/// A ServerHello of TLS 1.2 and below.
pub fn server_hello(version: u16, suite: u16, extensions: &[u8]) -> Vec<u8> {
    server_hello_with(version, [0x5A; 32], suite, 0, extensions)
}

/// The same with this random and compression method.
pub fn server_hello_with(
    version: u16,
    random: [u8; 32],
    suite: u16,
    compression: u8,
    extensions: &[u8],
) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend(random);
    body.push(0);
    body.extend(suite.to_be_bytes());
    body.push(compression);
    if !extensions.is_empty() {
        body.extend(vec16(extensions));
    }
    handshake(2, &body)
}

/// An extension.
pub fn extension(id: u16, body: &[u8]) -> Vec<u8> {
    [&id.to_be_bytes()[..], &vec16(body)].concat()
}

/// The ALPN extension of a server that has chosen this protocol (RFC 7301, section 3.1).
pub fn alpn(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).expect("a short name");
    extension(ALPN, &vec16(&[&[length], name.as_bytes()].concat()))
}

/// The renegotiation_info of a server that never renegotiated (RFC 5746, section 3.6).
pub fn renegotiation_info() -> Vec<u8> {
    vec![0xFF, 0x01, 0x00, 0x01, 0x00]
}

/// A TLS 1.3 ServerHello with a key share of so many arbitrary bytes.
pub fn server_hello13(hello: &ClientHello, suite: u16, group: u16, share: usize) -> Vec<u8> {
    let mut key_share = group.to_be_bytes().to_vec();
    key_share.extend(vec16(&vec![0x5A; share]));
    hello13(hello, [0x5A; 32], suite, &key_share)
}

/// A HelloRetryRequest that asks for a share of this group.
pub fn hello_retry_request(hello: &ClientHello, suite: u16, group: u16) -> Vec<u8> {
    hello13(hello, RETRY, suite, &group.to_be_bytes())
}

fn hello13(hello: &ClientHello, random: [u8; 32], suite: u16, key_share: &[u8]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend(random);
    body.push(u8::try_from(hello.session_id.len()).expect("at most 32"));
    body.extend(&hello.session_id);
    body.extend(suite.to_be_bytes());
    body.push(0);
    let mut extensions = SUPPORTED_VERSIONS.to_be_bytes().to_vec();
    extensions.extend([0, 2, 3, 4]);
    extensions.extend(KEY_SHARE.to_be_bytes());
    extensions.extend(vec16(key_share));
    body.extend(vec16(&extensions));
    handshake(2, &body)
}

/// A Certificate message of TLS 1.2 and below.
pub fn certificate(chain: &[Vec<u8>]) -> Vec<u8> {
    let mut list = Vec::new();
    for der in chain {
        list.extend(u24(der.len()));
        list.extend(der);
    }
    let mut body = u24(list.len()).to_vec();
    body.extend(list);
    handshake(11, &body)
}

/// An SSLv2 SERVER-HELLO with these cipher specs and a certificate.
pub fn ssl2_server_hello(ciphers: &[[u8; 3]], certificate: &[u8]) -> Vec<u8> {
    let specs = ciphers.concat();
    let mut body = vec![4, 0, 1, 0, 2];
    for length in [certificate.len(), specs.len(), 16] {
        body.extend(u16::try_from(length).expect("16 bits").to_be_bytes());
    }
    body.extend(certificate);
    body.extend(specs);
    body.extend([0x5A; 16]);
    let [high, low] = u16::try_from(body.len()).expect("16 bits").to_be_bytes();
    let mut record = vec![high | 0x80, low];
    record.extend(body);
    record
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)
            .map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn take_u8(&mut self) -> Option<&'a [u8]> {
        let length = self.u8()?;
        self.take(length.into())
    }

    fn take_u16(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(length.into())
    }

    fn take_u24(&mut self) -> Option<&'a [u8]> {
        let bytes = self.take(3)?;
        self.take(u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]) as usize)
    }
}

fn u16s(bytes: &[u8]) -> Vec<u16> {
    bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.push(0);
        body.extend(vec16(&[0xC0, 0x2F, 0x13, 0x01]));
        body.extend([1, 0]);
        let mut extensions = Vec::new();
        for (id, content) in [
            (SERVER_NAME, vec![0, 7, 0, 0, 4, b'l', b'b', b'.', b'x']),
            (SUPPORTED_GROUPS, vec![0, 2, 0, 0x1D]),
            (SUPPORTED_VERSIONS, vec![4, 3, 4, 3, 3]),
            (KEY_SHARE, vec![0, 5, 0, 0x1D, 0, 1, 9]),
        ] {
            extensions.extend(id.to_be_bytes());
            extensions.extend(vec16(&content));
        }
        body.extend(vec16(&extensions));
        handshake(1, &body)
    }

    #[test]
    fn a_hello_is_read_whole_and_in_fragments() {
        for limit in [usize::MAX, 3] {
            let raw = records(HANDSHAKE, 0x0301, &hello(), limit.min(16_384));
            let Some(Incoming::Tls(seen)) = recognise(&raw) else {
                panic!("not a hello")
            };
            assert_eq!(seen.suites, [0xC02F, 0x1301]);
            assert_eq!(seen.versions(), [0x0304, 0x0303]);
            assert_eq!(seen.groups(), Some(vec![0x1D]));
            assert_eq!(seen.key_shares(), Some(vec![0x1D]));
            assert_eq!(seen.server_name().as_deref(), Some("lb.x"));
            assert_eq!(seen.length, hello().len());
        }
    }

    #[test]
    fn a_hello_is_awaited_until_it_is_whole() {
        let raw = records(HANDSHAKE, 0x0301, &hello(), 16_384);
        for end in 0..raw.len() {
            assert_eq!(recognise(&raw[..end]), None, "{end} bytes");
        }
    }

    #[test]
    fn other_protocols_are_told_apart() {
        assert_eq!(recognise(b"GET / HTTP/1.1\r\n"), Some(Incoming::Http));
        assert_eq!(recognise(b"EHLO x\r\n"), Some(Incoming::Other));
        let mut ssl2 = vec![0x80, 28, 1, 0, 2, 0, 3, 0, 0, 0, 16, 1, 0, 0x80];
        ssl2.extend([7; 16]);
        let Some(Incoming::Ssl2(seen)) = recognise(&ssl2) else {
            panic!("not an SSLv2 hello")
        };
        assert_eq!(seen.ciphers, [[1, 0, 0x80]]);
    }
}
