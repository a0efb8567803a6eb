//! `gladhand man [COMMAND]`: manual pages.

use clap::CommandFactory;

use crate::cli::suggest::did_you_mean;
use crate::cli::{Cli, CliError, output};
use crate::exit::Exit;

/// Print a manual page (roff): of gladhand, or of one command
///
/// To read it: gladhand man check | man -l -
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The command
    command: Option<String>,
}

impl Args {
    pub(super) fn run(&self) -> Result<Exit, CliError> {
        let mut command = Cli::command();
        command.build();
        let command = match &self.command {
            None => command,
            Some(name) => {
                let found = command.find_subcommand(name).cloned();
                found.ok_or_else(|| unknown(name, &command))?
            }
        };
        let man = clap_mangen::Man::new(command);
        output::to_stdout(|_, _, out| man.render(&mut &mut *out)).map_err(|source| {
            CliError::Write {
                to: "stdout".into(),
                source,
            }
        })?;
        Ok(Exit::Clean)
    }
}

fn unknown(name: &str, program: &clap::Command) -> CliError {
    let names: Vec<_> = program
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    CliError::Usage(format!(
        "no command is called `{}`; there are: {}{}",
        gladhand_probes::Untrusted::from(name),
        names.join(", "),
        did_you_mean(name, names.iter().copied()),
    ))
}
