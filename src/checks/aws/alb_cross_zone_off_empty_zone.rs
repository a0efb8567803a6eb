//! Without cross-zone load balancing, a zone has no healthy target.

use gladhand_probes::aws::inventory::{LoadBalancerType, Target, TargetGroup};
use gladhand_probes::untrusted::Untrusted;

use super::commands::health;
use super::targets::is_routed;
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::support::enumeration;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbCrossZoneOffEmptyZone;

/// The attribute, of load balancers and of target groups.
const ATTRIBUTE: &str = "load_balancing.cross_zone.enabled";

static RULE: Rule = Rule {
    id: "alb-cross-zone-off-empty-zone",
    title: "A zone has no healthy target, and cross-zone load balancing is off",
    severity: Severity::Medium,
    what: "Cross-zone load balancing is off for a target group, by itself or by the load balancer (which is \
           the default of Network Load Balancers), and a zone of the load balancer has no healthy target of \
           the group, while another one has. Judged only where the zone of every target is known, and not where nothing is sent to \
           the group.",
    why: "A node sends to the targets of its own zone alone. An Application Load Balancer's node without one \
          answers 503. A Network Load Balancer takes such a zone's address out of its DNS name; clients that \
          go on using it (long-lived connections, cached names, static addresses) get nothing.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Register targets in every zone, or switch cross-zone load balancing on.",
            snippet: Some(
                "aws elbv2 modify-target-group-attributes --target-group-arn <ARN> --attributes Key=load_balancing.cross_zone.enabled,Value=true",
            ),
        },
        RuleFix {
            product: "AWS",
            text: "Or take the zone out of the load balancer.",
            snippet: Some("aws elbv2 set-subnets --load-balancer-arn <ARN> --subnets <SUBNETS>"),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/disable-cross-zone.html",
    ],
};

impl Audit for AlbCrossZoneOffEmptyZone {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        let groups = view.target_groups();
        let routed = groups.filter(|group| is_routed(view, group) != Some(false));
        for group in routed.filter(|group| is_off(view, group)) {
            let Some(empty) = empty_zones(view, group).filter(|empty| !empty.is_empty()) else {
                continue;
            };
            let have = if empty.len() == 1 { "has" } else { "have" };
            let found = Found {
                message: format!(
                    "{} {have} no healthy target, and cross-zone load balancing is off.",
                    Untrusted::from(enumeration(&empty))
                ),
                reproduce: vec![health(view, group)],
                ..Found::default()
            };
            out.about(group_subject(group), found);
        }
    }
}

/// Whether cross-zone load balancing is off for the group, as far as the attributes were read.
fn is_off(view: &AuditView<'_>, group: &TargetGroup) -> bool {
    let balancer = match view.balancer.kind {
        // An Application Load Balancer's own is always on.
        LoadBalancerType::Application => Some("true"),
        LoadBalancerType::Network | LoadBalancerType::Classic => view.balancer.attribute(ATTRIBUTE),
        LoadBalancerType::Gateway => None,
    };
    let own = group.attribute(ATTRIBUTE);
    let effective = match own {
        Some("use_load_balancer_configuration") => balancer,
        own => own,
    };
    effective == Some("false")
}

/// The zones of the load balancer without a healthy target; none where a target's zone is not known, where
/// no target at all is healthy (which is another rule's), or where one is still being checked for the first
/// time.
fn empty_zones<'a>(view: &AuditView<'a>, group: &TargetGroup) -> Option<Vec<&'a str>> {
    let targets = group.targets.read()?;
    let mut zones = Vec::new();
    for target in targets {
        match target.state.as_str() {
            "healthy" => zones.push(zone(view, target)?),
            "initial" => return None,
            _ => {}
        }
    }
    if zones.is_empty() {
        return None;
    }
    let all = view.balancer.zones.iter().map(|zone| zone.name.as_str());
    Some(
        all.filter(|zone| !zones.iter().any(|known| known == zone))
            .collect(),
    )
}

/// The zone of a target: as AWS tells, else that of the interface with its address.
fn zone(view: &AuditView<'_>, target: &Target) -> Option<String> {
    if let Some(zone) = &target.zone {
        return (zone != "all").then(|| zone.clone());
    }
    let address = target.address?;
    let mut interfaces = view.inventory.interfaces.read()?.iter();
    interfaces
        .find(|interface| interface.addresses.contains(&address))?
        .zone
        .clone()
}
