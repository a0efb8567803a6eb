//! AWS's answers as they came: in the JSON of `aws … describe-*`, with what was refused beside them.
//!
//! The live collector makes them, `--save` writes them, `--from-json` reads them; the inventory is
//! made from them alone, so that a saved audit and a live one cannot differ.

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
}
