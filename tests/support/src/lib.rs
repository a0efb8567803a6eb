//! Servers for the tests: scripted ones for what no real server here speaks, and real ones.
//!
//! - [`pki`]: certificates, good ones and every kind of bad one;
//! - [`scripted`]: a server that does what a TOML file says, and counts and keeps the hellos it saw;
//! - [`hostile`]: servers that mean harm;
//! - [`real`]: nginx, HAProxy, OpenSSL, GnuTLS and JSSE, started on a free loopback port;
//! - [`http`]: what certificates point to: responders, lists, issuers' certificates;
//! - [`front`]: what is said before TLS, in front of another server: STARTTLS, proxies;
//! - [`proxy`]: counts connections in front of another server;
//! - [`faults`]: stands in front of real servers and does to connections what middleboxes do;
//! - [`aws`]: AWS, replayed from files, and moto;
//! - [`tools`]: independent scanners, whose answers gladhand's are compared with;
//! - [`memory`]: what a program's memory came to;
//! - [`needs`]: what to do when such a program is not installed.
//!
//! Every server listens on the loopback only, and ends with the value that stands for it. Nothing
//! here shares code with gladhand: what the tests call true must not come from what they test.
//! A server that cannot start is a failed test, so these functions panic with the server's own words.
#![allow(clippy::missing_panics_doc)]
#![allow(clippy::expect_used, clippy::unwrap_used)]

pub mod aws;
pub mod clock;
pub mod faults;
pub mod front;
pub mod hostile;
pub mod http;
pub mod memory;
pub mod names;
pub mod needs;
pub mod net;
pub mod odd;
pub mod pki;
pub mod process;
pub mod proxy;
pub mod real;
pub mod scripted;
pub mod tools;
pub mod wire;
