//! Accepts every certificate and remembers what was sent; only its key has to be the server's.

use std::sync::{Arc, Mutex};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::identity::ClientIdentity;
use crate::lock::lock;
use crate::wire::registry as wire;
use crate::x509::CertificateFacts;

/// What is wrong where the signature of a handshake is.
const KEY_MISMATCH: &str = "the server signs with a key that is not the certificate's: key and certificate do not belong together";

/// What a server said when it asked for a client certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientCertificateRequest {
    /// The names of the authorities that it takes, in DER.
    pub(crate) authorities: Vec<Vec<u8>>,
    /// The signature schemes that it takes.
    pub(crate) schemes: Vec<u16>,
}

/// Accepts and remembers.
#[derive(Debug)]
pub(super) struct Recorder {
    provider: Arc<CryptoProvider>,
    /// What is presented where the server asks for a client certificate.
    identity: Option<ClientIdentity>,
    /// The signature schemes to offer; none: the usual ones.
    schemes: Vec<wire::SignatureScheme>,
    seen: Mutex<Seen>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The chain as sent.
    pub(super) chain: Vec<Vec<u8>>,
    /// The stapled OCSP response; empty where none came.
    pub(super) staple: Vec<u8>,
    /// What the server asked for, where it asked for a client certificate.
    pub(super) client_certificate: Option<ClientCertificateRequest>,
    /// Whether it got one.
    pub(super) client_certificate_sent: bool,
    /// With what the server signed.
    pub(super) signature: Option<wire::SignatureScheme>,
}

impl Recorder {
    pub(super) fn new(
        provider: Arc<CryptoProvider>,
        identity: Option<ClientIdentity>,
        schemes: &[wire::SignatureScheme],
    ) -> Self {
        Self {
            provider,
            identity,
            schemes: schemes.to_vec(),
            seen: Mutex::default(),
        }
    }

    /// What was sent so far.
    pub(super) fn seen(&self) -> Seen {
        lock(&self.seen).clone()
    }

    fn signed_with(&self, scheme: SignatureScheme) {
        lock(&self.seen).signature = Some(wire::SignatureScheme(scheme.into()));
    }

    pub(super) fn client_certificate_requested(&self) -> bool {
        lock(&self.seen).client_certificate.is_some()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut seen = lock(&self.seen);
        seen.chain = std::iter::once(end_entity)
            .chain(intermediates)
            .map(|cert| cert.to_vec())
            .collect();
        seen.staple = ocsp_response.to_vec();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed_with(dss.scheme);
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
        self.signed_with(dss.scheme);
        let algorithms = &self.provider.signature_verification_algorithms;
        judged(
            &rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms),
            cert,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        if !self.schemes.is_empty() {
            let schemes = self.schemes.iter();
            return schemes.map(|scheme| scheme.0.into()).collect();
        }
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
    fn resolve(&self, hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let identity = self.identity.as_ref();
        let fitting = identity.and_then(|identity| identity.for_schemes(schemes));
        let mut seen = lock(&self.seen);
        seen.client_certificate = Some(ClientCertificateRequest {
            authorities: hints.iter().map(|name| name.to_vec()).collect(),
            schemes: schemes.iter().map(|scheme| u16::from(*scheme)).collect(),
        });
        seen.client_certificate_sent = fitting.is_some();
        fitting
    }

    fn has_certs(&self) -> bool {
        // rustls asks `resolve` only where there may be something to resolve.
        true
    }
}
