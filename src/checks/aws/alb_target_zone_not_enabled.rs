use gladhand_probes::aws::inventory::Target;
use gladhand_probes::untrusted::Untrusted;

use super::targets::{HEALTH_DOCS, describe_health, described, groups, is_named, share, verb};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::support::enumeration;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbTargetZoneNotEnabled;

static RULE: Rule = Rule {
    id: "alb-target-zone-not-enabled",
    title: "Targets are in a zone that the load balancer is not enabled for",
    severity: Severity::High,
    what: "Targets of a group that is in use are unused with `Target.NotInUse`, and their zone is none of the \
           load balancer's. Medium where other targets of the group are healthy, low where nothing is sent to \
           the group.",
    why: "They are neither checked nor sent to, also with cross-zone load balancing. Where all targets are so, \
          clients get 503, and nothing fails open.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Enable the zone, naming a subnet of it beside those that are there (a Network Load Balancer \
               keeps the ones it has); or run the targets in the zones that are enabled.",
        snippet: Some("aws elbv2 set-subnets --load-balancer-arn <ARN> --subnets <ALL-SUBNETS>"),
    }],
    references: &[
        HEALTH_DOCS,
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-subnets.html",
    ],
};

impl Audit for AlbTargetZoneNotEnabled {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        if view.balancer.zones.is_empty() {
            return;
        }
        for group in groups(view) {
            let mut affected = group.with_reason("unused", "Target.NotInUse");
            affected.retain(|target| is_elsewhere(view, target));
            if affected.is_empty() || is_named(view, group.group) != Some(true) {
                continue;
            }
            let mut zones: Vec<String> = affected
                .iter()
                .filter_map(|target| target.zone.as_deref())
                .map(|zone| Untrusted::from(zone).to_string())
                .collect();
            zones.sort();
            zones.dedup();
            zones.truncate(8);
            let (part, all) = (affected.len(), group.targets.len());
            let then = group.consequence(view);
            let enabled: Vec<String> = view
                .balancer
                .zones
                .iter()
                .map(|zone| Untrusted::from(zone.name.as_str()).to_string())
                .collect();
            let found = Found {
                message: format!(
                    "{} {} in {}, where the load balancer is not{then}.",
                    share(part, all),
                    verb(part, "is", "are"),
                    enumeration(&zones),
                ),
                seen: std::iter::once(format!("enabled: {}", enumeration(&enabled)))
                    .chain(described(&affected))
                    .collect(),
                reproduce: vec![describe_health(view, group.group)],
                severity: Some(group.severity(view)),
                ..Found::default()
            };
            out.about(group_subject(group.group), found);
        }
    }
}

fn is_elsewhere(view: &AuditView<'_>, target: &Target) -> bool {
    let zone = target.zone.as_deref().filter(|zone| *zone != "all");
    let zones = &view.balancer.zones;
    zone.is_some_and(|zone| zones.iter().all(|enabled| enabled.name != zone))
}
