//! The report and its formats: one file a format, listed in [`FORMATS`].
//!
//! A format renders and nothing else: it does not judge, probe, or read the clock or environment.

pub mod json;
pub mod model;
pub mod ndjson;
pub mod text;

#[cfg(test)]
pub(crate) mod sample;

use std::io::{self, Write};

use crate::exit::Exit;
use model::{Report, Row, Severity};

/// Every format, the default first.
pub const FORMATS: &[&dyn Format] = &[&text::Text, &json::Json, &ndjson::NdJson];

/// One way to write a report.
pub trait Format: Sync {
    /// The word after `-o`.
    fn name(&self) -> &'static str;

    /// One line for `--help`.
    fn about(&self) -> &'static str;

    /// Writes the whole report.
    fn render(
        &self,
        report: &Report,
        options: &RenderOptions,
        out: &mut dyn Write,
    ) -> io::Result<()>;

    /// Where the format can be written while a run goes on: how.
    fn lines(&self) -> Option<&dyn Lines> {
        None
    }
}

/// A format that is written line by line, each target as it finishes. Nothing is kept for it.
pub trait Lines: Sync {
    /// Writes a target that is done.
    fn target(&self, row: &Row, out: &mut dyn Write) -> io::Result<()>;

    /// Writes the last line: what there is to say of the whole. The report has no rows.
    fn end(&self, report: &Report, out: &mut dyn Write) -> io::Result<()>;
}

/// The format with this name.
pub fn format(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// What a format may want to know besides the report.
#[derive(Clone, Copy, Debug)]
pub struct RenderOptions {
    /// Columns to wrap at.
    pub width: usize,
    /// Whether ANSI styles are wanted.
    pub color: bool,
    /// How much is told.
    pub detail: Detail,
    /// The lowest severity that fails a run.
    pub fail_on: Option<Severity>,
    /// How the program will end, where that is known.
    pub exit: Option<Exit>,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            width: 80,
            color: false,
            detail: Detail::Normal,
            fail_on: Some(Severity::High),
            exit: None,
        }
    }
}

/// How much a format for people tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Verdicts, and one line a finding.
    Quiet,
    /// The findings that matter in full, the others in a line or two, and the facts.
    #[default]
    Normal,
    /// Every finding in full, and no list cut short.
    Verbose,
    /// The evidence behind each fact as well.
    Evidence,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_a_name_of_their_own_and_say_what_they_are() {
        let mut names: Vec<_> = FORMATS.iter().map(|format| format.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FORMATS.len());
        for known in FORMATS {
            assert!(!known.about().is_empty(), "{}", known.name());
            assert!(format(known.name()).is_some());
        }
    }

    #[test]
    fn every_format_renders_every_sample() {
        for format in FORMATS {
            for (name, report) in sample::all() {
                let mut out = Vec::new();
                format
                    .render(&report, &RenderOptions::default(), &mut out)
                    .unwrap();
                let text = String::from_utf8(out).unwrap();
                assert!(text.ends_with('\n'), "{} of {name}", format.name());
            }
        }
    }
}
