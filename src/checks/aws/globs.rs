//! Patterns of rules and names of certificates: what matches, what contains, what overlaps.
//!
//! In a rule `*` stands for any characters and `?` for one; in a certificate `*` is one whole label
//! (RFC 9525 §6.3).

/// Octets at most of what is compared: a value of a rule has 128 characters, a name 253. What is longer is
/// made to take time.
const LONGEST: usize = 1_024;

/// Whether the pattern matches the text, exactly.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    contains(pattern, text, false)
}

/// Whether the pattern matches everything that the other pattern matches. False where that is not
/// certain.
pub(super) fn includes(pattern: &str, other: &str) -> bool {
    contains(pattern, other, true)
}

/// Greedy, with one point to return to: linear in the text for each `*`. Where the text is a pattern, its
/// `*` is taken by a `*` alone, and its `?` by either.
fn contains(pattern: &str, text: &str, text_is_pattern: bool) -> bool {
    if pattern.len().max(text.len()) > LONGEST {
        return pattern == text;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut retry = None;
    while t < text.len() {
        let wild = text_is_pattern && text[t] == '*';
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(c) if !wild && (*c == '?' || *c == text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    p = star + 1;
                    t = from + 1;
                    retry = Some((star, t));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// A text that the pattern matches: each `*` becomes `x`, as does each `?`.
pub(super) fn sample(pattern: &str) -> String {
    pattern.replace(['*', '?'], "x")
}

/// Whether there is a host that both the pattern of a rule and the name of a certificate take.
pub(super) fn overlaps(pattern: &str, certificate_name: &str) -> bool {
    if pattern.len().max(certificate_name.len()) > LONGEST {
        return pattern.eq_ignore_ascii_case(certificate_name);
    }
    let pattern: Vec<char> = pattern.to_ascii_lowercase().chars().collect();
    let name = certificate_name.to_ascii_lowercase();
    let (label, rest) = match name.strip_prefix('*') {
        Some(rest) if rest.starts_with('.') => (true, rest),
        _ => (false, name.as_str()),
    };
    let name: Vec<char> = rest.chars().collect();
    // Where the pattern can be when the name is at each of its places; a label is at least one character.
    let mut at = closed(&pattern, [0].into());
    if label {
        let inside = |c: char| c != '.';
        let mut reached = std::collections::BTreeSet::new();
        let mut now = at;
        loop {
            now = closed(&pattern, step(&pattern, &now, inside));
            let before = reached.len();
            reached.extend(now.iter().copied());
            if reached.len() == before {
                break;
            }
        }
        at = reached;
    }
    for c in name {
        if at.is_empty() {
            return false;
        }
        at = closed(&pattern, step(&pattern, &at, |other| other == c));
    }
    at.contains(&pattern.len())
}

type Places = std::collections::BTreeSet<usize>;

/// A `*` may also be nothing.
fn closed(pattern: &[char], mut at: Places) -> Places {
    let mut open: Vec<usize> = at.iter().copied().collect();
    while let Some(place) = open.pop() {
        if pattern.get(place) == Some(&'*') && at.insert(place + 1) {
            open.push(place + 1);
        }
    }
    at
}

/// One character further, if it is one of those.
fn step(pattern: &[char], at: &Places, is_one: impl Fn(char) -> bool) -> Places {
    let next = |place: &usize| match pattern.get(*place)? {
        '*' => Some(*place),
        '?' => Some(place + 1),
        c => is_one(*c).then_some(place + 1),
    };
    at.iter().filter_map(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_as_in_rules() {
        assert!(matches("*.example.com", "a.b.example.com"));
        assert!(!matches("*.example.com", "example.com"));
        assert!(matches("/api/*", "/api/"));
        assert!(!matches("/api/*", "/api"));
        assert!(matches("/img/?.png", "/img/1.png") && !matches("/img/?.png", "/img/10.png"));
        assert!(matches("*a*b", "xaxxbab") && !matches("*a*b", "xaxxba"));
        assert!(matches("", "") && matches("*", "") && !matches("", "a"));
    }

    #[test]
    fn a_pattern_includes_a_narrower_one_and_never_a_wider_one() {
        assert!(includes("*", "*") && includes("*", "/a/*") && includes("/a*", "/a/*"));
        assert!(includes("/a/?", "/a/?") && includes("/a/*", "/a/?"));
        assert!(!includes("/a/?", "/a/*") && !includes("/a/*", "/*") && !includes("/a/b", "/a/?"));
        assert!(!includes("?", "*") && !includes("*.example.com", "*example.com"));
        assert!(includes("*.com", "*.example.com") && !includes("*.example.com", "*.com"));
    }

    #[test]
    fn what_includes_matches_every_sample() {
        let patterns = ["*", "/a*", "/a/*", "/?/*", "*.b", "a?b*", "/a/b", "*a*b*"];
        for wide in patterns {
            for narrow in patterns {
                if includes(wide, narrow) {
                    for filling in ["", "x", "/a/b", "bab"] {
                        let text = narrow.replace('*', filling).replace('?', "x");
                        assert!(matches(wide, &text), "{wide} {narrow} {text}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_rule_and_a_certificate_overlap_where_a_host_fits_both() {
        for (pattern, name) in [
            ("www.example.com", "www.example.com"),
            ("WWW.example.com", "www.EXAMPLE.com"),
            ("www.example.com", "*.example.com"),
            ("*.example.com", "*.example.com"),
            ("*.example.com", "www.example.com"),
            ("a*.b*.com", "*.bar.com"),
            ("api-*.example.com", "*.example.com"),
            ("*", "example.com"),
            ("ww?.example.com", "*.example.com"),
        ] {
            assert!(overlaps(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("www.example.com", "example.com"),
            ("a.b.example.com", "*.example.com"),
            ("example.com", "*.example.com"),
            (".example.com", "*.example.com"),
            ("*.example.org", "*.example.com"),
            ("a*.b*.com", "*.car.com"),
        ] {
            assert!(!overlaps(pattern, name), "{pattern} {name}");
        }
    }
}
