//! Key pairs. Slow ones (RSA, DSA) are made once a process and shared.

use std::collections::HashMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};

use rcgen::{KeyPair, PublicKeyData, RsaKeySize, SignatureAlgorithm, SigningKey};

use super::Hash;

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// Ed25519.
    Ed25519,
    /// RSA with so many bits; below 2048 by `openssl`.
    Rsa(u32),
    /// DSA with so many bits, by `openssl`.
    Dsa(u32),
}

/// A key pair.
#[derive(Debug)]
pub struct Key {
    kind: KeyKind,
    private_pem: String,
    spki: Vec<u8>,
    pair: Option<KeyPair>,
}

impl Key {
    /// A new key, or for RSA and DSA the one that this process uses for that purpose.
    pub(super) fn of(kind: KeyKind, purpose: &'static str) -> Arc<Self> {
        type Cache = Mutex<HashMap<(KeyKind, &'static str), Arc<Key>>>;
        static CACHE: OnceLock<Cache> = OnceLock::new();
        match kind {
            KeyKind::P256 => {
                Self::from_pair(kind, KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256))
            }
            KeyKind::P384 => {
                Self::from_pair(kind, KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384))
            }
            KeyKind::P521 => {
                Self::from_pair(kind, KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512))
            }
            KeyKind::Ed25519 => Self::from_pair(kind, KeyPair::generate_for(&rcgen::PKCS_ED25519)),
            KeyKind::Rsa(_) | KeyKind::Dsa(_) => {
                let mut cache = CACHE
                    .get_or_init(Cache::default)
                    .lock()
                    .expect("the key cache");
                let key = cache.entry((kind, purpose)).or_insert_with(|| match kind {
                    KeyKind::Rsa(2048) => Self::rsa(kind, RsaKeySize::_2048),
                    KeyKind::Rsa(3072) => Self::rsa(kind, RsaKeySize::_3072),
                    KeyKind::Rsa(4096) => Self::rsa(kind, RsaKeySize::_4096),
                    _ => Self::from_openssl(kind),
                });
                Arc::clone(key)
            }
        }
    }

    fn rsa(kind: KeyKind, size: RsaKeySize) -> Arc<Self> {
        Self::from_pair(
            kind,
            KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size),
        )
    }

    fn from_pair(kind: KeyKind, pair: Result<KeyPair, rcgen::Error>) -> Arc<Self> {
        let pair = pair.expect("a key");
        Arc::new(Self {
            kind,
            private_pem: pair.serialize_pem(),
            spki: pair.subject_public_key_info(),
            pair: Some(pair),
        })
    }

    fn from_openssl(kind: KeyKind) -> Arc<Self> {
        let private_pem = match kind {
            KeyKind::Rsa(bits) => {
                let bits = format!("rsa_keygen_bits:{bits}");
                openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", &bits], b"")
            }
            KeyKind::Dsa(bits) => {
                let bits = format!("dsa_paramgen_bits:{bits}");
                let parameters = openssl(
                    &[
                        "genpkey",
                        "-genparam",
                        "-algorithm",
                        "DSA",
                        "-pkeyopt",
                        &bits,
                    ],
                    b"",
                );
                let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
                file.write_all(&parameters).expect("a temporary file");
                let path = file.path().display().to_string();
                openssl(&["genpkey", "-paramfile", &path], b"")
            }
            _ => unreachable!("rcgen makes the others"),
        };
        let spki = openssl(&["pkey", "-pubout", "-outform", "DER"], &private_pem);
        let private_pem = String::from_utf8(private_pem).expect("PEM is text");
        Arc::new(Self {
            kind,
            private_pem,
            spki,
            pair: None,
        })
    }

    /// The private key, PKCS #8 PEM.
    pub fn private_pem(&self) -> &str {
        &self.private_pem
    }

    /// Whether rcgen does not know this kind of key, and cannot put it into a certificate.
    pub(super) fn is_foreign(&self) -> bool {
        self.pair.is_none()
    }

    /// The SubjectPublicKeyInfo.
    pub(super) fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Its kind.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// A signature by the `openssl` command: PKCS #1 for RSA.
    pub(super) fn sign_with_openssl(&self, hash: Hash, message: &[u8]) -> Vec<u8> {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(self.private_pem.as_bytes())
            .expect("a temporary file");
        let key = file.path().display().to_string();
        let hash = match hash {
            Hash::Sha256 => "-sha256",
            Hash::Sha1 => "-sha1",
            Hash::Md5 => "-md5",
        };
        openssl(&["dgst", hash, "-sign", &key], message)
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        self.pair
            .as_ref()
            .map_or(&self.spki, |pair| pair.der_bytes())
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.pair
            .as_ref()
            .map_or(&rcgen::PKCS_RSA_SHA256, |pair| pair.algorithm())
    }
}

impl SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        match &self.pair {
            Some(pair) => pair.sign(message),
            None => Ok(self.sign_with_openssl(Hash::Sha256, message)),
        }
    }
}

fn openssl(args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl is installed");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(input)
        .expect("openssl reads");
    let output = child.wait_with_output().expect("openssl ends");
    assert!(
        output.status.success(),
        "openssl {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}
