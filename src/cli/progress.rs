//! The progress line: on stderr, and only where somebody watches.

use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::run::{Event, Listener};

/// One line that says how far the run is.
pub(super) struct Progress {
    bar: ProgressBar,
    /// What is probed: the target's name, or how many there are.
    what: String,
    addresses: AtomicUsize,
    probed: AtomicUsize,
}

impl Progress {
    /// A line where it is wanted and somebody watches, else nothing.
    pub(super) fn new(wanted: bool, targets: &[String]) -> Arc<Self> {
        let bar = if wanted && is_watched() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        } else {
            ProgressBar::hidden()
        };
        let what = match targets {
            [only] => only.clone(),
            many => format!("{} targets", many.len()),
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(format!("probing {what} …"));
        Arc::new(Self {
            bar,
            what,
            addresses: AtomicUsize::new(0),
            probed: AtomicUsize::new(0),
        })
    }

    /// What [`crate::run::run`] tells.
    pub(super) fn listener(self: &Arc<Self>) -> Listener {
        let progress = Arc::clone(self);
        Arc::new(move |event| progress.hear(&event))
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
            Event::Probed => self.probed.fetch_add(1, Ordering::Relaxed),
        };
        let probed = self.probed.load(Ordering::Relaxed);
        let addresses = self.addresses.load(Ordering::Relaxed);
        let what = &self.what;
        self.bar.set_message(match addresses {
            0 | 1 => format!("probing {what} …"),
            many => format!("probing {what} ({probed} of {many} addresses) …"),
        });
    }
}

/// A terminal, no CI, and one that can move its cursor.
fn is_watched() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal()
        && !set("CI")
        && std::env::var_os("TERM").as_deref() != Some(OsStr::new("dumb"))
}
