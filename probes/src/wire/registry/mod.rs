//! The code points of TLS: the IANA registries, and what is met on the wire without a
//! registration.
//!
//! Every code point is a newtype over the number on the wire, so a value nobody has registered
//! survives and prints. The tables are data (`data/`), read once; nothing here judges a value, and
//! nothing here reads or writes the wire.

mod alert;
mod dh_prime;
mod extension;
mod group;
mod signature;
mod ssl2;
mod suite;
mod suite_names;
mod suite_traits;
mod table;
mod version;

pub use alert::AlertDescription;
pub use dh_prime::dh_prime_name;
pub use extension::ExtensionType;
pub use group::Group;
pub use signature::SignatureScheme;
pub use ssl2::Ssl2Cipher;
pub use suite::Suite;
pub use suite_traits::{Authentication, CipherMode, KeyExchange, Mac, SuiteTraits};
pub use version::ProtocolVersion;

/// The date of the IANA TLS Parameters registry the tables were taken from.
pub const SNAPSHOT: &str = "2026-09-18";

/// RFC 8701: a value without meaning that a client sends to keep servers tolerant (0x0A0A,
/// 0x1A1A, ... 0xFAFA). The same sixteen in the registries of suites, groups, signature schemes,
/// extensions and versions.
pub const fn is_grease(value: u16) -> bool {
    value & 0x0F0F == 0x0A0A && value >> 8 == value & 0xFF
}

/// `0x` and four hexadecimal digits in capitals: the id of a 16 bit code point.
fn hex16(value: u16) -> String {
    format!("0x{value:04X}")
}

/// Reads `0xC02F`, and the registry's own way of writing it, `0xC0,0x2F`.
fn parse_hex16(text: &str) -> Option<u16> {
    let digits = strip_0x(text)?;
    let joined = match digits.split_once(',') {
        Some((high, low)) => {
            let low = strip_0x(low)?;
            if high.len() != 2 || low.len() != 2 {
                return None;
            }
            format!("{high}{low}")
        }
        None => digits.to_owned(),
    };
    // from_str_radix takes a sign, a code point has none.
    if !joined.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(&joined, 16).ok()
}

fn strip_0x(text: &str) -> Option<&str> {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_sixteen_grease_values() {
        let all: Vec<u16> = (0..=u16::MAX).filter(|value| is_grease(*value)).collect();
        assert_eq!(all.len(), 16);
        assert_eq!(all.first(), Some(&0x0A0A));
        assert_eq!(all.last(), Some(&0xFAFA));
    }

    #[test]
    fn reads_hexadecimal_ids() {
        assert_eq!(parse_hex16("0xC02F"), Some(0xC02F));
        assert_eq!(parse_hex16("0xc0,0x2f"), Some(0xC02F));
        assert_eq!(parse_hex16("0x5"), Some(5));
        for wrong in [
            "", "0x", "C02F", "0x+02F", "0x1C02F", "0xC0,2F", "0xC,0x2F", "0xC02G",
        ] {
            assert_eq!(parse_hex16(wrong), None, "{wrong}");
        }
    }
}
