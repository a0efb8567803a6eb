//! Asks AWS for everything that decides whether TLS works through a load balancer.
//!
//! - [`find`]: which load balancer is meant;
//! - [`client`]: one signed request, with retries, time limits and bounds; [`endpoint`]: where to;
//! - [`xml`]: answers in XML as the AWS CLI's JSON;
//! - what to ask is in [`super::plan`], and what there is to ask in [`super::operations`].
//!
//! Nothing is changed in the account, and nothing is judged. A call that fails costs its own answer
//! only; not knowing which load balancer is meant is the one error of a run.

mod client;
mod endpoint;
mod error;
mod find;
mod http;
mod xml;

use std::fmt;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use time::OffsetDateTime;

pub use self::error::CollectError;

use self::client::Client;
use super::answers::{Answers, Refusal};
use super::plan::{self, Asked};
use super::subject::Subject;

/// Calls at once.
const AT_ONCE: usize = 8;
/// Calls of one run at most: 5 listeners and 100 target groups take about 300.
const MOST_CALLS: usize = 5_000;
/// As far back as the metrics go.
pub const METRICS_WINDOW: Duration = Duration::from_secs(3 * 3600);

/// What to read, and as whom.
#[derive(Clone)]
pub struct Request {
    /// The load balancer: its ARN, its name or its DNS name; or the ARN of one of its listeners, of a
    /// rule, or of a target group that only it uses.
    pub what: String,
    /// The region; that of an ARN or a DNS name wins, and else the environment and the profile tell it.
    pub region: Option<String>,
    /// A profile of the AWS CLI's files; none for `AWS_PROFILE`, or the default one.
    pub profile: Option<String>,
    /// Every service is asked there instead of at AWS: `http://localhost:5000`.
    pub endpoint_url: Option<String>,
    /// The ARN of a role that is assumed first.
    pub assume_role: Option<String>,
    /// Instead of what environment and profile have.
    pub keys: Option<Keys>,
    /// Whether something is going to be probed: asks for the certificates themselves, to compare.
    pub probe: bool,
    /// The time, where the metrics end.
    pub now: OffsetDateTime,
    /// How far back the metrics go: [`METRICS_WINDOW`].
    pub metrics_window: Duration,
}

/// An access key.
#[derive(Clone)]
pub struct Keys {
    /// `AKIA…`, `ASIA…`.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: String,
    /// Of temporary keys.
    pub session_token: Option<String>,
}

/// How far a run is: for who shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Calls that were answered or refused.
    pub done: usize,
    /// Calls that are known to be needed so far.
    pub known: usize,
}

impl Request {
    /// Reads this load balancer with what environment and profile have.
    pub fn new(what: impl Into<String>, now: OffsetDateTime) -> Self {
        Self {
            what: what.into(),
            region: None,
            profile: None,
            endpoint_url: None,
            assume_role: None,
            keys: None,
            probe: true,
            now,
            metrics_window: METRICS_WINDOW,
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// Everything that AWS tells about a load balancer.
///
/// # Errors
///
/// Only where it cannot be told which load balancer is meant: see [`CollectError`].
pub async fn collect(
    request: &Request,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Answers, CollectError> {
    let subject = Subject::parse(&request.what)?;
    let client = &Client::open(request, subject.region()).await?;
    let mut answers = find::load_balancer(client, &request.what, &subject).await?;
    let scope = plan::Scope {
        probe: request.probe,
        metrics: Some((request.now - request.metrics_window, request.now)),
    };
    let mut asked = Asked::default();
    let mut done = 0;
    loop {
        let mut calls = plan::next(&answers, &scope, &mut asked);
        if calls.is_empty() {
            break;
        }
        let known = done + calls.len();
        let over = calls.split_off(calls.len().min(MOST_CALLS.saturating_sub(done)));
        progress(Progress { done, known });
        let mut outcomes = stream::iter(calls.into_iter().enumerate())
            .map(|(place, call)| async move {
                let outcome = client.ask(&call).await;
                (place, call, outcome)
            })
            .buffer_unordered(AT_ONCE);
        let mut came = Vec::new();
        while let Some(outcome) = outcomes.next().await {
            came.push(outcome);
            done += 1;
            progress(Progress { done, known });
        }
        // Not in the order in which they came, so that two runs give the same.
        came.sort_by_key(|(place, ..)| *place);
        for (_, call, outcome) in came {
            answers.add(&call, outcome);
        }
        for call in over {
            let refusal = Refusal {
                code: String::new(),
                message: format!("not asked: more than {MOST_CALLS} calls"),
            };
            answers.add(&call, Err(refusal));
            done += 1;
        }
    }
    answers.sort();
    Ok(answers)
}
