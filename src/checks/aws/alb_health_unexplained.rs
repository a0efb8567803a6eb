use super::targets::{HEALTH_DOCS, describe_health, described, groups, share, verb};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// The reasons that rules of their own tell.
const TOLD: [&str; 4] = [
    "Target.ResponseCodeMismatch",
    "Target.Timeout",
    "Target.FailedHealthChecks",
    "Elb.InternalError",
];

pub(super) struct AlbHealthUnexplained;

static RULE: Rule = Rule {
    id: "alb-health-unexplained",
    title: "Targets are unhealthy, and AWS does not say why",
    severity: Severity::High,
    what: "Targets are unhealthy without a reason, or with one that no other rule explains; Classic Load \
           Balancers never say more. Medium where other targets of the group are healthy, low where nothing is \
           sent to the group.",
    why: "They get no requests, unless all are unhealthy and the load balancer sends to all of them.",
    fix: &[RuleFix {
        product: "any",
        text: "Ask the target as the health check does, from a machine in the load balancer's subnets: same \
               protocol, port and path, the target's address as Host.",
        snippet: Some("curl -skv -A ELB-HealthChecker/2.0 https://10.0.1.25:8443/health"),
    }],
    references: &[
        HEALTH_DOCS,
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/ts-elb-healthcheck.html",
    ],
};

impl Audit for AlbHealthUnexplained {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for group in groups(view) {
            let mut affected = group.in_state("unhealthy");
            affected.retain(|target| {
                let reason = target.reason.as_deref().unwrap_or_default();
                !TOLD.contains(&reason)
            });
            if affected.is_empty() {
                continue;
            }
            let (part, all) = (affected.len(), group.targets.len());
            let (share, is) = (share(part, all), verb(part, "is", "are"));
            let found = Found {
                message: format!("{share} {is} unhealthy, for no reason that AWS explains."),
                seen: described(&affected),
                reproduce: vec![describe_health(view, group.group)],
                severity: Some(group.severity(view)),
                ..Found::default()
            };
            out.about(group_subject(group.group), found);
        }
    }
}
