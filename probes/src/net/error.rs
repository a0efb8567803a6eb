//! Why there is no connection.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::opening::{Failure, StartTls};

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "net", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NetError {
    /// The resolver has no address for the name.
    #[error("`{name}` does not resolve: {why}")]
    Resolve {
        /// The name.
        name: String,
        /// What the system's resolver said.
        why: String,
    },
    /// There are addresses, but none of the family that was asked for.
    #[error("`{name}` has no {family} address (it has {others})")]
    NoAddress {
        /// The name.
        name: String,
        /// `IPv4` or `IPv6`.
        family: String,
        /// The addresses that it has.
        others: String,
    },
    /// RST in answer to SYN: nothing listens, or a firewall says so.
    #[error("connection refused")]
    Refused,
    /// RST before anything could be sent: made, and dropped at once.
    #[error("the connection was reset as soon as it was made")]
    Reset,
    /// No answer to SYN: a firewall or security group drops it, or the host is down.
    #[error("no answer to the connection attempt within {seconds} s")]
    Timeout {
        /// How long it was waited, in seconds.
        seconds: String,
    },
    /// The network says that there is no way there.
    #[error("unreachable: {why}")]
    Unreachable {
        /// What the system said.
        why: String,
    },
    /// Anything else that the system said.
    #[error("no connection: {why}")]
    Other {
        /// What the system said.
        why: String,
    },
    /// The proxy that connections go through does not make one.
    #[error("no connection through {proxy}: {why}")]
    Via {
        /// The proxy, without user and password.
        proxy: String,
        /// What it said, or why it cannot be reached.
        why: String,
    },
    /// The server does not begin with TLS where it is asked to.
    #[error("no STARTTLS for {protocol}: {failure}")]
    StartTls {
        /// The protocol in which it was asked.
        protocol: StartTls,
        /// What became of it.
        failure: Failure,
    },
    /// The endpoint's time was used up before this could be asked.
    #[error("the endpoint's deadline of {seconds} s was used up")]
    Deadline {
        /// The deadline, in seconds.
        seconds: String,
    },
    /// The endpoint's connections were used up before this could be asked.
    #[error("the endpoint's budget of {limit} connections was used up")]
    Budget {
        /// The budget.
        limit: u32,
    },
    /// The run was interrupted before this could be asked.
    #[error("interrupted")]
    Interrupted,
}
