//! The report as JSON, and its JSON Schema.

use std::io::{self, Write};

use gladhand_probes::untrusted::obeyed;
use schemars::Schema;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::model::Report;
use super::{Format, RenderOptions};

/// See the module.
pub struct Json;

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "the whole report as one JSON document; `gladhand schema` describes it"
    }

    fn render(
        &self,
        report: &Report,
        _options: &RenderOptions,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        write_pretty(report, out)
    }
}

/// The JSON Schema of a report.
pub fn schema() -> Schema {
    schemars::schema_for!(Report)
}

/// Any value as indented JSON and a newline.
pub fn write_pretty(value: &impl serde::Serialize, out: &mut dyn Write) -> io::Result<()> {
    write(value, PrettyFormatter::new(), out)
}

/// Any value as JSON on one line.
pub fn write_line(value: &impl serde::Serialize, out: &mut dyn Write) -> io::Result<()> {
    write(value, CompactFormatter, out)
}

fn write(
    value: &impl serde::Serialize,
    formatter: impl Formatter,
    out: &mut dyn Write,
) -> io::Result<()> {
    let formatter = Printable(formatter);
    value.serialize(&mut Serializer::with_formatter(&mut *out, formatter))?;
    writeln!(out)
}

/// JSON in which also those characters are escaped that JSON allows as they are, but a terminal or a
/// build system obeys: DEL, the C1 controls, bidirectional and invisible ones, `##[error]`.
struct Printable<F>(F);

impl<F: Formatter> Formatter for Printable<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut done = 0;
        for (at, c) in obeyed(fragment) {
            writer.write_all(&fragment.as_bytes()[done..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            done = at + c.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[done..])
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn no_character_stays_that_a_terminal_obeys() {
        let hostile = "a\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{e0001}b";
        let mut out = Vec::new();
        write_pretty(&hostile, &mut out).unwrap();
        assert!(
            out.iter()
                .all(|byte| (0x20..0x7F).contains(byte) || *byte == b'\n')
        );
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), hostile);
    }

    #[test]
    fn the_checked_in_schemas_are_up_to_date() {
        for (name, schema) in [
            ("docs/report.schema.json", schema()),
            ("docs/ndjson.schema.json", crate::report::ndjson::schema()),
        ] {
            let path = format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
            let mut now = Vec::new();
            write_pretty(&schema, &mut now).unwrap();
            if std::env::var_os("GLADHAND_UPDATE").is_some() {
                std::fs::write(&path, &now).unwrap();
            }
            let checked_in = std::fs::read(&path).unwrap_or_default();
            assert!(
                checked_in == now,
                "{name} is out of date; run the test with GLADHAND_UPDATE=1"
            );
        }
    }

    #[test]
    fn every_sample_is_valid_under_the_schema() {
        let schema = serde_json::to_value(schema()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for (name, report) in sample::all() {
            let json = serde_json::to_value(&report).unwrap();
            let errors: Vec<_> = validator
                .iter_errors(&json)
                .map(|e| e.to_string())
                .collect();
            assert!(errors.is_empty(), "{name}: {errors:?}");
        }
    }

    #[test]
    fn the_schema_refuses_what_is_no_report() {
        let schema = serde_json::to_value(schema()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        assert!(!validator.is_valid(&serde_json::json!({"schema": "1.0"})));
    }

    #[test]
    fn a_report_survives_json() {
        for (name, report) in sample::all() {
            let json = serde_json::to_value(&report).unwrap();
            let back: Report = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(serde_json::to_value(&back).unwrap(), json, "{name}");
        }
    }
}
