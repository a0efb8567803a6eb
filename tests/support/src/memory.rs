//! Runs a program, and tells how much memory it took at most.
//!
//! By `VmHWM` of `/proc/PID/status`, which is the program's own: the `ru_maxrss` of `wait4` begins
//! with what the process that started it had.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often the kernel is asked.
const EVERY: Duration = Duration::from_millis(4);

/// What a run left, and what it took.
#[derive(Debug)]
pub struct Measured {
    /// Exit code, stdout and stderr.
    pub output: Output,
    /// Resident memory at most, in KiB.
    pub peak: u64,
    /// From the start to the end.
    pub took: Duration,
}

/// Runs a program to its end with this standard input.
///
/// # Panics
/// Where it does not end within `limit`; it is killed then.
pub fn run(command: &mut Command, stdin: &str, limit: Duration) -> Measured {
    let begin = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let status = format!("/proc/{}/status", child.id());
    // The kernel keeps fifteen octets of it.
    let name = Path::new(command.get_program()).file_name();
    let name = name.unwrap_or_default().to_string_lossy();
    let name: String = name.chars().take(15).collect();
    let mut pipe = child.stdin.take().expect("a pipe");
    let given = stdin.to_owned();
    let writer = thread::spawn(move || pipe.write_all(given.as_bytes()));
    let stdout = child.stdout.take().expect("a pipe");
    // A small pipe keeps a program that has begun to write its report until it has been looked at.
    let _ = rustix::pipe::fcntl_setpipe_size(&stdout, 4096);
    let stdout = read_to_end(stdout, status.clone(), name.clone());
    let stderr = read_to_end(
        child.stderr.take().expect("a pipe"),
        status.clone(),
        name.clone(),
    );
    let mut peak = 0;
    let code = loop {
        peak = peak.max(peak_of(&status, &name));
        if let Some(code) = child.try_wait().expect("a child") {
            break code;
        }
        if begin.elapsed() > limit {
            let _ = child.kill();
            let _ = child.wait();
            panic!("not ended after {limit:?}: {command:?}");
        }
        thread::sleep(EVERY);
    };
    let took = begin.elapsed();
    let _ = writer.join();
    let (stdout, at_output) = stdout.join().expect("a reader");
    let (stderr, _) = stderr.join().expect("a reader");
    Measured {
        output: Output {
            status: code,
            stdout,
            stderr,
        },
        peak: peak.max(at_output),
        took,
    }
}

/// Reads all there is, and what the peak was when the first octet came.
fn read_to_end(
    mut from: impl Read + Send + 'static,
    status: String,
    name: String,
) -> thread::JoinHandle<(Vec<u8>, u64)> {
    thread::spawn(move || {
        let mut all = vec![0; 1];
        let begun = from.read(&mut all).unwrap_or_default();
        all.truncate(begun);
        let peak = peak_of(&status, &name);
        let _ = from.read_to_end(&mut all);
        (all, peak)
    })
}

/// Zero where the process has ended, or is not the program yet: for a moment after its start it still
/// has the name, and the memory, of the process that started it.
fn peak_of(status: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(status).unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    if first.strip_prefix("Name:").map(str::trim) != Some(name) {
        return 0;
    }
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_takes_is_seen() {
        let run = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            run(&mut command, "a\n", Duration::from_secs(60))
        };
        let little = run("read x; echo $x; sleep 0.2");
        assert_eq!(little.output.stdout, b"a\n");
        let much = run("x=$(head -c 40000000 /dev/zero | tr '\\0' x); echo ${#x}; sleep 0.2");
        assert_eq!(much.output.stdout, b"40000000\n");
        assert!(little.peak > 100, "{little:?}");
        assert!(much.peak > little.peak + 30_000, "{} KiB", much.peak);
    }
}
