//! Facts in words.

use std::collections::BTreeMap;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// `a`, `a and b`, `a, b and c`.
pub(in crate::checks) fn enumeration<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().into(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}

/// RFC 3339.
pub(in crate::checks) fn date(date: OffsetDateTime) -> String {
    date.format(&Rfc3339).unwrap_or_else(|_| date.to_string())
}

/// A length of time in its largest fitting unit: `12 days`, `1 day`, `3 hours`.
pub(in crate::checks) fn span(duration: Duration) -> String {
    let duration = duration.abs();
    let (count, unit) = match duration {
        d if d >= Duration::DAY => (d.whole_days(), "day"),
        d if d >= Duration::HOUR => (d.whole_hours(), "hour"),
        d if d >= Duration::MINUTE => (d.whole_minutes(), "minute"),
        d => (d.whole_seconds(), "second"),
    };
    plural(count, unit)
}

/// `1 day`, `2 days`.
pub(in crate::checks) fn plural(count: i64, unit: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{s}")
}

/// Groups items by what is said of them, in the order of first mention.
pub(in crate::checks) fn group_by<T, K: Ord + Clone>(items: Vec<(K, T)>) -> Vec<(K, Vec<T>)> {
    let mut order: Vec<K> = Vec::new();
    let mut groups: BTreeMap<K, Vec<T>> = BTreeMap::new();
    for (key, item) in items {
        if !groups.contains_key(&key) {
            order.push(key.clone());
        }
        groups.entry(key).or_default().push(item);
    }
    order
        .into_iter()
        .filter_map(|key| groups.remove(&key).map(|group| (key, group)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_in_english() {
        assert_eq!(enumeration::<&str>(&[]), "");
        assert_eq!(enumeration(&["a"]), "a");
        assert_eq!(enumeration(&["a", "b"]), "a and b");
        assert_eq!(enumeration(&["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn spans_are_told_in_their_largest_unit() {
        assert_eq!(span(Duration::days(12) + Duration::hours(5)), "12 days");
        assert_eq!(span(-Duration::days(1)), "1 day");
        assert_eq!(span(Duration::hours(23)), "23 hours");
        assert_eq!(span(Duration::minutes(59)), "59 minutes");
        assert_eq!(span(Duration::seconds(1)), "1 second");
    }
}
