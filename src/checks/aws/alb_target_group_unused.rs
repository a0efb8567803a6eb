use super::targets::{GROUP_DOCS, describe_group, is_named};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbTargetGroupUnused;

static RULE: Rule = Rule {
    id: "alb-target-group-unused",
    title: "No listener and no rule names a target group",
    severity: Severity::Info,
    what: "A target group that belongs to the load balancer is named by none of its listeners and rules, not \
           even with weight 0. Told only where all rules were read.",
    why: "Its targets are not checked and get nothing: their state is `unused`, whatever they do.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Forward to it, or delete it.",
        snippet: Some("aws elbv2 delete-target-group --target-group-arn <ARN>"),
    }],
    references: &[GROUP_DOCS],
};

impl Audit for AlbTargetGroupUnused {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for group in view.target_groups() {
            if is_named(view, group) == Some(false) {
                let found = Found {
                    message: "No listener and no rule sends anything there.".into(),
                    reproduce: vec![describe_group(view, group)],
                    ..Found::default()
                };
                out.about(group_subject(group), found);
            }
        }
    }
}
