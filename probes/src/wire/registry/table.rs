//! A registry as a table: CSV that is part of the program, read once.
//!
//! The format is the small part of CSV the files need: `#` comments, one header line, no quotes.

/// The rows of one file, ordered by code point.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Row>,
    #[cfg(test)]
    pub(super) malformed: Vec<&'static str>,
}

/// One line of a file.
#[derive(Debug)]
pub(super) struct Row {
    /// The code point.
    pub(super) value: u32,
    /// What it is called; never empty.
    pub(super) name: &'static str,
    rest: Vec<&'static str>,
}

impl Table {
    /// Reads `text`. A line that does not parse is left out: a table with a hole is of more use
    /// than no program, and a test holds that there is none.
    pub(super) fn parse(text: &'static str) -> Self {
        let mut lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let columns = lines.next().map_or(0, |header| header.split(',').count());
        let mut rows = Vec::new();
        let mut malformed = Vec::new();
        for line in lines {
            match Row::parse(line, columns) {
                Some(row) => rows.push(row),
                None => malformed.push(line),
            }
        }
        rows.sort_by_key(|row| row.value);
        Self {
            rows,
            #[cfg(test)]
            malformed,
        }
    }

    /// All rows, by ascending code point.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The row of a code point.
    pub(super) fn get(&self, value: u32) -> Option<&Row> {
        let at = self
            .rows
            .binary_search_by_key(&value, |row| row.value)
            .ok()?;
        self.rows.get(at)
    }

    /// The code point of a name; case does not matter.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.rows
            .iter()
            .find(|row| row.name.eq_ignore_ascii_case(name))
            .map(|row| row.value)
    }

    /// The name of a code point.
    pub(super) fn name(&self, value: u32) -> Option<&'static str> {
        self.get(value).map(|row| row.name)
    }
}

impl Row {
    fn parse(line: &'static str, columns: usize) -> Option<Self> {
        let mut fields = line.split(',').map(str::trim);
        let value = fields.next()?;
        let name = fields.next().filter(|name| !name.is_empty())?;
        let rest: Vec<_> = fields.collect();
        if rest.len() + 2 != columns {
            return None;
        }
        let value = match value.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => value.parse().ok()?,
        };
        Some(Self { value, name, rest })
    }

    /// The code point, where it has 16 bits.
    pub(super) fn value16(&self) -> Option<u16> {
        u16::try_from(self.value).ok()
    }

    /// A column after value and name, counted from 0; `None` where it is empty.
    pub(super) fn column(&self, index: usize) -> Option<&'static str> {
        self.rest
            .get(index)
            .copied()
            .filter(|field| !field.is_empty())
    }
}

/// What every table of a registry must fulfil; each registry's tests call it.
#[cfg(test)]
pub(super) fn assert_sound(table: &Table, rows: usize) {
    assert_eq!(table.malformed, Vec::<&str>::new());
    assert_eq!(table.rows().len(), rows);
    for pair in table.rows().windows(2) {
        assert!(
            pair[0].value < pair[1].value,
            "{} is there twice",
            pair[1].name
        );
    }
    let mut names: Vec<_> = table
        .rows()
        .iter()
        .map(|row| row.name.to_ascii_lowercase())
        .collect();
    names.sort();
    for pair in names.windows(2) {
        assert_ne!(pair[0], pair[1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_line_is_left_out() {
        let table =
            Table::parse("# of a test\nvalue,name,note\n0x02,two,\n1,one,first\nx,bad,\n3\n");
        assert_eq!(table.rows().len(), 2);
        assert_eq!(table.malformed, ["x,bad,", "3"]);
        assert_eq!(table.name(2), Some("two"));
        assert_eq!(table.find("ONE"), Some(1));
        assert_eq!(table.get(1).unwrap().column(0), Some("first"));
        assert_eq!(table.get(2).unwrap().column(0), None);
        assert_eq!(table.get(2).unwrap().column(1), None);
        assert!(table.get(3).is_none());
    }
}
