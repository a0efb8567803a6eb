//! `gladhand schema`: the JSON Schema of the report.

use clap::ValueEnum;

use crate::cli::{CliError, output};
use crate::exit::Exit;
use crate::hello::model as hello;
use crate::report::{json, ndjson};

/// Print the JSON Schema of the report
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Of what: the report as one document, a line of `-o ndjson`, or the report of `hello`
    #[arg(value_enum, default_value_t, value_name = "FORMAT")]
    of: Of,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Of {
    #[default]
    Json,
    Ndjson,
    Hello,
}

impl Args {
    pub(super) fn run(&self) -> Result<Exit, CliError> {
        let schema = match self.of {
            Of::Json => json::schema(),
            Of::Ndjson => ndjson::schema(),
            Of::Hello => hello::schema(),
        };
        output::to_stdout(|_, _, out| json::write_pretty(&schema, out)).map_err(|source| {
            CliError::Write {
                to: "stdout".into(),
                source,
            }
        })?;
        Ok(Exit::Clean)
    }
}
