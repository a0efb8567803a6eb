//! `gladhand schema`: the JSON Schema of the report.

use crate::cli::{CliError, output};
use crate::exit::Exit;
use crate::report::json;

/// Print the JSON Schema of the report
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

impl Args {
    #[expect(clippy::unused_self, reason = "every command runs alike")]
    pub(super) fn run(&self) -> Result<Exit, CliError> {
        output::to_stdout(|_, _, out| json::write_pretty(&json::schema(), out)).map_err(
            |source| CliError::Write {
                to: "stdout".into(),
                source,
            },
        )?;
        Ok(Exit::Clean)
    }
}
