//! "Did you mean": the nearest of the words that are accepted.

use clap::error::{ContextKind, ContextValue};
use gladhand_probes::{Target, Untrusted};

use super::range::Range;

/// The nearest word, if one is near enough to be meant.
pub(super) fn nearest<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let given = given.to_ascii_lowercase();
    known
        .into_iter()
        .map(|word| {
            (
                strsim::jaro_winkler(&given, &word.to_ascii_lowercase()),
                word,
            )
        })
        .filter(|(likeness, _)| *likeness > 0.8)
        // What goes on as it was begun is meant rather than what has a letter for another.
        .max_by(|a, b| {
            let begun = |word: &str| word.to_ascii_lowercase().starts_with(&given);
            (begun(a.1), a.0)
                .partial_cmp(&(begun(b.1), b.0))
                .unwrap_or(std::cmp::Ordering::Equal)
        })
        .map(|(_, word)| word)
}

/// `; did you mean `suites`?`, or nothing.
pub(super) fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(given, known)
        .map(|word| format!("; did you mean `{word}`?"))
        .unwrap_or_default()
}

/// Where a target stands in place of a command, says that `check` is wanted. What was given is shown
/// as anything from outside.
pub(super) fn check(told: &mut clap::Error) {
    let Some(ContextValue::String(given)) = told.get(ContextKind::InvalidSubcommand) else {
        return;
    };
    let given = given.clone();
    let shown = Untrusted::from(given.as_str()).to_string();
    if is_target(&given) && told.get(ContextKind::SuggestedSubcommand).is_none() {
        let tip = format!("to probe it: gladhand check {shown}");
        told.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![tip.into()]),
        );
    }
    told.insert(ContextKind::InvalidSubcommand, ContextValue::String(shown));
}

/// Whether it looks like something that can be probed, and not like a misspelt command.
fn is_target(given: &str) -> bool {
    let list = given.starts_with('@') || given == "-";
    let host = given.contains(['.', ':']) || given == "localhost";
    list || Range::parse(given, 443).is_some() || (host && given.parse::<Target>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_is_near_and_nothing_else() {
        let known = ["reach", "versions", "suites", "certificate"];
        assert_eq!(nearest("suits", known), Some("suites"));
        assert_eq!(nearest("Version", known), Some("versions"));
        assert_eq!(nearest("cert", known), Some("certificate"));
        assert_eq!(nearest("xyzzy", known), None);
        let policies = [
            "TLS13-1-0-2021-06",
            "TLS13-1-2-Ext0-2023-04",
            "TLS13-1-2-2021-06",
        ];
        assert_eq!(nearest("TLS13-1-2", policies), Some("TLS13-1-2-2021-06"));
    }
}
