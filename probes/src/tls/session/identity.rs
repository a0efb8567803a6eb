//! The certificate and key that are presented to a server that asks for a client certificate.

use std::fmt;
use std::sync::Arc;

use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::untrusted::Untrusted;
use crate::x509::CertificateFacts;

/// A client certificate, with its chain and its private key. Nothing of the key is ever shown.
#[derive(Clone)]
pub struct ClientIdentity(Arc<CertifiedKey>);

/// Why files hold no client certificate that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The first file has no certificate.
    #[error("there is no certificate in it; PEM text begins with `-----BEGIN CERTIFICATE-----`")]
    NoCertificate,
    /// Its PEM text, or a certificate in it, cannot be read.
    #[error("certificate {number} in it cannot be read: {why}")]
    Certificate {
        /// Counted from 1.
        number: usize,
        /// What the parser said.
        why: Untrusted,
    },
    /// The second file has no private key.
    #[error("there is no private key in it; PEM text begins with `-----BEGIN PRIVATE KEY-----`")]
    NoKey,
    /// The private key is encrypted.
    #[error(
        "the private key in it is encrypted; write it without a passphrase to a file that only you \
         can read (openssl pkey -in FILE -out PLAIN)"
    )]
    EncryptedKey,
    /// The private key is of a kind, or a size, that cannot be used.
    #[error(
        "the private key in it cannot be used: RSA with 2048 to 8192 bits, P-256, P-384, P-521 and \
         Ed25519 can"
    )]
    Key,
    /// Key and certificate do not belong together.
    #[error("the private key in it is not the certificate's: they do not belong together")]
    Mismatch,
}

impl IdentityError {
    /// Whether it is about the file of the key.
    pub fn is_about_key(&self) -> bool {
        !matches!(self, Self::NoCertificate | Self::Certificate { .. })
    }
}

impl ClientIdentity {
    /// Reads the certificate with its chain, and its key: two PEM files, or the same one twice.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        let mut chain = Vec::new();
        for (index, der) in CertificateDer::pem_slice_iter(certificates).enumerate() {
            let unreadable = |why: String| IdentityError::Certificate {
                number: index + 1,
                why: why.into(),
            };
            let der = der.map_err(|error| unreadable(error.to_string()))?;
            if let Some(error) = CertificateFacts::read(&der).error {
                return Err(unreadable(error));
            }
            chain.push(der);
        }
        if chain.is_empty() {
            return Err(IdentityError::NoCertificate);
        }
        // The parser passes over what it has no name for, so that has to be looked for first.
        let Ok(der) = PrivateKeyDer::from_pem_slice(key) else {
            return Err(if is_encrypted(key) {
                IdentityError::EncryptedKey
            } else {
                IdentityError::NoKey
            });
        };
        // What the library says of a key is not repeated: it is about key material.
        let key = super::provider()
            .key_provider
            .load_private_key(der)
            .map_err(|_| {
                if is_encrypted(key) {
                    IdentityError::EncryptedKey
                } else {
                    IdentityError::Key
                }
            })?;
        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
                Err(IdentityError::Mismatch)
            }
            _ => Ok(Self(Arc::new(certified))),
        }
    }

    /// The chain that is presented, the client's own certificate first, in DER.
    pub(crate) fn chain(&self) -> impl Iterator<Item = &[u8]> {
        self.0.cert.iter().map(|der| &**der)
    }

    /// It, where its key can sign with one of these schemes.
    pub(super) fn for_schemes(&self, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let fits = self.0.key.choose_scheme(schemes).is_some();
        fits.then(|| Arc::clone(&self.0))
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientIdentity({} certificates)", self.0.cert.len())
    }
}

/// Whether PEM text says that its key is encrypted (RFC 7468 §11, or RFC 1421 as OpenSSL wrote it).
fn is_encrypted(pem: &[u8]) -> bool {
    let text = String::from_utf8_lossy(pem);
    text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || text.contains("Proc-Type: 4,ENCRYPTED")
}
