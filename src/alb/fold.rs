//! What was found at the targets of a group, each thing once with the targets that it holds for. Pure.
//!
//! A group of a hundred equal targets has one finding, under the group's name: targets come and go, and a
//! fingerprint stays.

use gladhand_probes::Untrusted;
use gladhand_probes::aws::inventory::{LoadBalancer, Target, TargetGroup};

use super::targets::at;
use crate::checks::aws::group_subject;
use crate::checks::fingerprint;
use crate::report::model::{Finding, NotMeasured, Purpose, Role, TargetReport};

/// Targets named in one line, at most.
const NAMED: usize = 6;

/// Lines of evidence about single targets, at most.
const LINES: usize = 20;

/// What is put behind a group's name for its health checks.
pub(super) const HEALTH_CHECK: &str = ", health check";

/// Findings and gaps by target group.
#[derive(Debug, Default)]
pub(super) struct Fold {
    findings: Vec<Folded>,
    gaps: Vec<FoldedGap>,
    /// How many targets of a group, and for what, were probed.
    probed: Vec<(String, Purpose, usize)>,
}

#[derive(Debug)]
struct Folded {
    group: String,
    purpose: Purpose,
    finding: Finding,
    /// Where, and in which words.
    at: Vec<(String, String)>,
    /// What AWS says of the health of these targets, and where.
    health: Vec<(String, Vec<String>)>,
}

#[derive(Debug)]
struct FoldedGap {
    group: String,
    subject: String,
    what: String,
    reason: String,
    at: Vec<String>,
}

/// Whether a finding at a target concerns the load balancer: what other clients would mind (an expired
/// certificate) it does not.
fn concerns_the_balancer(finding: &Finding) -> bool {
    finding.rule.starts_with("alb-target-")
}

impl Fold {
    /// Takes in one target.
    pub(super) fn add(
        &mut self,
        balancer: &LoadBalancer,
        group: &TargetGroup,
        target: &TargetReport,
        findings: Vec<Finding>,
        gaps: Vec<NotMeasured>,
    ) {
        let Some(Role::Target { purpose, .. }) = &target.role else {
            return;
        };
        let purpose = *purpose;
        let count = self
            .probed
            .iter_mut()
            .find(|(arn, of, _)| *arn == group.arn && *of == purpose);
        match count {
            Some((_, _, count)) => *count += 1,
            None => self.probed.push((group.arn.clone(), purpose, 1)),
        }
        let subject = subject(group, purpose);
        let place = place(target);
        let health = health(group, target);
        for finding in findings.into_iter().filter(concerns_the_balancer) {
            let at = self.finding(balancer, group, purpose, &subject, &place, finding);
            if let (Some(health), Some(known)) = (&health, at) {
                self.healthy(known, health, &place);
            }
        }
        for gap in gaps {
            let same = self.gaps.iter_mut().find(|known| {
                known.group == group.arn
                    && known.subject == subject
                    && known.what == gap.what
                    && known.reason == gap.reason
            });
            match same {
                Some(known) if known.at.contains(&place) => {}
                Some(known) => known.at.push(place.clone()),
                None => self.gaps.push(FoldedGap {
                    group: group.arn.clone(),
                    subject: subject.clone(),
                    what: gap.what,
                    reason: gap.reason,
                    at: vec![place.clone()],
                }),
            }
        }
    }

    fn finding(
        &mut self,
        balancer: &LoadBalancer,
        group: &TargetGroup,
        purpose: Purpose,
        subject: &str,
        place: &str,
        finding: Finding,
    ) -> Option<usize> {
        let same = self.findings.iter().position(|known| {
            known.group == group.arn
                && known.purpose == purpose
                && known.finding.rule == finding.rule
                && known.finding.evidence.key == finding.evidence.key
        });
        let told = (place.to_owned(), finding.message.clone());
        if let Some((at, known)) = same.and_then(|at| Some((at, self.findings.get_mut(at)?))) {
            known.finding.severity = known.finding.severity.max(finding.severity);
            for address in finding.evidence.addresses {
                if !known.finding.evidence.addresses.contains(&address) {
                    known.finding.evidence.addresses.push(address);
                }
            }
            known.at.push(told);
            return Some(at);
        }
        let scope = format!("{}\0{subject}", balancer.name);
        let fingerprint = fingerprint(&finding.rule, &scope, &finding.evidence.key);
        self.findings.push(Folded {
            group: group.arn.clone(),
            purpose,
            finding: Finding {
                target: balancer.name.clone(),
                subject: subject.to_owned(),
                fingerprint,
                ..finding
            },
            at: vec![told],
            health: Vec::new(),
        });
        self.findings.len().checked_sub(1)
    }

    fn healthy(&mut self, at: usize, health: &str, place: &str) {
        let Some(folded) = self.findings.get_mut(at) else {
            return;
        };
        let known = folded.health.iter_mut().find(|(known, _)| known == health);
        match known {
            Some((_, places)) => places.push(place.to_owned()),
            None => folded
                .health
                .push((health.to_owned(), vec![place.to_owned()])),
        }
    }

    /// The findings and the gaps.
    pub(super) fn end(self) -> (Vec<Finding>, Vec<NotMeasured>) {
        let probed = self.probed;
        let findings = self.findings.into_iter().map(|folded| {
            let Folded {
                group,
                purpose,
                mut finding,
                at,
                health,
            } = folded;
            let all = probed
                .iter()
                .find(|(arn, of, _)| *arn == group && *of == purpose)
                .map_or(at.len(), |(_, _, count)| *count);
            let where_it_holds = match (at.as_slice(), all) {
                ([(place, _)], 2..) => format!("at {place}, 1 of {all} targets"),
                ([(place, _)], _) => format!("at {place}"),
                (many, _) if many.len() == all => format!("at all {all} targets"),
                (many, _) => format!("at {} of {all} targets", many.len()),
            };
            let mut lines = vec![where_it_holds];
            if at.len() > 1 {
                let same = at.iter().all(|(_, message)| *message == finding.message);
                if same {
                    let places: Vec<&str> = at.iter().map(|(place, _)| place.as_str()).collect();
                    lines.push(named(&places, LINES));
                } else {
                    let first = at.iter().take(LINES);
                    lines.extend(first.map(|(place, message)| format!("{place}: {message}")));
                    if let Some(more @ 1..) = at.len().checked_sub(LINES) {
                        lines.push(format!("and {more} more"));
                    }
                }
            }
            match health.as_slice() {
                [] => {}
                [(words, places)] if places.len() == at.len() => {
                    lines.push(format!("AWS says: {words}"));
                }
                several => lines.extend(several.iter().take(LINES).map(|(words, places)| {
                    let places: Vec<&str> = places.iter().map(String::as_str).collect();
                    format!("AWS says of {}: {words}", named(&places, NAMED))
                })),
            }
            lines.append(&mut finding.evidence.seen);
            finding.evidence.seen = lines;
            finding
        });
        let findings = findings.collect();
        let gaps = self.gaps.into_iter().map(|gap| {
            let places: Vec<&str> = gap.at.iter().map(String::as_str).collect();
            NotMeasured {
                subject: format!("{} ({})", gap.subject, named(&places, NAMED)),
                what: gap.what,
                reason: gap.reason,
            }
        });
        (findings, gaps.collect())
    }
}

/// `target group web`, `target group web, health check`.
fn subject(group: &TargetGroup, purpose: Purpose) -> String {
    match purpose {
        Purpose::Traffic => group_subject(group),
        Purpose::HealthCheck => health_check_subject(&group_subject(group)),
    }
}

/// How the health checks of a group are called that have a port or a protocol of their own.
pub(super) fn health_check_subject(group: &str) -> String {
    format!("{group}{HEALTH_CHECK}")
}

/// The target as its id tells it where that is no address: `i-0a1b (10.0.1.40:8443)`.
fn place(target: &TargetReport) -> String {
    let address = target
        .endpoints
        .first()
        .map_or_else(|| target.target.clone(), |seen| at(seen.ip, seen.port));
    match &target.role {
        Some(Role::Target { id, .. }) if id.parse::<std::net::IpAddr>().is_err() => {
            format!("{id} at {address}")
        }
        _ => address,
    }
}

/// What AWS says of a target's health: `unhealthy, Target.FailedHealthChecks`.
fn health(group: &TargetGroup, report: &TargetReport) -> Option<String> {
    let Some(Role::Target { id, port, .. }) = &report.role else {
        return None;
    };
    let is = |target: &&Target| target.id == *id && target.port.or(group.port) == Some(*port);
    let target = group.targets.read()?.iter().find(is)?;
    let reason = target.reason.as_deref().filter(|reason| !reason.is_empty());
    let words = match reason {
        _ if target.state.is_empty() => return None,
        Some(reason) => format!("{}, {reason}", target.state),
        None => target.state.clone(),
    };
    Some(Untrusted::from(words).to_string())
}

/// Names, the first few of many.
fn named(names: &[&str], most: usize) -> String {
    let some = names.iter().take(most).copied().collect::<Vec<_>>();
    match names.len().checked_sub(most) {
        Some(more @ 1..) => format!("{}, +{more} more", some.join(", ")),
        _ => some.join(", "),
    }
}
