//! What a cipher suite is made of, read from its name.
//!
//! The names are regular (RFC 5246, appendix C): key exchange and authentication, `WITH`, cipher,
//! MAC; since RFC 8446 the cipher and a hash alone. Facts only: whether a suite is acceptable is
//! decided elsewhere.

/// How the two sides come to a shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyExchange {
    /// TLS 1.3: negotiated apart from the suite.
    Any,
    /// The client encrypts to the certificate's key.
    Rsa,
    /// Finite field Diffie-Hellman with the certificate's own, static key.
    Dh,
    /// Finite field Diffie-Hellman with ephemeral keys, signed.
    Dhe,
    /// Ephemeral finite field Diffie-Hellman, signed by nobody.
    DhAnon,
    /// Elliptic curve Diffie-Hellman with the certificate's own, static key.
    Ecdh,
    /// Elliptic curve Diffie-Hellman with ephemeral keys, signed.
    Ecdhe,
    /// Ephemeral elliptic curve Diffie-Hellman, signed by nobody.
    EcdhAnon,
    /// A pre-shared key alone (RFC 4279).
    Psk,
    /// A pre-shared key and ephemeral finite field Diffie-Hellman.
    DhePsk,
    /// A pre-shared key and ephemeral elliptic curve Diffie-Hellman (RFC 5489).
    EcdhePsk,
    /// A pre-shared key and a secret encrypted to the certificate's key.
    RsaPsk,
    /// A Kerberos ticket (RFC 2712).
    Krb5,
    /// Secure Remote Password (RFC 5054).
    Srp,
    /// A password, with the Dragonfly exchange over an elliptic curve (RFC 8492).
    Eccpwd,
    /// VKO with the certificate's own, static key (RFC 9189).
    Gost,
    /// The hybrid BoringSSL tried in 2016: X25519 and New Hope.
    Cecpq1,
    /// None: TLS_NULL_WITH_NULL_NULL, the state before the first handshake.
    Null,
}

/// How the server proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Authentication {
    /// TLS 1.3: negotiated apart from the suite.
    Any,
    /// A certificate with an RSA key; with static Diffie-Hellman one signed with RSA.
    Rsa,
    /// A certificate with a DSA key; with static Diffie-Hellman one signed with DSA.
    Dss,
    /// A certificate with an elliptic curve key.
    Ecdsa,
    /// Not at all.
    Anonymous,
    /// By knowing the pre-shared key; no certificate.
    Psk,
    /// By its Kerberos key; no certificate.
    Krb5,
    /// By knowing the verifier of the password; no certificate.
    Password,
    /// A certificate with a GOST R 34.10 key.
    Gost,
    /// None: TLS_NULL_WITH_NULL_NULL.
    Null,
}

/// How records are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CipherMode {
    /// Encryption and authentication in one.
    Aead,
    /// A block cipher in CBC mode, with a MAC.
    Cbc,
    /// A stream cipher (or a counter mode used as one), with a MAC.
    Stream,
    /// No encryption.
    Null,
}

/// The MAC of records, where the cipher has none of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mac {
    /// HMAC-MD5 (in SSLv3 its forerunner).
    Md5,
    /// HMAC-SHA1 (in SSLv3 its forerunner). `SHA` in the names.
    Sha1,
    /// HMAC-SHA256.
    Sha256,
    /// HMAC-SHA384.
    Sha384,
    /// GOST 28147-89 in MAC mode.
    Imit,
    /// OMAC of the suite's block cipher (RFC 9189).
    Omac,
    /// HMAC with GOST R 34.11.
    Gostr3411,
}

/// What a cipher suite is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SuiteTraits {
    /// How the two sides come to a shared secret.
    pub key_exchange: KeyExchange,
    /// How the server proves who it is.
    pub authentication: Authentication,
    /// The cipher, as the name has it: `AES_128_GCM`, `3DES_EDE_CBC`, `NULL`.
    pub encryption: &'static str,
    /// How records are protected.
    pub mode: CipherMode,
    /// The MAC of records; `None` with an AEAD, whose hash is that of the key schedule only.
    pub mac: Option<Mac>,
    /// Weakened on purpose for the export rules of the 1990s: 40 or 56 bit keys.
    pub export: bool,
}

impl SuiteTraits {
    /// Reads a suite's name; `None` where it is not formed as suites' names are.
    pub(super) fn from_name(name: &'static str) -> Option<Self> {
        let name = name
            .strip_prefix("TLS_")
            .or_else(|| name.strip_prefix("SSL_"))?;
        let name = name.strip_suffix("_OLD").unwrap_or(name);
        let Some((exchange, cipher)) = name.split_once("_WITH_") else {
            return Self::tls13(name);
        };
        // RFC 9367: named as before, but suites of TLS 1.3.
        if cipher.contains("_MGM_") {
            return Some(Self::any(cipher, CipherMode::Aead, None));
        }
        let exported = exchange
            .strip_suffix("_EXPORT")
            .or_else(|| exchange.strip_suffix("_EXPORT1024"));
        let (key_exchange, authentication) = exchange_of(exported.unwrap_or(exchange))?;
        let (encryption, mode, mac) = cipher_of(cipher)?;
        Some(Self {
            key_exchange,
            authentication,
            encryption,
            mode,
            mac,
            export: exported.is_some(),
        })
    }

    /// Whether the traffic stays secret when the server's long-lived key becomes known. In TLS 1.3
    /// this holds but for resumption by key alone (`psk_ke`), which is not the suite's doing.
    /// GOST's exchange uses the certificate's key and has none.
    pub const fn forward_secrecy(self) -> bool {
        use KeyExchange as K;
        matches!(
            self.key_exchange,
            K::Any
                | K::Dhe
                | K::DhAnon
                | K::Ecdhe
                | K::EcdhAnon
                | K::DhePsk
                | K::EcdhePsk
                | K::Srp
                | K::Eccpwd
                | K::Cecpq1
        )
    }

    /// Whether nobody proves who they are.
    pub const fn anonymous(self) -> bool {
        use Authentication as A;
        matches!(self.authentication, A::Anonymous | A::Null)
    }

    /// Whether the server sends a certificate; in TLS 1.3 it does unless a pre-shared key is used.
    pub const fn certificate(self) -> bool {
        use Authentication as A;
        matches!(
            self.authentication,
            A::Any | A::Rsa | A::Dss | A::Ecdsa | A::Gost
        )
    }

    /// Whether records are not encrypted.
    pub const fn null_encryption(self) -> bool {
        matches!(self.mode, CipherMode::Null)
    }

    /// Whether the cipher is RC4, prohibited by RFC 7465.
    pub fn rc4(self) -> bool {
        self.encryption.starts_with("RC4_")
    }

    /// Whether the cipher is Triple DES.
    pub fn triple_des(self) -> bool {
        self.encryption.starts_with("3DES_")
    }

    /// Whether records are CBC with HMAC-SHA1.
    pub const fn cbc_sha1(self) -> bool {
        matches!(self.mode, CipherMode::Cbc) && matches!(self.mac, Some(Mac::Sha1))
    }

    /// Whether the server picks an elliptic curve of `supported_groups` for its ServerKeyExchange
    /// (RFC 8422). Not for TLS 1.3, where the group is negotiated apart from the suite.
    pub const fn uses_named_group(self) -> bool {
        use KeyExchange as K;
        matches!(self.key_exchange, K::Ecdhe | K::EcdhAnon | K::EcdhePsk)
    }

    /// Whether the server sends finite field parameters, which RFC 7919 lets the client name. Not
    /// for TLS 1.3, where the group is negotiated apart from the suite.
    pub const fn uses_ffdhe(self) -> bool {
        use KeyExchange as K;
        matches!(self.key_exchange, K::Dhe | K::DhAnon | K::DhePsk)
    }

    /// Whether the suite needs a pre-shared key.
    pub const fn psk(self) -> bool {
        use KeyExchange as K;
        matches!(
            self.key_exchange,
            K::Psk | K::DhePsk | K::EcdhePsk | K::RsaPsk
        )
    }

    /// Cipher and hash: a suite of TLS 1.3. With a hash in the cipher's place it protects
    /// integrity only (RFC 9150).
    fn tls13(name: &'static str) -> Option<Self> {
        let (cipher, hash) = name.rsplit_once('_')?;
        if cipher == hash {
            return Some(Self::any("NULL", CipherMode::Null, Some(mac_of(hash)?)));
        }
        Some(Self::any(cipher, CipherMode::Aead, None))
    }

    const fn any(encryption: &'static str, mode: CipherMode, mac: Option<Mac>) -> Self {
        Self {
            key_exchange: KeyExchange::Any,
            authentication: Authentication::Any,
            encryption,
            mode,
            mac,
            export: false,
        }
    }
}

fn exchange_of(text: &str) -> Option<(KeyExchange, Authentication)> {
    use Authentication as A;
    use KeyExchange as K;
    Some(match text {
        "NULL" => (K::Null, A::Null),
        "RSA" | "RSA_FIPS" | "RSA_OLDFIPS" => (K::Rsa, A::Rsa),
        "DH_DSS" => (K::Dh, A::Dss),
        "DH_RSA" => (K::Dh, A::Rsa),
        "DHE_DSS" => (K::Dhe, A::Dss),
        "DHE_RSA" => (K::Dhe, A::Rsa),
        "DH_anon" => (K::DhAnon, A::Anonymous),
        "ECDH_ECDSA" => (K::Ecdh, A::Ecdsa),
        "ECDH_RSA" => (K::Ecdh, A::Rsa),
        "ECDHE_ECDSA" => (K::Ecdhe, A::Ecdsa),
        "ECDHE_RSA" => (K::Ecdhe, A::Rsa),
        "ECDH_anon" => (K::EcdhAnon, A::Anonymous),
        "PSK" => (K::Psk, A::Psk),
        // RFC 6655 alone writes PSK_DHE.
        "DHE_PSK" | "PSK_DHE" => (K::DhePsk, A::Psk),
        "ECDHE_PSK" => (K::EcdhePsk, A::Psk),
        "RSA_PSK" => (K::RsaPsk, A::Rsa),
        "KRB5" => (K::Krb5, A::Krb5),
        "SRP_SHA" => (K::Srp, A::Password),
        "SRP_SHA_RSA" => (K::Srp, A::Rsa),
        "SRP_SHA_DSS" => (K::Srp, A::Dss),
        "ECCPWD" => (K::Eccpwd, A::Password),
        "GOSTR341094" | "GOSTR341001" | "GOSTR341112_256" => (K::Gost, A::Gost),
        "CECPQ1_RSA" => (K::Cecpq1, A::Rsa),
        "CECPQ1_ECDSA" => (K::Cecpq1, A::Ecdsa),
        _ => return None,
    })
}

fn cipher_of(text: &'static str) -> Option<(&'static str, CipherMode, Option<Mac>)> {
    if ["_GCM", "_CCM", "_POLY1305"]
        .iter()
        .any(|aead| text.contains(aead))
    {
        // The hash is that of the PRF; CCM has none in its name.
        let cipher = text
            .strip_suffix("_SHA256")
            .or_else(|| text.strip_suffix("_SHA384"));
        return Some((cipher.unwrap_or(text), CipherMode::Aead, None));
    }
    let (cipher, mac) = text.rsplit_once('_')?;
    if cipher == "NULL" {
        let mac = match mac {
            "NULL" => None,
            mac => Some(mac_of(mac)?),
        };
        return Some((cipher, CipherMode::Null, mac));
    }
    // Also in the middle: DES_CBC_40.
    let mode = if cipher.contains("_CBC") {
        CipherMode::Cbc
    } else {
        CipherMode::Stream
    };
    Some((cipher, mode, Some(mac_of(mac)?)))
}

fn mac_of(text: &str) -> Option<Mac> {
    Some(match text {
        "MD5" => Mac::Md5,
        "SHA" => Mac::Sha1,
        "SHA256" => Mac::Sha256,
        "SHA384" => Mac::Sha384,
        "IMIT" => Mac::Imit,
        "OMAC" => Mac::Omac,
        "GOSTR3411" => Mac::Gostr3411,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::registry::Suite;

    fn traits(name: &'static str) -> SuiteTraits {
        let suite = Suite::parse(name).unwrap_or_else(|| panic!("no suite {name}"));
        suite.traits().unwrap_or_else(|| panic!("no traits {name}"))
    }

    #[test]
    fn reads_an_aead_suite() {
        let found = traits("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        let expected = SuiteTraits {
            key_exchange: KeyExchange::Ecdhe,
            authentication: Authentication::Rsa,
            encryption: "AES_128_GCM",
            mode: CipherMode::Aead,
            mac: None,
            export: false,
        };
        assert_eq!(found, expected);
        assert!(found.forward_secrecy() && found.uses_named_group() && found.certificate());
        assert!(!found.uses_ffdhe() && !found.psk() && !found.anonymous());
    }

    #[test]
    fn reads_the_cipher_and_its_mac() {
        use CipherMode::{Aead, Cbc, Null, Stream};
        let cases: &[(&'static str, &str, CipherMode, Option<Mac>)] = &[
            (
                "TLS_RSA_WITH_AES_256_CBC_SHA",
                "AES_256_CBC",
                Cbc,
                Some(Mac::Sha1),
            ),
            (
                "TLS_RSA_WITH_AES_256_CBC_SHA256",
                "AES_256_CBC",
                Cbc,
                Some(Mac::Sha256),
            ),
            (
                "TLS_PSK_WITH_AES_256_CBC_SHA384",
                "AES_256_CBC",
                Cbc,
                Some(Mac::Sha384),
            ),
            (
                "TLS_KRB5_WITH_3DES_EDE_CBC_MD5",
                "3DES_EDE_CBC",
                Cbc,
                Some(Mac::Md5),
            ),
            (
                "TLS_KRB5_EXPORT_WITH_DES_CBC_40_SHA",
                "DES_CBC_40",
                Cbc,
                Some(Mac::Sha1),
            ),
            (
                "TLS_RSA_WITH_RC4_128_MD5",
                "RC4_128",
                Stream,
                Some(Mac::Md5),
            ),
            ("TLS_RSA_WITH_NULL_SHA256", "NULL", Null, Some(Mac::Sha256)),
            ("TLS_NULL_WITH_NULL_NULL", "NULL", Null, None),
            ("TLS_PSK_WITH_AES_128_CCM_8", "AES_128_CCM_8", Aead, None),
            ("TLS_RSA_WITH_AES_256_CCM", "AES_256_CCM", Aead, None),
            (
                "TLS_ECCPWD_WITH_AES_256_CCM_SHA384",
                "AES_256_CCM",
                Aead,
                None,
            ),
            (
                "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256",
                "CHACHA20_POLY1305",
                Aead,
                None,
            ),
            ("0xCC13", "CHACHA20_POLY1305", Aead, None),
            ("0xC102", "28147_CNT", Stream, Some(Mac::Imit)),
            ("0xC100", "KUZNYECHIK_CTR", Stream, Some(Mac::Omac)),
            ("0x0083", "NULL", Null, Some(Mac::Gostr3411)),
            ("TLS_SHA256_SHA256", "NULL", Null, Some(Mac::Sha256)),
            ("TLS_AES_128_CCM_8_SHA256", "AES_128_CCM_8", Aead, None),
            ("TLS_SM4_GCM_SM3", "SM4_GCM", Aead, None),
            ("0xC103", "KUZNYECHIK_MGM_L", Aead, None),
        ];
        for (name, encryption, mode, mac) in cases {
            let found = traits(name);
            assert_eq!(found.encryption, *encryption, "{name}");
            assert_eq!(found.mode, *mode, "{name}");
            assert_eq!(found.mac, *mac, "{name}");
        }
    }

    #[test]
    fn static_keys_have_no_forward_secrecy() {
        for name in [
            "TLS_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_DH_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_PSK_WITH_AES_128_GCM_SHA256",
            "TLS_RSA_PSK_WITH_AES_128_GCM_SHA256",
            "TLS_KRB5_WITH_RC4_128_SHA",
            "TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC",
            "TLS_NULL_WITH_NULL_NULL",
        ] {
            assert!(!traits(name).forward_secrecy(), "{name}");
        }
        for name in [
            "TLS_AES_128_GCM_SHA256",
            "TLS_DHE_DSS_WITH_DES_CBC_SHA",
            "TLS_ECDHE_PSK_WITH_NULL_SHA",
            "TLS_DH_anon_WITH_RC4_128_MD5",
            "TLS_PSK_DHE_WITH_AES_128_CCM_8",
            "TLS_SRP_SHA_WITH_AES_128_CBC_SHA",
        ] {
            assert!(traits(name).forward_secrecy(), "{name}");
        }
    }

    #[test]
    fn tls13_suites_leave_key_exchange_and_authentication_open() {
        for suite in Suite::tls13() {
            let found = suite.traits().unwrap();
            assert_eq!(found.key_exchange, KeyExchange::Any, "{suite}");
            assert_eq!(found.authentication, Authentication::Any, "{suite}");
            assert!(!found.uses_named_group() && !found.uses_ffdhe(), "{suite}");
        }
    }

    #[test]
    fn names_the_server_without_a_certificate() {
        for (name, anonymous, psk) in [
            ("TLS_DH_anon_WITH_AES_128_CBC_SHA", true, false),
            ("TLS_ECDH_anon_WITH_NULL_SHA", true, false),
            ("TLS_PSK_WITH_NULL_SHA", false, true),
            ("TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA", false, true),
            ("TLS_SRP_SHA_WITH_AES_128_CBC_SHA", false, false),
            ("TLS_ECCPWD_WITH_AES_128_GCM_SHA256", false, false),
            ("TLS_KRB5_WITH_DES_CBC_SHA", false, false),
        ] {
            let found = traits(name);
            assert!(!found.certificate(), "{name}");
            assert_eq!((found.anonymous(), found.psk()), (anonymous, psk), "{name}");
        }
        let rsa_psk = traits("TLS_RSA_PSK_WITH_AES_128_CBC_SHA");
        assert!(rsa_psk.certificate() && rsa_psk.psk());
        assert!(traits("TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA").certificate());
    }

    #[test]
    fn knows_what_is_broken() {
        let of = |test: fn(SuiteTraits) -> bool| {
            let all = Suite::all().iter().filter_map(|suite| suite.traits());
            all.filter(|traits| test(*traits)).count()
        };
        assert_eq!(of(|traits| traits.export), 21);
        assert_eq!(of(SuiteTraits::rc4), 22);
        assert_eq!(of(SuiteTraits::triple_des), 22);
        assert!(traits("TLS_RSA_EXPORT1024_WITH_RC4_56_MD5").export);
        assert!(!traits("0x0066").export);
        assert!(traits("TLS_RSA_WITH_AES_128_CBC_SHA").cbc_sha1());
        assert!(!traits("TLS_RSA_WITH_AES_128_CBC_SHA256").cbc_sha1());
        assert!(!traits("TLS_RSA_WITH_RC4_128_SHA").cbc_sha1());
        assert!(traits("TLS_RSA_WITH_NULL_MD5").null_encryption());
    }

    #[test]
    fn refuses_names_of_another_form() {
        for name in [
            "AES128-SHA",
            "TLS_",
            "TLS_RSA",
            "TLS_XXX_WITH_AES_128_CBC_SHA",
            "TLS_RSA_WITH_AES_128_CBC_XXX",
            "TLS_RSA_WITH_AES",
        ] {
            assert_eq!(SuiteTraits::from_name(name), None, "{name}");
        }
    }
}
