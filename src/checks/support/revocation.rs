//! What issuers say of certificates, in words, and the command that shows a stapled response.

use gladhand_probes::tls::stapling::StaplingSeen;
use gladhand_probes::untrusted::Untrusted;
use gladhand_probes::x509::{StatusFacts, StatusProblem};

use super::commands::s_client;
use super::words::date;
use crate::checks::View;

/// What was stapled, where that was observed.
pub(in crate::checks) fn stapling<'a>(view: &View<'a>) -> Option<&'a StaplingSeen> {
    view.observations().stapling.seen()
}

/// The stapled response, where this is what is wrong with it.
pub(in crate::checks) fn stapled_with<'a>(
    view: &View<'a>,
    problems: &[StatusProblem],
) -> Option<&'a StatusFacts> {
    let response = stapling(view)?.response.as_ref()?;
    let problem = response.problem?;
    problems.contains(&problem).then_some(response)
}

/// What a response or a list says, line by line.
pub(in crate::checks) fn status_lines(facts: &StatusFacts) -> Vec<String> {
    let mut lines = vec![facts.evidence.to_string()];
    let moments = [
        ("thisUpdate", facts.this_update),
        ("nextUpdate", facts.next_update),
        ("revoked at", facts.revoked_at),
    ];
    let told = moments.into_iter();
    lines.extend(told.filter_map(|(what, at)| Some(format!("{what} {}", date(at?)))));
    lines.extend(reason(facts).map(|reason| format!("reason {reason}")));
    lines.extend(
        facts
            .signer
            .iter()
            .map(|signer| format!("signed by {signer}")),
    );
    lines
}

/// Why a certificate was revoked, by the name of RFC 5280.
pub(in crate::checks) fn reason(facts: &StatusFacts) -> Option<Untrusted> {
    facts.reason.as_deref().map(Untrusted::from)
}

/// `was revoked on 2026-11-01T00:00:00Z, with the reason keyCompromise`.
pub(in crate::checks) fn revoked_words(facts: &StatusFacts) -> String {
    let at = facts.revoked_at.map(|at| format!(" on {}", date(at)));
    let why = reason(facts).map(|reason| format!(", with the reason {reason}"));
    let (at, why) = (at.unwrap_or_default(), why.unwrap_or_default());
    format!("was revoked{at}{why}")
}

/// `openssl s_client` that asks for a stapled response and prints what comes.
pub(in crate::checks) fn status_command(view: &View<'_>) -> String {
    format!(
        "{} 2>/dev/null | grep -A 20 '^OCSP response'",
        s_client(view, "-status")
    )
}
