//! One report of what AWS says, what was probed, and what follows from both. Pure.
//!
//! What is equal is said once: at several server names of a listener, at several targets of a group, and by
//! an audit and a check.

use std::cmp::Reverse;

use gladhand_probes::aws::inventory::{Listener, LoadBalancer, TargetGroup};
use gladhand_probes::aws::{Arn, Inventory};
use gladhand_probes::tls::reach::ReachOutcome;
use time::OffsetDateTime;

use super::fold::{Fold, HEALTH_CHECK, health_check_subject};
use super::names::certificates;
use crate::checks::aws::{self, AUDITS, group_subject, listener_subject};
use crate::exit::Ended;
use crate::report::model::{
    Counts, EndpointReport, Finding, NotMeasured, Purpose, Report, Role, Row, Severity, Standings,
    Status, TargetReport,
};
use crate::report::text::verdict::{Mark, verdict};

/// Findings that say that a port cannot be reached from here: audits say it better.
const UNREACHED: &[&str] = &["port-closed", "port-silent", "not-measured"];

/// Findings about clients without a certificate, where the listener is to turn those away.
const WITHOUT_CERTIFICATE: &[&str] = &[
    "client-certificate-required",
    "handshake-fails",
    "not-measured",
];

/// Audits of what AWS saw at a target group, of which the probes may have found the cause.
const SYMPTOMS: &[&str] = &[
    "alb-targets-all-unhealthy",
    "alb-health-code-mismatch",
    "alb-health-timeout",
    "alb-health-connection-failed",
    "alb-health-unexplained",
];

/// Audits of what AWS counted at targets, whichever group they are of.
const SYMPTOMS_OF_ALL: &[&str] = &["alb-metrics-errors-served", "alb-metrics-target-tls-errors"];

/// What is found at targets and does no harm to health checks.
const OF_REQUESTS: &[&str] = &[
    "alb-target-request-fails",
    "alb-target-keep-alive-too-short",
];

/// What is found at targets and does no harm to requests.
const OF_HEALTH_CHECKS: &[&str] = &["alb-target-health-check-fails"];

/// A report, and what decides how the program ends.
#[derive(Debug)]
pub struct Audited {
    /// The report.
    pub report: Report,
    /// What decides the exit code.
    pub ended: Ended,
}

/// Puts a report together: of that of a run without its rows, the rows, the inventory of one load balancer,
/// and what could not even be tried.
pub fn report(
    mut report: Report,
    mut ended: Ended,
    rows: Vec<Row>,
    inventory: Inventory,
    untried: Vec<NotMeasured>,
    now: OffsetDateTime,
) -> Audited {
    let mut gaps: Vec<NotMeasured> = inventory.not_read.iter().map(not_read).collect();
    gaps.extend(untried);
    let mut targets = Vec::with_capacity(rows.len());
    let mut of_rows = Vec::with_capacity(rows.len());
    for row in rows {
        targets.push(row.target);
        of_rows.push((row.findings, row.not_measured));
    }
    let judged = aws::audit(&inventory, &targets, now);
    ended.panicked |= !judged.panicked.is_empty();
    gaps.extend(judged.panicked.iter().map(|rule| NotMeasured {
        subject: name(&inventory),
        what: (*rule).into(),
        reason: "internal error: the check panicked".into(),
    }));
    let mut audits = judged.findings;
    let mut others: Vec<Finding> = Vec::new();
    let mut at_listeners: Vec<(&Listener, Finding)> = Vec::new();
    let mut at_targets = Fold::default();
    let mut told = Vec::new();
    for (target, (found, not_measured)) in targets.iter().zip(of_rows) {
        match place(&inventory, target) {
            Some(Place::Listener(balancer, listener)) => {
                for gap in listener_gaps(balancer, target, not_measured) {
                    gap_once(&mut gaps, &mut told, listener, gap);
                }
                for finding in found {
                    if counts_at(listener, target, &finding)
                        && !covered(&inventory, &mut audits, listener, target, &finding)
                    {
                        once(&mut at_listeners, listener, finding);
                    }
                }
            }
            Some(Place::Group(balancer, group)) => {
                at_targets.add(balancer, group, target, found, not_measured);
            }
            None => {
                others.extend(found);
                gaps.extend(not_measured);
            }
        }
    }
    let (folded, of_targets) = at_targets.end();
    gaps.extend(of_targets);
    point_at_causes(
        &mut audits,
        &folded,
        &ports_of_health_checks(&inventory, &targets),
    );
    let listeners = at_listeners.into_iter().map(|(_, finding)| finding);
    report.findings = audits;
    report.findings.extend(listeners);
    report.findings.extend(folded);
    report.findings.extend(others);
    // Of the same weight, the cause goes before what points at it.
    report
        .findings
        .sort_by_key(|finding| (Reverse(finding.severity), points_at_cause(finding)));
    report.summary.findings = Counts::of(&report.findings);
    report.targets = targets;
    report.not_measured.extend(gaps);
    report.inventory = Some(inventory);
    report.complete = report.not_measured.is_empty() && !report.interrupted;
    report.summary.targets = standings(&report);
    let open = report.findings.iter();
    let open = open.filter(|finding| finding.status == Status::Open);
    ended.worst = open.map(|finding| finding.severity).max();
    ended.complete = report.complete;
    Audited { report, ended }
}

fn not_read(gap: &gladhand_probes::aws::inventory::Gap) -> NotMeasured {
    NotMeasured {
        subject: called(&gap.subject),
        what: gap.action.clone(),
        reason: gap.reason.clone(),
    }
}

/// A load balancer or target group by its name, instead of its ARN.
fn called(subject: &str) -> String {
    let (first, rest) = subject.split_once(' ').unwrap_or((subject, ""));
    // The description by which the interfaces of a load balancer are found.
    if first == "ELB" {
        let name = rest.split('/').nth(1).unwrap_or(rest);
        return format!("network interfaces of {name}");
    }
    let arn = first.parse::<Arn>().ok();
    let parts = arn
        .as_ref()
        .map(|arn| arn.resource.split('/').collect::<Vec<_>>());
    let name = match parts.as_deref() {
        Some(["loadbalancer", _, name, _] | ["loadbalancer", name]) => (*name).to_owned(),
        Some(["targetgroup", name, _]) => format!("target group {name}"),
        _ => return subject.into(),
    };
    if rest.is_empty() {
        name
    } else {
        format!("{name} {rest}")
    }
}

fn name(inventory: &Inventory) -> String {
    let first = inventory.load_balancers.first();
    first
        .map(|balancer| balancer.name.clone())
        .unwrap_or_default()
}

/// What a row belongs to.
enum Place<'a> {
    Listener(&'a LoadBalancer, &'a Listener),
    Group(&'a LoadBalancer, &'a TargetGroup),
}

fn place<'a>(inventory: &'a Inventory, target: &TargetReport) -> Option<Place<'a>> {
    let balancer = |arn: &str| inventory.load_balancers.iter().find(|lb| lb.arn == arn);
    match target.role.as_ref()? {
        Role::Listener {
            load_balancer,
            listener,
        } => {
            let balancer = balancer(load_balancer)?;
            let mut all = balancer.listeners.read()?.iter();
            let listener = all.find(|known| known.arn == *listener)?;
            Some(Place::Listener(balancer, listener))
        }
        Role::Target {
            load_balancer,
            target_group,
            ..
        } => {
            let mut all = inventory.target_groups.read()?.iter();
            let group = all.find(|known| known.arn == *target_group)?;
            Some(Place::Group(balancer(load_balancer)?, group))
        }
    }
}

/// Whether clients are turned away by design without a certificate.
pub(crate) fn verifies_clients(listener: &Listener) -> bool {
    listener
        .mutual_authentication
        .as_ref()
        .is_some_and(|mutual| mutual.mode == "verify")
}

/// Whether nothing takes a connection at an address.
pub(crate) fn is_unreached(endpoint: &EndpointReport) -> bool {
    endpoint
        .observations
        .reach
        .seen()
        .is_some_and(|reach| matches!(reach.outcome, ReachOutcome::Refused | ReachOutcome::Timeout))
}

fn counts_at(listener: &Listener, target: &TargetReport, finding: &Finding) -> bool {
    let rule = finding.rule.as_str();
    let unreached = target.endpoints.iter().all(is_unreached);
    let by_design = verifies_clients(listener) && WITHOUT_CERTIFICATE.contains(&rule);
    let beyond = UNREACHED.contains(&rule) && (unreached || rule != "not-measured");
    !by_design && !beyond
}

/// What could not be measured at a listener. That an internal load balancer has no way from here says
/// nothing about it.
fn listener_gaps(
    balancer: &LoadBalancer,
    target: &TargetReport,
    gaps: Vec<NotMeasured>,
) -> Vec<NotMeasured> {
    let internal = balancer.scheme == "internal";
    let unreached = target.endpoints.iter().any(is_unreached);
    let mut gaps = gaps;
    if internal && unreached {
        for gap in &mut gaps {
            if matches!(gap.what.as_str(), "tls" | "reach") {
                gap.reason = format!(
                    "it cannot be reached from here, which says nothing about it: the load balancer is \
                     internal ({}). Run this inside its VPC, or leave the probes out with --no-probe",
                    gap.reason
                );
            }
        }
    }
    gaps
}

/// Adds to what AWS says of targets which finding at them is the cause, so that one cause reads as one.
fn point_at_causes(audits: &mut [Finding], at_targets: &[Finding], ports: &[String]) {
    for symptom in audits {
        let of_group = SYMPTOMS.contains(&symptom.rule.as_str());
        if !of_group && !SYMPTOMS_OF_ALL.contains(&symptom.rule.as_str()) {
            continue;
        }
        // Health checks with a port of their own meet nothing that is found on the traffic's.
        let checks = health_check_subject(&symptom.subject);
        let subject = if ports.contains(&checks) {
            &checks
        } else {
            &symptom.subject
        };
        let causes = at_targets.iter().filter(|cause| {
            let rule = cause.rule.as_str();
            let concerns = if of_group {
                cause.subject == *subject && !OF_REQUESTS.contains(&rule)
            } else {
                !cause.subject.ends_with(HEALTH_CHECK) && !OF_HEALTH_CHECKS.contains(&rule)
            };
            concerns && cause.target == symptom.target && cause.severity >= Severity::Medium
        });
        for cause in causes {
            let see = match of_group {
                true => format!("see {}", cause.rule),
                false => format!("see {} ({})", cause.rule, cause.subject),
            };
            if !symptom.evidence.seen.contains(&see) {
                symptom.evidence.seen.push(see);
            }
        }
    }
}

fn points_at_cause(finding: &Finding) -> bool {
    let rule = finding.rule.as_str();
    (SYMPTOMS.contains(&rule) || SYMPTOMS_OF_ALL.contains(&rule))
        && finding
            .evidence
            .seen
            .iter()
            .any(|line| line.starts_with("see "))
}

/// The groups, as findings about their health checks call them, whose health checks were probed by themselves.
fn ports_of_health_checks(inventory: &Inventory, targets: &[TargetReport]) -> Vec<String> {
    let groups = targets.iter().filter_map(|target| match &target.role {
        Some(Role::Target {
            target_group,
            purpose: Purpose::HealthCheck,
            ..
        }) => Some(target_group),
        _ => None,
    });
    let mut subjects: Vec<String> = groups
        .filter_map(|arn| {
            let mut all = inventory.target_groups.read()?.iter();
            all.find(|known| known.arn == *arn)
        })
        .map(|group| health_check_subject(&group_subject(group)))
        .collect();
    subjects.dedup();
    subjects
}

/// Whether an audit says the same of this listener; then it takes the probe as evidence.
fn covered(
    inventory: &Inventory,
    audits: &mut [Finding],
    listener: &Listener,
    target: &TargetReport,
    finding: &Finding,
) -> bool {
    let subject = listener_subject(listener);
    let covers = |audit: &Finding| {
        let check = AUDITS.iter().find(|check| check.rule().id == audit.rule);
        check.is_some_and(|check| check.covers().contains(&finding.rule.as_str()))
    };
    let same = audits.iter_mut().find(|audit| {
        covers(audit)
            && (audit.subject == subject
                // The plaintext port is asked along with the one that has TLS.
                || finding.rule == "http-redirect-missing"
                || is_served(inventory, audit, listener, target))
    });
    let Some(audit) = same else { return false };
    let seen = format!("probed at {}: {}", target.target, finding.message);
    if !audit.evidence.seen.contains(&seen) {
        audit.evidence.seen.push(seen);
    }
    true
}

/// Whether an audit is about a certificate that this listener has, and that was served.
fn is_served(
    inventory: &Inventory,
    audit: &Finding,
    listener: &Listener,
    target: &TargetReport,
) -> bool {
    if !audit.subject.starts_with("certificate ") {
        return false;
    }
    certificates(listener).any(|arn| {
        let known = inventory.certificates.iter().find(|known| known.arn == arn);
        let Some(detail) = known.and_then(|known| known.detail.read()) else {
            return false;
        };
        let named = detail.domain_name.iter().any(|name| {
            let shown = gladhand_probes::Untrusted::from(name.as_str()).to_string();
            audit.subject == format!("certificate {shown}")
                || audit.subject == format!("certificate {name}")
        });
        let leafs = target.endpoints.iter().filter_map(|endpoint| {
            let served = endpoint.observations.certificate.seen()?;
            served.served.first()
        });
        let serial = detail
            .serial
            .as_deref()
            .map(|serial| serial.trim_start_matches('0'));
        named
            && leafs.into_iter().any(|leaf| {
                serial.is_none_or(|serial| leaf.serial.trim_start_matches('0') == serial)
            })
    })
}

/// Adds a gap, unless the same was told of another server name at that address.
fn gap_once(
    gaps: &mut Vec<NotMeasured>,
    told: &mut Vec<(String, NotMeasured)>,
    listener: &Listener,
    gap: NotMeasured,
) {
    let address = |gap: &NotMeasured| {
        let at = gap.subject.split_once(" (");
        at.map(|(_, address)| address.to_owned())
    };
    let same = told.iter().any(|(arn, known)| {
        *arn == listener.arn
            && known.what == gap.what
            && known.reason == gap.reason
            && address(known) == address(&gap)
    });
    if !same {
        told.push((listener.arn.clone(), gap.clone()));
        gaps.push(gap);
    }
}

/// Adds a finding, unless the same was found under another server name of the listener.
fn once<'a>(all: &mut Vec<(&'a Listener, Finding)>, listener: &'a Listener, finding: Finding) {
    let same = all.iter_mut().find(|(of, known)| {
        of.arn == listener.arn
            && known.rule == finding.rule
            && known.evidence.key == finding.evidence.key
            && known.message == finding.message
    });
    let Some((_, known)) = same else {
        all.push((listener, finding));
        return;
    };
    let also = format!("the same at {}", finding.target);
    if known.target != finding.target && !known.evidence.seen.contains(&also) {
        known.evidence.seen.push(also);
    }
    for address in finding.evidence.addresses {
        if !known.evidence.addresses.contains(&address) {
            known.evidence.addresses.push(address);
        }
    }
}

fn standings(report: &Report) -> Standings {
    let mut standings = Standings::default();
    for of in report.by_target() {
        standings.total += 1;
        *match verdict(&of, report.started_at).mark {
            Mark::Broken => &mut standings.broken,
            Mark::Weak => &mut standings.weak,
            Mark::Unknown => &mut standings.not_measured,
            Mark::Works => &mut standings.works,
        } += 1;
    }
    standings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_call_things_by_their_names() {
        let arn = |resource: &str| {
            format!("arn:aws:elasticloadbalancing:eu-central-1:123456789012:{resource}")
        };
        assert_eq!(called(&arn("loadbalancer/app/shop/50dc")), "shop");
        assert_eq!(called(&arn("loadbalancer/legacy")), "legacy");
        let several = format!("{} and 3 more", arn("loadbalancer/net/edge/73e2"));
        assert_eq!(called(&several), "edge and 3 more");
        assert_eq!(called(&arn("targetgroup/web/6d0e")), "target group web");
        assert_eq!(called("ELB net/edge/73e2"), "network interfaces of edge");
        assert_eq!(called("ELB legacy"), "network interfaces of legacy");
        let certificate = "certificate arn:aws:acm:eu-central-1:123456789012:certificate/1";
        assert_eq!(called(certificate), certificate);
        assert_eq!(called("listener TLS:443"), "listener TLS:443");
    }
}
