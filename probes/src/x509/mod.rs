//! Certificates to facts: what one says, how those of a chain belong together, and what a verifying
//! client makes of them.

mod bundle;
mod chain;
mod container;
pub(crate) mod crl;
mod der;
mod distinguished;
mod facts;
mod issuer;
mod names;
pub(crate) mod ocsp;
mod pointers;
mod reason;
mod sct;
mod status;
mod trust;
mod verify;

pub use bundle::bundle;
pub use chain::{ChainFacts, chain_facts};
pub(crate) use container::certificates_in;
pub use container::pem;
pub(crate) use distinguished::{distinguished_name, issuer};
pub(crate) use facts::sha256;
pub use facts::{CertificateFacts, KeyFacts};
pub(crate) use issuer::{Issuer, is_issued_by, without_issuer};
pub use reason::{Problem, Reason, Verdict};
pub(crate) use sct::{Entry, list_in_certificate, list_in_ocsp, read_list};
pub use sct::{
    Log, LogFacts, LogId, LogList, LogListError, LogState, SCTS_OUTSIDE, SctFacts, SctSource,
    scts_suffice, scts_wanted,
};
pub use status::{RevocationStatus, StatusFacts, StatusProblem};
pub use trust::{Trust, TrustError};
pub(crate) use verify::verify;
