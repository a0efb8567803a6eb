//! Programs that a test needs.
//!
//! A missing program fails the test and says what to install. Only with
//! `GLADHAND_WITHOUT_REAL_SERVERS=1` is the test left out, and then it says so.

use std::io::Write;
use std::path::PathBuf;

/// The variable that lets tests of missing programs be left out.
pub const WITHOUT: &str = "GLADHAND_WITHOUT_REAL_SERVERS";

/// A program, and the Debian package that has it. `tests/run` installs the same ones.
const PACKAGES: &[(&str, &str)] = &[
    ("nginx", "nginx-light"),
    ("haproxy", "haproxy"),
    ("gnutls-serv", "gnutls-bin"),
    ("sslscan", "sslscan"),
    ("nmap", "nmap"),
    ("openssl", "openssl"),
    ("curl", "curl"),
    ("javac", "openjdk-17-jdk-headless"),
    ("java", "openjdk-17-jdk-headless"),
    ("cc", "build-essential"),
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("ip", "iproute2"),
];

/// Whether every program is there. Where one is missing, [`leave_out`] decides.
pub fn present(programs: &[&str]) -> bool {
    let missing: Vec<&str> = programs
        .iter()
        .copied()
        .filter(|p| find(p).is_none())
        .collect();
    if missing.is_empty() {
        return true;
    }
    let packages: Vec<&str> = missing.iter().map(|program| package(program)).collect();
    leave_out(&format!(
        "{} (Debian: {})",
        missing.join(", "),
        packages.join(" ")
    ));
    false
}

/// Says that the running test is left out for want of something.
///
/// # Panics
/// Unless [`WITHOUT`] is set to 1.
pub fn leave_out(missing: &str) {
    assert!(
        std::env::var(WITHOUT).as_deref() == Ok("1"),
        "this test needs {missing}: run tests/run, or install it; {WITHOUT}=1 leaves such tests out",
    );
    leave_out_kindly(missing);
}

/// The same for what cannot be had on every machine: never a failure.
pub fn leave_out_kindly(missing: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Not eprintln!: the test harness would swallow it.
    let _ = writeln!(std::io::stderr(), "LEFT OUT {test}: needs {missing}");
}

/// Leaves the test out, or fails it, where a program is missing.
#[macro_export]
macro_rules! needs {
    ($($program:literal),+ $(,)?) => {
        if !$crate::needs::present(&[$($program),+]) {
            return;
        }
    };
}

/// Where a program is: in `PATH`, or where Debian puts servers.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into(), "/usr/local/sbin".into()])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn package(program: &str) -> &str {
    PACKAGES
        .iter()
        .find(|(name, _)| *name == program)
        .map_or(program, |(_, package)| package)
}
