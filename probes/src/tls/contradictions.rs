//! What one question was refused and another one got: one server does not do that, several nodes do. It
//! costs no connection.

use std::collections::BTreeSet;

use crate::cx::{Cx, Told};
use crate::fact::Answer;
use crate::observations::Observations;
use crate::tls::ask::PROTOCOL_VERSION;
use crate::tls::hellos::{Hello, HelloOutcome};
use crate::tls::nodes::Difference;
use crate::tls::session::Session;
use crate::wire::names::{GroupName, SuiteName};
use crate::wire::registry::{ProtocolVersion, Suite};

/// The versions, and the suites of versions, that are known not to be taken and that some answer under the
/// right name has taken.
pub(crate) fn contradictions(
    cx: &Cx,
    so_far: &Observations,
    answered: &[(Hello, Told)],
) -> Vec<Difference> {
    let mut taken: BTreeSet<(ProtocolVersion, Suite)> = answered
        .iter()
        .filter(|(hello, _)| matches!(hello, Hello::Tls(hello) if hello.sni == cx.sni()))
        .filter_map(|(_, told)| {
            let hello = &told.outcome.as_ref().ok()?.flight()?.hello;
            let version = if hello.is_retry() {
                ProtocolVersion::TLS1_3
            } else {
                hello.version()
            };
            Some((version, hello.suite))
        })
        .collect();
    taken.extend(
        cx.sessions()
            .iter()
            .filter_map(|session| negotiated(session)),
    );
    let versions = so_far.versions.seen();
    let suites = so_far.suites.seen();
    // By an alert: who goes silent may dislike something else in the hello.
    let clearly = |version: ProtocolVersion| {
        let alone =
            |hello: &Hello| matches!(hello, Hello::Tls(hello) if hello.versions == [version]);
        let mut refusals = answered
            .iter()
            .filter(|(_, told)| told.is_clear() && !told.is_hello());
        refusals.any(|(hello, _)| hello.is_plain() && alone(hello))
    };
    let refused = |version: ProtocolVersion, suite: Suite| {
        if versions.is_some_and(|seen| seen.answer(version) == Answer::No) && clearly(version) {
            return Some(version.to_string());
        }
        let list = suites?.0.get(&version)?;
        let known = |name: &&SuiteName| name.suite() == Some(suite);
        let is_refused = list.complete && !list.accepted.iter().any(|name| known(&name));
        is_refused.then(|| format!("{suite} in {version}"))
    };
    let mut differences: Vec<Difference> = taken
        .into_iter()
        .filter_map(|(version, suite)| {
            Some(Difference {
                question: refused(version, suite)?,
                answers: vec!["refused".into(), format!("taken, as {version} {suite}")],
            })
        })
        .collect();
    differences.extend(passed_over(cx, so_far, answered));
    differences.extend(refused_as_unknown(cx, so_far, answered));
    differences.dedup_by(|a, b| a.question == b.question);
    differences
}

/// Versions that are taken, and that a hello of theirs alone is refused for (protocol_version).
fn refused_as_unknown(
    cx: &Cx,
    so_far: &Observations,
    answered: &[(Hello, Told)],
) -> Option<Difference> {
    let versions = so_far.versions.seen()?;
    answered.iter().find_map(|(hello, told)| {
        let (Hello::Tls(offer), Ok(outcome @ HelloOutcome::Alert(alert))) = (hello, &told.outcome)
        else {
            return None;
        };
        let [version] = offer.versions.as_slice() else {
            return None;
        };
        let spoken = versions.0.get(version)?;
        let contradicts = alert.description.0 == PROTOCOL_VERSION
            && hello.is_plain()
            && offer.sni == cx.sni()
            && spoken.answer == Answer::Yes
            && !(spoken.needs_key_share && offer.shares.is_empty());
        contradicts.then(|| Difference {
            question: format!("{version} alone"),
            answers: vec!["taken".into(), outcome.to_string()],
        })
    })
}

/// TLS 1.3, where it is taken alone and passed over among others, with a suite and a group that are taken:
/// a server picks the newest version that it has.
fn passed_over(cx: &Cx, so_far: &Observations, answered: &[(Hello, Told)]) -> Option<Difference> {
    let newest = ProtocolVersion::TLS1_3;
    if so_far.versions.seen()?.answer(newest) != Answer::Yes {
        return None;
    }
    let suites = so_far.suites.seen()?.0.get(&newest)?;
    let groups = so_far.groups.seen()?;
    answered.iter().find_map(|(hello, told)| {
        let Hello::Tls(offer) = hello else {
            return None;
        };
        let picked = &told.outcome.as_ref().ok()?.flight()?.hello;
        let mut known = suites.accepted.iter().filter_map(SuiteName::suite);
        let mut shared = groups.tls13.iter().filter_map(GroupName::group);
        let odd = offer
            .extras
            .as_ref()
            .is_some_and(|extras| !extras.quirks.is_empty());
        let might = !odd
            && offer.sni == cx.sni()
            && offer.versions.contains(&newest)
            && known.any(|suite| offer.suites.contains(&suite))
            && shared.any(|group| offer.shares.contains(&group));
        let is_older = !picked.is_retry() && picked.version() < newest;
        (might && is_older).then(|| Difference {
            question: format!("{newest} among other versions"),
            answers: vec![
                "taken, where it is offered alone".into(),
                format!("passed over for {}", picked.version()),
            ],
        })
    })
}

fn negotiated(session: &Session) -> Option<(ProtocolVersion, Suite)> {
    Some((session.version?, session.suite?))
}
