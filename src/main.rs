//! Parse, run, exit code. The only place that ends the process.

use std::io::Write as _;
use std::panic::{self, PanicHookInfo};

use gladhand::cli;
use gladhand::exit::Exit;

fn main() {
    panic::set_hook(Box::new(report_bug));
    let exit = match panic::catch_unwind(|| cli::run(std::env::args_os())) {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => {
            let exit = error.exit();
            tell(&anyhow::Error::new(error));
            exit
        }
        Err(_) => Exit::Bug,
    };
    end(exit);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that ends the process"
)]
fn end(exit: Exit) -> ! {
    std::process::exit(exit.code().into())
}

/// Says on stderr what went wrong, with its causes. Nobody listening there is no reason to fail.
fn tell(error: &anyhow::Error) {
    let _ = writeln!(anstream::stderr(), "{}: {error:#}", cli::ERROR);
}

/// One line for a panic anywhere, also one that costs only a probe.
fn report_bug(info: &PanicHookInfo<'_>) {
    let payload = info.payload();
    let message = payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    let place = info
        .location()
        .map(|place| format!("{}:{}", place.file(), place.line()));
    let _ = writeln!(
        anstream::stderr(),
        "{}: internal error: {} ({}). This is a bug in gladhand; please report it at {}/issues",
        cli::ERROR,
        gladhand::probes::Untrusted::from(message),
        place.unwrap_or_default(),
        env!("CARGO_PKG_REPOSITORY"),
    );
}
