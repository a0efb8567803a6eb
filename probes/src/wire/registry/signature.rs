//! Signature schemes: the code points of TLS 1.3, and the hash and signature pairs of TLS 1.2
//! that share the space.

use std::fmt;
use std::sync::LazyLock;

use super::table::{Row, Table};
use super::{hex16, is_grease, parse_hex16};

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::parse(include_str!("../../../data/iana/signature-schemes.csv")));

/// A value of `signature_algorithms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureScheme(pub u16);

macro_rules! schemes {
    ($($name:ident = $value:literal, $wire:literal;)*) => {
        impl SignatureScheme {
            $(
                #[doc = concat!("`", $wire, "`, ", stringify!($value), ".")]
                pub const $name: Self = Self($value);
            )*
        }

        #[cfg(test)]
        const NAMED: &[(&str, SignatureScheme)] = &[$(($wire, SignatureScheme::$name)),*];
    };
}

schemes! {
    RSA_MD5 = 0x0101, "md5/rsa";
    RSA_PKCS1_SHA1 = 0x0201, "rsa_pkcs1_sha1";
    DSA_SHA1 = 0x0202, "sha1/dsa";
    ECDSA_SHA1 = 0x0203, "ecdsa_sha1";
    RSA_SHA224 = 0x0301, "sha224/rsa";
    DSA_SHA224 = 0x0302, "sha224/dsa";
    ECDSA_SHA224 = 0x0303, "sha224/ecdsa";
    RSA_PKCS1_SHA256 = 0x0401, "rsa_pkcs1_sha256";
    DSA_SHA256 = 0x0402, "sha256/dsa";
    ECDSA_SECP256R1_SHA256 = 0x0403, "ecdsa_secp256r1_sha256";
    RSA_PKCS1_SHA384 = 0x0501, "rsa_pkcs1_sha384";
    DSA_SHA384 = 0x0502, "sha384/dsa";
    ECDSA_SECP384R1_SHA384 = 0x0503, "ecdsa_secp384r1_sha384";
    RSA_PKCS1_SHA512 = 0x0601, "rsa_pkcs1_sha512";
    DSA_SHA512 = 0x0602, "sha512/dsa";
    ECDSA_SECP521R1_SHA512 = 0x0603, "ecdsa_secp521r1_sha512";
    SM2SIG_SM3 = 0x0708, "sm2sig_sm3";
    GOSTR34102012_256A = 0x0709, "gostr34102012_256a";
    GOSTR34102012_256B = 0x070A, "gostr34102012_256b";
    GOSTR34102012_256C = 0x070B, "gostr34102012_256c";
    GOSTR34102012_256D = 0x070C, "gostr34102012_256d";
    GOSTR34102012_512A = 0x070D, "gostr34102012_512a";
    GOSTR34102012_512B = 0x070E, "gostr34102012_512b";
    GOSTR34102012_512C = 0x070F, "gostr34102012_512c";
    RSA_PSS_RSAE_SHA256 = 0x0804, "rsa_pss_rsae_sha256";
    RSA_PSS_RSAE_SHA384 = 0x0805, "rsa_pss_rsae_sha384";
    RSA_PSS_RSAE_SHA512 = 0x0806, "rsa_pss_rsae_sha512";
    ED25519 = 0x0807, "ed25519";
    ED448 = 0x0808, "ed448";
    RSA_PSS_PSS_SHA256 = 0x0809, "rsa_pss_pss_sha256";
    RSA_PSS_PSS_SHA384 = 0x080A, "rsa_pss_pss_sha384";
    RSA_PSS_PSS_SHA512 = 0x080B, "rsa_pss_pss_sha512";
    ECDSA_BRAINPOOLP256R1_SHA256 = 0x081A, "ecdsa_brainpoolP256r1tls13_sha256";
    ECDSA_BRAINPOOLP384R1_SHA384 = 0x081B, "ecdsa_brainpoolP384r1tls13_sha384";
    ECDSA_BRAINPOOLP512R1_SHA512 = 0x081C, "ecdsa_brainpoolP512r1tls13_sha512";
    MLDSA44 = 0x0904, "mldsa44";
    MLDSA65 = 0x0905, "mldsa65";
    MLDSA87 = 0x0906, "mldsa87";
}

impl SignatureScheme {
    /// The registered name (`rsa_pkcs1_sha1`, also for the pair of TLS 1.2), or hash and
    /// signature of a pair the registry only reserves (`sha1/dsa`).
    pub fn name(self) -> Option<&'static str> {
        TABLE.name(u32::from(self.0))
    }

    /// The number on the wire: `0x0804`.
    pub fn id(self) -> String {
        hex16(self.0)
    }

    /// Reads a name or a number. Names in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let value = match parse_hex16(text) {
            Some(value) => value,
            None => u16::try_from(TABLE.find(text)?).ok()?,
        };
        Some(Self(value))
    }

    /// Every scheme and pair that has a name, ascending; what to offer is [`all`](Self::all).
    pub fn known() -> &'static [Self] {
        static KNOWN: LazyLock<Vec<SignatureScheme>> = LazyLock::new(|| {
            let values = TABLE.rows().iter().filter_map(Row::value16);
            values.map(SignatureScheme).collect()
        });
        &KNOWN
    }

    /// What a TLS 1.2 hello offers to reach any certificate in use, best first.
    pub const fn all() -> &'static [Self] {
        TLS12
    }

    /// What a TLS 1.3 hello offers, best first. PKCS #1 and SHA-1 stand last and can only be in
    /// the chain's certificates (RFC 8446, section 4.2.3).
    pub const fn tls13() -> &'static [Self] {
        TLS13
    }

    /// Whether the signature is over SHA-1 or MD5.
    pub const fn weak_hash(self) -> bool {
        matches!(self.0 >> 8, 0x01 | 0x02)
    }

    /// RFC 8701: a value without meaning.
    pub const fn is_grease(self) -> bool {
        is_grease(self.0)
    }
}

/// The name, or the number.
impl fmt::Display for SignatureScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&self.id()),
        }
    }
}

const TLS12: &[SignatureScheme] = &[
    SignatureScheme::ECDSA_SECP256R1_SHA256,
    SignatureScheme::RSA_PSS_RSAE_SHA256,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::ECDSA_SECP384R1_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA384,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::ECDSA_SECP521R1_SHA512,
    SignatureScheme::RSA_PSS_RSAE_SHA512,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::ED25519,
    SignatureScheme::ED448,
    SignatureScheme::RSA_PSS_PSS_SHA256,
    SignatureScheme::RSA_PSS_PSS_SHA384,
    SignatureScheme::RSA_PSS_PSS_SHA512,
    SignatureScheme::ECDSA_SHA224,
    SignatureScheme::RSA_SHA224,
    SignatureScheme::DSA_SHA512,
    SignatureScheme::DSA_SHA256,
    SignatureScheme::DSA_SHA224,
    SignatureScheme::ECDSA_SHA1,
    SignatureScheme::RSA_PKCS1_SHA1,
    SignatureScheme::DSA_SHA1,
];

const TLS13: &[SignatureScheme] = &[
    SignatureScheme::ECDSA_SECP256R1_SHA256,
    SignatureScheme::RSA_PSS_RSAE_SHA256,
    SignatureScheme::ECDSA_SECP384R1_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA384,
    SignatureScheme::ECDSA_SECP521R1_SHA512,
    SignatureScheme::RSA_PSS_RSAE_SHA512,
    SignatureScheme::ED25519,
    SignatureScheme::ED448,
    SignatureScheme::RSA_PSS_PSS_SHA256,
    SignatureScheme::RSA_PSS_PSS_SHA384,
    SignatureScheme::RSA_PSS_PSS_SHA512,
    SignatureScheme::ECDSA_BRAINPOOLP256R1_SHA256,
    SignatureScheme::ECDSA_BRAINPOOLP384R1_SHA384,
    SignatureScheme::ECDSA_BRAINPOOLP512R1_SHA512,
    SignatureScheme::MLDSA44,
    SignatureScheme::MLDSA65,
    SignatureScheme::MLDSA87,
    SignatureScheme::SM2SIG_SM3,
    SignatureScheme::GOSTR34102012_256A,
    SignatureScheme::GOSTR34102012_256B,
    SignatureScheme::GOSTR34102012_256C,
    SignatureScheme::GOSTR34102012_256D,
    SignatureScheme::GOSTR34102012_512A,
    SignatureScheme::GOSTR34102012_512B,
    SignatureScheme::GOSTR34102012_512C,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::ECDSA_SHA1,
    SignatureScheme::RSA_PKCS1_SHA1,
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::wire::registry::table::assert_sound;

    #[test]
    fn every_line_parses() {
        assert_sound(&TABLE, 74);
        assert_eq!(SignatureScheme::known().len(), 74);
        let grease = SignatureScheme::known().iter().find(|s| s.is_grease());
        assert_eq!(grease, None);
    }

    #[test]
    fn constants_bear_the_names_of_the_table() {
        for (name, scheme) in NAMED {
            assert_eq!(scheme.name(), Some(*name));
        }
    }

    #[test]
    fn lists_name_each_scheme_once() {
        assert!(SignatureScheme::all().len() <= 22);
        for list in [SignatureScheme::all(), SignatureScheme::tls13()] {
            let unique: HashSet<_> = list.iter().collect();
            assert_eq!(unique.len(), list.len());
            assert!(list.iter().all(|scheme| scheme.name().is_some()));
        }
    }

    #[test]
    fn sha1_stands_behind_everything_else() {
        for list in [SignatureScheme::all(), SignatureScheme::tls13()] {
            assert!(list.is_sorted_by_key(|scheme| scheme.weak_hash()));
        }
    }

    #[test]
    fn pairs_of_tls12_have_the_registered_name_or_their_parts() {
        assert_eq!(SignatureScheme(0x0201).to_string(), "rsa_pkcs1_sha1");
        assert_eq!(SignatureScheme(0x0202).to_string(), "sha1/dsa");
        assert_eq!(SignatureScheme(0x0101).to_string(), "md5/rsa");
        assert_eq!(SignatureScheme(0x0303).to_string(), "sha224/ecdsa");
        assert_eq!(SignatureScheme(0x0904).to_string(), "mldsa44");
        assert_eq!(SignatureScheme(0x0A0B).to_string(), "0x0A0B");
    }

    #[test]
    fn names_and_numbers_round_trip() {
        for scheme in SignatureScheme::known().iter().copied() {
            assert_eq!(SignatureScheme::parse(&scheme.to_string()), Some(scheme));
            assert_eq!(SignatureScheme::parse(&scheme.id()), Some(scheme));
        }
        assert_eq!(SignatureScheme::parse("rsa"), None);
    }
}
