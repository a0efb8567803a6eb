//! `cargo bench`: the same job with gladhand and with other tools, by turns, on servers of its own.
//!
//!     cargo bench                  a short version: a few minutes, with the tools that are installed
//!     cargo bench -- --full        everything; see benches/run
//!     cargo bench -- --write       the tables also into benches/RESULTS.md
//!     cargo bench -- --timeline    when gladhand begins and ends each connection at 50 ms
//!
//! A word after that limits it to jobs whose heading contains the word: `cargo bench -- suites`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod jobs;
mod lab;
mod measure;
mod servers;
mod table;
mod tap;
mod tools;

use std::error::Error;
use std::process::ExitCode;

use bench::Bench;
use jobs::Effort;

/// What was asked for on the command line.
#[derive(Debug, Default)]
struct Asked {
    full: bool,
    write: bool,
    timeline: bool,
    /// Only jobs whose heading has this word.
    word: Option<String>,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [first, rest @ ..] = args.as_slice()
        && first == measure::CHILD
    {
        return ended(measure::measured_child(rest));
    }
    // `cargo test --all-targets` runs this, too, and without the flag of `cargo bench`.
    if !args.iter().any(|arg| arg == "--bench") {
        println!("run it with `cargo bench`");
        return ExitCode::SUCCESS;
    }
    let mut asked = Asked::default();
    for arg in args.into_iter().filter(|arg| arg != "--bench") {
        match arg.as_str() {
            "--full" => asked.full = true,
            "--write" => asked.write = true,
            "--timeline" => asked.timeline = true,
            flag if flag.starts_with('-') => {
                eprintln!("no such flag: {flag}; there are --full, --write and --timeline");
                return ExitCode::from(2);
            }
            _ => asked.word = Some(arg),
        }
    }
    ended(run(&asked))
}

fn ended(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(asked: &Asked) -> Result<(), Box<dyn Error>> {
    let far = lab::enter().and_then(|()| lab::Far::new().map_err(|error| error.to_string()));
    if let Err(why) = &far {
        eprintln!(
            "Without the part with 50 ms round trip, for want of network namespaces: {why}\n"
        );
    }
    let bench = Bench::new(far)?;
    if asked.timeline {
        return bench.timelines();
    }
    let effort = if asked.full {
        Effort::FULL
    } else {
        Effort::SHORT
    };
    bench.run(effort, asked.word.as_deref(), asked.write)
}
