//! `gladhand completions SHELL`: what a shell completes commands and flags with.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::{Cli, CliError, output};
use crate::exit::Exit;

/// Print completions for a shell
///
/// For bash: gladhand completions bash > ~/.local/share/bash-completion/completions/gladhand
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

impl Args {
    pub(super) fn run(&self) -> Result<Exit, CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "gladhand", &mut script);
        output::to_stdout(|_, _, out| out.write_all(&script)).map_err(|source| {
            CliError::Write {
                to: "stdout".into(),
                source,
            }
        })?;
        Ok(Exit::Clean)
    }
}
