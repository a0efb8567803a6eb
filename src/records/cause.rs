//! The vocabulary of causes: what a record may name, each in plain words.

use gladhand_probes::wire::registry::AlertDescription;

/// Every cause but the alerts: its slug, and what it is in a few words.
pub const CAUSES: &[(&str, &str)] = &[
    // TLS negotiation
    ("protocol-version-mismatch", "no TLS version in common"),
    ("cipher-mismatch", "no cipher suite in common"),
    (
        "rsa-kex-removed",
        "the peer has suites with RSA key exchange only",
    ),
    ("sigalg-mismatch", "no signature algorithm in common"),
    ("group-mismatch", "no named group (curve) in common"),
    ("dh-key-small", "the Diffie-Hellman group is too small"),
    (
        "legacy-renegotiation",
        "the peer knows no secure renegotiation",
    ),
    (
        "fallback-scsv",
        "the client fell back to an older version than both speak",
    ),
    ("alpn-mismatch", "no application protocol (ALPN) in common"),
    ("sni-missing", "the client sends no server name (SNI)"),
    (
        "sni-wrong",
        "the client sends another server name than the server has",
    ),
    (
        "sni-unrecognized",
        "the server refuses the server name (SNI)",
    ),
    (
        "large-hello-dropped",
        "a device on the way drops a large ClientHello",
    ),
    (
        "size-intolerance",
        "the server falls silent on a ClientHello of this size",
    ),
    (
        "handshake-failure-unspecified",
        "the peer refused the handshake and did not say why",
    ),
    // Certificates
    ("expired", "the server's certificate has expired"),
    (
        "expired-intermediate",
        "an intermediate certificate has expired",
    ),
    (
        "not-yet-valid",
        "the certificate is not valid yet, or a clock is wrong",
    ),
    ("hostname-mismatch", "the certificate is for other names"),
    (
        "ip-san-missing",
        "the certificate does not have the address that was asked for",
    ),
    (
        "no-san",
        "the certificate has its name in the Common Name only",
    ),
    ("wildcard-tld", "the wildcard does not cover the name"),
    ("self-signed", "the certificate is self-signed"),
    ("untrusted-ca", "the client does not trust the root"),
    (
        "incomplete-chain",
        "the server does not send the intermediate",
    ),
    ("chain-order", "the chain is in the wrong order"),
    ("verify-depth", "the chain is longer than allowed"),
    ("name-constraints", "an issuer may not issue for this name"),
    ("wrong-eku", "the certificate is for another purpose"),
    ("weak-key", "a key is too short"),
    ("weak-sig-md", "a certificate is signed with a weak hash"),
    ("x509-v1-cert", "the certificate is of X.509 version 1"),
    (
        "x509-strict",
        "a certificate breaks RFC 5280, and the client verifies strictly",
    ),
    ("revoked", "the certificate is revoked"),
    (
        "must-staple-missing",
        "the certificate demands a stapled OCSP answer, and none is sent",
    ),
    ("ocsp-stapling-config", "OCSP stapling is not set up right"),
    ("ocsp-ended", "the CA has ended OCSP"),
    ("ca-bundle-missing", "the client has no trust anchors"),
    (
        "intercepting-proxy",
        "a proxy on the way shows a certificate of its own",
    ),
    (
        "key-cert-mismatch",
        "key and certificate do not belong together",
    ),
    ("server-no-cert", "the server has no certificate to send"),
    // Client certificates
    (
        "client-cert-required",
        "the server demands a client certificate",
    ),
    (
        "client-cert-rejected",
        "the server does not accept the client's certificate",
    ),
    (
        "client-rejected-cert",
        "the client does not accept the server's certificate",
    ),
    // Transport
    (
        "tls-to-plaintext-port",
        "TLS was sent to a port that speaks plaintext",
    ),
    (
        "plaintext-to-tls-port",
        "plaintext was sent to a port that speaks TLS",
    ),
    ("not-tls", "what the peer sends is not TLS"),
    (
        "proxy-protocol-mismatch",
        "only one side speaks the PROXY protocol",
    ),
    ("proxy-env", "a proxy from the environment is in the way"),
    (
        "proxy-tls-not-enabled",
        "the proxy speaks plaintext towards its backend",
    ),
    ("connection-refused", "nothing listens on the port"),
    ("connect-timeout", "no TCP connection comes about"),
    (
        "handshake-timeout",
        "the peer accepts and does not answer the handshake",
    ),
    ("peer-reset", "the connection was reset"),
    (
        "peer-closed",
        "the peer closed the connection without an alert",
    ),
    (
        "server-internal-error",
        "the server reports an error of its own",
    ),
    ("server-bug", "what the server sends breaks the protocol"),
    ("client-bug", "what the client sends breaks the protocol"),
    ("proxy-bug", "a proxy changes what passes through it"),
    (
        "generic-wrapper",
        "only says that something failed: the cause is in another message",
    ),
    // HTTP behind the balancer
    (
        "keepalive-mismatch",
        "the target closes idle connections before the balancer does",
    ),
    (
        "http-response-invalid",
        "the target's HTTP response is malformed",
    ),
    (
        "protocol-version-http-mismatch",
        "the target group speaks another version of HTTP",
    ),
    ("target-timeout", "the target does not answer in time"),
    ("no-targets", "the target group has no target"),
    (
        "security-group-drop",
        "a security group or network ACL drops the packets",
    ),
    ("header-too-large", "headers are larger than allowed"),
    // AWS
    (
        "acm-certificate-not-found",
        "ACM has no such certificate in this region",
    ),
    ("acm-arn-malformed", "that is not the ARN of a certificate"),
    (
        "acm-key-type-unsupported",
        "the balancer does not take this type of key",
    ),
    (
        "acm-no-matching-cert",
        "no certificate in ACM is for the name",
    ),
    ("acm-not-renewing", "ACM does not renew the certificate"),
    ("listener-not-found", "there is no such listener"),
    ("policy-not-found", "there is no such security policy"),
    (
        "healthcheck-sni-missing",
        "the health check sends no server name (SNI)",
    ),
    (
        "healthcheck-mismatch",
        "the health check asks for what the target does not have",
    ),
    // Families, of which each member has a name of its own
    ("lambda", "a Lambda target"),
    ("auth", "authentication at the balancer"),
];

/// What only says that something failed.
pub const WRAPPER: &str = "generic-wrapper";

/// Families: `lambda-…` and `auth-…` are causes as well.
const FAMILIES: &[&str] = &["lambda", "auth"];

/// Whether it is in the vocabulary: a slug of [`CAUSES`], one of a family, or `alert:<n>`.
pub fn is_known(cause: &str) -> bool {
    CAUSES.iter().any(|(slug, _)| *slug == cause)
        || alert(cause).is_some()
        || family(cause).is_some_and(|(_, member)| !member.is_empty())
}

/// What it is, in a few words.
pub fn about(cause: &str) -> String {
    if let Some((_, about)) = CAUSES.iter().find(|(slug, _)| *slug == cause) {
        return (*about).to_owned();
    }
    if let Some(alert) = alert(cause) {
        return format!("the peer sent the alert {alert}");
    }
    match family(cause) {
        Some(("lambda", member)) => format!("a Lambda target: {}", member.replace('-', " ")),
        Some((_, member)) => {
            format!(
                "authentication at the balancer: {}",
                member.replace('-', " ")
            )
        }
        None => cause.to_owned(),
    }
}

/// The alert of `alert:<n>`.
pub fn alert(cause: &str) -> Option<AlertDescription> {
    let number = cause.strip_prefix("alert:")?;
    number.parse().ok().map(AlertDescription)
}

fn family(cause: &str) -> Option<(&str, &str)> {
    cause
        .split_once('-')
        .filter(|(family, _)| FAMILIES.contains(family))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_unique_and_kebab_case() {
        let mut slugs: Vec<_> = CAUSES.iter().map(|(slug, _)| slug).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), CAUSES.len());
        for slug in slugs {
            assert!(
                slug.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{slug}"
            );
        }
    }

    #[test]
    fn alerts_and_families_are_causes() {
        for known in [
            "alert:40",
            "alert:255",
            "lambda-timeout",
            "auth-invalid-cookie",
        ] {
            assert!(is_known(known), "{known}");
        }
        for unknown in ["alert:", "alert:256", "lambda-", "sni", "", "alert:x"] {
            assert!(!is_known(unknown), "{unknown}");
        }
    }

    #[test]
    fn a_cause_is_told_in_words() {
        assert_eq!(
            about("alert:40"),
            "the peer sent the alert handshake_failure (40)"
        );
        assert_eq!(
            about("auth-invalid-cookie"),
            "authentication at the balancer: invalid cookie"
        );
    }
}
