//! The ClientHello of SSLv3 to TLS 1.3 (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2, RFC 6101 §5.6.1.2).

use super::codec::{put_u16, put_u24, put_vec8, put_vec16};
use super::record::MAX_PLAINTEXT;
use super::registry::{ExtensionType, Group, ProtocolVersion, SignatureScheme};

/// TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746 §3.3).
pub const RENEGOTIATION_SCSV: u16 = 0x00FF;

/// TLS_FALLBACK_SCSV (RFC 7507 §3).
pub const FALLBACK_SCSV: u16 = 0x5600;

/// A ClientHello. Every field goes on the wire as given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// The version in the record header.
    pub record_version: u16,
    /// `client_version`, called `legacy_version` since TLS 1.3.
    pub legacy_version: u16,
    /// `random`.
    pub random: [u8; 32],
    /// `session_id`, at most 32 bytes in a well-formed hello.
    pub session_id: Vec<u8>,
    /// `cipher_suites`, signalling values included.
    pub suites: Vec<u16>,
    /// `compression_methods`.
    pub compression: Vec<u8>,
    /// The extensions; none: no extensions block at all, as in SSLv3.
    pub extensions: Option<Vec<Extension>>,
}

impl ClientHello {
    /// The handshake message, with its four-byte header.
    pub fn message(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(512);
        put_u16(&mut body, self.legacy_version);
        body.extend_from_slice(&self.random);
        put_vec8(&mut body, &self.session_id);
        let suites: Vec<u8> = self
            .suites
            .iter()
            .flat_map(|suite| suite.to_be_bytes())
            .collect();
        put_vec16(&mut body, &suites);
        put_vec8(&mut body, &self.compression);
        if let Some(extensions) = &self.extensions {
            let mut block = Vec::new();
            for extension in extensions {
                put_u16(&mut block, extension.typ.0);
                put_vec16(&mut block, &extension.body);
            }
            put_vec16(&mut body, &block);
        }
        let mut message = Vec::with_capacity(body.len() + 4);
        message.push(1);
        put_u24(&mut message, body.len());
        message.extend_from_slice(&body);
        message
    }

    /// The message in as many records as it needs.
    pub fn records(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for fragment in self.message().chunks(MAX_PLAINTEXT) {
            out.push(22);
            put_u16(&mut out, self.record_version);
            put_vec16(&mut out, fragment);
        }
        out
    }

    /// Adds a padding extension (RFC 7685) where the length of the message is one that real servers
    /// choke on: 256 to 511 bytes (old F5 devices take it for an SSLv2 hello), or 10 or 14 modulo 256.
    #[must_use]
    pub fn padded(self) -> Self {
        let length = self.message().len();
        match length {
            256..=511 => self.padded_to(512),
            _ if matches!(length % 256, 10 | 14) => self.padded_to(length + 8),
            _ => self,
        }
    }

    /// Adds a padding extension (RFC 7685), so that the message has so many bytes; up to three more
    /// where less is missing than the extension's own header. What is as long already stays as it is.
    #[must_use]
    pub fn padded_to(mut self, wanted: usize) -> Self {
        let length = self.message().len();
        if let Some(extensions) = &mut self.extensions
            && length < wanted
        {
            let zeros = wanted.max(length + 4) - length - 4;
            extensions.push(Extension {
                typ: ExtensionType(21),
                body: vec![0; zeros],
            });
        }
        self
    }
}

/// An extension of a hello.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Extension {
    /// `extension_type`.
    pub typ: ExtensionType,
    /// `extension_data`.
    pub body: Vec<u8>,
}

impl Extension {
    /// server_name with one host_name (RFC 6066 §3).
    pub fn server_name(name: &str) -> Self {
        let mut entry = vec![0];
        put_vec16(&mut entry, name.as_bytes());
        Self::vector16(0, &entry)
    }

    /// signed_certificate_timestamp, which asks for SCTs (RFC 6962 §3.3.1).
    pub fn signed_certificate_timestamp() -> Self {
        Self {
            typ: ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP,
            body: Vec::new(),
        }
    }

    /// supported_groups (RFC 8446 §4.2.7).
    pub fn supported_groups(groups: &[Group]) -> Self {
        Self::list16(10, groups.iter().map(|group| group.0))
    }

    /// ec_point_formats: uncompressed only (RFC 8422 §5.1.2).
    pub fn ec_point_formats() -> Self {
        Self {
            typ: ExtensionType(11),
            body: vec![1, 0],
        }
    }

    /// signature_algorithms (RFC 8446 §4.2.3).
    pub fn signature_algorithms(schemes: &[SignatureScheme]) -> Self {
        Self::list16(13, schemes.iter().map(|scheme| scheme.0))
    }

    /// signature_algorithms_cert: those of certificates alone (RFC 8446 §4.2.3).
    pub fn signature_algorithms_cert(schemes: &[SignatureScheme]) -> Self {
        Self::list16(50, schemes.iter().map(|scheme| scheme.0))
    }

    /// extended_master_secret (RFC 7627).
    pub fn extended_master_secret() -> Self {
        Self {
            typ: ExtensionType(23),
            body: Vec::new(),
        }
    }

    /// application_layer_protocol_negotiation with these names (RFC 7301 §3.1).
    pub fn alpn(names: &[&str]) -> Self {
        let mut list = Vec::new();
        for name in names {
            put_vec8(&mut list, name.as_bytes());
        }
        Self::vector16(16, &list)
    }

    /// encrypt_then_mac (RFC 7366 §2).
    pub fn encrypt_then_mac() -> Self {
        Self {
            typ: ExtensionType::ENCRYPT_THEN_MAC,
            body: Vec::new(),
        }
    }

    /// renegotiation_info of a first handshake: empty (RFC 5746 §3.4).
    pub fn renegotiation_info() -> Self {
        Self {
            typ: ExtensionType::RENEGOTIATION_INFO,
            body: vec![0],
        }
    }

    /// supported_versions (RFC 8446 §4.2.1).
    pub fn supported_versions(versions: &[ProtocolVersion]) -> Self {
        let list: Vec<u8> = versions
            .iter()
            .flat_map(|version| version.0.to_be_bytes())
            .collect();
        let mut body = Vec::new();
        put_vec8(&mut body, &list);
        Self {
            typ: ExtensionType(43),
            body,
        }
    }

    /// key_share; an empty list asks for a HelloRetryRequest (RFC 8446 §4.2.8).
    pub fn key_share(shares: &[(Group, Vec<u8>)]) -> Self {
        let mut list = Vec::new();
        for (group, share) in shares {
            put_u16(&mut list, group.0);
            put_vec16(&mut list, share);
        }
        Self::vector16(51, &list)
    }

    fn list16(typ: u16, values: impl Iterator<Item = u16>) -> Self {
        let list: Vec<u8> = values.flat_map(u16::to_be_bytes).collect();
        Self::vector16(typ, &list)
    }

    fn vector16(typ: u16, bytes: &[u8]) -> Self {
        let mut body = Vec::new();
        put_vec16(&mut body, bytes);
        Self {
            typ: ExtensionType(typ),
            body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(suites: usize) -> ClientHello {
        ClientHello {
            record_version: 0x0301,
            legacy_version: 0x0303,
            random: [7; 32],
            session_id: vec![],
            suites: vec![0x1301; suites],
            compression: vec![0],
            extensions: Some(vec![]),
        }
    }

    #[test]
    fn keeps_clear_of_the_lengths_that_servers_choke_on() {
        for suites in 0..500 {
            let length = hello(suites).padded().message().len();
            assert!(!(256..512).contains(&length), "{length}");
            assert!(!matches!(length % 256, 10 | 14), "{length}");
        }
    }

    #[test]
    fn splits_a_message_over_records() {
        let mut hello = hello(10);
        hello.extensions = Some(vec![Extension {
            typ: ExtensionType(21),
            body: vec![0; 40_000],
        }]);
        let records = hello.records();
        assert_eq!(records.len(), hello.message().len() + 3 * 5);
    }

    #[test]
    fn a_server_name_is_a_list_of_one() {
        let extension = Extension::server_name("a.b");
        assert_eq!(extension.body, [0, 6, 0, 0, 3, b'a', b'.', b'b']);
    }
}
