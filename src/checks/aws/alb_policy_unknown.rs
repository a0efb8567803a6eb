//! A listener names a security policy that does not exist.

use gladhand_probes::aws::inventory::LoadBalancerType;
use gladhand_probes::aws::policy::shipped;
use gladhand_probes::untrusted::Untrusted;

use super::commands::aws;
use super::policies::{CHOOSE_TERRAFORM, is_classic};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::fixes::ALB_POLICIES;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbPolicyUnknown;

/// What the names of AWS's policies begin with.
const PREFIX: &str = "ELBSecurityPolicy-";

static RULE: Rule = Rule {
    id: "alb-policy-unknown",
    title: "The listener names a security policy that nobody knows",
    severity: Severity::High,
    what: "A listener names a policy that `DescribeSSLPolicies` does not tell and that is not among those \
           that gladhand ships with. Where AWS was not asked, or for a Classic Load Balancer, whose old \
           policies are not listed anywhere, the severity is info: the policy may well exist, and only its \
           content could not be judged.",
    why: "AWS refuses a name that does not exist (`SSLPolicyNotFound`), so that the deployment fails. Misspelt \
          names go around in guides: the policies with TLS 1.3 have TLS13 in their names, not TLS-1-3.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Take the name from AWS's list; it differs by region.",
            snippet: Some("aws elbv2 describe-ssl-policies --query 'SslPolicies[].Name'"),
        },
        CHOOSE_TERRAFORM,
    ],
    references: &[
        ALB_POLICIES,
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeSSLPolicies.html",
    ],
};

impl Audit for AlbPolicyUnknown {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        let asked = view.inventory.ssl_policies.read().is_some() && !is_classic(view);
        for listener in view.listeners().filter(|listener| listener.has_tls()) {
            let name = listener.ssl_policy.as_deref();
            let Some(name) = name.filter(|name| !name.is_empty()) else {
                continue;
            };
            // One that is known, and not of this type, is another rule's.
            let known = view.inventory.policy(name).is_some();
            if known || view.inventory.policy_of(listener).is_some() {
                continue;
            }
            let shown = Untrusted::from(name);
            let meant = nearest(name, view.balancer.kind);
            let meant = meant.map(|name| format!(" Did you mean {name}?"));
            let fact = if asked {
                format!("AWS knows no policy {shown}.")
            } else {
                format!("The policy {shown} is not known here, so that its content is not judged.")
            };
            let found = Found {
                message: fact + &meant.unwrap_or_default(),
                reproduce: vec![aws(
                    view,
                    "elbv2 describe-ssl-policies --query 'SslPolicies[].Name'",
                )],
                severity: (!asked).then_some(Severity::Info),
                ..Found::default()
            };
            out.about(listener_subject(listener), found);
        }
    }
}

/// The nearest name of a policy that this type takes, if one is near enough to be meant.
fn nearest(given: &str, kind: LoadBalancerType) -> Option<String> {
    let given = given.to_ascii_lowercase();
    let prefix = PREFIX.to_ascii_lowercase();
    let given = given.strip_prefix(&prefix).unwrap_or(&given);
    // A name is a few words: what is longer is none, and would only take time.
    if given.len() > 100 {
        return None;
    }
    let old = |name: &str| !name.contains("TLS13");
    let names = shipped().map(|policy| policy.name);
    names
        .filter(|name| kind != LoadBalancerType::Classic || old(name))
        .filter_map(|name| {
            let bare = name.strip_prefix(PREFIX)?.to_ascii_lowercase();
            let distance = strsim::damerau_levenshtein(given, &bare);
            (distance * 4 <= bare.len()).then_some((distance, name))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(given: &str) -> Option<String> {
        nearest(given, LoadBalancerType::Application)
    }

    #[test]
    fn the_misspelling_of_the_guides_is_understood() {
        assert_eq!(
            meant("ELBSecurityPolicy-TLS-1-3-1-2-2021-06").as_deref(),
            Some("ELBSecurityPolicy-TLS13-1-2-2021-06")
        );
        assert_eq!(
            meant("TLS13-1-2-Res-PQ-2025-9").as_deref(),
            Some("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09")
        );
    }

    #[test]
    fn what_is_nothing_like_a_policy_is_left_alone() {
        assert_eq!(meant("my-own-policy"), None);
        assert_eq!(meant(""), None);
        assert_eq!(meant(&"x".repeat(10_000)), None);
    }

    #[test]
    fn a_classic_one_is_offered_nothing_with_tls_1_3() {
        let meant = nearest(
            "ELBSecurityPolicy-TLS13-1-2-2017-01",
            LoadBalancerType::Classic,
        );
        assert_eq!(meant.as_deref(), Some("ELBSecurityPolicy-TLS-1-2-2017-01"));
    }
}
