use std::collections::BTreeSet;

use gladhand_probes::untrusted::Untrusted;

use super::network::is_cross_zone;
use super::targets::{HEALTH_DOCS, describe_health, groups, is_routed};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::support::{enumeration, plural};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbZoneWithoutTargets;

static RULE: Rule = Rule {
    id: "alb-zone-without-targets",
    title: "A zone of the load balancer has no target",
    severity: Severity::Info,
    what: "With cross-zone load balancing on, a group has healthy targets, and in some of the load balancer's \
           zones none is registered. Low where all are in one zone. Zones with targets that are unhealthy are \
           told by the rules about health. Not told of groups to which nothing is sent.",
    why: "Requests cross zones then, which costs a little time. Where one zone has all targets, its failure is \
          an outage, whatever the number of targets.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Run targets in every zone that the load balancer is enabled for: the subnets of the Auto Scaling \
               group or of the ECS service.",
        snippet: Some(
            "aws autoscaling update-auto-scaling-group --auto-scaling-group-name <NAME> --vpc-zone-identifier <SUBNET-A>,<SUBNET-B>",
        ),
    }],
    references: &[
        HEALTH_DOCS,
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html",
    ],
};

impl Audit for AlbZoneWithoutTargets {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        let zones = &view.balancer.zones;
        for group in groups(view) {
            if group.in_state("healthy").is_empty()
                || is_routed(view, group.group) == Some(false)
                || is_cross_zone(view.balancer, group.group) != Some(true)
            {
                continue;
            }
            // `all` belongs to no zone; without a zone, nothing is known.
            let here: Option<BTreeSet<&str>> = group
                .targets
                .iter()
                .filter(|target| target.state != "draining")
                .map(|target| target.zone.as_deref().filter(|zone| *zone != "all"))
                .collect();
            let Some(here) = here else { continue };
            let without: Vec<String> = zones
                .iter()
                .filter(|zone| !here.contains(zone.name.as_str()))
                .map(|zone| Untrusted::from(zone.name.as_str()).to_string())
                .collect();
            if without.is_empty() {
                continue;
            }
            let has = if without.len() == 1 { "has" } else { "have" };
            let mut message = format!("{} {has} no target of the group", enumeration(&without));
            if here.len() == 1 {
                message.push_str(": all are in one zone");
            }
            let used = i64::try_from(here.len()).unwrap_or(i64::MAX);
            let found = Found {
                message: format!("{message}."),
                seen: vec![format!(
                    "targets in {} of the {} that are enabled",
                    plural(used, "zone"),
                    zones.len()
                )],
                reproduce: vec![describe_health(view, group.group)],
                severity: (here.len() == 1).then_some(Severity::Low),
                ..Found::default()
            };
            out.about(group_subject(group.group), found);
        }
    }
}
