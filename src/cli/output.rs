//! Where reports go: the flags that formats, files, colour and detail are chosen with.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use anstream::{AutoStream, ColorChoice};
use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, ValueEnum};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::suggest::did_you_mean;
use super::{CliError, file};
use crate::report::model::Report;
use crate::report::{self, Detail, Format, Lines};
use crate::run::Numbered;

/// Lines that wait for a slow reader, at most.
const WAITING: usize = 64;

/// Columns at most, however wide the terminal is.
const WIDEST: usize = 100;

/// Columns where nobody says how many there are: a pipe, a file.
const USUAL: usize = 100;

/// `-o`.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// Write this format to stdout, or to FILE; repeatable [default: text]
    #[arg(short, long = "output", value_name = "FORMAT[=FILE]")]
    #[arg(env = "GLADHAND_OUTPUT", hide_env = true)]
    output: Vec<String>,
}

/// `--color`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct ColorArgs {
    /// When to colour; auto obeys NO_COLOR, CLICOLOR_FORCE and TERM
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    #[arg(env = "GLADHAND_COLOR", hide_env = true)]
    color: When,
}

/// How much is told.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct DetailArgs {
    /// Only verdicts, and one line for each finding or hello
    #[arg(short, long, conflicts_with = "verbose", value_parser = FalseyValueParser::new())]
    #[arg(env = "GLADHAND_QUIET", hide_env = true, action = ArgAction::SetTrue)]
    quiet: bool,

    /// Every finding in full and no list cut short; twice: the evidence behind each fact
    #[arg(short, long, action = ArgAction::Count)]
    #[arg(env = "GLADHAND_VERBOSE", hide_env = true)]
    verbose: u8,

    /// No progress line on stderr
    #[arg(long, value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    #[arg(env = "GLADHAND_NO_PROGRESS", hide_env = true)]
    no_progress: bool,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum When {
    #[default]
    Auto,
    Always,
    Never,
}

impl DetailArgs {
    pub(super) fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (false, 0) => Detail::Normal,
            (false, 1) => Detail::Verbose,
            (false, _) => Detail::Evidence,
        }
    }

    pub(super) fn progress(&self) -> bool {
        !self.no_progress && !self.quiet
    }
}

impl ColorArgs {
    /// Makes the choice hold for stdout and stderr.
    pub(super) fn apply(&self) {
        match self.color {
            When::Auto => ColorChoice::Auto,
            When::Always => ColorChoice::Always,
            When::Never => ColorChoice::Never,
        }
        .write_global();
    }
}

impl OutputArgs {
    /// Which format goes where. `known` are the formats' names, the default first.
    pub(super) fn outputs(&self, known: &[&'static str]) -> Result<Outputs, CliError> {
        let mut all = Vec::new();
        for spec in split(&self.output, known) {
            let (name, file) = match spec.split_once('=') {
                Some((name, "" | "-")) => (name, None),
                Some((name, file)) => (name, Some(PathBuf::from(file))),
                None => (spec.as_str(), None),
            };
            let Some(format) = known.iter().find(|format| **format == name) else {
                return Err(CliError::Usage(format!(
                    "no format is called `{}`; there are: {}{}",
                    gladhand_probes::Untrusted::from(name),
                    known.join(", "),
                    did_you_mean(name, known.iter().copied()),
                )));
            };
            all.push(Output { format, file });
        }
        if all.iter().all(|output| output.file.is_some()) {
            all.extend(known.first().map(|first| Output {
                format: first,
                file: None,
            }));
        }
        for (number, output) in all.iter().enumerate() {
            if all
                .iter()
                .take(number)
                .any(|earlier| earlier.file == output.file)
            {
                let place = output.place();
                let told = format!(
                    "two formats for {place}; give one of them a file of its own: -o FORMAT=FILE"
                );
                return Err(CliError::Usage(told));
            }
            if let Some(path) = &output.file {
                file::check_writable(path).map_err(|error| {
                    CliError::Usage(format!("cannot write {}: {error}", output.place()))
                })?;
            }
        }
        Ok(Outputs(all))
    }
}

/// `json,text=report.txt` is two outputs. A comma that no format follows belongs to a file's name.
fn split(specs: &[String], known: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for spec in specs {
        for (number, part) in spec.split(',').enumerate() {
            let name = part.split('=').next().unwrap_or_default();
            match all
                .last_mut()
                .filter(|last| number > 0 && last.contains('='))
            {
                Some(last) if !known.contains(&name) => {
                    last.push(',');
                    last.push_str(part);
                }
                _ => all.push(part.trim().to_owned()),
            }
        }
    }
    all.retain(|spec| !spec.is_empty());
    all
}

/// Which format goes where: files first, then at most one to stdout.
#[derive(Clone, Debug)]
pub(super) struct Outputs(Vec<Output>);

#[derive(Clone, Debug)]
struct Output {
    format: &'static str,
    /// None: stdout.
    file: Option<PathBuf>,
}

/// How one output is to be rendered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Canvas {
    /// The format's name.
    pub(super) format: &'static str,
    /// Whether styles are wanted.
    pub(super) color: bool,
    /// Columns.
    pub(super) width: usize,
}

impl Output {
    /// Whether this says that the reader of stdout went away, which is no failure.
    fn is_gone(&self, error: &io::Error) -> bool {
        self.file.is_none() && error.kind() == io::ErrorKind::BrokenPipe
    }

    fn place(&self) -> String {
        match &self.file {
            Some(path) => {
                gladhand_probes::Untrusted::from(path.to_string_lossy().as_ref()).to_string()
            }
            None => "stdout".into(),
        }
    }
}

impl Outputs {
    /// Whether lines are written to a terminal while a run goes on.
    pub(super) fn run_over_a_terminal(&self) -> bool {
        let to_stdout = |output: &Output| {
            let lines = report::format(output.format).and_then(Format::lines);
            output.file.is_none() && lines.is_some()
        };
        io::stdout().is_terminal() && self.0.iter().any(to_stdout)
    }

    /// Renders each output. One that fails does not keep the others from being written; a reader of
    /// stdout that went away is no failure.
    pub(super) fn write(
        &self,
        render: impl Fn(Canvas, &mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CliError> {
        let mut failed = Ok(());
        for output in self
            .0
            .iter()
            .filter(|output| output.file.is_some())
            .chain(self.0.iter().filter(|output| output.file.is_none()))
        {
            let written = match &output.file {
                Some(path) => {
                    // A file is for later: it has styles only where they are forced.
                    let color = matches!(ColorChoice::global(), ColorChoice::Always);
                    let canvas = Canvas {
                        format: output.format,
                        color,
                        width: USUAL,
                    };
                    file::write_atomically(path, |out| render(canvas, out))
                }
                None => to_stdout(|color, width, out| {
                    render(
                        Canvas {
                            format: output.format,
                            color,
                            width,
                        },
                        out,
                    )
                }),
            };
            if let Err(source) = written {
                failed = Err(CliError::Write {
                    to: output.place(),
                    source,
                });
            }
        }
        failed
    }
}

/// Outputs while a run goes on: formats that can be are written line by line, for the others the rows
/// are kept.
pub(super) struct Delivery {
    live: Vec<Live>,
    later: Outputs,
    rows: Vec<Numbered>,
}

/// An output that is written while the run goes on, on a thread of its own: a reader that does not
/// read must not keep a second signal from ending the program.
struct Live {
    lines: &'static dyn Lines,
    output: Output,
    /// None once nobody reads any more.
    sender: Option<mpsc::Sender<Vec<u8>>>,
    writer: JoinHandle<io::Result<()>>,
}

impl Delivery {
    /// Begins. The files of formats that are written line by line are emptied.
    pub(super) fn new(outputs: Outputs) -> Self {
        let mut live = Vec::new();
        let mut later = Vec::new();
        for output in outputs.0 {
            match report::format(output.format).and_then(Format::lines) {
                Some(lines) => live.push(Live::new(output, lines)),
                None => later.push(output),
            }
        }
        Self {
            live,
            later: Outputs(later),
            rows: Vec::new(),
        }
    }

    /// Takes a target that is done. Waits where a reader is slow; breaks where nobody wants any more.
    pub(super) async fn row(&mut self, row: Numbered) -> ControlFlow<()> {
        for live in &mut self.live {
            live.send(|lines, out| lines.target(&row.row, out)).await;
        }
        if !self.later.0.is_empty() {
            self.rows.push(row);
        } else if self.live.iter().all(|live| live.sender.is_none()) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// The rows that were kept.
    pub(super) fn take_rows(&mut self) -> Vec<Numbered> {
        std::mem::take(&mut self.rows)
    }

    /// Writes the last lines, and the formats that need the whole report.
    pub(super) async fn end(
        self,
        report: Report,
        render: impl Fn(&Report, Canvas, &mut dyn Write) -> io::Result<()> + Send + 'static,
    ) -> Result<(), CliError> {
        let mut failed = Ok(());
        for mut live in self.live {
            live.send(|lines, out| lines.end(&report, out)).await;
            drop(live.sender);
            let written = live.writer.await;
            let written = written.unwrap_or_else(|error| Err(io::Error::other(error)));
            match written {
                Err(error) if live.output.is_gone(&error) => {}
                Err(source) => {
                    failed = Err(CliError::Write {
                        to: live.output.place(),
                        source,
                    });
                }
                Ok(()) => {}
            }
        }
        if !self.later.0.is_empty() {
            deliver(self.later, move |canvas, out| render(&report, canvas, out)).await?;
        }
        failed
    }
}

impl Live {
    fn new(output: Output, lines: &'static dyn Lines) -> Self {
        let (sender, mut lines_to_write) = mpsc::channel::<Vec<u8>>(WAITING);
        let file = output.file.clone();
        let writer = tokio::task::spawn_blocking(move || {
            let mut out: Box<dyn Write> = match file {
                Some(path) => Box::new(File::create(path)?),
                None => Box::new(io::stdout()),
            };
            while let Some(line) = lines_to_write.blocking_recv() {
                out.write_all(&line)?;
                out.flush()?;
            }
            Ok(())
        });
        Self {
            lines,
            output,
            sender: Some(sender),
            writer,
        }
    }

    async fn send(&mut self, write: impl Fn(&dyn Lines, &mut dyn Write) -> io::Result<()>) {
        let mut line = Vec::new();
        let written = write(self.lines, &mut line);
        if let (Ok(()), Some(sender)) = (written, &self.sender)
            && sender.send(line).await.is_err()
        {
            self.sender = None;
        }
    }
}

/// Writes on a thread of its own: a reader that does not read must not keep a second signal from
/// ending the program.
pub(super) async fn deliver(
    outputs: Outputs,
    render: impl Fn(Canvas, &mut dyn Write) -> io::Result<()> + Send + 'static,
) -> Result<(), CliError> {
    match tokio::task::spawn_blocking(move || outputs.write(render)).await {
        Ok(written) => written,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Renders to stdout, in colour where that is wanted. A reader that went away is no failure.
pub(super) fn to_stdout(
    render: impl FnOnce(bool, usize, &mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let stdout = io::stdout();
    let width = if stdout.is_terminal() {
        textwrap::termwidth().min(WIDEST)
    } else {
        USUAL
    };
    let color = AutoStream::choice(&stdout) != ColorChoice::Never;
    // The whole text first: a slow reader does not hold half a line.
    let mut text = Vec::new();
    render(color, width, &mut text)?;
    let written = if color {
        // On an old Windows console this turns styles into calls.
        let mut out = AutoStream::always(stdout.lock());
        out.write_all(&text).and_then(|()| out.flush())
    } else {
        let mut out = stdout.lock();
        out.write_all(&text).and_then(|()| out.flush())
    };
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 2] = ["text", "json"];

    fn outputs(specs: &[&str]) -> Result<Vec<(&'static str, Option<PathBuf>)>, String> {
        let args = OutputArgs {
            output: specs.iter().map(ToString::to_string).collect(),
        };
        let outputs = args.outputs(&KNOWN).map_err(|error| error.to_string())?;
        Ok(outputs
            .0
            .into_iter()
            .map(|output| (output.format, output.file))
            .collect())
    }

    #[test]
    fn text_goes_to_stdout_unless_something_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a,b.json");
        let spec = format!("json={}", path.display());
        assert_eq!(outputs(&[]).unwrap(), [("text", None)]);
        assert_eq!(outputs(&["json"]).unwrap(), [("json", None)]);
        assert_eq!(
            outputs(&[&spec]).unwrap(),
            [("json", Some(path.clone())), ("text", None)]
        );
        let both = format!("{spec},json");
        assert_eq!(
            outputs(&[&both]).unwrap(),
            [("json", Some(path)), ("json", None)]
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        assert!(
            outputs(&["jsn"])
                .unwrap_err()
                .contains("did you mean `json`?")
        );
        assert!(outputs(&["json", "text"]).unwrap_err().contains("stdout"));
        assert!(
            outputs(&["json=/no/such/folder/x"])
                .unwrap_err()
                .contains("/no/such/folder/x")
        );
    }
}
