//! The idle timeout is so short that slow answers end in 504.

use super::commands::attributes;
use super::{Audit, AuditView, Audited};
use crate::checks::support::plural;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbIdleTimeoutShort;

/// Seconds below which it is odd.
const SHORT: u32 = 10;

static RULE: Rule = Rule {
    id: "alb-idle-timeout-short",
    title: "The idle timeout is very short",
    severity: Severity::Low,
    what: "The idle timeout of an Application or Classic Load Balancer is less than 10 seconds; the default is \
           60.",
    why: "It is also how long a target may take for the first byte of its answer, and between two of them: \
          the load balancer gives up then and answers 504. Connections of clients are closed as early, so \
          that each pause costs a new handshake.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Set it above what the slowest request takes, and below the keep-alive timeout of the \
                   targets.",
            snippet: Some(
                "aws elbv2 modify-load-balancer-attributes --load-balancer-arn <ARN> --attributes Key=idle_timeout.timeout_seconds,Value=60",
            ),
        },
        RuleFix {
            product: "AWS CLB",
            text: "Of a Classic Load Balancer.",
            snippet: Some(
                "aws elb modify-load-balancer-attributes --load-balancer-name <NAME> --load-balancer-attributes '{\"ConnectionSettings\":{\"IdleTimeout\":60}}'",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#connection-idle-timeout",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html#http-504-issues",
    ],
};

impl Audit for AlbIdleTimeoutShort {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        if let Some(seconds) = view
            .balancer
            .idle_timeout()
            .filter(|seconds| *seconds < SHORT)
        {
            out.push(Found {
                message: format!(
                    "The idle timeout is {}: a slower answer ends in 504.",
                    plural(seconds.into(), "second")
                ),
                reproduce: vec![attributes(view, "idle_timeout")],
                ..Found::default()
            });
        }
    }
}
