//! What one question was refused and another one got: one server does not do that, several nodes do. It
//! costs no connection.

use std::collections::BTreeSet;

use crate::cx::{Cx, Told};
use crate::fact::Answer;
use crate::observations::Observations;
use crate::tls::hellos::Hello;
use crate::tls::nodes::Difference;
use crate::tls::session::Session;
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
        let known = |name: &&crate::wire::names::SuiteName| name.suite() == Some(suite);
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
    differences.dedup_by(|a, b| a.question == b.question);
    differences
}

fn negotiated(session: &Session) -> Option<(ProtocolVersion, Suite)> {
    Some((session.version?, session.suite?))
}
