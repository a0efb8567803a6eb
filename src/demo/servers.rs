//! The demo's servers: each accepts connections on a free port of the loopback until it is aborted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::pki::{Leaf, Pki};
use super::{DemoError, LOOPBACK};

/// No connection of the demo lives longer.
const LONGEST: Duration = Duration::from_secs(30);

/// What nginx answers to a ClientHello on a port without `ssl`.
const BAD_REQUEST: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nServer: demo\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// How a server answers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Behaviour {
    /// TLS 1.2 and 1.3 with this certificate.
    Tls(Leaf),
    /// TLS 1.2 with a good certificate.
    Tls12Only,
    /// HTTP without TLS.
    PlaintextHttp,
    /// Nothing.
    Silent,
}

/// Starts a server; returns where it listens.
pub(super) async fn start(
    behaviour: Behaviour,
    host: &str,
    pki: &Pki,
) -> Result<(SocketAddr, JoinHandle<()>), DemoError> {
    const ALL: &[&rustls::SupportedProtocolVersion] =
        &[&rustls::version::TLS13, &rustls::version::TLS12];
    const TLS12: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];
    let acceptor = match behaviour {
        Behaviour::Tls(leaf) => Some(acceptor(pki, host, leaf, ALL)?),
        Behaviour::Tls12Only => Some(acceptor(pki, host, Leaf::Good, TLS12)?),
        Behaviour::PlaintextHttp | Behaviour::Silent => None,
    };
    let listener = TcpListener::bind(LOOPBACK).await?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let serving = serve(behaviour, acceptor, stream);
                let _ = tokio::time::timeout(LONGEST, serving).await;
            });
        }
    });
    Ok((address, task))
}

/// One connection, until the client ends it. Its errors are the client's to see.
async fn serve(behaviour: Behaviour, acceptor: Option<TlsAcceptor>, mut stream: TcpStream) {
    let mut sink = [0; 4096];
    match (acceptor, behaviour) {
        (Some(acceptor), _) => {
            let Ok(mut tls) = acceptor.accept(stream).await else {
                return;
            };
            while tls.read(&mut sink).await.is_ok_and(|read| read > 0) {}
            let _ = tls.shutdown().await;
        }
        (None, Behaviour::PlaintextHttp) => {
            if stream.read(&mut sink).await.is_ok_and(|read| read > 0) {
                let _ = stream.write_all(BAD_REQUEST).await;
                let _ = stream.shutdown().await;
            }
        }
        (None, _) => while stream.read(&mut sink).await.is_ok_and(|read| read > 0) {},
    }
}

fn acceptor(
    pki: &Pki,
    host: &str,
    leaf: Leaf,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Result<TlsAcceptor, DemoError> {
    let identity = pki.identity(host, leaf)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_single_cert(identity.chain, identity.key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
