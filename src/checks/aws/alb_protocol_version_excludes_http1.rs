use gladhand_probes::aws::inventory::LoadBalancerType;

use super::targets::{GROUP_DOCS, TROUBLE_DOCS, describe_group, listeners_to};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbProtocolVersionExcludesHttp1;

static RULE: Rule = Rule {
    id: "alb-protocol-version-excludes-http1",
    title: "Clients that speak only HTTP/1.1 are turned away",
    severity: Severity::Info,
    what: "An HTTPS listener forwards to a target group whose protocol version is HTTP2. Not told of gRPC, \
           whose clients all speak HTTP/2, nor where nobody can speak HTTP/2, which other rules tell.",
    why: "HTTP/1.1 to such a group gets 464 (incompatible protocol versions): old HTTP libraries, monitoring, \
          proxies in between, WebSockets. To other groups the load balancer translates HTTP/2 by itself.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Use a target group of protocol version HTTP1, unless the targets understand HTTP/2 alone: \
               clients get HTTP/2 all the same. The version cannot be changed afterwards.",
        snippet: Some(
            "aws elbv2 create-target-group --name <NAME> --protocol HTTPS --protocol-version HTTP1 --port 8443 --vpc-id <VPC> --target-type ip",
        ),
    }],
    references: &[GROUP_DOCS, TROUBLE_DOCS],
};

impl Audit for AlbProtocolVersionExcludesHttp1 {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        if view.balancer.kind != LoadBalancerType::Application
            || view.balancer.attribute("routing.http2.enabled") == Some("false")
        {
            return;
        }
        for group in view.target_groups() {
            let listeners = listeners_to(view, group);
            let secure = listeners
                .iter()
                .any(|listener| listener.protocol == "HTTPS");
            if group.protocol_version.as_deref() != Some("HTTP2") || !secure {
                continue;
            }
            let found = Found {
                message: "Requests by HTTP/1.1 get 464: the group's protocol version is HTTP2."
                    .into(),
                reproduce: vec![describe_group(view, group)],
                ..Found::default()
            };
            out.about(group_subject(group), found);
        }
    }
}
