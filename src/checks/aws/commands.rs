//! The AWS CLI's commands that show the same, ready for a POSIX shell.

use gladhand_probes::aws::inventory::{Listener, LoadBalancerType, TargetGroup};

use super::AuditView;
use crate::checks::support::quote;

/// `aws …` in the region of the load balancer. What the command names must be quoted.
pub(super) fn aws(view: &AuditView<'_>, command: &str) -> String {
    match &view.inventory.region {
        Some(region) => format!("aws {command} --region {}", quote(region)),
        None => format!("aws {command}"),
    }
}

/// The attributes of the load balancer, those whose key contains `key`.
pub(super) fn attributes(view: &AuditView<'_>, key: &str) -> String {
    if view.balancer.kind == LoadBalancerType::Classic {
        let name = quote(&view.balancer.name);
        let command = format!("elb describe-load-balancer-attributes --load-balancer-name {name}");
        return aws(view, &command);
    }
    let arn = quote(&view.balancer.arn);
    let query = format!("\"Attributes[?contains(Key,'{key}')]\"");
    let command = "elbv2 describe-load-balancer-attributes --load-balancer-arn";
    aws(view, &format!("{command} {arn} --query {query}"))
}

/// The listener as AWS describes it.
pub(super) fn listener(view: &AuditView<'_>, listener: &Listener) -> String {
    if view.balancer.kind == LoadBalancerType::Classic {
        let name = quote(&view.balancer.name);
        let query = "'LoadBalancerDescriptions[0].ListenerDescriptions'";
        let command = "elb describe-load-balancers --load-balancer-names";
        return aws(view, &format!("{command} {name} --query {query}"));
    }
    let arn = quote(&listener.arn);
    aws(
        view,
        &format!("elbv2 describe-listeners --listener-arns {arn}"),
    )
}

/// The rules of a listener.
pub(super) fn rules(view: &AuditView<'_>, listener: &Listener) -> String {
    let arn = quote(&listener.arn);
    aws(view, &format!("elbv2 describe-rules --listener-arn {arn}"))
}

/// The health of a group's targets.
pub(super) fn health(view: &AuditView<'_>, group: &TargetGroup) -> String {
    if view.balancer.kind == LoadBalancerType::Classic {
        let name = quote(&view.balancer.name);
        return aws(
            view,
            &format!("elb describe-instance-health --load-balancer-name {name}"),
        );
    }
    let arn = quote(&group.arn);
    let query = "'TargetHealthDescriptions[].[Target,TargetHealth.State]'";
    let command = "elbv2 describe-target-health --target-group-arn";
    aws(view, &format!("{command} {arn} --query {query}"))
}
