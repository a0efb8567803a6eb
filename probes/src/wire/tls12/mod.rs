//! A TLS 1.2 client of our own (RFC 5246), without I/O: as much as it takes to finish a handshake and to
//! ask for another one on the same connection, which rustls does not do.
//!
//! ECDHE with an AEAD, the extended master secret and secure renegotiation. It verifies Finished and
//! every record, but no certificate and no signature: it keeps nothing secret that matters.

mod client;
mod messages;
mod protection;
mod schedule;
mod suite;

#[cfg(test)]
mod tests;

use super::codec::DecodeError;
use super::messages::Alert;

pub(crate) use self::client::{Client, Event};
pub(crate) use self::messages::{NewSessionTicket, typ};

/// Why a connection cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    /// Bytes that are no TLS 1.2.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A fatal alert in the handshake.
    #[error("alert {} to ECDHE with an AEAD, without a client certificate", .0.description)]
    Alert(Alert),
    /// The server takes something that this client has not.
    #[error("the server takes {0}, with which no handshake can be finished here")]
    Unsupported(String),
    /// A message, or record, at a place where it may not stand.
    #[error("unexpected {0}")]
    Unexpected(String),
    /// What the cryptography does not accept; of a peer, or of this program.
    #[error("{0}")]
    Crypto(&'static str),
}
