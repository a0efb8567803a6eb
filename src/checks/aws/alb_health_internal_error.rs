use gladhand_probes::aws::inventory::Target;

use super::targets::{Group, HEALTH_DOCS, share, unhealthy_by, verb};
use super::{Audit, AuditView, Audited};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbHealthInternalError;

static RULE: Rule = Rule {
    id: "alb-health-internal-error",
    title: "Health checks fail by an error of AWS's own",
    severity: Severity::High,
    what: "Targets are unhealthy with `Elb.InternalError`. Medium where other targets of the group are healthy, \
           low where nothing is sent to the group.",
    why: "The target was not the reason, as far as AWS tells; it gets no requests all the same.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Look at the Personal Health Dashboard. Where it lasts, register the target anew, and open a case \
               with the ARN of the target group.",
        snippet: Some(
            "aws elbv2 register-targets --target-group-arn <ARN> --targets Id=<ID>,Port=<PORT>",
        ),
    }],
    references: &[HEALTH_DOCS],
};

impl Audit for AlbHealthInternalError {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        unhealthy_by(view, "Elb.InternalError", out, tell);
    }
}

fn tell(group: Group<'_>, targets: &[&Target]) -> Found {
    let (part, all) = (targets.len(), group.targets.len());
    let (share, is) = (share(part, all), verb(part, "is", "are"));
    Found {
        message: format!("{share} {is} unhealthy by an error inside AWS."),
        ..Found::default()
    }
}
