//! HAProxy in the foreground.

use super::{RealServer, permissive_openssl};
use crate::pki::Pki;
use crate::process::{Daemon, Launch};

/// Starts HAProxy with one TLS port.
///
/// `crt` is what follows on the `bind` line after `ssl`: certificates (from [`Pki::bundle_file`]) and
/// options, such as `crt FILE ssl-min-ver TLSv1.2 verify optional ca-file FILE`.
pub fn haproxy(pki: &Pki, bind: &str) -> RealServer {
    start(pki, &format!("ssl {bind}"), "")
}

/// Starts HAProxy with one port: what follows on the `bind` line, and a line more in `defaults`.
pub fn haproxy_with(pki: &Pki, bind: &str, default: &str) -> RealServer {
    start(pki, bind, default)
}

fn start(pki: &Pki, bind: &str, default: &str) -> RealServer {
    let openssl = permissive_openssl(pki);
    RealServer::new(Daemon::start("haproxy", |port| {
        let text = format!(
            "global\n  tune.ssl.default-dh-param 2048\n  log stderr format raw local0\n\
             defaults\n  mode http\n  timeout client 30s\n  timeout server 30s\n  \
             timeout connect 5s\n  log global\n  option httplog\n  {default}\n\
             frontend tls\n  bind 127.0.0.1:{port} {bind}\n  \
             http-request return status 200 content-type text/plain string ok\n"
        );
        let file = pki.file("cfg", text.as_bytes());
        Launch::new("haproxy")
            .args(["-db", "-f"])
            .arg(file)
            .env("OPENSSL_CONF", &openssl)
    }))
}
