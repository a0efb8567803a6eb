//! What the server turned out to bear while it was asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Attempt, milliseconds};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::nodes::NodesSeen;

/// Tells what the other probes ran into: how fast, how much at once and how long a hello this server
/// answers, and how it refuses. Asks only where answers were lost: the known hello, a few times, alone.
pub struct Limits;

/// How often the known hello is sent alone.
const ALONE: usize = 6;

impl Probe for Limits {
    const ID: &'static str = "limits";
    const ABOUT: &'static str =
        "what the server bore while it was asked: speed, crowds, long hellos";
    const STAGE: Stage = Stage::Recheck;
    const NEEDS: &'static [&'static str] = &["reach"];
    type Seen = LimitsSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<LimitsSeen, ProbeError> {
        if !cx.answers_anything() {
            return Err(ProbeError::not_applicable("no hello was answered"));
        }
        // That answers were lost in company says something only where none is lost alone.
        if cx.noticed().narrowed
            && let Ok(quiet) = cx.quiet().await
        {
            for hello in std::iter::repeat_n(cx.known_good(), ALONE).flatten() {
                let told = quiet.ask(&hello, cx.settings.timeout).await;
                if told.is_hello() {
                    continue;
                }
                cx.note_lost(&told);
                break;
            }
        }
        let noticed = cx.noticed();
        Ok(LimitsSeen {
            connect_ms: milliseconds(cx.slowest_connect()),
            suites_in_hello: cx.longest_answered(),
            bytes_in_hello: cx.longest_in_bytes(),
            refuses_with: cx.way_of_refusing().map(|outcome| outcome.to_string()),
            connections_at_once: noticed.narrowed.then(|| cx.at_once()),
            connections_per_second: noticed.per_second,
            lost_in_company: noticed.lost_in_company,
            lost_alone: noticed.lost_alone,
        })
    }

    /// It counts answers, whoever gave them.
    fn doubt(_: &mut Attempt<LimitsSeen>, _: &NodesSeen, _: &str) {}
}

/// What the server bore.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LimitsSeen {
    /// Milliseconds of the slowest TCP handshake.
    pub connect_ms: f64,
    /// Suites in the longest list that was answered.
    pub suites_in_hello: usize,
    /// Bytes of the longest hello that was answered, its record included.
    pub bytes_in_hello: usize,
    /// How the server refuses, where that is no alert that the RFCs define as a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuses_with: Option<String>,
    /// So many connections were open at once in the end, because more had lost answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections_at_once: Option<u32>,
    /// About so many connections a second were answered before none was for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections_per_second: Option<u32>,
    /// Questions without an answer beside others that were answered when asked again, alone.
    pub lost_in_company: u32,
    /// Questions without an answer that were answered when asked again, with nothing else open either
    /// time.
    pub lost_alone: u32,
}

impl LimitsSeen {
    /// Whether the server holds connections back: too fast, or too many at once. What is lost alone as
    /// well is lost by chance.
    pub fn throttles(&self) -> bool {
        self.connections_per_second.is_some()
            || (self.connections_at_once.is_some() && self.lost_alone == 0)
    }
}
