//! `docs/fault-matrix.md`: the fault matrix for readers, made from its rows.

use std::fmt::Write;
use std::path::Path;

use crate::fault_matrix::{NOT_YET_FOUND, NOT_YET_RIGHT, row};
use crate::fault_rows::{Must, PEERS, ROWS};

/// `docs/fault-matrix.md` says what the rows say.
#[test]
fn the_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fault-matrix.md");
    let expected = page();
    if std::env::var_os("GLADHAND_UPDATE").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/fault-matrix.md is out of date: run the test with GLADHAND_UPDATE=1"
    );
}

fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str(COLUMNS);
    for row in ROWS {
        let (must, may) = match row.must {
            Must::Everything => ("everything", "nothing"),
            Must::VersionsAndSuites => ("versions, suites", "order, groups"),
            Must::Nothing => ("nothing", "anything"),
        };
        let finds: Vec<String> = row.finds.iter().map(|rule| format!("`{rule}`")).collect();
        let _ = writeln!(
            page,
            "| {} | {} | {must} | {may} | {} |",
            row.behaviour,
            row.stands_for,
            finds.join(", ")
        );
    }
    if !NOT_YET_FOUND.is_empty() || !NOT_YET_RIGHT.is_empty() {
        page.push_str(NOT_YET);
    }
    if !NOT_YET_FOUND.is_empty() {
        let rules: Vec<String> = NOT_YET_FOUND
            .iter()
            .map(|rule| format!("`{rule}`"))
            .collect();
        let _ = writeln!(page, "\nNot found yet: {}.\n", rules.join(", "));
    }
    for (name, wrong) in NOT_YET_RIGHT {
        let _ = writeln!(page, "- {}: {}", row(name).behaviour, wrong.join("; "));
    }
    page.push_str(OTHERS);
    let _ = writeln!(page, "\n| what happens | {} |", PEERS.join(" | "));
    let _ = writeln!(page, "|---|{}", "---|".repeat(PEERS.len()));
    for row in ROWS {
        if let Some(peers) = row.peers {
            let _ = writeln!(page, "| {} | {} |", row.behaviour, peers.join(" | "));
        }
    }
    page
}

const INTRODUCTION: &str = "\
# Fault matrix

<!-- Generated from tests/it/fault_rows.rs: GLADHAND_UPDATE=1 cargo test --test it fault_page -->

What `gladhand check` has to find out about a sound server when the way to it, or the server's temper, is
not sound. Each row is a test: a proxy does what the first column says, and behind it stands a real
server whose versions, suites, order and groups are known from its configuration. The arguments of each run,
and its bound of connections, stand with the rows.

In every row:

- each fact is right or undetermined: never a wrong \"no\", never a wrong \"yes\";
- what is undetermined is listed in `.not_measured`, and the exit code is 3, or 1 where
  there are grave findings;
- the run ends by its deadline;
- there is no finding about the server that is not true of it;
- the number of connections is bounded, and `.connections` is what the proxy counted.

The last columns say what has to be determined all the same, and what has to be found.
";

const COLUMNS: &str = "
| what happens | what it stands for | must be determined | may stay undetermined | finding |
|---|---|---|---|---|
";

const NOT_YET: &str = "
## Not yet

What still goes wrong in some of these rows, always or by chance. Their tests allow just this.
";

const OTHERS: &str = "
## Other scanners

What other scanners made of thirteen of these behaviours, in front of a server with four suites of TLS 1.2,
three of TLS 1.3 and five groups, two of them post-quantum. The exit code was 0 except where sslyze lost
connections, which made it 1. *Hangs* means that there was no result after more than 100 seconds; an empty
field, that it was not tried. cryptolyzer was asked about the suites of TLS 1.2 only.
";
