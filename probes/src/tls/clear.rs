//! The clear flights of TLS 1.0 to 1.2 that show that a version is spoken: what else they tell costs no
//! connection more.

use futures_util::future::join_all;
use std::sync::Arc;

use crate::cx::Cx;
use crate::fact::Answer;
use crate::observations::Observations;
use crate::probe::ProbeError;
use crate::tls::hellos::Hello;
use crate::tls::versions;
use crate::wire::flight::Flight;
use crate::wire::names::SuiteName;
use crate::wire::registry::{ProtocolVersion, Suite, SuiteTraits};

/// The versions whose first flight comes in clear and has extensions, newest first.
const VERSIONS: [ProtocolVersion; 3] = [
    ProtocolVersion::TLS1_2,
    ProtocolVersion::TLS1_1,
    ProtocolVersion::TLS1_0,
];

/// The flights of the versions that are spoken, newest first.
///
/// # Errors
/// None is spoken, or none is known to be.
pub(crate) async fn flights(cx: &Cx) -> Result<Vec<(ProtocolVersion, Arc<Flight>)>, ProbeError> {
    let asked = VERSIONS
        .iter()
        .map(|version| async move { (*version, versions::spoken(cx, *version).await) });
    let asked = join_all(asked).await;
    if asked
        .iter()
        .all(|(_, seen)| seen.answer.answer == Answer::No)
    {
        return Err(ProbeError::not_applicable(
            "none of TLS 1.0, 1.1 and 1.2 is spoken",
        ));
    }
    let spoken: Vec<_> = asked
        .into_iter()
        .filter(|(_, seen)| seen.answer.answer == Answer::Yes)
        .filter_map(|(version, seen)| Some((version, seen.flight?)))
        .collect();
    if spoken.is_empty() {
        return Err(ProbeError::undecided(
            "whether TLS 1.0, 1.1 or 1.2 is spoken is undetermined",
        ));
    }
    Ok(spoken)
}

/// The newest of these versions that is spoken, and a hello of it that is answered.
///
/// # Errors
/// As [`flights`].
pub(crate) async fn newest(cx: &Cx) -> Result<(ProtocolVersion, Hello), ProbeError> {
    let flights = flights(cx).await?;
    let newest = flights.first().map(|(version, _)| *version);
    let version = newest.unwrap_or(ProtocolVersion::TLS1_2);
    Ok((
        version,
        versions::answered_hello(cx, version, cx.sni()).await,
    ))
}

/// The newest of these versions in which suites of a kind are accepted, and those suites.
///
/// # Errors
/// None is accepted, or none is known to be. `what` is the kind: `DHE suites`.
pub(crate) fn accepted(
    so_far: &Observations,
    what: &str,
    is_meant: impl Fn(SuiteTraits) -> bool,
) -> Result<(ProtocolVersion, Vec<Suite>), ProbeError> {
    let Some(seen) = so_far.suites.seen() else {
        return Err(ProbeError::Missing {
            needs: "suites".into(),
        });
    };
    let meant = |names: &[SuiteName]| -> Vec<Suite> {
        let suites = names.iter().filter_map(SuiteName::suite);
        suites
            .filter(|suite| suite.traits().is_some_and(&is_meant))
            .collect()
    };
    let mut open = false;
    for version in VERSIONS {
        let Some(list) = seen.0.get(&version) else {
            continue;
        };
        let suites = meant(&list.accepted);
        if !suites.is_empty() {
            return Ok((version, suites));
        }
        open |= !meant(&list.undetermined).is_empty();
    }
    Err(if open {
        ProbeError::undecided(format!("whether {what} are accepted is undetermined"))
    } else {
        ProbeError::not_applicable(format!("no {what} are accepted below TLS 1.3"))
    })
}
