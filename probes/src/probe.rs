//! What a probe is: one question put to one endpoint.

use std::future::Future;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::Attempt;
use crate::net::NetError;
use crate::observations::Observations;
use crate::tls::nodes::NodesSeen;

/// When a probe runs. The probes of a stage run side by side and see what earlier stages observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// What is on this port at all.
    Reach,
    /// Everything that is asked of what speaks TLS.
    Detail,
    /// Questions that were answered, once more, and those that stand on the answers.
    Recheck,
    /// Conclusions from what was observed: no network.
    Conclude,
    /// What takes its time, beyond the endpoint's deadline, when nothing else is asked any more.
    Wait,
}

/// One question put to one endpoint. A probe observes and never judges.
pub trait Probe {
    /// One snake_case word: the command line's name, the JSON key and the anchor in the docs.
    const ID: &'static str;
    /// One line for `--help` and the docs.
    const ABOUT: &'static str;
    /// When it runs.
    const STAGE: Stage;
    /// The ids of the probes whose observations it reads; they run with it.
    const NEEDS: &'static [&'static str];
    /// What it saw, as it stands in the report.
    type Seen: Serialize + DeserializeOwned + JsonSchema + Clone + Send;

    /// Puts the question.
    ///
    /// # Errors
    /// Only when the question could not be put or its answers decide nothing: an alert, a close or
    /// silence in answer to a hello is data, not an error.
    fn run(
        cx: &Cx,
        so_far: &Observations,
    ) -> impl Future<Output = Result<Self::Seen, ProbeError>> + Send;

    /// What becomes of the result where nodes behind the address answer differently: what one of them
    /// refused is no fact about all. Unless a probe knows better, nothing of it counts then.
    fn doubt(attempt: &mut Attempt<Self::Seen>, nodes: &NodesSeen, why: &str) {
        if nodes.refusals_differ {
            attempt.withdraw(why);
        }
    }
}

/// A probe as the lists of the command line and the docs show it.
#[derive(Clone, Copy, Debug)]
pub struct ProbeInfo {
    /// [`Probe::ID`].
    pub id: &'static str,
    /// [`Probe::ABOUT`].
    pub about: &'static str,
    /// [`Probe::STAGE`].
    pub stage: Stage,
    /// [`Probe::NEEDS`].
    pub needs: &'static [&'static str],
}

/// Why a probe has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProbeError {
    /// The question makes no sense for this endpoint.
    #[error("not applicable: {reason}")]
    NotApplicable {
        /// Why.
        reason: String,
    },
    /// Answers came, or failed to come, and none decides.
    #[error("{reason}")]
    Undecided {
        /// What was asked and what came back.
        reason: String,
    },
    /// No connection could be made for the question.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A probe whose observation this one reads has none.
    #[error("needs the observation `{needs}`, which has no result")]
    Missing {
        /// The id of that probe.
        needs: String,
    },
    /// A bug in this program: the probe panicked. The run goes on and ends with exit code 70.
    #[error("internal error: {message}")]
    Panicked {
        /// The panic's message.
        message: String,
    },
}

impl ProbeError {
    /// The question makes no sense here.
    pub fn not_applicable(reason: impl Into<String>) -> Self {
        Self::NotApplicable {
            reason: reason.into(),
        }
    }

    /// Nothing decides.
    pub fn undecided(reason: impl Into<String>) -> Self {
        Self::Undecided {
            reason: reason.into(),
        }
    }
}
