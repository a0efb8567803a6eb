//! The end of the text report: a table where there are several targets, what is missing, and what
//! the exit code means.

use super::findings::style;
use super::page::{BAD, BOLD, DIM, GOOD, PLAIN, Page, Span, WEAK, width};
use super::shown;
use super::verdict::{Mark, verdict};
use super::words::plural;
use crate::exit::{Exit, Signal};
use crate::report::model::{Report, Severity};
use crate::report::{Detail, RenderOptions};

/// Gaps listed at most, unless all are asked for.
const GAPS: usize = 10;

/// Everything below the last target.
pub(super) fn write(page: &mut Page, report: &Report, options: &RenderOptions) {
    if options.detail == Detail::Quiet {
        return;
    }
    page.blank();
    if report.targets.len() > 1 {
        table(page, report);
        page.blank();
    }
    let gaps = not_measured(page, report, options.detail);
    if gaps {
        page.blank();
    }
    page.items(0, "Findings:", 10, &counts(report));
    page.paragraph(0, &[], 0, &ending(report, options));
}

/// One line a target.
fn table(page: &mut Page, report: &Report) {
    let column = report
        .targets
        .iter()
        .map(|target| width(&target.target))
        .max()
        .unwrap_or(0);
    for target in &report.targets {
        let verdict = verdict(report, target);
        let (mark, style) = shown(verdict.mark);
        let gap = column.saturating_sub(width(&target.target)) + 2;
        let lead = [
            Span::new(style.bold(), format!("{mark} ")),
            Span::new(BOLD, &target.target),
            Span::plain(" ".repeat(gap)),
        ];
        // A short column for names lets sentences wrap; a long one would leave no room.
        let hang = if column > 40 { 4 } else { 2 + column + 2 };
        page.paragraph(0, &lead, hang, &Span::plain(verdict.sentence));
    }
    let with = |mark| {
        report
            .targets
            .iter()
            .filter(|t| verdict(report, t).mark == mark)
            .count()
    };
    let kinds = [
        (with(Mark::Broken), "broken", BAD),
        (with(Mark::Weak), "weak", WEAK),
        (with(Mark::Unknown), "not (fully) measured", WEAK),
        (with(Mark::Works), "without fault", GOOD),
    ];
    let items: Vec<_> = kinds
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, what, style)| Span::new(style, format!("{count} {what}")))
        .collect();
    let label = format!("{}:", plural(report.targets.len(), "target"));
    page.blank();
    page.items(0, &label, label.len() + 1, &items);
}

/// What is missing; whether anything is.
fn not_measured(page: &mut Page, report: &Report, detail: Detail) -> bool {
    // What concerns a whole target or address stands in its verdict and at its address already.
    let told = |what: &str| detail < Detail::Verbose && matches!(what, "name" | "tls" | "reach");
    let gaps: Vec<_> = report
        .not_measured
        .iter()
        .filter(|gap| !told(&gap.what))
        .collect();
    if gaps.is_empty() {
        return false;
    }
    page.line(0, &[Span::new(WEAK.bold(), "Not measured:")]);
    let shown = if detail >= Detail::Verbose {
        usize::MAX
    } else {
        GAPS
    };
    for gap in gaps.iter().take(shown) {
        let lead = Span::new(PLAIN, format!("{}  {}: ", gap.subject, gap.what));
        page.paragraph(2, &[lead], 2, &Span::plain(&gap.reason));
    }
    if let Some(more @ 1..) = gaps.len().checked_sub(shown) {
        page.line(2, &[Span::new(DIM, format!("+{more} more (-v)"))]);
    }
    true
}

fn counts(report: &Report) -> Vec<Span> {
    let found = &report.summary.findings;
    let counts = [
        (Severity::Critical, found.critical),
        (Severity::High, found.high),
        (Severity::Medium, found.medium),
        (Severity::Low, found.low),
        (Severity::Info, found.info),
    ];
    let mut items: Vec<_> = counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| Span::new(style(severity), format!("{count} {}", severity.name())))
        .collect();
    if items.is_empty() {
        items.push(Span::plain("none"));
    }
    items
}

/// Whether it is all, and what the exit code says.
fn ending(report: &Report, options: &RenderOptions) -> Span {
    let complete = if report.interrupted {
        "Interrupted: this report is partial."
    } else if report.complete {
        "Everything asked was measured."
    } else {
        "Not everything asked was measured."
    };
    let Some(exit) = options.exit else {
        return Span::plain(complete);
    };
    let lowest = options.fail_on.map_or("none", Severity::name);
    let why = match exit {
        Exit::Clean if options.fail_on.is_none() => "--fail-on is none".into(),
        Exit::Clean => format!("no finding is at or above {lowest}"),
        Exit::Findings => format!("findings at or above {lowest}"),
        Exit::Incomplete => "something could not be measured".into(),
        Exit::Bug => "a bug in gladhand, see above".into(),
        Exit::Usage => "usage".into(),
        Exit::Signalled(Signal::Interrupt) => "interrupted".into(),
        Exit::Signalled(Signal::Terminate) => "terminated".into(),
    };
    Span::plain(format!("{complete} Exit code {}: {why}.", exit.code()))
}
