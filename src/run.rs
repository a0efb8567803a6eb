//! Probes targets side by side and assembles the report.
//!
//! Every endpoint has its own task, so that a bug costs one row and not the run. Nothing is printed
//! here, and no connection is opened: that is `gladhand_probes::scan`'s.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;

use gladhand_probes::scan::{self, Scan};
use gladhand_probes::target::Endpoint;
use gladhand_probes::{Attempt, Observations, ProbeError, Settings, Target};
use time::OffsetDateTime;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinHandle};

use crate::checks::{self, Judged};
use crate::gaps::{self, not_measured};
use crate::report::model::{
    Counts, EndpointReport, NotMeasured, Report, SCHEMA, Summary, TargetReport, Tool,
};

/// Names being resolved at once: the system's resolver takes a thread for each.
const NAMES_AT_ONCE: usize = 32;

/// Endpoints probed at once, over all targets.
const ENDPOINTS_AT_ONCE: usize = 32;

/// A target, and how it is to be probed.
#[derive(Clone, Debug)]
pub struct Job {
    /// What.
    pub target: Target,
    /// How.
    pub settings: Settings,
}

/// What happens during a run, for a progress line.
#[derive(Clone, Debug)]
pub enum Event {
    /// A target's name is resolved (or is not: no addresses).
    Resolved {
        /// How many addresses it has.
        addresses: usize,
    },
    /// An address is probed to the end.
    Probed,
}

/// Hears what happens during a run.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;

/// A run's report, and what else decides the exit code.
#[derive(Debug)]
pub struct Outcome {
    /// The report.
    pub report: Report,
    /// A bug was caught that is not in the report's observations.
    pub panicked: bool,
}

/// The time, for [`Settings::now`] and the report.
#[expect(clippy::disallowed_methods, reason = "the run is what reads the clock")]
pub fn now() -> OffsetDateTime {
    // Nothing here is finer than a millisecond, and a report is easier to read without.
    let now = OffsetDateTime::now_utc();
    now.replace_millisecond(now.millisecond()).unwrap_or(now)
}

/// How much goes on at once, over all targets.
struct Permits {
    names: Semaphore,
    endpoints: Semaphore,
}

/// Probes every target and judges what was seen. `started` is the time that certificates are held
/// against. Ends early, with what there is, when `interrupt` becomes true.
pub async fn run(
    jobs: Vec<Job>,
    started: OffsetDateTime,
    interrupt: watch::Receiver<bool>,
    listener: Listener,
) -> Outcome {
    let permits = Arc::new(Permits {
        names: Semaphore::new(NAMES_AT_ONCE),
        endpoints: Semaphore::new(ENDPOINTS_AT_ONCE),
    });
    let tasks: Vec<(Target, JoinHandle<TargetReport>)> = without_duplicates(jobs)
        .into_iter()
        .map(|job| {
            let target = job.target.clone();
            let probing = probe_target(
                job,
                interrupt.clone(),
                Arc::clone(&permits),
                Arc::clone(&listener),
            );
            (target, tokio::spawn(probing))
        })
        .collect();
    let mut targets = Vec::with_capacity(tasks.len());
    let mut panicked = false;
    for (target, task) in tasks {
        targets.push(task.await.unwrap_or_else(|error| {
            panicked = true;
            empty_target(
                &target,
                Some(format!("internal error: {}", panic_message(error))),
            )
        }));
    }
    let interrupted = *interrupt.borrow();
    let mut outcome = assemble(targets, started, interrupted);
    outcome.panicked |= panicked;
    outcome
}

/// Judges what was seen and makes the report.
fn assemble(targets: Vec<TargetReport>, started: OffsetDateTime, interrupted: bool) -> Outcome {
    let mut not_measured = not_measured(&targets);
    let Judged { findings, panicked } = checks::judge(&targets, started);
    not_measured.extend(panicked.iter().map(|rule| NotMeasured {
        subject: "gladhand".into(),
        what: (*rule).into(),
        reason: "internal error: the check panicked".into(),
    }));
    let report = Report {
        schema: SCHEMA.into(),
        tool: Tool {
            name: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
        },
        started_at: started,
        finished_at: now(),
        complete: not_measured.is_empty() && !interrupted,
        interrupted,
        not_measured,
        targets,
        summary: Summary {
            findings: Counts::of(&findings),
        },
        findings,
    };
    Outcome {
        report,
        panicked: !panicked.is_empty(),
    }
}

async fn probe_target(
    job: Job,
    mut interrupt: watch::Receiver<bool>,
    permits: Arc<Permits>,
    listener: Listener,
) -> TargetReport {
    let resolving = async {
        // The time that a name may take begins when its turn comes.
        let _permit = permits.names.acquire().await;
        scan::endpoints(&job.target, &job.settings).await
    };
    let endpoints = match unless(&mut interrupt, resolving).await {
        Some(Ok(endpoints)) => endpoints,
        Some(Err(error)) => {
            listener(Event::Resolved { addresses: 0 });
            return empty_target(&job.target, Some(error.to_string()));
        }
        None => {
            let error = "interrupted before the name was resolved";
            return empty_target(&job.target, Some(error.into()));
        }
    };
    listener(Event::Resolved {
        addresses: endpoints.len(),
    });
    let tasks: Vec<(Endpoint, JoinHandle<Scan>)> = endpoints
        .into_iter()
        .map(|endpoint| {
            let probing = probe_endpoint(
                endpoint.clone(),
                job.settings.clone(),
                Arc::clone(&permits),
                Arc::clone(&listener),
            );
            (endpoint, tokio::spawn(probing))
        })
        .collect();
    let mut report = empty_target(&job.target, None);
    for (endpoint, task) in tasks {
        let scan = task.await.unwrap_or_else(|error| row(panicked(error)));
        report.endpoints.push(EndpointReport {
            ip: endpoint.address.ip(),
            port: endpoint.address.port(),
            sni: endpoint.sni,
            client: None,
            connections: scan.connections,
            duration_ms: scan.duration.as_millis().try_into().unwrap_or(u64::MAX),
            observations: scan.observations,
        });
    }
    report
}

async fn probe_endpoint(
    endpoint: Endpoint,
    settings: Settings,
    permits: Arc<Permits>,
    listener: Listener,
) -> Scan {
    let mut interrupt = settings.interrupt.clone();
    let Some(Ok(_permit)) = unless(&mut interrupt, permits.endpoints.acquire()).await else {
        let error = ProbeError::undecided("interrupted before it was probed");
        return row(Observations {
            reach: Attempt::Failed(error),
            ..Observations::default()
        });
    };
    let scan = Box::pin(scan::scan(&endpoint, &settings)).await;
    listener(Event::Probed);
    scan
}

/// Waits for `work`, or for the interrupt, which makes it `None`.
async fn unless<T>(
    interrupt: &mut watch::Receiver<bool>,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = raised(interrupt) => None,
    }
}

/// Waits until the interrupt is raised; for ever, where nobody can raise it any more.
async fn raised(interrupt: &mut watch::Receiver<bool>) {
    if interrupt.wait_for(|raised| *raised).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The same target twice is probed once.
fn without_duplicates(jobs: Vec<Job>) -> Vec<Job> {
    let mut known = HashSet::new();
    jobs.into_iter()
        .filter(|job| known.insert(job.target.clone()))
        .collect()
}

fn empty_target(target: &Target, error: Option<String>) -> TargetReport {
    TargetReport {
        target: target.to_string(),
        plaintext_expected: target.plaintext,
        error,
        endpoints: Vec::new(),
    }
}

fn row(observations: Observations) -> Scan {
    Scan {
        connections: 0,
        duration: std::time::Duration::ZERO,
        observations,
    }
}

fn panicked(error: JoinError) -> Observations {
    gaps::panicked(&panic_message(error))
}

fn panic_message(error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else {
        return "the task was cancelled".into();
    };
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::Demo;
    use crate::exit::{Ended, Exit, exit_code};
    use crate::report::sample;

    #[test]
    fn a_complete_report_says_so() {
        let healthy = sample::healthy();
        let report = assemble(healthy.targets.clone(), healthy.started_at, false).report;
        assert!(report.complete);
        assert!(!report.interrupted);
    }

    #[test]
    fn an_interrupted_report_is_never_complete() {
        let healthy = sample::healthy();
        let report = assemble(healthy.targets.clone(), healthy.started_at, true).report;
        assert!(!report.complete);
        assert!(report.interrupted);
    }

    #[test]
    fn a_gap_makes_a_report_incomplete() {
        let refused = sample::refused();
        let report = assemble(refused.targets.clone(), refused.started_at, false).report;
        assert!(!report.complete);
        assert_eq!(report.not_measured.len(), 1);
    }

    #[tokio::test]
    async fn an_interrupt_ends_a_wait() {
        let (raise, mut interrupt) = watch::channel(false);
        raise.send(true).unwrap();
        assert_eq!(
            unless(&mut interrupt, std::future::pending::<()>()).await,
            None
        );
    }

    #[tokio::test]
    async fn an_interrupt_that_nobody_can_raise_ends_nothing() {
        let (raise, mut interrupt) = watch::channel(false);
        drop(raise);
        let work = async {
            tokio::task::yield_now().await;
            7
        };
        assert_eq!(unless(&mut interrupt, work).await, Some(7));
    }

    /// The demo's healthy server, probed with these settings.
    async fn healthy(change: impl Fn(&mut Settings), interrupt: watch::Receiver<bool>) -> Outcome {
        let started = now();
        let demo = Demo::start(started).await.unwrap();
        let server = demo.servers().first().unwrap();
        let mut settings = demo.settings(server, started, interrupt.clone());
        change(&mut settings);
        let job = Job {
            target: server.target().clone(),
            settings,
        };
        // The same target twice is probed once.
        let jobs = vec![job.clone(), job];
        run(jobs, started, interrupt, Arc::new(|_| ())).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_probe_that_panics_costs_its_own_result_only() {
        let (_raise, raised) = watch::channel(false);
        let outcome = healthy(
            |settings| settings.fail_point = Some("suites".into()),
            raised,
        )
        .await;
        let [target] = outcome.report.targets.as_slice() else {
            panic!("one target")
        };
        let seen = &target.endpoints.first().unwrap().observations;
        assert!(matches!(
            seen.suites.failure(),
            Some(ProbeError::Panicked { .. })
        ));
        assert!(seen.versions.seen().is_some() && seen.certificate.seen().is_some());
        assert!(!outcome.report.complete);
        let exit = exit_code(&outcome.report, None, Ended::default());
        assert_eq!(exit, Exit::Bug);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_interrupt_leaves_a_partial_report() {
        let (raise, raised) = watch::channel(false);
        raise.send_replace(true);
        let report = healthy(|_| (), raised).await.report;
        assert!(report.interrupted && !report.complete);
        assert_eq!(report.targets.len(), 1);
        assert!(!report.not_measured.is_empty() || report.targets[0].error.is_some());
    }
}
