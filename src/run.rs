//! Probes targets side by side and gives each, judged, as it finishes.
//!
//! Targets are taken from their source when there is room for them, and nothing is kept here of those
//! that are done: memory does not grow with their number. Every endpoint has its own task, so that a
//! bug costs one row and not the run. Nothing is printed here, and no connection is opened: that is
//! `gladhand_probes::scan`'s.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gladhand_probes::mozilla::ProfileName;
use gladhand_probes::scan::{self, Scan};
use gladhand_probes::target::Endpoint;
use gladhand_probes::{Attempt, Observations, ProbeError, Settings, Target};
use time::OffsetDateTime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{Id, JoinError, JoinHandle, JoinSet};

use crate::checks::{self, Judged};
use crate::exit::Ended;
use crate::gaps::{self, dead_range, not_measured, nothing_listens};
use crate::mozilla;
use crate::report::model::{
    Counts, EndpointReport, NotMeasured, Report, Role, Row, SCHEMA, Standings, Summary,
    TargetReport, Tool,
};
use crate::report::text::verdict::{Mark, verdict};

/// Names being resolved at once: the system's resolver takes a thread for each.
const NAMES_AT_ONCE: usize = 32;

/// Endpoints probed at once, over all targets, at most.
const ENDPOINTS_AT_ONCE: usize = 256;

/// Connections open at once over all targets, at most, where every endpoint makes use of what it may
/// have open. Measured: more is no faster, and makes a server of many names wait too long.
const CONNECTIONS_AT_ONCE: usize = 1024;

/// Endpoints probed at once by [`run`].
const FEW_AT_ONCE: usize = 32;

/// What an endpoint has open at once where nothing is enumerated.
const WITHOUT_ENUMERATION: usize = 3;

/// Endpoints probed at once that have the same address: many names or ports of one server.
const ENDPOINTS_PER_ADDRESS: usize = 32;

/// A target, and how it is to be probed.
#[derive(Clone, Debug)]
pub struct Job {
    /// What.
    pub target: Target,
    /// How.
    pub settings: Arc<Settings>,
    /// The range of addresses that it was asked as one of.
    pub range: Option<Arc<str>>,
    /// The profile of Mozilla's guidelines that it is to meet.
    pub mozilla: Option<ProfileName>,
    /// What it is to a load balancer that is audited.
    pub role: Option<Role>,
}

/// What happens during a run, for a progress line.
#[derive(Clone, Debug)]
pub enum Event {
    /// A target's name is resolved (or is not: no addresses).
    Resolved {
        /// How many addresses it has.
        addresses: usize,
    },
    /// At an address nothing is left but to wait for the end of an idle connection.
    Waiting {
        /// How long that takes at most.
        at_most: Duration,
    },
    /// An address is probed to the end.
    Probed,
}

/// Hears what happens during a run.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// The report; without the rows that [`Run::next`] gave, unless they are put in.
    pub report: Report,
    /// What decides the exit code.
    pub ended: Ended,
}

/// A row, with its place in the order as asked.
#[derive(Debug)]
pub struct Numbered {
    place: usize,
    /// The row.
    pub row: Arc<Row>,
}

/// The time, for [`Settings::now`] and the report.
#[expect(clippy::disallowed_methods, reason = "the run is what reads the clock")]
pub fn now() -> OffsetDateTime {
    // Nothing here is finer than a millisecond, and a report is easier to read without.
    let now = OffsetDateTime::now_utc();
    now.replace_millisecond(now.millisecond()).unwrap_or(now)
}

/// How many endpoints to probe at once, where so many sockets may be open.
pub fn endpoints_at_once(settings: &Settings, sockets: usize) -> usize {
    let enumerates = ["versions", "suites", "groups"]
        .iter()
        .any(|probe| settings.selection.contains(probe));
    let each = if enumerates {
        settings.max_connections
    } else {
        settings.max_connections.min(WITHOUT_ENUMERATION)
    };
    // Sockets must do where every endpoint takes all that it may have: without one, nothing is seen.
    let at_once =
        (CONNECTIONS_AT_ONCE / each.max(1)).min(sockets / settings.max_connections.max(1));
    at_once.clamp(1, ENDPOINTS_AT_ONCE)
}

/// A run in progress.
pub struct Run {
    jobs: Box<dyn Iterator<Item = Job> + Send>,
    started: OffsetDateTime,
    interrupt: watch::Receiver<bool>,
    listener: Listener,
    permits: Arc<Permits>,
    at_once: usize,
    running: JoinSet<(Row, bool)>,
    places: HashMap<Id, (usize, TargetReport)>,
    known: HashSet<(Target, Option<Role>)>,
    tally: Tally,
}

/// What is kept of the rows that were given.
struct Tally {
    ended: Ended,
    findings: Counts,
    targets: Standings,
    /// How many addresses a range has, and at how many of them something listens.
    ranges: BTreeMap<String, (usize, usize)>,
}

impl Run {
    /// Begins a run over these targets, each once (once for each role, where it has several). `started`
    /// is the time that certificates are held against; `at_once` is how many endpoints are probed at
    /// once. Once `interrupt` is true, what is running ends early, and nothing more begins.
    pub fn new(
        jobs: impl Iterator<Item = Job> + Send + 'static,
        started: OffsetDateTime,
        at_once: usize,
        interrupt: watch::Receiver<bool>,
        listener: Listener,
    ) -> Self {
        Self {
            jobs: Box::new(jobs),
            started,
            interrupt,
            listener,
            permits: Arc::new(Permits::new(at_once)),
            at_once,
            running: JoinSet::new(),
            places: HashMap::new(),
            known: HashSet::new(),
            tally: Tally {
                ended: Ended::NEW,
                findings: Counts::default(),
                targets: Standings::default(),
                ranges: BTreeMap::new(),
            },
        }
    }

    /// The next target that is done; none where all are.
    pub async fn next(&mut self) -> Option<Numbered> {
        // Some more than can be probed, so that their names are known when their turn comes.
        while self.running.len() < self.at_once + NAMES_AT_ONCE {
            let Some((place, job)) = self.next_job() else {
                break;
            };
            let target = empty_target(&job, None);
            if *self.interrupt.borrow() {
                let error = "interrupted before it was probed";
                let (row, _) = judged(empty_target(&job, Some(error.into())), self.started);
                return Some(self.finish(place, row));
            }
            let probing = probe_target(
                job,
                self.started,
                self.interrupt.clone(),
                Arc::clone(&self.permits),
                Arc::clone(&self.listener),
            );
            let id = self.running.spawn(probing).id();
            self.places.insert(id, (place, target));
        }
        let done = self.running.join_next_with_id().await?;
        let id = done.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let (place, target) = self.places.remove(&id)?;
        let (row, panicked) = match done {
            Ok((_, row)) => row,
            Err(error) => {
                let error = format!("internal error: {}", panic_message(error));
                let target = TargetReport {
                    error: Some(error),
                    ..target
                };
                (judged(target, self.started).0, true)
            }
        };
        self.tally.ended.panicked |= panicked;
        Some(self.finish(place, row))
    }

    /// What there is to say of the run as a whole. One that is ended before its last target is not
    /// complete.
    pub fn end(mut self) -> Outcome {
        let interrupted = *self.interrupt.borrow();
        let unfinished = !self.running.is_empty() || self.next_job().is_some();
        let Tally {
            mut ended,
            findings,
            targets,
            ranges,
        } = self.tally;
        let not_measured: Vec<NotMeasured> = ranges
            .into_iter()
            .filter(|(_, (addresses, dead))| addresses == dead)
            .map(|(range, (addresses, _))| dead_range(&range, addresses))
            .collect();
        ended.complete &= not_measured.is_empty() && !interrupted && !unfinished;
        let report = Report {
            schema: SCHEMA.into(),
            tool: Tool {
                name: env!("CARGO_PKG_NAME").into(),
                version: env!("CARGO_PKG_VERSION").into(),
            },
            started_at: self.started,
            finished_at: now(),
            complete: ended.complete,
            interrupted,
            not_measured,
            inventory: None,
            targets: Vec::new(),
            findings: Vec::new(),
            summary: Summary {
                findings,
                targets,
                verdict: None,
                exit_code: None,
            },
        };
        Outcome { report, ended }
    }

    fn next_job(&mut self) -> Option<(usize, Job)> {
        let known = &mut self.known;
        let job = self.jobs.find(|job| {
            let mut target = job.target.clone();
            // Another path is another question where it is asked for.
            target.path.take_if(|_| job.settings.target_http.is_none());
            known.insert((target, job.role.clone()))
        })?;
        Some((self.known.len(), job))
    }

    /// Counts a row in.
    fn finish(&mut self, place: usize, row: Row) -> Numbered {
        let tally = &mut self.tally;
        tally.ended.add(&row);
        for finding in &row.findings {
            tally.findings.add(finding.severity);
        }
        let targets = &mut tally.targets;
        targets.total += 1;
        let dead = nothing_listens(&row.target);
        let standing = match verdict(&row.of(), self.started).mark {
            _ if dead => &mut targets.nothing_listens,
            Mark::Broken => &mut targets.broken,
            Mark::Weak => &mut targets.weak,
            Mark::Unknown => &mut targets.not_measured,
            Mark::Works => &mut targets.works,
        };
        *standing += 1;
        if let Some(range) = &row.target.range {
            let (addresses, dead_ones) = tally.ranges.entry(range.clone()).or_default();
            *addresses += 1;
            *dead_ones += usize::from(dead);
        }
        Numbered {
            place,
            row: Arc::new(row),
        }
    }
}

impl Outcome {
    /// Puts the rows into the report, in the order as asked.
    pub fn put_in(&mut self, rows: Vec<Numbered>) {
        let report = &mut self.report;
        let of_ranges = std::mem::take(&mut report.not_measured);
        for row in in_order(rows) {
            report.targets.push(row.target);
            report.findings.extend(row.findings);
            report.not_measured.extend(row.not_measured);
        }
        report.not_measured.extend(of_ranges);
        report
            .findings
            .sort_by_key(|finding| Reverse(finding.severity));
    }
}

/// The rows in the order as asked.
pub fn in_order(mut rows: Vec<Numbered>) -> Vec<Row> {
    rows.sort_unstable_by_key(|row| row.place);
    let rows = rows.into_iter().map(|Numbered { row, .. }| row);
    rows.map(Arc::unwrap_or_clone).collect()
}

/// A whole run over a few targets, with every row in its report.
pub async fn run(
    jobs: Vec<Job>,
    started: OffsetDateTime,
    interrupt: watch::Receiver<bool>,
    listener: Listener,
) -> Outcome {
    let mut run = Run::new(jobs.into_iter(), started, FEW_AT_ONCE, interrupt, listener);
    let mut rows = Vec::new();
    while let Some(row) = run.next().await {
        rows.push(row);
    }
    let mut outcome = run.end();
    outcome.put_in(rows);
    outcome
}

/// How much goes on at once, over all targets.
struct Permits {
    names: Semaphore,
    endpoints: Semaphore,
    addresses: Mutex<HashMap<IpAddr, Arc<Semaphore>>>,
}

impl Permits {
    fn new(at_once: usize) -> Self {
        Self {
            names: Semaphore::new(NAMES_AT_ONCE),
            endpoints: Semaphore::new(at_once),
            addresses: Mutex::default(),
        }
    }

    /// Waits until this address is not asked too much at once.
    async fn address(&self, ip: IpAddr) -> Option<OwnedSemaphorePermit> {
        let semaphore = {
            let mut all = self
                .addresses
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            // Those that nobody holds or waits for are forgotten, now and then.
            if all.len() > 4 * ENDPOINTS_AT_ONCE {
                all.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
            }
            let new = || Arc::new(Semaphore::new(ENDPOINTS_PER_ADDRESS));
            Arc::clone(all.entry(ip).or_insert_with(new))
        };
        semaphore.acquire_owned().await.ok()
    }
}

/// What was seen at a target, judged; and whether a check panicked.
fn judged(target: TargetReport, now: OffsetDateTime) -> (Row, bool) {
    if nothing_listens(&target) {
        let row = Row {
            target,
            findings: Vec::new(),
            not_measured: Vec::new(),
        };
        return (row, false);
    }
    let targets = std::slice::from_ref(&target);
    let mut not_measured = not_measured(targets);
    let Judged { findings, panicked } = checks::judge(targets, now);
    not_measured.extend(panicked.iter().map(|rule| NotMeasured {
        subject: target.target.clone(),
        what: (*rule).into(),
        reason: "internal error: the check panicked".into(),
    }));
    let row = Row {
        target,
        findings,
        not_measured,
    };
    (row, !panicked.is_empty())
}

async fn probe_target(
    job: Job,
    started: OffsetDateTime,
    mut interrupt: watch::Receiver<bool>,
    permits: Arc<Permits>,
    listener: Listener,
) -> (Row, bool) {
    let resolving = async {
        // The time that a name may take begins when its turn comes.
        let _permit = match job.target.name() {
            Some(_) => permits.names.acquire().await.ok(),
            None => None,
        };
        scan::endpoints(&job.target, &job.settings).await
    };
    let endpoints = match unless(&mut interrupt, resolving).await {
        Some(Ok(endpoints)) => endpoints,
        Some(Err(error)) => {
            listener(Event::Resolved { addresses: 0 });
            return judged(empty_target(&job, Some(error.to_string())), started);
        }
        None => {
            let error = "interrupted before the name was resolved";
            return judged(empty_target(&job, Some(error.into())), started);
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
                Arc::clone(&job.settings),
                Arc::clone(&permits),
                Arc::clone(&listener),
            );
            (endpoint, tokio::spawn(probing))
        })
        .collect();
    let mut report = empty_target(&job, None);
    for (endpoint, task) in tasks {
        let scan = task.await.unwrap_or_else(|error| row(panicked(error)));
        report.endpoints.push(EndpointReport {
            ip: endpoint.address.ip(),
            port: endpoint.address.port(),
            sni: endpoint.sni,
            client: job.settings.client.as_ref().map(ToString::to_string),
            connections: scan.connections,
            duration_ms: scan.duration.as_millis().try_into().unwrap_or(u64::MAX),
            mozilla: mozilla::standing(&scan.observations, job.mozilla.as_ref()),
            observations: scan.observations,
        });
    }
    judged(report, started)
}

async fn probe_endpoint(
    endpoint: Endpoint,
    settings: Arc<Settings>,
    permits: Arc<Permits>,
    listener: Listener,
) -> Scan {
    let mut interrupt = settings.interrupt.clone();
    let turn = async {
        let address = permits.address(endpoint.address.ip()).await;
        (address, permits.endpoints.acquire().await)
    };
    let Some((_address, Ok(_permit))) = unless(&mut interrupt, turn).await else {
        let error = ProbeError::undecided("interrupted before it was probed");
        return row(Observations {
            reach: Attempt::Failed(error),
            ..Observations::default()
        });
    };
    let waiting = || {
        if let Some(at_most) = scan::waits(&settings) {
            listener(Event::Waiting { at_most });
        }
    };
    let scan = Box::pin(scan::scan(&endpoint, &settings, &waiting)).await;
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

fn empty_target(job: &Job, error: Option<String>) -> TargetReport {
    TargetReport {
        target: job.target.to_string(),
        plaintext_expected: job.target.plaintext,
        role: job.role.clone(),
        range: job.range.as_deref().map(Into::into),
        error,
        endpoints: Vec::new(),
    }
}

fn row(observations: Observations) -> Scan {
    Scan {
        connections: 0,
        duration: Duration::ZERO,
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
    use crate::exit::{Exit, exit_code};
    use crate::report::sample;

    /// The report of a run that saw this.
    fn of(targets: Vec<TargetReport>, interrupted: bool) -> Report {
        let (_raise, raised) = watch::channel(interrupted);
        let started = sample::healthy().started_at;
        let mut run = Run::new(std::iter::empty(), started, 1, raised, Arc::new(|_| ()));
        let rows = targets.into_iter().enumerate().map(|(place, target)| {
            let (row, _) = judged(target, started);
            run.finish(place, row)
        });
        let rows = rows.collect();
        let mut outcome = run.end();
        outcome.put_in(rows);
        outcome.report
    }

    #[test]
    fn a_complete_report_says_so() {
        let report = of(sample::healthy().targets, false);
        assert!(report.complete);
        assert!(!report.interrupted);
        assert_eq!(
            (report.summary.targets.total, report.summary.targets.works),
            (1, 1)
        );
    }

    #[test]
    fn an_interrupted_report_is_never_complete() {
        let report = of(sample::healthy().targets, true);
        assert!(!report.complete);
        assert!(report.interrupted);
    }

    #[test]
    fn a_gap_makes_a_report_incomplete() {
        let report = of(sample::refused().targets, false);
        assert!(!report.complete);
        assert_eq!(report.not_measured.len(), 1);
        assert_eq!(report.summary.targets.not_measured, 1);
    }

    /// The same as addresses of a range.
    fn in_range(mut targets: Vec<TargetReport>) -> Vec<TargetReport> {
        for target in &mut targets {
            target.range = Some("192.0.2.0/28:443".into());
        }
        targets
    }

    #[test]
    fn a_silent_address_of_a_range_is_no_gap_and_no_finding() {
        let mut targets = in_range(sample::refused().targets);
        targets.extend(in_range(sample::healthy().targets));
        let report = of(targets, false);
        assert!(report.complete, "{:?}", report.not_measured);
        assert_eq!(report.summary.targets.nothing_listens, 1);
        assert!(
            report
                .findings
                .iter()
                .all(|finding| finding.rule != "port-closed")
        );
    }

    #[test]
    fn a_range_where_nothing_listens_at_all_is_a_gap() {
        let report = of(in_range(sample::refused().targets), false);
        assert!(!report.complete);
        let [gap] = report.not_measured.as_slice() else {
            panic!("{:?}", report.not_measured)
        };
        assert_eq!(gap.subject, "192.0.2.0/28:443");
    }

    #[test]
    fn what_is_broken_in_a_range_is_no_silence() {
        let mut cut = sample::interrupted().targets;
        cut.extend(sample::healthy().targets);
        assert!(!of(in_range(cut), false).complete);
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
            settings: Arc::new(settings),
            range: None,
            role: None,
            mozilla: None,
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
        assert_eq!(exit_code(outcome.ended, None), Exit::Bug);
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
