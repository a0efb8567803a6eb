//! Names to addresses, connections, deadlines, limits. No sockets anywhere else.

pub(crate) mod connect;
mod error;
pub(crate) mod gate;
pub mod opening;
pub(crate) mod resolve;

pub use error::NetError;
