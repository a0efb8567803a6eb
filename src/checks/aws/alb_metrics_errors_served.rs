//! The load balancer counts errors that it answered with itself.

use super::metrics::{
    CLASSIC_METRIC_DOCS, METRIC_DOCS, counted, events, lines, of_requests, statistics, sum,
};
use super::targets::TROUBLE_DOCS;
use super::{Audit, AuditView, Audited};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbMetricsErrorsServed;

static RULE: Rule = Rule {
    id: "alb-metrics-errors-served",
    title: "The load balancer itself answered with 502, 503 or 504",
    severity: Severity::Medium,
    what: "CloudWatch counted answers of the load balancer's own with 502, 503 or 504 in the last hours; of a Classic \
           one, with any 5xx. Low where it is less than one of 10 000 requests. What targets answered themselves \
           is not in these numbers.",
    why: "502: the connection or the handshake with the target failed, or the target closed or answered with what \
          is no valid HTTP. 503: there was no target to send to. 504: a connection, a handshake or an answer took \
          too long. Which of them, the numbers of failed connections and handshakes tell beside it: where both \
          are zero, it happens on connections that are open.",
    fix: &[
        RuleFix {
            product: "any",
            text: "502 without failed connections and handshakes: let the target keep idle connections longer than \
               the load balancer, and end no answer early.",
            snippet: None,
        },
        RuleFix {
            product: "AWS",
            text: "In the access log, target_status_code `-` beside elb_status_code 502 or 504 names requests and \
               targets.",
            snippet: Some(
                "aws elbv2 modify-load-balancer-attributes --load-balancer-arn <ARN> --attributes Key=access_logs.s3.enabled,Value=true Key=access_logs.s3.bucket,Value=<BUCKET>",
            ),
        },
    ],
    references: &[METRIC_DOCS, CLASSIC_METRIC_DOCS, TROUBLE_DOCS],
};

/// The metrics, and what clients got.
const SERVED: [(&str, &str); 4] = [
    ("HTTPCode_ELB_502_Count", "502"),
    ("HTTPCode_ELB_503_Count", "503"),
    ("HTTPCode_ELB_504_Count", "504"),
    ("HTTPCode_ELB_5XX", "5xx"),
];

const CONNECTIONS: &str = "TargetConnectionErrorCount";

const HANDSHAKES: &str = "TargetTLSNegotiationErrorCount";

impl Audit for AlbMetricsErrorsServed {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for (metric, status) in SERVED {
            let Some(errors) = counted(view, metric) else {
                continue;
            };
            let requests = sum(view, "RequestCount");
            let few = requests.is_some_and(|all| errors * 10_000.0 < all);
            let mut seen = lines(
                view,
                &[metric, CONNECTIONS, HANDSHAKES, "BackendConnectionErrors"],
            );
            seen.extend(meaning(view, status).map(str::to_owned));
            out.push(Found {
                key: status.into(),
                message: format!(
                    "CloudWatch counts {} with {status} by the load balancer itself{}.",
                    events(errors, "answer", "answers"),
                    of_requests(view)
                ),
                seen,
                reproduce: vec![statistics(view, metric)],
                severity: few.then_some(Severity::Low),
                ..Found::default()
            });
        }
    }
}

/// What the numbers beside it leave as the reason.
fn meaning(view: &AuditView<'_>, status: &str) -> Option<&'static str> {
    let connections = sum(view, CONNECTIONS)? > 0.0;
    let handshakes = sum(view, HANDSHAKES)? > 0.0;
    match (status, connections, handshakes) {
        ("502", false, false) => Some(
            "no connection and no handshake with a target failed: targets close open connections, or answer \
             with what is no valid HTTP",
        ),
        ("502", false, true) => Some("handshakes with targets fail, connections do not"),
        ("502", true, false) => Some("connections to targets fail, handshakes do not"),
        ("504", false, _) => Some("every connection was made: targets do not answer in time"),
        _ => None,
    }
}
