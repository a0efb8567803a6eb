//! The command line: one file a subcommand.
//!
//! This is the only part that reads arguments, the environment, files and stdin, and that writes to
//! stdout and stderr. It ends nothing: it returns how the program is to end.

mod check;
mod completions;
mod demo;
mod file;
mod list;
mod man;
mod output;
mod progress;
mod rules;
mod schema;
mod session;
mod suggest;

use std::ffi::OsString;
use std::io;

use clap::{Parser, Subcommand};

use crate::exit::Exit;

/// What an error line begins with. The styles are stripped where they are not wanted.
pub const ERROR: &str = "\u{1b}[1m\u{1b}[31merror\u{1b}[0m";

const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (TLS backend: rustls with aws-lc-rs)"
);

const EXIT_CODES: &str = "\
Exit codes:
  0    everything asked was measured, and nothing is at or above --fail-on
  1    findings at or above --fail-on
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
    Demo(demo::Args),
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
            Self::Write { .. } | Self::Start(_) => Exit::Incomplete,
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
            Command::Demo(args) => args.run(),
            Command::Rules(args) => args.run(),
            Command::Schema(args) => args.run(),
            Command::Completions(args) => args.run(),
            Command::Man(args) => args.run(),
        },
        Err(told) => {
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
