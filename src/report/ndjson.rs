//! The report as JSON lines: a target a line, each as it finishes, and the summary last.
//!
//! A reader that finds no summary knows that the run did not get to its end.

use std::collections::HashSet;
use std::io::{self, Write};

use gladhand_probes::aws::Inventory;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use time::OffsetDateTime;

use super::json::write_line;
use super::model::{Finding, NotMeasured, Report, Row, Summary, Tool};
use super::{Format, Lines, RenderOptions};

/// See the module.
pub struct NdJson;

/// One line.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Line<'a> {
    /// A target that is done.
    Target(&'a Row),
    /// The last line.
    Summary(Whole<'a>),
}

/// What there is to say of a run as a whole.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Whole<'a> {
    /// The version of the report's shape.
    pub schema: &'a str,
    /// What made the report.
    pub tool: &'a Tool,
    /// When the run began (RFC 3339).
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String")]
    pub started_at: OffsetDateTime,
    /// When the run ended.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String")]
    pub finished_at: OffsetDateTime,
    /// Whether everything that was asked was measured.
    pub complete: bool,
    /// Whether a signal ended the run early.
    pub interrupted: bool,
    /// What could not be measured and is in no target's line: ranges where nothing listens at all.
    pub not_measured: Vec<&'a NotMeasured>,
    /// Findings that are about no single target: of a load balancer and its parts.
    pub findings: Vec<&'a Finding>,
    /// What AWS, or a plan, says of the load balancers: of `gladhand alb`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inventory: Option<&'a Inventory>,
    /// Counts, and how the run ended.
    pub summary: &'a Summary,
}

impl Format for NdJson {
    fn name(&self) -> &'static str {
        "ndjson"
    }

    fn about(&self) -> &'static str {
        "a JSON line a target as it finishes, and a summary; `gladhand schema ndjson`"
    }

    fn render(
        &self,
        report: &Report,
        _options: &RenderOptions,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for of in report.by_target() {
            self.target(&of.to_row(), out)?;
        }
        self.end(report, out)
    }

    fn lines(&self) -> Option<&dyn Lines> {
        Some(self)
    }
}

impl Lines for NdJson {
    fn target(&self, row: &Row, out: &mut dyn Write) -> io::Result<()> {
        write_line(&Line::Target(row), out)
    }

    fn end(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let targets = report.targets.iter().map(|target| target.target.as_str());
        let targets: HashSet<&str> = targets.collect();
        let of_target = |gap: &&NotMeasured| targets.contains(gap.target());
        let whole = Whole {
            schema: &report.schema,
            tool: &report.tool,
            started_at: report.started_at,
            finished_at: report.finished_at,
            complete: report.complete,
            interrupted: report.interrupted,
            not_measured: report
                .not_measured
                .iter()
                .filter(|gap| !of_target(gap))
                .collect(),
            findings: report
                .findings
                .iter()
                .filter(|finding| !targets.contains(finding.target.as_str()))
                .collect(),
            inventory: report.inventory.as_ref(),
            summary: &report.summary,
        };
        write_line(&Line::Summary(whole), out)
    }
}

/// The JSON Schema of a line.
pub fn schema() -> Schema {
    schemars::schema_for!(Line<'static>)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::sample;

    fn lines(report: &Report) -> Vec<Value> {
        let mut out = Vec::new();
        NdJson
            .render(report, &RenderOptions::default(), &mut out)
            .unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.ends_with('\n') && !text.contains("\n\n"));
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn every_line_is_valid_under_the_schema() {
        let schema = serde_json::to_value(schema()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for (name, report) in sample::all() {
            for line in lines(&report) {
                let errors: Vec<_> = validator
                    .iter_errors(&line)
                    .map(|e| e.to_string())
                    .collect();
                assert!(errors.is_empty(), "{name}: {errors:?}");
            }
        }
        assert!(!validator.is_valid(&serde_json::json!({"type": "target"})));
    }

    #[test]
    fn the_lines_together_are_the_report() {
        let mut report = sample::expired();
        report.targets.extend(sample::refused().targets);
        report.not_measured = crate::gaps::not_measured(&report.targets);
        let lines = lines(&report);
        let [first, second, last] = lines.as_slice() else {
            panic!("{lines:?}")
        };
        let row: Row = serde_json::from_value(first.clone()).unwrap();
        assert_eq!(row.findings, report.findings);
        assert!(row.not_measured.is_empty());
        assert_eq!(second["not_measured"][0]["what"], "tls");
        assert_eq!(last["type"], "summary");
        assert_eq!(last["not_measured"], serde_json::json!([]));
        assert_eq!(last["summary"]["findings"]["critical"], 1);
    }
}
