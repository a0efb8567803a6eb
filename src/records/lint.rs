//! What is wrong with records: ids, patterns, words outside the vocabulary, empty actions, fixes that
//! nobody can check.

use std::path::{Path, PathBuf};

use gladhand_probes::observations::PROBES;
use serde::Serialize;

use super::matcher::{self, Matcher};
use super::model::{Diagnosis, Record};
use super::{Catalogue, Entry, Source, cause};
use crate::checks;

/// Something that is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The record, where the file is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// What is wrong.
    pub problem: String,
}

/// What is wrong with the records of a file, or of a folder and those in it.
///
/// The patterns are held against each other's signatures, and against those of `known`.
pub fn lint(path: &Path, known: &Catalogue) -> Result<(usize, Vec<Problem>), super::RecordError> {
    let (root, files): (Option<&Path>, Vec<PathBuf>) = if path.is_dir() {
        (Some(path), super::files(path)?)
    } else {
        (None, vec![path.to_owned()])
    };
    let mut problems = Vec::new();
    let mut entries: Vec<Entry> = Vec::new();
    for file in &files {
        let record = match super::read(file) {
            Ok(record) => record,
            Err(error @ super::RecordError::Read { .. }) => return Err(error),
            Err(error) => {
                problems.push(Problem {
                    file: super::shown(file).to_string(),
                    record: None,
                    problem: error.to_string(),
                });
                continue;
            }
        };
        let mut told = problems_of(&record);
        if !is_path(&record.id, file, root) {
            told.push(format!(
                "the id `{}` is not the path of the file",
                record.id
            ));
        }
        if let Some(other) = entries.iter().find(|other| other.record.id == record.id) {
            told.push(format!("the id is also that of {}", other.source));
        }
        let source = Source::File(file.clone());
        problems.extend(
            told.into_iter()
                .map(|problem| told_of(&record, &source, problem)),
        );
        entries.push(Entry { record, source });
    }
    let count = entries.len();
    let own: Vec<String> = entries
        .iter()
        .map(|entry| entry.record.id.clone())
        .collect();
    let all = Catalogue::of([known.entries().to_vec(), entries].concat());
    problems.extend(collisions(&all, |record| own.contains(&record.id)));
    Ok((count, problems))
}

fn told_of(record: &Record, source: &Source, problem: String) -> Problem {
    Problem {
        file: source.to_string(),
        record: Some(record.id.clone()),
        problem,
    }
}

/// Whether the id is the path below the folder; for a single file, the end of its path.
fn is_path(id: &str, file: &Path, root: Option<&Path>) -> bool {
    let below = root
        .and_then(|root| file.strip_prefix(root).ok())
        .unwrap_or(file);
    let path = below.with_extension("");
    let wanted = Path::new(id);
    match root {
        Some(_) => path == wanted,
        None => path.ends_with(wanted),
    }
}

/// What is wrong with one record by itself.
pub fn problems_of(record: &Record) -> Vec<String> {
    let mut out = Vec::new();
    for field in record.unknown_fields() {
        out.push(format!("the field `{field}` is not known; it is kept"));
    }
    if record.signature.trim().is_empty() {
        out.push("the signature is empty".into());
    }
    if matcher::patterns(record).next().is_none() {
        out.push("it has neither `regex` nor patterns: nothing matches it".into());
    }
    for (number, regex) in matcher::patterns(record) {
        let place = number.map_or("regex".into(), |number| {
            format!("diagnosis.patterns[{number}]")
        });
        let compiled = matcher::usable(regex).and_then(|_| matcher::compile(regex));
        match (compiled, number) {
            (Err(reason), _) => out.push(format!("{place}: {reason}")),
            (Ok(regex), None) if !regex.is_match(record.signature.as_bytes()) => {
                out.push("regex: it does not match the record's own signature".into());
            }
            _ => {}
        }
    }
    for (number, dead_end) in record.dead_ends.iter().enumerate() {
        if dead_end.action.trim().is_empty() {
            out.push(format!("dead_ends[{number}].action is empty"));
        }
    }
    for (number, workaround) in record.workarounds.iter().enumerate() {
        if workaround.action.trim().is_empty() {
            out.push(format!("workarounds[{number}].action is empty"));
        }
    }
    if let Some(diagnosis) = &record.diagnosis {
        of_diagnosis(diagnosis, &mut out);
    }
    out
}

fn of_diagnosis(diagnosis: &Diagnosis, out: &mut Vec<String>) {
    let open = diagnosis
        .patterns
        .iter()
        .flat_map(|pattern| pattern.could_be.iter().flatten());
    let causes = [&diagnosis.cause]
        .into_iter()
        .chain(&diagnosis.could_be)
        .chain(open);
    for cause in causes.filter(|cause| !cause::is_known(cause)) {
        out.push(format!("diagnosis: `{cause}` is no cause"));
    }
    for rule in diagnosis.confirmed_by.iter().chain(&diagnosis.excluded_by) {
        if checks::rule(rule).is_none() {
            out.push(format!("diagnosis: `{rule}` is no rule (gladhand rules)"));
        }
    }
    for probe in &diagnosis.decided_by {
        if !PROBES.iter().any(|known| known.id == probe) {
            out.push(format!("diagnosis.decided_by: `{probe}` is no probe"));
        }
    }
    for (product, fixes) in &diagnosis.fixes {
        for (number, fix) in fixes.iter().enumerate() {
            if fix.text.trim().is_empty() {
                out.push(format!("diagnosis.fixes.{product}[{number}] has no text"));
            }
            if fix.check.trim().is_empty() {
                out.push(format!("diagnosis.fixes.{product}[{number}] has no check"));
            }
        }
    }
}

/// Records whose signature another record matches better.
fn collisions(all: &Catalogue, is_own: impl Fn(&Record) -> bool) -> Vec<Problem> {
    let matcher = Matcher::new(all);
    let mut out = Vec::new();
    for (number, entry) in all.entries().iter().enumerate() {
        let hits = matcher.find(entry.record.signature.as_bytes());
        let Some(best) = hits.first() else { continue };
        let other = &all.entries()[best.record];
        if best.record == number || !hits.iter().any(|hit| hit.record == number) {
            continue;
        }
        // Whichever of the two was asked about is told; of two own ones, the one that takes too much.
        let (told, problem) = if is_own(&other.record) {
            let id = &entry.record.id;
            (
                other,
                format!("a pattern matches the signature of `{id}` more specifically"),
            )
        } else {
            let id = &other.record.id;
            (
                entry,
                format!("`{id}` matches its signature more specifically"),
            )
        };
        if is_own(&told.record) {
            out.push(told_of(&told.record, &told.source, problem));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(value: serde_json::Value) -> Vec<String> {
        problems_of(&serde_json::from_value(value).unwrap())
    }

    #[track_caller]
    fn says(value: serde_json::Value, expected: &str) {
        let told = problems(value);
        assert!(told.iter().any(|told| told.contains(expected)), "{told:?}");
    }

    #[test]
    fn a_sound_record_has_no_problem() {
        let sound = json!({"id":"a/b","signature":"certificate has expired","regex":"has expired",
            "diagnosis":{"cause":"expired","confirmed_by":["certificate-expired"],
            "decided_by":["verification"],"fixes":{"any":[{"text":"x","check":"y"}]}}});
        assert_eq!(problems(sound), Vec::<String>::new());
    }

    #[test]
    fn every_kind_of_problem_is_told() {
        let with = |more: serde_json::Value| {
            let mut record = json!({"id":"a/b","signature":"text","regex":"text"});
            record
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            record
        };
        says(with(json!({"regex":"a(?=b)"})), "look-around");
        says(with(json!({"regex":"(a)\\1"})), "backreferences");
        says(with(json!({"regex":".*"})), "every line");
        says(with(json!({"regex":"other"})), "own signature");
        says(with(json!({"regex":""})), "neither");
        says(with(json!({"new_field":1})), "`new_field` is not known");
        says(
            with(json!({"dead_ends":[{"action":" "}]})),
            "dead_ends[0].action is empty",
        );
        says(
            with(json!({"workarounds":[{"action":""}]})),
            "workarounds[0].action is empty",
        );
        says(
            with(json!({"diagnosis":{"cause":"bad-luck"}})),
            "`bad-luck` is no cause",
        );
        says(
            with(json!({"diagnosis":{"cause":"expired","could_be":["x"]}})),
            "`x` is no cause",
        );
        says(
            with(json!({"diagnosis":{"cause":"expired","confirmed_by":["x"]}})),
            "`x` is no rule",
        );
        says(
            with(json!({"diagnosis":{"cause":"expired","decided_by":["x"]}})),
            "`x` is no probe",
        );
        let fix = json!({"diagnosis":{"cause":"expired","fixes":{"nginx":[{"text":"x"}]}}});
        says(with(fix), "fixes.nginx[0] has no check");
    }

    #[test]
    fn a_pattern_that_takes_the_signature_of_another_record_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, value: serde_json::Value| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, value.to_string()).unwrap();
        };
        write(
            "a/one.json",
            json!({"id":"a/one","signature":"some text here","regex":"some text"}),
        );
        write(
            "a/two.json",
            json!({"id":"a/two","signature":"some text here!","regex":"some text here"}),
        );
        write(
            "a/three.json",
            json!({"id":"b/three","signature":"y","regex":"y"}),
        );
        write("a/four.json", json!({"signature":"no id"}));
        let (count, problems) = lint(folder.path(), &Catalogue::of(Vec::new())).unwrap();
        let told: Vec<&str> = problems
            .iter()
            .map(|problem| problem.problem.as_str())
            .collect();
        assert_eq!(count, 3);
        assert!(
            told.iter()
                .any(|told| told.contains("signature of `a/one`")),
            "{told:?}"
        );
        assert!(
            told.iter().any(|told| told.contains("not the path")),
            "{told:?}"
        );
        assert!(
            told.iter().any(|told| told.contains("missing field `id`")),
            "{told:?}"
        );
        assert_eq!(told.len(), 3, "{told:?}");
    }

    #[test]
    fn a_file_by_itself_is_taken_by_the_end_of_its_path() {
        assert!(is_path("a/b", Path::new("x/a/b.json"), None));
        assert!(!is_path("a/b", Path::new("x/b.json"), None));
        assert!(is_path(
            "a/b",
            Path::new("x/a/b.json"),
            Some(Path::new("x"))
        ));
        assert!(!is_path("b", Path::new("x/a/b.json"), Some(Path::new("x"))));
    }
}
