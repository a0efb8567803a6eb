//! What the server turns out to bear while it is asked: chance, crowds, haste.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use crate::lock::lock;

/// Answers lost in company, before fewer connections are opened at once; and one of so many at least.
const LOST_AT_LEAST: u32 = 3;
const LOST_OF: u32 = 5;

/// How long the answers are remembered from which a rate is told.
const LATELY: Duration = Duration::from_secs(1);

/// What was noticed so far. All of it is about this endpoint and this run.
#[derive(Debug, Default)]
pub(crate) struct Steadiness(Mutex<Noticed>);

/// What was noticed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noticed {
    /// Questions that were answered alone, and had not been in company.
    pub(crate) lost_in_company: u32,
    /// Questions that were answered the second time, with nothing else open either time.
    pub(crate) lost_alone: u32,
    /// So many connections were answered in the second before they began to fail; they were answered
    /// again after a pause.
    pub(crate) per_second: Option<u32>,
    /// Fewer connections were opened at once from then on.
    pub(crate) narrowed: bool,
    lost_since_narrowed: u32,
    asked_since_narrowed: u32,
    slowed_at: Option<Instant>,
    clear: Vec<Instant>,
}

impl Steadiness {
    /// A connection was made and a question put.
    pub(crate) fn asked(&self) {
        self.lock().asked_since_narrowed += 1;
    }

    /// A question had a clear answer.
    pub(crate) fn answered(&self) {
        let now = Instant::now();
        let mut noticed = self.lock();
        noticed.clear.retain(|at| now.duration_since(*at) <= LATELY);
        noticed.clear.push(now);
    }

    /// A question without an answer at that time was answered when asked again, alone.
    pub(crate) fn lost(&self, at: Instant, in_company: bool) {
        let mut noticed = self.lock();
        // What was lost to haste says nothing about company.
        if noticed.slowed_at.is_some_and(|slowed| at <= slowed) {
            return;
        }
        if in_company {
            noticed.lost_in_company += 1;
            noticed.lost_since_narrowed += 1;
        } else {
            noticed.lost_alone += 1;
        }
    }

    /// Whether fewer connections should be opened at once; once it says so, it counts anew.
    pub(crate) fn wants_narrowing(&self) -> bool {
        let mut noticed = self.lock();
        let (lost, asked) = (noticed.lost_since_narrowed, noticed.asked_since_narrowed);
        let wanted = lost >= LOST_AT_LEAST && lost * LOST_OF >= asked;
        if wanted {
            noticed.narrowed = true;
            noticed.lost_since_narrowed = 0;
            noticed.asked_since_narrowed = 0;
        }
        wanted
    }

    /// How many questions were answered in the last second.
    pub(crate) fn answered_lately(&self) -> u32 {
        let now = Instant::now();
        let lately = |at: &&Instant| now.duration_since(**at) <= LATELY;
        let count = self.lock().clear.iter().filter(lately).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Nothing was answered any more, and after a pause it was.
    pub(crate) fn throttled(&self, per_second: u32) {
        let mut noticed = self.lock();
        let before = noticed.per_second.unwrap_or(u32::MAX);
        noticed.per_second = Some(before.min(per_second.max(1)));
        noticed.slowed_at = Some(Instant::now());
    }

    /// Whether anything was noticed that makes a single refusal suspect.
    pub(crate) fn is_doubtful(&self) -> bool {
        let noticed = self.lock();
        noticed.lost_in_company + noticed.lost_alone > 0
    }

    /// What was noticed so far.
    pub(crate) fn noticed(&self) -> Noticed {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Noticed> {
        lock(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_lost_answers_are_chance_many_are_a_crowd() {
        let steadiness = Steadiness::default();
        for _ in 0..100 {
            steadiness.asked();
        }
        for _ in 0..3 {
            steadiness.lost(Instant::now(), true);
        }
        assert!(!steadiness.wants_narrowing());
        for _ in 0..17 {
            steadiness.lost(Instant::now(), true);
        }
        assert!(steadiness.wants_narrowing());
        assert!(!steadiness.wants_narrowing(), "counts anew");
    }

    #[test]
    fn what_was_lost_to_haste_is_no_crowd() {
        let steadiness = Steadiness::default();
        let before = Instant::now();
        steadiness.throttled(20);
        steadiness.lost(before, true);
        assert_eq!(steadiness.noticed().lost_in_company, 0);
        assert_eq!(steadiness.noticed().per_second, Some(20));
    }
}
