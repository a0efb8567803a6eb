//! Logs of the load balancer are not delivered to S3.

use gladhand_probes::aws::inventory::{Listener, LoadBalancerType};

use super::commands::attributes;
use super::{Audit, AuditView, Audited};
use crate::checks::support::enumeration;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbLogsOff;

static RULE: Rule = Rule {
    id: "alb-logs-off",
    title: "Logs of the load balancer are not delivered to S3",
    severity: Severity::Low,
    what: "The delivery of access logs to S3 is off; on an Application Load Balancer also that of connection \
           logs and health check logs, which alone is info. Of a Network Load Balancer it counts only where a \
           listener has TLS: there are no access logs of others. Logs that go through CloudWatch Logs' vended \
           delivery are not seen.",
    why: "A client's failed handshake is nowhere but in the connection log, a target's 502 nowhere but in the \
          access log, and the reason of a failed health check nowhere but in the health check log. What was \
          not logged when it happened cannot be looked up afterwards.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Name a bucket whose policy lets the load balancer write; the same with connection_logs and \
                   health_check_logs.",
            snippet: Some(
                "aws elbv2 modify-load-balancer-attributes --load-balancer-arn <ARN> --attributes Key=access_logs.s3.enabled,Value=true Key=access_logs.s3.bucket,Value=<BUCKET>",
            ),
        },
        RuleFix {
            product: "AWS CLB",
            text: "Of a Classic Load Balancer.",
            snippet: Some(
                "aws elb modify-load-balancer-attributes --load-balancer-name <NAME> --load-balancer-attributes '{\"AccessLog\":{\"Enabled\":true,\"S3BucketName\":\"<BUCKET>\",\"EmitInterval\":5}}'",
            ),
        },
        RuleFix {
            product: "Terraform",
            text: "Blocks `access_logs` and `connection_logs` in the `aws_lb`.",
            snippet: Some(
                "access_logs {\n\
                 bucket = aws_s3_bucket.logs.id\n\
                 enabled = true\n\
                 }",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-connection-logs.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html",
    ],
};

/// The attributes that switch deliveries on, and what they deliver.
const LOGS: [(&str, &str); 3] = [
    ("access_logs.s3.enabled", "access logs"),
    ("connection_logs.s3.enabled", "connection logs"),
    ("health_check_logs.s3.enabled", "health check logs"),
];

impl Audit for AlbLogsOff {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        let network = view.balancer.kind == LoadBalancerType::Network;
        if network && !view.listeners().any(Listener::has_tls) {
            return;
        }
        // An attribute that the type does not have is none.
        let off = LOGS
            .iter()
            .filter(|(key, _)| view.balancer.attribute(key) == Some("false"));
        let off: Vec<&str> = off.map(|(_, what)| *what).collect();
        if off.is_empty() {
            return;
        }
        out.push(Found {
            message: format!("The delivery of {} to S3 is off.", enumeration(&off)),
            reproduce: vec![attributes(view, "logs.s3")],
            severity: (!off.contains(&LOGS[0].1)).then_some(Severity::Info),
            ..Found::default()
        });
    }
}
