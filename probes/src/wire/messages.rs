//! The messages that a server sends in clear, one struct a message, named as in the RFCs.

use super::client_hello::Extension;
use super::codec::{DecodeError, Reader};
use super::registry::{
    AlertDescription, ExtensionType, Group, ProtocolVersion, SignatureScheme, Suite,
};

/// The random that makes a ServerHello a HelloRetryRequest (RFC 8446 §4.1.3).
pub const RETRY_RANDOM: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
    0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

/// Certificates of a chain, at most.
pub const MAX_CERTIFICATES: usize = 500;

/// An alert (RFC 8446 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// 1 warning, 2 fatal.
    pub level: u8,
    /// What it says.
    pub description: AlertDescription,
}

impl Alert {
    /// Reads the two bytes of an alert.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("an alert", bytes);
        let (level, description) = (reader.u8()?, AlertDescription(reader.u8()?));
        Ok(Self { level, description })
    }

    /// Whether the connection ends with it. An unknown level counts as fatal.
    pub fn is_fatal(&self) -> bool {
        self.level != 1
    }
}

/// A ServerHello, or a HelloRetryRequest, which differs from it by its random only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHello {
    /// `server_version`, called `legacy_version` since TLS 1.3.
    pub legacy_version: u16,
    /// `random`.
    pub random: [u8; 32],
    /// `session_id`, or its echo in TLS 1.3.
    pub session_id: Vec<u8>,
    /// `cipher_suite`.
    pub suite: Suite,
    /// `compression_method`.
    pub compression: u8,
    /// The extensions, if any.
    pub extensions: Vec<Extension>,
}

impl ServerHello {
    /// Reads the body of the message.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("ServerHello", body);
        let legacy_version = reader.u16()?;
        let random = reader.array()?;
        let session_id = reader.vec8()?.to_vec();
        let suite = Suite(reader.u16()?);
        let compression = reader.u8()?;
        let mut extensions = Vec::new();
        if !reader.is_empty() {
            let mut block = Reader::new("ServerHello.extensions", reader.vec16()?);
            while !block.is_empty() {
                let typ = ExtensionType(block.u16()?);
                extensions.push(Extension {
                    typ,
                    body: block.vec16()?.to_vec(),
                });
            }
        }
        reader.end()?;
        Ok(Self {
            legacy_version,
            random,
            session_id,
            suite,
            compression,
            extensions,
        })
    }

    /// Whether it is a HelloRetryRequest.
    pub fn is_retry(&self) -> bool {
        self.random == RETRY_RANDOM
    }

    /// The negotiated version: `supported_versions` where it is there, else `server_version`.
    pub fn version(&self) -> ProtocolVersion {
        let selected = self.extension(43).and_then(|body| body.first_chunk::<2>());
        ProtocolVersion(selected.map_or(self.legacy_version, |bytes| u16::from_be_bytes(*bytes)))
    }

    /// The protocol of ALPN, where the server chose one (RFC 7301 §3.1).
    ///
    /// # Errors
    /// The extension is not a list of one name.
    pub fn alpn(&self) -> Result<Option<&[u8]>, DecodeError> {
        let Some(body) = self.extension(ExtensionType::ALPN.0) else {
            return Ok(None);
        };
        let mut reader = Reader::new("application_layer_protocol_negotiation", body);
        let mut list = Reader::new("ProtocolNameList", reader.vec16()?);
        reader.end()?;
        let name = list.vec8()?;
        list.end()?;
        Ok(Some(name))
    }

    /// Whether the random ends as that of a server which has a newer version than it answers with
    /// (RFC 8446 §4.1.3).
    pub fn warns_of_downgrade(&self) -> bool {
        let end = self.random.last_chunk::<8>();
        end.is_some_and(|end| matches!(end, b"DOWNGRD\x01" | b"DOWNGRD\x00"))
    }

    /// The group of the `key_share`, in TLS 1.3.
    pub fn group(&self) -> Option<Group> {
        let body = self.extension(51)?.first_chunk::<2>()?;
        Some(Group(u16::from_be_bytes(*body)))
    }

    /// The body of an extension, where the server sent it.
    pub fn extension(&self, typ: u16) -> Option<&[u8]> {
        self.extensions
            .iter()
            .find(|extension| extension.typ.0 == typ)
            .map(|extension| extension.body.as_slice())
    }
}

/// Reads a Certificate message of TLS 1.2 and below: the chain as sent (RFC 5246 §7.4.2).
pub fn decode_certificate(body: &[u8]) -> Result<Vec<Vec<u8>>, DecodeError> {
    let mut reader = Reader::new("Certificate", body);
    let mut list = Reader::new("Certificate.certificate_list", reader.vec24()?);
    reader.end()?;
    let mut chain = Vec::new();
    while !list.is_empty() {
        chain.push(list.vec24()?.to_vec());
        if chain.len() > MAX_CERTIFICATES {
            return Err(DecodeError::Flood {
                what: "certificates".into(),
            });
        }
    }
    Ok(chain)
}

/// Reads a CertificateStatus message: the stapled OCSP response (RFC 6066 §8).
pub fn decode_certificate_status(body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut reader = Reader::new("CertificateStatus", body);
    match reader.u8()? {
        1 => reader.vec24().map(<[u8]>::to_vec),
        other => Err(DecodeError::Unexpected {
            what: format!("CertificateStatusType {other}"),
        }),
    }
}

/// What a ServerKeyExchange tells about the key exchange; its signature is not verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerKeyExchange {
    /// The named group of an elliptic-curve exchange (RFC 8422 §5.4).
    pub group: Option<Group>,
    /// The numbers of a finite-field exchange (RFC 5246 §7.4.3).
    pub dh: Option<DhParameters>,
    /// What the parameters are signed with, from TLS 1.2 on.
    pub scheme: Option<SignatureScheme>,
}

/// What a server sends of a finite-field exchange: numbers, big-endian, without leading zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DhParameters {
    /// `dh_p`.
    pub prime: Vec<u8>,
    /// `dh_g`.
    pub generator: Vec<u8>,
    /// `dh_Ys`.
    pub public: Vec<u8>,
}

impl DhParameters {
    /// Bits of the prime.
    pub fn bits(&self) -> u32 {
        let leading = self.prime.first().map_or(0, |byte| byte.leading_zeros());
        let bytes = u32::try_from(self.prime.len()).unwrap_or(u32::MAX);
        bytes.saturating_mul(8).saturating_sub(leading)
    }
}

impl ServerKeyExchange {
    /// Bits of the prime of a finite-field exchange.
    pub fn dh_bits(&self) -> Option<u32> {
        self.dh.as_ref().map(DhParameters::bits)
    }

    /// Reads the body as the suite's key exchange shapes it; none where that has no shape known here.
    pub fn decode(
        body: &[u8],
        suite: Suite,
        version: ProtocolVersion,
    ) -> Result<Option<Self>, DecodeError> {
        let Some(traits) = suite.traits() else {
            return Ok(None);
        };
        let mut reader = Reader::new("ServerKeyExchange", body);
        let mut seen = Self::default();
        if traits.psk() {
            reader.vec16()?; // psk_identity_hint (RFC 4279 §2)
        }
        if traits.uses_named_group() {
            match reader.u8()? {
                3 => seen.group = Some(Group(reader.u16()?)),
                // Explicit curves: RFC 8422 forbids them; nothing to name.
                _ => return Ok(Some(seen)),
            }
            reader.vec8()?;
        } else if traits.uses_ffdhe() {
            let mut number = || -> Result<Vec<u8>, DecodeError> {
                let bytes = reader.vec16()?.iter().copied();
                Ok(bytes.skip_while(|byte| *byte == 0).collect())
            };
            let (prime, generator, public) = (number()?, number()?, number()?);
            seen.dh = Some(DhParameters {
                prime,
                generator,
                public,
            });
        } else {
            return Ok(None);
        }
        if version >= ProtocolVersion::TLS1_2 && !reader.is_empty() {
            seen.scheme = Some(SignatureScheme(reader.u16()?));
        }
        Ok(Some(seen))
    }
}

/// What a CertificateRequest of TLS 1.2 and below asks for (RFC 5246 §7.4.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateRequest {
    /// `certificate_types`.
    pub types: Vec<u8>,
    /// `supported_signature_algorithms`, from TLS 1.2 on.
    pub schemes: Vec<SignatureScheme>,
    /// `certificate_authorities`: distinguished names in DER.
    pub authorities: Vec<Vec<u8>>,
}

impl CertificateRequest {
    /// Reads the body of the message.
    pub fn decode(body: &[u8], version: ProtocolVersion) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("CertificateRequest", body);
        let types = reader.vec8()?.to_vec();
        let mut schemes = Vec::new();
        if version >= ProtocolVersion::TLS1_2 {
            let mut list = Reader::new("supported_signature_algorithms", reader.vec16()?);
            while !list.is_empty() {
                schemes.push(SignatureScheme(list.u16()?));
            }
        }
        let mut authorities = Vec::new();
        let mut list = Reader::new("certificate_authorities", reader.vec16()?);
        while !list.is_empty() {
            authorities.push(list.vec16()?.to_vec());
        }
        reader.end()?;
        Ok(Self {
            types,
            schemes,
            authorities,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello_body(extensions: &[u8]) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0xC0, 0x2F, 0]);
        body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
        body.extend(extensions);
        body
    }

    #[test]
    fn reads_the_version_from_supported_versions() {
        let hello = ServerHello::decode(&hello_body(&[0, 43, 0, 2, 3, 4])).unwrap();
        assert_eq!(hello.version(), ProtocolVersion::TLS1_3);
        assert_eq!(hello.legacy_version, 0x0303);
    }

    #[test]
    fn reads_the_one_protocol_that_was_chosen() {
        let alpn = |extensions: &[u8]| {
            let hello = ServerHello::decode(&hello_body(extensions)).unwrap();
            hello.alpn().map(|name| name.map(<[u8]>::to_vec))
        };
        assert_eq!(alpn(&[0, 23, 0, 0]), Ok(None));
        assert_eq!(
            alpn(&[0, 16, 0, 5, 0, 3, 2, b'h', b'2']),
            Ok(Some(b"h2".to_vec()))
        );
        // Two names, and a name that is cut short.
        assert!(alpn(&[0, 16, 0, 6, 0, 4, 1, b'a', 1, b'b']).is_err());
        assert!(alpn(&[0, 16, 0, 4, 0, 2, 9, b'h']).is_err());
    }

    #[test]
    fn knows_the_sentinels_of_a_downgrade() {
        let mut hello = ServerHello::decode(&hello_body(&[])).unwrap();
        assert!(!hello.warns_of_downgrade());
        hello.random[24..].copy_from_slice(b"DOWNGRD\x01");
        assert!(hello.warns_of_downgrade());
    }

    #[test]
    fn refuses_a_hello_cut_at_any_length() {
        let body = hello_body(&[0, 51, 0, 2, 0, 29]);
        // Cut right before the extensions it is a well-formed hello without any (RFC 5246 §7.4.1.3).
        for length in (0..body.len()).filter(|length| *length != 38) {
            assert!(ServerHello::decode(&body[..length]).is_err(), "{length}");
        }
        assert_eq!(ServerHello::decode(&body).unwrap().group(), Some(Group(29)));
    }

    #[test]
    fn counts_the_bits_of_a_prime_without_leading_zeros() {
        let body = [0, 3, 0, 0x7F, 0xFF, 0, 1, 2, 0, 1, 4];
        let suite = Suite(0x0033);
        let seen = ServerKeyExchange::decode(&body, suite, ProtocolVersion::TLS1_0)
            .unwrap()
            .unwrap();
        assert_eq!(seen.dh_bits(), Some(15));
        let dh = seen.dh.unwrap();
        assert_eq!(
            (dh.prime, dh.generator, dh.public),
            (vec![0x7F, 0xFF], vec![2], vec![4])
        );
    }

    #[test]
    fn refuses_a_chain_without_end() {
        let mut list = Vec::new();
        for _ in 0..600 {
            list.extend([0, 0, 1, 0]);
        }
        let mut body = vec![0];
        body.extend(u16::try_from(list.len()).unwrap().to_be_bytes());
        body.extend(list);
        assert!(matches!(
            decode_certificate(&body),
            Err(DecodeError::Flood { .. })
        ));
    }
}
