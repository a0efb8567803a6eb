//! Answers to a folder, one file an answer, as the AWS CLI prints it.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::load::shown;
use super::{Answer, Answers, file_name_of};
use crate::aws::operations::{About, Operation};

/// The file with what was refused.
pub(super) const NOT_READ: &str = "not-read.json";

/// Why answers could not be saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// Files of another run would be read together with these.
    #[error("{} has .json files already: give an empty folder", shown(.0))]
    NotEmpty(PathBuf),
    /// A file or the folder could not be written.
    #[error("{}: {error}", shown(path))]
    Io {
        /// Which one.
        path: PathBuf,
        /// The system's words.
        #[source]
        error: io::Error,
    },
}

/// What was refused, in [`NOT_READ`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NotReadFile {
    pub(super) not_read: Vec<NotReadEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NotReadEntry {
    pub(super) action: String,
    #[serde(default)]
    pub(super) classic: bool,
    #[serde(default)]
    pub(super) resource: Option<String>,
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
}

impl Answers {
    /// Whether [`Self::save`] may write there: the folder has no `.json` files, or does not exist.
    pub fn may_save(folder: &Path) -> Result<(), SaveError> {
        let failed = |error| SaveError::Io {
            path: folder.to_owned(),
            error,
        };
        let entries = match folder.read_dir() {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            if Path::new(&name)
                .extension()
                .is_some_and(|end| end == "json")
            {
                return Err(SaveError::NotEmpty(folder.to_owned()));
            }
        }
        Ok(())
    }

    /// Writes one file an answer: `describe-listeners.json`,
    /// `describe-target-health@targetgroup_web_6d0ecf831eec9f09.json`; and `not-read.json` with what
    /// was refused. Makes the folder where it is missing.
    pub fn save(&self, folder: &Path) -> Result<(), SaveError> {
        Self::may_save(folder)?;
        make(folder).map_err(|error| SaveError::Io {
            path: folder.to_owned(),
            error,
        })?;
        let mut taken = BTreeSet::from([NOT_READ.to_owned()]);
        let mut not_read = Vec::new();
        for answer in &self.all {
            match &answer.outcome {
                Ok(value) => {
                    let mut name = format!("{}.json", self.file_stem(answer));
                    let mut number = 1;
                    // Some file systems tell no upper from lower case.
                    while !taken.insert(name.to_ascii_lowercase()) {
                        number += 1;
                        name = format!("{}~{number}.json", self.file_stem(answer));
                    }
                    write(&folder.join(name), value)?;
                }
                Err(refusal) => not_read.push(NotReadEntry {
                    action: answer.action.clone(),
                    classic: answer.classic,
                    resource: answer.resource.clone(),
                    code: refusal.code.clone(),
                    message: refusal.message.clone(),
                }),
            }
        }
        // Always: without it, whoever reads the folder cannot know that nothing was refused.
        write(&folder.join(NOT_READ), &NotReadFile { not_read })
    }

    fn file_stem(&self, answer: &Answer) -> String {
        let operation = Operation::find(&answer.action, answer.classic);
        let mut stem = match operation {
            Some(operation) => command(operation),
            None => file_name_of(&answer.action),
        };
        let of_balancer =
            operation.is_some_and(|operation| matches!(operation.about, About::LoadBalancer(_)));
        // There is one load balancer: its name would tell nothing.
        if let Some(resource) = &answer.resource
            && !(of_balancer && self.load_balancers().len() == 1)
        {
            stem.push('@');
            stem.push_str(&file_name_of(resource));
        }
        stem
    }
}

/// As files are called; the two APIs of load balancers have the same names.
fn command(operation: &Operation) -> String {
    if operation.is_classic() {
        format!("elb-{}", operation.command())
    } else {
        operation.command()
    }
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), SaveError> {
    let failed = |error| SaveError::Io {
        path: path.to_owned(),
        error,
    };
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(io::Error::from)
        .map_err(failed)?;
    text.push(b'\n');
    let mut options = OpenOptions::new();
    // Never through a link, and never over what somebody has put there meanwhile.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(&text).map_err(failed)
}

/// For the user alone, where it has to be made: the answers tell how an account's network is built.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use serde_json::json;

    use super::*;

    fn answers(resources: &[&str]) -> Answers {
        let answer = |resource: &&str| Answer {
            action: "elasticloadbalancing:DescribeTargetHealth".into(),
            classic: false,
            resource: Some((*resource).to_owned()),
            outcome: Ok(json!({"TargetHealthDescriptions": []})),
        };
        Answers {
            all: resources.iter().map(answer).collect(),
        }
    }

    #[test]
    fn nobody_else_may_read_what_was_saved() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("new");
        answers(&["a"]).save(&folder).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        for entry in folder.read_dir().unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
    }

    #[test]
    fn a_link_is_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("precious");
        let link = folder.path().join(NOT_READ);
        symlink(&outside, &link).unwrap();
        assert!(matches!(
            answers(&["a"]).save(folder.path()),
            Err(SaveError::NotEmpty(_))
        ));
        assert!(write(&link, &json!({})).is_err(), "one that came later");
        assert!(!outside.exists());
    }

    #[test]
    fn no_name_leads_out_of_the_folder_or_into_another_file() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("saved");
        let long = "x".repeat(5_000);
        let hostile = [
            "../../etc/passwd",
            "/etc/passwd",
            "..",
            ".",
            "a\0b",
            "a\nb",
            "C:\\x",
            "",
            "web",
            "WEB",
            "a/b",
            "a:b",
            "\u{202e}gnp",
            "~",
            &long,
        ];
        answers(&hostile).save(&folder).unwrap();
        let all: BTreeSet<String> = folder
            .read_dir()
            .unwrap()
            .map(|entry| {
                entry
                    .unwrap()
                    .file_name()
                    .to_string_lossy()
                    .to_ascii_lowercase()
            })
            .collect();
        assert_eq!(all.len(), hostile.len() + 1, "and what was not read");
        assert!(all.iter().all(|name| name.len() < 250 && name.is_ascii()));
        assert_eq!(parent.path().read_dir().unwrap().count(), 1);
    }
}
