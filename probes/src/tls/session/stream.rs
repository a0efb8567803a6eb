//! A connection for whoever speaks HTTP over it: with a TLS session, or without.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{ClientIdentity, SessionSpec, config, provider, record, server_name};
use crate::net::NetError;
use crate::net::connect::Connection;
use crate::target::Endpoint;
use crate::wire::registry::AlertDescription;

/// What HTTP goes over.
#[derive(Debug)]
pub(crate) enum Stream<'a> {
    /// Without TLS.
    Plain(Connection<'a>),
    /// With TLS.
    Tls(Box<TlsStream<Connection<'a>>>),
}

impl<'a> Stream<'a> {
    /// Makes a handshake on a connection; every certificate is accepted. Where it fails, why, and by
    /// which alert.
    ///
    /// # Errors
    /// The endpoint's time is used up, or the run is interrupted.
    pub(crate) async fn tls(
        connection: Connection<'a>,
        spec: &SessionSpec,
        endpoint: &Endpoint,
        identity: Option<&ClientIdentity>,
    ) -> Result<Result<Self, (String, Option<AlertDescription>)>, NetError> {
        let recorder = Arc::new(record::Recorder::new(
            provider(),
            identity.cloned(),
            &spec.schemes,
        ));
        let config = match config(&recorder, spec) {
            Ok(config) => config,
            Err(error) => return Ok(Err((error.to_string(), None))),
        };
        let name = server_name(spec, endpoint.address.ip());
        let limit = connection.limit();
        let connector = TlsConnector::from(Arc::new(config));
        Ok(
            match limit.run(connector.connect(name, connection)).await? {
                Some(Ok(stream)) => Ok(Self::Tls(Box::new(stream))),
                Some(Err(error)) => Err(told(&error)),
                None => {
                    let why = "the server stopped answering in the handshake";
                    Err((why.into(), None))
                }
            },
        )
    }

    /// The protocol that was agreed on by ALPN.
    pub(crate) fn alpn(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => stream.get_ref().1.alpn_protocol(),
        }
    }
}

/// Why a handshake failed, in words, and by which alert.
fn told(error: &io::Error) -> (String, Option<AlertDescription>) {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(Error::AlertReceived(alert)) => {
            let alert = AlertDescription((*alert).into());
            (format!("alert {alert} from the server"), Some(alert))
        }
        _ => (error.to_string(), None),
    }
}

impl AsyncRead for Stream<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
