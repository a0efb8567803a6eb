//! An endpoint that nobody else asks: for controls, and for questions whose answer may be chance.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::{Cx, Told};
use crate::net::gate::AllSlots;
use crate::tls::hellos::Hello;

/// How often a control is sent at once, then after a pause each time, the longer the oftener; and the
/// time that all of it may take.
const CONTROLS: u32 = 2;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const PAUSES: u32 = 5;
const BACKING_OFF: Duration = Duration::from_secs(12);

/// Of the rate that a server bore, so much is asked of it afterwards.
const OF_ITS_RATE: f64 = 0.7;

/// An endpoint to which no connection is open but the one that asks here.
#[derive(Debug)]
pub(crate) struct Quiet<'a> {
    pub(super) cx: &'a Cx,
    pub(super) _slots: AllSlots<'a>,
}

impl Quiet<'_> {
    /// The answer to a hello, asked now, waiting for it so long at most.
    pub(crate) async fn ask(&self, hello: &Hello, wait: Duration) -> Told {
        self.cx
            .ask_now(hello, wait.min(self.cx.settings.timeout), false)
            .await
    }

    /// Whether the server answers a hello that it is known to answer, after `since`. None where no
    /// such hello is known.
    pub(crate) async fn still_answers(&self, since: Instant) -> Option<bool> {
        let hello = self.cx.known_good.get()?;
        if self.cx.was_good_since(since) {
            return Some(true);
        }
        Some(self.is_answered(hello).await)
    }

    /// Whether the server answers the control, or after `since` anything that it is known to answer. A
    /// server that answers nothing any more may have been asked too fast: it is left alone for a
    /// while, and from then on asked more slowly.
    pub(crate) async fn control(&self, control: Option<&Hello>, since: Instant) -> Option<bool> {
        if control.is_none() && self.cx.was_good_since(since) {
            return Some(true);
        }
        let hello = control.or(self.cx.known_good.get())?;
        let per_second = self.cx.steadiness.answered_lately();
        for _ in 0..CONTROLS {
            if self.is_answered(hello).await {
                return Some(true);
            }
        }
        // The control may be what is not answered: what is known to be answered tells.
        let known = self.cx.known_good.get()?;
        if known != hello && self.is_answered(known).await {
            return Some(false);
        }
        if self.cx.waited_in_vain.load(Ordering::Relaxed) {
            return Some(false);
        }
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        for _ in 0..PAUSES {
            if begun.elapsed() + pause > BACKING_OFF || self.cx.pause(pause).await.is_err() {
                break;
            }
            if self.is_answered(known).await {
                self.cx.steadiness.throttled(per_second);
                self.cx
                    .gate
                    .slow_down(f64::from(per_second.max(1)) * OF_ITS_RATE);
                return Some(known == hello || self.is_answered(hello).await);
            }
            pause *= 2;
        }
        self.cx.waited_in_vain.store(true, Ordering::Relaxed);
        Some(false)
    }

    async fn is_answered(&self, hello: &Hello) -> bool {
        self.ask(hello, self.cx.settings.timeout).await.is_hello()
    }
}
