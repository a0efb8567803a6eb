//! The success codes of a health check, as AWS writes them: `200`, `200,301`, `200-299`.

use std::ops::RangeInclusive;

/// Codes that count as healthy.
pub(super) struct Codes(Vec<RangeInclusive<u16>>);

impl Codes {
    /// None where something else stands there.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let range = |part: &str| {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            Some(from.trim().parse().ok()?..=to.trim().parse().ok()?)
        };
        text.split(',').map(range).collect::<Option<_>>().map(Self)
    }

    /// Whether a code counts.
    pub(super) fn contains(&self, code: u16) -> bool {
        self.0.iter().any(|range| range.contains(&code))
    }

    /// The least code that counts of a range.
    pub(super) fn first_of(&self, mut range: RangeInclusive<u16>) -> Option<u16> {
        range.find(|code| self.contains(*code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_ranges_are_read() {
        let codes = Codes::parse("200,301-303, 404").unwrap();
        for code in [200, 301, 303, 404] {
            assert!(codes.contains(code), "{code}");
        }
        assert!(!codes.contains(201) && !codes.contains(304));
        assert_eq!(codes.first_of(400..=599), Some(404));
        assert_eq!(codes.first_of(405..=599), None);
    }

    #[test]
    fn what_is_no_code_is_not_guessed_at() {
        for text in ["", "2xx", "200-", "-1", "99999"] {
            assert!(Codes::parse(text).is_none(), "{text}");
        }
    }
}
