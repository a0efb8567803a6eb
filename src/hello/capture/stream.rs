//! One direction of a TCP connection, put in order: out of order, sent twice, overlapping, or seen from
//! its middle on. What came first counts.

use std::collections::{BTreeMap, VecDeque};

/// Bytes that wait for one that is missing, at most: after that it counts as lost.
const MAX_WAITING: usize = 256 * 1024;

/// Segments that wait, at most.
const MAX_SEGMENTS: usize = 1024;

/// Segments from before a beginning that was not seen, at most: what comes next may be among them.
const MAX_EARLY: usize = 8;

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The sequence number that comes next; none before the first segment whose place is known.
    next: Option<u32>,
    /// Where [`next`](Self::next) stands, counted from the middle, so that what is earlier has a place.
    position: i64,
    /// What cannot be given yet, by its place.
    waiting: BTreeMap<i64, Vec<u8>>,
    /// What came before any place was known.
    early: VecDeque<(u32, Vec<u8>)>,
    bytes: usize,
    /// Segments of the beginning were not captured.
    begun_late: bool,
    /// Something is missing for good.
    lost: bool,
}

impl Stream {
    /// Whether it is seen from its first byte on.
    pub(super) const fn is_whole(&self) -> bool {
        !self.begun_late
    }

    /// Whether something is missing.
    pub(super) fn has_gap(&self) -> bool {
        self.lost || !self.waiting.is_empty()
    }

    /// Bytes that are kept.
    pub(super) const fn held(&self) -> usize {
        self.bytes
    }

    /// The connection begins with this sequence number.
    pub(super) fn syn(&mut self, sequence: u32) {
        if self.next.is_none() {
            self.next = Some(sequence.wrapping_add(1));
        }
    }

    /// Takes a segment, and gives what is in order now. `begins` says whether a segment is one to begin
    /// with where the beginning of the connection was not seen.
    pub(super) fn push(
        &mut self,
        sequence: u32,
        payload: &[u8],
        begins: impl Fn(&[u8]) -> bool,
        mut give: impl FnMut(&[u8]),
    ) {
        if payload.is_empty() || self.lost {
            return;
        }
        if self.next.is_none() {
            if !begins(payload) {
                self.keep_early(sequence, payload);
                return;
            }
            self.begun_late = true;
            self.next = Some(sequence);
            for (sequence, payload) in std::mem::take(&mut self.early) {
                self.bytes -= payload.len();
                let place = self.place(sequence);
                if place > 0 {
                    self.keep(place, &payload);
                }
            }
        }
        let place = self.place(sequence);
        if let Some(fresh) = self.fresh(place, payload) {
            self.advance(fresh.len());
            give(fresh);
        } else if place > self.position {
            self.keep(place, payload);
        }
        while let Some((place, payload)) = self.waiting.pop_first() {
            if place > self.position {
                self.waiting.insert(place, payload);
                break;
            }
            self.bytes -= payload.len();
            if let Some(fresh) = self.fresh(place, &payload) {
                self.advance(fresh.len());
                give(fresh);
            }
        }
    }

    /// Where a segment stands.
    fn place(&self, sequence: u32) -> i64 {
        self.position + self.next.map_or(0, |next| distance(next, sequence))
    }

    fn keep_early(&mut self, sequence: u32, payload: &[u8]) {
        if self.early.len() >= MAX_EARLY
            && let Some((_, oldest)) = self.early.pop_front()
        {
            self.bytes -= oldest.len();
        }
        self.bytes += payload.len();
        self.early.push_back((sequence, payload.to_vec()));
    }

    /// What of a segment comes next; none where it comes later, or came before.
    fn fresh<'a>(&self, place: i64, payload: &'a [u8]) -> Option<&'a [u8]> {
        let known = usize::try_from(self.position - place).ok()?;
        payload.get(known..).filter(|rest| !rest.is_empty())
    }

    fn advance(&mut self, length: usize) {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.position += i64::from(length);
        self.next = self.next.map(|next| next.wrapping_add(length));
    }

    fn keep(&mut self, place: i64, payload: &[u8]) {
        let known = self.waiting.get(&place).map_or(0, Vec::len);
        if payload.len() <= known {
            return;
        }
        self.bytes = self.bytes - known + payload.len();
        self.waiting.insert(place, payload.to_vec());
        if self.bytes > MAX_WAITING || self.waiting.len() > MAX_SEGMENTS {
            self.lost = true;
            self.waiting.clear();
            self.bytes = 0;
        }
    }
}

/// Nearer than half of all numbers, before or behind.
fn distance(from: u32, to: u32) -> i64 {
    i64::from(to.wrapping_sub(from).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a stream gives for these segments: sequence number and bytes.
    fn given(syn: Option<u32>, segments: &[(u32, &str)]) -> (String, Stream) {
        let mut stream = Stream::default();
        if let Some(syn) = syn {
            stream.syn(syn);
        }
        let mut all = Vec::new();
        for (sequence, payload) in segments {
            let begins = |payload: &[u8]| payload.first() == Some(&b'<');
            stream.push(*sequence, payload.as_bytes(), begins, |bytes| {
                all.extend_from_slice(bytes);
            });
        }
        (String::from_utf8(all).unwrap(), stream)
    }

    #[test]
    fn puts_segments_in_order() {
        for segments in [
            [(1, "abc"), (4, "def"), (7, "ghi")],
            [(7, "ghi"), (4, "def"), (1, "abc")],
            [(4, "defg"), (1, "abcd"), (7, "ghi")],
            [(4, "d"), (4, "defghi"), (1, "abc")],
        ] {
            let (all, stream) = given(Some(0), &segments);
            assert_eq!(all, "abcdefghi", "{segments:?}");
            assert!(!stream.has_gap() && stream.held() == 0);
            assert!(stream.is_whole());
        }
    }

    #[test]
    fn what_came_first_counts() {
        assert_eq!(
            given(Some(0), &[(1, "abc"), (1, "xyz"), (2, "xyzd")]).0,
            "abczd"
        );
    }

    #[test]
    fn sequence_numbers_wrap() {
        let (all, _) = given(Some(u32::MAX - 2), &[(3, "fg"), (u32::MAX - 1, "abcde")]);
        assert_eq!(all, "abcdefg");
    }

    #[test]
    fn begins_in_the_middle_where_something_begins() {
        let (all, stream) = given(
            None,
            &[(500, "xyz"), (600, "<ab"), (596, "xxxx"), (603, "c>")],
        );
        assert_eq!(all, "<abc>");
        assert!(!stream.is_whole());
        assert_eq!(
            given(None, &[(503, "cd>"), (90, "x"), (500, "<ab")]).0,
            "<abcd>"
        );
    }

    #[test]
    fn a_loss_is_no_reason_to_wait_for_ever() {
        let mut stream = Stream::default();
        stream.syn(0);
        let mut given = 0;
        for number in 1..5000_u32 {
            stream.push(
                number * 1000,
                &[7; 1000],
                |_| true,
                |bytes| given += bytes.len(),
            );
            assert!(stream.held() <= MAX_WAITING + 1000);
        }
        assert!(stream.has_gap());
        assert_eq!((given, stream.held()), (0, 0));
    }
}
