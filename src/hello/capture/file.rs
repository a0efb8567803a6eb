//! The packets of a file, in pcap (both byte orders, micro- and nanoseconds) or pcapng.

use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, PoisonError};

use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{
    Block, InterfaceDescriptionBlock, LegacyPcapBlock, Linktype, PcapBlockOwned, PcapError,
    PcapHeader, create_reader,
};
use time::OffsetDateTime;

use crate::hello::model::CaptureFacts;

/// Bytes that are read at once, as long as no block needs more.
const BUFFER: usize = 64 * 1024;

/// Bytes of a pcap file's header.
const PCAP_HEADER: u64 = 24;

/// Bytes of a packet or another block, at most.
const MAX_BLOCK: usize = 16 << 20;

/// Interfaces of a pcapng section, at most.
const MAX_INTERFACES: usize = 4096;

/// Why there is nothing to read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The system does not give it.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// Something else.
    #[error("it is neither pcap nor pcapng")]
    NoCapture,
}

/// A packet as it was captured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) link: Linktype,
    pub(super) at: Option<OffsetDateTime>,
    pub(super) data: &'a [u8],
    /// Only the beginning was captured.
    pub(super) truncated: bool,
}

/// Gives each packet until `each` says that it is enough. A file that breaks off, or breaks, behind its
/// header is noted.
pub(super) fn frames(
    mut input: impl Read + Send,
    facts: &mut CaptureFacts,
    mut each: impl FnMut(&mut CaptureFacts, Frame<'_>) -> bool,
) -> Result<(), CaptureError> {
    // A pipe may give less at first than pcap-parser takes for a header.
    let mut begin = Vec::new();
    input.by_ref().take(PCAP_HEADER).read_to_end(&mut begin)?;
    let rest = section_header(&begin).saturating_sub(PCAP_HEADER);
    input.by_ref().take(rest).read_to_end(&mut begin)?;
    let failure = Arc::default();
    let rest = Remembering {
        input,
        failure: Arc::clone(&failure),
    };
    let Ok(mut reader) = create_reader(
        BUFFER,
        Joined {
            begin: Cursor::new(begin),
            rest,
        },
    ) else {
        return Err(failed(&failure).map_or(CaptureError::NoCapture, Into::into));
    };
    let mut kind = Kind::Ng(Vec::new());
    let mut capacity = BUFFER;
    loop {
        let problem = match reader.next() {
            Ok((length, block)) => {
                let more = kind.block(&block, facts, &mut each);
                drop(block);
                reader.consume(length);
                if more {
                    continue;
                }
                return Ok(());
            }
            Err(PcapError::Eof) => return Ok(()),
            Err(PcapError::Incomplete(_)) => {
                let before = (reader.data().len(), reader.reader_exhausted());
                if reader.refill().is_err() {
                    Problem::Unreadable
                } else if before == (reader.data().len(), reader.reader_exhausted()) {
                    Problem::TooSmall
                } else {
                    continue;
                }
            }
            Err(PcapError::BufferTooSmall) => Problem::TooSmall,
            Err(PcapError::UnexpectedEof) => Problem::Told("the file breaks off inside a packet"),
            Err(PcapError::ReadError) => Problem::Unreadable,
            Err(_) => Problem::Told("the file is broken behind the last packet that was read"),
        };
        let told = match problem {
            Problem::TooSmall if capacity < MAX_BLOCK => {
                capacity *= 2;
                reader.grow(capacity);
                if reader.refill().is_ok() {
                    continue;
                }
                unreadable(&failure)
            }
            Problem::TooSmall => "a packet announces more than 16 MiB".into(),
            Problem::Unreadable => unreadable(&failure),
            Problem::Told(why) => why.into(),
        };
        if facts.packets == 0 && facts.format.is_empty() {
            return Err(failed(&failure).map_or(CaptureError::NoCapture, Into::into));
        }
        facts.cut_short = Some(told);
        return Ok(());
    }
}

/// Bytes of the first block of a pcapng file, by its own words and within reason; none where it is another
/// file.
fn section_header(begin: &[u8]) -> u64 {
    let word = |at: usize| begin.get(at..).and_then(|rest| rest.first_chunk::<4>());
    let (Some([0x0A, 0x0D, 0x0D, 0x0A]), Some(length), Some(order)) = (word(0), word(4), word(8))
    else {
        return 0;
    };
    let length = match order {
        [0x1A, 0x2B, 0x3C, 0x4D] => u32::from_be_bytes(*length),
        _ => u32::from_le_bytes(*length),
    };
    u64::from(length).min(BUFFER as u64 / 2)
}

enum Problem {
    TooSmall,
    Unreadable,
    Told(&'static str),
}

/// The error of the system that pcap-parser leaves out.
type Failure = Arc<Mutex<Option<io::Error>>>;

fn failed(failure: &Failure) -> Option<io::Error> {
    failure
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
}

fn unreadable(failure: &Failure) -> String {
    match failed(failure) {
        Some(error) => format!("the file cannot be read further: {error}"),
        None => "the file cannot be read further".into(),
    }
}

struct Remembering<R> {
    input: R,
    failure: Failure,
}

impl<R: Read> Read for Remembering<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer);
        if let Err(error) = &read {
            let kept = io::Error::new(error.kind(), error.to_string());
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        }
        read
    }
}

/// What was read already, and the rest behind it. Unlike `chain`, the first read gives all of it at once.
struct Joined<R> {
    begin: Cursor<Vec<u8>>,
    rest: R,
}

impl<R: Read> Read for Joined<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.begin.read(buffer)?;
        if read > 0 {
            return Ok(read);
        }
        self.rest.read(buffer)
    }
}

/// What is known of the file besides its packets.
enum Kind {
    Legacy(PcapHeader),
    /// The interfaces of the section.
    Ng(Vec<Interface>),
}

#[derive(Clone, Copy)]
struct Interface {
    link: Linktype,
    snaplen: u32,
    /// Units of a timestamp in a second.
    resolution: u128,
    /// Seconds to add.
    offset: i64,
}

impl Kind {
    fn block(
        &mut self,
        block: &PcapBlockOwned<'_>,
        facts: &mut CaptureFacts,
        each: &mut impl FnMut(&mut CaptureFacts, Frame<'_>) -> bool,
    ) -> bool {
        let frame = match (block, &mut *self) {
            (PcapBlockOwned::LegacyHeader(header), _) => {
                facts.format = "pcap".into();
                *self = Self::Legacy(header.clone());
                return true;
            }
            (PcapBlockOwned::Legacy(packet), Self::Legacy(header)) => legacy(header, packet),
            (PcapBlockOwned::NG(block), Self::Ng(interfaces)) => {
                facts.format = "pcapng".into();
                match next_generation(interfaces, block) {
                    Ok(Some(frame)) => frame,
                    Ok(None) => return true,
                    Err(NoInterface) => {
                        facts.packets += 1;
                        facts.undecoded += 1;
                        return true;
                    }
                }
            }
            _ => return true,
        };
        each(facts, frame)
    }
}

fn legacy<'a>(header: &PcapHeader, packet: &'a LegacyPcapBlock<'a>) -> Frame<'a> {
    let unit = if header.is_nanosecond_precision() {
        1
    } else {
        1000
    };
    let nanoseconds = i128::from(packet.ts_sec) * 1_000_000_000 + i128::from(packet.ts_usec) * unit;
    let kept = usize::try_from(packet.caplen).unwrap_or(usize::MAX);
    Frame {
        link: header.network,
        at: OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok(),
        data: packet.data.get(..kept).unwrap_or(packet.data),
        truncated: packet.caplen < packet.origlen,
    }
}

/// A packet of an interface that the section does not describe.
struct NoInterface;

/// The packet of a block, if it has one.
fn next_generation<'a>(
    interfaces: &mut Vec<Interface>,
    block: &'a Block<'_>,
) -> Result<Option<Frame<'a>>, NoInterface> {
    match block {
        Block::SectionHeader(_) => interfaces.clear(),
        Block::InterfaceDescription(described) if interfaces.len() < MAX_INTERFACES => {
            interfaces.push(interface(described));
        }
        Block::EnhancedPacket(packet) => {
            let id = usize::try_from(packet.if_id).unwrap_or(usize::MAX);
            let interface = *interfaces.get(id).ok_or(NoInterface)?;
            let units = (u128::from(packet.ts_high) << 32) | u128::from(packet.ts_low);
            return Ok(Some(Frame {
                link: interface.link,
                at: interface.time(units),
                data: packet.packet_data(),
                truncated: packet.caplen < packet.origlen,
            }));
        }
        Block::SimplePacket(packet) => {
            let interface = *interfaces.first().ok_or(NoInterface)?;
            let whole = usize::try_from(packet.origlen).unwrap_or(usize::MAX);
            let limit = match interface.snaplen {
                0 => usize::MAX,
                snaplen => usize::try_from(snaplen).unwrap_or(usize::MAX),
            };
            let kept = whole.min(limit).min(packet.data.len());
            return Ok(Some(Frame {
                link: interface.link,
                at: None,
                data: packet.data.get(..kept).unwrap_or_default(),
                truncated: kept < whole,
            }));
        }
        _ => {}
    }
    Ok(None)
}

fn interface(described: &InterfaceDescriptionBlock<'_>) -> Interface {
    // A power of ten, or of two where the highest bit says so.
    let exponent = u32::from(described.if_tsresol & 0x7F);
    let base = if described.if_tsresol & 0x80 == 0 {
        10_u128
    } else {
        2
    };
    Interface {
        link: described.linktype,
        snaplen: described.snaplen,
        resolution: base.checked_pow(exponent).unwrap_or(u128::MAX),
        offset: described.if_tsoffset,
    }
}

impl Interface {
    fn time(self, units: u128) -> Option<OffsetDateTime> {
        let nanoseconds = if self.resolution == 1_000_000_000 {
            units
        } else {
            units.checked_mul(1_000_000_000)? / self.resolution
        };
        let offset = i128::from(self.offset).checked_mul(1_000_000_000)?;
        let total = i128::try_from(nanoseconds).ok()?.checked_add(offset)?;
        OffsetDateTime::from_unix_timestamp_nanos(total).ok()
    }
}
