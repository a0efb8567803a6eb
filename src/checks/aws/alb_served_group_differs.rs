//! A listener's policy is for post-quantum key exchange, and no such group is taken.

use gladhand_probes::Untrusted;
use gladhand_probes::wire::names::GroupName;
use gladhand_probes::wire::registry::{Group, ProtocolVersion};

use super::served::{Places, tls};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbServedGroupDiffers;

static RULE: Rule = Rule {
    id: "alb-served-group-differs",
    title: "The groups are not those of the security policy",
    severity: Severity::Low,
    what: "A listener was probed, its policy is one with post-quantum key exchange, and every group that could \
           be asked for was answered: none of the policy's hybrid groups is taken. Or one is taken, though the \
           policy is of a family without them (info). AWS documents no groups: what to expect is what s2n-tls \
           has under the policy's name, so other groups are not judged.",
    why: "Sessions can be recorded today and read once there are quantum computers, though the policy was \
          chosen against that. What answers may not be this listener: a proxy, a CDN, another load balancer.",
    fix: &[RuleFix {
        product: "AWS",
        text: "See whose the addresses are, and which policy the listener has now; after a change, probe again \
               some minutes later.",
        snippet: Some(
            "aws elbv2 describe-listeners --listener-arns <ARN> --query 'Listeners[].SslPolicy'",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html",
    ],
};

impl Audit for AlbServedGroupDiffers {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn covers(&self) -> &'static [&'static str] {
        &["group-post-quantum-missing"]
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for (listener, seen) in tls(view) {
            let Some(policy) = view.inventory.policy_of(listener) else {
                continue;
            };
            // Hybrid groups are of TLS 1.3.
            let Some(groups) = policy
                .groups
                .as_ref()
                .filter(|_| policy.versions.contains(&ProtocolVersion::TLS1_3))
            else {
                continue;
            };
            let wanted: Vec<Group> = groups
                .iter()
                .copied()
                .filter(|group| group.post_quantum())
                .collect();
            let (mut missing, mut beyond) = (Places::default(), Places::default());
            for &seen in &seen {
                let Some(told) = seen.endpoint.observations.groups.seen() else {
                    continue;
                };
                let hybrid: Vec<&GroupName> = told
                    .accepted
                    .iter()
                    .filter(|name| Group::parse(&name.name).is_some_and(Group::post_quantum))
                    .collect();
                let accepted: Vec<&str> = told
                    .accepted
                    .iter()
                    .map(|name| name.name.as_str())
                    .collect();
                let line = format!("takes {}", accepted.join(", "));
                if wanted.is_empty() && !hybrid.is_empty() {
                    beyond.add(seen, &line);
                }
                if !wanted.is_empty() && hybrid.is_empty() && told.complete {
                    missing.add(seen, &line);
                }
            }
            let name = Untrusted::from(policy.name.as_str());
            if !missing.is_empty() {
                let names: Vec<&str> = wanted.iter().filter_map(|group| group.name()).collect();
                let message = format!(
                    "No post-quantum group is taken, though the policy {name} is to have {}{}.",
                    names.join(", "),
                    missing.of(&seen)
                );
                out.about(
                    listener_subject(listener),
                    missing.found("missing", message),
                );
            }
            if !beyond.is_empty() {
                let message = format!(
                    "A post-quantum group is taken, though the policy {name} is of a family without{}.",
                    beyond.of(&seen)
                );
                let found = Found {
                    severity: Some(Severity::Info),
                    ..beyond.found("beyond", message)
                };
                out.about(listener_subject(listener), found);
            }
        }
    }
}
