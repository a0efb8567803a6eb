//! What a certificate says about its own revocation: where it can be asked about, and that a response
//! must be stapled.

use x509_parser::asn1_rs::FromDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};

use super::{CertificateFacts, crl};

/// Pointers of one kind that are kept, at most.
const MOST: usize = 16;

impl CertificateFacts {
    /// Takes in what the certificate points to.
    pub(super) fn take_pointers(&mut self, certificate: &X509Certificate<'_>) {
        for extension in certificate.extensions() {
            if let ParsedExtension::AuthorityInfoAccess(access) = extension.parsed_extension() {
                for description in access.accessdescs.iter().take(MOST) {
                    let GeneralName::URI(uri) = &description.access_location else {
                        continue;
                    };
                    // RFC 5280 §4.2.2.1
                    match description.access_method.to_id_string().as_str() {
                        "1.3.6.1.5.5.7.48.1" => self.ocsp.push((*uri).into()),
                        "1.3.6.1.5.5.7.48.2" => self.ca_issuers.push((*uri).into()),
                        _ => {}
                    }
                }
            }
            // The TLS feature extension lists extensions of TLS; status_request is 5 (RFC 7633).
            if extension.oid.to_id_string() == "1.3.6.1.5.5.7.1.24" {
                let features = Vec::<u32>::from_der(extension.value);
                self.must_staple = features.is_ok_and(|(_, features)| features.contains(&5));
            }
        }
        let lists = crl::distribution_points(certificate).into_iter();
        self.crl = lists.take(MOST).map(Into::into).collect();
    }
}
