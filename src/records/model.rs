//! A known-error record as its file has it: the format of an existing catalogue, read unchanged, and
//! one optional block of ours, [`Diagnosis`]. Nothing here decides anything.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// Fields that the format does not have. They are kept, and `records lint` tells of them.
pub type Unknown = Map<String, Value>;

/// One known error. Only `id` and `signature` have to be there; figures that nobody measured are null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The path of its file below the folder of records, without `.json`.
    pub id: String,
    /// The text as a product prints it, with example values.
    pub signature: String,
    /// The signature for readers of Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_zh: Option<String>,
    /// Matches the signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// The field it belongs to: `nginx`, `tls`, `aws`; the first part of the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The kind of error, in the catalogue's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// A finer kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subcategory: Option<String>,
    /// Why it happens, in a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<String>,
    /// `generic`, or a kind of cause in the catalogue's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_cause_type: Option<String>,
    /// The cause for readers of Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_cause_zh: Option<String>,
    /// Versions of products that it concerns.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub versions: Vec<Version>,
    /// What differs between operating systems.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub os_specific: Value,
    /// What people try, and why it fails.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub dead_ends: Vec<DeadEnd>,
    /// What helps.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub workarounds: Vec<Workaround>,
    /// What helps, for readers of Chinese.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub workarounds_zh: Vec<Value>,
    /// Records that follow, go before, or are mistaken for it.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub transition_graph: Value,
    /// The product's own page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub official_doc_url: Option<String>,
    /// The section of that page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub official_doc_section: Option<String>,
    /// The number that is printed with it: `502`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub error_code: Value,
    /// How well it was verified, in the catalogue's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_tier: Option<String>,
    /// How sure the record is, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// The share of cases that its fixes mended, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix_success_rate: Option<f64>,
    /// Whether it can be mended; the catalogue writes it as text.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub resolvable: Value,
    /// A date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<String>,
    /// A date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_confirmed: Option<String>,
    /// A date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<String>,
    /// How many cases it stands on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_count: Option<u64>,
    /// Words to find it by.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub tags: Vec<String>,
    /// The language of its texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Earlier ids.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub aliases: Vec<String>,
    /// Our addition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Diagnosis>,
    /// Fields that the format does not have.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A version of a product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// Product and version.
    #[serde(default)]
    pub version: String,
    /// Since when.
    #[serde(default)]
    pub introduced: Option<String>,
    /// Since when it is discouraged.
    #[serde(default)]
    pub deprecated: Option<String>,
    /// Since when it is gone.
    #[serde(default)]
    pub removed: Option<String>,
    /// What this version does differently.
    #[serde(default)]
    pub behavior_change: Option<String>,
    /// `active` or another word of the catalogue.
    #[serde(default)]
    pub status: Option<String>,
    /// Fields that the format does not have.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What people try, and why it fails.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeadEnd {
    /// What is tried.
    #[serde(default)]
    pub action: String,
    /// Why it fails.
    #[serde(default)]
    pub why_fails: String,
    /// The share of cases in which it failed, 0 to 1; null where nobody measured it.
    #[serde(default)]
    pub fail_rate: Option<f64>,
    /// When this holds.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub condition: String,
    /// Where it is written.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub sources: Vec<Value>,
    /// Fields that the format does not have.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What helps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Workaround {
    /// What to do.
    #[serde(default)]
    pub action: String,
    /// The share of cases in which it helped, 0 to 1; null where nobody measured it.
    #[serde(default)]
    pub success_rate: Option<f64>,
    /// In detail.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub how: String,
    /// When this holds.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub condition: String,
    /// Where it is written.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub sources: Vec<Value>,
    /// Fields that the format does not have.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What this program adds to a record: a cause from a closed vocabulary, patterns for every product
/// that prints it, what decides, and fixes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// One of [`super::cause`].
    pub cause: String,
    /// What products print, beside the record's `regex`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<Pattern>,
    /// Where the text alone does not decide: every cause that it leaves open, this one as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub could_be: Vec<String>,
    /// Rules whose finding shows that this is the cause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confirmed_by: Vec<String>,
    /// Rules whose finding shows that it is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded_by: Vec<String>,
    /// Probes of `gladhand check --only` that decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decided_by: Vec<String>,
    /// What the record itself, or what is often written about it, gets wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<Correction>,
    /// What to change, by product; `any` is for all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fixes: BTreeMap<String, Vec<Fix>>,
    /// Primary sources: URLs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Fields that the block does not have.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// One way in which a product prints it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pattern {
    /// What the line matches, in the syntax of the `regex` crate.
    pub regex: String,
    /// Which product prints it, where only one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// What is particular about it: a version, a language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What this wording leaves open, where that differs from the record's `could_be`; an empty list
    /// where this wording decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub could_be: Option<Vec<String>>,
    /// Fields that the block does not have.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Something that is often written and not true.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    /// What is claimed.
    pub claim: String,
    /// What holds.
    pub truth: String,
    /// Where that is written.
    pub source: String,
}

/// What to change on one product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    /// What to change, in a sentence.
    pub text: String,
    /// Configuration that the product's own checker accepts, or commands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snippet: Option<String>,
    /// The command that shows whether it worked.
    #[serde(default)]
    pub check: String,
    /// Fields that the block does not have.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Null where the format has a text or a list.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Record {
    /// The cause, where the record has our block.
    pub fn cause(&self) -> Option<&str> {
        self.diagnosis
            .as_ref()
            .map(|diagnosis| diagnosis.cause.as_str())
    }

    /// What the text of this pattern leaves open; with none, that of the record's own `regex`.
    pub fn could_be(&self, pattern: Option<usize>) -> &[String] {
        let Some(diagnosis) = &self.diagnosis else {
            return &[];
        };
        pattern
            .and_then(|number| diagnosis.patterns.get(number))
            .and_then(|pattern| pattern.could_be.as_deref())
            .unwrap_or(&diagnosis.could_be)
    }

    /// The fields that the format does not have, with the part of the record that holds them.
    pub fn unknown_fields(&self) -> Vec<String> {
        let mut all: Vec<String> = self.unknown.keys().cloned().collect();
        let mut add = |place: &str, unknown: &Unknown| {
            all.extend(unknown.keys().map(|key| format!("{place}.{key}")));
        };
        for version in &self.versions {
            add("versions", &version.unknown);
        }
        for dead_end in &self.dead_ends {
            add("dead_ends", &dead_end.unknown);
        }
        for workaround in &self.workarounds {
            add("workarounds", &workaround.unknown);
        }
        if let Some(diagnosis) = &self.diagnosis {
            add("diagnosis", &diagnosis.unknown);
            for pattern in &diagnosis.patterns {
                add("diagnosis.patterns", &pattern.unknown);
            }
            for fix in diagnosis.fixes.values().flatten() {
                add("diagnosis.fixes", &fix.unknown);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_needs_an_id_and_a_signature_and_nothing_else() {
        let record: Record = serde_json::from_str(r#"{"id":"a/b","signature":"x"}"#).unwrap();
        assert_eq!(record.cause(), None);
        assert!(serde_json::from_str::<Record>(r#"{"id":"a/b"}"#).is_err());
    }

    #[test]
    fn null_is_as_good_as_missing() {
        let text = r#"{"id":"a/b","signature":"x","tags":null,"dead_ends":null,"confidence":null,
            "workarounds":[{"action":"y","how":null,"sources":null}]}"#;
        let record: Record = serde_json::from_str(text).unwrap();
        assert_eq!(record.workarounds[0].action, "y");
    }

    #[test]
    fn unknown_fields_survive_and_are_named() {
        let text = r#"{"id":"a/b","signature":"x","new":1,"dead_ends":[{"action":"y","odd":[2]}]}"#;
        let record: Record = serde_json::from_str(text).unwrap();
        assert_eq!(record.unknown_fields(), ["new", "dead_ends.odd"]);
        let again = serde_json::to_value(&record).unwrap();
        assert_eq!(again["new"], 1);
        assert_eq!(again["dead_ends"][0]["odd"][0], 2);
    }
}
