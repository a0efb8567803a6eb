//! Python's `http.server`, as it is often put behind a load balancer to try one out.

use super::RealServer;
use crate::process::{Daemon, Launch};

/// Starts it without TLS, speaking `HTTP/1.0` or `HTTP/1.1`, over a folder with two files.
pub fn python_http(protocol: &str) -> RealServer {
    RealServer::new(Daemon::start("python3 -m http.server", |port| {
        Launch::new("python3")
            .args(["-m", "http.server", "--bind", "127.0.0.1", "--protocol"])
            .args([
                protocol,
                "--directory",
                concat!(env!("CARGO_MANIFEST_DIR"), "/js"),
            ])
            .arg(port.to_string())
    }))
}
