//! What clients offer: a hello as facts, and its fingerprints; load balancers as clients of their targets.

pub mod balancer;
pub mod fingerprint;
pub mod offer;

pub use balancer::{BalancerClient, BalancerError, BalancerKind};
pub use offer::{ExtensionName, Offer};
