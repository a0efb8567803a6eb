use super::targets::{HEALTH_DOCS, count, describe_health, described, groups};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbTargetsInTransition;

static RULE: Rule = Rule {
    id: "alb-targets-in-transition",
    title: "Targets are coming or going",
    severity: Severity::Info,
    what: "Targets are `initial`, registered and not yet checked often enough, or `draining`, deregistered and \
           finishing what they have. Where a group has no others but draining ones, another rule tells it.",
    why: "That is a deployment or a scaling under way: they count neither as healthy nor as unhealthy, and the \
          picture changes within minutes. A target that stays `initial` was registered over and over.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Look again when it is over. A target is healthy after healthy-threshold checks at the interval; \
               fewer make it faster.",
        snippet: Some(
            "aws elbv2 modify-target-group --target-group-arn <ARN> --healthy-threshold-count 2 --health-check-interval-seconds 10",
        ),
    }],
    references: &[HEALTH_DOCS],
};

impl Audit for AlbTargetsInTransition {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for group in groups(view) {
            let coming = group.in_state("initial");
            let going = group.in_state("draining");
            if going.len() == group.targets.len() || coming.is_empty() && going.is_empty() {
                continue;
            }
            let message = match (coming.len(), going.len()) {
                (coming, 0) => format!("{} not yet checked.", count(coming)),
                (0, going) => format!("{} draining.", count(going)),
                (coming, going) => {
                    format!("{} not yet checked, {going} draining.", count(coming))
                }
            };
            let mut seen = described(&coming);
            seen.extend(described(&going));
            let found = Found {
                message,
                seen,
                reproduce: vec![describe_health(view, group.group)],
                ..Found::default()
            };
            out.about(group_subject(group.group), found);
        }
    }
}
