//! Which load balancer is meant: asked for by name where the name is known, else looked for among all.

use serde_json::{Map, Value};

use super::client::Client;
use super::error::CollectError;
use crate::aws::answers::{Answers, Refusal, one_user};
use crate::aws::operations::{CLASSIC_LOAD_BALANCERS, LOAD_BALANCERS, Operation, TARGET_GROUPS};
use crate::aws::plan::Call;
use crate::aws::subject::{Subject, SubjectError};

/// The answer that describes the load balancer, and no other one.
pub(super) async fn load_balancer(
    client: &Client,
    what: &str,
    subject: &Subject,
) -> Result<Answers, CollectError> {
    let found = match subject {
        Subject::Arn(arn) => {
            let call =
                Call::new(&LOAD_BALANCERS).list("LoadBalancerArns", [arn.to_string().as_str()]);
            existing(client, call).await?
        }
        Subject::Classic(_) => named(client, &CLASSIC_LOAD_BALANCERS, subject).await?,
        Subject::TargetGroup(arn) => {
            let arn = arn.to_string();
            let call = Call::new(&TARGET_GROUPS).list("TargetGroupArns", [arn.as_str()]);
            let groups = existing(client, call).await?;
            let group = groups
                .all
                .first()
                .and_then(|answer| answer.outcome.as_ref().ok()?.get("TargetGroups")?.get(0));
            if group.is_none() {
                return Err(not_found(client, what, Vec::new()).into());
            }
            let balancer = one_user(what, group)?;
            let call = Call::new(&LOAD_BALANCERS).list("LoadBalancerArns", [balancer.as_str()]);
            let mut answers = existing(client, call).await?;
            keep(&mut answers, &balancer);
            return Ok(answers);
        }
        Subject::DnsName { .. } | Subject::Name(_) => {
            let (modern, classic) = tokio::join!(
                named(client, &LOAD_BALANCERS, subject),
                named(client, &CLASSIC_LOAD_BALANCERS, subject),
            );
            either(modern, classic)?
        }
    };
    let place = format!("in {}", client.region);
    match subject.pick(what, &place, &found) {
        Ok(id) => {
            let mut answers = found;
            keep(&mut answers, &id);
            Ok(answers)
        }
        Err(SubjectError::NotFound { .. }) => among_all(client, what, subject, &place).await,
        Err(other) => Err(other.into()),
    }
}

/// Everything there is, for a DNS name that does not tell the name, and for the names that come near.
async fn among_all(
    client: &Client,
    what: &str,
    subject: &Subject,
    place: &str,
) -> Result<Answers, CollectError> {
    let (modern, classic) = (
        Call::new(&LOAD_BALANCERS),
        Call::new(&CLASSIC_LOAD_BALANCERS),
    );
    let (modern, classic) = tokio::join!(existing(client, modern), existing(client, classic));
    let mut all = match either(modern, classic) {
        Ok(all) => all,
        // That there is no such name is known already.
        Err(CollectError::Refused { .. }) if matches!(subject, Subject::Arn(_)) => {
            return Err(not_found(client, what, Vec::new()).into());
        }
        Err(error) => return Err(error),
    };
    let id = subject.pick(what, place, &all)?;
    keep(&mut all, &id);
    Ok(all)
}

async fn named(
    client: &Client,
    operation: &'static Operation,
    subject: &Subject,
) -> Result<Answers, CollectError> {
    let Some(name) = subject.name() else {
        return Ok(Answers::default());
    };
    let list = if operation.is_classic() {
        "LoadBalancerNames"
    } else {
        "Names"
    };
    existing(client, Call::new(operation).list(list, [name])).await
}

/// The answer; none, where AWS says that there is no such thing.
async fn existing(client: &Client, call: Call) -> Result<Answers, CollectError> {
    let mut answers = Answers::default();
    let outcome = match client.ask(&call).await {
        // LoadBalancerNotFound, TargetGroupNotFound; a name that no load balancer of the API could have.
        Err(Refusal { code, .. }) if code.contains("NotFound") || code == "ValidationError" => {
            Value::Object(Map::new())
        }
        Err(refusal) => {
            let endpoint = client.url(call.operation.service);
            let action = call.operation.action();
            return Err(CollectError::refused(action, endpoint, refusal));
        }
        Ok(value) => value,
    };
    answers.add(&call, Ok(outcome));
    Ok(answers)
}

/// The load balancers of both APIs; where one refuses, those of the other, if there are any.
fn either(
    modern: Result<Answers, CollectError>,
    classic: Result<Answers, CollectError>,
) -> Result<Answers, CollectError> {
    match (modern, classic) {
        (Ok(mut modern), Ok(classic)) => {
            modern.all.extend(classic.all);
            Ok(modern)
        }
        (Ok(found), Err(error)) | (Err(error), Ok(found)) => {
            if found.load_balancers().is_empty() {
                Err(error)
            } else {
                Ok(found)
            }
        }
        (Err(error), Err(_)) => Err(error),
    }
}

/// Leaves this load balancer alone of all that were described.
fn keep(answers: &mut Answers, id: &str) {
    let of = [
        (&LOAD_BALANCERS, "LoadBalancerArn"),
        (&CLASSIC_LOAD_BALANCERS, "LoadBalancerName"),
    ];
    answers.all.retain_mut(|answer| {
        let Ok(Value::Object(members)) = &mut answer.outcome else {
            return false;
        };
        of.iter().any(|(operation, member)| {
            let Some(Value::Array(items)) = members.get_mut(operation.key) else {
                return false;
            };
            items.retain(|item| item.get(member).is_some_and(|value| *value == *id));
            !items.is_empty()
        })
    });
}

fn not_found(client: &Client, what: &str, near: Vec<String>) -> SubjectError {
    SubjectError::NotFound {
        what: what.into(),
        place: format!("in {}", client.region),
        near,
    }
}
