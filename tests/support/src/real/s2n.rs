//! s2n-tls with one of its security policies: what AWS's load balancers speak TLS with. `tests/run` builds it
//! from `benches/s2n-server`, where there is a C compiler.

use std::path::PathBuf;

use super::{RealServer, pem};
use crate::needs::leave_out_kindly;
use crate::pki::{Issued, Pki};
use crate::process::{Daemon, Launch};

/// Starts a server with this chain and policy, by AWS's name. It answers every request with an empty 200, and
/// closes. `None` where it is not built.
pub fn s2n(pki: &Pki, chain: &[Issued], policy: &str) -> Option<RealServer> {
    let program = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../.cache/tests/s2n-server"
    ));
    if !program.is_file() {
        leave_out_kindly("s2n-server (tests/run builds it)");
        return None;
    }
    let certificates = pki.file("pem", pem(chain).as_bytes());
    let key = pki.key_file(chain.first().expect("a certificate"));
    Some(RealServer::new(Daemon::start("s2n-server", |port| {
        Launch::new(&program.display().to_string())
            .arg(format!("127.0.0.1:{port}"))
            .arg(policy)
            .arg(&certificates)
            .arg(&key)
    })))
}
