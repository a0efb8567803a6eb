//! Real servers on the loopback, one file each. They end with the value that stands for them.

mod gnutls;
mod haproxy;
mod jsse;
mod nginx;
mod node;
mod ocsp;
mod openssl;
mod python;
mod s2n;

use std::fmt::Write;

pub use gnutls::gnutls_serv;
pub use haproxy::{haproxy, haproxy_with};
pub use jsse::{Jsse, jsse};
pub use nginx::{Site, nginx, nginx_behind_balancer, plain_nginx, plain_nginx_with};
pub use node::{Node, node, node_http, node_https};
pub use ocsp::openssl_ocsp;
pub use openssl::{anonymous_s_server, s_server, s_server_with};
pub use python::python_http;
pub use s2n::s2n;

use crate::pki::{Issued, Pki};
use crate::process::Daemon;

/// A server that listens on 127.0.0.1.
#[derive(Debug)]
pub struct RealServer {
    daemon: Daemon,
    port: u16,
}

impl RealServer {
    fn new((daemon, port): (Daemon, u16)) -> Self {
        Self { daemon, port }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it printed so far.
    pub fn log(&self) -> String {
        self.daemon.log()
    }
}

/// An OpenSSL configuration that lets a server speak everything its library still contains.
fn permissive_openssl(pki: &Pki) -> std::path::PathBuf {
    let text = "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = all\n\
                [all]\nMinProtocol = None\nCipherString = DEFAULT:@SECLEVEL=0\n";
    pki.file("cnf", text.as_bytes())
}

/// The PEM text of a chain.
fn pem(chain: &[Issued]) -> String {
    chain.iter().fold(String::new(), |mut text, issued| {
        let _ = write!(text, "{}", issued.pem());
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::{KeyKind, Spec};
    use crate::{needs, net, tools};

    const NAME: &str = "lb.example.test";

    #[test]
    fn nginx_starts_and_ends() {
        needs!("nginx", "openssl", "sslscan", "nmap");
        let pki = Pki::new();
        let leaf = pki.leaf(&[NAME]);
        let site = Site::serving(&pki, &pki.chain(&leaf)).protocols("TLSv1.2 TLSv1.3");
        let server = nginx(&pki, &[site]);
        let port = server.port();
        let (version, _) = tools::openssl_default(port, NAME).expect("a handshake");
        assert_eq!(version, "TLSv1.3");
        assert_eq!(
            tools::openssl_fingerprint(port, Some(NAME)),
            Some(leaf.sha256())
        );
        let suites = tools::openssl_suites(port, NAME, "TLSv1.3");
        assert_eq!(
            suites.into_iter().collect::<Vec<_>>(),
            [0x1301, 0x1302, 0x1303]
        );
        let scanned = tools::sslscan(port, NAME);
        assert_eq!(
            scanned["TLSv1.2"],
            tools::openssl_suites(port, NAME, "TLSv1.2")
        );
        assert!(tools::nmap(port, NAME).contains_key("TLSv1.2"));
        assert!(tools::openssl_group(port, NAME, "X25519"));
        drop(server);
        assert!(net::connect(port).is_err(), "nobody listens any more");
    }

    #[test]
    fn nginx_speaks_tls_1_0_with_a_weak_key() {
        needs!("nginx", "openssl");
        let pki = Pki::rsa();
        let chain = pki.chain(&pki.issue(&Spec::leaf(&[NAME]).key(KeyKind::Rsa(1024))));
        let site = Site::serving(&pki, &chain)
            .protocols("TLSv1 TLSv1.1 TLSv1.2 TLSv1.3")
            .ciphers("ALL:@SECLEVEL=0");
        let server = nginx(&pki, &[site]);
        assert!(!tools::openssl_suites(server.port(), NAME, "TLSv1.0").is_empty());
    }

    #[test]
    fn haproxy_starts() {
        needs!("haproxy", "openssl");
        let pki = Pki::new();
        let bundle = pki.bundle_file(&pki.chain(&pki.leaf(&[NAME])));
        let server = haproxy(
            &pki,
            &format!("crt {} ssl-max-ver TLSv1.2", bundle.display()),
        );
        let (version, _) = tools::openssl_default(server.port(), NAME).expect("a handshake");
        assert_eq!(version, "TLSv1.2");
    }

    #[test]
    fn s_server_starts_with_and_without_a_certificate() {
        needs!("openssl");
        let pki = Pki::new();
        let chain = pki.chain(&pki.leaf(&[NAME]));
        let server = s_server(&pki, &chain, &["-tls1_2"]);
        assert_eq!(
            tools::openssl_default(server.port(), NAME).expect("one").0,
            "TLSv1.2"
        );
        let args = ["-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"];
        let server = anonymous_s_server(&pki, &args);
        let suites = tools::openssl_suites(server.port(), NAME, "TLSv1.2");
        assert!(suites.contains(&0xC019), "{suites:04X?}");
    }

    #[test]
    fn gnutls_serv_starts() {
        needs!("gnutls-serv", "openssl", "cc");
        let pki = Pki::new();
        let chain = pki.chain(&pki.leaf(&[NAME]));
        let server = gnutls_serv(&pki, &chain, "NORMAL:-VERS-ALL:+VERS-TLS1.2", &[]);
        assert_eq!(
            tools::openssl_default(server.port(), NAME).expect("one").0,
            "TLSv1.2"
        );
    }

    #[test]
    fn jsse_starts_with_two_kinds_of_key() {
        needs!("java", "javac", "openssl");
        let pki = Pki::rsa();
        let chains = [
            pki.chain(&pki.issue(&Spec::leaf(&[NAME]).key(KeyKind::Rsa(2048)))),
            pki.chain(&pki.leaf(&[NAME])),
        ];
        let server = jsse(&pki, &chains, &Jsse::default());
        assert_eq!(
            tools::openssl_default(server.port(), NAME).expect("one").0,
            "TLSv1.3"
        );
        assert!(
            server.log().contains("SSL_RSA_EXPORT_WITH_RC4_40_MD5"),
            "{}",
            server.log()
        );
        let suites = tools::openssl_suites(server.port(), NAME, "TLSv1.0");
        assert!(
            suites.contains(&0x002F) && suites.contains(&0xC00A),
            "{suites:04X?}"
        );
    }
}
