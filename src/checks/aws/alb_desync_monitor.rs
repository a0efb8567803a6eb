//! The load balancer passes on requests that can be used for desync attacks.

use super::commands::attributes;
use super::{Audit, AuditView, Audited};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbDesyncMonitor;

/// The attribute, of Application and Classic Load Balancers.
const ATTRIBUTE: &str = "routing.http.desync_mitigation_mode";

static RULE: Rule = Rule {
    id: "alb-desync-monitor",
    title: "Requests that can desynchronise targets are passed on",
    severity: Severity::Medium,
    what: "The desync mitigation mode of an Application or Classic Load Balancer is monitor. The default is \
           defensive.",
    why: "Requests that are ambiguous about where they end (two lengths, chunks and a length) go to the \
          targets as they are. Where load balancer and target read them differently, a part of one client's \
          request becomes the beginning of another's: request smuggling.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Look at DesyncMitigationMode_NonCompliant_Request_Count and at the access log's \
                   classification for who sends such requests, then switch to defensive.",
            snippet: Some(
                "aws elbv2 modify-load-balancer-attributes --load-balancer-arn <ARN> --attributes Key=routing.http.desync_mitigation_mode,Value=defensive",
            ),
        },
        RuleFix {
            product: "AWS CLB",
            text: "Of a Classic Load Balancer.",
            snippet: Some(
                "aws elb modify-load-balancer-attributes --load-balancer-name <NAME> --load-balancer-attributes '{\"AdditionalAttributes\":[{\"Key\":\"elb.http.desyncmitigationmode\",\"Value\":\"defensive\"}]}'",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#desync-mitigation-mode",
        "https://github.com/aws/http-desync-guardian",
    ],
};

impl Audit for AlbDesyncMonitor {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        if view.balancer.attribute(ATTRIBUTE) == Some("monitor") {
            out.push(Found {
                message: "The desync mitigation mode is monitor: ambiguous requests are passed on."
                    .into(),
                reproduce: vec![attributes(view, "desync")],
                ..Found::default()
            });
        }
    }
}
