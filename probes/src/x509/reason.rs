//! The words for what a verifying client makes of a chain.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::untrusted::Untrusted;

/// Whether a verifying client accepts the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A verifying client goes on.
    Trusted,
    /// A verifying client refuses.
    Untrusted,
    /// Could not be decided.
    Undetermined,
}

/// One thing that a verifying client objects to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// What it is.
    pub reason: Reason,
    /// Which certificate of `certificate.served`, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<usize>,
    /// The particulars, in words.
    pub detail: Untrusted,
}

/// Why a verifying client refuses a chain. The words are those of the rules that explain them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// The server's own certificate is past its notAfter.
    CertificateExpired,
    /// The server's own certificate is before its notBefore.
    CertificateNotYetValid,
    /// None of the certificate's names is the one asked for.
    CertificateNameMismatch,
    /// An address was asked for, and no iPAddress SAN has it.
    CertificateIpSanMissing,
    /// The name stands in the common name only; clients read the subjectAltName.
    CertificateCnOnly,
    /// The server's certificate is signed by its own key and is no trust anchor.
    CertificateSelfSigned,
    /// The chain ends in a root that the trust store does not have.
    CertificateUntrustedRoot,
    /// A key too small for a verifying client.
    CertificateWeakKey,
    /// A signature over MD5 or SHA-1 in the chain.
    CertificateWeakSignature,
    /// Not usable for TLS servers: extended key usage, key usage or CA flag.
    CertificateWrongUsage,
    /// An issuer's name constraints exclude the certificate's names.
    CertificateNameConstraints,
    /// An X.509 version 1 certificate, which cannot carry a subjectAltName.
    #[serde(rename = "certificate-x509-v1")]
    CertificateX509V1,
    /// The issuer of a served certificate is neither served nor a trust anchor.
    ChainIncomplete,
    /// An intermediate or root on the path is past its notAfter, or before its notBefore.
    ChainIntermediateExpired,
    /// More intermediates than a pathLenConstraint allows.
    ChainPathLength,
    /// A signature in the chain does not verify under its issuer's key.
    BadSignature,
    /// Something that has no word of its own; the detail says what.
    Other,
}
