use gladhand_probes::aws::inventory::LoadBalancerType;

use super::targets::{ATTRIBUTE_DOCS, describe_attributes};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

const DELAY: &str = "deregistration_delay.timeout_seconds";

/// Seconds; AWS's default is 300, the most 3600.
const LONG: u32 = 900;

pub(super) struct AlbDeregistrationDelayLong;

static RULE: Rule = Rule {
    id: "alb-deregistration-delay-long",
    title: "Targets take long to be deregistered",
    severity: Severity::Info,
    what: "The deregistration delay of an Application Load Balancer's target group is more than 900 s. AWS's \
           default is 300 s.",
    why: "Where connections stay busy, a deployment waits that long for each target: ECS stops the old task, and \
          CloudFormation goes on, only then.",
    fix: &[RuleFix {
        product: "AWS",
        text: "As long as the slowest request takes is enough.",
        snippet: Some(
            "aws elbv2 modify-target-group-attributes --target-group-arn <ARN> --attributes Key=deregistration_delay.timeout_seconds,Value=300",
        ),
    }],
    references: &[ATTRIBUTE_DOCS],
};

impl Audit for AlbDeregistrationDelayLong {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        if view.balancer.kind != LoadBalancerType::Application {
            return;
        }
        for group in view.target_groups() {
            let seconds = group
                .attribute(DELAY)
                .and_then(|value| value.parse::<u32>().ok());
            let Some(seconds) = seconds.filter(|seconds| *seconds > LONG) else {
                continue;
            };
            let found = Found {
                message: format!("The deregistration delay is {seconds} s."),
                seen: vec![format!("{DELAY}: {seconds}")],
                reproduce: vec![describe_attributes(view, group)],
                ..Found::default()
            };
            out.about(group_subject(group), found);
        }
    }
}
