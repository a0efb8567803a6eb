//! The logs of Certificate Transparency that are known: names, operators, keys.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A log is known by the SHA-256 of its key (RFC 6962 §3.2).
pub type LogId = [u8; 32];

/// Why a list of logs cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogListError {
    /// It is not JSON of the published shape.
    #[error("it is no list of CT logs (version 3 of Google's schema): {0}")]
    Shape(String),
    /// A key is no base64, or not the key of the log's id.
    #[error("the key of the log `{0}` does not belong to its id")]
    Key(String),
    /// There is no log in it.
    #[error("it has no log in it")]
    Empty,
}

/// The logs that are known.
#[derive(Clone, Debug)]
pub struct LogList {
    /// Where the list is from.
    pub source: String,
    /// How old it is.
    pub date: OffsetDateTime,
    logs: HashMap<LogId, Log>,
}

/// A log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// What it is called.
    pub description: String,
    /// Who runs it.
    pub operator: String,
    /// Its key, a SubjectPublicKeyInfo in DER.
    pub key: Vec<u8>,
    /// What Chrome makes of it, and since when; none where it is not in Chrome's list.
    pub state: Option<(LogState, OffsetDateTime)>,
    /// It takes certificates that expire from the first moment on and before the second.
    pub interval: Option<(OffsetDateTime, OffsetDateTime)>,
}

/// What Chrome makes of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogState {
    /// Applied for.
    Pending,
    /// Taken, and to be shipped.
    Qualified,
    /// Its SCTs count.
    Usable,
    /// It takes nothing new; its SCTs count.
    ReadOnly,
    /// Its SCTs from before that count.
    Retired,
    /// Its SCTs do not count.
    Rejected,
}

impl LogList {
    /// The list that is part of the program.
    pub fn shipped() -> Arc<Self> {
        static SHIPPED: LazyLock<Arc<LogList>> = LazyLock::new(|| {
            let list = LogList::from_json(include_str!("../../../data/ct_logs.json"));
            // A test holds that it can be read; without it every log would be unknown.
            Arc::new(list.unwrap_or_else(|error| LogList {
                source: error.to_string(),
                date: OffsetDateTime::UNIX_EPOCH,
                logs: HashMap::new(),
            }))
        });
        Arc::clone(&SHIPPED)
    }

    /// Reads a list as Google publishes it, version 3 of the schema.
    ///
    /// # Errors
    /// It has another shape, or a key does not belong to its log's id.
    pub fn from_json(text: &str) -> Result<Self, LogListError> {
        let file: File =
            serde_json::from_str(text).map_err(|error| LogListError::Shape(error.to_string()))?;
        let mut logs = HashMap::new();
        for operator in file.operators {
            for entry in operator.logs.into_iter().chain(operator.tiled_logs) {
                let (id, log) = entry.read(&operator.name)?;
                logs.insert(id, log);
            }
        }
        if logs.is_empty() {
            return Err(LogListError::Empty);
        }
        Ok(Self {
            source: file
                .source
                .unwrap_or_else(|| format!("version {} of the log list", file.version)),
            date: file.log_list_timestamp,
            logs,
        })
    }

    /// The log with this id.
    pub fn get(&self, id: &LogId) -> Option<&Log> {
        self.logs.get(id)
    }

    /// Every log.
    pub fn logs(&self) -> impl Iterator<Item = &Log> {
        self.logs.values()
    }
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    source: Option<String>,
    version: String,
    #[serde(with = "time::serde::rfc3339")]
    log_list_timestamp: OffsetDateTime,
    operators: Vec<Operator>,
}

#[derive(Deserialize)]
struct Operator {
    name: String,
    #[serde(default)]
    logs: Vec<Entry>,
    #[serde(default)]
    tiled_logs: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    description: String,
    log_id: String,
    key: String,
    #[serde(default)]
    state: HashMap<LogState, Since>,
    #[serde(default)]
    temporal_interval: Option<Interval>,
}

#[derive(Deserialize)]
struct Since {
    #[serde(with = "time::serde::rfc3339")]
    timestamp: OffsetDateTime,
}

#[derive(Deserialize)]
struct Interval {
    #[serde(with = "time::serde::rfc3339")]
    start_inclusive: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    end_exclusive: OffsetDateTime,
}

impl Entry {
    fn read(self, operator: &str) -> Result<(LogId, Log), LogListError> {
        let wrong = || LogListError::Key(self.description.clone());
        let key = STANDARD.decode(&self.key).map_err(|_| wrong())?;
        let id = STANDARD.decode(&self.log_id).map_err(|_| wrong())?;
        let hash = digest(&SHA256, &key);
        let id = LogId::try_from(id).map_err(|_| wrong())?;
        if hash.as_ref() != id {
            return Err(wrong());
        }
        let state = self.state.into_iter().next();
        let log = Log {
            description: self.description,
            operator: operator.into(),
            key,
            state: state.map(|(state, since)| (state, since.timestamp)),
            interval: self
                .temporal_interval
                .map(|interval| (interval.start_inclusive, interval.end_exclusive)),
        };
        Ok((id, log))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_list_can_be_read() {
        let list = LogList::shipped();
        assert_eq!(list.logs().count(), 245, "{}", list.source);
        assert!(list.date > time::macros::datetime!(2026-07-01 0:00 UTC));
        let usable = |log: &&Log| matches!(log.state, Some((LogState::Usable, _)));
        let usable: Vec<_> = list.logs().filter(usable).collect();
        assert!(usable.len() > 30, "{}", usable.len());
        for log in usable {
            assert!(log.interval.is_some_and(|(from, to)| from < to), "{log:?}");
        }
    }

    #[test]
    fn a_list_of_another_shape_is_refused() {
        let refused = |text: &str| LogList::from_json(text).unwrap_err();
        assert!(matches!(refused("no JSON"), LogListError::Shape(_)));
        assert!(matches!(refused("{}"), LogListError::Shape(_)));
        let list = |operators: &str| {
            format!(
                r#"{{"version":"1","log_list_timestamp":"2026-01-01T00:00:00Z","operators":{operators}}}"#
            )
        };
        assert_eq!(refused(&list("[]")), LogListError::Empty);
        let wrong = r#"[{"name":"a","logs":[{"description":"b","log_id":"AAAA","key":"AAAA"}]}]"#;
        assert_eq!(refused(&list(wrong)), LogListError::Key("b".into()));
    }
}
