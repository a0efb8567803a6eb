//! The progress line: on stderr, and only where somebody watches.

use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::report::model::{Counts, Row, Severity};
use crate::run::{Event, Listener};

/// One target: its name, and how many of its addresses are done.
const ONE: &str = "{spinner} {msg} {elapsed}";

/// Many: how far, how fast, how long still, and what was found so far.
const MANY: &str = "{spinner} {bar:24} {pos}/{len}  {per_sec}  ETA {eta}  {msg}";

/// One line that says how far the run is.
pub(super) struct Progress {
    bar: ProgressBar,
    /// What is probed: the target's name, or how many there are.
    what: String,
    many: bool,
    addresses: AtomicUsize,
    probed: AtomicUsize,
    waiting: AtomicUsize,
    found: Mutex<Counts>,
}

impl Progress {
    /// A line where it is wanted and somebody watches, else nothing.
    pub(super) fn new(wanted: bool, what: &str, targets: usize) -> Arc<Self> {
        let bar = line(wanted);
        let many = targets > 1;
        if let Ok(style) = ProgressStyle::with_template(if many { MANY } else { ONE }) {
            bar.set_style(style);
        }
        if many {
            bar.set_length(targets as u64);
        }
        bar.set_message(format!("probing {what} …"));
        Arc::new(Self {
            bar,
            what: what.into(),
            many,
            addresses: AtomicUsize::new(0),
            probed: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            found: Mutex::default(),
        })
    }

    /// What [`crate::run::run`] tells.
    pub(super) fn listener(self: &Arc<Self>) -> Listener {
        let progress = Arc::clone(self);
        Arc::new(move |event| progress.hear(&event))
    }

    /// A target is done.
    pub(super) fn done(&self, row: &Row) {
        if !self.many {
            return;
        }
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        for finding in &row.findings {
            found.add(finding.severity);
        }
        self.bar.set_message(told(&found));
        self.bar.inc(1);
    }

    /// Leaves the line empty.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn hear(&self, event: &Event) {
        match event {
            Event::Resolved { addresses } => {
                self.addresses.fetch_add(*addresses, Ordering::Relaxed)
            }
            Event::Waiting { at_most } => {
                let waiting = self.waiting.fetch_add(1, Ordering::Relaxed) + 1;
                self.bar.set_message(waits(waiting, *at_most));
                return;
            }
            Event::Probed => self.probed.fetch_add(1, Ordering::Relaxed),
        };
        if self.many || self.waiting.load(Ordering::Relaxed) > 0 {
            return;
        }
        let probed = self.probed.load(Ordering::Relaxed);
        let addresses = self.addresses.load(Ordering::Relaxed);
        let what = &self.what;
        self.bar.set_message(match addresses {
            0 | 1 => format!("probing {what} …"),
            many => format!("probing {what} ({probed} of {many} addresses) …"),
        });
    }
}

/// The line while AWS is asked; it ends with the value.
#[cfg(feature = "aws")]
pub(super) struct Asking(ProgressBar);

#[cfg(feature = "aws")]
impl Asking {
    /// A line where it is wanted and somebody watches, else nothing.
    pub(super) fn new(wanted: bool) -> Self {
        let bar = line(wanted);
        if let Ok(style) = ProgressStyle::with_template(ONE) {
            bar.set_style(style);
        }
        bar.set_message("asking AWS which load balancer it is …");
        Self(bar)
    }

    /// How many calls were answered, of those that are known to be needed so far.
    pub(super) fn answered(&self, done: usize, known: usize) {
        self.0.set_message(asks(done, known));
    }
}

#[cfg(feature = "aws")]
impl Drop for Asking {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// `asking AWS: 12 of 40 answers …`.
#[cfg(feature = "aws")]
fn asks(done: usize, known: usize) -> String {
    let answers = if known == 1 { "answer" } else { "answers" };
    format!("asking AWS: {done} of {known} {answers} …")
}

/// A line that moves, where it is wanted and somebody watches, else none.
fn line(wanted: bool) -> ProgressBar {
    if wanted && is_watched() {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    } else {
        ProgressBar::hidden()
    }
}

/// `3 idle connections, for 63 s at most …`.
fn waits(waiting: usize, at_most: Duration) -> String {
    let seconds = at_most.as_secs_f64().ceil();
    let connections = match waiting {
        1 => "an idle connection".into(),
        many => format!("{many} idle connections"),
    };
    format!("waiting for the end of {connections}, for {seconds} s at most (Ctrl-C ends it) …")
}

/// `2 critical, 14 high`.
fn told(found: &Counts) -> String {
    let told: Vec<_> = Severity::ALL
        .into_iter()
        .filter(|severity| *severity > Severity::Info && found.count(*severity) > 0)
        .map(|severity| format!("{} {}", found.count(severity), severity.name()))
        .collect();
    if told.is_empty() {
        "nothing found yet".into()
    } else {
        told.join(", ")
    }
}

/// A terminal, no CI, and one that can move its cursor.
fn is_watched() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal()
        && !set("CI")
        && std::env::var_os("TERM").as_deref() != Some(OsStr::new("dumb"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "aws")]
    #[test]
    fn says_how_far_asking_aws_is() {
        assert_eq!(asks(3, 41), "asking AWS: 3 of 41 answers …");
        assert_eq!(asks(0, 1), "asking AWS: 0 of 1 answer …");
    }

    #[test]
    fn says_for_what_it_waits() {
        let told = waits(3, Duration::from_millis(10_500));
        assert!(
            told.starts_with("waiting for the end of 3 idle connections, for 11 s"),
            "{told}"
        );
    }
}
