//! The targets of the command line: as arguments, from stdin (`-`) and from files (`@FILE`).

use std::collections::HashSet;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use gladhand_probes::{Target, Untrusted};

use super::CliError;
use super::range::Range;

/// Addresses of all ranges together, at most.
const IN_RANGES: u128 = 65_536;

/// Bytes of a list, at most.
const LIST: u64 = 64 * 1024 * 1024;

/// What the user asks for. Lists are read and checked whole before anything is probed; ranges stay
/// ranges until their addresses are asked for.
#[derive(Debug, Default)]
pub(super) struct Targets(Vec<Entry>);

#[derive(Debug)]
enum Entry {
    One(Target),
    Range(Range),
}

impl Targets {
    /// How many there are, those that are named twice included.
    pub(super) fn len(&self) -> usize {
        let each = self.0.iter().map(|entry| match entry {
            Entry::One(_) => 1,
            Entry::Range(range) => usize::try_from(range.len()).unwrap_or(usize::MAX),
        });
        each.fold(0, usize::saturating_add)
    }

    /// `example.com:443`, or how many there are.
    pub(super) fn what(&self) -> String {
        match self.0.as_slice() {
            [Entry::One(only)] => only.to_string(),
            [Entry::Range(only)] => only.to_string(),
            _ => format!("{} targets", self.len()),
        }
    }

    /// The first target where plaintext is expected.
    pub(super) fn plaintext(&self) -> Option<&Target> {
        self.0.iter().find_map(|entry| match entry {
            Entry::One(target) => target.plaintext.then_some(target),
            Entry::Range(_) => None,
        })
    }

    /// Every target, with the range that it is of. What is also asked for by itself is left out of
    /// the ranges: there, silence is a failure.
    pub(super) fn iter(self) -> impl Iterator<Item = (Target, Option<Arc<str>>)> + Send + 'static {
        let has_ranges = self.0.iter().any(|entry| matches!(entry, Entry::Range(_)));
        let named: HashSet<Target> = self
            .0
            .iter()
            .filter_map(|entry| match entry {
                Entry::One(target) if has_ranges => Some(target.clone()),
                _ => None,
            })
            .collect();
        let all = self.0.into_iter().flat_map(|entry| match entry {
            Entry::One(target) => Either::One(std::iter::once((target, None))),
            Entry::Range(range) => Either::Range(Box::new(range.targets())),
        });
        all.filter(move |(target, range)| range.is_none() || !named.contains(target))
    }
}

/// One target or many.
enum Either {
    One(std::iter::Once<(Target, Option<Arc<str>>)>),
    Range(Box<dyn Iterator<Item = (Target, Option<Arc<str>>)> + Send>),
}

impl Iterator for Either {
    type Item = (Target, Option<Arc<str>>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::One(one) => one.next(),
            Self::Range(range) => range.next(),
        }
    }
}

/// Reads every target. All that is wrong is told at once.
///
/// A target without a port and without a scheme gets `port`.
pub(super) fn targets(
    args: &[String],
    port: u16,
    stdin: &mut dyn Read,
) -> Result<Targets, CliError> {
    let mut targets = Targets::default();
    let mut wrong = Vec::new();
    let mut stdin = Some(stdin);
    for arg in args {
        if arg == "-" {
            // A second `-` adds nothing: stdin is read once.
            let Some(stdin) = stdin.take() else { continue };
            match read(stdin) {
                Ok(text) => lines("stdin", &text, port, &mut targets, &mut wrong),
                Err(error) => wrong.push(format!("stdin: {error}")),
            }
        } else if let Some(path) = arg.strip_prefix('@') {
            let text = std::fs::File::open(path).and_then(|mut file| read(&mut file));
            match text {
                Ok(text) => lines(path, &text, port, &mut targets, &mut wrong),
                Err(error) => wrong.push(format!("cannot read the list {}: {error}", shown(path))),
            }
        } else if is_path(arg) {
            let path = shown(arg);
            wrong.push(format!(
                "`{path}` is a file; for the targets in it, give @{path}"
            ));
        } else {
            let before = wrong.len();
            one(arg, port, "", &mut targets, &mut wrong);
            if wrong.len() > before
                && let Some(hint) = file_hint(arg)
            {
                wrong.push(hint);
            }
        }
    }
    let in_ranges = targets.0.iter().fold(0_u128, |sum, entry| match entry {
        Entry::One(_) => sum,
        Entry::Range(range) => sum.saturating_add(range.len()),
    });
    if in_ranges > IN_RANGES {
        wrong.push(format!(
            "the ranges have {} addresses, and {IN_RANGES} are taken in one run: give smaller ones",
            match in_ranges {
                u128::MAX => "too many".to_owned(),
                many => many.to_string(),
            }
        ));
    }
    match (wrong.as_slice(), targets.0.is_empty()) {
        ([], false) => Ok(targets),
        ([], true) => Err(CliError::Usage("the lists hold no target".into())),
        ([one], _) => Err(CliError::Usage(one.clone())),
        (many, _) => {
            let told = format!(
                "{} faults in the targets:\n  {}",
                many.len(),
                many.join("\n  ")
            );
            Err(CliError::Usage(told))
        }
    }
}

/// `@hosts.txt` in words, where a file of that name is there: it may be what was meant.
pub(super) fn file_hint(arg: &str) -> Option<String> {
    let name = shown(arg);
    Path::new(arg)
        .is_file()
        .then(|| format!("a file `{name}` is here; for the targets in it, give @{name}"))
}

/// Whether this can only mean a file: a path, and the file is there.
fn is_path(arg: &str) -> bool {
    arg.contains('/') && !arg.contains("://") && Path::new(arg).is_file()
}

fn read(source: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    source.take(LIST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LIST {
        let limit = format!("a list has {} MB at most", LIST / 1024 / 1024);
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, limit));
    }
    Ok(text)
}

/// A target a line; blank lines and comments (`#` at the start or after a space) are skipped.
fn lines(source: &str, text: &[u8], port: u16, targets: &mut Targets, wrong: &mut Vec<String>) {
    let text = String::from_utf8_lossy(text);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if text.contains("-----BEGIN ") {
        // Perhaps a private key: nothing of it is repeated.
        wrong.push(format!(
            "{} is a PEM file, not a list of targets",
            shown(source)
        ));
        return;
    }
    for (number, line) in text.lines().enumerate() {
        let comment = line.find('#').filter(|at| {
            line.get(..*at)
                .is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t']))
        });
        let line = comment.and_then(|at| line.get(..at)).unwrap_or(line).trim();
        if line.is_empty() {
            continue;
        }
        let place = format!("{}, line {}: ", shown(source), number + 1);
        if line.starts_with('@') || line == "-" {
            wrong.push(format!(
                "{place}`{}`: a list cannot name another list",
                shown(line)
            ));
        } else {
            one(line, port, &place, targets, wrong);
        }
    }
}

fn one(text: &str, port: u16, place: &str, targets: &mut Targets, wrong: &mut Vec<String>) {
    let read = match Range::parse(text, port) {
        Some(range) => range.map(Entry::Range),
        None => Target::parse(text, port).map(Entry::One),
    };
    match read {
        Ok(entry) => targets.0.push(entry),
        Err(error) => {
            let error = shown(&error.to_string());
            wrong.push(format!("{place}`{}`: {error}", shown(text)));
        }
    }
}

/// Arguments and lists may be pasted from anywhere.
fn shown(text: &str) -> String {
    Untrusted::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str], stdin: &str) -> Result<Vec<String>, String> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        targets(&args, 443, &mut stdin.as_bytes())
            .map(|targets| {
                targets
                    .iter()
                    .map(|(target, _)| target.to_string())
                    .collect()
            })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn reads_arguments_and_stdin_in_order() {
        let list =
            "\u{feff}# ours\r\n\r\n  b.example:8443  # the new one\r\nhttps://c.example/#x\n";
        let read = read(&["a.example", "-", "d.example", "-"], list).unwrap();
        assert_eq!(
            read,
            [
                "a.example:443",
                "b.example:8443",
                "c.example:443",
                "d.example:443"
            ]
        );
    }

    #[test]
    fn reads_files() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a.example\n::1\n").unwrap();
        let arg = format!("@{}", file.path().display());
        assert_eq!(read(&[&arg], "").unwrap(), ["a.example:443", "[::1]:443"]);
    }

    #[test]
    fn a_range_is_its_addresses_but_for_those_that_are_named() {
        let list = "192.0.2.0/29\n192.0.2.3\n";
        let args = ["-".to_owned()];
        let all: Vec<_> = targets(&args, 443, &mut list.as_bytes())
            .unwrap()
            .iter()
            .map(|(target, range)| (target.to_string(), range.is_some()))
            .collect();
        let ranged = |last| (format!("192.0.2.{last}:443"), true);
        let mut expected = vec![ranged(1), ranged(2), ranged(4), ranged(5), ranged(6)];
        expected.push(("192.0.2.3:443".into(), false));
        assert_eq!(all, expected);
    }

    #[test]
    fn ranges_are_bounded_together() {
        assert_eq!(read(&["10.0.0.0/16"], "").unwrap().len(), 65_534);
        let told = read(&["10.0.0.0/16", "10.1.0.0/30", "-"], "10.2.0.0/31").unwrap_err();
        assert!(told.contains("65538") && told.contains("65536"), "{told}");
        assert!(read(&["::/0"], "").unwrap_err().contains("too many"));
    }

    #[test]
    fn a_path_is_told_from_a_host() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display().to_string();
        let told = read(&[&path], "").unwrap_err();
        assert!(told.contains(&format!("@{path}")), "{told}");
    }

    #[test]
    fn tells_all_that_is_wrong_at_once() {
        let told = read(&["a b", "ok.example", "x:99999", "-"], "@more\n\nc..d\n").unwrap_err();
        for part in [
            "4 faults",
            "`a b`",
            "`x:99999`",
            "stdin, line 1",
            "stdin, line 3: `c..d`",
        ] {
            assert!(told.contains(part), "{part} is missing in {told}");
        }
    }

    #[test]
    fn an_unreadable_list_is_told() {
        let told = read(&["@/no/such/list"], "").unwrap_err();
        assert!(told.contains("/no/such/list"), "{told}");
    }

    #[test]
    fn an_empty_list_is_told() {
        assert!(read(&["-"], "# nothing\n").is_err());
    }

    #[test]
    fn what_is_wrong_is_told_without_control_characters() {
        let told = read(&["a\u{1b}[2J"], "").unwrap_err();
        assert!(!told.contains('\u{1b}'), "{told:?}");
    }
}
