//! Reads a log of any size in bounded memory, gzip or not, and hands over the lines that may matter.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use memchr::{memchr, memchr_iter, memrchr};

use super::groups::Groups;

/// Bytes read at once, and the longest line that is looked at as one.
const CHUNK: usize = 512 * 1024;

/// Bytes of a long line before what may match, and behind it.
const BEFORE: usize = 8 * 1024;
const BEHIND: usize = 56 * 1024;

/// Reads an input to its end, or until `stop`.
///
/// # Errors
/// What reading gave: a file that goes away, gzip that is damaged. What came before is in the groups.
pub fn scan(
    input: impl Read,
    name: Option<&str>,
    groups: &mut Groups<'_>,
    stop: impl Fn() -> bool,
) -> io::Result<()> {
    groups.begin(name);
    let mut input = input;
    let mut head = Vec::new();
    // Both bytes, however few a pipe gives at once.
    while head.len() < 2 && !stop() {
        let mut byte = [0];
        match input.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => head.extend(byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let is_gzip = head == [0x1f, 0x8b];
    let whole = io::Cursor::new(head).chain(input);
    if is_gzip {
        let input = BufReader::with_capacity(64 * 1024, whole);
        lines(MultiGzDecoder::new(input), groups, stop)
    } else {
        lines(whole, groups, stop)
    }
}

fn lines(mut input: impl Read, groups: &mut Groups<'_>, stop: impl Fn() -> bool) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    let mut filled = 0;
    let mut line_no = 1;
    let read = loop {
        if stop() {
            break Ok(());
        }
        let room = buffer.get_mut(filled..).unwrap_or_default();
        let read = match input.read(room) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let text = buffer.get(..filled).unwrap_or_default();
                line_no += look(text, line_no, groups);
                break Err(error);
            }
        };
        filled += read;
        let text = buffer.get(..filled).unwrap_or_default();
        if read == 0 {
            line_no += look(text, line_no, groups);
            break Ok(());
        }
        // Up to the last whole line; a line that fills the buffer is looked at in parts.
        let whole = match memrchr(b'\n', text) {
            Some(end) => end + 1,
            None if filled == CHUNK => filled,
            None => continue,
        };
        line_no += look(text.get(..whole).unwrap_or_default(), line_no, groups);
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
    };
    let ended_within = u64::from(filled > 0);
    groups.read(line_no - 1 + ended_within);
    read
}

/// Looks at whole lines; gives how many they are.
fn look(text: &[u8], first: u64, groups: &mut Groups<'_>) -> u64 {
    let mut line_no = first;
    // Where line `line_no` begins, and where to go on searching.
    let (mut begin, mut from) = (0, 0);
    while let Some(found) = groups.matcher().next(text, from) {
        let between = text.get(begin..found).unwrap_or_default();
        if let Some(last) = memrchr(b'\n', between) {
            line_no += count(between);
            begin += last + 1;
        }
        let behind = text.get(found..).unwrap_or_default();
        let end = memchr(b'\n', behind).map_or(text.len(), |end| found + end);
        let line = text.get(begin.max(found.saturating_sub(BEFORE))..end.min(found + BEHIND));
        let line = line.unwrap_or_default();
        groups.take(line_no, line.strip_suffix(b"\r").unwrap_or(line));
        // The newline itself is counted with what follows.
        from = end + 1;
        if from >= text.len() {
            break;
        }
    }
    line_no += count(text.get(begin..).unwrap_or_default());
    line_no - first
}

fn count(text: &[u8]) -> u64 {
    memchr_iter(b'\n', text).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::matcher::Matcher;
    use crate::records::{Catalogue, Entry, Source};
    use serde_json::json;
    use std::io::Write;

    fn catalogue() -> Catalogue {
        let record = json!({"id":"a/b","signature":"x","regex":"needle"});
        Catalogue::of(vec![Entry {
            record: serde_json::from_value(record).unwrap(),
            source: Source::Embedded,
        }])
    }

    /// Line numbers and counts of the groups, and how many lines there are.
    fn scanned(input: impl Read) -> (Vec<(u64, u64)>, u64) {
        let catalogue = catalogue();
        let matcher = Matcher::new(&catalogue);
        let mut groups = Groups::new(&catalogue, &matcher);
        scan(input, None, &mut groups, || false).unwrap();
        let lines = groups.lines();
        let all = groups.into_groups();
        (
            all.iter()
                .map(|group| (group.line_no, group.count))
                .collect(),
            lines,
        )
    }

    #[test]
    fn lines_are_counted_and_grouped() {
        let text = "a\nneedle 1\nb\nneedle 2\n\nthe needle and a needle\r\nlast";
        assert_eq!(scanned(text.as_bytes()), (vec![(2, 2), (6, 1)], 7));
        assert_eq!(scanned(&b"needle"[..]), (vec![(1, 1)], 1));
        assert_eq!(scanned(&b"needle\n"[..]), (vec![(1, 1)], 1));
        assert_eq!(scanned(&b""[..]), (vec![], 0));
    }

    /// One byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut buffer[..1])
        }
    }

    #[test]
    fn pieces_make_no_difference() {
        let text = b"a\nneedle 1\nb\nneedle 2\n";
        assert_eq!(scanned(Slow(text)), scanned(&text[..]));
    }

    /// What comes, and then nothing for ever, not even an end.
    struct Stuck<'a>(&'a [u8]);

    impl Read for Stuck<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            self.0.read(buffer)
        }
    }

    #[test]
    fn who_stops_waits_for_nothing_more() {
        for text in [&b""[..], b"a", b"needle\nmore"] {
            let catalogue = catalogue();
            let matcher = Matcher::new(&catalogue);
            let mut groups = Groups::new(&catalogue, &matcher);
            let asked = std::cell::Cell::new(0);
            let stop = || asked.replace(asked.get() + 1) > 5;
            scan(Stuck(text), None, &mut groups, stop).unwrap();
        }
    }

    #[test]
    fn gzip_is_read_as_what_is_in_it() {
        let mut packed = Vec::new();
        // Two members, as `cat a.gz b.gz` makes.
        for part in ["a\nneedle 1\n", "b\nneedle 2\n"] {
            let mut writer =
                flate2::write::GzEncoder::new(&mut packed, flate2::Compression::fast());
            writer.write_all(part.as_bytes()).unwrap();
            writer.finish().unwrap();
        }
        assert_eq!(scanned(packed.as_slice()), (vec![(2, 2)], 4));
        packed.truncate(packed.len() - 4);
        let catalogue = catalogue();
        let matcher = Matcher::new(&catalogue);
        let mut groups = Groups::new(&catalogue, &matcher);
        assert!(
            scan(packed.as_slice(), None, &mut groups, || false).is_err(),
            "damaged"
        );
    }

    #[test]
    fn a_line_longer_than_the_buffer_is_one_line() {
        let mut text = vec![b'x'; 3 * CHUNK];
        text.extend_from_slice(b" needle\nneedle\n");
        let (groups, lines) = scanned(text.as_slice());
        assert_eq!(lines, 2);
        assert_eq!(
            groups.iter().map(|(line, _)| *line).collect::<Vec<_>>(),
            [1, 2]
        );
    }
}
