//! The load balancer is not active.

use gladhand_probes::untrusted::Untrusted;

use super::commands::aws;
use super::{Audit, AuditView, Audited};
use crate::checks::support::quote;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbNotActive;

static RULE: Rule = Rule {
    id: "alb-not-active",
    title: "The load balancer is not active",
    severity: Severity::High,
    what: "AWS tells another state of the load balancer than active: active_impaired, which routes traffic and \
           has not the resources that it needs to scale; failed, which could not be set up (critical); or \
           provisioning (info).",
    why: "While it is being set up it takes no traffic. One that is impaired most often wants free addresses \
          in its subnets: it needs 8 in each to grow, and refuses connections when it cannot.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "See the reason and whether subnets have addresses left; free some, or put the load balancer \
                   into larger subnets.",
            snippet: Some(
                "aws ec2 describe-subnets --subnet-ids <SUBNETS> --query 'Subnets[].[SubnetId,AvailableIpAddressCount]'",
            ),
        },
        RuleFix {
            product: "AWS",
            text: "Delete one that has failed, and create it anew: it does not recover.",
            snippet: None,
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#load-balancer-state",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerState.html",
    ],
};

impl Audit for AlbNotActive {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        let severity = match view.balancer.state.as_deref() {
            Some("active_impaired") => Severity::High,
            Some("failed") => Severity::Critical,
            Some("provisioning") => Severity::Info,
            _ => return,
        };
        let state = view.balancer.state.as_deref().unwrap_or_default();
        let reason = view
            .balancer
            .state_reason
            .as_deref()
            .filter(|reason| !reason.is_empty());
        let arn = quote(&view.balancer.arn);
        let command = format!(
            "elbv2 describe-load-balancers --load-balancer-arns {arn} --query 'LoadBalancers[].State'"
        );
        out.push(Found {
            message: format!("The state of the load balancer is {state}."),
            seen: reason
                .map(|reason| Untrusted::from(reason).to_string())
                .into_iter()
                .collect(),
            reproduce: vec![aws(view, &command)],
            severity: Some(severity),
            ..Found::default()
        });
    }
}
