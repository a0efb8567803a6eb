//! Text that came from a peer, from DNS, from a log or from a tag: never printed as it is.

use std::fmt::{self, Write as _};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_width::UnicodeWidthChar;

/// Characters shown at most; the rest is replaced by an ellipsis and the number left out.
pub const SHOWN: usize = 256;

/// Bytes kept at most.
const KEPT: usize = 16 * 1024;

/// Text from outside. Its only `Display` escapes control and bidirectional characters and caps the
/// length, so that a certificate's subject can neither colour a terminal nor forge a second line.
/// JSON keeps the text whole (up to 16 KiB), with JSON's own escapes.
#[derive(
    Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Untrusted(String);

impl Untrusted {
    /// Text as it came; invalid UTF-8 becomes U+FFFD.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let kept = bytes.get(..KEPT).unwrap_or(bytes);
        Self(String::from_utf8_lossy(kept).into_owned())
    }

    /// The text unescaped: for comparing, never for printing.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self::from_bytes(text.as_bytes())
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((cut, _)) = self.0.char_indices().nth(SHOWN) else {
            return f.write_str(&escape(&self.0));
        };
        let (shown, rest) = self.0.split_at(cut);
        write!(f, "{}… ({} more)", escape(shown), rest.chars().count())
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Text with an escape in the place of everything that somebody who reads it would obey; of any length.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut done = 0;
    for (at, c) in obeyed(text) {
        escaped.push_str(text.get(done..at).unwrap_or_default());
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c => {
                // Writing to a String does not fail.
                let _ = write!(escaped, "\\u{{{:x}}}", u32::from(c));
            }
        }
        done = at + c.len_utf8();
    }
    escaped.push_str(text.get(done..).unwrap_or_default());
    escaped
}

/// The characters, and where they stand, that somebody who reads the text would obey: a terminal
/// ([`is_unprintable`], and marks piled on one another), or the system that runs a build and takes
/// commands from what is printed: GitHub `::error::` and `##[error]`, Azure `##vso[…]`, TeamCity
/// `##teamcity[…]`.
pub fn obeyed(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut marks = 0;
    let mut last = None;
    let mut before_last = None;
    text.char_indices().filter(move |(at, c)| {
        let after = || text.get(at + c.len_utf8()..).unwrap_or_default();
        // What has no width lies on what stands before it.
        marks = if c.width() == Some(0) { marks + 1 } else { 0 };
        let piled = marks > MARKS || (marks > 0 && last.is_none());
        let command = match (last, c) {
            (Some('#'), '#') => after().starts_with(|c: char| c == '[' || c.is_ascii_alphabetic()),
            (Some(':'), ':') => before_last.is_none_or(char::is_whitespace) && names(after()),
            _ => false,
        };
        before_last = last;
        last = Some(*c);
        piled || command || is_unprintable(*c)
    })
}

/// Whether a command's name follows, and not the rest of an IPv6 address: each has a letter that is
/// no hexadecimal digit.
fn names(after: &str) -> bool {
    let name = after
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '-');
    name.into_iter()
        .any(|c| c.is_ascii_alphabetic() && !c.is_ascii_hexdigit())
}

/// Marks on one letter, at most: more than any script needs.
const MARKS: usize = 4;

/// Control characters, and those that change how the text around them is laid out.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x2800 | 0x3164 | 0xFFA0
            | 0x0600..=0x0605 | 0x06DD | 0x070F | 0x0890 | 0x0891 | 0x08E2 // span what follows
            | 0x180B..=0x180F
            | 0x200B..=0x200F      // zero width, left-to-right and right-to-left marks
            | 0x2028..=0x202E      // line and paragraph separators, embeddings, overrides
            | 0x2060..=0x206F      // word joiner, isolates, deprecated format characters
            | 0xFE00..=0xFE0F | 0xFEFF | 0xFFF9..=0xFFFB
            | 0x110BD | 0x110CD | 0x13430..=0x1343F // span, or join, what follows
            | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A
            | 0xE0000..=0xE0FFF    // tags, variation selectors
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_a_terminal_would_obey() {
        let hostile = "lb\u{1b}]0;PWNED\u{7}\u{1b}[2J\nProtocol: \u{202e}TLSv1.3\u{9b}";
        let shown = Untrusted::from(hostile).to_string();
        assert!(shown.chars().all(|c| !is_unprintable(c)), "{shown}");
        assert!(shown.contains("\\u{1b}]0;PWNED\\u{7}"), "{shown}");
    }

    #[test]
    fn caps_the_length_and_says_so() {
        let shown = Untrusted::from("x".repeat(1000)).to_string();
        assert!(shown.ends_with("… (744 more)"), "{shown}");
    }

    #[test]
    fn commands_of_build_systems_are_escaped() {
        for (text, shown) in [
            ("::error::x", ":\\u{3a}error::x"),
            ("a ::set-output name=b::c", "a :\\u{3a}set-output name=b::c"),
            ("::add-mask", ":\\u{3a}add-mask"),
            ("a ##vso[task.complete]b", "a #\\u{23}vso[task.complete]b"),
            ("###[error]x", "##\\u{23}[error]x"),
        ] {
            assert_eq!(escape(text), shown);
        }
        for text in [
            "::1 ::2",
            "::ffff:192.0.2.1",
            "a::b::c",
            "## heading",
            "# a #b",
            "#",
        ] {
            assert_eq!(escape(text), text);
        }
    }

    #[test]
    fn marks_do_not_pile_up() {
        assert_eq!(escape("e\u{301}\u{323}x"), "e\u{301}\u{323}x");
        assert_eq!(
            escape(&format!("e{}x", "\u{301}".repeat(6))),
            format!("e{}\\u{{301}}\\u{{301}}x", "\u{301}".repeat(4))
        );
        assert_eq!(escape("\u{301}x"), "\\u{301}x", "on what stands before it");
    }

    #[test]
    fn keeps_the_text_for_json() {
        let json = serde_json::to_string(&Untrusted::from("a\u{1b}b")).unwrap();
        assert_eq!(json, "\"a\\u001bb\"");
    }
}
