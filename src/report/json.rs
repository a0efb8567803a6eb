//! The report as JSON, and its JSON Schema.

use std::io::{self, Write};

use schemars::Schema;

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
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    const CHECKED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");

    #[test]
    fn the_checked_in_schema_is_up_to_date() {
        let mut now = Vec::new();
        write_pretty(&schema(), &mut now).unwrap();
        if std::env::var_os("GLADHAND_UPDATE").is_some() {
            std::fs::write(CHECKED_IN, &now).unwrap();
        }
        let checked_in = std::fs::read(CHECKED_IN).unwrap_or_default();
        assert!(
            checked_in == now,
            "docs/report.schema.json is out of date; run the test with GLADHAND_UPDATE=1"
        );
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
