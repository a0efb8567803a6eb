//! `gladhand explain`: what an error text, or the errors in a log, mean.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use gladhand_probes::Untrusted;

use super::CliError;
use super::output::{Canvas, ColorArgs, DetailArgs, OutputArgs, deliver};
use super::records::RecordArgs;
use super::session::{self, Interrupt};
use crate::exit::Exit;
use crate::records::Catalogue;
use crate::records::explain::groups::Groups;
use crate::records::explain::{self, Explained, scan, text};
use crate::records::matcher::Matcher;
use crate::report::json::write_pretty;
use crate::report::text::page::Page;

const EXAMPLES: &str = "\
Examples:
  gladhand explain 'curl: (60) SSL certificate problem: unable to get local issuer certificate'
  gladhand explain /var/log/nginx/error.log /var/log/nginx/error.log.2.gz
  journalctl -u haproxy | gladhand explain
  gladhand explain alert 40      gladhand explain 02 28      gladhand explain 0A00010B

Exit codes:
  0    it did its work, whether an error was known or not
  2    usage error, or a file that is not there
  3    a file could not be read to its end
  70   a bug in gladhand
  130  interrupted (143: terminated); what was read so far is explained

Every flag has an environment variable: --records is GLADHAND_RECORDS.";

/// Explain an error text, or the errors in logs: the cause, what else it could be, and the fix
///
/// Without a probe nothing is confirmed: a text makes a cause likely, or leaves several open.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Texts and files, gzip as well; `-`, or nothing, reads stdin
    ///
    /// What is the name of a file is read; everything else is text. Words without a space in any of
    /// them are one text.
    #[arg(value_name = "TEXT|FILE")]
    given: Vec<String>,

    #[command(flatten)]
    records: RecordArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    detail: DetailArgs,

    #[command(flatten)]
    color: ColorArgs,
}

/// What is explained.
enum Input {
    Text(String),
    Stdin,
    File(String, File),
}

impl Args {
    pub(super) fn run(&self) -> Result<Exit, CliError> {
        self.color.apply();
        let outputs = self.output.outputs(&["text", "json"])?;
        let inputs = inputs(&self.given)?;
        let catalogue = self.records.catalogue()?;
        let matcher = RecordArgs::matcher(&catalogue);
        session::run(|interrupt| async move {
            let (explained, failed) = read(inputs, catalogue, matcher, &interrupt).await;
            let detail = self.detail.detail();
            deliver(
                outputs,
                move |canvas: Canvas, out: &mut dyn Write| match canvas.format {
                    "json" => write_pretty(&explained, out),
                    _ => text::write(
                        &explained,
                        detail,
                        Page::new(canvas.width, canvas.color),
                        out,
                    ),
                },
            )
            .await?;
            Ok(match interrupt.signal() {
                Some(signal) => Exit::Signalled(signal),
                None if failed => Exit::Incomplete,
                None => Exit::Clean,
            })
        })
    }
}

/// Files are opened first, so that one that is not there is told before anything is read.
fn inputs(given: &[String]) -> Result<Vec<Input>, CliError> {
    if given.is_empty() {
        return Ok(vec![Input::Stdin]);
    }
    let mut all = Vec::new();
    let mut words = Vec::new();
    for one in given {
        if one == "-" {
            all.push(Input::Stdin);
        } else if let Some(file) = open(one)? {
            all.push(Input::File(one.clone(), file));
        } else {
            words.push(one.clone());
        }
    }
    if words.iter().any(|word| word.contains(char::is_whitespace)) {
        all.extend(words.into_iter().map(Input::Text));
    } else if !words.is_empty() {
        all.push(Input::Text(words.join(" ")));
    }
    Ok(all)
}

/// The file of this name; none where it is text.
fn open(name: &str) -> Result<Option<File>, CliError> {
    let path = Path::new(name);
    let cannot = |error: &dyn std::fmt::Display| {
        CliError::Usage(format!("cannot read `{}`: {error}", Untrusted::from(name)))
    };
    match path.metadata() {
        Ok(data) if data.is_dir() => {
            // A word may be the name of a folder here by chance; a path is meant as one.
            if name.contains(std::path::MAIN_SEPARATOR) {
                Err(cannot(&"it is a folder; name the files in it"))
            } else {
                Ok(None)
            }
        }
        Ok(_) => File::open(path).map(Some).map_err(|error| cannot(&error)),
        // What looks like a path and nothing else is no error text.
        Err(error) if looks_like_a_path(name) => Err(cannot(&error)),
        Err(_) => Ok(None),
    }
}

fn looks_like_a_path(name: &str) -> bool {
    let path = ["/", "./", "../", "~/"]
        .iter()
        .any(|start| name.starts_with(start));
    let log = [".log", ".gz", ".txt"]
        .iter()
        .any(|end| name.ends_with(end));
    !name.contains(char::is_whitespace) && (path || log)
}

/// Reads on a thread of its own: a pipe that gives nothing must not keep a signal waiting.
async fn read(
    inputs: Vec<Input>,
    catalogue: Catalogue,
    matcher: Matcher,
    interrupt: &Interrupt,
) -> (Explained, bool) {
    let raised = interrupt.raised();
    let reading = tokio::task::spawn_blocking(move || {
        let mut groups = Groups::new(&catalogue, &matcher);
        let mut failed = false;
        for input in inputs {
            failed |= take(input, &mut groups, || *raised.borrow()).is_err();
        }
        (explain::explain(groups), failed)
    });
    reading
        .await
        .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// What of an input could not be read is told on stderr.
fn take(input: Input, groups: &mut Groups<'_>, stop: impl Fn() -> bool) -> Result<(), ()> {
    let (name, reader): (Option<String>, Box<dyn Read>) = match input {
        Input::Text(text) => {
            groups.begin(None);
            let mut lines = 0;
            for line in text.lines() {
                lines += 1;
                groups.take_text(lines, line);
            }
            groups.read(lines);
            return Ok(());
        }
        Input::Stdin => (None, Box::new(Waiting::on(io::stdin()))),
        Input::File(name, file) if file.metadata().is_ok_and(|data| data.is_file()) => {
            (Some(name), Box::new(file))
        }
        Input::File(name, pipe) => (Some(name), Box::new(Waiting::on(pipe))),
    };
    scan::scan(reader, name.as_deref(), groups, stop).map_err(|error| {
        let name = Untrusted::from(name.as_deref().unwrap_or("stdin"));
        let _ = writeln!(
            anstream::stderr(),
            "{}: {name} could not be read to its end: {error}",
            super::ERROR
        );
    })
}

/// A pipe, read on a thread that nobody waits for: one that gives nothing must not keep a signal waiting.
struct Waiting {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: io::Cursor<Vec<u8>>,
}

impl Waiting {
    /// Pieces that are read ahead.
    const AHEAD: usize = 4;

    fn on(mut pipe: impl Read + Send + 'static) -> Self {
        let (sender, pieces) = std::sync::mpsc::sync_channel(Self::AHEAD);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            loop {
                let piece = match pipe.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(read) => Ok(buffer.get(..read).unwrap_or_default().to_vec()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let ends = piece.is_err();
                if sender.send(piece).is_err() || ends {
                    return;
                }
            }
        });
        Self {
            pieces,
            piece: io::Cursor::default(),
        }
    }
}

impl Read for Waiting {
    /// [`io::ErrorKind::Interrupted`] now and then, where nothing comes: time to look whether to go on.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.piece.read(buffer)?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        match self.pieces.recv_timeout(Duration::from_millis(50)) {
            Ok(piece) => {
                self.piece = io::Cursor::new(piece?);
                self.piece.read(buffer)
            }
            Err(RecvTimeoutError::Timeout) => Err(io::ErrorKind::Interrupted.into()),
            Err(RecvTimeoutError::Disconnected) => Ok(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(given: &[&str]) -> Vec<String> {
        let given: Vec<String> = given.iter().map(ToString::to_string).collect();
        let text = |input| match input {
            Input::Text(text) => text,
            Input::Stdin => "(stdin)".into(),
            Input::File(name, _) => format!("({name})"),
        };
        inputs(&given).unwrap().into_iter().map(text).collect()
    }

    #[test]
    fn words_are_one_text_and_sentences_are_their_own() {
        assert_eq!(texts(&["alert", "40"]), ["alert 40"]);
        assert_eq!(texts(&["one text", "another"]), ["one text", "another"]);
        assert_eq!(texts(&[]), ["(stdin)"]);
        assert_eq!(texts(&["-", "x"]), ["(stdin)", "x"]);
        assert_eq!(texts(&["Cargo.toml"]), ["(Cargo.toml)"]);
    }

    #[test]
    fn a_file_that_is_not_there_is_no_text() {
        for name in ["/no/such/file", "./no-such", "error.log", "old.log.gz"] {
            assert!(inputs(&[name.to_owned()]).is_err(), "{name}");
        }
    }
}
