//! What a pattern cannot match without: literals of which one has to be in a line. A log is searched for
//! those of all patterns in one pass, and only a line that has one is looked at.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Shorter ones are in nearly every line.
const SHORTEST: usize = 3;

/// More of them say that the pattern has no good ones.
const MOST: usize = 64;

/// Literals of which every match has at least one, whatever the case of its ASCII letters. None where
/// the pattern has no such literals.
pub fn required(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let found = best(hir)?;
    (shortest(&found) >= SHORTEST && found.len() <= MOST).then_some(found)
}

fn best(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Concat(parts) => concat(parts),
        HirKind::Alternation(parts) => {
            let each: Option<Vec<_>> = parts.iter().map(best).collect();
            Some(each?.concat())
        }
        HirKind::Capture(capture) => best(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => best(&repetition.sub),
        _ => {
            let mut run = Vec::new();
            push(hir, &mut run).then(|| vec![run])
        }
    }
}

/// The best of the runs of literals and of what the other parts need.
fn concat(parts: &[Hir]) -> Option<Vec<Vec<u8>>> {
    let mut candidates = Vec::new();
    let mut run = Vec::new();
    for part in parts {
        if push(part, &mut run) {
            continue;
        }
        candidates.push(vec![std::mem::take(&mut run)]);
        candidates.extend(best(part));
    }
    candidates.push(vec![run]);
    let worth = |set: &Vec<Vec<u8>>| (shortest(set), std::cmp::Reverse(set.len()));
    let candidates = candidates.into_iter().filter(|set| shortest(set) > 0);
    candidates.max_by_key(worth)
}

/// Adds what a literal, or a letter in either case, stands for.
fn push(hir: &Hir, run: &mut Vec<u8>) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => {
            run.extend(literal.0.to_ascii_lowercase());
            true
        }
        HirKind::Class(class) => match letter(class) {
            Some(letter) => {
                run.push(letter);
                true
            }
            None => false,
        },
        _ => false,
    }
}

/// The letter of a class that is one ASCII letter in both cases.
fn letter(class: &Class) -> Option<u8> {
    let mut bytes = Vec::new();
    match class {
        Class::Bytes(class) => {
            for range in class.ranges() {
                bytes.extend([range.start(), range.end()]);
            }
        }
        Class::Unicode(class) => {
            for range in class.ranges() {
                bytes.push(u8::try_from(range.start()).ok()?);
                bytes.push(u8::try_from(range.end()).ok()?);
            }
        }
    }
    match bytes.as_slice() {
        [a, b, c, d] if a == b && c == d && a.is_ascii_alphabetic() => {
            a.eq_ignore_ascii_case(c).then(|| a.to_ascii_lowercase())
        }
        _ => None,
    }
}

fn shortest(set: &[Vec<u8>]) -> usize {
    set.iter().map(Vec::len).min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::matcher::parse;

    fn of(pattern: &str) -> Option<Vec<String>> {
        let found = required(&parse(pattern).unwrap())?;
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Some(found.into_iter().map(text).collect())
    }

    #[test]
    fn the_longest_run_is_taken() {
        assert_eq!(of(r"ab \d+ and more").unwrap(), [" and more"]);
        assert_eq!(of(r"x(?:abc)?long enough").unwrap(), ["long enough"]);
        assert_eq!(of(r"(?:foo bar)+").unwrap(), ["foo bar"]);
    }

    #[test]
    fn every_way_of_an_alternation_counts() {
        let mut found = of(r"(?:alpha|beta|gamma)").unwrap();
        found.sort();
        assert_eq!(found, ["alpha", "beta", "gamma"]);
        assert_eq!(of(r"(?:alpha|\d+)"), None);
    }

    #[test]
    fn letters_in_either_case_are_literals() {
        assert_eq!(of(r"(?i)Handshake[ _]Failure").unwrap(), ["handshake"]);
    }

    #[test]
    fn what_needs_nothing_has_none() {
        for pattern in [r"\d+", r".*", r"ab", r"(?:long enough)?", r"[a-z]+"] {
            assert_eq!(of(pattern), None, "{pattern}");
        }
    }
}
