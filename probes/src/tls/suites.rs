//! Which cipher suites the server accepts in each version, and whose order counts.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Answer, Attempt};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::ask::{Reply, question};
use crate::tls::enumerate::{Eliminated, Question};
use crate::tls::groups::preferred_but;
use crate::tls::hellos::{Hello, HelloOutcome, turned_round};
use crate::tls::nodes::NodesSeen;
use crate::tls::order::{self, Pick};
use crate::tls::parts;
use crate::tls::versions;
use crate::wire::flight::Flight;
use crate::wire::key_share::SMALL_SHARES;
use crate::wire::names::SuiteName;
use crate::wire::registry::{Group, ProtocolVersion, Ssl2Cipher, Suite};

/// Suites in a hello, unless the server has answered a longer one.
const CHUNK: usize = 64;

/// Suites that a modern server is likely to have besides its favourite.
const LIKELY: usize = 2;

/// The same for one that accepts any of the older ones.
const LIKELY_OTHERS: usize = 1;

/// Enumerates the suites of every version that is spoken, the versions side by side.
pub struct Suites;

impl Probe for Suites {
    const ID: &'static str = "suites";
    const ABOUT: &'static str = "which cipher suites each version accepts, and whose order counts";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach", "versions"];
    type Seen = SuitesSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<SuitesSeen, ProbeError> {
        let lists = ProtocolVersion::all().iter().map(|version| async move {
            let known = versions::spoken(cx, *version).await.answer;
            if known.answer != Answer::Yes {
                return None;
            }
            let list = match *version {
                ProtocolVersion::SSL2 => ssl2(cx).await,
                ProtocolVersion::TLS1_3 => tls13(cx, known.needs_key_share).await,
                version => Box::pin(legacy(cx, version)).await,
            };
            Some((*version, list))
        });
        let lists = join_all(lists).await;
        Ok(SuitesSeen(
            lists.into_iter().flatten().collect::<BTreeMap<_, _>>(),
        ))
    }

    /// What was accepted is accepted.
    fn doubt(attempt: &mut Attempt<SuitesSeen>, nodes: &NodesSeen, why: &str) {
        if let (true, Attempt::Seen(seen)) = (nodes.refusals_differ, attempt) {
            seen.doubt(why);
        }
    }
}

/// SSLv2 tells all at once: its SERVER-HELLO lists what both sides have; the client chooses.
async fn ssl2(cx: &Cx) -> SuiteList {
    let mut list = SuiteList::empty();
    match cx.ask(&Hello::ssl2()).await.outcome {
        Ok(HelloOutcome::Ssl2(hello)) => {
            list.accepted = hello.ciphers.into_iter().map(SuiteName::from).collect();
            list.order = Order::Client;
        }
        other => {
            list.undetermined = Ssl2Cipher::all()
                .iter()
                .copied()
                .map(SuiteName::from)
                .collect();
            list.complete = false;
            list.evidence
                .push(other.map_or_else(|error| error.to_string(), |o| o.to_string()));
        }
    }
    list
}

async fn tls13(cx: &Cx, needs_share: bool) -> SuiteList {
    let shares: &[Group] = if needs_share { SMALL_SHARES } else { &[] };
    let ask = Question::<Suite> {
        in_hello: true,
        hello: Box::new(|suites| Hello::tls13(suites, Group::tls13(), shares, cx.sni())),
        pick: Box::new(|flight: &Flight| {
            let spoken =
                flight.hello.is_retry() || flight.hello.version() == ProtocolVersion::TLS1_3;
            spoken.then_some(flight.hello.suite)
        }),
        likely: LIKELY,
        expected: parts::expected,
    };
    let mut found = Eliminated::run(cx, &ask, Suite::tls13(), None).await;
    // An ordinary client has them in another order.
    let told = cx.ask(&Hello::ordinary(cx.sni())).await;
    if let Ok(outcome) = told.outcome
        && let Some(picked) = outcome.flight().and_then(|flight| (ask.pick)(flight))
    {
        found.picks.push((Hello::ORDINARY_TLS13.to_vec(), picked));
    }
    if order::whose(&found.picks, &found.picked()).is_none() && found.accepted.len() > 1 {
        found.picks.extend(turned_tls13(cx, &ask).await);
    }
    let order = put_in_order(cx, &ask, &mut found, Suite::tls13()).await;
    SuiteList::new(found, order)
}

/// The suites of TLS 1.3 the other way round: as the groups probe asks with all but the group that
/// is known, so that one answer serves both.
async fn turned_tls13(cx: &Cx, ask: &Question<'_, Suite>) -> Option<Pick> {
    let first = question(cx, &(ask.hello)(Suite::tls13()), None).await;
    let known = match &first {
        Reply::Accepted(outcome) => outcome.flight().and_then(|flight| flight.hello.group()),
        _ => None,
    };
    let suites = turned_round(Suite::tls13());
    if let Some(known) = known {
        let hello = Hello::tls13(&suites, &preferred_but(known), &[], cx.sni());
        let reply = question(cx, &hello, None).await;
        if let Some(picked) = pick(ask, &reply) {
            return Some((suites, picked));
        }
    }
    let reply = question(cx, &(ask.hello)(&suites), None).await;
    Some((suites, pick(ask, &reply)?))
}

async fn legacy(cx: &Cx, version: ProtocolVersion) -> SuiteList {
    let ask = |likely| Question::<Suite> {
        in_hello: true,
        hello: Box::new(move |suites| Hello::suites(version, suites, cx.sni())),
        pick: Box::new(move |flight: &Flight| {
            (flight.hello.version() == version).then_some(flight.hello.suite)
        }),
        likely,
        expected: parts::expected,
    };
    let (modern, others, ask) = (ask(LIKELY), ask(LIKELY_OTHERS), ask(0));
    let lists = parts::usual(version).into_iter();
    let usual = lists.map(|list| {
        // Who has one of the modern suites has others.
        let ask = if parts::is_modern(list) {
            &modern
        } else {
            &others
        };
        taken_apart(cx, ask, list, None)
    });
    let (usual, rare) = tokio::join!(join_all(usual), turned_and_rare(cx, &ask));
    let mut found = rare;
    for part in usual {
        found.join(part);
    }
    let offered: Vec<Suite> = Suite::common()
        .iter()
        .chain(Suite::rare())
        .copied()
        .collect();
    let order = put_in_order(cx, &ask, &mut found, &offered).await;
    SuiteList::new(found, order)
}

/// A list as a whole; and where something of it is taken, the rest in parts, side by side.
async fn taken_apart(
    cx: &Cx,
    ask: &Question<'_, Suite>,
    list: &[Suite],
    known_good: Option<Suite>,
) -> Eliminated<Suite> {
    let mut found = Eliminated::first(cx, ask, list).await;
    let left = std::mem::take(&mut found.left);
    let Some(good) = found.picked().first().copied().or(known_good) else {
        return found;
    };
    // Where it picks as servers usually do, its order shows on the way, and nothing is asked in vain.
    let mut guessed = Eliminated::while_guessed(cx, ask, &left, Some(good)).await;
    let left = std::mem::take(&mut guessed.left);
    found.join(guessed);
    if left.is_empty() {
        return found;
    }
    let like = found.picked().last().copied().unwrap_or(good);
    let parts = parts::parts(&left, like);
    let good = Some(good);
    let asked = parts.iter().map(|part| async move {
        if parts::is_short(part) {
            Eliminated::run(cx, ask, part, good).await
        } else {
            Box::pin(taken_apart(cx, ask, part, good)).await
        }
    });
    for part in join_all(asked).await {
        found.join(part);
    }
    found
}

/// The usual suites the other way round, in a hello as long as the one about all rare suites; and the
/// rare suites, in one hello if such a length is answered.
async fn turned_and_rare(cx: &Cx, ask: &Question<'_, Suite>) -> Eliminated<Suite> {
    let (usual, rare) = (Suite::common(), Suite::rare());
    let suites = turned_round(usual);
    let hello = (ask.hello)(&suites);
    let long = hello
        .clone()
        .with_fillers(rare.len().saturating_sub(usual.len()));
    // Whether a hello so long is answered is all that matters here: no second opinion.
    let (told, ()) = tokio::join!(cx.ask(&long), cx.look_ahead([(ask.hello)(rare)]));
    let answered = told.is_hello();
    let reply = question(cx, if answered { &long } else { &hello }, None).await;
    let turned = pick(ask, &reply);
    let chunk = if answered { rare.len() } else { CHUNK };
    let asked = rare
        .chunks(chunk)
        .map(|chunk| taken_apart(cx, ask, chunk, turned));
    let mut found = Eliminated::default();
    for part in join_all(asked).await {
        found.join(part);
    }
    found.picks.extend(turned.map(|picked| (suites, picked)));
    found
}

/// Finds out whose order counts, and puts what was found in it: the server's order, or that of what was
/// offered.
async fn put_in_order(
    cx: &Cx,
    ask: &Question<'_, Suite>,
    found: &mut Eliminated<Suite>,
    offered: &[Suite],
) -> Order {
    let place = |suite: &Suite| offered.iter().position(|other| other == suite);
    let mut all = found.picked();
    all.sort_by_key(place);
    let mut order = Order::NotApplicable;
    if all.len() > 1 {
        order = whose(cx, ask, &all, &mut found.picks).await;
        if order == Order::Server {
            if let Some(sorted) = order::sorted(cx, ask, &all, &mut found.picks).await {
                all = sorted;
            } else {
                // What is picked of all, of all the rest, and so on.
                let mut one_by_one = Eliminated::run(cx, ask, &all, None).await.picked();
                if one_by_one.len() < all.len() {
                    let why = "the order of the suites could not be found out";
                    found.evidence.push(why.into());
                    let left = all.iter().filter(|suite| !one_by_one.contains(suite));
                    let left: Vec<Suite> = left.copied().collect();
                    one_by_one.extend(left);
                }
                all = one_by_one;
            }
        }
    }
    let rank = |suite: &Suite| all.iter().position(|other| other == suite);
    found.accepted.sort_by_key(|(suite, _)| rank(suite));
    order
}

async fn whose(
    cx: &Cx,
    ask: &Question<'_, Suite>,
    found: &[Suite],
    picks: &mut Vec<Pick>,
) -> Order {
    if let Some(order) = order::whose(picks, found) {
        return order;
    }
    // What was found, one way round and the other.
    let backward: Vec<Suite> = found.iter().rev().copied().collect();
    for offered in [found.to_vec(), turned_round(found), backward] {
        let reply = question(cx, &(ask.hello)(&offered), None).await;
        let Some(picked) = pick(ask, &reply) else {
            return Order::Undetermined;
        };
        picks.push((offered, picked));
        if let Some(order) = order::whose(picks, found) {
            return order;
        }
    }
    Order::Undetermined
}

fn pick(ask: &Question<'_, Suite>, reply: &Reply) -> Option<Suite> {
    match reply {
        Reply::Accepted(outcome) => (ask.pick)(outcome.flight()?),
        _ => None,
    }
}

impl SuiteList {
    fn empty() -> Self {
        Self {
            accepted: Vec::new(),
            undetermined: Vec::new(),
            complete: true,
            order: Order::NotApplicable,
            dh_bits: None,
            evidence: Vec::new(),
        }
    }

    fn new(found: Eliminated<Suite>, order: Order) -> Self {
        let dh_bits = found
            .accepted
            .iter()
            .filter_map(|(_, flight)| flight.key_exchange.as_ref()?.dh_bits())
            .min();
        Self {
            accepted: found.picked().into_iter().map(SuiteName::from).collect(),
            complete: found.undetermined.is_empty(),
            undetermined: found
                .undetermined
                .into_iter()
                .map(SuiteName::from)
                .collect(),
            order,
            dh_bits,
            evidence: found.evidence,
        }
    }
}

/// The suites of each version that is spoken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SuitesSeen(pub BTreeMap<ProtocolVersion, SuiteList>);

impl SuitesSeen {
    /// Makes every suite undetermined that is not accepted, and the order.
    fn doubt(&mut self, why: &str) {
        for (version, list) in &mut self.0 {
            let all: Vec<SuiteName> = match *version {
                ProtocolVersion::SSL2 => continue,
                ProtocolVersion::TLS1_3 => Suite::tls13(),
                _ => Suite::legacy(),
            }
            .iter()
            .copied()
            .map(SuiteName::from)
            .collect();
            list.undetermined = all;
            list.undetermined
                .retain(|suite| !list.accepted.contains(suite));
            list.complete = false;
            list.order = Order::Undetermined;
            list.evidence.push(why.into());
        }
    }
}

/// The suites of one version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteList {
    /// Accepted, the server's most preferred first (where the order is the client's: as found).
    pub accepted: Vec<SuiteName>,
    /// Neither accepted nor refused beyond doubt.
    pub undetermined: Vec<SuiteName>,
    /// Whether every registered suite of this version is either accepted or refused.
    pub complete: bool,
    /// Whose preference decides.
    pub order: Order,
    /// Bits of the smallest finite-field group that the server sent for a DHE suite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dh_bits: Option<u32>,
    /// Why something is undetermined, and how refusals were confirmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
}

/// Whose preference decides which suite is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The server's.
    Server,
    /// The client's.
    Client,
    /// The answers do not decide.
    Undetermined,
    /// Fewer than two suites.
    NotApplicable,
}
