//! Which product printed a line, by its form alone.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

/// A product, and how its lines look. The first that matches counts: those that frame a line go before
/// those whose library's words stand in it.
const LOOKS: &[(&str, &str)] = &[
    (
        "nginx-upstream",
        r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[\w+\] \d+#\d+: .*(?: to upstream|from upstream|upstream SSL|, upstream: )|SSL_do_handshake\(\) failed .*to upstream|upstream SSL certificate",
    ),
    (
        "nginx",
        r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[\w+\] \d+#\d+: |^nginx: \[|SSL_do_handshake\(\) failed|client sent plain HTTP request to HTTPS port|The plain HTTP request was sent to HTTPS port",
    ),
    (
        "apache",
        r"\bAH\d{5}: |\[(?:ssl|proxy|proxy_http|core|mpm_\w+):\w+\] \[pid \d+|SSL Library Error: ",
    ),
    (
        "haproxy",
        r"\bLayer[467] |haproxy\[\d+\]|^\[(?:ALERT|WARNING|NOTICE)\] +(?:\(\d+\)|\d+/\d+ \(\d+\)) ?: |Server \S+/\S+ is (?:DOWN|UP)|<BADREQ>|SSL handshake failure \(|: SSL handshake failure$",
    ),
    (
        "envoy",
        r"TLS_error:|upstream connect error or disconnect|transport failure reason|OPENSSL_internal|\[source/\S+\.cc|upstream_reset_before_response_started|source/common/",
    ),
    (
        "traefik",
        r"traefik|pkg/(?:proxy|server)/\S+\.go|\d{4}-\d\d-\d\dT\S+ (?:ERR|DBG|WRN) ",
    ),
    (
        "caddy",
        r#""logger":"(?:http|tls|caddy)|caddyhttp|reverseproxy|"upstream":"#,
    ),
    (
        "aws-lbc",
        r"(?i)aws-load-balancer-controller|failed to find certificate for host|targetGroupBinding|elbv2\.k8s\.aws|Failed (?:deploy|build) model",
    ),
    (
        "aws",
        r"An error occurred \(\w+\) when calling the|awselb/2\.0|elasticloadbalancing|arn:aws[\w-]*:|api error \w+(?:NotFound|Exception|Argument)|operation error (?:ELB|ACM|Elastic Load Balancing)",
    ),
    (
        "curl",
        r"curl: \(\d+\)|\bcURL error \d+|CURLE_\w+|schannel: |\* TLSv1\.\d \((?:IN|OUT)\)|LibreSSL SSL_connect",
    ),
    (
        "wget",
        r"^GnuTLS: |certificate of ‘|certificate common name|hostname ‘|Unable to establish SSL connection|Could not save SSL session|wget: |^failed: ",
    ),
    (
        "gnutls",
        r"\*\*\* (?:Fatal error|Received alert|Verifying|PKI verification|Handshake has failed)|^- Status: |gnutls|GNUTLS_E_",
    ),
    (
        "python",
        r"_ssl\.c:\d+|ssl\.SSL\w*Error|\bSSLCertVerificationError|\bSSLError\(|urllib3|requests\.exceptions|builtins\.\w+Error|aiohttp|\[Errno \d+\]",
    ),
    (
        "node",
        r"\bcode: '[A-Z_]+'|deps/openssl/openssl|\bEPROTO\b|ERR_TLS_|ERR_SSL_[A-Z0-9]+_ALERT|Client network socket disconnected|ESOCKETTIMEDOUT|socket hang up|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_CERT_IN_CHAIN|CERT_HAS_EXPIRED",
    ),
    (
        "java",
        r"javax\.net\.ssl|\bjava\.\w+\.|sun\.security|PKIX path|\bat [\w.$]+\([\w]+\.java:\d+\)|Received fatal alert: ",
    ),
    (
        "dotnet",
        r"System\.(?:Net|Security|IO)\.|AuthenticationException|RemoteCertificate|The SSL connection could not be established|at System\.|SEC_E_",
    ),
    (
        "browser",
        r"\bERR_(?:SSL|CERT|BAD_SSL|ECH|CONNECTION)_|\bNET::|net_error|SEC_ERROR_|SSL_ERROR_[A-Z]|MOZILLA_PKIX_|kCFStream|NSURLError|CFNetwork|DLG_FLAGS_",
    ),
    (
        "postgres",
        r"\bpsql: |could not accept SSL connection|SSL error: |server does not support SSL",
    ),
    ("s2n", r"\bs2n_|S2N_ERR"),
    (
        "rustls",
        r"\brustls\b|InvalidCertificate\(|received fatal alert: \w+|peer is incompatible|HandshakeFailure\b",
    ),
    ("ruby", r"OpenSSL::SSL::|SSL_connect (?:returned|SYSCALL)"),
    (
        "php",
        r"PHP (?:Warning|Fatal)|stream_socket_(?:client|enable)|file_get_contents\(",
    ),
    ("git", r"fatal: unable to access '"),
    (
        "go",
        r"\bx509: |\btls: |\bdial tcp |net/http: |read tcp |write tcp |: EOF$|\bGet \x22https?://|http: TLS handshake error",
    ),
    (
        "openssl",
        r"[0-9A-F]{8,16}:error:[0-9A-F]{8}:|\berror:[0-9A-F]{8}:|verify error:num=|Verif(?:y return code|ication error):|^(?:connect|read|write):errno=|SSL alert number \d+|s_client",
    ),
];

static COMPILED: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let compile = |(name, look): &(&'static str, &str)| {
        // Every one is used by a test.
        let regex = RegexBuilder::new(look)
            .unicode(false)
            .multi_line(false)
            .build();
        (
            *name,
            regex.unwrap_or_else(|error| panic!("{name}: {error}")),
        )
    };
    LOOKS.iter().map(compile).collect()
});

/// The product that printed the line, where its form tells.
pub fn of(line: &[u8]) -> Option<&'static str> {
    COMPILED
        .iter()
        .find(|(_, look)| look.is_match(line))
        .map(|(name, _)| *name)
}

/// Every name that [`of`] gives.
pub fn all() -> impl Iterator<Item = &'static str> {
    LOOKS.iter().map(|(name, _)| *name)
}

/// Where to look for the fix of a product, best first: its own name, then what it is a kind of.
pub fn fixes_of(product: &str) -> &'static [&'static str] {
    match product {
        "nginx-upstream" | "nginx" => &["nginx"],
        "apache" => &["apache"],
        "haproxy" => &["haproxy"],
        "envoy" => &["envoy"],
        "traefik" => &["traefik"],
        "caddy" => &["caddy"],
        "aws" | "aws-lbc" => &["aws"],
        "curl" | "git" | "php" => &["curl", "client"],
        "wget" | "gnutls" => &["gnutls", "client"],
        "python" => &["python", "client"],
        "node" => &["node", "client"],
        "java" => &["java", "client"],
        "go" => &["go", "client"],
        "dotnet" => &["dotnet", "client"],
        "openssl" | "ruby" | "postgres" | "s2n" | "rustls" => &["openssl", "client"],
        "browser" => &["browser", "client"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_known_by_their_lines() {
        for (line, product) in [
            (
                "2026/11/20 05:54:40 [error] 97#97: *3 upstream SSL certificate verify error: (9:x) while SSL handshaking to upstream, client",
                "nginx-upstream",
            ),
            (
                r"2026/11/20 05:54:40 [info] 97#97: *3 SSL_do_handshake() failed (SSL: error:0A) while SSL handshaking, client: ::1",
                "nginx",
            ),
            (
                "[Fri Nov 20 05:56:08.8 2026] [ssl:info] [pid 2:tid 2] AH02276: Certificate",
                "apache",
            ),
            (
                "[WARNING]  (10155) : Server b/s is DOWN, reason: Layer6 timeout",
                "haproxy",
            ),
            (
                "upstream connect error or disconnect/reset before headers. reset reason: x",
                "envoy",
            ),
            (
                r#"2026-11-20T05:55:36Z ERR github.com/traefik/x.go:197 > 500 error="tls: x""#,
                "traefik",
            ),
            ("curl: (60) SSL certificate problem: x", "curl"),
            (
                "GnuTLS: received alert [70]: Error in protocol version",
                "wget",
            ),
            ("*** Received alert [40]: Handshake failed", "gnutls"),
            ("ssl.SSLError: [SSL: X] x (_ssl.c:1006)", "python"),
            (
                "Error: write EPROTO 40F:error:0A000438:SSL routines:x:y:../deps/openssl/openssl/z.c:918:  code: 'EPROTO'",
                "node",
            ),
            (
                "javax.net.ssl.SSLHandshakeException: PKIX path building failed",
                "java",
            ),
            (
                "System.Security.Authentication.AuthenticationException: x",
                "dotnet",
            ),
            ("net::ERR_CERT_DATE_INVALID", "browser"),
            ("x509: certificate signed by unknown authority", "go"),
            (
                "verify error:num=20:unable to get local issuer certificate",
                "openssl",
            ),
            (
                "An error occurred (CertificateNotFound) when calling the CreateListener operation",
                "aws",
            ),
        ] {
            assert_eq!(of(line.as_bytes()), Some(product), "{line}");
        }
        assert_eq!(of(b"all is well"), None);
    }
}
