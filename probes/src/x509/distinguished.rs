//! Distinguished names as they stand alone, in a CertificateRequest.

use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::X509Name;

use super::facts::name;
use crate::untrusted::Untrusted;

/// Bytes shown of what is no name.
const SHOWN: usize = 16;

/// A name in words; what cannot be read, in hex.
pub(crate) fn distinguished_name(der: &[u8]) -> Untrusted {
    if let Ok(([], read)) = X509Name::from_der(der) {
        return name(&read);
    }
    let bytes = der.iter().take(SHOWN);
    let hex: String = bytes.map(|byte| format!("{byte:02x}")).collect();
    format!("no distinguished name, {} bytes: {hex}", der.len()).into()
}

/// The name of a certificate's issuer, in DER.
pub(crate) fn issuer(certificate: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(certificate.issuer().as_raw().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_is_shown_as_bytes() {
        let told = distinguished_name(&[0x04, 0x02, 0x1b, 0x5b]);
        assert_eq!(told.raw(), "no distinguished name, 4 bytes: 04021b5b");
        assert_eq!(
            distinguished_name(&[]).raw(),
            "no distinguished name, 0 bytes: "
        );
        // CN=A
        let name = [0x30, 12, 0x31, 10, 0x30, 8, 6, 3, 0x55, 4, 3, 12, 1, b'A'];
        assert_eq!(distinguished_name(&name).raw(), "CN=A");
    }
}
