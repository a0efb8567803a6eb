//! The load balancer counts what it could not take.

use super::metrics::{
    CLASSIC_METRIC_DOCS, METRIC_DOCS, NETWORK_METRIC_DOCS, counted, events, statistics,
};
use super::{Audit, AuditView, Audited};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbMetricsRejected;

static RULE: Rule = Rule {
    id: "alb-metrics-rejected",
    title: "The load balancer turned connections or requests away",
    severity: Severity::Medium,
    what: "CloudWatch counted in the last hours what the load balancer could not take: RejectedConnectionCount (the \
           most connections that there can be), RejectedFlowCount and PortAllocationErrorCount (no port left \
           towards a target) of a Network Load Balancer, SpilloverCount (a full queue) of a Classic one.",
    why: "Clients see a reset, a timeout or 503, while every target is healthy and no log has the request.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Give the load balancer more targets or zones; where ports ran out, add targets to the group: each \
               has ports of its own.",
        snippet: Some(
            "aws elbv2 register-targets --target-group-arn <ARN> --targets Id=<ID>,Port=<PORT>",
        ),
    }],
    references: &[METRIC_DOCS, NETWORK_METRIC_DOCS, CLASSIC_METRIC_DOCS],
};

impl Audit for AlbMetricsRejected {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        let counters = [
            (
                "RejectedConnectionCount",
                "rejected connection",
                "rejected connections",
            ),
            (
                "RejectedFlowCount",
                "rejected connection",
                "rejected connections",
            ),
            (
                "PortAllocationErrorCount",
                "connection for which no port towards a target was left",
                "connections for which no port towards a target was left",
            ),
            (
                "SpilloverCount",
                "request that found the queue full",
                "requests that found the queue full",
            ),
        ];
        for (metric, one, many) in counters {
            let Some(times) = counted(view, metric) else {
                continue;
            };
            out.push(Found {
                key: metric.into(),
                message: format!("CloudWatch counts {}.", events(times, one, many)),
                reproduce: vec![statistics(view, metric)],
                ..Found::default()
            });
        }
    }
}
