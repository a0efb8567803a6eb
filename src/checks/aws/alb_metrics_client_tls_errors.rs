//! The load balancer counts failed handshakes of clients.

use super::metrics::{METRIC_DOCS, NETWORK_METRIC_DOCS, counted, events, lines, statistics, sum};
use super::{Audit, AuditView, Audited};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbMetricsClientTlsErrors;

static RULE: Rule = Rule {
    id: "alb-metrics-client-tls-errors",
    title: "Handshakes of clients fail",
    severity: Severity::Info,
    what: "CloudWatch's ClientTLSNegotiationErrorCount of the last hours is not zero: clients began a TLS handshake, \
           and no session came of it. Low at a Network Load Balancer where more fail than complete \
           (NewFlowCount_TLS).",
    why: "Scanners fail at every address that the Internet knows, so a few mean nothing. Many mean clients that are \
          too old for the policy, that do not trust the certificate, or that have no client certificate where \
          one is wanted. The metric does not say which.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Let connection logs tell who fails, and by what (TLS access logs, of a Network Load Balancer).",
        snippet: Some(
            "aws elbv2 modify-load-balancer-attributes --load-balancer-arn <ARN> --attributes Key=connection_logs.s3.enabled,Value=true Key=connection_logs.s3.bucket,Value=<BUCKET>",
        ),
    }],
    references: &[METRIC_DOCS, NETWORK_METRIC_DOCS],
};

impl Audit for AlbMetricsClientTlsErrors {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        const METRIC: &str = "ClientTLSNegotiationErrorCount";
        const FLOWS: &str = "NewFlowCount_TLS";
        let Some(errors) = counted(view, METRIC) else {
            return;
        };
        let most = sum(view, FLOWS).is_some_and(|completed| errors > completed);
        out.push(Found {
            message: format!(
                "CloudWatch counts {} of clients.",
                events(errors, "failed TLS handshake", "failed TLS handshakes")
            ),
            seen: lines(view, &[METRIC, FLOWS, "RequestCount"]),
            reproduce: vec![statistics(view, METRIC)],
            severity: most.then_some(Severity::Low),
            ..Found::default()
        });
    }
}
