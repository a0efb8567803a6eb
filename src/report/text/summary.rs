//! The end of the text report: how the targets stand where there are several, what is missing, and
//! what the exit code means.

use std::cmp::Reverse;
use std::collections::HashMap;

use gladhand_probes::tls::reach::ReachOutcome;

use super::facts::whole;
use super::findings::style;
use super::many::{group, named};
use super::page::{BAD, BOLD, DIM, GOOD, PLAIN, Page, Span, WEAK, width};
use super::verdict::{Mark, Verdict, verdict};
use super::words::plural;
use super::{MANY, shown};
use crate::exit::{Exit, Signal};
use crate::report::model::{NotMeasured, Of, Report, Severity};
use crate::report::{Detail, RenderOptions};

/// Slowest targets named at most.
const SLOWEST: usize = 3;

/// Gaps listed at most, unless all are asked for.
const GAPS: usize = 10;

/// Everything below the last target: `listed` are those that were told of, `dead` the addresses of
/// ranges where nothing listens.
pub(super) fn write(
    page: &mut Page,
    report: &Report,
    listed: &[Of<'_>],
    dead: &[Of<'_>],
    options: &RenderOptions,
) {
    if options.detail == Detail::Quiet {
        ranges(page, report, dead);
        // In a line, and only where the code has to be explained.
        if options.exit.is_some_and(|exit| exit != Exit::Clean) {
            page.line(0, &[ending(report, options)]);
        }
        return;
    }
    page.blank();
    let many = listed.len() > MANY;
    if listed.len() > 1 {
        standings(page, report, listed, many);
        page.blank();
    }
    if many {
        slowest(page, listed);
        page.blank();
    }
    ranges(page, report, dead);
    page.blank();
    let gaps = not_measured(page, report, options.detail, many);
    if gaps {
        page.blank();
    }
    page.items(0, "Findings:", 10, &counts(report));
    page.paragraph(0, &[], 0, &ending(report, options));
}

/// How the targets stand: counted, and where they are few, one line each.
fn standings(page: &mut Page, report: &Report, listed: &[Of<'_>], many: bool) {
    let verdicts: Vec<_> = listed
        .iter()
        .map(|of| (of.target.target.as_str(), verdict(of, report.started_at)))
        .collect();
    if !many {
        table(page, &verdicts);
        page.blank();
    }
    let with = |mark| verdicts.iter().filter(|(_, v)| v.mark == mark).count();
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
    let label = format!("{}:", plural(verdicts.len(), "target"));
    page.items(0, &label, label.len() + 1, &items);
}

/// One line a target.
fn table(page: &mut Page, verdicts: &[(&str, Verdict)]) {
    let column = verdicts.iter().map(|(name, _)| width(name)).max();
    let column = column.unwrap_or_default();
    for (name, verdict) in verdicts {
        let (mark, style) = shown(verdict.mark);
        let gap = column.saturating_sub(width(name)) + 2;
        let lead = [
            Span::new(style.bold(), format!("{mark} ")),
            Span::new(BOLD, *name),
            Span::plain(" ".repeat(gap)),
        ];
        // A short column for names lets sentences wrap; a long one would leave no room.
        let hang = if column > 40 { 4 } else { 2 + column + 2 };
        page.paragraph(0, &lead, hang, &Span::plain(&verdict.sentence));
    }
}

/// The targets that took longest.
fn slowest(page: &mut Page, listed: &[Of<'_>]) {
    let took = |of: &Of<'_>| {
        let each = of
            .target
            .endpoints
            .iter()
            .map(|endpoint| endpoint.duration_ms);
        each.max().unwrap_or_default()
    };
    let mut all: Vec<_> = listed
        .iter()
        .map(|of| (took(of), of.target.target.as_str()))
        .collect();
    all.sort_by_key(|(took, _)| Reverse(*took));
    let items: Vec<_> = all
        .iter()
        .take(SLOWEST)
        .map(|(took, name)| Span::plain(format!("{name} {}", whole(*took))))
        .collect();
    page.items(0, "Slowest:", 9, &items);
}

/// What became of the ranges: of their silence, a line each.
fn ranges(page: &mut Page, report: &Report, dead: &[Of<'_>]) {
    let mut all: HashMap<&str, usize> = HashMap::new();
    for range in report
        .targets
        .iter()
        .filter_map(|target| target.range.as_deref())
    {
        *all.entry(range).or_default() += 1;
    }
    let refuses = |of: &Of<'_>| {
        of.target.endpoints.iter().any(|endpoint| {
            let reach = endpoint.observations.reach.seen();
            reach.is_some_and(|reach| reach.outcome == ReachOutcome::Refused)
        })
    };
    let dead = dead
        .iter()
        .filter_map(|of| Some((of.target.range.as_deref()?, refuses(of))));
    for (range, refused) in group(dead) {
        let addresses = all.get(range).copied().unwrap_or_default();
        let refusing = refused.iter().filter(|refused| **refused).count();
        let silent = refused.len() - refusing;
        let how = match (refusing, silent) {
            (_, 0) => "they refuse the connection".into(),
            (0, _) => "no answer".into(),
            _ => format!("{refusing} refuse the connection, {silent} do not answer"),
        };
        let lead = Span::new(BOLD, format!("{range}  "));
        let told = format!(
            "Nothing listens at {} of {}: {how}.",
            refused.len(),
            plural(addresses, "address")
        );
        page.paragraph(0, &[lead], 2, &Span::plain(told));
    }
}

/// What is missing; whether anything is.
fn not_measured(page: &mut Page, report: &Report, detail: Detail, many: bool) -> bool {
    // What concerns a whole target or address stands in its verdict and at its address already.
    let verdicts = report.inventory.is_none();
    let told = |what: &str| {
        verdicts && detail < Detail::Verbose && matches!(what, "name" | "tls" | "reach")
    };
    // A range has no verdict of its own.
    let of_range = |gap: &NotMeasured| gap.subject.contains('/');
    let gaps: Vec<_> = report
        .not_measured
        .iter()
        .filter(|gap| !told(&gap.what) || of_range(gap))
        .collect();
    if gaps.is_empty() {
        return false;
    }
    // The same gap at many targets, or of many parts of a load balancer, is one line.
    let audit = report.inventory.is_some();
    let same = |gap: &&NotMeasured| {
        let own = if many || audit {
            ""
        } else {
            gap.subject.as_str()
        };
        (own.to_owned(), gap.what.clone(), gap.reason.clone())
    };
    let gaps = group(gaps.iter().map(|gap| (same(gap), gap.subject.as_str())));
    page.line(0, &[Span::new(WEAK.bold(), "Not measured:")]);
    let shown = if detail >= Detail::Verbose {
        usize::MAX
    } else {
        GAPS
    };
    for ((_, what, reason), subjects) in gaps.iter().take(shown) {
        let subject = match subjects.as_slice() {
            [only] => (*only).to_owned(),
            several if audit => named(several),
            many => format!("{} × ({})", many.len(), named(many)),
        };
        let lead = Span::new(PLAIN, format!("{subject}  "));
        page.paragraph(2, &[lead], 2, &Span::plain(format!("{what}: {reason}")));
    }
    if let Some(more @ 1..) = gaps.len().checked_sub(shown) {
        page.line(2, &[Span::new(DIM, format!("+{more} more (-v)"))]);
    }
    true
}

fn counts(report: &Report) -> Vec<Span> {
    let found = &report.summary.findings;
    let mut items: Vec<_> = Severity::ALL
        .into_iter()
        .map(|severity| (severity, found.count(severity)))
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
