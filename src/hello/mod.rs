//! What clients offer: the hellos of clients that connect, or of a capture; what the server answered; and
//! what is missing for a given counterpart.
//!
//! `probes` reads a hello; here it comes from a listener ([`listen`]) or a file ([`capture`]) and is held
//! against a server or a policy ([`against`]). Clients and captures are hostile: everything is bounded.

pub mod against;
pub mod capture;
pub mod counterpart;
pub mod listen;
pub mod model;
pub mod room;
pub(crate) mod text;
