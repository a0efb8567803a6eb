//! A server on the JDK's TLS stack: the only one here that still has SSLv3, RC4, DES and EXPORT.

use std::path::PathBuf;
use std::process::Command;

use super::RealServer;
use crate::pki::{Issued, Pki};
use crate::process::{Daemon, Launch};

const PASSWORD: &str = "gladhand";

/// What the server is to speak.
#[derive(Clone, Debug)]
pub struct Jsse<'a> {
    /// Comma-separated, by JSSE's names: `SSLv3,TLSv1,TLSv1.1,TLSv1.2,TLSv1.3`.
    pub protocols: &'a str,
    /// Comma-separated, by JSSE's names, or `ALL`.
    pub suites: &'a str,
    /// `none`, `want` or `need`.
    pub client_auth: &'a str,
    /// System properties: `jdk.tls.namedGroups=secp256r1`.
    pub properties: &'a [&'a str],
}

impl Default for Jsse<'_> {
    fn default() -> Self {
        Self {
            protocols: "SSLv2Hello,SSLv3,TLSv1,TLSv1.1,TLSv1.2,TLSv1.3",
            suites: "ALL",
            client_auth: "none",
            properties: &[],
        }
    }
}

/// Starts the server with these chains: one for each kind of key.
pub fn jsse(pki: &Pki, chains: &[Vec<Issued>], what: &Jsse<'_>) -> RealServer {
    let keys = key_store(pki, chains);
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/java/JsseServer.java");
    RealServer::new(Daemon::start("the JSSE server", |port| {
        Launch::new("java")
            .args([
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xshare:auto",
            ])
            .args(
                what.properties
                    .iter()
                    .map(|property| format!("-D{property}")),
            )
            .args([source, &port.to_string()])
            .arg(&keys)
            .args([PASSWORD, what.protocols, what.suites, what.client_auth])
    }))
}

/// One PKCS #12 file with every chain; keytool merges what `openssl` exports.
fn key_store(pki: &Pki, chains: &[Vec<Issued>]) -> PathBuf {
    let merged = pki.file("p12", b"");
    std::fs::remove_file(&merged).expect("the file was just made");
    for (number, chain) in chains.iter().enumerate() {
        let single = pki.file("p12", b"");
        let alias = format!("key{number}");
        run(Command::new("openssl")
            .args(["pkcs12", "-export", "-name", &alias, "-passout"])
            .arg(format!("pass:{PASSWORD}"))
            .arg("-in")
            .arg(pki.bundle_file(chain))
            .arg("-out")
            .arg(&single));
        if chains.len() == 1 {
            return single;
        }
        run(Command::new("keytool")
            .args(["-importkeystore", "-noprompt", "-srcstoretype", "PKCS12"])
            .args([
                "-deststoretype",
                "PKCS12",
                "-srcalias",
                &alias,
                "-destalias",
                &alias,
            ])
            .args(["-srcstorepass", PASSWORD, "-deststorepass", PASSWORD])
            .arg("-srckeystore")
            .arg(&single)
            .arg("-destkeystore")
            .arg(&merged));
    }
    merged
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
