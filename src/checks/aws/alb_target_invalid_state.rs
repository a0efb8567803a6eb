use super::targets::{GROUP_DOCS, HEALTH_DOCS, describe_health, described, groups, share, verb};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbTargetInvalidState;

static RULE: Rule = Rule {
    id: "alb-target-invalid-state",
    title: "Targets are instances that do not run",
    severity: Severity::High,
    what: "Targets are unused with `Target.InvalidState`: the instance is stopped or terminated. Medium where \
           other targets of the group are healthy, low where nothing is sent to the group.",
    why: "They get no requests. Where all targets are so, clients get 503, and nothing fails open.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Start the instance, or deregister it.",
        snippet: Some(
            "aws elbv2 deregister-targets --target-group-arn <ARN> --targets Id=<INSTANCE>",
        ),
    }],
    references: &[GROUP_DOCS, HEALTH_DOCS],
};

impl Audit for AlbTargetInvalidState {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for group in groups(view) {
            let affected = group.with_reason("unused", "Target.InvalidState");
            if affected.is_empty() {
                continue;
            }
            let (part, all) = (affected.len(), group.targets.len());
            let (share, is) = (share(part, all), verb(part, "is", "are"));
            let then = group.consequence(view);
            let found = Found {
                message: format!("{share} {is} stopped or terminated{then}."),
                seen: described(&affected),
                reproduce: vec![describe_health(view, group.group)],
                severity: Some(group.severity(view)),
                ..Found::default()
            };
            out.about(group_subject(group.group), found);
        }
    }
}
