//! IANA names and numbers, from the registry's own table.

use std::collections::HashMap;
use std::sync::OnceLock;

const SUITES: &str = include_str!("../../../probes/data/iana/cipher-suites.csv");
const GROUPS: &str = include_str!("../../../probes/data/iana/groups.csv");

/// The number of a cipher suite, by its IANA name or as `0xC02F`.
///
/// # Panics
/// Where there is no such suite.
pub fn suite(name: &str) -> u16 {
    static TABLE: OnceLock<HashMap<&str, u16>> = OnceLock::new();
    number(name, TABLE.get_or_init(|| table(SUITES))).unwrap_or_else(|| panic!("suite {name}?"))
}

/// The number of a named group, by its IANA name or as `0x001D`.
///
/// # Panics
/// Where there is no such group.
pub fn group(name: &str) -> u16 {
    static TABLE: OnceLock<HashMap<&str, u16>> = OnceLock::new();
    number(name, TABLE.get_or_init(|| table(GROUPS))).unwrap_or_else(|| panic!("group {name}?"))
}

/// The IANA name of a cipher suite; `0x0A0B` where it has none.
pub fn suite_name(id: u16) -> String {
    static TABLE: OnceLock<HashMap<u16, &str>> = OnceLock::new();
    let names = TABLE.get_or_init(|| table(SUITES).into_iter().map(|(k, v)| (v, k)).collect());
    names
        .get(&id)
        .map_or_else(|| format!("{id:#06X}"), ToString::to_string)
}

/// The numbers of a protocol version by the name it has in the report.
///
/// # Panics
/// Where there is no such version.
pub fn version(name: &str) -> u16 {
    match name {
        "SSLv2" => 0x0002,
        "SSLv3" => 0x0300,
        "TLSv1.0" => 0x0301,
        "TLSv1.1" => 0x0302,
        "TLSv1.2" => 0x0303,
        "TLSv1.3" => 0x0304,
        _ => panic!("version {name}?"),
    }
}

fn number(name: &str, table: &HashMap<&str, u16>) -> Option<u16> {
    table.get(name).copied().or_else(|| parse(name))
}

fn table(csv: &'static str) -> HashMap<&'static str, u16> {
    csv.lines()
        .filter_map(|line| {
            let mut columns = line.split(',');
            let value = parse(columns.next()?)?;
            Some((columns.next()?, value))
        })
        .collect()
}

fn parse(hex: &str) -> Option<u16> {
    u16::from_str_radix(hex.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree() {
        assert_eq!(suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"), 0xC02F);
        assert_eq!(suite("0xC02F"), 0xC02F);
        assert_eq!(suite_name(0x1301), "TLS_AES_128_GCM_SHA256");
        assert_eq!(group("x25519"), 0x001D);
        assert_eq!(group("X25519MLKEM768"), 0x11EC);
    }
}
