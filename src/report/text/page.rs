//! The page that the text report is written on: wrapping, indents, styles.
//!
//! Every text goes through [`clean`] on its way in, so that nothing from a peer, DNS or a saved
//! report can colour a terminal, move its cursor or forge a line. Styles are the page's own.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;
use textwrap::{Options, WordSplitter};

pub(crate) const PLAIN: Style = Style::new();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const WEAK: Style = AnsiColor::Yellow.on_default();
pub(crate) const COMMAND: Style = AnsiColor::Cyan.on_default();

/// A text and its style.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) style: Style,
    pub(crate) text: String,
}

impl Span {
    pub(crate) fn new(style: Style, text: impl Into<String>) -> Self {
        Self {
            style,
            text: text.into(),
        }
    }

    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::new(PLAIN, text)
    }
}

/// Text in the making.
#[derive(Debug)]
pub(crate) struct Page {
    width: usize,
    color: bool,
    text: String,
}

impl Page {
    pub(crate) fn new(width: usize, color: bool) -> Self {
        Self {
            width: width.max(40),
            color,
            text: String::new(),
        }
    }

    /// An empty page of the same kind.
    pub(crate) fn sheet(&self) -> Self {
        Self::new(self.width, self.color)
    }

    /// Columns.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// What was written so far.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Adds what another page says.
    pub(crate) fn append(&mut self, other: &Self) {
        self.text.push_str(&other.text);
    }

    /// An empty line; never two in a row.
    pub(crate) fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// One line as it is: for what is to be copied (commands, fingerprints).
    pub(crate) fn line(&mut self, indent: usize, spans: &[Span]) {
        self.indent(indent);
        for span in spans {
            self.push(span.style, &clean(&span.text));
        }
        self.end_line();
    }

    /// Text of several lines, each as it is and indented.
    pub(crate) fn block(&mut self, indent: usize, style: Style, text: &str) {
        for line in text.lines() {
            self.line(indent, &[Span::new(style, line)]);
        }
    }

    /// A lead and text that wraps behind it: the lines after the first are indented by `hang`.
    pub(crate) fn paragraph(&mut self, indent: usize, lead: &[Span], hang: usize, body: &Span) {
        self.indent(indent);
        let mut used = indent;
        for span in lead {
            let text = clean(&span.text);
            used += display_width(&text);
            self.push(span.style, &text);
        }
        // A lead that is longer than the hang leaves less of the first line.
        let gap = " ".repeat(used.saturating_sub(indent + hang));
        let options = Options::new(self.width.saturating_sub(indent + hang).max(20))
            .initial_indent(&gap)
            .break_words(false)
            .word_splitter(WordSplitter::NoHyphenation);
        let body_text = clean(&body.text);
        for (number, line) in textwrap::wrap(&body_text, options).iter().enumerate() {
            if number == 0 {
                self.push(body.style, line.strip_prefix(gap.as_str()).unwrap_or(line));
            } else {
                self.end_line();
                self.indent(indent + hang);
                self.push(body.style, line);
            }
        }
        self.end_line();
    }

    /// A label in a column of `column` characters, and text that wraps beside it.
    pub(crate) fn field(&mut self, indent: usize, label: &str, column: usize, body: &Span) {
        let lead = Span::new(DIM, format!("{label:column$}"));
        self.paragraph(indent, &[lead], column, body);
    }

    /// A label in a column, and items that flow beside it; no item is broken.
    pub(crate) fn items(&mut self, indent: usize, label: &str, column: usize, items: &[Span]) {
        const BETWEEN: &str = "  ";
        self.indent(indent);
        self.push(DIM, &format!("{label:column$}"));
        let start = indent + column;
        let mut used = start;
        for (number, item) in items.iter().enumerate() {
            let text = clean(&item.text);
            let wide = display_width(&text);
            if number > 0 {
                if used + BETWEEN.len() + wide > self.width {
                    self.end_line();
                    self.indent(start);
                    used = start;
                } else {
                    self.text.push_str(BETWEEN);
                    used += BETWEEN.len();
                }
            }
            self.push(item.style, &text);
            used += wide;
        }
        self.end_line();
    }

    fn indent(&mut self, columns: usize) {
        self.text.extend(std::iter::repeat_n(' ', columns));
    }

    fn end_line(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
    }

    /// `text` is clean already.
    fn push(&mut self, style: Style, text: &str) {
        if self.color && style != PLAIN && !text.is_empty() {
            let _ = write!(self.text, "{style}{text}{style:#}");
        } else {
            self.text.push_str(text);
        }
    }
}

/// Escapes what a terminal or a build system would obey, at any length.
pub(crate) fn clean(text: &str) -> String {
    gladhand_probes::untrusted::escape(text)
}

/// The width of a text on a terminal.
pub(crate) fn width(text: &str) -> usize {
    display_width(&clean(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_behind_a_label_and_never_inside_a_word() {
        let mut page = Page::new(40, false);
        page.field(
            2,
            "Why",
            6,
            &Span::plain("one two three four https://example.com/a/long/path-x"),
        );
        assert_eq!(
            page.text(),
            "  Why   one two three four\n        https://example.com/a/long/path-x\n"
        );
    }

    #[test]
    fn a_long_lead_shortens_the_first_line_only() {
        let mut page = Page::new(40, false);
        let lead = [Span::plain("a lead of some length ")];
        page.paragraph(0, &lead, 2, &Span::plain("and a body that goes on and on"));
        assert_eq!(
            page.text(),
            "a lead of some length and a body that\n  goes on and on\n"
        );
    }

    #[test]
    fn items_flow() {
        let mut page = Page::new(40, false);
        let items: Vec<_> = ["TLSv1.3 yes", "TLSv1.2 yes", "TLSv1.1 no"]
            .map(Span::plain)
            .into();
        page.items(0, "versions", 10, &items);
        assert_eq!(
            page.text(),
            "versions  TLSv1.3 yes  TLSv1.2 yes\n          TLSv1.1 no\n"
        );
    }

    #[test]
    fn styles_only_where_wanted() {
        let mut page = Page::new(40, true);
        page.line(0, &[Span::new(BAD, "x")]);
        assert_eq!(page.text(), "\u{1b}[31mx\u{1b}[0m\n");
    }

    #[test]
    fn cleans_at_any_length() {
        let long = "\u{1b}".repeat(600);
        assert_eq!(clean(&long), "\\u{1b}".repeat(600));
    }
}
