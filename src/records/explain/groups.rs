//! Equal lines are one: equal but for numbers, times, requests and paths. What is kept is bounded,
//! however many lines and kinds of lines there are.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::records::matcher::{Hit, Matcher};
use crate::records::{Catalogue, codes};

/// Groups told apart by their text; further ones are told apart by their pattern alone.
const MOST: usize = 1_000;

/// Bytes of a line that are kept.
const KEPT: usize = 4 * 1024;

/// Bytes of the last line that are kept: its time.
const HEAD: usize = 128;

/// Other records that know a line, at most.
const ALSO: usize = 4;

/// Equal lines.
#[derive(Clone, Debug)]
pub struct Group {
    /// The input that the first one is of, counted from 0.
    pub place: usize,
    /// Its name, where it is a file.
    pub file: Option<Arc<str>>,
    /// The first one, counted from 1 in its input.
    pub line_no: u64,
    /// How many there are.
    pub count: u64,
    /// The first one, or what surrounds the match where it is long.
    pub text: Vec<u8>,
    /// The beginning of the last one.
    pub last: Vec<u8>,
    /// What it matched.
    pub hit: Hit,
    /// Further records that it matched.
    pub also: Vec<usize>,
    /// What a code in it says.
    pub decoded: Option<String>,
}

/// Groups in the making.
#[derive(Debug)]
pub struct Groups<'a> {
    catalogue: &'a Catalogue,
    matcher: &'a Matcher,
    by_key: HashMap<(usize, u64), usize>,
    all: Vec<Group>,
    hasher: RandomState,
    normal: Vec<u8>,
    place: usize,
    file: Option<Arc<str>>,
    lines: u64,
    crowded: u64,
}

impl<'a> Groups<'a> {
    /// None yet.
    pub fn new(catalogue: &'a Catalogue, matcher: &'a Matcher) -> Self {
        Self {
            catalogue,
            matcher,
            by_key: HashMap::new(),
            all: Vec::new(),
            hasher: RandomState::new(),
            normal: Vec::new(),
            place: 0,
            file: None,
            lines: 0,
            crowded: 0,
        }
    }

    /// What is taken from now on is of another input.
    pub fn begin(&mut self, file: Option<&str>) {
        self.place += 1;
        self.file = file.map(Arc::from);
    }

    /// Notes how many lines an input had.
    pub fn read(&mut self, lines: u64) {
        self.lines += lines;
    }

    /// The patterns.
    pub fn matcher(&self) -> &'a Matcher {
        self.matcher
    }

    /// The records.
    pub fn catalogue(&self) -> &'a Catalogue {
        self.catalogue
    }

    /// Lines read.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Lines that are in a group that others of their pattern made.
    pub fn crowded(&self) -> u64 {
        self.crowded
    }

    /// Takes a line of a log, if a record knows it.
    pub fn take(&mut self, line_no: u64, line: &[u8]) -> bool {
        match self.matcher.best(line) {
            Some(best) => self.add(line_no, line, best, line, None),
            None => return self.take_code(line_no, line),
        }
        true
    }

    /// A line whose words nobody knows may have a code that says what they would.
    fn take_code(&mut self, line_no: u64, line: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(line) else {
            return false;
        };
        match codes::within(text) {
            Some(decoded) => self.take_decoded(line_no, line, decoded),
            None => false,
        }
    }

    /// Takes a text that somebody pasted: it may be nothing but a code.
    pub fn take_text(&mut self, line_no: u64, line: &str) -> bool {
        match codes::whole(line) {
            Some(decoded) if self.matcher.best(line.as_bytes()).is_none() => {
                self.take_decoded(line_no, line.as_bytes(), decoded)
            }
            _ => self.take(line_no, line.as_bytes()),
        }
    }

    fn take_decoded(&mut self, line_no: u64, line: &[u8], decoded: codes::Decoded) -> bool {
        let Some(best) = self.matcher.best(decoded.words.as_bytes()) else {
            return false;
        };
        let whole = Hit {
            start: 0,
            end: line.len(),
            ..best
        };
        let says = Some(decoded.says);
        self.add(line_no, line, whole, decoded.words.as_bytes(), says);
        true
    }

    /// Takes a line that matched; `words` are what did.
    fn add(&mut self, line_no: u64, line: &[u8], hit: Hit, words: &[u8], decoded: Option<String>) {
        normalise(line, &mut self.normal);
        let mut key = (hit.number, self.hasher.hash_one(&self.normal));
        if self.all.len() >= MOST && !self.by_key.contains_key(&key) {
            key.1 = 0;
            if self.by_key.contains_key(&key) {
                self.crowded += 1;
            }
        }
        let head = line.get(..HEAD).unwrap_or(line);
        if let Some(group) = self.by_key.get(&key).and_then(|at| self.all.get_mut(*at)) {
            group.count += 1;
            group.last.clear();
            group.last.extend_from_slice(head);
            return;
        }
        self.by_key.insert(key, self.all.len());
        let cause = |number: usize| self.catalogue.entries()[number].record.cause();
        let also = self.matcher.find(words).into_iter().map(|hit| hit.record);
        self.all.push(Group {
            place: self.place,
            file: self.file.clone(),
            line_no,
            count: 1,
            text: around(line, &hit).to_vec(),
            last: head.to_vec(),
            also: also
                .filter(|other| cause(*other) != cause(hit.record))
                .take(ALSO)
                .collect(),
            hit,
            decoded,
        });
    }

    /// All of them.
    pub fn into_groups(self) -> Vec<Group> {
        self.all
    }
}

/// The line, or of a long one what surrounds the match.
fn around<'a>(line: &'a [u8], hit: &Hit) -> &'a [u8] {
    if line.len() <= KEPT {
        return line;
    }
    let start = hit.start.saturating_sub(KEPT / 4);
    let end = (start + KEPT).min(line.len());
    line.get(start..end).unwrap_or(line)
}

/// The line without what differs between lines that say the same: digits, long hexadecimal numbers,
/// requests, paths of URLs.
fn normalise(line: &[u8], normal: &mut Vec<u8>) {
    normal.clear();
    let mut at = 0;
    while let Some(byte) = line.get(at) {
        let rest = line.get(at..).unwrap_or_default();
        if byte.is_ascii_alphanumeric() {
            let end = rest
                .iter()
                .position(|b| !b.is_ascii_alphanumeric())
                .unwrap_or(rest.len());
            let word = rest.get(..end).unwrap_or_default();
            let digits = word.iter().filter(|b| b.is_ascii_digit()).count();
            if digits > 0
                && (digits == word.len() || (end >= 6 && word.iter().all(u8::is_ascii_hexdigit)))
            {
                normal.push(b'0');
            } else {
                normal.extend_from_slice(word);
            }
            at += end;
        } else if *byte == b'"' && is_request(rest) {
            normal.extend_from_slice(b"\"\"");
            at += 1 + rest
                .iter()
                .skip(1)
                .position(|b| *b == b'"')
                .map_or(rest.len(), |end| end + 1);
        } else if rest.starts_with(b"://") {
            let host = rest
                .iter()
                .skip(3)
                .position(|b| matches!(b, b'/' | b'"' | b' ' | b'\''));
            let host = host.map_or(rest.len(), |end| end + 3);
            let mut inner = Vec::new();
            normalise(rest.get(3..host).unwrap_or_default(), &mut inner);
            normal.extend_from_slice(b"://");
            normal.append(&mut inner);
            let path = rest.get(host..).unwrap_or_default();
            let path = path.iter().position(|b| matches!(b, b'"' | b' ' | b'\''));
            at += path.map_or(rest.len(), |end| host + end);
        } else {
            normal.push(*byte);
            at += 1;
        }
    }
}

/// `"GET /path HTTP/1.1"`.
fn is_request(text: &[u8]) -> bool {
    const METHODS: [&[u8]; 7] = [
        b"GET ",
        b"POST ",
        b"PUT ",
        b"HEAD ",
        b"DELETE ",
        b"PATCH ",
        b"OPTIONS ",
    ];
    let inside = text.get(1..).unwrap_or_default();
    METHODS.iter().any(|method| inside.starts_with(method))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(line: &str) -> String {
        let mut out = Vec::new();
        normalise(line.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_differs_between_equal_lines_is_taken_out() {
        let one = r#"2026/11/20 05:54:40 [error] 97#97: *3 x, client: 192.0.2.1, request: "GET /a HTTP/1.1", upstream: "https://192.0.2.7:443/a/b?c""#;
        let two = r#"2026/11/21 15:04:41 [error] 98#98: *77 x, client: 198.51.100.9, request: "POST /b/c HTTP/2.0", upstream: "https://198.51.100.8:443/d""#;
        assert_eq!(normal(one), normal(two));
        assert_eq!(normal("40872A508C7F0000:error"), "0:error");
        assert_ne!(normal("https://a.example/x"), normal("https://b.example/x"));
    }

    #[test]
    fn any_line_ends() {
        for line in ["\"GET ", "://", "x://", "http://host", "\"", "", "é\"GET x"] {
            normal(line);
        }
    }
}
