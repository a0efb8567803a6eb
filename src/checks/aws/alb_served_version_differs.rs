//! A listener takes a version that its policy does not have, or refuses one that it has.

use gladhand_probes::Answer;
use gladhand_probes::wire::registry::ProtocolVersion;

use super::served::{Places, tls};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbServedVersionDiffers;

static RULE: Rule = Rule {
    id: "alb-served-version-differs",
    title: "The protocol versions are not those of the security policy",
    severity: Severity::Medium,
    what: "A listener was probed, and accepts a version of TLS that its policy does not have; or refuses, \
           beyond doubt, one that it has (low). The policy by content, as AWS tells it, else from the table \
           that ships. Undetermined answers prove nothing.",
    why: "What answers is not this listener as AWS describes it: a proxy or CDN stands before it, the address \
          is another load balancer's, or a change of the policy has not reached every node. What is judged by \
          the policy's name does not hold for clients then.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "See whose the addresses are: the load balancer's are those of its network interfaces.",
            snippet: Some(
                "aws ec2 describe-network-interfaces --filters 'Name=description,Values=ELB <TYPE>/<NAME>/<ID>' \
                 --query 'NetworkInterfaces[].[PrivateIpAddress,Association.PublicIp]'",
            ),
        },
        RuleFix {
            product: "AWS",
            text: "See which policy the listener has now; after a change, probe again some minutes later.",
            snippet: Some(
                "aws elbv2 describe-listeners --listener-arns <ARN> --query 'Listeners[].SslPolicy'",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html",
    ],
};

impl Audit for AlbServedVersionDiffers {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for (listener, seen) in tls(view) {
            let Some(policy) = view.inventory.policy_of(listener) else {
                continue;
            };
            for version in ProtocolVersion::all() {
                let has = policy.versions.contains(version);
                let mut places = Places::default();
                for &seen in &seen {
                    let versions = seen.endpoint.observations.versions.seen();
                    let Some(told) = versions.and_then(|versions| versions.0.get(version)) else {
                        continue;
                    };
                    let differs = match told.answer {
                        Answer::Yes => !has,
                        Answer::No => has,
                        Answer::Undetermined => false,
                    };
                    if differs {
                        places.add(seen, &told.evidence);
                    }
                }
                if places.is_empty() {
                    continue;
                }
                let at = places.of(&seen);
                let name = gladhand_probes::Untrusted::from(policy.name.as_str());
                let (how, message) = if has {
                    (
                        "refused",
                        format!("{version} is refused, though the policy {name} has it{at}."),
                    )
                } else {
                    let message = format!(
                        "{version} is accepted, though the policy {name} does not have it{at}."
                    );
                    ("accepted", message)
                };
                let found = Found {
                    severity: has.then_some(Severity::Low),
                    ..places.found(format!("{version}-{how}"), message)
                };
                out.about(listener_subject(listener), found);
            }
        }
    }
}
