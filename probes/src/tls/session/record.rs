//! Accepts every certificate and remembers what was sent; only its key has to be the server's.

use std::sync::{Arc, Mutex};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::lock::lock;
use crate::x509::CertificateFacts;

/// What is wrong where the signature of a handshake is.
const KEY_MISMATCH: &str = "the server signs with a key that is not the certificate's: key and certificate do not belong together";

/// Accepts and remembers.
#[derive(Debug)]
pub(super) struct Recorder {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    chain: Vec<Vec<u8>>,
    client_certificate_requested: bool,
}

impl Recorder {
    pub(super) fn new(provider: Arc<CryptoProvider>) -> Self {
        Self {
            provider,
            seen: Mutex::default(),
        }
    }

    pub(super) fn chain(&self) -> Vec<Vec<u8>> {
        self.seen().chain.clone()
    }

    pub(super) fn client_certificate_requested(&self) -> bool {
        self.seen().client_certificate_requested
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        lock(&self.seen)
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.seen().chain = std::iter::once(end_entity)
            .chain(intermediates)
            .map(|cert| cert.to_vec())
            .collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        judged(
            &rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms),
            cert,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        judged(
            &rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms),
            cert,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self
            .provider
            .signature_verification_algorithms
            .supported_schemes();
        // What cannot be verified is accepted, so a server that can only sign with these is heard as well.
        for scheme in [
            SignatureScheme::RSA_PKCS1_SHA1,
            SignatureScheme::ECDSA_SHA1_Legacy,
        ] {
            if !schemes.contains(&scheme) {
                schemes.push(scheme);
            }
        }
        schemes
    }
}

/// A signature that is wrong ends the handshake, as with every client: key and certificate do not
/// belong together. One that rustls cannot verify, or by a key too small for it, does not.
fn judged(
    verified: &Result<HandshakeSignatureValid, Error>,
    cert: &CertificateDer<'_>,
) -> Result<HandshakeSignatureValid, Error> {
    match verified {
        Err(Error::InvalidCertificate(CertificateError::BadSignature)) if is_verifiable(cert) => {
            Err(Error::General(KEY_MISMATCH.into()))
        }
        _ => Ok(HandshakeSignatureValid::assertion()),
    }
}

/// Whether rustls verifies signatures by this key.
fn is_verifiable(cert: &CertificateDer<'_>) -> bool {
    let key = CertificateFacts::read(cert).key;
    match (key.algorithm.as_str(), key.bits) {
        ("RSA", Some(bits)) => (2048..=8192).contains(&bits),
        ("EC", Some(_)) => {
            matches!(
                key.curve.as_deref(),
                Some("secp256r1" | "secp384r1" | "secp521r1")
            )
        }
        ("Ed25519", _) => true,
        _ => false,
    }
}

impl ResolvesClientCert for Recorder {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.seen().client_certificate_requested = true;
        None
    }

    fn has_certs(&self) -> bool {
        // rustls asks `resolve` only where there may be something to resolve.
        true
    }
}
