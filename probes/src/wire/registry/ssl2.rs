//! The cipher kinds of SSLv2: 24 bits, a registry of its own.

use std::fmt;
use std::sync::LazyLock;

use super::strip_0x;
use super::table::Table;

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::parse(include_str!("../../../data/ssl2-ciphers.csv")));

/// A cipher kind of SSLv2; the three bytes on the wire, big endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ssl2Cipher(pub u32);

impl Ssl2Cipher {
    /// RC4 with 128 bits.
    pub const RC4_128_WITH_MD5: Self = Self(0x01_0080);
    /// RC4 with 40 secret bits: export, and what DROWN needs.
    pub const RC4_128_EXPORT40_WITH_MD5: Self = Self(0x02_0080);
    /// RC2 with 128 bits.
    pub const RC2_128_CBC_WITH_MD5: Self = Self(0x03_0080);
    /// RC2 with 40 secret bits: export, and what DROWN needs.
    pub const RC2_128_CBC_EXPORT40_WITH_MD5: Self = Self(0x04_0080);
    /// IDEA with 128 bits.
    pub const IDEA_128_CBC_WITH_MD5: Self = Self(0x05_0080);
    /// DES with 56 bits.
    pub const DES_64_CBC_WITH_MD5: Self = Self(0x06_0040);
    /// Triple DES.
    pub const DES_192_EDE3_CBC_WITH_MD5: Self = Self(0x07_00C0);

    /// The name of the specification: `SSL_CK_RC4_128_WITH_MD5`.
    pub fn name(self) -> Option<&'static str> {
        TABLE.name(self.0)
    }

    /// OpenSSL's name: `RC4-MD5`. Several are those of SSLv3 suites, too.
    pub fn openssl(self) -> Option<&'static str> {
        TABLE.get(self.0)?.column(0)
    }

    /// The number on the wire: `0x010080`.
    pub fn id(self) -> String {
        format!("0x{:06X}", self.0)
    }

    /// Every kind the specification or OpenSSL names, ascending.
    pub fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Ssl2Cipher>> = LazyLock::new(|| {
            let values = TABLE.rows().iter().map(|row| row.value);
            values.map(Ssl2Cipher).collect()
        });
        &ALL
    }

    /// Reads a name (either kind) or a number; more than 24 bits are refused.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(digits) = strip_0x(text) {
            let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let value = u32::from_str_radix(digits, 16).ok().filter(|_| plain)?;
            return (value < 1 << 24).then_some(Self(value));
        }
        if let Some(value) = TABLE.find(text) {
            return Some(Self(value));
        }
        let openssl = |cipher: &&Self| cipher.openssl().is_some_and(|name| name == text);
        Self::all().iter().find(openssl).copied()
    }
}

/// The name, or the number.
impl fmt::Display for Ssl2Cipher {
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
    use crate::wire::registry::table::assert_sound;

    #[test]
    fn every_line_parses() {
        assert_sound(&TABLE, 13);
        assert!(Ssl2Cipher::all().iter().all(|cipher| cipher.0 < 1 << 24));
        let starts = |row: &str| row.starts_with("SSL_CK_");
        assert!(TABLE.rows().iter().all(|row| starts(row.name)));
    }

    #[test]
    fn names_and_numbers_round_trip() {
        for cipher in Ssl2Cipher::all().iter().copied() {
            assert_eq!(Ssl2Cipher::parse(&cipher.to_string()), Some(cipher));
            assert_eq!(Ssl2Cipher::parse(&cipher.id()), Some(cipher));
            assert_eq!(Ssl2Cipher::parse(cipher.openssl().unwrap()), Some(cipher));
        }
        assert_eq!(Ssl2Cipher::parse("0x1010080"), None);
        assert_eq!(Ssl2Cipher::parse("0x"), None);
        assert_eq!(Ssl2Cipher(0x09_0080).to_string(), "0x090080");
    }

    #[test]
    fn constants_are_in_the_table() {
        let rc4 = Ssl2Cipher::RC4_128_WITH_MD5;
        assert_eq!(rc4.id(), "0x010080");
        assert_eq!(rc4.name(), Some("SSL_CK_RC4_128_WITH_MD5"));
        assert_eq!(rc4.openssl(), Some("RC4-MD5"));
        for cipher in [
            Ssl2Cipher::RC4_128_EXPORT40_WITH_MD5,
            Ssl2Cipher::RC2_128_CBC_WITH_MD5,
            Ssl2Cipher::RC2_128_CBC_EXPORT40_WITH_MD5,
            Ssl2Cipher::IDEA_128_CBC_WITH_MD5,
            Ssl2Cipher::DES_64_CBC_WITH_MD5,
            Ssl2Cipher::DES_192_EDE3_CBC_WITH_MD5,
        ] {
            assert!(cipher.name().is_some(), "{cipher}");
        }
    }
}
