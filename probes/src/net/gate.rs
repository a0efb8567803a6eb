//! How many connections, how fast, and until when: the limits that keep a probe polite.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit, watch};
use tokio::time::Instant;

use super::NetError;

/// Connections to one endpoint in one run, at most.
pub(crate) const BUDGET: u32 = 1000;

/// Lets connections through, one endpoint's limits at a time.
#[derive(Debug)]
pub(crate) struct Gate {
    slots: Semaphore,
    max_connections: u32,
    next: Mutex<Instant>,
    pause: Duration,
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
            max_connections,
            next: Mutex::new(now),
            pause,
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
    pub(crate) async fn all_slots(&self) -> Result<SemaphorePermit<'_>, NetError> {
        self.slots(self.max_connections).await
    }

    async fn slots(&self, number: u32) -> Result<SemaphorePermit<'_>, NetError> {
        self.until(self.deadline, self.slots.acquire_many(number))
            .await?
            .ok_or_else(|| self.late())?
            .map_err(|_| NetError::Interrupted)
    }

    /// Waits for the pace, and takes a connection from the budget.
    pub(crate) async fn pass(&self) -> Result<(), NetError> {
        if !self.pause.is_zero() {
            let pace = async {
                let mut next = self.next.lock().await;
                tokio::time::sleep_until(*next).await;
                *next = Instant::now() + self.pause;
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
