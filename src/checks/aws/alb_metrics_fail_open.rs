//! The load balancer counts what it sent to targets that were not healthy.

use super::metrics::{METRIC_DOCS, NETWORK_METRIC_DOCS, counted, events, of_requests, statistics};
use super::targets::HEALTH_DOCS;
use super::{Audit, AuditView, Audited};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbMetricsFailOpen;

static RULE: Rule = Rule {
    id: "alb-metrics-fail-open",
    title: "Requests went to targets that are not healthy",
    severity: Severity::Medium,
    what: "CloudWatch's UnhealthyRoutingRequestCount of the last hours is not zero, or a Network Load Balancer's \
           UnhealthyRoutingFlowCount: a target group had too few healthy targets, and the load balancer sent to \
           all of them (fail-open).",
    why: "While it lasts, health checks protect nobody: clients get whatever broken targets answer. It may be over by \
          now; the state of the targets is of this moment, the metric is not.",
    fix: &[RuleFix {
        product: "AWS",
        text: "See when it was, and what happened to the targets then: a deployment, a health check on \
               something that all targets share.",
        snippet: Some("aws elbv2 describe-target-health --target-group-arn <ARN>"),
    }],
    references: &[METRIC_DOCS, NETWORK_METRIC_DOCS, HEALTH_DOCS],
};

impl Audit for AlbMetricsFailOpen {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        let counters = [
            ("UnhealthyRoutingRequestCount", "request", "requests"),
            ("UnhealthyRoutingFlowCount", "connection", "connections"),
        ];
        for (metric, one, many) in counters {
            let Some(sent) = counted(view, metric) else {
                continue;
            };
            let all = match one {
                "request" => of_requests(view),
                _ => String::new(),
            };
            out.push(Found {
                message: format!(
                    "CloudWatch counts {} sent while too few targets were healthy (fail-open){all}.",
                    events(sent, one, many)
                ),
                reproduce: vec![statistics(view, metric)],
                ..Found::default()
            });
        }
    }
}
