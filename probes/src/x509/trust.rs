//! The roots that chains are held against.

use std::fmt;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, TrustAnchor};

use crate::untrusted::Untrusted;

/// A set of trust anchors.
#[derive(Clone)]
pub struct Trust {
    label: String,
    given: bool,
    anchors: Arc<[TrustAnchor<'static>]>,
    certificates: Arc<[Vec<u8>]>,
}

/// Why there are no roots.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The file has no certificate in PEM form.
    #[error("`{}` holds no certificate in PEM form", shown(label))]
    Empty {
        /// Which file.
        label: String,
    },
    /// A certificate in it cannot be read.
    #[error(
        "`{}`: certificate {number} cannot be read: {}",
        shown(label),
        shown(why)
    )]
    Unreadable {
        /// Which file.
        label: String,
        /// Which one, counted from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The system has no roots, or they cannot be read.
    #[error("the system's trust store has no usable roots: {}", shown(why))]
    System {
        /// What was tried.
        why: String,
    },
}

/// A file's name, and what a parser repeats of its content, may hold anything.
fn shown(text: &str) -> Untrusted {
    text.into()
}

impl Trust {
    /// Mozilla's roots, as compiled into this program.
    pub fn mozilla() -> Self {
        Self {
            label: "mozilla".into(),
            given: false,
            anchors: webpki_roots::TLS_SERVER_ROOTS.into(),
            certificates: Arc::new([]),
        }
    }

    /// The system's roots, found as OpenSSL finds them.
    ///
    /// # Errors
    /// [`TrustError::System`].
    pub fn system() -> Result<Self, TrustError> {
        let found = rustls_native_certs::load_native_certs();
        let mut trust = Self::empty("system", false);
        let ders: Vec<_> = found.certs.iter().map(|der| der.to_vec()).collect();
        // A store has odd ones now and then; what can be read is what counts.
        trust.anchors = ders.iter().filter_map(|der| anchor(der).ok()).collect();
        trust.certificates = ders.into();
        if trust.anchors.is_empty() {
            let why = found
                .errors
                .first()
                .map_or_else(|| "none found".into(), ToString::to_string);
            return Err(TrustError::System { why });
        }
        Ok(trust)
    }

    /// The certificates of a PEM file; `label` names it in the report.
    ///
    /// # Errors
    /// [`TrustError::Empty`], [`TrustError::Unreadable`].
    pub fn from_pem(label: &str, pem: &[u8]) -> Result<Self, TrustError> {
        let mut trust = Self::empty(label, true);
        let mut anchors = Vec::new();
        let mut ders = Vec::new();
        for (index, der) in CertificateDer::pem_slice_iter(pem).enumerate() {
            let unreadable = |why: String| TrustError::Unreadable {
                label: label.into(),
                number: index + 1,
                why,
            };
            let der = der.map_err(|error| unreadable(error.to_string()))?;
            anchors.push(anchor(&der).map_err(unreadable)?);
            ders.push(der.to_vec());
        }
        if anchors.is_empty() {
            return Err(TrustError::Empty {
                label: label.into(),
            });
        }
        trust.anchors = anchors.into();
        trust.certificates = ders.into();
        Ok(trust)
    }

    /// Its name in the report: `mozilla`, `system` or the file.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Whether the user named these very roots.
    pub(crate) fn is_given(&self) -> bool {
        self.given
    }

    pub(crate) fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.anchors
    }

    /// Whether this very certificate is one of the roots.
    pub(crate) fn holds(&self, der: &[u8]) -> bool {
        self.certificates.iter().any(|root| root == der)
    }

    fn empty(label: &str, given: bool) -> Self {
        Self {
            label: label.into(),
            given,
            anchors: Arc::new([]),
            certificates: Arc::new([]),
        }
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({}, {} anchors)", self.label, self.anchors.len())
    }
}

fn anchor(der: &[u8]) -> Result<TrustAnchor<'static>, String> {
    webpki::anchor_from_trusted_cert(&CertificateDer::from(der))
        .map(|anchor| anchor.to_owned())
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_cannot_speak_through_an_error() {
        let pem = b"-----BEGIN CERTIFICATE-----\n\x1b[2J\n-----END CERTIFICATE-----\n";
        for content in [&b""[..], pem] {
            let told = Trust::from_pem("a\u{1b}[2J\u{9b}b", content)
                .unwrap_err()
                .to_string();
            assert!(told.chars().all(|c| !c.is_control()), "{told:?}");
        }
    }
}
