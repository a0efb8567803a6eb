//! A run under signals: the first one ends it early with a partial report, a second one at once.

use std::future::Future;
use std::io;
use std::sync::{Arc, OnceLock};

use tokio::sync::{Notify, watch};

use super::CliError;
use crate::exit::{Exit, Signal};

/// What a signal does to a run.
#[derive(Clone, Debug)]
pub(super) struct Interrupt {
    raised: watch::Receiver<bool>,
    first: Arc<OnceLock<Signal>>,
}

impl Interrupt {
    /// Becomes true with the first signal.
    pub(super) fn raised(&self) -> watch::Receiver<bool> {
        self.raised.clone()
    }

    /// The first signal, if one came.
    pub(super) fn signal(&self) -> Option<Signal> {
        self.first.get().copied()
    }
}

/// Runs a session to its end, or to the second signal.
pub(super) fn run<F, Fut>(session: F) -> Result<Exit, CliError>
where
    F: FnOnce(Interrupt) -> Fut,
    Fut: Future<Output = Result<Exit, CliError>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async {
        let (raise, raised) = watch::channel(false);
        let interrupt = Interrupt {
            raised,
            first: Arc::default(),
        };
        let second = Arc::new(Notify::new());
        let signals = Signals::new()?;
        tokio::spawn(listen(
            signals,
            raise,
            Arc::clone(&interrupt.first),
            Arc::clone(&second),
        ));
        tokio::select! {
            ended = session(interrupt.clone()) => ended,
            () = second.notified() => {
                Ok(Exit::Signalled(interrupt.signal().unwrap_or(Signal::Interrupt)))
            }
        }
    });
    // A name server that does not answer keeps nobody waiting.
    runtime.shutdown_background();
    ended
}

async fn listen(
    mut signals: Signals,
    raise: watch::Sender<bool>,
    first: Arc<OnceLock<Signal>>,
    second: Arc<Notify>,
) {
    let signal = signals.next().await;
    let _ = first.set(signal);
    raise.send_replace(true);
    signals.next().await;
    second.notify_one();
    // Whoever waits for the interrupt must not see its sender go.
    std::future::pending::<()>().await;
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "fails on Unix")]
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}
