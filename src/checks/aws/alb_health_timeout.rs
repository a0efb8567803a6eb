use gladhand_probes::aws::inventory::Target;

use super::network::blocked_by;
use super::targets::{Group, HEALTH_DOCS, TROUBLE_DOCS, share, unhealthy_by, verb};
use super::{Audit, AuditView, Audited};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbHealthTimeout;

static RULE: Rule = Rule {
    id: "alb-health-timeout",
    title: "Health checks time out",
    severity: Severity::High,
    what: "Targets are unhealthy with `Target.Timeout`: no answer within the health check's timeout. Medium \
           where other targets of the group are healthy, low where nothing is sent to the group. Where a \
           security group or a network ACL that was read drops the packets, a rule of its own tells it.",
    why: "Packets that are dropped on the way look so, as does a target that accepts and does not answer in \
          time. Requests to such a target wait 10 s for the connection and end with 504.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Let the load balancer reach the health check's port: its security group's egress, the \
                   targets' ingress, both subnets' network ACLs. Routes and firewalls of the target itself \
                   can drop it, too. Then give a slow answer more time.",
            snippet: Some(
                "aws elbv2 modify-target-group --target-group-arn <ARN> --health-check-timeout-seconds 10",
            ),
        },
        RuleFix {
            product: "any",
            text: "See on the target whether the check arrives, and how long the answer takes.",
            snippet: Some("tcpdump -ni any 'tcp port 8443'"),
        },
    ],
    references: &[HEALTH_DOCS, TROUBLE_DOCS],
};

impl Audit for AlbHealthTimeout {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        unhealthy_by(view, "Target.Timeout", out, |group, targets| {
            tell(view, group, targets)
        });
    }
}

fn tell(view: &AuditView<'_>, group: Group<'_>, targets: &[&Target]) -> Found {
    let check = &group.group.health_check;
    let within = match check.timeout {
        Some(seconds) => format!("within {seconds} s"),
        None => "in time".into(),
    };
    let (part, all) = (targets.len(), group.targets.len());
    let cause = blocked_by(view, group.group, targets);
    let answers = match (part, all) {
        (part, all) if part == all => "No target answers".to_owned(),
        (part, all) => format!(
            "{} {} not answer",
            share(part, all),
            verb(part, "does", "do")
        ),
    };
    Found {
        message: format!("{answers} the health check {within}."),
        seen: cause.iter().map(|rule| format!("see {rule}")).collect(),
        ..Found::default()
    }
}
