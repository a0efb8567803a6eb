//! The load balancer counts failed connections to its targets.

use super::metrics::{CLASSIC_METRIC_DOCS, METRIC_DOCS, counted, events, lines, statistics};
use super::targets::TROUBLE_DOCS;
use super::{Audit, AuditView, Audited};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbMetricsTargetConnectionErrors;

static RULE: Rule = Rule {
    id: "alb-metrics-target-connection-errors",
    title: "Connections between load balancer and targets fail",
    severity: Severity::Medium,
    what: "CloudWatch's TargetConnectionErrorCount of the last hours is not zero, or a Classic Load Balancer's \
           BackendConnectionErrors: connections to targets were not established. Health checks are not counted.",
    why: "A refused connection ends with 502, one that is not answered within 10 s with 504. Nothing listens on the \
          traffic port, its backlog is full, or a security group, network ACL or firewall stands between. A \
          deployment that stops targets before they are deregistered looks the same.",
    fix: &[RuleFix {
        product: "any",
        text: "See on the target that something listens on the traffic port, and whether its queue of \
               connections (Recv-Q) is full.",
        snippet: Some("ss -ltn"),
    }],
    references: &[METRIC_DOCS, CLASSIC_METRIC_DOCS, TROUBLE_DOCS],
};

impl Audit for AlbMetricsTargetConnectionErrors {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for metric in ["TargetConnectionErrorCount", "BackendConnectionErrors"] {
            let Some(errors) = counted(view, metric) else {
                continue;
            };
            let beside = [
                metric,
                "HTTPCode_ELB_502_Count",
                "HTTPCode_ELB_504_Count",
                "HTTPCode_ELB_5XX",
                "RequestCount",
            ];
            out.push(Found {
                message: format!(
                    "CloudWatch counts {} to targets.",
                    events(errors, "failed connection", "failed connections")
                ),
                seen: lines(view, &beside),
                reproduce: vec![statistics(view, metric)],
                ..Found::default()
            });
        }
    }
}
