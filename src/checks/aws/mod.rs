//! Checks of a load balancer as AWS describes it, and of what was probed at it and behind it.
//!
//! As in `checks`: one check, one file, its rule and a pure function. Rules that hold for load balancers of
//! every type begin with `alb-`; those of Network and of Classic Load Balancers alone with `nlb-` and
//! `clb-`. What was not read is never judged: the gap itself is told.

mod certificates;
mod commands;
mod globs;
mod hosts;
mod mtls;
mod policies;
mod routing;

mod alb_certificate_expired;
mod alb_certificate_expires_soon;
mod alb_certificate_missing;
mod alb_certificate_not_issued;
mod alb_certificate_not_renewing;
mod alb_certificate_quota;
mod alb_certificate_weak_key;
mod alb_cross_zone_off_empty_zone;
mod alb_default_certificate_unrouted;
mod alb_desync_monitor;
mod alb_forward_weight_zero;
mod alb_host_not_covered;
mod alb_hsts_missing;
mod alb_http_not_redirected;
mod alb_idle_timeout_short;
mod alb_invalid_headers_kept;
mod alb_logs_off;
mod alb_mtls_expiry_ignored;
mod alb_mtls_passthrough;
mod alb_mtls_trust_store;
mod alb_not_active;
mod alb_policy_cbc_sha1;
mod alb_policy_default;
mod alb_policy_post_quantum_missing;
mod alb_policy_rsa_key_exchange;
mod alb_policy_tls_1_0_allowed;
mod alb_policy_tls_1_1_allowed;
mod alb_policy_tls_1_3_missing;
mod alb_policy_unknown;
mod alb_policy_unsupported;
mod alb_redirect_loop;
mod alb_redirect_no_listener;
mod alb_rule_never_reached;
mod alb_waf_fail_open;
mod alb_xff_preserved;
mod clb_policy_weak;
mod nlb_alpn_none;

mod alb_deregistration_delay_long;
mod alb_deregistration_delay_zero;
mod alb_health_check_accepts_errors;
mod alb_health_check_grpc_matcher;
mod alb_health_check_protocol_mismatch;
mod alb_health_code_mismatch;
mod alb_health_connection_failed;
mod alb_health_internal_error;
mod alb_health_timeout;
mod alb_health_unexplained;
mod alb_network_acl_blocks_clients;
mod alb_network_acl_blocks_targets;
mod alb_protocol_version_excludes_http1;
mod alb_protocol_version_needs_http2;
mod alb_protocol_version_needs_https;
mod alb_security_group_blocks_clients;
mod alb_security_group_blocks_egress;
mod alb_security_group_blocks_ipv6;
mod alb_security_group_blocks_targets;
mod alb_security_group_restricts_clients;
mod alb_served_certificate_outdated;
mod alb_served_certificate_unknown;
mod alb_served_default_certificate_differs;
mod alb_served_group_differs;
mod alb_served_hsts_missing;
mod alb_served_redirect_missing;
mod alb_served_suite_differs;
mod alb_served_unreachable;
mod alb_served_version_differs;
mod alb_target_group_empty;
mod alb_target_group_unused;
mod alb_target_health_check_differs;
mod alb_target_invalid_state;
mod alb_target_ip_unusable;
mod alb_target_zone_not_enabled;
mod alb_targets_all_unhealthy;
mod alb_targets_in_transition;
mod alb_zone_without_targets;
mod matcher;
mod network;
mod network_acls;
mod nlb_security_group_blocks_clients;
mod served;
mod targets;

mod alb_metrics_client_tls_errors;
mod alb_metrics_errors_served;
mod alb_metrics_fail_open;
mod alb_metrics_rejected;
mod alb_metrics_target_connection_errors;
mod alb_metrics_target_tls_errors;
mod metrics;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod typical;

use std::cmp::Reverse;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gladhand_probes::aws::Inventory;
use gladhand_probes::aws::inventory::{
    Listener, LoadBalancer, LoadBalancerType, Target, TargetGroup,
};
use time::OffsetDateTime;

use super::{Found, Judged, Rule, fingerprint};
use crate::report::model::{Evidence, Finding, Fix, Purpose, Role, Status, TargetReport};

/// Every check, in the order of the docs.
pub const AUDITS: &[&dyn Audit] = &[
    // Policies.
    &alb_policy_default::AlbPolicyDefault,
    &alb_policy_unknown::AlbPolicyUnknown,
    &alb_policy_unsupported::AlbPolicyUnsupported,
    &alb_policy_tls_1_0_allowed::AlbPolicyTls10Allowed,
    &alb_policy_tls_1_1_allowed::AlbPolicyTls11Allowed,
    &alb_policy_cbc_sha1::AlbPolicyCbcSha1,
    &alb_policy_rsa_key_exchange::AlbPolicyRsaKeyExchange,
    &alb_policy_tls_1_3_missing::AlbPolicyTls13Missing,
    &alb_policy_post_quantum_missing::AlbPolicyPostQuantumMissing,
    &clb_policy_weak::ClbPolicyWeak,
    // Certificates.
    &alb_certificate_expired::AlbCertificateExpired,
    &alb_certificate_not_issued::AlbCertificateNotIssued,
    &alb_certificate_not_renewing::AlbCertificateNotRenewing,
    &alb_certificate_expires_soon::AlbCertificateExpiresSoon,
    &alb_certificate_weak_key::AlbCertificateWeakKey,
    &alb_certificate_missing::AlbCertificateMissing,
    &alb_host_not_covered::AlbHostNotCovered,
    &alb_default_certificate_unrouted::AlbDefaultCertificateUnrouted,
    &alb_certificate_quota::AlbCertificateQuota,
    // Listeners and rules.
    &alb_http_not_redirected::AlbHttpNotRedirected,
    &alb_redirect_no_listener::AlbRedirectNoListener,
    &alb_redirect_loop::AlbRedirectLoop,
    &alb_rule_never_reached::AlbRuleNeverReached,
    &alb_forward_weight_zero::AlbForwardWeightZero,
    &alb_hsts_missing::AlbHstsMissing,
    &alb_mtls_trust_store::AlbMtlsTrustStore,
    &alb_mtls_expiry_ignored::AlbMtlsExpiryIgnored,
    &alb_mtls_passthrough::AlbMtlsPassthrough,
    &nlb_alpn_none::NlbAlpnNone,
    // Attributes and logs.
    &alb_not_active::AlbNotActive,
    &alb_logs_off::AlbLogsOff,
    &alb_desync_monitor::AlbDesyncMonitor,
    &alb_invalid_headers_kept::AlbInvalidHeadersKept,
    &alb_waf_fail_open::AlbWafFailOpen,
    &alb_xff_preserved::AlbXffPreserved,
    &alb_idle_timeout_short::AlbIdleTimeoutShort,
    &alb_cross_zone_off_empty_zone::AlbCrossZoneOffEmptyZone,
    // Target groups and health.
    &alb_health_check_protocol_mismatch::AlbHealthCheckProtocolMismatch,
    &alb_health_check_accepts_errors::AlbHealthCheckAcceptsErrors,
    &alb_health_check_grpc_matcher::AlbHealthCheckGrpcMatcher,
    &alb_protocol_version_needs_https::AlbProtocolVersionNeedsHttps,
    &alb_protocol_version_needs_http2::AlbProtocolVersionNeedsHttp2,
    &alb_protocol_version_excludes_http1::AlbProtocolVersionExcludesHttp1,
    &alb_deregistration_delay_zero::AlbDeregistrationDelayZero,
    &alb_deregistration_delay_long::AlbDeregistrationDelayLong,
    &alb_target_group_unused::AlbTargetGroupUnused,
    &alb_target_group_empty::AlbTargetGroupEmpty,
    &alb_targets_all_unhealthy::AlbTargetsAllUnhealthy,
    &alb_health_code_mismatch::AlbHealthCodeMismatch,
    &alb_health_timeout::AlbHealthTimeout,
    &alb_health_connection_failed::AlbHealthConnectionFailed,
    &alb_health_internal_error::AlbHealthInternalError,
    &alb_health_unexplained::AlbHealthUnexplained,
    &alb_target_ip_unusable::AlbTargetIpUnusable,
    &alb_target_invalid_state::AlbTargetInvalidState,
    &alb_target_zone_not_enabled::AlbTargetZoneNotEnabled,
    &alb_targets_in_transition::AlbTargetsInTransition,
    &alb_zone_without_targets::AlbZoneWithoutTargets,
    // Networks.
    &alb_security_group_blocks_clients::AlbSecurityGroupBlocksClients,
    &alb_security_group_restricts_clients::AlbSecurityGroupRestrictsClients,
    &alb_security_group_blocks_ipv6::AlbSecurityGroupBlocksIpv6,
    &alb_security_group_blocks_egress::AlbSecurityGroupBlocksEgress,
    &alb_security_group_blocks_targets::AlbSecurityGroupBlocksTargets,
    &nlb_security_group_blocks_clients::NlbSecurityGroupBlocksClients,
    &alb_network_acl_blocks_clients::AlbNetworkAclBlocksClients,
    &alb_network_acl_blocks_targets::AlbNetworkAclBlocksTargets,
    // Metrics.
    &alb_metrics_errors_served::AlbMetricsErrorsServed,
    &alb_metrics_target_tls_errors::AlbMetricsTargetTlsErrors,
    &alb_metrics_target_connection_errors::AlbMetricsTargetConnectionErrors,
    &alb_metrics_fail_open::AlbMetricsFailOpen,
    &alb_metrics_rejected::AlbMetricsRejected,
    &alb_metrics_client_tls_errors::AlbMetricsClientTlsErrors,
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
    &alb_target_health_check_differs::AlbTargetHealthCheckDiffers,
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
            fix: self.fixes(found.fix),
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

impl Audited<'_> {
    /// The fixes that are for load balancers of this type: where one is for Classic ones, the commands of
    /// the others are not theirs.
    fn fixes(&self, own: Vec<Fix>) -> Vec<Fix> {
        const CLASSIC: &str = "AWS CLB";
        let classic = self.balancer.kind == LoadBalancerType::Classic;
        let mut fixes = self.rule.fixes(own);
        let of_its_own = fixes.iter().any(|fix| fix.product == CLASSIC);
        fixes.retain(|fix| {
            let newer = fix
                .snippet
                .as_ref()
                .is_some_and(|snippet| snippet.contains("aws elbv2 "));
            if classic {
                !(of_its_own && newer)
            } else {
                fix.product != CLASSIC
            }
        });
        fixes
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
