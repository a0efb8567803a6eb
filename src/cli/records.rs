//! `gladhand records`: the known errors; one of them; what is wrong with a folder of them.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use gladhand_probes::Untrusted;
use serde::Serialize;

use super::CliError;
use super::output::{Canvas, ColorArgs, OutputArgs};
use super::suggest::did_you_mean;
use crate::exit::Exit;
use crate::records::lint::{self, Problem};
use crate::records::matcher::Matcher;
use crate::records::model::{Fix, Record};
use crate::records::{Catalogue, Entry, cause};
use crate::report::json::write_pretty;
use crate::report::text::page::{BOLD, COMMAND, DIM, Page, Span};

const EXAMPLES: &str = "\
Examples:
  gladhand records
  gladhand records show nginx/ssl-handshake-failed-client-hello --lang zh
  gladhand records list --records ./our-errors
  gladhand records lint ./our-errors

Exit codes:
  0    it did its work; lint found nothing
  1    lint found something
  2    usage error, no such record, or files that cannot be read
  70   a bug in gladhand

Every flag has an environment variable: --records is GLADHAND_RECORDS.";

/// List the known errors, show one, or check files of them
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the known errors
    List(Common),
    /// Show a known error: its cause, what does not help, and what does
    Show {
        /// A record's id, as `gladhand records` lists it
        id: String,

        /// The language of signature, cause and workarounds, where the record has it
        #[arg(long, value_enum, default_value_t, value_name = "LANG")]
        #[arg(env = "GLADHAND_LANG", hide_env = true)]
        lang: Lang,

        #[command(flatten)]
        common: Common,
    },
    /// Check records: a file, or a folder of `.json` files
    Lint {
        /// The file or the folder
        #[arg(value_name = "PATH")]
        path: PathBuf,

        #[command(flatten)]
        common: Common,
    },
}

#[derive(Debug, clap::Args)]
struct Common {
    #[command(flatten)]
    records: RecordArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    color: ColorArgs,
}

/// `--records`.
#[derive(Debug, clap::Args)]
pub(super) struct RecordArgs {
    /// A folder of records (`.json` files) beside those in the program; the same id: the folder's
    /// counts; repeatable
    #[arg(long, value_name = "DIR", env = "GLADHAND_RECORDS", hide_env = true)]
    records: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Lang {
    #[default]
    En,
    Zh,
}

impl RecordArgs {
    /// The records in the program, and those of the folders.
    pub(super) fn catalogue(&self) -> Result<Catalogue, CliError> {
        let mut all = Catalogue::embedded();
        for folder in &self.records {
            all.add_folder(folder).map_err(|error| {
                let hint = match error {
                    crate::records::RecordError::Parse { .. } => {
                        "; `gladhand records lint` tells all"
                    }
                    _ => "",
                };
                CliError::Usage(format!("{error}{hint}"))
            })?;
        }
        Ok(all)
    }

    /// The patterns of a catalogue. Those that cannot be used are told on stderr, and left out.
    pub(super) fn matcher(catalogue: &Catalogue) -> Matcher {
        let matcher = Matcher::new(catalogue);
        for refused in matcher.refused() {
            let id = Untrusted::from(catalogue.entries()[refused.record].record.id.as_str());
            let reason = Untrusted::from(refused.reason.as_str());
            let _ = writeln!(
                anstream::stderr(),
                "warning: a pattern of {id} is left out: {reason}"
            );
        }
        matcher
    }
}

impl Args {
    pub(super) fn run(&self) -> Result<Exit, CliError> {
        match &self.command {
            None => list(&self.common),
            Some(Command::List(common)) => list(common),
            Some(Command::Show { id, lang, common }) => show(id, *lang, common),
            Some(Command::Lint { path, common }) => check(path, common),
        }
    }
}

/// A line of the list in JSON.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    signature: &'a str,
    cause: Option<&'a str>,
    source: String,
}

#[derive(Serialize)]
struct Rows<'a> {
    records: Vec<Row<'a>>,
}

fn list(common: &Common) -> Result<Exit, CliError> {
    common.color.apply();
    let outputs = common.output.outputs(&["text", "json"])?;
    let catalogue = common.records.catalogue()?;
    outputs.write(|canvas, out| match canvas.format {
        "json" => write_pretty(&rows(&catalogue), out),
        _ => write_list(&catalogue, canvas, out),
    })?;
    Ok(Exit::Clean)
}

fn rows(catalogue: &Catalogue) -> Rows<'_> {
    Rows {
        records: catalogue.entries().iter().map(Row::of).collect(),
    }
}

impl<'a> Row<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self {
            id: &entry.record.id,
            signature: &entry.record.signature,
            cause: entry.record.cause(),
            source: entry.source.to_string(),
        }
    }
}

fn write_list(catalogue: &Catalogue, canvas: Canvas, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(canvas.width, canvas.color);
    let ids = catalogue
        .entries()
        .iter()
        .map(|entry| entry.record.id.len());
    let column = ids.max().unwrap_or_default().min(48) + 2;
    for Entry { record, .. } in catalogue.entries() {
        let about = record
            .cause()
            .map_or_else(|| record.signature.clone(), cause::about);
        let lead = [Span::new(BOLD, format!("{:column$}", record.id))];
        page.paragraph(0, &lead, column, &Span::plain(about));
    }
    out.write_all(page.text().as_bytes())
}

/// A record in JSON, with where it is from.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    record: &'a Record,
    source: String,
}

fn show(id: &str, lang: Lang, common: &Common) -> Result<Exit, CliError> {
    common.color.apply();
    let outputs = common.output.outputs(&["text", "json"])?;
    let catalogue = common.records.catalogue()?;
    let entry = catalogue.get(id.trim()).ok_or_else(|| {
        let ids = catalogue
            .entries()
            .iter()
            .map(|entry| entry.record.id.as_str());
        CliError::Usage(format!(
            "no record is called `{}` (`gladhand records` lists them){}",
            Untrusted::from(id),
            did_you_mean(id, ids),
        ))
    })?;
    outputs.write(|canvas, out| match canvas.format {
        "json" => write_pretty(
            &Shown {
                record: &entry.record,
                source: entry.source.to_string(),
            },
            out,
        ),
        _ => write_record(entry, lang, canvas, out),
    })?;
    Ok(Exit::Clean)
}

fn heading(page: &mut Page, text: &str) {
    page.blank();
    page.line(0, &[Span::new(BOLD, text)]);
}

fn write_record(entry: &Entry, lang: Lang, canvas: Canvas, out: &mut dyn Write) -> io::Result<()> {
    let record = &entry.record;
    let mut page = Page::new(canvas.width, canvas.color);
    let chosen = |zh: &Option<String>, en: Option<&str>| match lang {
        Lang::Zh => zh.clone().or_else(|| en.map(str::to_owned)),
        Lang::En => en.map(str::to_owned),
    };
    page.line(
        0,
        &[
            Span::new(BOLD, record.id.as_str()),
            Span::new(DIM, format!("  {}", entry.source)),
        ],
    );
    if let Some(signature) = chosen(&record.signature_zh, Some(record.signature.as_str())) {
        page.paragraph(0, &[], 0, &Span::plain(signature));
    }
    if let Some(cause) = record.cause() {
        heading(&mut page, "Cause");
        page.paragraph(
            2,
            &[],
            0,
            &Span::plain(format!("{} ({cause})", cause::about(cause))),
        );
    }
    if let Some(why) = chosen(&record.root_cause_zh, record.root_cause.as_deref()) {
        heading(&mut page, "Why it happens");
        page.paragraph(2, &[], 0, &Span::plain(why));
    }
    open(record, &mut page);
    dead_ends(record, &mut page);
    fixes(record, &mut page);
    workarounds(record, lang, &mut page);
    corrections(record, &mut page);
    about_itself(record, &mut page);
    out.write_all(page.text().as_bytes())
}

fn open(record: &Record, page: &mut Page) {
    let Some(diagnosis) = &record.diagnosis else {
        return;
    };
    if diagnosis.could_be.len() > 1 {
        heading(page, "What the text leaves open");
        let wide = diagnosis.could_be.iter().map(String::len).max();
        let column = wide.unwrap_or_default() + 2;
        for open in &diagnosis.could_be {
            let lead = [Span::plain(format!("{open:column$}"))];
            page.paragraph(2, &lead, column, &Span::new(DIM, cause::about(open)));
        }
    }
    if !diagnosis.decided_by.is_empty() {
        heading(page, "What decides");
        let command = format!(
            "gladhand check HOST --only {}",
            diagnosis.decided_by.join(",")
        );
        page.line(2, &[Span::new(COMMAND, command)]);
    }
    for (label, rules) in [
        ("Confirmed by the rule", &diagnosis.confirmed_by),
        ("Excluded by the rule", &diagnosis.excluded_by),
    ] {
        for rule in rules {
            page.line(2, &[Span::plain(format!("{label} {rule}"))]);
        }
    }
}

fn dead_ends(record: &Record, page: &mut Page) {
    if !record.dead_ends.is_empty() {
        heading(page, "What does not help");
    }
    for dead_end in &record.dead_ends {
        let rate = dead_end
            .fail_rate
            .map(|rate| format!(" (failed in {:.0} %)", rate * 100.0));
        let action = dead_end.action.trim_end_matches('.');
        let lead = [Span::new(BOLD, format!("{action}: "))];
        let why = format!("{}{}", dead_end.why_fails, rate.unwrap_or_default());
        page.paragraph(2, &lead, 2, &Span::plain(why));
    }
}

fn fixes(record: &Record, page: &mut Page) {
    let fixes = record
        .diagnosis
        .iter()
        .flat_map(|diagnosis| &diagnosis.fixes);
    let all: Vec<(&String, &Fix)> = fixes
        .flat_map(|(product, fixes)| fixes.iter().map(move |fix| (product, fix)))
        .collect();
    if !all.is_empty() {
        heading(page, "How to fix it");
    }
    for (number, (product, fix)) in all.into_iter().enumerate() {
        if number > 0 {
            page.blank();
        }
        let lead = match product.as_str() {
            "any" => String::new(),
            product => format!("{product}: "),
        };
        page.paragraph(
            2,
            &[Span::new(BOLD, lead)],
            0,
            &Span::plain(fix.text.as_str()),
        );
        if let Some(snippet) = &fix.snippet {
            page.block(6, COMMAND, snippet);
        }
        if !fix.check.is_empty() {
            page.paragraph(
                4,
                &[Span::new(DIM, "then ")],
                5,
                &Span::new(COMMAND, fix.check.as_str()),
            );
        }
    }
}

fn workarounds(record: &Record, lang: Lang, page: &mut Page) {
    let chinese: Vec<&str> = match lang {
        Lang::Zh => record
            .workarounds_zh
            .iter()
            .filter_map(|text| text.as_str())
            .collect(),
        Lang::En => Vec::new(),
    };
    if !record.workarounds.is_empty() {
        heading(page, "Workarounds of the catalogue");
    }
    for (number, workaround) in record.workarounds.iter().enumerate() {
        let action = chinese.get(number).copied().unwrap_or(&workaround.action);
        page.paragraph(2, &[], 0, &Span::plain(action));
        if let Some(rate) = workaround.success_rate {
            let told = format!(
                "it helped in {:.0} % by the record's own figure",
                rate * 100.0
            );
            page.line(4, &[Span::new(DIM, told)]);
        }
    }
}

fn corrections(record: &Record, page: &mut Page) {
    let corrections = record
        .diagnosis
        .iter()
        .flat_map(|diagnosis| &diagnosis.corrections);
    for (number, correction) in corrections.enumerate() {
        if number == 0 {
            heading(page, "What is often written, and wrong");
        }
        let lead = [Span::new(DIM, format!("“{}” ", correction.claim))];
        page.paragraph(2, &lead, 2, &Span::plain(correction.truth.as_str()));
        page.line(4, &[Span::new(DIM, correction.source.as_str())]);
    }
}

fn about_itself(record: &Record, page: &mut Page) {
    let sources = record
        .diagnosis
        .iter()
        .flat_map(|diagnosis| &diagnosis.sources);
    let all: Vec<&String> = record.official_doc_url.iter().chain(sources).collect();
    if !all.is_empty() {
        heading(page, "Sources");
    }
    for (number, url) in all.iter().enumerate() {
        if !all.iter().take(number).any(|earlier| earlier == url) {
            page.line(2, &[Span::new(DIM, url.as_str())]);
        }
    }
    let figure =
        |label: &str, figure: Option<f64>| figure.map(|figure| format!("{label} {figure}"));
    let figures = [
        figure("confidence", record.confidence),
        figure("success rate of its fixes", record.fix_success_rate),
        record
            .verification_tier
            .as_ref()
            .map(|tier| format!("verification {tier}")),
        record
            .last_confirmed
            .as_ref()
            .map(|date| format!("last confirmed {date}")),
    ];
    let figures: Vec<String> = figures.into_iter().flatten().collect();
    if !figures.is_empty() {
        heading(page, "By its own account");
        page.paragraph(2, &[], 0, &Span::plain(figures.join(", ")));
    }
}

#[derive(Serialize)]
struct Linted<'a> {
    records: usize,
    problems: &'a [Problem],
}

fn check(path: &std::path::Path, common: &Common) -> Result<Exit, CliError> {
    common.color.apply();
    let outputs = common.output.outputs(&["text", "json"])?;
    let known = common.records.catalogue()?;
    let (records, problems) =
        lint::lint(path, &known).map_err(|error| CliError::Usage(error.to_string()))?;
    outputs.write(|canvas, out| match canvas.format {
        "json" => write_pretty(
            &Linted {
                records,
                problems: &problems,
            },
            out,
        ),
        _ => write_problems(records, &problems, canvas, out),
    })?;
    Ok(if problems.is_empty() {
        Exit::Clean
    } else {
        Exit::Findings
    })
}

fn write_problems(
    records: usize,
    problems: &[Problem],
    canvas: Canvas,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page::new(canvas.width, canvas.color);
    for problem in problems {
        let lead = [Span::new(BOLD, format!("{}: ", problem.file))];
        page.paragraph(0, &lead, 2, &Span::plain(problem.problem.as_str()));
    }
    let told = match problems.len() {
        0 => "nothing is wrong".to_owned(),
        1 => "1 problem".to_owned(),
        many => format!("{many} problems"),
    };
    let records = if records == 1 {
        "1 record".to_owned()
    } else {
        format!("{records} records")
    };
    page.line(0, &[Span::new(DIM, format!("{records}: {told}."))]);
    out.write_all(page.text().as_bytes())
}
