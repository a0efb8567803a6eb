//! The wire, without I/O: hellos from SSLv2 to TLS 1.3 with any code point in any field, and what a
//! server sends back in clear.
//!
//! Encoding takes every value as given, sensible or not. Decoding trusts nothing: lengths are
//! checked, sizes are bounded ([`MAX_MESSAGE`], [`record::MAX_FRAGMENT`]), unknown values survive.

pub mod client_hello;
pub mod client_hello_read;
pub mod codec;
pub mod flight;
pub(crate) mod handshake;
pub mod key_share;
pub mod messages;
pub mod names;
pub mod record;
pub mod registry;
pub mod ssl2;
pub(crate) mod tls12;

pub use codec::{DecodeError, MAX_MESSAGE};
