//! A listener names a security policy that its type of load balancer does not take.

use gladhand_probes::aws::inventory::LoadBalancerType;
use gladhand_probes::elb_policies::elb_policies;
use gladhand_probes::untrusted::Untrusted;
use gladhand_probes::wire::registry::ProtocolVersion;

use super::policies::{CHOOSE, CHOOSE_TERRAFORM, CLASSIC_POLICIES, describe};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::fixes::{ALB_POLICIES, CLB_SUITES};
use crate::checks::support::enumeration;
use crate::checks::{Found, Rule};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbPolicyUnsupported;

static RULE: Rule = Rule {
    id: "alb-policy-unsupported",
    title: "The security policy is not for this type of load balancer",
    severity: Severity::High,
    what: "A listener names a policy that exists, for other types of load balancers alone: \
           `ELBSecurityPolicy-2015-05` on an Application Load Balancer, or any with TLS 1.3 on a Classic one.",
    why: "AWS refuses it, so that the next deployment of the listener fails.",
    fix: &[CHOOSE, CHOOSE_TERRAFORM, CLB_SUITES],
    references: &[ALB_POLICIES, CLASSIC_POLICIES],
};

impl Audit for AlbPolicyUnsupported {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        let kind = match view.balancer.kind {
            LoadBalancerType::Application => "application",
            LoadBalancerType::Network => "network",
            LoadBalancerType::Classic => "classic",
            LoadBalancerType::Gateway => return,
        };
        for listener in view.listeners().filter(|listener| listener.has_tls()) {
            let name = listener.ssl_policy.as_deref();
            let policy = name.and_then(|name| view.inventory.policy(name));
            let Some(policy) = policy.filter(|_| listener.own_policy.is_none()) else {
                continue;
            };
            let types = types(view, &policy.name);
            // Of Classic Load Balancers' policies there is no complete list; TLS 1.3 they never have.
            let refused = match kind {
                "classic" => policy.versions.contains(&ProtocolVersion::TLS1_3),
                kind => !types.is_empty() && !types.iter().any(|known| known == kind),
            };
            if !refused {
                continue;
            }
            let name = Untrusted::from(policy.name.as_str());
            let mut seen = Vec::new();
            if !types.is_empty() {
                let types = Untrusted::from(enumeration(&types));
                seen.push(format!("it is for load balancers of type {types}"));
            }
            let found = Found {
                message: format!("A load balancer of type {kind} does not take the policy {name}."),
                seen,
                reproduce: vec![describe(view, &policy)],
                ..Found::default()
            };
            out.about(listener_subject(listener), found);
        }
    }
}

/// The types that take the policy: as AWS tells them, else those of the table. Empty where neither does.
fn types(view: &AuditView<'_>, name: &str) -> Vec<String> {
    let told = view.inventory.ssl_policies.read().into_iter().flatten();
    let told = told.filter(|policy| policy.name.eq_ignore_ascii_case(name));
    let told: Vec<String> = told
        .flat_map(|policy| policy.load_balancer_types.clone())
        .collect();
    if !told.is_empty() {
        return told;
    }
    let known = elb_policies().iter();
    let known = known.filter(|policy| policy.name.eq_ignore_ascii_case(name));
    known
        .flat_map(|policy| policy.load_balancers.clone())
        .collect()
}
