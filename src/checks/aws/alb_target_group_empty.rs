use super::targets::{
    GROUP_DOCS, TROUBLE_DOCS, count, describe_health, groups, is_routed, no_target_answer,
};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbTargetGroupEmpty;

static RULE: Rule = Rule {
    id: "alb-target-group-empty",
    title: "Requests are sent to a target group without targets",
    severity: Severity::High,
    what: "A listener or a rule forwards to a group in which no target is registered, or only targets that are \
           being deregistered.",
    why: "An Application Load Balancer answers 503 Service Temporarily Unavailable, a Classic one too; \
          connections to a Network Load Balancer have nowhere to go. There is no fail-open without targets.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Register targets, or look why what registers them does not: the Auto Scaling group, the ECS \
               service, the Kubernetes controller. Or take the group out of the rules.",
        snippet: Some(
            "aws elbv2 register-targets --target-group-arn <ARN> --targets Id=<ID>,Port=<PORT>",
        ),
    }],
    references: &[GROUP_DOCS, TROUBLE_DOCS],
};

impl Audit for AlbTargetGroupEmpty {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for group in groups(view) {
            let draining = group.in_state("draining").len();
            let empty = draining == group.targets.len();
            if !empty || is_routed(view, group.group) != Some(true) {
                continue;
            }
            let then = no_target_answer(view);
            let message = match draining {
                0 => format!("No target is registered: {then}."),
                _ => format!(
                    "All that is registered is draining ({}): {then}.",
                    count(draining)
                ),
            };
            let found = Found {
                message,
                reproduce: vec![describe_health(view, group.group)],
                ..Found::default()
            };
            out.about(group_subject(group.group), found);
        }
    }
}
