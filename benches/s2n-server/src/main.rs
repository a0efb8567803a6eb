//! `s2n-server ADDRESS:PORT POLICY CHAIN.pem KEY.pem`: serves TLS with an s2n-tls security policy,
//! such as `ELBSecurityPolicy-2016-08`, and answers every request with an empty 200.

use std::error::Error;
use std::sync::Arc;

use s2n_tls::config::Config;
use s2n_tls::security::Policy;
use s2n_tls_tokio::TlsAcceptor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, policy, chain, key] = args.as_slice() else {
        return Err("arguments: ADDRESS:PORT POLICY CHAIN.pem KEY.pem".into());
    };
    let mut config = Config::builder();
    config.set_security_policy(&Policy::from_version(policy)?)?;
    config.load_pem(&std::fs::read(chain)?, &std::fs::read(key)?)?;
    // s2n-tls waits up to 30 s before it ends a connection that failed oddly. A load balancer does not
    // keep its clients waiting, and a benchmark measures scanners.
    config.set_max_blinding_delay(0)?;
    let acceptor = Arc::new(TlsAcceptor::new(config.build()?));
    let listener = TcpListener::bind(address).await?;
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let acceptor = Arc::clone(&acceptor);
        tokio::spawn(async move { serve(&acceptor, stream).await });
    }
}

/// What a client does wrong is its own business.
async fn serve(acceptor: &TlsAcceptor<Config>, stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut stream = acceptor.accept(stream).await.ok()?;
    let mut request = [0; 4096];
    let _ = stream.read(&mut request).await.ok()?;
    stream.write_all(ANSWER).await.ok()?;
    stream.shutdown().await.ok()
}
