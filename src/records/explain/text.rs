//! What was explained, for somebody who is on call: the cause first, then how to be sure, then what to
//! change.

use std::io::{self, Write};

use super::{Explained, Match, Verdict};
use crate::records::cause;
use crate::report::Detail;
use crate::report::text::page::{BAD, BOLD, COMMAND, DIM, Page, Span, WEAK};

/// Columns of the labels.
const LABEL: usize = 10;

/// Open causes that are told with what they are; more are told by name alone.
const WITH_WORDS: usize = 6;

/// Fixes of other products than the one that printed the line, in full.
const FIXES: usize = 3;

/// Writes it.
pub(crate) fn write(
    explained: &Explained,
    detail: Detail,
    mut page: Page,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (number, found) in explained.matches.iter().enumerate() {
        if number > 0 {
            page.blank();
        }
        head(found, &mut page);
        let earlier = explained.matches.iter().take(number);
        match earlier
            .into_iter()
            .find(|before| tells_the_same(before, found))
        {
            _ if detail == Detail::Quiet => {}
            Some(before) => {
                let told = format!("as at {}", place(before));
                page.field(2, "The rest", LABEL, &Span::new(DIM, told));
            }
            None => body(found, detail, &mut page),
        }
    }
    page.blank();
    page.paragraph(0, &[], 0, &Span::new(DIM, summary(explained)));
    out.write_all(page.text().as_bytes())
}

/// Whether everything behind the cause is the same.
fn tells_the_same(one: &Match, other: &Match) -> bool {
    let fixes = |found: &'_ Match| -> Vec<String> {
        let fixes = found.fix.iter();
        fixes
            .map(|fix| format!("{}: {}", fix.product, fix.fix.text))
            .collect()
    };
    one.record == other.record
        && one.cause == other.cause
        && one.decoded == other.decoded
        && one.could_be == other.could_be
        && fixes(one) == fixes(other)
}

fn place(found: &Match) -> String {
    match &found.file {
        Some(file) => format!("{file}:{}", found.line_no),
        None => format!("line {}", found.line_no),
    }
}

fn head(found: &Match, page: &mut Page) {
    let mut lead = vec![Span::new(BOLD, place(found))];
    if found.count > 1 {
        lead.push(Span::plain(format!("  {} times", found.count)));
    }
    match (&found.first, &found.last) {
        (Some(first), Some(last)) if found.count > 1 && first != last => {
            lead.push(Span::new(DIM, format!("  {first} to {last}")));
        }
        (Some(first), _) => lead.push(Span::new(DIM, format!("  {first}"))),
        _ => {}
    }
    if let Some(product) = &found.product {
        lead.push(Span::new(DIM, format!("  {product}")));
    }
    page.line(0, &lead);
    page.paragraph(2, &[], 0, &Span::plain(found.text.to_string()));
    let (style, word) = match found.verdict {
        Verdict::Likely => (BAD, "likely: "),
        Verdict::Undetermined if found.cause.as_deref() == Some(cause::WRAPPER) => {
            (WEAK, "undetermined: ")
        }
        Verdict::Undetermined => (WEAK, "undetermined, perhaps "),
    };
    let cause = match (&found.cause, &found.about) {
        (Some(cause), Some(about)) => format!("{about} ({cause})"),
        _ => "the record names no cause".into(),
    };
    let lead = [
        Span::new(DIM, format!("{:LABEL$}", "Cause")),
        Span::new(style, word),
    ];
    page.paragraph(2, &lead, LABEL, &Span::new(BOLD, cause));
}

fn body(found: &Match, detail: Detail, page: &mut Page) {
    let field = |page: &mut Page, label: &str, text: &str| {
        page.field(2, label, LABEL, &Span::plain(text));
    };
    if let Some(decoded) = &found.decoded {
        field(page, "Says", decoded);
    }
    if let Some(why) = &found.root_cause {
        field(page, "Why", why);
    }
    open(found, page);
    if !found.decided_by.is_empty() {
        let command = format!("gladhand check HOST --only {}", found.decided_by.join(","));
        page.field(2, "Decide", LABEL, &Span::new(COMMAND, command));
    }
    let most = if detail >= Detail::Verbose {
        usize::MAX
    } else {
        FIXES
    };
    for fix in found.fix.iter().take(most) {
        let lead = match fix.product.as_str() {
            "any" => String::new(),
            product => format!("{product}: "),
        };
        let lead = [
            Span::new(DIM, format!("{:LABEL$}", "Fix")),
            Span::new(BOLD, lead),
        ];
        page.paragraph(2, &lead, LABEL, &Span::plain(fix.fix.text.as_str()));
        if let Some(snippet) = &fix.fix.snippet {
            page.block(2 + LABEL + 2, COMMAND, snippet);
        }
        if !fix.fix.check.is_empty() {
            let lead = [Span::plain(" ".repeat(LABEL)), Span::new(DIM, "then ")];
            page.paragraph(
                2,
                &lead,
                LABEL + 2,
                &Span::new(COMMAND, fix.fix.check.as_str()),
            );
        }
    }
    for dead_end in &found.dead_ends {
        let lead = [Span::new(DIM, format!("{:LABEL$}", "Not"))];
        let text = format!(
            "{}: {}",
            dead_end.action.trim_end_matches('.'),
            dead_end.why_fails
        );
        page.paragraph(2, &lead, LABEL, &Span::plain(text));
    }
    for correction in &found.corrections {
        field(
            page,
            "Untrue",
            &format!("“{}” {}", correction.claim, correction.truth),
        );
    }
    let mut record = format!("gladhand records show {}", found.record);
    if found.fix.len() > most {
        record.push_str("   (fixes for further products)");
    }
    page.field(2, "More", LABEL, &Span::new(DIM, record));
}

fn open(found: &Match, page: &mut Page) {
    if found.could_be.len() < 2 {
        return;
    }
    if found.could_be.len() > WITH_WORDS {
        let all = found.could_be.iter().map(Span::plain).collect::<Vec<_>>();
        page.items(2, "Could be", LABEL, &all);
        return;
    }
    let wide = found
        .could_be
        .iter()
        .map(String::len)
        .max()
        .unwrap_or_default();
    for (number, open) in found.could_be.iter().enumerate() {
        let label = if number == 0 { "Could be" } else { "" };
        let lead = [
            Span::new(DIM, format!("{label:LABEL$}")),
            Span::plain(format!("{open:wide$}  ")),
        ];
        page.paragraph(
            2,
            &lead,
            LABEL + wide + 2,
            &Span::new(DIM, cause::about(open)),
        );
    }
}

fn summary(explained: &Explained) -> String {
    let of = |count: u64, one: &str, many: &str| {
        format!("{count} {}", if count == 1 { one } else { many })
    };
    let read = of(explained.lines, "line was read", "lines were read");
    if explained.matches.is_empty() {
        return format!("No known error: {read}. `gladhand records` lists what is known.");
    }
    let known: u64 = explained.matches.iter().map(|found| found.count).sum();
    let kinds = explained.matches.len() as u64;
    let crowded = match explained.crowded {
        0 => String::new(),
        many => format!(
            " There are too many kinds: {} counted with others.",
            of(many, "line is", "lines are")
        ),
    };
    format!(
        "{read}; {} of {}. No probe was run, so nothing is confirmed.{crowded}",
        of(known, "is a known error", "are known errors"),
        of(kinds, "kind", "kinds"),
    )
}
