//! Runs a command and takes its time, its CPU time and its peak memory; compares two by turns.

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use wait4::Wait4;

/// A run that takes longer is ended: some tools never end on their own.
const LIMIT: Duration = Duration::from_secs(300);
/// The first argument of the process that starts a command. See [`measured_child`].
pub(crate) const CHILD: &str = "--measure";

/// What one run took.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Seconds.
    pub(crate) wall: f64,
    /// Seconds, of the command and of the processes that it waited for.
    pub(crate) cpu: f64,
    /// MiB, of its biggest process.
    pub(crate) memory: f64,
    /// What it printed on both outputs.
    pub(crate) printed: String,
    /// The exit code, where it was not killed.
    pub(crate) code: Option<i32>,
}

/// Runs a command, behind a prefix such as `nsenter …`.
pub(crate) fn run(
    prefix: &[String],
    command: &[String],
    folder: &Path,
) -> Result<Sample, Box<dyn Error>> {
    let printed = folder.join("printed");
    let this = std::env::current_exe()?.display().to_string();
    let words: Vec<&str> = prefix
        .iter()
        .map(String::as_str)
        .chain([this.as_str(), CHILD])
        .collect();
    let (program, args) = words.split_first().ok_or("no command")?;
    let mut child = Command::new(program)
        .args(args)
        .arg(&printed)
        .args(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    // Open until the command has ended, or this process.
    let lifeline = child.stdin.take();
    let output = child.wait_with_output()?;
    drop(lifeline);
    let taken: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| format!("{} cannot be run", command.join(" ")))?;
    let number = |key: &str| taken[key].as_f64().unwrap_or_default();
    Ok(Sample {
        wall: number("wall"),
        cpu: number("cpu"),
        memory: number("memory"),
        printed: String::from_utf8_lossy(&std::fs::read(&printed)?).into_owned(),
        code: taken["code"].as_i64().and_then(|code| code.try_into().ok()),
    })
}

/// A process of its own starts each command, since the kernel counts the memory that the starting
/// process had as the command's: this one has about 3 MiB, a benchmark full of threads more.
#[allow(clippy::print_stdout)]
pub(crate) fn measured_child(args: &[String]) -> Result<(), Box<dyn Error>> {
    let [printed, program, args @ ..] = args else {
        return Err("arguments: FILE PROGRAM ARGUMENTS".into());
    };
    let output = File::create(printed)?;
    let begin = Instant::now();
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0)
        .spawn()?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let end_group = move || {
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
    };
    thread::spawn(move || {
        thread::sleep(LIMIT);
        end_group();
    });
    thread::spawn(move || {
        // Ends when the benchmark does, also where it is killed.
        let _ = std::io::stdin().read(&mut [0]);
        end_group();
    });
    let ended = child.wait4()?;
    let wall = begin.elapsed();
    // The tools' helpers go with them.
    end_group();
    let usage = ended.rusage;
    let taken = json!({
        "wall": wall.as_secs_f64(),
        "cpu": (usage.utime + usage.stime).as_secs_f64(),
        "memory": mebibytes(usage.maxrss),
        "code": ended.status.signal().is_none().then(|| ended.status.code()),
    });
    println!("{taken}");
    Ok(())
}

#[allow(clippy::cast_precision_loss)]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The middle one; of an even number, the mean of the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.get(middle.wrapping_sub(1))) {
        (Some(&high), Some(&low)) if values.len().is_multiple_of(2) => f64::midpoint(low, high),
        (Some(&one), _) => one,
        _ => f64::NAN,
    }
}
