//! `gnutls-serv`, kept on the loopback.
//!
//! It has no option for its address and binds the wildcard one; a preloaded bind() puts the loopback
//! in its place. The C compiler that builds it is the one that this workspace's build needs anyway.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::RealServer;
use crate::needs;
use crate::pki::{Issued, Pki};
use crate::process::{Daemon, Launch};

/// Starts `gnutls-serv` with this chain, a priority string, and more arguments.
pub fn gnutls_serv(pki: &Pki, chain: &[Issued], priority: &str, args: &[&str]) -> RealServer {
    let certificate = pki.chain_file(chain);
    let key = pki.key_file(chain.first().expect("a certificate"));
    let preload = loopback_only(pki);
    RealServer::new(Daemon::start("gnutls-serv", |port| {
        Launch::new("gnutls-serv")
            .args([
                "--http",
                "--port",
                &port.to_string(),
                "--priority",
                priority,
            ])
            .arg("--x509certfile")
            .arg(&certificate)
            .arg("--x509keyfile")
            .arg(&key)
            .args(args.iter().copied())
            .env("LD_PRELOAD", &preload)
    }))
}

/// A file with that bind(), as a shared object; built once a process.
fn loopback_only(pki: &Pki) -> PathBuf {
    static BUILT: OnceLock<Vec<u8>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let object = folder.path().join("loopback.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/c/loopback.c");
        let output = Command::new(needs::find("cc").expect("a C compiler"))
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&object)
            .arg(source)
            .arg("-ldl")
            .output()
            .expect("a C compiler");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        std::fs::read(object).expect("the shared object")
    });
    pki.file("so", built)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn it_serves_the_loopback_only() {
        crate::needs!("gnutls-serv", "cc");
        let pki = Pki::new();
        let chain = pki.chain(&pki.leaf(&["lb.example.test"]));
        let server = gnutls_serv(&pki, &chain, "NORMAL", &[]);
        // The wildcard is taken if anything listens on it: another address of the loopback is free.
        TcpListener::bind(("127.0.0.2", server.port())).expect("only 127.0.0.1 is taken");
    }
}
