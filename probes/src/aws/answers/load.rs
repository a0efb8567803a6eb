//! Answers from a folder: our own, or files made by hand with the AWS CLI.
//!
//! A file's name or its content tells which operation it answers. Where the answer does not say what it
//! is about (`describe-target-health`), the file's name has to, unless there is only one it could be.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::save::{NOT_READ, NotReadFile};
use super::{Answer, Answers, Refusal, Repeats, file_name_of, join};
use crate::Untrusted;
use crate::aws::operations::{
    ATTRIBUTES, About, CALLER, CERTIFICATE, CERTIFICATE_PEM, CLASSIC_LOAD_BALANCERS, CLASSIC_TAGS,
    LISTENER_ATTRIBUTES, LISTENERS, LOAD_BALANCERS, METRICS, OPERATIONS, Operation, RULES,
    SERVER_CERTIFICATE, SSL_POLICIES, TAGS, TARGET_GROUP_ATTRIBUTES, TARGET_GROUPS, WEB_ACL,
};
use crate::aws::plan::{self, Asked, Call, Scope};
use crate::aws::policy;
use crate::aws::subject::{Subject, SubjectError};

/// Bytes of one file at most.
const LARGEST_FILE: u64 = 64 << 20;
/// Bytes of all files at most.
const LARGEST_FOLDER: u64 = 512 << 20;
/// JSON values in all files at most: short ones take many times as much memory as space in a file.
const MOST_VALUES: usize = 4_000_000;
/// Files at most.
const MOST_FILES: usize = 20_000;

/// Why a folder of answers cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The folder or a file cannot be read.
    #[error("{}: {error}", shown(path))]
    Io {
        /// Which one.
        path: PathBuf,
        /// The system's words.
        #[source]
        error: io::Error,
    },
    /// A file has no answer in it that an audit knows.
    #[error("{}: {}", shown(path), Untrusted::from_bytes(problem.as_bytes()))]
    File {
        /// Which one.
        path: PathBuf,
        /// What is wrong, and how to put it right.
        problem: String,
    },
    /// There are no answers, too many, or not the ones without which nothing can be told.
    #[error("{}: {}", shown(path), Untrusted::from_bytes(problem.as_bytes()))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The load balancer that is meant is not among them.
    #[error(transparent)]
    Subject(#[from] SubjectError),
}

/// A file with what it answers.
struct File {
    path: PathBuf,
    /// Its name without the end.
    stem: String,
    operation: &'static Operation,
    value: Value,
}

impl Answers {
    /// Reads a folder of `.json` files, for the load balancer that is named (as [`Subject::parse`] reads
    /// it) or the only one there is. What rules need and the folder lacks is refused with "not in the folder"
    /// and the command that prints it.
    pub fn load(folder: &Path, what: Option<&str>) -> Result<Self, LoadError> {
        let subject = what.map(Subject::parse).transpose()?;
        let mut answers = Self::default();
        let mut files = read(folder, &mut answers)?;
        // First those that say what they are about, since they name what the others can be about.
        files.sort_by_key(|file| {
            (
                file.operation.about != About::Itself,
                file.operation.place(),
            )
        });
        for file in files {
            let resource = answers.resource(&file)?;
            answers.put(&file, resource)?;
        }
        let balancer = answers.balancer(folder, what, subject.as_ref())?;
        answers.narrow(&balancer);
        answers.lack();
        answers.sort();
        Ok(answers)
    }

    /// Adds what a file says; several about the same thing are pages of one answer.
    fn put(&mut self, file: &File, resource: Option<String>) -> Result<(), LoadError> {
        let action = file.operation.action();
        let classic = file.operation.is_classic();
        let same = |answer: &&mut Answer| {
            answer.action == action && answer.classic == classic && answer.resource == resource
        };
        let value = file.value.clone();
        match self.all.iter_mut().find(same).map(|a| &mut a.outcome) {
            Some(Ok(before)) if before.is_object() && resource.is_none() => {
                join(before, value, Repeats::Drop);
            }
            Some(Ok(_)) => {
                return Err(file.problem(format!(
                    "another file has the answer about {} already",
                    resource.unwrap_or_default()
                )));
            }
            _ => self.all.push(Answer {
                action,
                classic,
                resource,
                outcome: Ok(value),
            }),
        }
        Ok(())
    }

    /// The load balancer that is audited.
    fn balancer(
        &self,
        folder: &Path,
        what: Option<&str>,
        subject: Option<&Subject>,
    ) -> Result<String, LoadError> {
        let all = self.load_balancers();
        if let (Some(what), Some(Subject::TargetGroup(arn))) = (what, subject) {
            let arn = arn.to_string();
            let groups = self.items(&TARGET_GROUPS, "TargetGroups");
            let group = groups.iter().find(|group| group["TargetGroupArn"] == *arn);
            return Ok(one_user(what, group.copied())?);
        }
        if let (Some(what), Some(subject)) = (what, subject) {
            return Ok(subject.pick(what, "in this folder", self)?);
        }
        match all.as_slice() {
            [(id, ..)] => Ok((*id).to_owned()),
            [] => Err(LoadError::Folder {
                path: folder.to_owned(),
                problem: format!(
                    "no Application, Network or Classic Load Balancer: save the answer of {} (or {}) there",
                    LOAD_BALANCERS.cli(),
                    CLASSIC_LOAD_BALANCERS.cli()
                ),
            }),
            several => Err(LoadError::Folder {
                path: folder.to_owned(),
                problem: format!(
                    "{} load balancers: say which one, by ARN or name ({}{})",
                    several.len(),
                    several
                        .iter()
                        .take(5)
                        .map(|(_, name, _)| *name)
                        .collect::<Vec<_>>()
                        .join(", "),
                    if several.len() > 5 { ", …" } else { "" },
                ),
            }),
        }
    }

    /// Leaves the load balancer and what belongs to it; folders made by hand may have a whole account.
    fn narrow(&mut self, balancer: &str) {
        let alone = self.load_balancers().len() == 1;
        self.retain(&LOAD_BALANCERS, |item| item["LoadBalancerArn"] == *balancer);
        self.retain(&CLASSIC_LOAD_BALANCERS, |item| {
            item["LoadBalancerName"] == *balancer
        });
        self.retain(&LISTENERS, |item| {
            item.get("LoadBalancerArn")
                .is_none_or(|arn| *arn == *balancer)
        });
        let wanted = |answers: &Self| -> BTreeSet<(usize, Option<String>)> {
            let scope = Scope {
                probe: true,
                metrics: None,
            };
            plan::next(answers, &scope, &mut Asked::default())
                .into_iter()
                .map(|call| (call.operation.place(), call.resource))
                .collect()
        };
        if !alone {
            let calls = wanted(self);
            self.all.retain(|answer| {
                let of = Operation::find(&answer.action, answer.classic);
                of.is_none_or(|of| {
                    of.about == About::Itself
                        || answer.outcome.is_err()
                        || calls.contains(&(of.place(), answer.resource.clone()))
                })
            });
        }
        let named: BTreeSet<String> = plan::named_target_groups(self)
            .into_iter()
            .map(str::to_owned)
            .collect();
        self.retain(&TARGET_GROUPS, |item| {
            let uses = item.get("LoadBalancerArns").and_then(Value::as_array);
            let arn = item.get("TargetGroupArn").and_then(Value::as_str);
            uses.is_none_or(|uses| uses.iter().any(|arn| *arn == *balancer))
                || arn.is_some_and(|arn| named.contains(arn))
        });
    }

    /// Refuses what the audit would ask and the folder does not answer.
    fn lack(&mut self) {
        let scope = Scope {
            probe: true,
            metrics: None,
        };
        for call in plan::next(self, &scope, &mut Asked::default()) {
            let (action, classic) = (call.operation.action(), call.operation.is_classic());
            let answered = self.to(&action, classic).any(|answer| {
                call.operation.about == About::Itself || answer.resource == call.resource
            });
            if !answered && !is_spare(&call) {
                let refusal = Refusal {
                    code: String::new(),
                    message: format!("not in the folder: {}", call.operation.cli()),
                };
                self.add(&call, Err(refusal));
            }
        }
    }

    /// Keeps these elements of an operation's list.
    fn retain(&mut self, operation: &Operation, keep: impl Fn(&Value) -> bool) {
        let (action, classic) = (operation.action(), operation.is_classic());
        for answer in &mut self.all {
            if answer.action == action
                && answer.classic == classic
                && let Ok(Value::Object(members)) = &mut answer.outcome
                && let Some(Value::Array(items)) = members.get_mut(operation.key)
            {
                items.retain(&keep);
            }
        }
    }

    fn items(&self, operation: &Operation, list: &str) -> Vec<&Value> {
        self.to(&operation.action(), operation.is_classic())
            .filter_map(|answer| answer.outcome.as_ref().ok()?.get(list)?.as_array())
            .flatten()
            .collect()
    }

    /// What a file is about: its content says it, or its name, or there is only one it could be.
    fn resource(&self, file: &File) -> Result<Option<String>, LoadError> {
        if file.operation.about == About::Itself {
            return Ok(None);
        }
        if let Some(said) = said(file) {
            return Ok(Some(said));
        }
        let candidates = plan::candidates(self, file.operation);
        let suffix = file.suffix();
        let exact = |candidate: &&String| suffix.exact == Some(file_name_of(candidate));
        if let Some(found) = candidates.iter().find(exact) {
            return Ok(Some(found.clone()));
        }
        let mut best: Vec<(usize, &String)> = candidates
            .iter()
            .filter_map(|candidate| Some((suffix.likeness(candidate)?, candidate)))
            .collect();
        best.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
        let names = match best.as_slice() {
            [(_, only)] => return Ok(Some((*only).clone())),
            [(first, one), (second, _), ..] if first > second => return Ok(Some((*one).clone())),
            _ => candidates
                .iter()
                .take(3)
                .map(|candidate| file_name_of(candidate)),
        };
        match candidates.as_slice() {
            [only] if suffix.exact.is_none() => Ok(Some(only.clone())),
            [] => Err(file.problem(format!(
                "nothing in the folder says what this answer of {} could be about",
                file.operation.cli()
            ))),
            _ => Err(file.problem(format!(
                "which one is this about? Name the file {}@…, with {} behind the @",
                file.operation.command(),
                names.collect::<Vec<_>>().join(" or "),
            ))),
        }
    }
}

/// Whether every rule can be judged without the answer: who made a folder by hand did not forget it.
fn is_spare(call: &Call) -> bool {
    let spare = [&CALLER, &TAGS, &CLASSIC_TAGS, &METRICS, &WEB_ACL];
    let embedded = |name: &String| policy::shipped().any(|known| known.name == *name);
    call.operation.probing
        || spare.contains(&call.operation)
        // The embedded table has what AWS would say of these.
        || (*call.operation == SSL_POLICIES && call.subjects.iter().all(embedded))
}

/// A path, as it may be shown.
pub(super) fn shown(path: &Path) -> Untrusted {
    Untrusted::from_bytes(path.to_string_lossy().as_bytes())
}

/// The only load balancer that uses this target group.
pub(in crate::aws) fn one_user(what: &str, group: Option<&Value>) -> Result<String, SubjectError> {
    let users = group.and_then(|group| group.get("LoadBalancerArns")?.as_array());
    let users: Vec<&str> = users
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    match users.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err(SubjectError::NotALoadBalancer {
            what: what.into(),
            why: "it is a target group, and no load balancer uses it".into(),
        }),
        several => Err(SubjectError::Several {
            what: what.into(),
            found: several.iter().map(|arn| (*arn).to_owned()).collect(),
        }),
    }
}

/// Reads the files; what was refused goes into the answers.
fn read(folder: &Path, answers: &mut Answers) -> Result<Vec<File>, LoadError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| LoadError::Io { path, error }
    };
    let of_folder = |problem: &str| LoadError::Folder {
        path: folder.to_owned(),
        problem: problem.into(),
    };
    let mut paths = Vec::new();
    for entry in folder.read_dir().map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        if path.extension().is_some_and(|end| end == "json") && path.is_file() {
            paths.push(path);
        }
        if paths.len() > MOST_FILES {
            return Err(of_folder("more than 20,000 files"));
        }
    }
    if paths.is_empty() {
        return Err(of_folder("no .json files"));
    }
    paths.sort();
    let mut files = Vec::new();
    let (mut total, mut values) = (0, 0);
    for path in paths {
        let size = path.metadata().map_err(failed(&path))?.len();
        total += size;
        if size > LARGEST_FILE || total > LARGEST_FOLDER {
            return Err(LoadError::File {
                path,
                problem: "too large: a file may have 64 MiB, a folder 512 MiB".into(),
            });
        }
        // As much as it was said to be: it may be growing.
        let mut bytes = Vec::new();
        let file = fs::File::open(&path).map_err(failed(&path))?;
        let mut file = file.take(LARGEST_FILE);
        file.read_to_end(&mut bytes).map_err(failed(&path))?;
        values += most_values(&bytes);
        if values > MOST_VALUES {
            return Err(LoadError::File {
                path,
                problem: "too much: a folder may have 4,000,000 values".into(),
            });
        }
        if path.file_name().is_some_and(|name| name == NOT_READ) {
            answers.all.extend(refusals(&path, &bytes)?);
        } else if let Some(file) = File::parse(path, &bytes)? {
            files.push(file);
        }
    }
    Ok(files)
}

/// How many values JSON has at most, without reading it.
pub fn most_values(json: &[u8]) -> usize {
    let begins = |byte: &&u8| matches!(byte, b',' | b'[' | b'{');
    1 + json.iter().filter(begins).count()
}

fn refusals(path: &Path, bytes: &[u8]) -> Result<Vec<Answer>, LoadError> {
    let file: NotReadFile = serde_json::from_slice(bytes).map_err(|error| LoadError::File {
        path: path.to_owned(),
        problem: error.to_string(),
    })?;
    let answer = |entry: super::save::NotReadEntry| Answer {
        action: entry.action,
        classic: entry.classic,
        resource: entry.resource,
        outcome: Err(Refusal {
            code: entry.code,
            message: entry.message,
        }),
    };
    Ok(file.not_read.into_iter().map(answer).collect())
}

impl File {
    /// None: the answer to a command of the AWS CLI that no audit asks for.
    fn parse(path: PathBuf, bytes: &[u8]) -> Result<Option<Self>, LoadError> {
        let problem = |problem: String| LoadError::File {
            path: path.clone(),
            problem,
        };
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        // The AWS CLI prints nothing where an answer has no members.
        let value = if bytes.trim_ascii().is_empty() {
            Value::Object(Map::new())
        } else {
            serde_json::from_slice(bytes).map_err(|error| problem(format!("not JSON: {error}")))?
        };
        let Value::Object(members) = &value else {
            return Err(problem("not an answer of AWS: no JSON object".into()));
        };
        let stem = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        let stem = stem.unwrap_or_default();
        let operation = match by_name(&stem, members) {
            Some(operation) if has_content_of(operation, members) => operation,
            Some(operation) => {
                return Err(problem(format!(
                    "it is named for the answer of {}, and has no {:?}",
                    operation.cli(),
                    operation.key
                )));
            }
            None => match by_content(members) {
                Some(operation) => operation,
                None if is_command(&stem) => return Ok(None),
                None => {
                    return Err(problem(
                        "not known as an answer of AWS: name it for its command, as in describe-listeners.json"
                            .into(),
                    ));
                }
            },
        };
        Ok(Some(Self {
            path,
            stem,
            operation,
            value,
        }))
    }

    fn problem(&self, problem: String) -> LoadError {
        LoadError::File {
            path: self.path.clone(),
            problem,
        }
    }

    /// What the name says beyond the command.
    fn suffix(&self) -> Suffix {
        let (before, exact) = match self.stem.split_once('@') {
            Some((before, exact)) => (before, Some(exact.to_owned())),
            None => (self.stem.as_str(), None),
        };
        let rest = exact.clone().unwrap_or_else(|| {
            let command = self.operation.command();
            plain(before).replacen(&command, "", 1)
        });
        Suffix {
            exact,
            rest: plain(&rest),
        }
    }
}

/// What a file's name says of the resource.
struct Suffix {
    /// Behind an `@`.
    exact: Option<String>,
    /// Whatever is left beside the command.
    rest: String,
}

impl Suffix {
    /// How much of a resource's name or id the file's name has: its length, or none.
    fn likeness(&self, resource: &str) -> Option<usize> {
        let own = file_name_of(resource);
        let parts = own
            .split('_')
            .map(plain)
            .chain([plain(&own), plain(resource)]);
        parts
            .filter(|part| part.len() > 1 && !matches!(part.as_str(), "app" | "net"))
            .filter(|part| !matches!(part.as_str(), "listener" | "targetgroup" | "certificate"))
            .filter(|part| has_word(&self.rest, part))
            .map(|part| part.len())
            .max()
    }
}

/// Lower-case, with hyphens for everything that is neither letter nor digit.
fn plain(text: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    text.chars().map(letter).collect()
}

/// Whether this stands in the text, between hyphens or its ends.
fn has_word(text: &str, word: &str) -> bool {
    format!("-{text}-").contains(&format!("-{word}-"))
}

/// Whether it is called as a command of the AWS CLI that reads: `describe-vpcs`, `ec2-describe-vpcs`.
fn is_command(stem: &str) -> bool {
    let before = stem.split_once('@').map_or(stem, |(before, _)| before);
    let name = plain(before);
    ["describe-", "get-", "list-"]
        .iter()
        .any(|verb| name.starts_with(verb) || name.contains(&format!("-{verb}")))
}

/// The operation that a file is named for: the longest command that stands in it.
fn by_name(stem: &str, members: &Map<String, Value>) -> Option<&'static Operation> {
    let before = stem.split_once('@').map_or(stem, |(before, _)| before);
    let name = plain(before);
    let mut named: Vec<&'static Operation> = OPERATIONS
        .iter()
        .copied()
        .filter(|operation| has_word(&name, &operation.command()))
        .collect();
    let longest = named
        .iter()
        .map(|operation| operation.command().len())
        .max()?;
    named.retain(|operation| operation.command().len() == longest);
    // The two APIs of load balancers have the same names; their answers are not the same.
    let fits = named
        .iter()
        .copied()
        .find(|operation| has_content_of(operation, members));
    fits.or_else(|| named.first().copied())
}

/// Whether these are the members of an answer to the operation.
fn has_content_of(operation: &Operation, members: &Map<String, Value>) -> bool {
    let Some(value) = members.get(operation.key) else {
        return (*operation == WEB_ACL && members.is_empty())
            || (*operation == CERTIFICATE_PEM
                && members.get("Certificate").is_some_and(Value::is_string));
    };
    if *operation == TAGS || *operation == CLASSIC_TAGS {
        let classic = value
            .get(0)
            .is_some_and(|item| item.get("LoadBalancerName").is_some());
        return classic == operation.is_classic();
    }
    if *operation == CERTIFICATE {
        return value.is_object();
    }
    true
}

/// The operation whose answer this is.
fn by_content(members: &Map<String, Value>) -> Option<&'static Operation> {
    if let Some(Value::Array(attributes)) = members.get("Attributes") {
        let has = |of: &[&str]| {
            let keys = attributes
                .iter()
                .filter_map(|item| item.get("Key")?.as_str());
            let mut keys = keys.map(|key| of.iter().any(|start| key.starts_with(start)));
            keys.any(|found| found)
        };
        // Keys that one kind alone has.
        let kinds: [(&'static Operation, &[&str]); 3] = [
            (
                &TARGET_GROUP_ATTRIBUTES,
                &[
                    "deregistration_delay",
                    "stickiness.",
                    "target_group_health.",
                    "lambda.",
                ],
            ),
            (
                &ATTRIBUTES,
                &[
                    "deletion_protection.",
                    "access_logs.",
                    "idle_timeout.",
                    "ipv6.",
                ],
            ),
            (
                &LISTENER_ATTRIBUTES,
                &[
                    "routing.http.response.",
                    "routing.http.request.",
                    "tcp.idle_timeout",
                ],
            ),
        ];
        return kinds
            .into_iter()
            .find(|(_, of)| has(of))
            .map(|(operation, _)| operation);
    }
    if members.is_empty() {
        return None;
    }
    OPERATIONS
        .iter()
        .copied()
        .find(|operation| has_content_of(operation, members))
}

/// What the answer itself says it is about.
fn said(file: &File) -> Option<String> {
    let first = |list: &str, member: &str| {
        let item = file.value.get(list)?.get(0)?;
        Some(item.get(member)?.as_str()?.to_owned())
    };
    let operation = file.operation;
    if *operation == LISTENERS {
        first("Listeners", "LoadBalancerArn")
    } else if *operation == RULES {
        // listener-rule/app/NAME/ID/LISTENER/RULE
        let rule = first("Rules", "RuleArn")?;
        let (listener, _) = rule.rsplit_once('/')?;
        Some(listener.replacen(":listener-rule/", ":listener/", 1))
    } else if *operation == CERTIFICATE {
        let arn = file.value.get("Certificate")?.get("CertificateArn")?;
        Some(arn.as_str()?.to_owned())
    } else if *operation == SERVER_CERTIFICATE {
        let data = file.value.get("ServerCertificate")?;
        let arn = data.get("ServerCertificateMetadata")?.get("Arn")?;
        Some(arn.as_str()?.to_owned())
    } else {
        None
    }
}
