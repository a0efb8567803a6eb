//! Hellos of a capture: pcap and pcapng, put together from packets as they were seen.

mod file;
mod flow;
mod flows;
mod link;
mod stream;
mod tls;

use std::io::Read;

use crate::hello::model::{CaptureFacts, Hello, Other};

pub use file::CaptureError;

/// What a capture holds.
#[derive(Clone, Debug, Default)]
pub struct Captured {
    /// The hellos, in the order in which they came.
    pub hellos: Vec<Hello>,
    /// Connections with TLS but without a hello that can be read.
    pub others: Vec<Other>,
    /// Hellos and others over the limit.
    pub left_out: usize,
    /// Counts.
    pub facts: CaptureFacts,
    /// Whether it was ended before the end of the file.
    pub interrupted: bool,
}

/// Reads a capture to its end, or until `stop` says so. A file that breaks off after a packet is read as
/// far as it goes.
///
/// # Errors
/// It cannot be read, or is no capture.
pub fn read(input: impl Read + Send, stop: impl Fn() -> bool) -> Result<Captured, CaptureError> {
    let mut flows = flows::Flows::default();
    let mut facts = CaptureFacts::default();
    let mut interrupted = false;
    file::frames(input, &mut facts, |facts, frame| {
        facts.packets += 1;
        facts.truncated += u64::from(frame.truncated);
        match link::segment(frame.link, frame.data) {
            link::Seen::Segment(segment) => {
                facts.segments += 1;
                flows.segment(&segment, frame.at);
            }
            link::Seen::Fragment => facts.fragments += 1,
            link::Seen::Udp443 => facts.udp_443 += 1,
            link::Seen::OtherIp => {}
            link::Seen::Undecoded => facts.undecoded += 1,
        }
        interrupted = stop();
        !interrupted
    })?;
    let mut captured = flows.end();
    facts.connections = captured.facts.connections;
    facts.without_tls = captured.facts.without_tls;
    captured.facts = facts;
    captured.interrupted = interrupted;
    Ok(captured)
}

#[cfg(test)]
mod tests;
