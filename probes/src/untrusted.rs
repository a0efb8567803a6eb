//! Text that came from a peer, from DNS, from a log or from a tag: never printed as it is.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
        let mut left = SHOWN;
        let mut chars = self.0.chars();
        for c in chars.by_ref() {
            if left == 0 {
                return write!(f, "… ({} more)", chars.count() + 1);
            }
            left -= 1;
            match c {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c if is_unprintable(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Control characters, and those that change how the text around them is laid out.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x2800 | 0x3164 | 0xFFA0
            | 0x180B..=0x180F
            | 0x200B..=0x200F      // zero width, left-to-right and right-to-left marks
            | 0x2028..=0x202E      // line and paragraph separators, embeddings, overrides
            | 0x2060..=0x206F      // word joiner, isolates, deprecated format characters
            | 0xFE00..=0xFE0F | 0xFEFF | 0xFFF9..=0xFFFB
            | 0x1D173..=0x1D17A
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
    fn keeps_the_text_for_json() {
        let json = serde_json::to_string(&Untrusted::from("a\u{1b}b")).unwrap();
        assert_eq!(json, "\"a\\u001bb\"");
    }
}
