use gladhand_probes::aws::inventory::LoadBalancerType;
use gladhand_probes::untrusted::Untrusted;

use super::targets::{GROUP_DOCS, TROUBLE_DOCS, describe_group, listeners_to};
use super::{Audit, AuditView, Audited, group_subject, listener_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbProtocolVersionNeedsHttps;

static RULE: Rule = Rule {
    id: "alb-protocol-version-needs-https",
    title: "A listener without TLS forwards to a target group of HTTP/2 or gRPC",
    severity: Severity::High,
    what: "An HTTP listener of an Application Load Balancer, or a rule of it, forwards to a target group whose \
           protocol version is HTTP2 or GRPC.",
    why: "The load balancer takes HTTP/2 only over TLS, so every request of that listener is HTTP/1.1, and gets \
          464 (incompatible protocol versions).",
    fix: &[RuleFix {
        product: "AWS",
        text: "Let the HTTP listener redirect to an HTTPS one, and forward from there.",
        snippet: Some(
            "aws elbv2 modify-listener --listener-arn <ARN> --default-actions 'Type=redirect,RedirectConfig={Protocol=HTTPS,Port=443,StatusCode=HTTP_301}'",
        ),
    }],
    references: &[GROUP_DOCS, TROUBLE_DOCS],
};

impl Audit for AlbProtocolVersionNeedsHttps {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        if view.balancer.kind != LoadBalancerType::Application {
            return;
        }
        for group in view.target_groups() {
            let Some(version @ ("HTTP2" | "GRPC")) = group.protocol_version.as_deref() else {
                continue;
            };
            for listener in listeners_to(view, group) {
                if listener.protocol != "HTTP" {
                    continue;
                }
                let subject = listener_subject(listener);
                let found = Found {
                    key: subject.clone(),
                    message: format!(
                        "The {} forwards here, where HTTP/1.1 is answered with 464 ({version}).",
                        Untrusted::from(subject),
                    ),
                    reproduce: vec![describe_group(view, group)],
                    ..Found::default()
                };
                out.about(group_subject(group), found);
            }
        }
    }
}
