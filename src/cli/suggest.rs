//! "Did you mean": the nearest of the words that are accepted.

/// The nearest word, if one is near enough to be meant.
pub(super) fn nearest<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let given = given.to_ascii_lowercase();
    known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(&given, word), word))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

/// `; did you mean `suites`?`, or nothing.
pub(super) fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(given, known)
        .map(|word| format!("; did you mean `{word}`?"))
        .unwrap_or_default()
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
    }
}
