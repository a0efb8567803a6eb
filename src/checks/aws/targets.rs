//! What was found at targets, told once a target group: a hundred targets of one image are one finding.

use gladhand_probes::Untrusted;
use gladhand_probes::aws::Inventory;
use time::OffsetDateTime;

use super::super::{Judged, judge};
use super::fingerprint;
use crate::report::model::{Finding, Purpose, Role, TargetReport};

/// Targets that a finding names, at most.
const NAMED: usize = 20;

/// Judges every target that was probed as its load balancer asks it; what several of a group show alike
/// is one finding, about the group, that names them.
pub fn judge_targets(
    inventory: &Inventory,
    probed: &[TargetReport],
    now: OffsetDateTime,
) -> Judged {
    let mut shared: Vec<Shared> = Vec::new();
    let mut panicked = Vec::new();
    for report in probed {
        let Some(place) = Place::of(inventory, report) else {
            continue;
        };
        let judged = judge(std::slice::from_ref(report), now);
        panicked.extend(judged.panicked);
        for finding in judged.findings {
            let same = shared.iter_mut().find(|known| known.says(&place, &finding));
            match same {
                Some(known) => known.add(&place.target, finding),
                None => shared.push(Shared {
                    targets: vec![place.target.clone()],
                    place: place.clone(),
                    finding,
                }),
            }
        }
    }
    let mut findings: Vec<Finding> = shared.into_iter().map(Shared::finish).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    panicked.sort_unstable();
    panicked.dedup();
    Judged { findings, panicked }
}

/// `targets: 10.0.1.25:8443, 10.0.2.31:8443 and 3 more`.
pub(super) fn named(targets: &[String]) -> String {
    let shown: Vec<&str> = targets.iter().take(NAMED).map(String::as_str).collect();
    let more = match targets.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("targets: {}{more}", shown.join(", "))
}

/// Where a target stands.
#[derive(Clone, PartialEq, Eq)]
struct Place {
    balancer: String,
    subject: String,
    target: String,
}

impl Place {
    fn of(inventory: &Inventory, report: &TargetReport) -> Option<Self> {
        let Some(Role::Target {
            load_balancer,
            target_group,
            id,
            port,
            purpose,
        }) = &report.role
        else {
            return None;
        };
        let mut balancers = inventory.load_balancers.iter();
        let balancer = balancers.find(|balancer| balancer.arn == *load_balancer);
        let groups = inventory.target_groups.read().into_iter().flatten();
        let group = groups.into_iter().find(|group| group.arn == *target_group);
        let name = |name: Option<&String>, arn: &str| name.map_or(arn, String::as_str).to_owned();
        let group = name(group.map(|group| &group.name), target_group);
        let checks = match purpose {
            Purpose::Traffic => "",
            Purpose::HealthCheck => ", health checks",
        };
        Some(Self {
            balancer: name(balancer.map(|balancer| &balancer.name), load_balancer),
            subject: format!("target group {group}{checks}"),
            target: Untrusted::from(format!("{id}:{port}")).to_string(),
        })
    }
}

/// A finding that targets of a group share.
struct Shared {
    place: Place,
    targets: Vec<String>,
    finding: Finding,
}

impl Shared {
    fn says(&self, place: &Place, finding: &Finding) -> bool {
        let (one, other) = (&self.finding, finding);
        (&self.place.balancer, &self.place.subject) == (&place.balancer, &place.subject)
            && (&one.rule, &one.evidence.key, &one.message)
                == (&other.rule, &other.evidence.key, &other.message)
    }

    fn add(&mut self, target: &str, finding: Finding) {
        if !self.targets.iter().any(|known| known == target) {
            self.targets.push(target.into());
        }
        let addresses = &mut self.finding.evidence.addresses;
        for address in finding.evidence.addresses {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        self.finding.severity = self.finding.severity.max(finding.severity);
    }

    fn finish(self) -> Finding {
        let Place {
            balancer, subject, ..
        } = self.place;
        let mut finding = self.finding;
        let within = format!("{balancer}\0{subject}");
        finding.fingerprint = fingerprint(&finding.rule, &within, &finding.evidence.key);
        finding.target = balancer;
        finding.subject = subject;
        finding.evidence.seen.insert(0, named(&self.targets));
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tests::fixture;
    use gladhand_probes::aws::Section;
    use gladhand_probes::aws::inventory::{LoadBalancer, TargetGroup};

    fn inventory() -> Inventory {
        Inventory {
            load_balancers: vec![LoadBalancer {
                arn: "arn:lb".into(),
                name: "shop".into(),
                ..LoadBalancer::default()
            }],
            target_groups: Section::Read(vec![TargetGroup {
                arn: "arn:web".into(),
                name: "web".into(),
                ..TargetGroup::default()
            }]),
            ..Inventory::default()
        }
    }

    fn target(rule: &str, id: usize, purpose: Purpose) -> TargetReport {
        let mut report = fixture(rule).fires.remove(0);
        report.role = Some(Role::Target {
            load_balancer: "arn:lb".into(),
            target_group: "arn:web".into(),
            id: format!("10.0.1.{id}"),
            port: 8443,
            purpose,
        });
        report.endpoints[0].ip = format!("10.0.1.{id}").parse().unwrap();
        report
    }

    #[test]
    fn equal_findings_of_a_group_are_one_that_names_the_targets() {
        let now = fixture("alb-target-no-common-version").now;
        let version = |id| target("alb-target-no-common-version", id, Purpose::Traffic);
        let mut probed: Vec<_> = (1..=30).map(version).collect();
        probed.push(target("alb-target-sni-required", 99, Purpose::Traffic));
        probed.push(target(
            "alb-target-no-common-version",
            1,
            Purpose::HealthCheck,
        ));
        let found = judge_targets(&inventory(), &probed, now).findings;
        let told: Vec<_> = found
            .iter()
            .map(|found| (found.rule.as_str(), found.subject.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("alb-target-no-common-version", "target group web"),
                ("alb-target-sni-required", "target group web"),
                (
                    "alb-target-no-common-version",
                    "target group web, health checks"
                ),
            ]
        );
        assert_eq!(found[0].target, "shop");
        assert_eq!(found[0].evidence.addresses.len(), 30);
        let seen = &found[0].evidence.seen[0];
        assert!(seen.ends_with("10.0.1.20:8443 and 10 more"), "{seen}");
        assert_ne!(found[0].fingerprint, found[2].fingerprint);
    }

    #[test]
    fn a_fingerprint_does_not_depend_on_how_many_targets_share_it() {
        let now = fixture("alb-target-no-common-version").now;
        let version = |id| target("alb-target-no-common-version", id, Purpose::Traffic);
        let one = judge_targets(&inventory(), &[version(1)], now).findings;
        let two = judge_targets(&inventory(), &[version(2), version(3)], now).findings;
        assert_eq!(one[0].fingerprint, two[0].fingerprint);
    }
}
