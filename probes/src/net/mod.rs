//! Names to addresses, connections, deadlines, limits. No sockets anywhere else.

pub(crate) mod connect;
mod error;
pub(crate) mod fetch;
pub(crate) mod gate;
pub mod opening;
pub(crate) mod resolve;
mod scope;

pub use error::NetError;
pub use scope::{Nearness, nearness};
