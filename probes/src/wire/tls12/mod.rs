//! A TLS 1.2 client of our own (RFC 5246), without I/O.

mod messages;

pub(crate) use self::messages::{Messages, NewSessionTicket, typ};
