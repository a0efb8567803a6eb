//! Reading and writing the TLS presentation language (RFC 8446 §3).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bytes of one handshake message, at most: twice what rustls takes, so that a chain too large for
/// such clients is still seen.
pub const MAX_MESSAGE: usize = 128 * 1024;

/// Why bytes are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DecodeError {
    /// A field ends before its length says; usually a broken or cut-off sender.
    #[error("{field} is cut short")]
    Truncated {
        /// The field, by its RFC name.
        field: String,
    },
    /// Bytes follow where nothing may follow.
    #[error("bytes after the end of {field}")]
    Trailing {
        /// The field, by its RFC name.
        field: String,
    },
    /// A length over what the protocol, or this program, allows.
    #[error("{field} announces {length} bytes; {limit} is the limit")]
    TooLong {
        /// The field, by its RFC name.
        field: String,
        /// Bytes announced.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A message or record that may not stand there.
    #[error("unexpected {what}")]
    Unexpected {
        /// What came.
        what: String,
    },
    /// Endless repetition: warning alerts, empty records, HelloRequests.
    #[error("a flood of {what}")]
    Flood {
        /// What came again and again.
        what: String,
    },
    /// The peer stopped in the middle of a record or message.
    #[error("stopped after {received} bytes, in the middle of {what} ({how})")]
    Stopped {
        /// Bytes received.
        received: usize,
        /// What was under way.
        what: String,
        /// Closed, reset or silent.
        how: String,
    },
}

impl DecodeError {
    pub(crate) fn truncated(field: &str) -> Self {
        Self::Truncated {
            field: field.into(),
        }
    }
}

/// Reads fields off the front of a slice.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    left: &'a [u8],
    field: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads from `bytes`; errors name `field`.
    pub fn new(field: &'static str, bytes: &'a [u8]) -> Self {
        Self { left: bytes, field }
    }

    /// The next `length` bytes.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, left) = self
            .left
            .split_at_checked(length)
            .ok_or_else(|| DecodeError::truncated(self.field))?;
        self.left = left;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let taken = self.take(N)?;
        taken
            .try_into()
            .map_err(|_| DecodeError::truncated(self.field))
    }

    /// A `uint8`.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A `uint16`.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    /// A `uint24`.
    pub fn u24(&mut self) -> Result<u32, DecodeError> {
        self.array()
            .map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    /// An opaque vector with a one-byte length.
    pub fn vec8(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.u8()?;
        self.take(length.into())
    }

    /// An opaque vector with a two-byte length.
    pub fn vec16(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.u16()?;
        self.take(length.into())
    }

    /// An opaque vector with a three-byte length.
    pub fn vec24(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.u24()?;
        self.take(length as usize)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.left)
    }

    /// Refuses what is left over.
    pub fn end(&self) -> Result<(), DecodeError> {
        if self.left.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::Trailing {
                field: self.field.into(),
            })
        }
    }
}

/// Appends a `uint16`.
pub fn put_u16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// Appends a `uint24`; what does not fit is cut to its low 24 bits.
pub fn put_u24(out: &mut Vec<u8>, value: usize) {
    let [.., a, b, c] = value.to_be_bytes();
    out.extend_from_slice(&[a, b, c]);
}

/// Appends a vector with a one-byte length; at most 255 bytes of it.
pub fn put_vec8(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    out.push(length);
    out.extend(bytes.iter().take(length.into()));
}

/// Appends a vector with a two-byte length; at most 65,535 bytes of it.
pub fn put_vec16(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    put_u16(out, length);
    out.extend(bytes.iter().take(length.into()));
}
