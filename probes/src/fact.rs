//! How facts are put: three-valued answers, and attempts that say why they have no result.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::probe::ProbeError;

/// A fact about the peer. `No` stands on a refusal that the RFCs define, or on an ambiguous refusal
/// that a control probe confirmed; everything else is `Undetermined`, and is never shown as a "no".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Observed.
    Yes,
    /// Refused, beyond doubt.
    No,
    /// The answers do not decide it.
    Undetermined,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Undetermined => "undetermined",
        })
    }
}

/// An answer with what it stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fact {
    /// The answer.
    pub answer: Answer,
    /// What was sent and what came back.
    pub evidence: String,
}

impl Fact {
    pub(crate) fn new(answer: Answer, evidence: impl Into<String>) -> Self {
        Self {
            answer,
            evidence: evidence.into(),
        }
    }
}

/// What became of one probe. In JSON a result stands for itself; the others are
/// `{"status": "skipped" | "not-applicable" | "failed", "reason": …}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Attempt<T> {
    /// It ran, and this is what it saw.
    Seen(T),
    /// Its question makes no sense here; why.
    NotApplicable(String),
    /// It could not put its question, or got no answer that decides.
    Failed(ProbeError),
    /// It was not asked for.
    #[default]
    Skipped,
}

impl<T> Attempt<T> {
    /// The result, if there is one.
    pub fn seen(&self) -> Option<&T> {
        match self {
            Self::Seen(seen) => Some(seen),
            _ => None,
        }
    }

    /// Takes a result back that turned out to decide nothing.
    pub(crate) fn withdraw(&mut self, why: &str) {
        if matches!(self, Self::Seen(_)) {
            *self = Self::Failed(ProbeError::undecided(why));
        }
    }

    /// Why the probe has no result although it was asked for one.
    pub fn failure(&self) -> Option<&ProbeError> {
        match self {
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }
}

/// Milliseconds of a duration, to the microsecond.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct NoResult {
    status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<ProbeError>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Status {
    Skipped,
    NotApplicable,
    Failed,
}

impl<T: Serialize> Serialize for Attempt<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (status, reason, error) = match self {
            Self::Seen(seen) => return seen.serialize(serializer),
            Self::NotApplicable(reason) => (Status::NotApplicable, Some(reason.clone()), None),
            Self::Failed(error) => (Status::Failed, Some(error.to_string()), Some(error.clone())),
            Self::Skipped => (Status::Skipped, None, None),
        };
        NoResult {
            status,
            reason,
            error,
        }
        .serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Attempt<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let absent = value
            .get("status")
            .and_then(|status| status.as_str())
            .is_some_and(|status| matches!(status, "skipped" | "not-applicable" | "failed"));
        if !absent {
            return serde_json::from_value(value)
                .map(Self::Seen)
                .map_err(serde::de::Error::custom);
        }
        let no: NoResult = serde_json::from_value(value).map_err(serde::de::Error::custom)?;
        let reason = no.reason.unwrap_or_default();
        Ok(match no.status {
            Status::Skipped => Self::Skipped,
            Status::NotApplicable => Self::NotApplicable(reason),
            Status::Failed => Self::Failed(no.error.unwrap_or(ProbeError::Undecided { reason })),
        })
    }
}

impl<T: JsonSchema> JsonSchema for Attempt<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("AttemptOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let seen = generator.subschema_for::<T>();
        let none = generator.subschema_for::<NoResult>();
        json_schema!({ "anyOf": [none, seen] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::NetError;

    #[test]
    fn an_attempt_survives_json() {
        let attempts: [Attempt<Answer>; 5] = [
            Attempt::Seen(Answer::Undetermined),
            Attempt::NotApplicable("an address has no SNI".into()),
            Attempt::Failed(ProbeError::Undecided {
                reason: "silence".into(),
            }),
            Attempt::Failed(ProbeError::Net(NetError::Interrupted)),
            Attempt::Skipped,
        ];
        for attempt in attempts {
            let json = serde_json::to_string(&attempt).unwrap();
            assert_eq!(
                serde_json::from_str::<Attempt<Answer>>(&json).unwrap(),
                attempt,
                "{json}"
            );
        }
    }
}
