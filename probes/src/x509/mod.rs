//! Certificates to facts: what one says, how those of a chain belong together, and what a verifying
//! client makes of them.

mod chain;
mod distinguished;
mod facts;
mod names;
mod reason;
mod trust;
mod verify;

pub use chain::{ChainFacts, chain_facts};
pub(crate) use distinguished::{distinguished_name, issuer};
pub(crate) use facts::sha256;
pub use facts::{CertificateFacts, KeyFacts};
pub use reason::{Problem, Reason, Verdict};
pub use trust::{Trust, TrustError};
pub(crate) use verify::verify;
