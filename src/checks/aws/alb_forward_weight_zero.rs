//! A forward action gives no target group a share.

use super::commands::rules as describe;
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbForwardWeightZero;

static RULE: Rule = Rule {
    id: "alb-forward-weight-zero",
    title: "A forward action gives no target group a share",
    severity: Severity::High,
    what: "An action forwards to several target groups, and each has the weight 0. One target group with the \
           weight 0 beside others is how blue and green are switched, and right.",
    why: "A target group of weight 0 gets no requests. It happens where a deployment was broken off in the \
          middle of the switch, or where two tools set one weight each.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Give the target group that is in service a weight above 0.",
        snippet: Some(
            "aws elbv2 modify-rule --rule-arn <RULE ARN> --actions 'Type=forward,ForwardConfig={TargetGroups=[{TargetGroupArn=<BLUE ARN>,Weight=100},{TargetGroupArn=<GREEN ARN>,Weight=0}]}'",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupTuple.html",
    ],
};

impl Audit for AlbForwardWeightZero {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for listener in view.listeners() {
            let rules = listener.rules.read().into_iter().flatten();
            let rules = rules.map(|rule| (format!("rule {}", rule.priority), &rule.actions));
            let default = ("the default action".to_owned(), &listener.default_actions);
            for (who, actions) in rules.chain([default]) {
                let nothing = actions.iter().any(|action| {
                    let groups = &action.target_groups;
                    groups.len() > 1 && groups.iter().all(|group| group.weight == 0)
                });
                if nothing {
                    let found = Found {
                        key: who.clone(),
                        message: format!("All target groups of {who} have the weight 0."),
                        reproduce: vec![describe(view, listener)],
                        ..Found::default()
                    };
                    out.about(listener_subject(listener), found);
                }
            }
        }
    }
}
