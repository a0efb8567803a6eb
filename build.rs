//! Lists `fixtures/records/**/*.json`, so that the known-error records are in the program: a new record
//! is a new file and nothing else.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let records = root.join("fixtures").join("records");
    println!("cargo::rerun-if-changed={}", records.display());
    let mut files = Vec::new();
    list(&records, &mut files)?;
    // By id, and not by path: `a.json` stands behind `a-b.json`.
    files.sort_by_key(|file| id(&records, file));
    let mut code = String::from("&[\n");
    for file in files {
        let id = id(&records, &file);
        let path = file.display().to_string();
        // Writing to a String does not fail.
        let _ = writeln!(code, "    ({id:?}, include_str!({path:?})),");
    }
    code.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("records.rs"), code)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            files.push(path);
        }
    }
    Ok(())
}

/// The path below the folder, without its extension.
fn id(records: &Path, file: &Path) -> String {
    let below = file
        .strip_prefix(records)
        .unwrap_or(file)
        .with_extension("");
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
