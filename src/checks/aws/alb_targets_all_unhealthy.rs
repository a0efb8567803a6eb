use gladhand_probes::aws::inventory::LoadBalancerType;

use super::targets::{
    Group, HEALTH_DOCS, count, describe_health, groups, is_routed, names, no_target_answer, verb,
};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

const MINIMUM: &str = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count";

pub(super) struct AlbTargetsAllUnhealthy;

static RULE: Rule = Rule {
    id: "alb-targets-all-unhealthy",
    title: "No target is healthy, or fewer than the group's minimum",
    severity: Severity::High,
    what: "Every target of a group that could take requests is unhealthy, or fewer are healthy than \
           `minimum_healthy_targets.count` wants. Why they are unhealthy is told by rules of their own. Low \
           where nothing is sent to the group.",
    why: "Application and Network Load Balancers fail open then: they send requests to all targets, healthy or \
          not. So there is no 503; clients get whatever the targets give: an answer where only the health check \
          is wrong, 502 or 504 where the targets are down. The metric UnhealthyRoutingRequestCount counts it. A \
          Classic Load Balancer answers 503.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Mend what the health checks fail by, which the other findings of this target group name.",
        snippet: Some("aws elbv2 describe-target-health --target-group-arn <ARN>"),
    }],
    references: &[
        HEALTH_DOCS,
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#target-group-health",
    ],
};

impl Audit for AlbTargetsAllUnhealthy {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for group in groups(view) {
            let Some(message) = message(view, group) else {
                continue;
            };
            let idle = is_routed(view, group.group) == Some(false);
            let found = Found {
                message,
                seen: vec![format!(
                    "unhealthy: {}",
                    names(&group.in_state("unhealthy"))
                )],
                reproduce: vec![describe_health(view, group.group)],
                severity: idle.then_some(Severity::Low),
                ..Found::default()
            };
            out.about(group_subject(group.group), found);
        }
    }
}

fn message(view: &AuditView<'_>, group: Group<'_>) -> Option<String> {
    let in_use = group.in_use().len();
    let unhealthy = group.in_state("unhealthy").len();
    let healthy = group.in_state("healthy").len();
    if unhealthy == 0 {
        return None;
    }
    let then = if view.balancer.kind == LoadBalancerType::Classic {
        no_target_answer(view)
    } else {
        "the load balancer fails open, and sends to all"
    };
    if unhealthy == in_use {
        let all = verb(in_use, "The only target is", "All targets are");
        return Some(format!("{all} unhealthy: {then}."));
    }
    let minimum: usize = group.group.attribute(MINIMUM)?.parse().ok()?;
    // What is still on its way may make it enough.
    let coming = in_use.saturating_sub(unhealthy);
    (view.balancer.kind != LoadBalancerType::Classic && coming < minimum && healthy == coming).then(
        || {
            format!(
                "{} of {} {} healthy, fewer than the group's minimum of {minimum}: {then}.",
                healthy,
                count(in_use),
                if healthy == 1 { "is" } else { "are" },
            )
        },
    )
}
