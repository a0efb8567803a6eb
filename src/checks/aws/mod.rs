//! Checks of a load balancer as AWS describes it, and of what was probed at it and behind it.
//!
//! As in `checks`: one check, one file, its rule and a pure function. Rules that hold for load balancers of
//! every type begin with `alb-`; those of Network and of Classic Load Balancers alone with `nlb-` and
//! `clb-`. What was not read is never judged: the gap itself is told.

mod alb_policy_default;
mod alb_served_certificate_outdated;
mod alb_served_certificate_unknown;
mod alb_served_default_certificate_differs;
mod alb_served_group_differs;
mod alb_served_hsts_missing;
mod alb_served_redirect_missing;
mod alb_served_suite_differs;
mod alb_served_unreachable;
mod alb_served_version_differs;
mod served;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gladhand_probes::aws::Inventory;
use gladhand_probes::aws::inventory::{Listener, LoadBalancer, Target, TargetGroup};
use time::OffsetDateTime;

use super::{Found, Judged, Rule, fingerprint};
use crate::report::model::{Evidence, Finding, Fix, Purpose, Role, Status, TargetReport};

/// Every check, in the order of the docs.
pub const AUDITS: &[&dyn Audit] = &[
    // Policies.
    &alb_policy_default::AlbPolicyDefault,
    // Certificates.
    // Listeners and rules.
    // Attributes and logs.
    // Target groups and health.
    // Networks.
    // What was probed at listeners.
    &alb_served_version_differs::AlbServedVersionDiffers,
    &alb_served_suite_differs::AlbServedSuiteDiffers,
    &alb_served_group_differs::AlbServedGroupDiffers,
    &alb_served_certificate_unknown::AlbServedCertificateUnknown,
    &alb_served_certificate_outdated::AlbServedCertificateOutdated,
    &alb_served_default_certificate_differs::AlbServedDefaultCertificateDiffers,
    &alb_served_redirect_missing::AlbServedRedirectMissing,
    &alb_served_hsts_missing::AlbServedHstsMissing,
    &alb_served_unreachable::AlbServedUnreachable,
    // What was probed at targets.
];

/// A pure function from a load balancer to findings.
pub trait Audit: Sync {
    /// What the check is about.
    fn rule(&self) -> &'static Rule;

    /// Rules of `check` that say the same of a listener that was probed: where this one fires for the
    /// listener, they are left out.
    fn covers(&self) -> &'static [&'static str] {
        &[]
    }

    /// Judges one load balancer.
    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>);
}

/// A load balancer, as a check sees it.
#[derive(Clone, Copy)]
pub struct AuditView<'a> {
    /// Everything that is known.
    pub inventory: &'a Inventory,
    /// The load balancer.
    pub balancer: &'a LoadBalancer,
    /// What was probed: listeners and targets, by their [`Role`]. Empty where nothing was.
    pub probed: &'a [TargetReport],
    /// The time of the run.
    pub now: OffsetDateTime,
}

impl<'a> AuditView<'a> {
    /// Its listeners; none where they were not read.
    pub fn listeners(&self) -> impl Iterator<Item = &'a Listener> + use<'a> {
        self.balancer.listeners.read().into_iter().flatten()
    }

    /// The target groups that it uses; none where they were not read.
    pub fn target_groups(&self) -> impl Iterator<Item = &'a TargetGroup> + use<'a> {
        let arn = self.balancer.arn.as_str();
        let all = self.inventory.target_groups.read().into_iter().flatten();
        all.filter(move |group| group.load_balancer_arns.iter().any(|used| used == arn))
    }

    /// What was probed of a listener: one for each server name.
    pub fn probed_listener(&self, arn: &str) -> impl Iterator<Item = &'a TargetReport> {
        self.probed.iter().filter(move |probed| {
            matches!(&probed.role, Some(Role::Listener { listener, .. }) if listener == arn)
        })
    }

    /// What was probed at a target's port for that purpose.
    pub fn probed_target(
        &self,
        group: &str,
        target: &Target,
        purpose: Purpose,
    ) -> Option<&'a TargetReport> {
        self.probed.iter().find(|probed| {
            matches!(
                &probed.role,
                Some(Role::Target { target_group, id, port, purpose: asked, .. })
                    if target_group == group
                        && *id == target.id
                        && Some(*port) == target.port
                        && *asked == purpose
            )
        })
    }
}

/// Collects the findings of one check at one load balancer.
pub struct Audited<'a> {
    rule: &'static Rule,
    balancer: &'a LoadBalancer,
    all: &'a mut Vec<Finding>,
}

impl Audited<'_> {
    /// Adds a finding about the load balancer itself.
    pub fn push(&mut self, found: Found) {
        let subject = self.balancer.name.clone();
        self.about(subject, found);
    }

    /// Adds a finding about a part of it: `listener HTTPS:443`, `target group web`,
    /// `target 10.0.1.25:8443 (web)`, `certificate example.com`.
    ///
    /// A subject holds names, never ids that a new deployment changes: it goes into the fingerprint.
    pub fn about(&mut self, subject: String, found: Found) {
        let name = &self.balancer.name;
        let fingerprint = fingerprint(self.rule.id, &format!("{name}\0{subject}"), &found.key);
        if self
            .all
            .iter()
            .any(|known| known.fingerprint == fingerprint)
        {
            return;
        }
        self.all.push(Finding {
            rule: self.rule.id.into(),
            severity: found.severity.unwrap_or(self.rule.severity),
            target: name.clone(),
            subject,
            message: found.message,
            evidence: Evidence {
                key: found.key,
                seen: found.seen,
                addresses: found.addresses,
            },
            fix: self.rule.fix.iter().map(Fix::from).collect(),
            reproduce: found.reproduce,
            references: self
                .rule
                .references
                .iter()
                .map(ToString::to_string)
                .collect(),
            fingerprint,
            status: Status::Open,
        });
    }
}

/// How a listener is called in findings: `listener HTTPS:443`.
pub fn listener_subject(listener: &Listener) -> String {
    format!("listener {}:{}", listener.protocol, listener.port)
}

/// How a target group is called in findings: `target group web`.
pub fn group_subject(group: &TargetGroup) -> String {
    format!("target group {}", group.name)
}

/// How a target is called in findings: `target 10.0.1.25:8443 (web)`.
pub fn target_subject(group: &TargetGroup, target: &Target) -> String {
    let port = target
        .port
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!("target {}{port} ({})", target.id, group.name)
}

/// Runs every check over every load balancer of an inventory, with what was probed.
pub fn audit(inventory: &Inventory, probed: &[TargetReport], now: OffsetDateTime) -> Judged {
    let mut findings = Vec::new();
    let mut panicked = Vec::new();
    for balancer in &inventory.load_balancers {
        let view = AuditView {
            inventory,
            balancer,
            probed,
            now,
        };
        for check in AUDITS {
            let judged = catch_unwind(AssertUnwindSafe(|| judge_one(*check, &view)));
            match judged {
                Ok(found) => findings.extend(found),
                Err(_) => panicked.push(check.rule().id),
            }
        }
    }
    findings.sort_by_key(|finding| Reverse(finding.severity));
    Judged { findings, panicked }
}

fn judge_one(check: &dyn Audit, view: &AuditView<'_>) -> Vec<Finding> {
    let mut all = Vec::new();
    let mut out = Audited {
        rule: check.rule(),
        balancer: view.balancer,
        all: &mut all,
    };
    check.judge(view, &mut out);
    all
}
