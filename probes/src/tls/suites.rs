//! Which cipher suites the server accepts in each version, and whose order counts.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::ask::{Reply, question};
use crate::tls::enumerate::{Eliminated, Question};
use crate::tls::groups::preferred_but;
use crate::tls::hellos::{Hello, HelloOutcome, is_chacha, turned_round};
use crate::wire::flight::Flight;
use crate::wire::key_share::SMALL_SHARES;
use crate::wire::names::SuiteName;
use crate::wire::registry::{Group, ProtocolVersion, Ssl2Cipher, Suite};

/// Suites in a hello, unless the server has answered a longer one.
const CHUNK: usize = 64;

/// Suites found one after the other, before what is left is parted; and the parts.
const AT_FIRST: usize = 6;
const PARTS: usize = 6;

/// Enumerates the suites of every version that is spoken, the versions side by side.
pub struct Suites;

impl Probe for Suites {
    const ID: &'static str = "suites";
    const ABOUT: &'static str = "which cipher suites each version accepts, and whose order counts";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach", "versions"];
    type Seen = SuitesSeen;

    async fn run(cx: &Cx, so_far: &Observations) -> Result<SuitesSeen, ProbeError> {
        let Some(versions) = so_far.versions.seen() else {
            return Err(ProbeError::Missing {
                needs: "versions".into(),
            });
        };
        let needs_share = versions
            .0
            .get(&ProtocolVersion::TLS1_3)
            .is_some_and(|answer| answer.needs_key_share);
        let lists = versions.spoken().map(|version| async move {
            let list = match version {
                ProtocolVersion::SSL2 => ssl2(cx).await,
                ProtocolVersion::TLS1_3 => tls13(cx, needs_share).await,
                version => legacy(cx, version).await,
            };
            (version, list)
        });
        Ok(SuitesSeen(
            join_all(lists)
                .await
                .into_iter()
                .collect::<BTreeMap<_, _>>(),
        ))
    }
}

/// SSLv2 tells all at once: its SERVER-HELLO lists what both sides have; the client chooses.
async fn ssl2(cx: &Cx) -> SuiteList {
    let hello = Hello::Ssl2 {
        ciphers: Ssl2Cipher::all().to_vec(),
    };
    let mut list = SuiteList::empty();
    match cx.ask(&hello).await.outcome {
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
    };
    let (found, turned) = tokio::join!(
        Eliminated::run(cx, &ask, Suite::tls13(), None),
        turned_tls13(cx, &ask)
    );
    let order = turned.order(cx, &ask, &found.picked()).await;
    SuiteList::new(found, order)
}

/// The suites of TLS 1.3 the other way round: as the groups probe asks with all but the group that
/// is known, so that one answer serves both.
async fn turned_tls13(cx: &Cx, ask: &Question<'_, Suite>) -> Turned {
    let first = question(cx, &(ask.hello)(Suite::tls13()), None).await;
    let known = match &first {
        Reply::Accepted(outcome) => outcome.flight().and_then(|flight| flight.hello.group()),
        _ => None,
    };
    if let Some(known) = known {
        let suites = turned_round(Suite::tls13());
        let hello = Hello::tls13(&suites, &preferred_but(known), &[], cx.sni());
        let reply = question(cx, &hello, None).await;
        if let Some(picked) = pick(ask, &reply) {
            return Turned {
                picked: Some(picked),
                long_hello_answered: false,
            };
        }
    }
    turned(cx, ask, Suite::tls13(), 0).await
}

async fn legacy(cx: &Cx, version: ProtocolVersion) -> SuiteList {
    let ask = Question::<Suite> {
        in_hello: true,
        hello: Box::new(|suites| Hello::suites(version, suites, cx.sni())),
        pick: Box::new(|flight: &Flight| {
            (flight.hello.version() == version).then_some(flight.hello.suite)
        }),
    };
    let usual = Eliminated::at_most(cx, &ask, Suite::common(), AT_FIRST);
    let (mut found, (mut turned, rare)) = tokio::join!(usual, turned_and_rare(cx, &ask));
    let first = found.picked().first().copied();
    let clients_order = turned.picked.is_some() && first.is_some() && turned.picked != first;
    // Where the order is the client's, there is none to be found out: the rest goes side by side.
    let left = std::mem::take(&mut found.left);
    let parts = if clients_order { PARTS } else { 1 };
    let asked = left
        .chunks(left.len().div_ceil(parts).max(1))
        .map(|part| Eliminated::run(cx, &ask, part, first));
    for part in join_all(asked).await {
        found.join(part);
    }
    let in_parts = !rare.accepted.is_empty();
    found.join(rare);
    let offered = Suite::common().iter().chain(Suite::rare());
    let mut rank: Vec<Suite> = offered.copied().collect();
    let all = found.picked();
    if in_parts && !clients_order && all.len() > 1 {
        // What was found in parts has no order yet: once more, with all of it.
        rank = Eliminated::run(cx, &ask, &all, None).await.picked();
    }
    if in_parts || clients_order {
        let place = |suite: &Suite| rank.iter().position(|r| r == suite).unwrap_or(usize::MAX);
        found.accepted.sort_by_key(|(suite, _)| place(suite));
    }
    if turned.picked.is_none() {
        turned = self::turned(cx, &ask, &found.picked(), 0).await;
    }
    let order = turned.order(cx, &ask, &found.picked()).await;
    SuiteList::new(found, order)
}

/// The usual suites the other way round, in a hello as long as the one about all rare suites would
/// be; and then the rare suites, in one hello if such a length is answered.
async fn turned_and_rare(cx: &Cx, ask: &Question<'_, Suite>) -> (Turned, Eliminated<Suite>) {
    let (usual, rare) = (Suite::common(), Suite::rare());
    let turned = turned(cx, ask, usual, rare.len().saturating_sub(usual.len())).await;
    let chunk = if turned.long_hello_answered {
        rare.len()
    } else {
        CHUNK
    };
    let asked = rare
        .chunks(chunk)
        .map(|chunk| Eliminated::run(cx, ask, chunk, turned.picked));
    let mut found = Eliminated::default();
    for part in join_all(asked).await {
        found.join(part);
    }
    (turned, found)
}

/// What the server picks from a list the other way round.
struct Turned {
    /// Its pick.
    picked: Option<Suite>,
    /// Whether the hello was answered with all its fillers.
    long_hello_answered: bool,
}

/// Offers a list the other way round. `fillers` make the hello long, so that it shows at the same time
/// how long a hello this server takes.
async fn turned(cx: &Cx, ask: &Question<'_, Suite>, list: &[Suite], fillers: usize) -> Turned {
    let hello = (ask.hello)(&turned_round(list));
    let long = hello.clone().with_fillers(fillers);
    // Whether a hello so long is answered is all that matters here: no second opinion.
    let answered = fillers > 0
        && cx
            .ask(&long)
            .await
            .outcome
            .is_ok_and(|outcome| outcome.is_hello());
    let reply = question(cx, if answered { &long } else { &hello }, None).await;
    Turned {
        picked: pick(ask, &reply),
        long_hello_answered: answered,
    }
}

impl Turned {
    /// Whose order counts, given what was found with the list the right way round, in that order.
    async fn order(&self, cx: &Cx, ask: &Question<'_, Suite>, found: &[Suite]) -> Order {
        let [first, .., _] = found else {
            return Order::NotApplicable;
        };
        let others = found.iter().skip(1).any(|suite| !is_chacha(*suite));
        match self.picked {
            Some(picked) if picked != *first => Order::Client,
            Some(_) if others && !is_chacha(*first) => Order::Server,
            // Keeping ChaCha20 last has turned nothing round: just the other way round, then.
            Some(_) => {
                let reversed: Vec<Suite> = found.iter().rev().copied().collect();
                let reply = question(cx, &(ask.hello)(&reversed), None).await;
                match pick(ask, &reply) {
                    Some(picked) if picked == *first => Order::Server,
                    Some(picked) if reversed.first() == Some(&picked) => Order::Client,
                    _ => Order::Undetermined,
                }
            }
            None => Order::Undetermined,
        }
    }
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
            .filter_map(|(_, flight)| flight.key_exchange.as_ref()?.dh_bits)
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
