//! AWS's answers as they came: in the JSON of `aws … describe-*`, with what was refused beside them.
//!
//! The live collector makes them, `--save` writes them, `--from-json` reads them; the inventory is
//! made from them alone, so that a saved audit and a live one cannot differ.

mod load;
mod save;

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Arn;
use super::operations::{OPERATIONS, Operation};
use super::plan::{self, Call};

pub use self::load::LoadError;
pub use self::load::most_values;
#[cfg(feature = "aws")]
pub(super) use self::load::one_user;
pub use self::save::SaveError;

/// What AWS answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// In the order as asked. Pages of one answer are joined.
    pub all: Vec<Answer>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The operation as in IAM: `elasticloadbalancing:DescribeListeners`. Classic Load Balancers have the
    /// same names for some: `classic` tells them apart.
    pub action: String,
    /// From the API of Classic Load Balancers (version 2012-06-01).
    pub classic: bool,
    /// What was asked about, where the answer does not say it: an ARN, a name or an id.
    pub resource: Option<String>,
    /// The answer in the AWS CLI's JSON (`{"Listeners": […]}`), or why there is none.
    pub outcome: Result<Value, Refusal>,
}

/// Why AWS gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// AWS's error code: `AccessDenied`, `Throttling`; empty where AWS was not reached.
    pub code: String,
    /// What was said.
    pub message: String,
}

impl Answers {
    /// The answers to this action, of Classic Load Balancers or of the others.
    pub fn to(&self, action: &str, classic: bool) -> impl Iterator<Item = &Answer> {
        let wanted = move |answer: &&Answer| answer.action == action && answer.classic == classic;
        self.all.iter().filter(wanted)
    }

    /// Keeps what a call brought. Answers that name what they are about are joined into one; a refusal
    /// of such a call says what it was about.
    pub fn add(&mut self, call: &Call, outcome: Result<Value, Refusal>) {
        let mut answer = Answer {
            action: call.operation.action(),
            classic: call.operation.is_classic(),
            resource: call.resource.clone(),
            outcome,
        };
        match &answer.outcome {
            Ok(value) if answer.resource.is_none() => {
                let same = |other: &&mut Answer| {
                    other.action == answer.action
                        && other.classic == answer.classic
                        && other.resource.is_none()
                        && other.outcome.is_ok()
                };
                if let Some(Ok(before)) = self.all.iter_mut().find(same).map(|a| &mut a.outcome) {
                    join(before, value.clone(), Repeats::Drop);
                    return;
                }
            }
            Err(_) if answer.resource.is_none() && !call.subjects.is_empty() => {
                answer.resource = Some(call.subject());
            }
            _ => {}
        }
        self.all.push(answer);
    }

    /// In the order of the table of operations, then of resources: the same for every way in which
    /// answers come together.
    pub fn sort(&mut self) {
        let place = |answer: &Answer| {
            Operation::find(&answer.action, answer.classic)
                .map_or(OPERATIONS.len(), Operation::place)
        };
        self.all.sort_by_cached_key(|answer| {
            let said = answer
                .outcome
                .as_ref()
                .err()
                .map(|refusal| refusal.message.clone());
            (place(answer), answer.resource.clone(), said)
        });
    }

    /// The ids of the load balancers, with their names and DNS names. An id is an ARN, or a Classic
    /// Load Balancer's name.
    pub fn load_balancers(&self) -> Vec<(&str, &str, &str)> {
        plan::load_balancers(self)
    }
}

/// What becomes of elements that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeats {
    /// Kept: they are of another page.
    #[cfg_attr(not(feature = "aws"), allow(dead_code))]
    Keep,
    /// Dropped: two answers tell the same.
    Drop,
}

/// Appends the lists of a further page, or of a further answer, to those of the first one.
pub(super) fn join(first: &mut Value, more: Value, repeats: Repeats) {
    let (Value::Object(first), Value::Object(more)) = (first, more) else {
        return;
    };
    for (key, value) in more {
        match (first.get_mut(&key), value) {
            (Some(Value::Array(list)), Value::Array(items)) => {
                let known = match repeats {
                    Repeats::Keep => 0,
                    Repeats::Drop => list.len(),
                };
                for item in items {
                    if !list.iter().take(known).any(|there| *there == item) {
                        list.push(item);
                    }
                }
            }
            (Some(_), _) => {}
            (None, value) => {
                first.insert(key, value);
            }
        }
    }
}

/// A resource as part of a file name: an ARN's without what is the same for all, and nothing that a file
/// system takes amiss. Different resources have different names.
pub(super) fn file_name_of(resource: &str) -> String {
    const LONGEST: usize = 150;
    let arn = resource.parse::<Arn>();
    let own = arn.as_ref().map_or(resource, |arn| arn.resource.as_str());
    let mut name = String::new();
    for byte in own.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => name.push(char::from(byte)),
            b'/' | b':' => name.push('_'),
            other => {
                let _ = write!(name, "%{other:02X}");
            }
        }
    }
    // The end tells more: a path comes first. What is cut off still tells one from another.
    let skip = name.len().saturating_sub(LONGEST);
    if skip == 0 {
        return name;
    }
    // FNV-1a.
    let sum = own.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    format!("{sum:016x}_{}", name.split_off(skip))
}
