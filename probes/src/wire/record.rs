//! The record layer in clear (RFC 8446 §5.1).

use super::codec::DecodeError;

/// Bytes of a record's header.
pub const HEADER: usize = 5;

/// Bytes of plaintext in a record, at most.
pub const MAX_PLAINTEXT: usize = 1 << 14;

/// Bytes of a record's fragment, at most: TLS 1.2 allows 2,048 over the plaintext.
pub const MAX_FRAGMENT: usize = MAX_PLAINTEXT + 2048;

/// Records without content in a row, at most.
const MAX_EMPTY: u8 = 16;

/// What a record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType {
    /// change_cipher_spec (20)
    ChangeCipherSpec = 20,
    /// alert (21)
    Alert = 21,
    /// handshake (22)
    Handshake = 22,
    /// application_data (23)
    ApplicationData = 23,
    /// heartbeat (24)
    Heartbeat = 24,
}

impl ContentType {
    /// The type with this number.
    pub fn from_u8(value: u8) -> Option<Self> {
        Some(match value {
            20 => Self::ChangeCipherSpec,
            21 => Self::Alert,
            22 => Self::Handshake,
            23 => Self::ApplicationData,
            24 => Self::Heartbeat,
            _ => return None,
        })
    }
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it carries.
    pub content_type: ContentType,
    /// The version in its header.
    pub version: u16,
    /// Its content.
    pub fragment: Vec<u8>,
}

/// Cuts a stream of bytes into records.
#[derive(Debug, Default)]
pub struct Deframer {
    buffer: Vec<u8>,
    empty: u8,
}

impl Deframer {
    /// Takes bytes as they come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether a record has begun and is not whole yet.
    pub fn mid_record(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Bytes that wait for the rest of their record.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// The next whole record, if it is there.
    ///
    /// # Errors
    /// A header that is no record's, a fragment over the limit, or a flood of empty records.
    pub fn pop(&mut self) -> Result<Option<Record>, DecodeError> {
        let Some((&[kind, major, minor, high, low], rest)) =
            self.buffer.split_first_chunk::<HEADER>()
        else {
            return Ok(None);
        };
        let content_type = ContentType::from_u8(kind)
            .filter(|_| major == 3)
            .ok_or_else(|| DecodeError::Unexpected {
                what: format!(
                    "record header {kind:02x} {major:02x}{minor:02x} {high:02x}{low:02x}"
                ),
            })?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > MAX_FRAGMENT {
            return Err(DecodeError::TooLong {
                field: "a record".into(),
                length,
                limit: MAX_FRAGMENT,
            });
        }
        let Some(fragment) = rest.get(..length) else {
            return Ok(None);
        };
        let record = Record {
            content_type,
            version: u16::from_be_bytes([major, minor]),
            fragment: fragment.to_vec(),
        };
        self.buffer.drain(..HEADER + length);
        self.empty = if length == 0 { self.empty + 1 } else { 0 };
        if self.empty > MAX_EMPTY {
            return Err(DecodeError::Flood {
                what: "empty records".into(),
            });
        }
        Ok(Some(record))
    }
}
