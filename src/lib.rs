//! Opinions about what `gladhand-probes` observed: checks, findings, reports, and the command line.
//!
//! The checks are pure functions from observations to findings: they touch neither the network nor
//! the clock, so that a saved report can be judged again. Formats only render.

pub mod alb;
pub mod checks;
pub mod cli;
pub mod demo;
pub mod exit;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod gaps;
pub mod hello;
pub mod mozilla;
pub mod records;
pub mod report;
pub mod run;

pub use gladhand_probes as probes;
