//! The suites that this client can finish a handshake with: ECDHE, and an AEAD.

use aws_lc_rs::aead::{self, AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305};
use aws_lc_rs::digest::{self, SHA256, SHA384};
use aws_lc_rs::tls_prf::{self, P_SHA256, P_SHA384};

use crate::wire::registry::Suite;

/// What a suite is made of.
#[derive(Debug)]
pub(crate) struct SuiteParts {
    /// The suite.
    pub(crate) suite: Suite,
    /// What protects records.
    pub(super) aead: &'static aead::Algorithm,
    /// The pseudorandom function.
    pub(super) prf: &'static tls_prf::Algorithm,
    /// The hash of the handshake.
    pub(super) hash: &'static digest::Algorithm,
    /// Bytes of the nonce that come from the key block.
    pub(super) fixed_iv: usize,
    /// Bytes of the nonce that each record carries; none where its number makes the nonce (RFC 7905 §2).
    pub(super) explicit_nonce: usize,
}

/// The suites, most preferred first.
pub(crate) static SUITES: [SuiteParts; 6] = [
    gcm_128(0xC02B),
    gcm_128(0xC02F),
    gcm_256(0xC02C),
    gcm_256(0xC030),
    chacha(0xCCA9),
    chacha(0xCCA8),
];

/// The parts of a suite, if it is one of them.
pub(super) fn parts(suite: Suite) -> Option<&'static SuiteParts> {
    SUITES.iter().find(|parts| parts.suite == suite)
}

/// RFC 5289.
const fn gcm_128(suite: u16) -> SuiteParts {
    SuiteParts {
        suite: Suite(suite),
        aead: &AES_128_GCM,
        prf: &P_SHA256,
        hash: &SHA256,
        fixed_iv: 4,
        explicit_nonce: 8,
    }
}

/// RFC 5289.
const fn gcm_256(suite: u16) -> SuiteParts {
    SuiteParts {
        suite: Suite(suite),
        aead: &AES_256_GCM,
        prf: &P_SHA384,
        hash: &SHA384,
        fixed_iv: 4,
        explicit_nonce: 8,
    }
}

/// RFC 7905.
const fn chacha(suite: u16) -> SuiteParts {
    SuiteParts {
        suite: Suite(suite),
        aead: &CHACHA20_POLY1305,
        prf: &P_SHA256,
        hash: &SHA256,
        fixed_iv: 12,
        explicit_nonce: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_what_its_name_says() {
        for parts in &SUITES {
            let traits = parts.suite.traits().unwrap();
            assert!(traits.uses_named_group() && traits.forward_secrecy());
            let name = parts.suite.name().unwrap();
            let (cipher, key) = match parts.aead.key_len() {
                16 => ("AES_128_GCM_SHA256", 16),
                32 if parts.fixed_iv == 4 => ("AES_256_GCM_SHA384", 32),
                _ => ("CHACHA20_POLY1305_SHA256", 32),
            };
            assert!(name.ends_with(cipher), "{name}");
            assert_eq!(parts.aead.key_len(), key, "{name}");
            assert_eq!(parts.fixed_iv + parts.explicit_nonce, 12, "{name}");
            let hash = if cipher.ends_with("384") { 48 } else { 32 };
            assert_eq!(parts.hash.output_len(), hash, "{name}");
        }
    }
}
