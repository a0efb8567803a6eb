//! What clients offer: a hello as facts, and its fingerprints.

pub mod fingerprint;
pub mod offer;

pub use offer::{ExtensionName, Offer};
