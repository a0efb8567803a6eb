//! The README's commands run, and do what it says they do.
//!
//! Every block marked `sh` is a script. A comment before the block says what is special about it:
//!
//! - `<!-- test: exit 1 -->`: the script ends with this code instead of 0;
//! - `<!-- test: not run: REASON -->`: the script cannot run here.
//!
//! In a script, `cargo run … -- ARGS` and `gladhand ARGS` run the built program. A `check` of a name
//! goes to a healthy server on the loopback instead of to that name's address. Set-up that would
//! install something (`cargo install`, `git clone`, `tests/run`, `.ci/run`) is not done again: that
//! the script exists is checked.

use std::path::Path;
use std::process::Command;

use gladhand_testkit::pki::Pki;
use gladhand_testkit::scripted::ScriptedServer;

use crate::harness::GLADHAND;

/// What stands in for commands of the README, in bash.
const STAND_INS: &str = r#"
set -euo pipefail
gladhand() {
    local arguments=("$@") index
    for index in "${!arguments[@]}"; do
        # The server here has a root of its own.
        case ${arguments[index]} in mozilla | system) unset "arguments[index]" "arguments[index-1]" ;; esac
    done
    if [[ ${1-} == check ]]; then
        command "$GLADHAND" "${arguments[@]}" --connect "$SERVER" --trust "$ROOT"
    else
        command "$GLADHAND" "$@"
    fi
}
cargo() {
    case $1 in
        run)
            while [[ $1 != -- ]]; do shift; done
            shift
            gladhand "$@"
            ;;
        install) ;;
        *) echo "cargo $1: not a command of the README" >&2; return 99 ;;
    esac
}
git() { :; }
cd() { :; }
"#;

struct Block {
    line: usize,
    script: String,
    exit: i32,
}

#[test]
fn every_sh_block_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).expect("README.md");
    let blocks = blocks(&readme);
    assert!(
        !blocks.is_empty(),
        "README.md has no block marked sh that runs"
    );
    let pki = Pki::new();
    let names = names(&readme);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let server = ScriptedServer::serving(pki.chain(&pki.leaf(&names)));
    let folder = tempfile::tempdir().expect("a folder");
    for block in blocks {
        let script = format!("{STAND_INS}\n{}", stand_in_for_scripts(root, &block.script));
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(folder.path())
            .env("GLADHAND", GLADHAND)
            .env("SERVER", format!("127.0.0.1:{}", server.port()))
            .env("ROOT", pki.root_file())
            .output()
            .expect("bash");
        assert_eq!(
            output.status.code(),
            Some(block.exit),
            "README.md, line {}:\n{}\n{}{}",
            block.line,
            block.script,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
    }
}

#[test]
fn it_counts_the_checks_as_the_program_does() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).expect("README.md");
    let checks = std::fs::read_to_string(root.join("docs/checks.md")).expect("docs/checks.md");
    let checks = checks
        .lines()
        .filter(|line| line.starts_with("| [`"))
        .count();
    let told = format!("The [{checks} checks](docs/checks.md)");
    assert!(readme.contains(&told), "README.md does not say: {told}");
}

/// The blocks that can run.
fn blocks(readme: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = readme.lines().enumerate();
    let mut note = String::new();
    while let Some((number, line)) = lines.next() {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix("<!-- test:") {
            comment.trim_end_matches("-->").trim().clone_into(&mut note);
        } else if let Some(language) = line.strip_prefix("```") {
            let body: Vec<&str> = lines
                .by_ref()
                .map(|(_, line)| line)
                .take_while(|line| line.trim() != "```")
                .collect();
            let note = std::mem::take(&mut note);
            if language != "sh" {
                continue;
            }
            let exit = match note.as_str() {
                "" => 0,
                text if text.starts_with("not run:") => continue,
                text => text
                    .strip_prefix("exit ")
                    .and_then(|code| code.parse().ok())
                    .unwrap_or_else(|| panic!("README.md, line {number}: `{text}`?")),
            };
            blocks.push(Block {
                line: number + 1,
                script: body.join("\n"),
                exit,
            });
        } else if !line.is_empty() {
            note.clear();
        }
    }
    blocks
}

/// Scripts of the repository are not run from here, but they must be there.
fn stand_in_for_scripts(root: &Path, script: &str) -> String {
    let mut lines = Vec::new();
    for line in script.lines() {
        let first = line.split_whitespace().next().unwrap_or_default();
        let path = first.strip_prefix("./").unwrap_or(first);
        if path.contains('/') && !path.contains('=') && !path.starts_with('#') {
            assert!(
                root.join(path).is_file(),
                "README.md names {path}, which is not there"
            );
            continue;
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// Every word of the README that could be the name of a host.
fn names(readme: &str) -> Vec<String> {
    let mut names: Vec<String> = readme
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'))
        .filter(|word| {
            [".com", ".net", ".org", ".test", ".example", ".internal"]
                .iter()
                .any(|end| word.ends_with(end))
        })
        .map(str::to_owned)
        .collect();
    names.extend(["127.0.0.1", "10.0.1.25", "localhost"].map(str::to_owned));
    names.sort();
    names.dedup();
    names
}
