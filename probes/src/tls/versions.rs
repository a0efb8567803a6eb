//! Which protocol versions the server speaks, from SSLv2 to TLS 1.3.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Answer, Attempt};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::ask::{NOT_ABOUT_SUITES, Reply, question};
use crate::tls::enumerate::{Eliminated, Question, in_turn};
use crate::tls::hellos::{Hello, HelloOutcome};
use crate::tls::nodes::NodesSeen;
use crate::tls::parts;
use crate::wire::flight::Flight;
use crate::wire::key_share::SMALL_SHARES;
use crate::wire::registry::{Group, ProtocolVersion, Suite};

/// Asks each version on its own.
pub struct Versions;

impl Probe for Versions {
    const ID: &'static str = "versions";
    const ABOUT: &'static str = "which protocol versions are spoken, SSLv2 to TLS 1.3";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach"];
    type Seen = VersionsSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<VersionsSeen, ProbeError> {
        Ok(all(cx).await)
    }

    /// What was accepted is accepted.
    fn doubt(attempt: &mut Attempt<VersionsSeen>, nodes: &NodesSeen, why: &str) {
        if let (true, Attempt::Seen(seen)) = (nodes.refusals_differ, attempt) {
            seen.doubt(why);
        }
    }
}

/// The answer for every version.
pub(crate) async fn all(cx: &Cx) -> VersionsSeen {
    let each = ProtocolVersion::all()
        .iter()
        .map(|version| async move { (*version, spoken(cx, *version).await.answer) });
    VersionsSeen(join_all(each).await.into_iter().collect())
}

/// What is known of one version.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    /// Whether it is spoken.
    pub(crate) answer: VersionAnswer,
    /// The flight that shows it.
    pub(crate) flight: Option<Arc<Flight>>,
    /// Not spoken, whatever the suites: the server said so.
    settled: bool,
}

/// Whether a version is spoken; asked once, however many probes want to know.
pub(crate) async fn spoken(cx: &Cx, version: ProtocolVersion) -> Version {
    let find_out = async {
        match version {
            ProtocolVersion::SSL2 => ssl2(cx).await.into(),
            ProtocolVersion::TLS1_3 => tls13(cx).await,
            version => legacy(cx, version).await,
        }
    };
    cx.version(version, Box::pin(find_out)).await
}

/// A hello of a version that is spoken, of those that have been asked already, with this name.
pub(crate) async fn answered_hello(
    cx: &Cx,
    version: ProtocolVersion,
    sni: Option<String>,
) -> Hello {
    let taken = spoken(cx, version)
        .await
        .flight
        .map(|flight| flight.hello.suite);
    match (usual_hello(cx, version, sni.clone()).await, taken) {
        (Some(hello), _) => hello,
        (None, Some(suite)) => Hello::suites(version, &[suite], sni),
        (None, None) => Hello::common(version, sni),
    }
}

/// The same, if it was a list of usual suites.
pub(crate) async fn usual_hello(
    cx: &Cx,
    version: ProtocolVersion,
    sni: Option<String>,
) -> Option<Hello> {
    let taken = spoken(cx, version).await.flight?.hello.suite;
    let lists = parts::usual(version);
    let mut answered = lists
        .iter()
        .filter(|list| list.len() <= cx.longest_answered());
    let list = answered.find(|list| list.contains(&taken))?;
    Some(Hello::suites(version, list, sni))
}

/// The first question about each version, for asking them side by side.
pub(crate) fn first_hellos(cx: &Cx) -> Vec<Hello> {
    let mut hellos = vec![Hello::tls13(Suite::tls13(), Group::tls13(), &[], cx.sni())];
    for version in ProtocolVersion::all().iter().rev() {
        match *version {
            ProtocolVersion::TLS1_3 => {}
            ProtocolVersion::SSL2 => hellos.push(Hello::ssl2()),
            version => hellos.extend(
                parts::usual(version)
                    .iter()
                    .map(|suites| Hello::suites(version, suites, cx.sni())),
            ),
        }
    }
    hellos
}

async fn ssl2(cx: &Cx) -> VersionAnswer {
    match question(cx, &Hello::ssl2(), None).await {
        Reply::Accepted(HelloOutcome::Ssl2(hello)) if hello.ciphers.is_empty() => {
            VersionAnswer::new(
                Answer::Undetermined,
                "SSLv2 SERVER-HELLO, no cipher in common",
            )
        }
        Reply::Accepted(outcome @ HelloOutcome::Ssl2(_)) => {
            VersionAnswer::new(Answer::Yes, outcome.to_string())
        }
        // A ServerHello of a newer version in answer to an SSLv2 hello (RFC 5246 appendix E.2).
        Reply::Accepted(outcome) => VersionAnswer::new(Answer::No, outcome.to_string()),
        Reply::Refused(refusal) => VersionAnswer::new(Answer::No, refusal.evidence),
        Reply::Unclear(why) => VersionAnswer::new(Answer::Undetermined, why),
        Reply::Unasked(error) => VersionAnswer::new(Answer::Undetermined, error.to_string()),
    }
}

/// SSLv3 to TLS 1.2: the usual suites, and where they may be refused for their own sake, the rare
/// ones.
async fn legacy(cx: &Cx, version: ProtocolVersion) -> Version {
    let lists = parts::usual(version).into_iter();
    let asked = lists.map(|suites| first(cx, version, suites));
    let Some(usual) = join_all(asked).await.into_iter().reduce(First::or) else {
        return VersionAnswer::new(Answer::Undetermined, "not asked").into();
    };
    if usual.answer.answer != Answer::No || !usual.about_suites {
        return usual.into();
    }
    // A server picks the newest version that it has, up to the one that is asked for (RFC 5246
    // appendix E.1): TLS 1.1 with rare suites asks for what is below as well, once for all three.
    if version < ProtocolVersion::TLS1_1 {
        if Box::pin(spoken(cx, ProtocolVersion::TLS1_1)).await.settled {
            return usual.into();
        }
        let below = first(cx, ProtocolVersion::TLS1_1, Suite::rare()).await;
        if below.answer.answer == Answer::No && !below.other_version {
            return usual.into();
        }
    }
    let rare = first(cx, version, Suite::rare()).await;
    if rare.answer.answer == Answer::No {
        usual.into()
    } else {
        rare.into()
    }
}

struct First {
    answer: VersionAnswer,
    flight: Option<Arc<Flight>>,
    /// Other suites might be taken.
    about_suites: bool,
    /// The server answered with another version.
    other_version: bool,
}

impl First {
    /// What two lists say together: one that is taken is enough, and both must be refused.
    fn or(self, other: Self) -> Self {
        let (about_suites, other_version) = (
            self.about_suites && other.about_suites,
            self.other_version || other.other_version,
        );
        let rank = |first: &Self| match first.answer.answer {
            Answer::Yes => 0,
            Answer::Undetermined => 1,
            Answer::No => 2,
        };
        let decisive = if rank(&other) < rank(&self) {
            other
        } else {
            self
        };
        Self {
            about_suites,
            other_version,
            ..decisive
        }
    }
}

impl From<First> for Version {
    fn from(first: First) -> Self {
        Self {
            settled: first.answer.answer == Answer::No && !first.about_suites,
            answer: first.answer,
            flight: first.flight,
        }
    }
}

impl From<VersionAnswer> for Version {
    fn from(answer: VersionAnswer) -> Self {
        Self {
            answer,
            flight: None,
            settled: false,
        }
    }
}

/// Whether one of the suites is accepted in the version.
async fn first(cx: &Cx, version: ProtocolVersion, suites: &[Suite]) -> First {
    let ask = Question::<Suite> {
        in_hello: true,
        hello: Box::new(|suites| Hello::suites(version, suites, cx.sni())),
        pick: Box::new(|flight: &Flight| {
            (flight.hello.version() == version).then_some(flight.hello.suite)
        }),
        likely: 0,
        expected: in_turn,
    };
    let seen = Eliminated::first(cx, &ask, suites).await;
    let (answer, evidence) = match seen.accepted.first() {
        Some((_, flight)) => (
            Answer::Yes,
            HelloOutcome::ServerHello(flight.clone()).to_string(),
        ),
        None if seen.undetermined.is_empty() => (Answer::No, seen.evidence.join("; ")),
        None => (Answer::Undetermined, seen.evidence.join("; ")),
    };
    First {
        answer: VersionAnswer::new(answer, evidence),
        flight: seen.accepted.into_iter().next().map(|(_, flight)| flight),
        about_suites: !seen
            .alert
            .is_some_and(|alert| NOT_ABOUT_SUITES.contains(&alert))
            && !seen.other_version,
        other_version: seen.other_version,
    }
}

async fn tls13(cx: &Cx) -> Version {
    let mut last = VersionAnswer::new(Answer::Undetermined, "not asked");
    // First without key shares: the server names suite and group, and has nothing to compute. Then
    // with shares, for servers that know no HelloRetryRequest; and a short one, for those that take
    // nothing longer.
    let all = |shares| Hello::tls13(Suite::tls13(), Group::tls13(), shares, cx.sni());
    for (hello, shares) in [
        (all(&[]), false),
        (all(SMALL_SHARES), true),
        (Hello::small_tls13(cx.sni()), false),
    ] {
        if last.answer == Answer::No && !shares {
            break;
        }
        last = match question(cx, &hello, None).await {
            Reply::Accepted(outcome) => {
                let hello = outcome.flight().map(|flight| &flight.hello);
                let spoken = hello.is_some_and(|hello| {
                    hello.is_retry() || hello.version() == ProtocolVersion::TLS1_3
                });
                let offered = hello.is_some_and(|hello| {
                    Suite::tls13().contains(&hello.suite)
                        && hello
                            .group()
                            .is_none_or(|group| Group::tls13().contains(&group))
                });
                if spoken && !offered {
                    let why = format!("{outcome}, which was not offered");
                    return VersionAnswer::new(Answer::Undetermined, why).into();
                }
                if spoken {
                    let mut answer = VersionAnswer::new(Answer::Yes, outcome.to_string());
                    answer.needs_key_share = shares;
                    return Version {
                        answer,
                        flight: outcome.into_flight(),
                        settled: false,
                    };
                }
                VersionAnswer::new(Answer::No, format!("answered with {outcome}"))
            }
            Reply::Refused(refusal) => {
                let settled = refusal
                    .alert
                    .is_some_and(|alert| NOT_ABOUT_SUITES.contains(&alert));
                let answer = VersionAnswer::new(Answer::No, refusal.evidence);
                if settled {
                    return answer.into();
                }
                answer
            }
            Reply::Unclear(why) => VersionAnswer::new(Answer::Undetermined, why),
            Reply::Unasked(error) => VersionAnswer::new(Answer::Undetermined, error.to_string()),
        };
    }
    last.into()
}

/// The answer for each version, keyed `SSLv2` `SSLv3` `TLSv1.0` … `TLSv1.3`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct VersionsSeen(pub BTreeMap<ProtocolVersion, VersionAnswer>);

/// Whether one version is spoken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VersionAnswer {
    /// Spoken or not.
    pub answer: Answer,
    /// What was sent and what came back.
    pub evidence: String,
    /// TLS 1.3 only: the server answers hellos only when they carry a key share (it knows no
    /// HelloRetryRequest).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_key_share: bool,
}

impl VersionsSeen {
    /// Makes every "no" undetermined.
    fn doubt(&mut self, why: &str) {
        for answer in self.0.values_mut() {
            if answer.answer == Answer::No {
                answer.answer = Answer::Undetermined;
                answer.evidence = format!("{}; but {why}", answer.evidence);
            }
        }
    }

    /// The answer for one version; undetermined where there is none.
    pub fn answer(&self, version: ProtocolVersion) -> Answer {
        self.0
            .get(&version)
            .map_or(Answer::Undetermined, |seen| seen.answer)
    }

    /// The versions that are spoken, oldest first.
    pub fn spoken(&self) -> impl Iterator<Item = ProtocolVersion> + '_ {
        self.0
            .iter()
            .filter(|(_, seen)| seen.answer == Answer::Yes)
            .map(|(version, _)| *version)
    }
}

impl VersionAnswer {
    fn new(answer: Answer, evidence: impl Into<String>) -> Self {
        Self {
            answer,
            evidence: evidence.into(),
            needs_key_share: false,
        }
    }
}
