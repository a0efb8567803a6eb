//! The rules as a page of documentation: `docs/checks.md`.

use std::fmt::Write;

use super::{Rule, rules};
use crate::report::model::Severity;

/// Every rule on one page, in Markdown.
pub fn docs() -> String {
    let mut page = String::from(
        "# Checks\n\n\
         <!-- Generated from src/checks: GLADHAND_UPDATE=1 cargo test --lib checks -->\n\n\
         What `gladhand` judges, rule by rule; `gladhand rules ID` prints the same. A check fires on \
         what was observed, never on what could not be determined. The severity is the rule's; a \
         finding may have another one, where the text says so. Rule ids never change.\n\n\
         | rule | severity | |\n|---|---|---|\n",
    );
    for rule in rules() {
        line(
            &mut page,
            format_args!(
                "| [`{0}`](#{0}) | {1} | {2} |",
                rule.id,
                rule.severity.name(),
                rule.title
            ),
        );
    }
    page.push_str("\nThe severities:\n\n| severity | means |\n|---|---|\n");
    for severity in Severity::ALL {
        line(
            &mut page,
            format_args!("| {} | {} |", severity.name(), meaning(severity)),
        );
    }
    for rule in rules() {
        section(&mut page, rule);
    }
    page
}

fn section(page: &mut String, rule: &Rule) {
    line(page, format_args!("\n## {}\n", rule.id));
    line(
        page,
        format_args!("**{}** · {}\n", rule.title, rule.severity.name()),
    );
    line(
        page,
        format_args!("### What it looks for\n\n{}\n", rule.what),
    );
    line(page, format_args!("### Why it matters\n\n{}\n", rule.why));
    line(page, format_args!("### How to fix it\n"));
    for fix in rule.fix {
        line(page, format_args!("- **{}**: {}", fix.product, fix.text));
        if let Some(snippet) = fix.snippet {
            line(page, format_args!("\n  ```"));
            for text in snippet.lines() {
                line(page, format_args!("  {text}"));
            }
            line(page, format_args!("  ```\n"));
        }
    }
    while page.ends_with("\n\n") {
        page.pop();
    }
    line(page, format_args!("\n### References\n"));
    for url in rule.references {
        line(page, format_args!("- <{url}>"));
    }
}

fn meaning(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "broken for everyone, or open to attack now",
        Severity::High => "breaks clients, or is insecure",
        Severity::Medium => "weak, or breaks some clients",
        Severity::Low => "below today's recommendations",
        Severity::Info => "worth knowing",
    }
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = writeln!(page, "{text}");
}
