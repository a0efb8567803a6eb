//! The targets of the command line: as arguments, from stdin (`-`) and from files (`@FILE`).

use std::io::Read;

use gladhand_probes::{Target, Untrusted};

use super::CliError;

/// Reads every target. All that is wrong is told at once.
///
/// A target without a port and without a scheme gets `port`.
pub(super) fn targets(
    args: &[String],
    port: u16,
    stdin: &mut dyn Read,
) -> Result<Vec<Target>, CliError> {
    let mut targets = Vec::new();
    let mut wrong = Vec::new();
    let mut stdin = Some(stdin);
    for arg in args {
        if arg == "-" {
            // A second `-` adds nothing: stdin is read once.
            let Some(stdin) = stdin.take() else { continue };
            let mut text = Vec::new();
            match stdin.read_to_end(&mut text) {
                Ok(_) => lines("stdin", &text, port, &mut targets, &mut wrong),
                Err(error) => wrong.push(format!("stdin: {error}")),
            }
        } else if let Some(path) = arg.strip_prefix('@') {
            match std::fs::read(path) {
                Ok(text) => lines(path, &text, port, &mut targets, &mut wrong),
                Err(error) => wrong.push(format!("cannot read the list {}: {error}", shown(path))),
            }
        } else {
            one(arg, port, "", &mut targets, &mut wrong);
        }
    }
    match (wrong.as_slice(), targets.is_empty()) {
        ([], false) => Ok(targets),
        ([], true) => Err(CliError::Usage("the lists hold no target".into())),
        ([one], _) => Err(CliError::Usage(one.clone())),
        (many, _) => {
            let told = format!(
                "{} targets cannot be used:\n  {}",
                many.len(),
                many.join("\n  ")
            );
            Err(CliError::Usage(told))
        }
    }
}

/// A target a line; blank lines and comments (`#` at the start or after a space) are skipped.
fn lines(source: &str, text: &[u8], port: u16, targets: &mut Vec<Target>, wrong: &mut Vec<String>) {
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

fn one(text: &str, port: u16, place: &str, targets: &mut Vec<Target>, wrong: &mut Vec<String>) {
    match Target::parse(text, port) {
        Ok(target) => targets.push(target),
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
            .map(|targets| targets.iter().map(ToString::to_string).collect())
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
    fn tells_all_that_is_wrong_at_once() {
        let told = read(&["a b", "ok.example", "x:99999", "-"], "@more\n\nc..d\n").unwrap_err();
        for part in [
            "4 targets",
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
