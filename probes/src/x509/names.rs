//! Whether a certificate is for a name (RFC 9525 §6), and how not.

use std::net::IpAddr;

use rustls_pki_types::{CertificateDer, ServerName};
use webpki::EndEntityCert;

use super::CertificateFacts;
use super::reason::{Problem, Reason};

/// Whether the certificate is for the name, and how not.
pub(super) fn name_problem(
    end_entity: &CertificateDer<'_>,
    leaf: &CertificateFacts,
    expected: &str,
) -> Option<Problem> {
    let name = ServerName::try_from(expected.to_owned()).ok();
    let fits = match (&name, EndEntityCert::try_from(end_entity)) {
        (Some(name), Ok(certificate)) => certificate.verify_is_valid_for_subject_name(name).is_ok(),
        // webpki does not read every certificate; the names can be compared all the same.
        _ => has_name(leaf, expected),
    };
    if fits {
        return None;
    }
    let presented = match leaf.sans.as_slice() {
        [] => "no subjectAltName".to_owned(),
        sans => {
            let shown: Vec<_> = sans.iter().take(10).map(ToString::to_string).collect();
            let more = sans.len().saturating_sub(10);
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            format!("it is for {}{more}", shown.join(", "))
        }
    };
    let common_name = leaf
        .common_name
        .as_ref()
        .map(|cn| cn.raw().to_ascii_lowercase());
    let in_common_name =
        common_name.is_some_and(|cn| cn == expected || wildcard_covers(&cn, expected));
    let reason = if expected.parse::<IpAddr>().is_ok() {
        Reason::CertificateIpSanMissing
    } else if leaf.sans.is_empty() && in_common_name {
        Reason::CertificateCnOnly
    } else {
        Reason::CertificateNameMismatch
    };
    Some(Problem {
        reason,
        certificate: Some(0),
        detail: presented.into(),
    })
}

/// Whether a subjectAltName is the name or address, or a wildcard that covers the name.
fn has_name(leaf: &CertificateFacts, expected: &str) -> bool {
    let expected = expected.to_ascii_lowercase();
    if expected.parse::<IpAddr>().is_ok() {
        return leaf.ip_sans.contains(&expected);
    }
    leaf.sans.iter().any(|san| {
        let san = san.raw().to_ascii_lowercase();
        san == expected || wildcard_covers(&san, &expected)
    })
}

/// Whether `*.example.com` covers the name (RFC 9525 §6.3).
fn wildcard_covers(pattern: &str, name: &str) -> bool {
    let (Some(pattern), Some((_, parent))) = (pattern.strip_prefix("*."), name.split_once('.'))
    else {
        return false;
    };
    pattern == parent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_covers_one_label() {
        assert!(wildcard_covers("*.example.com", "www.example.com"));
        assert!(!wildcard_covers("*.example.com", "a.www.example.com"));
        assert!(!wildcard_covers("*.example.com", "example.com"));
        assert!(!wildcard_covers("www.example.com", "www.example.com"));
    }
}
