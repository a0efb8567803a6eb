//! One probe, one file: each puts one question to a TLS endpoint and returns what it saw.

pub mod alpn;
pub mod certificate;
pub mod compression;
pub mod dh_parameters;
pub mod encrypt_then_mac;
pub mod extended_master_secret;
pub mod fallback_scsv;
pub mod groups;
pub mod handshake;
pub mod intolerance;
pub mod large_hello;
pub mod limits;
pub mod nodes;
pub mod quirks;
pub mod reach;
pub mod renegotiation;
pub mod signature_algorithms;
pub mod sni;
pub mod suites;
pub mod verification;
pub mod versions;

pub(crate) mod ask;
pub(crate) mod clear;
pub(crate) mod enumerate;
pub(crate) mod hellos;
pub(crate) mod order;
pub(crate) mod parts;
pub(crate) mod session;
