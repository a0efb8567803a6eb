//! AWS for the tests: answers as they are on the wire, and moto.

mod fake;
mod moto;

pub use fake::{AwsCall, FakeAws, Reply};
pub use moto::{Moto, moto};
