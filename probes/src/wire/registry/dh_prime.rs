//! Primes of finite-field Diffie-Hellman that many servers share, by the SHA-256 of the prime.

use std::collections::HashMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("../../../data/dh-primes.csv");

static NAMES: LazyLock<HashMap<&'static str, &'static str>> =
    LazyLock::new(|| rows().map(|(sha256, _, name)| (sha256, name)).collect());

/// The name of a shared prime: where it is defined, or which server had it as its default. `sha256` is
/// that of the prime, big-endian without leading zeros, in lower-case hex.
pub fn dh_prime_name(sha256: &str) -> Option<&'static str> {
    NAMES.get(sha256).copied()
}

/// Hash, bits and name. A name may hold commas.
fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines.filter_map(|line| {
        let mut fields = line.splitn(3, ',');
        Some((fields.next()?, fields.next()?, fields.next()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_hash_with_bits_and_a_name() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(rows().count() + 1, lines);
        for (sha256, bits, name) in rows() {
            assert_eq!(sha256.len(), 64, "{name}");
            assert!(sha256.bytes().all(|b| b.is_ascii_hexdigit()), "{name}");
            assert!(bits.parse::<u32>().is_ok() && !name.is_empty(), "{sha256}");
        }
        assert_eq!(NAMES.len(), rows().count(), "a hash twice");
    }
}
