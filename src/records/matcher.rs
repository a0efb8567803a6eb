//! Which record a line is of. All patterns of all records are searched for in one pass over the line for
//! the literals that they need; a pattern is compiled when the first line has its literal.

use std::cmp::Reverse;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::Hir;

use super::model::Record;
use super::{Catalogue, Source, cause, literals};

/// Bytes that a compiled pattern may take.
const SIZE: usize = 2 * 1024 * 1024;

/// The patterns of a catalogue.
#[derive(Debug)]
pub struct Matcher {
    patterns: Vec<Compiled>,
    /// None: no pattern has a literal.
    literals: Option<AhoCorasick>,
    /// The patterns of each literal.
    by_literal: Vec<Vec<usize>>,
    /// Patterns that need none: every line is looked at.
    always: Vec<usize>,
    refused: Vec<Refused>,
}

/// A pattern of a record.
#[derive(Debug)]
struct Compiled {
    record: usize,
    /// Which of the record's patterns; none: its `regex`.
    pattern: Option<usize>,
    source: String,
    rank: Rank,
    regex: OnceLock<Option<Regex>>,
}

/// What goes before what where several match: a cause before a wrapper, the pattern that needs more
/// text, the user's own record.
type Rank = (bool, usize, bool, Reverse<usize>);

/// A pattern that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The record's place in the catalogue.
    pub record: usize,
    /// The pattern.
    pub regex: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What a line matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The record's place in the catalogue.
    pub record: usize,
    /// Which of its patterns; none: its `regex`.
    pub pattern: Option<usize>,
    /// The pattern's place among all.
    pub number: usize,
    /// Where it begins to match.
    pub start: usize,
    /// Where its match ends.
    pub end: usize,
}

impl Matcher {
    /// The patterns of these records. Those that do not compile are [`Matcher::refused`].
    pub fn new(catalogue: &Catalogue) -> Self {
        let mut built = Self {
            patterns: Vec::new(),
            literals: None,
            by_literal: Vec::new(),
            always: Vec::new(),
            refused: Vec::new(),
        };
        let mut needles: Vec<Vec<u8>> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for (number, entry) in catalogue.entries().iter().enumerate() {
            let is_own = entry.source != Source::Embedded;
            for (pattern, regex) in patterns(&entry.record) {
                let needed = match usable(regex) {
                    Ok((hir, length)) => {
                        let record = &entry.record;
                        let decides = record.cause() != Some(cause::WRAPPER);
                        built.patterns.push(Compiled {
                            record: number,
                            pattern,
                            source: regex.to_owned(),
                            rank: (decides, length, is_own, Reverse(number)),
                            regex: OnceLock::new(),
                        });
                        literals::required(&hir)
                    }
                    Err(reason) => {
                        built.refused.push(Refused {
                            record: number,
                            regex: regex.to_owned(),
                            reason,
                        });
                        continue;
                    }
                };
                let pattern = built.patterns.len() - 1;
                let Some(needed) = needed else {
                    built.always.push(pattern);
                    continue;
                };
                for needle in needed {
                    let place = *places.entry(needle.clone()).or_insert(needles.len());
                    if place == needles.len() {
                        needles.push(needle);
                        built.by_literal.push(Vec::new());
                    }
                    built.by_literal[place].push(pattern);
                }
            }
        }
        let searcher = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&needles);
        match searcher {
            Ok(searcher) => built.literals = Some(searcher),
            // Too many for an automaton: every pattern is tried on every line.
            Err(_) => built.always = (0..built.patterns.len()).collect(),
        }
        built
    }

    /// The patterns that cannot be used.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// Where the next line that may match is, at or behind `from`: the place of a literal.
    pub fn next(&self, text: &[u8], from: usize) -> Option<usize> {
        if !self.always.is_empty() {
            return (from < text.len()).then_some(from);
        }
        let input = aho_corasick::Input::new(text).range(from..);
        self.literals
            .as_ref()?
            .find(input)
            .map(|found| found.start())
    }

    /// The best match of a line.
    pub fn best(&self, line: &[u8]) -> Option<Hit> {
        self.hits(line).next()
    }

    /// The best match of a line, and the best one of each other record, best first.
    pub fn find(&self, line: &[u8]) -> Vec<Hit> {
        let mut all: Vec<Hit> = Vec::new();
        for hit in self.hits(line) {
            if !all.iter().any(|known| known.record == hit.record) {
                all.push(hit);
            }
        }
        all
    }

    /// Every match of a line, best first, each looked for when it is asked for.
    fn hits(&self, line: &[u8]) -> impl Iterator<Item = Hit> {
        let mut tried = self.always.clone();
        if let Some(literals) = &self.literals {
            for found in literals.find_overlapping_iter(line) {
                tried.extend(&self.by_literal[found.pattern().as_usize()]);
            }
        }
        tried.sort_unstable_by_key(|number| (Reverse(self.patterns[*number].rank), *number));
        tried.dedup();
        tried.into_iter().filter_map(move |number| {
            let pattern = &self.patterns[number];
            let found = pattern.regex()?.find(line)?;
            Some(Hit {
                record: pattern.record,
                pattern: pattern.pattern,
                number,
                start: found.start(),
                end: found.end(),
            })
        })
    }
}

impl Compiled {
    fn regex(&self) -> Option<&Regex> {
        self.regex
            .get_or_init(|| compile(&self.source).ok())
            .as_ref()
    }
}

/// The record's `regex`, and the patterns of its diagnosis with their numbers.
pub fn patterns(record: &Record) -> impl Iterator<Item = (Option<usize>, &str)> {
    let own = record.regex.as_deref().filter(|regex| !regex.is_empty());
    let more = record
        .diagnosis
        .iter()
        .flat_map(|diagnosis| &diagnosis.patterns);
    let more = more
        .enumerate()
        .map(|(number, pattern)| (Some(number), pattern.regex.as_str()));
    own.map(|regex| (None, regex)).into_iter().chain(more)
}

/// The syntax tree of a pattern, and the bytes that a match has at least.
///
/// # Errors
/// Why it cannot be used: a syntax that does not match in linear time (look-around, back-references), or
/// nothing that it needs.
pub fn usable(regex: &str) -> Result<(Hir, usize), String> {
    let hir = parse(regex)?;
    match hir.properties().minimum_len() {
        Some(length) if length > 0 => Ok((hir, length)),
        _ => Err("it matches every line".into()),
    }
}

/// Parses a pattern as it is compiled.
pub(super) fn parse(regex: &str) -> Result<Hir, String> {
    let parser = |unicode| {
        let mut parser = regex_syntax::ParserBuilder::new();
        let parsed = parser.unicode(unicode).utf8(false).build().parse(regex);
        parsed.map_err(|error| last_line(&error))
    };
    // Products write ASCII: `\d` and `\w` need no more, and are far smaller so.
    parser(false).or_else(|_| parser(true))
}

/// Compiles a pattern.
///
/// # Errors
/// What is wrong with it.
pub fn compile(regex: &str) -> Result<Regex, String> {
    let build = |unicode| {
        RegexBuilder::new(regex)
            .unicode(unicode)
            .size_limit(SIZE)
            .build()
    };
    let regex = build(false).or_else(|_| build(true));
    regex.map_err(|error| last_line(&error))
}

/// The sentence below the drawing.
fn last_line(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::Entry;
    use serde_json::json;

    fn catalogue(records: &[serde_json::Value]) -> Catalogue {
        let entry = |value: &serde_json::Value| Entry {
            record: serde_json::from_value(value.clone()).unwrap(),
            source: Source::Embedded,
        };
        Catalogue::of(records.iter().map(entry).collect())
    }

    fn best<'a>(catalogue: &'a Catalogue, line: &str) -> Option<&'a str> {
        let matcher = Matcher::new(catalogue);
        let hit = *matcher.find(line.as_bytes()).first()?;
        Some(&catalogue.entries()[hit.record].record.id)
    }

    #[test]
    fn the_pattern_that_needs_more_text_wins() {
        let all = catalogue(&[
            json!({"id":"a/short","signature":"x","regex":"self-signed certificate"}),
            json!({"id":"b/long","signature":"x","regex":"self-signed certificate in certificate chain"}),
        ]);
        assert_eq!(
            best(&all, "(19:self-signed certificate in certificate chain)"),
            Some("b/long")
        );
        assert_eq!(best(&all, "(18:self-signed certificate)"), Some("a/short"));
        assert_eq!(best(&all, "nothing of the kind"), None);
    }

    #[test]
    fn a_cause_goes_before_a_wrapper() {
        let all = catalogue(&[
            json!({"id":"a/wrap","signature":"x","regex":"a very long wrapper around the cause",
                "diagnosis":{"cause":"generic-wrapper"}}),
            json!({"id":"b/cause","signature":"x","regex":"expired"}),
        ]);
        assert_eq!(
            best(&all, "a very long wrapper around the cause: expired"),
            Some("b/cause")
        );
    }

    #[test]
    fn a_pattern_without_literals_is_tried_everywhere() {
        let all = catalogue(&[json!({"id":"a/b","signature":"x","regex":"[xy]{2}"})]);
        assert_eq!(best(&all, "..xy.."), Some("a/b"));
        let matcher = Matcher::new(&all);
        assert_eq!(matcher.next(b"abc", 0), Some(0));
    }

    #[test]
    fn what_does_not_compile_or_matches_everything_is_refused() {
        let all = catalogue(&[
            json!({"id":"a/ahead","signature":"x","regex":"a(?=b)"}),
            json!({"id":"a/all","signature":"x","regex":".*"}),
            json!({"id":"a/huge","signature":"x","regex":"x"}),
        ]);
        let matcher = Matcher::new(&all);
        assert_eq!(matcher.refused().len(), 2, "{:?}", matcher.refused());
    }

    #[test]
    fn bytes_that_are_no_text_are_no_obstacle() {
        let all = catalogue(&[
            json!({"id":"a/b","signature":"x","regex":"certificate of .+ has expired"}),
        ]);
        let matcher = Matcher::new(&all);
        assert_eq!(
            matcher.find(b"certificate of \xff\xfe has expired").len(),
            1
        );
    }
}
