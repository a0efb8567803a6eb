//! The command line: one file a subcommand.
//!
//! This is the only part that reads arguments, the environment, files and stdin, and that writes to
//! stdout and stderr. It ends nothing: it returns how the program is to end.

mod alb;
mod bundle;
mod check;
mod completions;
mod demo;
mod descriptors;
mod explain;
mod file;
mod hello;
mod http;
mod identity;
mod list;
mod man;
mod output;
mod policies;
mod progress;
mod range;
mod records;
mod rules;
mod schema;
mod session;
mod suggest;

use std::ffi::OsString;
use std::io;

use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};

use crate::exit::Exit;

/// What an error line begins with. The styles are stripped where they are not wanted.
pub const ERROR: &str = "\u{1b}[1m\u{1b}[31merror\u{1b}[0m";

/// What a line of advice begins with.
const HINT: &str = "\u{1b}[1mhint\u{1b}[0m";

const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (TLS backend: rustls with aws-lc-rs)"
);

const EXIT_CODES: &str = "\
Exit codes:
  0    everything asked was measured, and nothing is at or above --fail-on
  1    findings at or above --fail-on (hello: nothing in common with the counterpart)
  2    usage or configuration error; nothing was probed
  3    something asked could not be measured (no such host, refused, timeout)
  70   a bug in gladhand
  130  interrupted (143: terminated); the partial report is written

Every flag has an environment variable: --fail-on is GLADHAND_FAIL_ON.";

/// Finds out why a TLS handshake with a load balancer, or behind one, fails, and says what to
/// change.
#[derive(Debug, Parser)]
#[command(name = "gladhand", version = VERSION, after_help = EXIT_CODES)]
#[command(disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(Box<check::Args>),
    Alb(Box<alb::Args>),
    Demo(demo::Args),
    Hello(Box<hello::Args>),
    Policies(policies::Args),
    Explain(explain::Args),
    Records(records::Args),
    Rules(rules::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// What was given cannot be used; what is accepted is in the message.
    #[error("{0}")]
    Usage(String),
    /// A report could not be written after the run.
    #[error("cannot write {to}")]
    Write {
        /// The file, or `stdout`.
        to: String,
        /// What the system said.
        source: io::Error,
    },
    /// AWS does not tell what has to be known before anything can be audited.
    #[error("{0}")]
    NotRead(String),
    /// The system gave no threads, timers or signal handlers.
    #[error("cannot start")]
    Start(#[from] io::Error),
}

impl CliError {
    /// How the program ends with it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            // Something was asked, and its answer did not get through.
            Self::Write { .. } | Self::NotRead(_) | Self::Start(_) => Exit::Incomplete,
        }
    }
}

/// Runs the program with these arguments, its own name first.
pub fn run<I, T>(args: I) -> Result<Exit, CliError>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    match Cli::try_parse_from(args) {
        Ok(cli) => match cli.command {
            Command::Check(args) => args.run(),
            Command::Alb(args) => args.run(),
            Command::Demo(args) => args.run(),
            Command::Hello(args) => args.run(),
            Command::Policies(args) => args.run(),
            Command::Explain(args) => args.run(),
            Command::Records(args) => args.run(),
            Command::Rules(args) => args.run(),
            Command::Schema(args) => args.run(),
            Command::Completions(args) => args.run(),
            Command::Man(args) => args.run(),
        },
        Err(mut told) => {
            suggest::check(&mut told);
            let told = without_controls(told);
            // Help and version are no errors, and a closed pipe is none of help's.
            let _ = told.print();
            Ok(if told.use_stderr() {
                Exit::Usage
            } else {
                Exit::Clean
            })
        }
    }
}

/// The same error with what was given escaped: clap repeats it as it is.
fn without_controls(mut told: clap::Error) -> clap::Error {
    let given: Vec<(ContextKind, ContextValue)> = told
        .context()
        .filter_map(|(kind, value)| {
            let shown = match value {
                ContextValue::String(text) => ContextValue::String(shown(text)),
                ContextValue::Strings(all) => {
                    ContextValue::Strings(all.iter().map(|text| shown(text)).collect())
                }
                _ => return None,
            };
            (shown != *value).then_some((kind, shown))
        })
        .collect();
    // Its tips repeat what was given as well, between styles of its own.
    if !given.is_empty() {
        told.insert(ContextKind::Suggested, ContextValue::None);
    }
    for (kind, value) in given {
        told.insert(kind, value);
    }
    told
}

fn shown(text: &str) -> String {
    gladhand_probes::Untrusted::from(text).to_string()
}

/// What `-` makes of these bytes on stdin.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_list(mut text: &[u8]) -> Result<(), String> {
    let read = list::targets(&["-".to_owned()], 443, &mut text);
    read.map(|_| ()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn an_argument_cannot_speak_through_an_error() {
        for args in [
            ["gladhand", "check", "--\u{1b}[2J\u{9b}\n::error::x"],
            ["gladhand", "check", "--sni=\u{1b}[2J\u{9b}\n::error::x"],
            ["gladhand", "check", "--fail-on=\u{1b}[2J\u{9b}"],
            ["gladhand", "\u{1b}[2J\u{9b}\n", "x"],
            ["gladhand", "demo", "\u{1b}[2J\u{9b}"],
        ] {
            let told = without_controls(Cli::try_parse_from(args).unwrap_err()).to_string();
            let raw = |c: char| c.is_control() && c != '\n';
            assert!(!told.contains(raw), "{told:?}");
            assert!(!told.contains("\n::"), "{told:?}");
        }
    }

    /// What the records say to type exists.
    #[test]
    fn commands_of_the_records_are_understood() {
        let mut seen = 0;
        for entry in crate::records::Catalogue::embedded().entries() {
            let diagnosis = entry.record.diagnosis.iter();
            let fixes = diagnosis.flat_map(|own| own.fixes.values().flatten());
            for fix in fixes {
                let snippet = fix.snippet.iter().flat_map(|text| text.lines());
                for line in snippet.chain(fix.check.lines()) {
                    if !line.starts_with("gladhand ") {
                        continue;
                    }
                    let read = Cli::try_parse_from(line.split(' '));
                    assert!(
                        read.is_ok(),
                        "{}: {line}: {:?}",
                        entry.record.id,
                        read.err()
                    );
                    seen += 1;
                }
            }
        }
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_has_help_and_an_environment_twin() {
        let own = ["help", "version"];
        for command in Cli::command().get_subcommands() {
            for arg in command.get_arguments().filter(|arg| !arg.is_positional()) {
                let name = format!("{} --{}", command.get_name(), arg.get_id());
                assert!(arg.get_help().is_some(), "{name}");
                if own.contains(&arg.get_id().as_str()) {
                    continue;
                }
                let long = arg.get_long().expect("a long name");
                let twin = format!("GLADHAND_{}", long.to_uppercase().replace('-', "_"));
                let env = arg.get_env().and_then(|env| env.to_str());
                assert_eq!(env, Some(twin.as_str()), "{name}");
            }
        }
    }
}
