//! Known-error records: what a text that somebody pasted is, why it happens, what does not help, and
//! what does.
//!
//! The records in the program come from `fixtures/records`, one file each; `--records DIR` adds more.
//! Reading, matching and linting are pure but for [`Catalogue::add_folder`], which reads files.

pub mod cause;
pub mod codes;
pub mod explain;
pub mod lint;
pub mod literals;
pub mod matcher;
pub mod model;
pub mod product;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::{fs, io};

use model::Record;

/// `(id, text)` of each file in `fixtures/records`, ascending; `build.rs` lists them.
static EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/records.rs"));

/// The records in the program, read once.
static READ: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let read = |(id, text): &(&'static str, &str)| {
        let record = serde_json::from_str(text);
        Entry {
            // A test reads every file.
            record: record.unwrap_or_else(|error| panic!("fixtures/records/{id}.json: {error}")),
            source: Source::Embedded,
        }
    };
    EMBEDDED.iter().map(read).collect()
});

/// Bytes of a file, at most.
const FILE: u64 = 1024 * 1024;

/// Files of a folder, at most.
const FILES: usize = 50_000;

/// Folders within folders, at most.
const DEPTH: usize = 16;

/// Why records could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The file or folder cannot be read: it is not there, or may not be read.
    #[error("cannot read {}: {source}", shown(path))]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no record: no JSON, or without `id` or `signature`.
    #[error(
        "{} is no record: {}",
        shown(path),
        gladhand_probes::untrusted::escape(reason)
    )]
    Parse {
        /// Which.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// More than records take: more than 1 MiB in a file, or more than 50,000 files.
    #[error("{} is too large for records", shown(path))]
    TooLarge {
        /// Which.
        path: PathBuf,
    },
    /// A folder with no `.json` file in it: most likely not the one that was meant.
    #[error("{} holds no record (*.json)", shown(path))]
    Empty {
        /// Which.
        path: PathBuf,
    },
}

fn shown(path: &Path) -> gladhand_probes::Untrusted {
    path.to_string_lossy().as_ref().into()
}

/// Where a record is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The program itself.
    Embedded,
    /// A file of a folder that was given.
    File(PathBuf),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::File(path) => write!(f, "{}", shown(path)),
        }
    }
}

/// A record and where it is from.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it says.
    pub record: Record,
    /// Where it is from.
    pub source: Source,
}

/// Records by id.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Ascending by id; no id twice.
    entries: Vec<Entry>,
}

impl Catalogue {
    /// The records in the program.
    pub fn embedded() -> Self {
        Self {
            entries: READ.clone(),
        }
    }

    /// Of these records; the last one of an id counts.
    pub fn of(entries: Vec<Entry>) -> Self {
        let mut all = Self {
            entries: Vec::new(),
        };
        for entry in entries {
            all.put(entry);
        }
        all
    }

    /// Adds the records of a folder. One whose id is known already takes its place.
    pub fn add_folder(&mut self, folder: &Path) -> Result<(), RecordError> {
        for file in files(folder)? {
            let record = read(&file)?;
            self.put(Entry {
                record,
                source: Source::File(file),
            });
        }
        Ok(())
    }

    fn put(&mut self, entry: Entry) {
        let id = &entry.record.id;
        match self
            .entries
            .binary_search_by(|known| known.record.id.cmp(id))
        {
            Ok(at) => self.entries[at] = entry,
            Err(at) => self.entries.insert(at, entry),
        }
    }

    /// Every record, ascending by id.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The record of this id, or of this earlier id.
    pub fn get(&self, id: &str) -> Option<&Entry> {
        let known = |id| {
            self.entries
                .binary_search_by(|known| known.record.id.as_str().cmp(id))
        };
        match known(id) {
            Ok(at) => self.entries.get(at),
            Err(_) => self
                .entries
                .iter()
                .find(|entry| entry.record.aliases.iter().any(|alias| alias == id)),
        }
    }

    /// The records of a cause.
    pub fn of_cause(&self, cause: &str) -> impl Iterator<Item = &Record> {
        let records = self.entries.iter().map(|entry| &entry.record);
        records.filter(move |record| record.cause() == Some(cause))
    }
}

/// The record in a file.
pub fn read(path: &Path) -> Result<Record, RecordError> {
    let cannot = |source| RecordError::Read {
        path: path.to_owned(),
        source,
    };
    let mut text = Vec::new();
    let file = fs::File::open(path).map_err(cannot)?;
    file.take(FILE + 1).read_to_end(&mut text).map_err(cannot)?;
    if text.len() as u64 > FILE {
        return Err(RecordError::TooLarge {
            path: path.to_owned(),
        });
    }
    serde_json::from_slice(&text).map_err(|error| RecordError::Parse {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

/// The `.json` files of a folder and of those in it, ascending.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, RecordError> {
    let mut all = Vec::new();
    list(folder, DEPTH, &mut BTreeSet::new(), &mut all)?;
    if all.is_empty() {
        return Err(RecordError::Empty {
            path: folder.to_owned(),
        });
    }
    all.sort();
    Ok(all)
}

/// Each folder once: links to where they are themselves would otherwise be followed again and again.
fn list(
    folder: &Path,
    depth: usize,
    been: &mut BTreeSet<PathBuf>,
    all: &mut Vec<PathBuf>,
) -> Result<(), RecordError> {
    let cannot = |source| RecordError::Read {
        path: folder.to_owned(),
        source,
    };
    if !been.insert(folder.canonicalize().map_err(cannot)?) {
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.is_dir() {
            if depth > 0 {
                list(&path, depth - 1, been, all)?;
            }
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            all.push(path);
            if all.len() > FILES {
                return Err(RecordError::TooLarge {
                    path: folder.to_owned(),
                });
            }
        }
    }
    Ok(())
}
