//! `gladhand rules [ID]`: what is looked for, why it matters, and how to mend it.

use std::io::{self, Write};

use serde::Serialize;

use crate::checks::{self, Rule, RuleFix};
use crate::cli::CliError;
use crate::cli::output::{Canvas, ColorArgs, OutputArgs};
use crate::cli::suggest::did_you_mean;
use crate::exit::Exit;
use crate::report::json::write_pretty;
use crate::report::model::Severity;
use crate::report::text::page::{BOLD, COMMAND, DIM, Page, Span};
use crate::report::text::severity_style;

/// List the rules that findings come from, or explain one
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A rule's id, as it stands beside a finding: certificate-expired
    id: Option<String>,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    color: ColorArgs,
}

impl Args {
    pub(super) fn run(&self) -> Result<Exit, CliError> {
        self.color.apply();
        let outputs = self.output.outputs(&["text", "json"])?;
        let rule = self.id.as_deref().map(find).transpose()?;
        outputs.write(|canvas, out| match (rule, canvas.format) {
            (Some(rule), "json") => write_pretty(&Entry::from(rule), out),
            (Some(rule), _) => explain(rule, canvas, out),
            (None, "json") => write_pretty(&all().map(Entry::from).collect::<Vec<_>>(), out),
            (None, _) => list(canvas, out),
        })?;
        Ok(Exit::Clean)
    }
}

fn all() -> impl Iterator<Item = &'static Rule> {
    checks::rules()
}

fn find(id: &str) -> Result<&'static Rule, CliError> {
    checks::rule(id.trim()).ok_or_else(|| {
        CliError::Usage(format!(
            "no rule is called `{}` (`gladhand rules` lists them){}",
            gladhand_probes::Untrusted::from(id),
            did_you_mean(id, all().map(|rule| rule.id)),
        ))
    })
}

fn list(canvas: Canvas, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(canvas.width, canvas.color);
    let column = all().map(|rule| rule.id.len()).max().unwrap_or_default();
    for rule in all() {
        page.line(
            0,
            &[
                Span::new(BOLD, format!("{:column$}", rule.id)),
                Span::new(
                    severity_style(rule.severity),
                    format!("  {:8}", rule.severity.name()),
                ),
                Span::plain(format!("  {}", rule.title)),
            ],
        );
    }
    out.write_all(page.text().as_bytes())
}

fn explain(rule: &Rule, canvas: Canvas, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(canvas.width, canvas.color);
    let heading = |page: &mut Page, text: &str| {
        page.blank();
        page.line(0, &[Span::new(BOLD, text)]);
    };
    page.line(
        0,
        &[
            Span::new(BOLD, rule.id),
            Span::new(
                severity_style(rule.severity),
                format!("  {}", rule.severity.name()),
            ),
        ],
    );
    page.paragraph(0, &[], 0, &Span::plain(rule.title));
    heading(&mut page, "What it looks for");
    page.paragraph(2, &[], 0, &Span::plain(rule.what));
    heading(&mut page, "Why it matters");
    page.paragraph(2, &[], 0, &Span::plain(rule.why));
    if !rule.fix.is_empty() {
        heading(&mut page, "How to fix it");
    }
    for (number, fix) in rule.fix.iter().enumerate() {
        if number > 0 {
            page.blank();
        }
        let lead = match fix.product {
            "any" => String::new(),
            product => format!("{product}: "),
        };
        page.paragraph(2, &[Span::new(BOLD, lead)], 0, &Span::plain(fix.text));
        if let Some(snippet) = fix.snippet {
            page.block(6, COMMAND, snippet);
        }
    }
    if !rule.references.is_empty() {
        heading(&mut page, "References");
    }
    for reference in rule.references {
        page.line(2, &[Span::new(DIM, *reference)]);
    }
    out.write_all(page.text().as_bytes())
}

/// A rule in JSON.
#[derive(Serialize)]
struct Entry {
    id: &'static str,
    severity: Severity,
    title: &'static str,
    what: &'static str,
    why: &'static str,
    fix: Vec<EntryFix>,
    references: &'static [&'static str],
}

#[derive(Serialize)]
struct EntryFix {
    product: &'static str,
    text: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<&'static str>,
}

impl From<&'static Rule> for Entry {
    fn from(rule: &'static Rule) -> Self {
        let fix = |fix: &RuleFix| EntryFix {
            product: fix.product,
            text: fix.text,
            snippet: fix.snippet,
        };
        Self {
            id: rule.id,
            severity: rule.severity,
            title: rule.title,
            what: rule.what,
            why: rule.why,
            fix: rule.fix.iter().map(fix).collect(),
            references: rule.references,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANVAS: Canvas = Canvas {
        format: "text",
        color: false,
        width: 80,
    };

    #[test]
    fn the_list_names_every_rule() {
        let mut text = Vec::new();
        list(CANVAS, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.lines().count(), all().count());
    }

    #[test]
    fn each_rule_has_a_page() {
        for rule in all() {
            let mut text = Vec::new();
            explain(rule, CANVAS, &mut text).unwrap();
            let text = String::from_utf8(text).unwrap();
            for heading in [
                "What it looks for",
                "Why it matters",
                "How to fix it",
                "References",
            ] {
                assert!(text.contains(heading), "{heading} of {}", rule.id);
            }
        }
    }

    #[test]
    fn an_unknown_rule_is_told_with_the_nearest() {
        let told = find("tls-1-0-acepted").unwrap_err().to_string();
        assert!(told.contains("did you mean `tls-1-0-accepted`?"), "{told}");
    }
}
