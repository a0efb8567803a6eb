//! End to end: the built program against real and scripted servers on the loopback.
//!
//! One binary, so that it links once. Every test starts what it needs and ends it; time limits guard
//! against hanging and measure nothing.

mod alb;
#[cfg(feature = "aws")]
mod aws_collect;
mod backend;
mod certificates;
mod client_auth;
mod connections;
mod deadlines;
mod demo;
mod error_lines;
mod exit_codes;
mod explain;
mod fault_matrix;
mod fault_page;
mod fault_rows;
mod features;
mod gnutls;
mod haproxy;
mod harness;
mod hello;
mod hostile;
mod http;
mod intolerance;
mod issuers;
mod jsse;
mod keep_alive;
mod key_types;
mod large_hello;
mod many_targets;
mod mozilla;
mod narrow_path;
mod nginx;
mod node;
mod odd_certificates;
mod openings;
mod output;
mod panics;
mod plaintext;
mod policies;
mod raw;
mod readme;
mod records;
mod revocation;
mod s_server;
mod scenarios;
mod sessions;
mod sni;
mod stapling;
mod swarm;
mod target_response;
mod transparency;
