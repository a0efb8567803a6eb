//! Certificates to facts: what one says, how those of a chain belong together, and what a verifying
//! client makes of them.

mod chain;
mod distinguished;
mod facts;
mod names;
mod reason;
mod sct;
mod trust;
mod verify;

pub use chain::{ChainFacts, chain_facts};
pub(crate) use distinguished::{distinguished_name, issuer};
pub(crate) use facts::sha256;
pub use facts::{CertificateFacts, KeyFacts};
pub use reason::{Problem, Reason, Verdict};
pub(crate) use sct::{Entry, list_in_certificate, list_in_ocsp, read_list};
pub use sct::{
    Log, LogFacts, LogId, LogList, LogListError, LogState, SCTS_OUTSIDE, SctFacts, SctSource,
    scts_suffice, scts_wanted,
};
pub use trust::{Trust, TrustError};
pub(crate) use verify::verify;
