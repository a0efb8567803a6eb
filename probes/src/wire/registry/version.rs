//! Protocol versions from SSLv2 to TLS 1.3.

use std::fmt;

/// A protocol version as it stands in a record, a hello or `supported_versions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtocolVersion(pub u16);

impl ProtocolVersion {
    /// SSLv2 (draft-hickman-netscape-ssl-00).
    pub const SSL2: Self = Self(0x0002);
    /// SSLv3 (RFC 6101).
    pub const SSL3: Self = Self(0x0300);
    /// TLS 1.0 (RFC 2246).
    pub const TLS1_0: Self = Self(0x0301);
    /// TLS 1.1 (RFC 4346).
    pub const TLS1_1: Self = Self(0x0302);
    /// TLS 1.2 (RFC 5246).
    pub const TLS1_2: Self = Self(0x0303);
    /// TLS 1.3 (RFC 8446, RFC 9846).
    pub const TLS1_3: Self = Self(0x0304);

    /// The versions that have a name, oldest first.
    pub const fn all() -> &'static [Self] {
        &[
            Self::SSL2,
            Self::SSL3,
            Self::TLS1_0,
            Self::TLS1_1,
            Self::TLS1_2,
            Self::TLS1_3,
        ]
    }

    /// `SSLv2` to `TLSv1.3`.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::SSL2 => Some("SSLv2"),
            Self::SSL3 => Some("SSLv3"),
            Self::TLS1_0 => Some("TLSv1.0"),
            Self::TLS1_1 => Some("TLSv1.1"),
            Self::TLS1_2 => Some("TLSv1.2"),
            Self::TLS1_3 => Some("TLSv1.3"),
            _ => None,
        }
    }

    /// The number on the wire: `0x0303`.
    pub fn id(self) -> String {
        super::hex16(self.0)
    }

    /// Reads a name in the spellings in use (`TLSv1.2`, `TLS 1.2`, `tls1.2`, `TLSv1`), or a
    /// number (`0x0303`).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(value) = super::parse_hex16(text) {
            return Some(Self(value));
        }
        let spelling = text
            .to_ascii_lowercase()
            .replace([' ', 'v'], "")
            .replace('_', ".");
        match spelling.as_str() {
            "ssl2" | "ssl2.0" => Some(Self::SSL2),
            "ssl3" | "ssl3.0" => Some(Self::SSL3),
            "tls1" | "tls1.0" => Some(Self::TLS1_0),
            "tls1.1" => Some(Self::TLS1_1),
            "tls1.2" => Some(Self::TLS1_2),
            "tls1.3" => Some(Self::TLS1_3),
            _ => None,
        }
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&self.id()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_age() {
        assert!(ProtocolVersion::all().is_sorted());
        assert_eq!(ProtocolVersion::all().len(), 6);
        assert!(ProtocolVersion::SSL2 < ProtocolVersion::SSL3);
    }

    #[test]
    fn reads_what_it_prints() {
        for version in ProtocolVersion::all().iter().copied() {
            assert_eq!(ProtocolVersion::parse(&version.to_string()), Some(version));
            assert_eq!(ProtocolVersion::parse(&version.id()), Some(version));
        }
        let draft = ProtocolVersion(0x7F1C);
        assert_eq!(draft.to_string(), "0x7F1C");
        assert_eq!(ProtocolVersion::parse("0x7F1C"), Some(draft));
    }

    #[test]
    fn reads_the_spellings_in_use() {
        for text in ["TLSv1.2", "TLS 1.2", "tls1.2", "TLS1_2", "TLSv1_2"] {
            let version = ProtocolVersion::parse(text);
            assert_eq!(version, Some(ProtocolVersion::TLS1_2), "{text}");
        }
        assert_eq!(
            ProtocolVersion::parse("TLSv1"),
            Some(ProtocolVersion::TLS1_0)
        );
        assert_eq!(ProtocolVersion::parse("TLSv1.4"), None);
        assert_eq!(ProtocolVersion::parse(""), None);
    }
}
