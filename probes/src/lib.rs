//! Facts about a TLS endpoint.
//!
//! This crate *observes*: it turns a [`target::Target`] into serialisable [`Observations`] and never
//! says that anything is good or bad. It prints nothing, reads no wall clock (the time comes in
//! through [`Settings::now`]) and opens connections in one place only, [`net`].
//!
//! - [`wire`]: a sans-IO codec, hellos from SSLv2 to TLS 1.3 with any code point in any field;
//! - [`net`]: names to addresses, connections, deadlines, the connection budget;
//! - [`tls`]: one probe, one file;
//! - [`http`]: one request over a session;
//! - [`x509`]: certificates to facts;
//! - [`aws`]: load balancers as AWS describes them;
//! - [`mozilla`]: what the profiles of Mozilla's guidelines allow, as data;
//! - [`scan`]: runs the probes of an endpoint, stage by stage.
#![warn(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::todo
)]

pub mod aws;
pub mod clients;
pub mod cx;
pub mod elb_policies;
pub mod fact;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod http;
pub(crate) mod lock;
pub mod mozilla;
pub mod net;
pub mod observations;
pub mod probe;
pub mod scan;
pub mod settings;
pub(crate) mod steadiness;
pub mod target;
pub mod tls;
pub mod untrusted;
pub mod wire;
pub mod x509;

pub use fact::{Answer, Attempt, Fact};
pub use observations::Observations;
pub use probe::ProbeError;
pub use settings::Settings;
pub use target::Target;
pub use untrusted::Untrusted;
