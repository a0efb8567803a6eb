//! One HTTP/1 answer read strictly (RFC 9112): bytes in, facts out, no I/O.
//!
//! A browser forgives much of what a load balancer does not. What is wrong with an answer is noted and
//! reading goes on for as long as it is clear where the answer ends. Nothing here says how bad it is.

mod facts;
mod lines;

pub use self::facts::{AnswerEnd, Framing, Problem, ProblemKind};
use self::lines::{Lines, field_problem};
use super::exchange::blank_line;
use super::response::{self, Head};
use crate::untrusted::Untrusted;

/// Bytes of a head that are read, at most: four times what AWS load balancers take.
const MOST_OF_HEAD: usize = 128 * 1024;
/// Bytes of a body that are read, at most.
const MOST_OF_BODY: u64 = 1024 * 1024;
/// Bytes of one answer, head, body and chunks, at most.
pub(crate) const MOST: usize = 2 * 1024 * 1024;
/// Bytes of a chunk's line, and of the trailer section, at most.
const MOST_OF_LINE: usize = 4 * 1024;
const MOST_OF_TRAILER: usize = 32 * 1024;
/// Interim answers before the final one, at most.
const MOST_INTERIM: u32 = 16;
/// Bytes that are kept of a body, and of what is no HTTP.
const KEPT: usize = 1024;
/// Problems that are kept.
const PROBLEMS: usize = 16;
/// The client connection preface's counterpart: a frame of type SETTINGS on stream 0 (RFC 9113 §3.4).
const SETTINGS_FRAME: usize = 9;

/// What came of reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Answer {
    pub(super) end: AnswerEnd,
    pub(super) head: Option<Head>,
    pub(super) head_bytes: u64,
    pub(super) framing: Option<Framing>,
    pub(super) declared: Option<u64>,
    pub(super) body_bytes: u64,
    pub(super) interim: u32,
    pub(super) problems: Vec<Problem>,
    /// The beginning of the body, or of what is no HTTP.
    pub(super) first: Vec<u8>,
}

/// How a connection ended, or did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Closed,
    Reset,
    /// Open, and nothing comes any more.
    Silence,
    /// Open, and still coming.
    OutOfTime,
}

/// Reads one answer.
#[derive(Debug)]
pub(super) struct Reader {
    answer: Answer,
    phase: Phase,
    /// What came and is not taken yet.
    pending: Vec<u8>,
    searched: usize,
    /// Whether the request was HEAD.
    of_head: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Head,
    Length(u64),
    UntilClose,
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailer(usize),
    Done,
}

impl Reader {
    /// A reader of the answer to GET, or to HEAD.
    pub(super) fn new(of_head: bool) -> Self {
        Self {
            answer: Answer::default(),
            phase: Phase::Head,
            pending: Vec::new(),
            searched: 0,
            of_head,
        }
    }

    /// Whether the answer is over: nothing more has to be read.
    pub(super) fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// Whether anything came.
    pub(super) fn has_begun(&self) -> bool {
        self.answer.head.is_some() || self.answer.interim > 0 || !self.pending.is_empty()
    }

    /// Takes bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.is_done() {
            self.after_end(bytes.len());
            return;
        }
        self.pending.extend_from_slice(bytes);
        while self.step() {}
        if self.is_done() && self.answer.end == AnswerEnd::Complete {
            let rest = self.pending.len();
            self.after_end(rest);
            self.pending.clear();
        }
    }

    /// The connection ended, or the time is up.
    pub(super) fn end(mut self, ending: Ending) -> Answer {
        if self.is_done() {
            return self.answer;
        }
        let ended = matches!(ending, Ending::Closed | Ending::Reset);
        if self.phase == Phase::UntilClose && ending == Ending::Closed {
            self.answer.end = AnswerEnd::Complete;
            return self.answer;
        }
        self.answer.end = match ending {
            _ if !self.has_begun() && ended => match ending {
                Ending::Reset => AnswerEnd::Reset,
                _ => AnswerEnd::Closed,
            },
            _ if !self.has_begun() => AnswerEnd::Silent,
            Ending::Closed | Ending::Reset => {
                let how = if ending == Ending::Reset {
                    "reset"
                } else {
                    "closed"
                };
                let (kind, detail) = if self.phase == Phase::Head {
                    let came = self.pending.len();
                    (
                        ProblemKind::HeadBrokenOff,
                        format!("{how} after {came} bytes of the head"),
                    )
                } else {
                    (
                        ProblemKind::BodyBrokenOff,
                        format!("{how} after {}", self.came()),
                    )
                };
                self.note(kind, detail);
                AnswerEnd::BrokenOff
            }
            Ending::OutOfTime => AnswerEnd::Unfinished,
            // A body without a length may pause for as long as it likes.
            Ending::Silence if self.phase == Phase::UntilClose => AnswerEnd::Unfinished,
            Ending::Silence => {
                if self.phase != Phase::Head {
                    self.note(ProblemKind::BodyStalled, self.came());
                }
                AnswerEnd::Stalled
            }
        };
        if self.phase == Phase::Head {
            self.keep_first();
        }
        self.answer
    }

    /// `1200 of 4096 bytes of the body`.
    fn came(&self) -> String {
        let came = self.answer.body_bytes;
        match self.answer.declared {
            Some(declared) => format!("{came} of {declared} bytes of the body"),
            None => format!("{came} bytes of the body, before its last chunk"),
        }
    }

    /// Goes on with what is there; whether there may be more to do.
    fn step(&mut self) -> bool {
        match self.phase {
            Phase::Head => self.head(),
            Phase::Length(left) => {
                let left = self.body(left);
                if left == 0 {
                    self.complete();
                } else if !self.is_done() {
                    self.phase = Phase::Length(left);
                }
                false
            }
            Phase::UntilClose => {
                self.body(u64::MAX);
                false
            }
            Phase::ChunkSize => self.chunk_size(),
            Phase::ChunkData(left) => {
                let left = self.body(left);
                if self.is_done() {
                    return false;
                }
                self.phase = if left == 0 {
                    Phase::ChunkEnd
                } else {
                    Phase::ChunkData(left)
                };
                left == 0
            }
            Phase::ChunkEnd => match self.pending.as_slice() {
                [b'\r', b'\n', ..] => self.take(2, Phase::ChunkSize),
                [b'\n', ..] => {
                    self.note(ProblemKind::BareLf, "behind a chunk");
                    self.take(1, Phase::ChunkSize)
                }
                [] | [b'\r'] => false,
                _ => self.malformed(ProblemKind::Chunk, "a chunk is longer than its size"),
            },
            Phase::Trailer(so_far) => self.trailer(so_far),
            Phase::Done => false,
        }
    }

    fn take(&mut self, bytes: usize, phase: Phase) -> bool {
        self.pending.drain(..bytes.min(self.pending.len()));
        self.phase = phase;
        true
    }

    fn complete(&mut self) {
        self.answer.end = AnswerEnd::Complete;
        self.phase = Phase::Done;
    }

    fn stop(&mut self, end: AnswerEnd) -> bool {
        self.answer.end = end;
        self.phase = Phase::Done;
        false
    }

    fn malformed(&mut self, kind: ProblemKind, detail: impl Into<Untrusted>) -> bool {
        self.note(kind, detail);
        self.stop(AnswerEnd::Malformed)
    }

    fn note(&mut self, kind: ProblemKind, detail: impl Into<Untrusted>) {
        let known = self.answer.problems.iter().any(|known| known.kind == kind);
        // One of each kind tells enough.
        if !known && self.answer.problems.len() < PROBLEMS {
            let detail = detail.into();
            self.answer.problems.push(Problem { kind, detail });
        }
    }

    fn after_end(&mut self, bytes: usize) {
        if bytes > 0 && self.answer.end == AnswerEnd::Complete {
            self.note(
                ProblemKind::BytesAfterEnd,
                format!("{bytes} bytes at least"),
            );
        }
    }

    fn keep_first(&mut self) {
        let room = KEPT.saturating_sub(self.answer.first.len());
        let first = self.pending.iter().take(room);
        self.answer.first.extend(first);
    }

    /// Takes so much of the body, at most; how much is left of it.
    fn body(&mut self, left: u64) -> u64 {
        let there = u64::try_from(self.pending.len()).unwrap_or(u64::MAX);
        let taken = there.min(left);
        let count = usize::try_from(taken).unwrap_or(self.pending.len());
        let room = KEPT.saturating_sub(self.answer.first.len());
        let first = self.pending.iter().take(count.min(room));
        self.answer.first.extend(first);
        self.pending.drain(..count.min(self.pending.len()));
        self.answer.body_bytes += taken;
        let left = left - taken;
        if self.answer.body_bytes > MOST_OF_BODY && left > 0 {
            self.stop(AnswerEnd::NotReadFurther);
        }
        left
    }

    fn head(&mut self) -> bool {
        if is_settings_frame(&self.pending) {
            return self.stop(AnswerEnd::Http2);
        }
        if self.pending.starts_with(&[21, 3]) {
            return self.stop(AnswerEnd::Tls);
        }
        // An alert of TLS, it may be.
        if self.pending == [21] {
            return false;
        }
        if self.pending.first() == Some(&0) && self.pending.len() < SETTINGS_FRAME {
            return false;
        }
        let lines = self
            .pending
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let empty = lines.count();
        let rest = self.pending.get(empty..).unwrap_or_default();
        let begins = b"HTTP/";
        if !begins.iter().zip(rest).all(|(one, other)| one == other) {
            self.keep_first();
            return self.stop(AnswerEnd::NotHttp);
        }
        if rest.len() < begins.len() {
            if empty > MOST_OF_HEAD {
                self.stop(AnswerEnd::HeadTooLarge);
            }
            return false;
        }
        if empty > 0 {
            self.note(ProblemKind::EmptyLineBefore, format!("{empty} bytes"));
            self.pending.drain(..empty);
            self.searched = 0;
        }
        let Some(length) = blank_line(&self.pending, self.searched) else {
            self.searched = self.pending.len().saturating_sub(3);
            if self.pending.len() > MOST_OF_HEAD {
                self.answer.head_bytes = self.pending.len() as u64;
                self.stop(AnswerEnd::HeadTooLarge);
            }
            return false;
        };
        let head: Vec<u8> = self.pending.drain(..length).collect();
        self.searched = 0;
        let lines = Lines::read(&head);
        for (kind, detail) in lines.problems {
            self.note(kind, detail);
        }
        let Some(status) = lines.status else {
            self.answer.first = head.into_iter().take(KEPT).collect();
            return self.stop(AnswerEnd::Malformed);
        };
        if status < 200 && status != 101 {
            self.answer.interim += 1;
            if self.answer.interim > MOST_INTERIM {
                return self.malformed(ProblemKind::Interim, "");
            }
            return true;
        }
        self.answer.head_bytes = length as u64;
        // As clients read it: for what is told of the answer besides its form.
        self.answer.head = response::head(&head).ok().map(|(head, _)| head);
        if status == 101 {
            return self.malformed(ProblemKind::SwitchingProtocols, "");
        }
        self.frame(status, lines.minor, &lines.lengths, &lines.codings)
    }

    /// Where the body ends (RFC 9112 §6.3).
    fn frame(&mut self, status: u16, minor: u8, lengths: &[Vec<u8>], codings: &[Vec<u8>]) -> bool {
        let mut declared = None;
        let members = || {
            let members = lengths
                .iter()
                .flat_map(|value| value.split(|byte| *byte == b','));
            members.map(<[u8]>::trim_ascii)
        };
        for member in members() {
            let digits = !member.is_empty() && member.iter().all(u8::is_ascii_digit);
            let number = std::str::from_utf8(member)
                .ok()
                .and_then(|text| text.parse().ok());
            let Some(number) = number.filter(|_| digits) else {
                let value = Untrusted::from_bytes(member);
                return self.malformed(ProblemKind::ContentLengthInvalid, value);
            };
            if let Some(other) = declared.filter(|declared| *declared != number) {
                let both = format!("{other} and {number}");
                return self.malformed(ProblemKind::ContentLengthConflict, both);
            }
            declared = Some(number);
        }
        if members().count() > 1 {
            self.note(ProblemKind::ContentLengthRepeated, "");
        }
        self.answer.declared = declared;
        let chunked = codings
            .last()
            .is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked"));
        if !codings.is_empty() {
            if declared.is_some() {
                self.note(ProblemKind::ContentLengthAndTransferEncoding, "");
            }
            if minor == 0 {
                self.note(ProblemKind::TransferEncoding, "in an answer of HTTP/1.0");
            } else if codings.len() > 1 || !chunked {
                let all = codings.join(b", ".as_slice());
                self.note(ProblemKind::TransferEncoding, Untrusted::from_bytes(&all));
            }
        }
        let (framing, phase) = match declared {
            _ if self.of_head || matches!(status, 204 | 304) => (Framing::None, Phase::Done),
            _ if chunked => (Framing::Chunked, Phase::ChunkSize),
            _ if !codings.is_empty() => (Framing::UntilClose, Phase::UntilClose),
            Some(0) => (Framing::ContentLength, Phase::Done),
            Some(length) => (Framing::ContentLength, Phase::Length(length)),
            None => (Framing::UntilClose, Phase::UntilClose),
        };
        if framing == Framing::Chunked {
            // What counts is where the last chunk is.
            self.answer.declared = None;
        }
        self.answer.framing = Some(framing);
        self.phase = phase;
        if phase == Phase::Done {
            self.complete();
        }
        true
    }

    /// A line that has come whole, without its end.
    fn line(&mut self, most: usize) -> Option<Result<Vec<u8>, ()>> {
        let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') else {
            return (self.pending.len() > most).then_some(Err(()));
        };
        let mut line: Vec<u8> = self.pending.drain(..=end).collect();
        line.pop();
        if line.pop_if(|byte| *byte == b'\r').is_none() {
            self.note(ProblemKind::BareLf, "in the chunked coding");
        }
        Some(if line.len() > most { Err(()) } else { Ok(line) })
    }

    fn chunk_size(&mut self) -> bool {
        let line = match self.line(MOST_OF_LINE) {
            None => return false,
            Some(Err(())) => return self.malformed(ProblemKind::Chunk, "a size line without end"),
            Some(Ok(line)) => line,
        };
        let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
        // White space before the extension is put up with ("BWS"); before the size it is not.
        let size = size.trim_ascii_end();
        let text = std::str::from_utf8(size).unwrap_or_default();
        let hex = !size.is_empty() && size.iter().all(u8::is_ascii_hexdigit);
        match u64::from_str_radix(text, 16).ok().filter(|_| hex) {
            Some(0) => self.phase = Phase::Trailer(0),
            Some(size) => self.phase = Phase::ChunkData(size),
            None => {
                let line = line.get(..64).unwrap_or(&line);
                return self.malformed(ProblemKind::Chunk, Untrusted::from_bytes(line));
            }
        }
        true
    }

    fn trailer(&mut self, so_far: usize) -> bool {
        let line = match self.line(MOST_OF_TRAILER) {
            None => return false,
            Some(Err(())) => return self.malformed(ProblemKind::Chunk, "a trailer without end"),
            Some(Ok(line)) => line,
        };
        if line.is_empty() {
            self.complete();
            return true;
        }
        let so_far = so_far + line.len();
        if so_far > MOST_OF_TRAILER {
            return self.malformed(ProblemKind::Chunk, "a trailer without end");
        }
        if let Some((kind, detail)) = field_problem(&line) {
            self.note(kind, detail);
        }
        self.phase = Phase::Trailer(so_far);
        true
    }
}

/// Whether it is how a server of HTTP/2 begins (RFC 9113 §3.4): a SETTINGS or GOAWAY frame, stream 0.
pub(crate) fn is_settings_frame(bytes: &[u8]) -> bool {
    match bytes.get(..SETTINGS_FRAME) {
        Some([0, high, low, 4, 0, 0, 0, 0, 0]) => {
            let length = usize::from(*high) << 8 | usize::from(*low);
            length.is_multiple_of(6)
        }
        Some([0, 0, length, 7, 0, 0, 0, 0, 0]) => *length >= 8,
        _ => false,
    }
}

/// What is read of these bytes in pieces of this length, for comparing: without what depends on how many
/// bytes were there at once.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn in_pieces(bytes: &[u8], length: usize) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut reader = Reader::new(false);
    for piece in bytes.chunks(length.max(1)) {
        reader.push(piece);
    }
    let answer = reader.end(Ending::Closed);
    let kinds: Vec<_> = answer.problems.iter().map(|problem| problem.kind).collect();
    let body = (answer.framing, answer.declared, answer.body_bytes);
    (
        answer.end,
        answer.head,
        answer.head_bytes,
        body,
        answer.interim,
        kinds,
    )
}

#[cfg(test)]
mod tests;
