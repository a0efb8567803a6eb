//! The load balancer counts failed handshakes with its targets.

use super::metrics::{METRIC_DOCS, NETWORK_METRIC_DOCS, counted, events, lines, statistics};
use super::targets::TROUBLE_DOCS;
use super::{Audit, AuditView, Audited};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbMetricsTargetTlsErrors;

static RULE: Rule = Rule {
    id: "alb-metrics-target-tls-errors",
    title: "Handshakes between load balancer and targets fail",
    severity: Severity::Medium,
    what: "CloudWatch's TargetTLSNegotiationErrorCount of the last hours (three, where this program asks) is not zero: \
           the load balancer began a TLS handshake with a target, and no session came of it.",
    why: "Each of them is a request that ends with 502, or a health check that fails. The versions or the suites have \
          nothing in common, the target wants a server name or a client certificate, or it speaks no TLS; its \
          certificate is never the reason, since load balancers do not validate it. A deployment of the targets \
          can have been all there was.",
    fix: &[RuleFix {
        product: "any",
        text: "Probe the targets from where they can be reached: the findings about target groups name the \
               cause.",
        snippet: Some("gladhand check <TARGET>:<PORT> --as alb"),
    }],
    references: &[METRIC_DOCS, NETWORK_METRIC_DOCS, TROUBLE_DOCS],
};

impl Audit for AlbMetricsTargetTlsErrors {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        const METRIC: &str = "TargetTLSNegotiationErrorCount";
        let Some(errors) = counted(view, METRIC) else {
            return;
        };
        out.push(Found {
            message: format!(
                "CloudWatch counts {} with targets.",
                events(errors, "failed TLS handshake", "failed TLS handshakes")
            ),
            seen: lines(view, &[METRIC, "HTTPCode_ELB_502_Count", "RequestCount"]),
            reproduce: vec![statistics(view, METRIC)],
            ..Found::default()
        });
    }
}
