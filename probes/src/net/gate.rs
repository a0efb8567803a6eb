//! How many connections, how fast, and until when: the limits that keep a probe polite. A server that
//! turns out to bear less makes them narrower.

use std::sync::Mutex as Lock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit, watch};
use tokio::time::Instant;

use super::NetError;
use crate::lock::lock;

/// Connections to one endpoint in one run, at most.
pub(crate) const BUDGET: u32 = 1000;

/// Lets connections through, one endpoint's limits at a time.
#[derive(Debug)]
pub(crate) struct Gate {
    slots: Semaphore,
    at_once: AtomicU32,
    alone: Mutex<()>,
    next: Mutex<Instant>,
    pause: Lock<Duration>,
    tried: AtomicU32,
    opened: AtomicU32,
    deadline: Instant,
    allowed: Duration,
    interrupt: watch::Receiver<bool>,
}

impl Gate {
    pub(crate) fn new(
        max_connections: usize,
        rate: Option<f64>,
        allowed: Duration,
        interrupt: watch::Receiver<bool>,
    ) -> Self {
        let now = Instant::now();
        let max_connections = u32::try_from(max_connections)
            .unwrap_or(BUDGET)
            .clamp(1, BUDGET);
        let pause = rate
            .filter(|rate| *rate > 0.0)
            .map_or(Duration::ZERO, |rate| {
                Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::ZERO)
            });
        Self {
            slots: Semaphore::new(max_connections as usize),
            at_once: AtomicU32::new(max_connections),
            alone: Mutex::new(()),
            next: Mutex::new(now),
            pause: Lock::new(pause),
            tried: AtomicU32::new(0),
            opened: AtomicU32::new(0),
            deadline: now + allowed,
            allowed,
            interrupt,
        }
    }

    /// Waits for a slot.
    pub(crate) async fn slot(&self) -> Result<SemaphorePermit<'_>, NetError> {
        self.slots(1).await
    }

    /// Waits until nothing is open, and keeps it so: every slot.
    pub(crate) async fn all_slots(&self) -> Result<AllSlots<'_>, NetError> {
        // One at a time: how many slots there are may change only under somebody who holds them all.
        let alone = self
            .until(self.deadline, self.alone.lock())
            .await?
            .ok_or_else(|| self.late())?;
        let slots = self.slots(self.at_once()).await?;
        Ok(AllSlots {
            gate: self,
            slots: Some(slots),
            _alone: alone,
        })
    }

    /// How many connections may be open at once.
    pub(crate) fn at_once(&self) -> u32 {
        self.at_once.load(Ordering::Relaxed)
    }

    /// How many are open, or being opened.
    pub(crate) fn busy(&self) -> u32 {
        let free = u32::try_from(self.slots.available_permits()).unwrap_or(u32::MAX);
        self.at_once().saturating_sub(free)
    }

    async fn slots(&self, number: u32) -> Result<SemaphorePermit<'_>, NetError> {
        self.until(self.deadline, self.slots.acquire_many(number))
            .await?
            .ok_or_else(|| self.late())?
            .map_err(|_| NetError::Interrupted)
    }

    /// From now on, at most so many connections a second; never more than before.
    pub(crate) fn slow_down(&self, per_second: f64) {
        let pause = Duration::try_from_secs_f64(1.0 / per_second).unwrap_or_default();
        let mut current = lock(&self.pause);
        *current = (*current).max(pause);
    }

    fn pause(&self) -> Duration {
        *lock(&self.pause)
    }

    /// Waits for the pace, and takes a connection from the budget.
    pub(crate) async fn pass(&self) -> Result<(), NetError> {
        if !self.pause().is_zero() {
            let pace = async {
                let mut next = self.next.lock().await;
                tokio::time::sleep_until(*next).await;
                *next = Instant::now() + self.pause();
            };
            self.until(self.deadline, pace)
                .await?
                .ok_or_else(|| self.late())?;
        }
        // A slot may come free by the very deadline that ends this.
        if self.is_late() {
            return Err(self.late());
        }
        if self.tried.fetch_add(1, Ordering::Relaxed) >= BUDGET {
            return Err(NetError::Budget { limit: BUDGET });
        }
        Ok(())
    }

    /// Waits so long.
    pub(crate) async fn sleep(&self, pause: Duration) -> Result<(), NetError> {
        self.until(self.deadline, tokio::time::sleep(pause))
            .await?
            .ok_or_else(|| self.late())
    }

    /// When a connection that may take `timeout` has to end.
    pub(crate) fn end_of(&self, timeout: Duration) -> Instant {
        (Instant::now() + timeout).min(self.deadline)
    }

    /// Runs until done, until `end` (then `None`), or until the run is interrupted.
    pub(crate) async fn until<T>(
        &self,
        end: Instant,
        work: impl Future<Output = T>,
    ) -> Result<Option<T>, NetError> {
        let mut interrupt = self.interrupt.clone();
        let interrupted = async {
            if interrupt
                .wait_for(|interrupted| *interrupted)
                .await
                .is_err()
            {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = interrupted => Err(NetError::Interrupted),
            done = work => Ok(Some(done)),
            () = tokio::time::sleep_until(end) => Ok(None),
        }
    }

    /// The error where the endpoint's time is used up.
    pub(crate) fn late(&self) -> NetError {
        NetError::Deadline {
            seconds: self.allowed.as_secs_f64().to_string(),
        }
    }

    /// Whether the endpoint's time is used up.
    pub(crate) fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Counts a connection that was made.
    pub(crate) fn count(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    /// How many connections were opened.
    pub(crate) fn opened(&self) -> u32 {
        self.opened.load(Ordering::Relaxed)
    }
}

/// Every slot of a gate: no other connection is open.
#[derive(Debug)]
pub(crate) struct AllSlots<'a> {
    gate: &'a Gate,
    slots: Option<SemaphorePermit<'a>>,
    _alone: MutexGuard<'a, ()>,
}

impl AllSlots<'_> {
    /// From now on, at most so many connections at once; at least one, and never more than before.
    pub(crate) fn narrow(&mut self, at_once: u32) {
        let before = self.gate.at_once();
        let at_once = at_once.clamp(1, before);
        let taken = self
            .slots
            .as_mut()
            .and_then(|slots| slots.split((before - at_once) as usize));
        if let Some(taken) = taken {
            taken.forget();
            self.gate.at_once.store(at_once, Ordering::Relaxed);
        }
    }
}
