//! Which named groups the server accepts for the key exchange: classic and post-quantum.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Answer, Attempt};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::enumerate::{Eliminated, Question};
use crate::tls::hellos::{Hello, turned_round};
use crate::tls::nodes::NodesSeen;
use crate::tls::versions;
use crate::wire::flight::Flight;
use crate::wire::key_share;
use crate::wire::names::GroupName;
use crate::wire::registry::{Group, ProtocolVersion, Suite, SuiteTraits};
use crate::x509::CertificateFacts;

/// Groups that a server is likely to have besides its favourite.
const LIKELY: usize = 3;

/// Enumerates the groups: in TLS 1.3 by HelloRetryRequest, below by the ServerKeyExchange.
pub struct Groups;

impl Probe for Groups {
    const ID: &'static str = "groups";
    const ABOUT: &'static str =
        "which named groups the key exchange accepts, post-quantum included";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach", "versions"];
    type Seen = GroupsSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<GroupsSeen, ProbeError> {
        let of_13 = versions::spoken(cx, ProtocolVersion::TLS1_3).await.answer;
        let tls13_spoken = of_13.answer == Answer::Yes;
        let mut newest_legacy = None;
        for version in [
            ProtocolVersion::TLS1_2,
            ProtocolVersion::TLS1_1,
            ProtocolVersion::TLS1_0,
        ] {
            if versions::spoken(cx, version).await.answer.answer == Answer::Yes {
                newest_legacy = Some(version);
                break;
            }
        }
        if newest_legacy.is_none() && !tls13_spoken {
            return Err(ProbeError::not_applicable(
                "no version is spoken that names groups",
            ));
        }
        let mut found = Eliminated::default();
        if tls13_spoken {
            found = if of_13.needs_key_share {
                tls13_with_shares(cx).await
            } else {
                Box::pin(tls13(cx)).await
            };
        }
        let tls13 = found.picked();
        let mut tls12_only = Vec::new();
        if let Some(version) = newest_legacy {
            let candidates: Vec<Group> = Group::tls12_curves()
                .iter()
                .copied()
                .filter(|group| !tls13.contains(group))
                .collect();
            let below = legacy(cx, version, &candidates).await;
            tls12_only = below.picked();
            found.join(below);
        }
        let named = |groups: &[Group]| groups.iter().copied().map(GroupName::from).collect();
        let accepted = found.picked();
        // A group that one version accepts is accepted; one that two leave open is open once.
        let mut open = Vec::new();
        for group in found.undetermined.drain(..) {
            if !accepted.contains(&group) && !open.contains(&group) {
                open.push(group);
            }
        }
        found.undetermined = open;
        Ok(GroupsSeen {
            accepted: named(&accepted),
            undetermined: named(&found.undetermined),
            complete: found.undetermined.is_empty(),
            tls13: named(&tls13),
            tls12_only: named(&tls12_only),
            evidence: found.evidence,
        })
    }

    /// What was accepted is accepted.
    fn doubt(attempt: &mut Attempt<GroupsSeen>, nodes: &NodesSeen, why: &str) {
        if let (true, Attempt::Seen(seen)) = (nodes.refusals_differ, attempt) {
            seen.doubt(why);
        }
    }
}

/// The groups that everybody prefers, and the others, side by side. The suites go the other way
/// round here: the answers show by the way whose order counts.
async fn tls13(cx: &Cx) -> Eliminated<Group> {
    let pick = |flight: &Flight| flight.hello.group();
    let first = Question::<Group> {
        in_hello: true,
        hello: Box::new(|groups| Hello::tls13(Suite::tls13(), groups, &[], cx.sni())),
        pick: Box::new(pick),
        likely: 0,
        expected,
    };
    let mut found = Eliminated::first(cx, &first, Group::tls13()).await;
    let Some(first) = found.picked().first().copied() else {
        return found;
    };
    let suites = turned_round(Suite::tls13());
    let ask = |likely| Question::<Group> {
        in_hello: true,
        hello: Box::new(|groups| Hello::tls13(&suites, groups, &[], cx.sni())),
        pick: Box::new(pick),
        likely,
        expected,
    };
    let (likely, unlikely) = (ask(LIKELY), ask(0));
    let (preferred, others) = (preferred_but(first), others_but(first));
    let (preferred, others) = tokio::join!(
        Eliminated::run(cx, &likely, &preferred, Some(first)),
        Eliminated::run(cx, &unlikely, &others, Some(first)),
    );
    found.join(preferred);
    found.join(others);
    found
}

/// What servers have, as far as it is worth a question ahead.
fn is_usual(group: Group) -> bool {
    const USUAL: [Group; 8] = [
        Group::X25519_MLKEM768,
        Group::SECP256R1_MLKEM768,
        Group::SECP384R1_MLKEM1024,
        Group::X25519,
        Group::SECP256R1,
        Group::SECP384R1,
        Group::SECP521R1,
        Group::X448,
    ];
    USUAL.contains(&group) || group.ffdhe()
}

/// What stands behind the last pick is likelier than what the server passed over; and who passes over a
/// hybrid has none.
fn expected(groups: &[Group], picked: &[Group]) -> Vec<Group> {
    let place = |group: &Group| Group::tls13().iter().position(|other| other == group);
    let last = picked.last().and_then(place);
    let usual = groups.iter().filter(|group| is_usual(**group));
    let (behind, before): (Vec<Group>, Vec<Group>) = usual.partition(|group| place(group) > last);
    let passed_over = before.into_iter().filter(|group| !group.post_quantum());
    behind.into_iter().chain(passed_over).collect()
}

/// The groups of TLS 1.3 that servers have, but for one.
pub(crate) fn preferred_but(known: Group) -> Vec<Group> {
    let preferred = |group: &Group| *group != known && !group.ffdhe() && !group.obsolete();
    Group::tls13().iter().copied().filter(preferred).collect()
}

fn others_but(known: Group) -> Vec<Group> {
    let other = |group: &Group| *group != known && (group.ffdhe() || group.obsolete());
    Group::tls13().iter().copied().filter(other).collect()
}

/// For servers that answer a hello only with a share in it: each group on its own.
async fn tls13_with_shares(cx: &Cx) -> Eliminated<Group> {
    let mut found = Eliminated::default();
    let (with, without): (Vec<Group>, Vec<Group>) = Group::tls13()
        .iter()
        .partition(|group| key_share::placeholder(**group).is_some());
    let ask = Question::<Group> {
        in_hello: true,
        hello: Box::new(|groups| Hello::tls13(Suite::tls13(), groups, groups, cx.sni())),
        pick: Box::new(|flight: &Flight| flight.hello.group()),
        likely: 0,
        expected,
    };
    let each = with
        .iter()
        .map(|group| Eliminated::run(cx, &ask, std::slice::from_ref(group), None));
    for one in futures_util::future::join_all(each).await {
        found.join(one);
    }
    found
        .evidence
        .push("answers only hellos with a key share; no share is known for the rest".into());
    found.undetermined.extend(without);
    found
}

async fn legacy(cx: &Cx, version: ProtocolVersion, candidates: &[Group]) -> Eliminated<Group> {
    let suites: Vec<Suite> = Suite::common()
        .iter()
        .copied()
        .filter(|suite| suite.traits().is_some_and(SuiteTraits::uses_named_group))
        .collect();
    let of_exchange = |flight: &Flight| {
        flight
            .key_exchange
            .as_ref()
            .and_then(|exchange| exchange.group)
    };
    let ask = Question::<Group> {
        in_hello: false,
        hello: Box::new(|groups| Hello::legacy(version, &suites, groups, cx.sni())),
        pick: Box::new(of_exchange),
        likely: 0,
        expected,
    };
    let mut found = Eliminated::run(cx, &ask, candidates, None).await;
    // A server with an ECDSA certificate refuses a client that does not have the certificate's own
    // curve (RFC 8422 §5.1): ask for the rest with that curve behind it. Where the server then takes
    // the curve itself, it takes none of the rest from any client.
    let refused =
        |group: &Group| !found.picked().contains(group) && !found.undetermined.contains(group);
    let rest: Vec<Group> = candidates.iter().copied().filter(refused).collect();
    if let Some(curve) = curve_of_certificate(cx, version).await
        && !rest.contains(&curve)
    {
        let ask = Question::<Group> {
            in_hello: false,
            hello: Box::new(|groups| {
                let with_curve: Vec<Group> = groups.iter().copied().chain([curve]).collect();
                Hello::legacy(version, &suites, &with_curve, cx.sni())
            }),
            pick: Box::new(|flight: &Flight| of_exchange(flight).filter(|group| *group != curve)),
            likely: 0,
            expected,
        };
        let more = Eliminated::run(cx, &ask, &rest, None).await;
        found.join(more);
    }
    found
}

/// The curve of the ECDSA certificate that the server sends in this version, if it is one.
async fn curve_of_certificate(cx: &Cx, version: ProtocolVersion) -> Option<Group> {
    let flight = versions::spoken(cx, version).await.flight?;
    Group::parse(&CertificateFacts::read(flight.leaf()?).key.curve?)
}

/// The named groups of the key exchange.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupsSeen {
    /// Accepted in any version, the server's most preferred first (as found).
    pub accepted: Vec<GroupName>,
    /// Neither accepted nor refused beyond doubt.
    pub undetermined: Vec<GroupName>,
    /// Whether every group that was asked is either accepted or refused.
    pub complete: bool,
    /// Accepted in TLS 1.3.
    pub tls13: Vec<GroupName>,
    /// Accepted in TLS 1.2 and below, and not in TLS 1.3; what TLS 1.3 accepts is not asked again.
    pub tls12_only: Vec<GroupName>,
    /// Why something is undetermined, and how refusals were confirmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
}

impl GroupsSeen {
    /// Makes every group undetermined that is not accepted.
    fn doubt(&mut self, why: &str) {
        let mut all: Vec<GroupName> = Vec::new();
        for group in Group::tls13().iter().chain(Group::tls12_curves()) {
            let group = GroupName::from(*group);
            if !self.accepted.contains(&group) && !all.contains(&group) {
                all.push(group);
            }
        }
        self.undetermined = all;
        self.complete = false;
        self.evidence.push(why.into());
    }
}
