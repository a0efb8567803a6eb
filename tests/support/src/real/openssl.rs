//! `openssl s_server`: one connection after the other.

use super::{RealServer, pem, permissive_openssl};
use crate::pki::{Issued, Pki};
use crate::process::{Daemon, Launch};

/// Starts `openssl s_server` with this chain and more arguments, such as `-tls1_3`.
pub fn s_server(pki: &Pki, chain: &[Issued], args: &[&str]) -> RealServer {
    let (leaf, above) = chain.split_first().expect("a certificate");
    let certificate = pki.chain_file([leaf]);
    let key = pki.key_file(leaf);
    let mut all = vec![
        "-cert".to_owned(),
        certificate.display().to_string(),
        "-key".to_owned(),
        key.display().to_string(),
        // Only what is given: s_server would complete the chain from the system's store.
        "-no-CApath".to_owned(),
        "-no-CAstore".to_owned(),
    ];
    if !above.is_empty() {
        let file = pki.file("pem", pem(above).as_bytes());
        all.extend(["-cert_chain".to_owned(), file.display().to_string()]);
    }
    all.extend(args.iter().map(ToString::to_string));
    start(pki, &all)
}

/// Starts `openssl s_server` with these arguments alone; the files may be of any making.
pub fn s_server_with(pki: &Pki, args: &[&str]) -> RealServer {
    let all: Vec<String> = args.iter().map(ToString::to_string).collect();
    start(pki, &all)
}

/// Starts `openssl s_server` without a certificate.
pub fn anonymous_s_server(pki: &Pki, args: &[&str]) -> RealServer {
    let mut all = vec!["-nocert".to_owned()];
    all.extend(args.iter().map(ToString::to_string));
    start(pki, &all)
}

fn start(pki: &Pki, args: &[String]) -> RealServer {
    let openssl = permissive_openssl(pki);
    RealServer::new(Daemon::start("openssl s_server", |port| {
        Launch::new("openssl")
            .arg("s_server")
            .args(["-accept", &format!("127.0.0.1:{port}"), "-www"])
            .args(args.iter().cloned())
            .env("OPENSSL_CONF", &openssl)
    }))
}
