//! Reading a ClientHello: the inverse of [`client_hello`](super::client_hello), and the fields that its
//! extensions carry (RFC 8446 §4.1.2).
//!
//! A broken extension breaks nothing else: each is read when it is asked for.

use super::client_hello::{ClientHello, Extension};
use super::codec::{DecodeError, Reader};
use super::record::{ContentType, Deframer};
use super::registry::{ExtensionType, Group, ProtocolVersion, SignatureScheme};
use super::ssl2::Ssl2Offer;

/// Bytes of a ClientHello, at most. The largest ones in use, with post-quantum shares and tickets, have
/// a few kilobytes.
pub const MAX_HELLO: usize = 64 * 1024;

/// Bytes that are kept of what is no hello.
const FIRST: usize = 512;

/// The handshake type of a ClientHello.
pub const CLIENT_HELLO: u8 = 1;

impl ClientHello {
    /// Reads the body of the message. The record's version is not part of it.
    ///
    /// # Errors
    /// A field that ends before its length says, or bytes behind the last one.
    pub fn decode(record_version: u16, body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("ClientHello", body);
        let legacy_version = reader.u16()?;
        let random = reader.array()?;
        let session_id = reader.vec8()?.to_vec();
        let suites = u16s("ClientHello.cipher_suites", reader.vec16()?)?;
        let compression = reader.vec8()?.to_vec();
        let extensions = if reader.is_empty() {
            None
        } else {
            let mut block = Reader::new("ClientHello.extensions", reader.vec16()?);
            let mut extensions = Vec::new();
            while !block.is_empty() {
                extensions.push(Extension {
                    typ: ExtensionType(block.u16()?),
                    body: block.vec16()?.to_vec(),
                });
            }
            Some(extensions)
        };
        reader.end()?;
        Ok(Self {
            record_version,
            legacy_version,
            random,
            session_id,
            suites,
            compression,
            extensions,
        })
    }

    /// The body of an extension; the first, where it stands there twice.
    pub fn extension(&self, typ: ExtensionType) -> Option<&[u8]> {
        let mut all = self.extensions.iter().flatten();
        all.find(|extension| extension.typ == typ)
            .map(|extension| extension.body.as_slice())
    }

    /// The names of server_name (RFC 6066 §3); a well-formed one has one.
    ///
    /// # Errors
    /// The extension is broken.
    pub fn server_names(&self) -> Result<Option<Vec<&[u8]>>, DecodeError> {
        let Some(mut list) = self.list16(ExtensionType::SERVER_NAME, "server_name")? else {
            return Ok(None);
        };
        let mut names = Vec::new();
        while !list.is_empty() {
            let (kind, name) = (list.u8()?, list.vec16()?);
            if kind == 0 {
                names.push(name);
            }
        }
        Ok(Some(names))
    }

    /// supported_versions, GREASE included (RFC 8446 §4.2.1).
    ///
    /// # Errors
    /// The extension is broken.
    pub fn supported_versions(&self) -> Result<Option<Vec<ProtocolVersion>>, DecodeError> {
        let Some(body) = self.extension(ExtensionType::SUPPORTED_VERSIONS) else {
            return Ok(None);
        };
        let mut reader = Reader::new("supported_versions", body);
        let list = u16s("supported_versions", reader.vec8()?)?;
        reader.end()?;
        Ok(Some(list.into_iter().map(ProtocolVersion).collect()))
    }

    /// supported_groups, GREASE included (RFC 8446 §4.2.7).
    ///
    /// # Errors
    /// The extension is broken.
    pub fn groups(&self) -> Result<Option<Vec<Group>>, DecodeError> {
        let list = self.u16s16(ExtensionType::SUPPORTED_GROUPS, "supported_groups")?;
        Ok(list.map(|list| list.into_iter().map(Group).collect()))
    }

    /// The groups of key_share, and how many bytes each share has (RFC 8446 §4.2.8).
    ///
    /// # Errors
    /// The extension is broken.
    pub fn key_shares(&self) -> Result<Option<Vec<(Group, usize)>>, DecodeError> {
        let Some(mut list) = self.list16(ExtensionType::KEY_SHARE, "key_share")? else {
            return Ok(None);
        };
        let mut shares = Vec::new();
        while !list.is_empty() {
            shares.push((Group(list.u16()?), list.vec16()?.len()));
        }
        Ok(Some(shares))
    }

    /// signature_algorithms, GREASE included (RFC 8446 §4.2.3).
    ///
    /// # Errors
    /// The extension is broken.
    pub fn signature_schemes(&self) -> Result<Option<Vec<SignatureScheme>>, DecodeError> {
        let list = self.u16s16(ExtensionType::SIGNATURE_ALGORITHMS, "signature_algorithms")?;
        Ok(list.map(|list| list.into_iter().map(SignatureScheme).collect()))
    }

    /// signature_algorithms_cert: those of certificates alone (RFC 8446 §4.2.3).
    ///
    /// # Errors
    /// The extension is broken.
    pub fn signature_schemes_cert(&self) -> Result<Option<Vec<SignatureScheme>>, DecodeError> {
        let typ = ExtensionType::SIGNATURE_ALGORITHMS_CERT;
        let list = self.u16s16(typ, "signature_algorithms_cert")?;
        Ok(list.map(|list| list.into_iter().map(SignatureScheme).collect()))
    }

    /// The protocols of ALPN (RFC 7301 §3.1).
    ///
    /// # Errors
    /// The extension is broken.
    pub fn protocols(&self) -> Result<Option<Vec<&[u8]>>, DecodeError> {
        const NAME: &str = "application_layer_protocol_negotiation";
        let Some(mut list) = self.list16(ExtensionType::ALPN, NAME)? else {
            return Ok(None);
        };
        let mut names = Vec::new();
        while !list.is_empty() {
            names.push(list.vec8()?);
        }
        Ok(Some(names))
    }

    /// ec_point_formats (RFC 8422 §5.1.2).
    ///
    /// # Errors
    /// The extension is broken.
    pub fn point_formats(&self) -> Result<Option<&[u8]>, DecodeError> {
        self.vec8_of(ExtensionType::EC_POINT_FORMATS, "ec_point_formats")
    }

    /// psk_key_exchange_modes (RFC 8446 §4.2.9).
    ///
    /// # Errors
    /// The extension is broken.
    pub fn psk_modes(&self) -> Result<Option<&[u8]>, DecodeError> {
        let typ = ExtensionType::PSK_KEY_EXCHANGE_MODES;
        self.vec8_of(typ, "psk_key_exchange_modes")
    }

    /// How many identities pre_shared_key offers (RFC 8446 §4.2.11).
    ///
    /// # Errors
    /// The extension is broken.
    pub fn psk_identities(&self) -> Result<Option<usize>, DecodeError> {
        let Some(body) = self.extension(ExtensionType::PRE_SHARED_KEY) else {
            return Ok(None);
        };
        let mut reader = Reader::new("pre_shared_key", body);
        let mut list = Reader::new("pre_shared_key.identities", reader.vec16()?);
        reader.vec16()?;
        reader.end()?;
        let mut identities = 0;
        while !list.is_empty() {
            list.vec16()?;
            list.take(4)?;
            identities += 1;
        }
        Ok(Some(identities))
    }

    fn vec8_of(
        &self,
        typ: ExtensionType,
        name: &'static str,
    ) -> Result<Option<&[u8]>, DecodeError> {
        let Some(body) = self.extension(typ) else {
            return Ok(None);
        };
        let mut reader = Reader::new(name, body);
        let list = reader.vec8()?;
        reader.end()?;
        Ok(Some(list))
    }

    fn u16s16(
        &self,
        typ: ExtensionType,
        name: &'static str,
    ) -> Result<Option<Vec<u16>>, DecodeError> {
        let Some(mut list) = self.list16(typ, name)? else {
            return Ok(None);
        };
        u16s(name, list.rest()).map(Some)
    }

    /// The content of an extension that is one vector with a two-byte length.
    fn list16(
        &self,
        typ: ExtensionType,
        name: &'static str,
    ) -> Result<Option<Reader<'_>>, DecodeError> {
        let Some(body) = self.extension(typ) else {
            return Ok(None);
        };
        let mut reader = Reader::new(name, body);
        let list = reader.vec16()?;
        reader.end()?;
        Ok(Some(Reader::new(name, list)))
    }
}

fn u16s(field: &'static str, bytes: &[u8]) -> Result<Vec<u16>, DecodeError> {
    let mut reader = Reader::new(field, bytes);
    let mut values = Vec::with_capacity(bytes.len() / 2);
    while !reader.is_empty() {
        values.push(reader.u16()?);
    }
    Ok(values)
}

/// What a client's first bytes amount to so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelloState {
    /// More bytes are needed.
    Incomplete,
    /// A ClientHello.
    Hello(Box<ReceivedHello>),
    /// An SSLv2 CLIENT-HELLO, which asks for SSLv2 or for something newer.
    Ssl2(Ssl2Offer),
    /// The first bytes are no TLS.
    NotTls,
    /// TLS, but no ClientHello, or a broken one.
    Malformed(DecodeError),
}

/// A ClientHello, and how it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedHello {
    /// The hello.
    pub hello: ClientHello,
    /// Bytes of the handshake message, its header included.
    pub length: usize,
    /// Records that it came in.
    pub records: usize,
}

/// Puts a ClientHello together from bytes as they come.
#[derive(Debug, Default)]
pub struct HelloReader {
    deframer: Deframer,
    first: Vec<u8>,
    collector: HelloCollector,
}

impl HelloReader {
    /// Takes bytes as they come, and tells what they amount to. Nothing is kept beyond [`MAX_HELLO`]
    /// and a record.
    pub fn push(&mut self, bytes: &[u8]) -> HelloState {
        // All of an SSLv2 hello is kept, which has 32 KiB at most.
        let room = (0x7FFF_usize + 2).saturating_sub(self.first.len());
        let ssl2 = self
            .first
            .first()
            .or(bytes.first())
            .is_some_and(|byte| byte & 0x80 != 0);
        let room = if ssl2 {
            room
        } else {
            room.min(FIRST.saturating_sub(self.first.len()))
        };
        self.first.extend(bytes.iter().take(room));
        if ssl2 {
            return Ssl2Offer::decode(&self.first);
        }
        let tls = matches!(self.first.as_slice(), [] | [22] | [22, 3, ..]);
        if !tls {
            return HelloState::NotTls;
        }
        self.deframer.push(bytes);
        loop {
            let record = match self.deframer.pop() {
                Ok(Some(record)) => record,
                Ok(None) => return HelloState::Incomplete,
                Err(error) => return HelloState::Malformed(error),
            };
            if record.content_type != ContentType::Handshake {
                return HelloState::Malformed(DecodeError::Unexpected {
                    what: format!("{:?} record before the ClientHello", record.content_type),
                });
            }
            match self.collector.fragment(record.version, &record.fragment) {
                HelloState::Incomplete => {}
                state => return state,
            }
        }
    }

    /// The first bytes as they came.
    pub fn first_bytes(&self) -> &[u8] {
        self.first.get(..FIRST).unwrap_or(&self.first)
    }
}

/// Puts a ClientHello together from the fragments of handshake records.
#[derive(Debug, Default)]
pub struct HelloCollector {
    message: Vec<u8>,
    record_version: Option<u16>,
    records: usize,
}

impl HelloCollector {
    /// Takes the next fragment. What follows the hello in it is dropped: nothing may.
    pub fn fragment(&mut self, record_version: u16, fragment: &[u8]) -> HelloState {
        self.records += 1;
        let version = *self.record_version.get_or_insert(record_version);
        self.message.extend_from_slice(fragment);
        let mut reader = Reader::new("ClientHello", &self.message);
        let (Ok(typ), length) = (reader.u8(), reader.u24()) else {
            return HelloState::Incomplete;
        };
        if typ != CLIENT_HELLO {
            return HelloState::Malformed(DecodeError::Unexpected {
                what: format!("handshake message {typ} before the ClientHello"),
            });
        }
        let Ok(length) = length else {
            return HelloState::Incomplete;
        };
        let length = length as usize;
        if length > MAX_HELLO {
            return HelloState::Malformed(DecodeError::TooLong {
                field: "ClientHello".into(),
                length,
                limit: MAX_HELLO,
            });
        }
        let Ok(body) = reader.take(length) else {
            return HelloState::Incomplete;
        };
        match ClientHello::decode(version, body) {
            Ok(hello) => HelloState::Hello(Box::new(ReceivedHello {
                hello,
                length: length + 4,
                records: self.records,
            })),
            Err(error) => HelloState::Malformed(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn hellos()(
            record_version in any::<u16>().prop_map(|low| 0x0300 | (low & 0xFF)),
            legacy_version in any::<u16>(),
            random in any::<[u8; 32]>(),
            session_id in prop::collection::vec(any::<u8>(), 0..=255),
            suites in prop::collection::vec(any::<u16>(), 0..600),
            compression in prop::collection::vec(any::<u8>(), 0..=255),
            extensions in prop::option::of(prop::collection::vec(
                (any::<u16>(), prop::collection::vec(any::<u8>(), 0..600)), 0..30,
            )),
        ) -> ClientHello {
            ClientHello {
                record_version,
                legacy_version,
                random,
                session_id,
                suites,
                compression,
                extensions: extensions.map(|all| {
                    all.into_iter()
                        .map(|(typ, body)| Extension { typ: ExtensionType(typ), body })
                        .collect()
                }),
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(hello in hellos(), cut in 1_usize..3000) {
            let bytes = hello.records();
            let length = hello.message().len();
            let mut reader = HelloReader::default();
            let mut state = HelloState::Incomplete;
            for piece in bytes.chunks(cut) {
                prop_assert_eq!(&state, &HelloState::Incomplete);
                state = reader.push(piece);
            }
            let HelloState::Hello(received) = state else {
                return Err(TestCaseError::fail(format!("{state:?}")));
            };
            prop_assert_eq!(received.hello, hello);
            prop_assert_eq!(received.length, length);
        }

        #[test]
        fn extensions_are_read_as_they_were_written(
            groups in prop::collection::vec(any::<u16>(), 0..50),
            schemes in prop::collection::vec(any::<u16>(), 0..50),
            versions in prop::collection::vec(any::<u16>(), 0..100),
            shares in prop::collection::vec((any::<u16>(), prop::collection::vec(any::<u8>(), 0..99)), 0..5),
            names in prop::collection::vec("[a-z/0-9.]{1,20}", 0..6),
        ) {
            let groups: Vec<Group> = groups.into_iter().map(Group).collect();
            let schemes: Vec<_> = schemes.into_iter().map(SignatureScheme).collect();
            let versions: Vec<_> = versions.into_iter().map(ProtocolVersion).collect();
            let shares: Vec<_> = shares.into_iter().map(|(g, b)| (Group(g), b)).collect();
            let protocols: Vec<&str> = names.iter().map(String::as_str).collect();
            let hello = ClientHello {
                extensions: Some(vec![
                    Extension::server_name("lb.example.test"),
                    Extension::supported_groups(&groups),
                    Extension::signature_algorithms(&schemes),
                    Extension::signature_algorithms_cert(&schemes),
                    Extension::supported_versions(&versions),
                    Extension::key_share(&shares),
                    Extension::alpn(&protocols),
                    Extension::ec_point_formats(),
                ]),
                ..small()
            };
            let hello = ClientHello::decode(0x0301, &hello.message()[4..]).unwrap();
            prop_assert_eq!(hello.server_names(), Ok(Some(vec![&b"lb.example.test"[..]])));
            prop_assert_eq!(hello.groups(), Ok(Some(groups)));
            prop_assert_eq!(hello.signature_schemes(), Ok(Some(schemes.clone())));
            prop_assert_eq!(hello.signature_schemes_cert(), Ok(Some(schemes)));
            prop_assert_eq!(hello.supported_versions(), Ok(Some(versions)));
            let lengths = shares.iter().map(|(group, share)| (*group, share.len())).collect();
            prop_assert_eq!(hello.key_shares(), Ok(Some(lengths)));
            let read = hello.protocols().unwrap().unwrap();
            prop_assert!(read.iter().zip(&names).all(|(a, b)| *a == b.as_bytes()));
            prop_assert_eq!(read.len(), names.len());
            prop_assert_eq!(hello.point_formats(), Ok(Some(&[0][..])));
        }
    }

    fn small() -> ClientHello {
        ClientHello {
            record_version: 0x0301,
            legacy_version: 0x0303,
            random: [7; 32],
            session_id: vec![1, 2],
            suites: vec![0x1301],
            compression: vec![0],
            extensions: Some(vec![Extension::supported_groups(&[Group::X25519])]),
        }
    }

    #[test]
    fn refuses_a_hello_cut_at_any_length() {
        let message = small().message();
        let body = &message[4..];
        let without_extensions = body.len() - 2 - 4 - 4;
        for length in (0..body.len()).filter(|length| *length != without_extensions) {
            assert!(ClientHello::decode(0, &body[..length]).is_err(), "{length}");
        }
        let hello = ClientHello::decode(0, &body[..without_extensions]).unwrap();
        assert_eq!(hello.extensions, None);
        let longer = [body, &[0]].concat();
        assert!(ClientHello::decode(0, &longer).is_err());
    }

    #[test]
    fn a_broken_extension_breaks_no_other() {
        let mut hello = small();
        hello.extensions = Some(vec![
            Extension {
                typ: ExtensionType::ALPN,
                body: vec![0, 9, 2, b'h'],
            },
            Extension::supported_groups(&[Group::X25519]),
            Extension {
                typ: ExtensionType::PRE_SHARED_KEY,
                body: vec![0, 7, 0, 1, 9, 0, 0, 0, 0, 0, 3, 2, 5, 5],
            },
        ]);
        let hello = ClientHello::decode(0x0301, &hello.message()[4..]).unwrap();
        assert!(hello.protocols().is_err());
        assert_eq!(hello.groups(), Ok(Some(vec![Group::X25519])));
        assert_eq!(hello.psk_identities(), Ok(Some(1)));
        assert_eq!(hello.key_shares(), Ok(None));
    }

    #[test]
    fn tells_what_is_no_hello() {
        let state = |bytes: &[u8]| HelloReader::default().push(bytes);
        assert_eq!(state(b"GET / HTTP/1.1\r\n"), HelloState::NotTls);
        assert_eq!(state(b"\x16"), HelloState::Incomplete);
        assert_eq!(state(b""), HelloState::Incomplete);
        let server_hello_first = state(&[22, 3, 3, 0, 4, 2, 0, 0, 0]);
        assert!(matches!(server_hello_first, HelloState::Malformed(_)));
        assert!(matches!(
            state(&[21, 3, 1, 0, 2, 2, 40]),
            HelloState::NotTls
        ));
        let endless = state(&[22, 3, 1, 0, 4, 1, 0xFF, 0xFF, 0xFF]);
        assert!(
            matches!(endless, HelloState::Malformed(DecodeError::TooLong { .. })),
            "{endless:?}"
        );
    }
}
