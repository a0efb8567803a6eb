use super::targets::{GROUP_DOCS, HEALTH_DOCS, describe_health, described, groups, share, verb};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbTargetIpUnusable;

static RULE: Rule = Rule {
    id: "alb-target-ip-unusable",
    title: "A target is an address that a load balancer uses itself",
    severity: Severity::High,
    what: "Targets are unused with `Target.IpUnusable`: the address belongs to a load balancer. Medium where \
           other targets of the group are healthy, low where nothing is sent to the group.",
    why: "A load balancer's addresses change and cannot be targets, so the target never gets requests.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Deregister it, and register what it was meant for: the addresses behind that load balancer; \
               before an Application Load Balancer, a Network Load Balancer with a target group of type `alb`.",
        snippet: Some(
            "aws elbv2 deregister-targets --target-group-arn <ARN> --targets Id=<ADDRESS>,Port=<PORT>",
        ),
    }],
    references: &[GROUP_DOCS, HEALTH_DOCS],
};

impl Audit for AlbTargetIpUnusable {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for group in groups(view) {
            let affected = group.with_reason("unused", "Target.IpUnusable");
            if affected.is_empty() {
                continue;
            }
            let (part, all) = (affected.len(), group.targets.len());
            let (share, is) = (
                share(part, all),
                verb(part, "is the address", "are addresses"),
            );
            let then = group.consequence(view);
            let found = Found {
                message: format!("{share} {is} of a load balancer, and unused{then}."),
                seen: described(&affected),
                reproduce: vec![describe_health(view, group.group)],
                severity: Some(group.severity(view)),
                ..Found::default()
            };
            out.about(group_subject(group.group), found);
        }
    }
}
