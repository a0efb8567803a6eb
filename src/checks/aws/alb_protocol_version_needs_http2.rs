use gladhand_probes::aws::inventory::LoadBalancerType;

use super::targets::{GROUP_DOCS, TROUBLE_DOCS, aws_command, listeners_to};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::support::quote;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbProtocolVersionNeedsHttp2;

static RULE: Rule = Rule {
    id: "alb-protocol-version-needs-http2",
    title: "HTTP/2 is off, and a target group of HTTP/2 or gRPC is in use",
    severity: Severity::High,
    what: "`routing.http2.enabled` of an Application Load Balancer is `false`, and an HTTPS listener forwards \
           to a target group whose protocol version is HTTP2 or GRPC.",
    why: "Clients are offered HTTP/1.1 alone, and HTTP/1.1 to such a target group gets 464 (incompatible \
          protocol versions). gRPC clients fail before that, in the negotiation of h2.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Switch HTTP/2 on.",
        snippet: Some(
            "aws elbv2 modify-load-balancer-attributes --load-balancer-arn <ARN> --attributes Key=routing.http2.enabled,Value=true",
        ),
    }],
    references: &[GROUP_DOCS, TROUBLE_DOCS],
};

impl Audit for AlbProtocolVersionNeedsHttp2 {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        let balancer = view.balancer;
        if balancer.kind != LoadBalancerType::Application
            || balancer.attribute("routing.http2.enabled") != Some("false")
        {
            return;
        }
        for group in view.target_groups() {
            let Some(version @ ("HTTP2" | "GRPC")) = group.protocol_version.as_deref() else {
                continue;
            };
            let listeners = listeners_to(view, group);
            if !listeners
                .iter()
                .any(|listener| listener.protocol == "HTTPS")
            {
                continue;
            }
            let arn = quote(&balancer.arn);
            let command =
                format!("elbv2 describe-load-balancer-attributes --load-balancer-arn {arn}");
            let found = Found {
                message: format!("No client can speak HTTP/2, which the group is for ({version})."),
                seen: vec!["routing.http2.enabled: false".into()],
                reproduce: vec![aws_command(view, &command)],
                ..Found::default()
            };
            out.about(group_subject(group), found);
        }
    }
}
