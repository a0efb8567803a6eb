//! nginx in the foreground, as one process, with a folder of its own.

use std::fmt::Write;
use std::path::Path;

use super::{RealServer, permissive_openssl};
use crate::pki::{Issued, Pki};
use crate::process::{Daemon, Launch};

/// One `server` block.
#[derive(Clone, Debug, Default)]
pub struct Site {
    lines: Vec<String>,
    default: bool,
    http2: bool,
}

impl Site {
    /// A block that sends this chain.
    pub fn serving(pki: &Pki, chain: &[Issued]) -> Self {
        Self::default().chain(pki, chain)
    }

    /// A block that sends no certificate: `ssl_reject_handshake on`.
    pub fn rejecting() -> Self {
        Self::default().line("ssl_reject_handshake on;")
    }

    /// One more chain: a server can have an RSA and an ECDSA certificate.
    #[must_use]
    pub fn chain(self, pki: &Pki, chain: &[Issued]) -> Self {
        let leaf = chain.first().expect("a certificate");
        let certificate = pki.chain_file(chain);
        let key = pki.key_file(leaf);
        self.line(&format!("ssl_certificate {};", certificate.display()))
            .line(&format!("ssl_certificate_key {};", key.display()))
    }

    /// The server names.
    #[must_use]
    pub fn names(self, names: &str) -> Self {
        self.line(&format!("server_name {names};"))
    }

    /// `ssl_protocols`, such as `TLSv1.2 TLSv1.3`.
    #[must_use]
    pub fn protocols(self, protocols: &str) -> Self {
        self.line(&format!("ssl_protocols {protocols};"))
    }

    /// `ssl_ciphers`, which may begin or end with `@SECLEVEL=0`.
    #[must_use]
    pub fn ciphers(self, ciphers: &str) -> Self {
        self.line(&format!("ssl_ciphers '{ciphers}';"))
    }

    /// The suites of TLS 1.3, by OpenSSL's names.
    #[must_use]
    pub fn tls13_suites(self, suites: &str) -> Self {
        self.line(&format!("ssl_conf_command Ciphersuites {suites};"))
    }

    /// `ssl_prefer_server_ciphers`.
    #[must_use]
    pub fn server_order(self, on: bool) -> Self {
        self.line(&format!(
            "ssl_prefer_server_ciphers {};",
            if on { "on" } else { "off" }
        ))
    }

    /// `ssl_ecdh_curve`, by OpenSSL's names.
    #[must_use]
    pub fn curves(self, curves: &str) -> Self {
        self.line(&format!("ssl_ecdh_curve {curves};"))
    }

    /// `ssl_verify_client` with a mode, `on` or `optional`, and whose certificates are taken.
    #[must_use]
    pub fn client_certificates(self, pki: &Pki, mode: &str) -> Self {
        self.line(&format!(
            "ssl_client_certificate {};",
            pki.root_file().display()
        ))
        .line(&format!("ssl_verify_client {mode};"))
        .line("ssl_verify_depth 3;")
    }

    /// The block for connections without a name, or with an unknown one.
    #[must_use]
    pub fn default_server(mut self) -> Self {
        self.default = true;
        self
    }

    /// HTTP/2, in the way that every version of nginx takes.
    #[must_use]
    pub fn http2(mut self) -> Self {
        self.http2 = true;
        self
    }

    /// Any other directive.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.lines.push(line.into());
        self
    }
}

/// Starts nginx with these blocks on one address and port.
pub fn nginx(pki: &Pki, sites: &[Site]) -> RealServer {
    start(pki, sites, " ssl")
}

fn start(pki: &Pki, sites: &[Site], tls: &str) -> RealServer {
    let openssl = permissive_openssl(pki);
    RealServer::new(Daemon::start("nginx", |port| {
        let prefix = pki.folder().join(format!("nginx-{port}"));
        std::fs::create_dir_all(prefix.join("tmp")).expect("a folder");
        let file = prefix.join("nginx.conf");
        std::fs::write(&file, configuration(&prefix, port, sites, tls)).expect("a file");
        Launch::new("nginx")
            .arg("-p")
            .arg(&prefix)
            .arg("-c")
            .arg(&file)
            .args(["-e", "stderr"])
            .env("OPENSSL_CONF", &openssl)
    }))
}

/// The same; a PROXY protocol header must come before TLS.
pub fn nginx_behind_balancer(pki: &Pki, sites: &[Site]) -> RealServer {
    start(pki, sites, " ssl proxy_protocol")
}

/// Starts nginx without TLS, with these blocks.
pub fn plain_nginx_with(pki: &Pki, sites: &[Site]) -> RealServer {
    start(pki, sites, "")
}

/// Starts nginx without TLS: what is there when a port was mixed up.
pub fn plain_nginx(pki: &Pki) -> RealServer {
    plain_nginx_with(pki, &[Site::default()])
}

fn configuration(prefix: &Path, port: u16, sites: &[Site], tls: &str) -> String {
    let mut text = String::from(
        "daemon off;\nmaster_process off;\nworker_processes 1;\npid nginx.pid;\n\
         error_log stderr info;\nevents { worker_connections 512; }\nhttp {\naccess_log off;\n",
    );
    for folder in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        let _ = writeln!(
            text,
            "{folder}_temp_path {}/tmp/{folder};",
            prefix.display()
        );
    }
    for site in sites {
        let default = if site.default { " default_server" } else { "" };
        let http2 = if site.http2 { " http2" } else { "" };
        let _ = writeln!(
            text,
            "server {{\nlisten 127.0.0.1:{port}{tls}{http2}{default};"
        );
        for line in &site.lines {
            let _ = writeln!(text, "{line}");
        }
        if !site
            .lines
            .iter()
            .any(|line| line.contains("Strict-Transport-Security"))
        {
            text.push_str("add_header Strict-Transport-Security max-age=31536000 always;\n");
        }
        text.push_str("location / { return 200 \"ok\\n\"; }\n}\n");
    }
    text.push_str("}\n");
    text
}
