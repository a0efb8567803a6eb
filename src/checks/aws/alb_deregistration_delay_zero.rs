use gladhand_probes::aws::inventory::{LoadBalancerType, TargetGroup};

use super::targets::{ATTRIBUTE_DOCS, aws_command, describe_attributes};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::support::quote;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::{Fix, Severity};

const DELAY: &str = "deregistration_delay.timeout_seconds";

pub(super) struct AlbDeregistrationDelayZero;

static RULE: Rule = Rule {
    id: "alb-deregistration-delay-zero",
    title: "Requests are cut off when a target is deregistered",
    severity: Severity::Low,
    what: "The deregistration delay of a target group is 0 s; of a Network Load Balancer's only where \
           `deregistration_delay.connection_termination.enabled` is on. A Classic Load Balancer's connection \
           draining is off.",
    why: "A deployment or a scale-in ends what is under way on the target: clients see 502 or a reset, a few at \
          each deployment.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Give requests as long as the slowest of them takes.",
        snippet: Some(
            "aws elbv2 modify-target-group-attributes --target-group-arn <ARN> --attributes Key=deregistration_delay.timeout_seconds,Value=30",
        ),
    }],
    references: &[
        ATTRIBUTE_DOCS,
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/config-conn-drain.html",
    ],
};

impl Audit for AlbDeregistrationDelayZero {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        if view.balancer.kind == LoadBalancerType::Classic {
            if view.balancer.attribute("connection_draining.enabled") == Some("false") {
                out.push(classic(view));
            }
            return;
        }
        for group in view.target_groups() {
            if group.attribute(DELAY) == Some("0") && cuts(view, group) {
                let found = Found {
                    message: "The deregistration delay is 0 s.".into(),
                    seen: vec![format!("{DELAY}: 0")],
                    reproduce: vec![describe_attributes(view, group)],
                    ..Found::default()
                };
                out.about(group_subject(group), found);
            }
        }
    }
}

/// Whether the end of the delay ends connections: an NLB leaves them, unless it is told otherwise.
fn cuts(view: &AuditView<'_>, group: &TargetGroup) -> bool {
    let ends = "deregistration_delay.connection_termination.enabled";
    let probed = matches!(group.target_type.as_str(), "instance" | "ip");
    match view.balancer.kind {
        LoadBalancerType::Application => probed,
        _ => probed && group.attribute(ends) == Some("true"),
    }
}

fn classic(view: &AuditView<'_>) -> Found {
    let name = quote(&view.balancer.name);
    let read = format!("elb describe-load-balancer-attributes --load-balancer-name {name}");
    let change = "aws elb modify-load-balancer-attributes --load-balancer-name";
    let value = r#"'{"ConnectionDraining":{"Enabled":true,"Timeout":30}}'"#;
    Found {
        message: "Connection draining is off.".into(),
        reproduce: vec![aws_command(view, &read)],
        fix: vec![Fix {
            product: "AWS".into(),
            text: "Switch connection draining on.".into(),
            snippet: Some(format!(
                "{change} {name} --load-balancer-attributes {value}"
            )),
        }],
        ..Found::default()
    }
}
