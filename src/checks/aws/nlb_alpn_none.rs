//! A TLS listener in front of HTTP targets negotiates no application protocol.

use super::commands::listener as describe;
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::support::enumeration;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;
use gladhand_probes::aws::inventory::LoadBalancerType;
use gladhand_probes::untrusted::Untrusted;

/// See [`RULE`].
pub(super) struct NlbAlpnNone;

static RULE: Rule = Rule {
    id: "nlb-alpn-none",
    title: "A TLS listener in front of HTTP targets has no ALPN policy",
    severity: Severity::Info,
    what: "A TLS listener of a Network Load Balancer has no ALPN policy, or None, and forwards to a target \
           group with TLS whose health is checked by HTTPS: what is behind it speaks HTTP.",
    why: "Without ALPN every client ends at HTTP/1.1, whatever the targets know; gRPC clients, which need h2, \
          refuse the connection (`missing selected ALPN property`).",
    fix: &[RuleFix {
        product: "AWS",
        text: "Set a policy once every target knows HTTP/2; HTTP2Optional keeps HTTP/1.1 first.",
        snippet: Some(
            "aws elbv2 modify-listener --listener-arn <ARN> --alpn-policy HTTP2Preferred",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/create-tls-listener.html",
        "https://www.rfc-editor.org/rfc/rfc7301",
    ],
};

impl Audit for NlbAlpnNone {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        if view.balancer.kind != LoadBalancerType::Network {
            return;
        }
        for listener in view.listeners().filter(|listener| listener.has_tls()) {
            if listener.alpn_policy.iter().any(|policy| policy != "None") {
                continue;
            }
            let named = listener
                .default_actions
                .iter()
                .flat_map(|action| &action.target_groups);
            let named: Vec<&str> = named.map(|group| group.target_group_arn.as_str()).collect();
            let groups = view.target_groups().filter(|group| {
                named.contains(&group.arn.as_str())
                    && group.protocol.as_deref() == Some("TLS")
                    && group.health_check.protocol.as_deref() == Some("HTTPS")
            });
            let groups: Vec<&str> = groups.map(|group| group.name.as_str()).collect();
            if groups.is_empty() {
                continue;
            }
            let found = Found {
                message: format!(
                    "The listener negotiates no ALPN in front of {}: clients get HTTP/1.1 at most.",
                    Untrusted::from(enumeration(&groups))
                ),
                reproduce: vec![describe(view, listener)],
                ..Found::default()
            };
            out.about(listener_subject(listener), found);
        }
    }
}
