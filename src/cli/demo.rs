//! `gladhand demo`: starts broken servers on loopback and checks them.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use super::CliError;
use super::output::{Canvas, ColorArgs, DetailArgs, OutputArgs, Outputs, deliver};
use super::progress::Progress;
use super::session::{self, Interrupt};
use crate::demo::{self, Demo, Server};
use crate::exit::{Exit, exit_code};
use crate::report::model::Report;
use crate::report::text::page::{BAD, BOLD, DIM, GOOD, Page, Span};
use crate::report::text::{Told, write_target};
use crate::report::{self, Detail, FORMATS, RenderOptions};
use crate::run::{self, Job};

/// Start broken servers on loopback and check them: needs no network
///
/// Ends with 0 when exactly what was planted was found, else with 1.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    detail: DetailArgs,

    #[command(flatten)]
    color: ColorArgs,
}

impl Args {
    pub(super) fn run(&self) -> Result<Exit, CliError> {
        self.color.apply();
        let known: Vec<_> = FORMATS.iter().map(|format| format.name()).collect();
        let outputs = self.output.outputs(&known)?;
        session::run(|interrupt| self.probe(interrupt, outputs))
    }

    async fn probe(&self, interrupt: Interrupt, outputs: Outputs) -> Result<Exit, CliError> {
        let started = run::now();
        let demo = Demo::start(started).await.map_err(|error| {
            CliError::Start(io::Error::other(format!("the demo's servers: {error}")))
        })?;
        let jobs: Vec<Job> = demo
            .servers()
            .iter()
            .map(|server| Job {
                target: server.target().clone(),
                settings: Arc::new(demo.settings(server, started, interrupt.raised())),
                range: None,
                role: None,
                mozilla: None,
            })
            .collect();
        let what = format!("{} servers", jobs.len());
        let progress = Progress::new(self.detail.progress(), &what, jobs.len());
        let outcome = run::run(jobs, started, interrupt.raised(), progress.listener()).await;
        progress.end();

        let mut report = outcome.report;
        let rows = rows(&demo, &report);
        let all = rows.iter().all(Row::is_right);
        let mut ended = outcome.ended;
        ended.signal = report.interrupted.then(|| interrupt.signal()).flatten();
        let exit = match exit_code(ended, None) {
            told @ (Exit::Bug | Exit::Signalled(_)) => told,
            _ if all => Exit::Clean,
            _ => Exit::Findings,
        };
        exit.note(&mut report.summary);
        let detail = self.detail.detail();
        deliver(outputs, move |canvas, out| {
            match report::format(canvas.format) {
                Some(format) if format.name() != "text" => {
                    let options = RenderOptions {
                        detail,
                        ..RenderOptions::default()
                    };
                    format.render(&report, &options, out)
                }
                _ => text(&rows, &report, detail, canvas, out),
            }
        })
        .await?;
        Ok(exit)
    }
}

/// A server, and what was found at it.
struct Row {
    target: String,
    planted: &'static str,
    expected: BTreeSet<&'static str>,
    found: BTreeSet<String>,
}

impl Row {
    fn is_right(&self) -> bool {
        self.expected
            .iter()
            .copied()
            .eq(self.found.iter().map(String::as_str))
    }
}

fn rows(demo: &Demo, report: &Report) -> Vec<Row> {
    let row = |server: &Server| {
        let target = server.target().to_string();
        let found = report
            .findings
            .iter()
            .filter(|finding| finding.target == target);
        Row {
            planted: server.planted(),
            expected: server.expected().iter().copied().collect(),
            found: found
                .filter(|finding| demo::counts(&finding.rule, finding.severity))
                .map(|finding| finding.rule.clone())
                .collect(),
            target,
        }
    };
    demo.servers().iter().map(row).collect()
}

fn text(
    rows: &[Row],
    report: &Report,
    detail: Detail,
    canvas: Canvas,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page::new(canvas.width, canvas.color);
    if detail != Detail::Quiet {
        let told = format!(
            "{} servers on loopback, each with its fault, and what `gladhand check` says of them.",
            rows.len()
        );
        page.paragraph(0, &[], 0, &Span::plain(told));
    }
    let mut told = Told::default();
    for (row, of) in rows.iter().zip(report.by_target()) {
        if detail != Detail::Quiet {
            page.blank();
            let lead = [Span::new(BOLD, "── planted: ")];
            page.paragraph(0, &lead, 3, &Span::new(BOLD, row.planted));
        }
        write_target(&mut page, &of, report.started_at, detail, &mut told);
    }
    page.blank();
    table(&mut page, rows);
    out.write_all(page.text().as_bytes())
}

/// Planted and found, side by side.
fn table(page: &mut Page, rows: &[Row]) {
    let list = |rules: &mut dyn Iterator<Item = &str>| match rules.collect::<Vec<_>>() {
        none if none.is_empty() => "nothing".to_owned(),
        some => some.join(", "),
    };
    let lines: Vec<_> = rows
        .iter()
        .map(|row| {
            let expected = list(&mut row.expected.iter().copied());
            (
                row,
                expected,
                list(&mut row.found.iter().map(String::as_str)),
            )
        })
        .collect();
    let names = lines
        .iter()
        .map(|(row, ..)| row.target.len())
        .max()
        .unwrap_or_default();
    let planted = lines
        .iter()
        .map(|(_, planted, _)| planted.len())
        .max()
        .unwrap_or_default();
    let heading = format!("  {:names$}  {:planted$}  found", "server", "planted");
    page.line(0, &[Span::new(DIM, heading)]);
    for (row, expected, found) in &lines {
        let (mark, style) = if row.is_right() {
            ("✓", GOOD)
        } else {
            ("✗", BAD)
        };
        let told = format!(" {:names$}  {expected:planted$}  {found}", row.target);
        page.line(0, &[Span::new(style.bold(), mark), Span::plain(told)]);
    }
    let right = rows.iter().filter(|row| row.is_right()).count();
    page.blank();
    let told = format!("{right} of {} found exactly as planted.", rows.len());
    page.line(0, &[Span::new(BOLD, told)]);
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn finds_exactly_what_is_planted() {
        let (_raise, raised) = watch::channel(false);
        let started = run::now();
        let demo = Demo::start(started).await.unwrap();
        let jobs = demo.servers().iter().map(|server| Job {
            target: server.target().clone(),
            settings: Arc::new(demo.settings(server, started, raised.clone())),
            range: None,
            role: None,
            mozilla: None,
        });
        let outcome = run::run(jobs.collect(), started, raised.clone(), Arc::new(|_| ())).await;
        for row in rows(&demo, &outcome.report) {
            assert!(row.is_right(), "{}: {:?}", row.target, row.found);
        }
    }
}
