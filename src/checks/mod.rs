//! One check, one file: its rule (what, why, fix) and the pure function that judges.
//!
//! A check sees facts and returns findings. It touches neither the network nor the clock: the time
//! is [`View::now`], the start of the run.

pub mod aws;
mod chains;
mod docs;
mod fixes;
mod support;

mod addresses_disagree;
mod alb_target_certificate_invalid;
mod alb_target_client_certificate_required;
mod alb_target_handshake_fails;
mod alb_target_handshake_slow;
mod alb_target_health_check_fails;
mod alb_target_keep_alive_too_short;
mod alb_target_no_common_suite;
mod alb_target_no_common_version;
mod alb_target_plaintext;
mod alb_target_protocol_version_mismatch;
mod alb_target_request_fails;
mod alb_target_response_header_too_large;
mod alb_target_response_invalid;
mod alb_target_sni_required;
mod alb_target_tls_on_http_group;
mod alb_target_unreachable;
mod alpn_http2_missing;
mod certificate_cn_only;
mod certificate_expired;
mod certificate_expires_soon;
mod certificate_ip_san_missing;
mod certificate_name_constraints;
mod certificate_name_mismatch;
mod certificate_not_yet_valid;
mod certificate_revoked;
mod certificate_self_signed;
mod certificate_transparency_missing;
mod certificate_untrusted_root;
mod certificate_weak_key;
mod certificate_weak_signature;
mod certificate_wrong_usage;
mod certificate_x509_v1;
mod chain_duplicate;
mod chain_incomplete;
mod chain_intermediate_expired;
mod chain_out_of_order;
mod chain_path_length;
mod chain_superfluous_root;
mod chain_unrelated;
mod client_certificate_rejected;
mod client_certificate_required;
mod compression_accepted;
mod dh_group_small;
mod dh_public_value_reused;
mod extended_master_secret_missing;
mod fallback_scsv_missing;
mod group_post_quantum_missing;
mod handshake_fails;
mod hello_intolerance;
mod hsts_missing;
mod http_redirect_missing;
mod large_hello_dropped;
mod mozilla_profile_missed;
mod nodes_disagree;
mod not_measured;
mod plaintext_on_tls_port;
mod port_closed;
mod port_silent;
mod renegotiation_client_initiated;
mod renegotiation_insecure;
mod server_throttles;
mod session_resumption_broken;
mod signature_sha1_accepted;
mod sni_default_certificate_differs;
mod sni_required;
mod sni_unknown_name_rejected;
mod ssl_2_accepted;
mod ssl_3_accepted;
mod stapling_expired;
mod stapling_invalid;
mod stapling_must_staple_missing;
mod stapling_revoked;
mod stapling_wrong_certificate;
mod starttls_refused;
mod suite_3des;
mod suite_anonymous;
mod suite_cbc_sha1;
mod suite_export;
mod suite_no_forward_secrecy;
mod suite_null;
mod suite_rc4;
mod tls_1_0_accepted;
mod tls_1_1_accepted;
mod tls_1_2_missing;
mod tls_1_3_missing;

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use std::cmp::Reverse;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gladhand_probes::Observations;
use gladhand_probes::settings::BalancerKind;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use self::chains::Chain;
use crate::report::model::{
    EndpointReport, Evidence, Finding, Fix, Severity, Status, TargetReport,
};

pub use docs::docs;

/// Every check, in the order of the docs.
pub const CHECKS: &[&dyn Check] = &[
    &certificate_expired::CertificateExpired,
    &certificate_expires_soon::CertificateExpiresSoon,
    &certificate_not_yet_valid::CertificateNotYetValid,
    &certificate_name_mismatch::CertificateNameMismatch,
    &certificate_ip_san_missing::CertificateIpSanMissing,
    &certificate_cn_only::CertificateCnOnly,
    &certificate_self_signed::CertificateSelfSigned,
    &certificate_untrusted_root::CertificateUntrustedRoot,
    &certificate_weak_key::CertificateWeakKey,
    &certificate_weak_signature::CertificateWeakSignature,
    &certificate_wrong_usage::CertificateWrongUsage,
    &certificate_name_constraints::CertificateNameConstraints,
    &certificate_x509_v1::CertificateX509V1,
    &certificate_transparency_missing::CertificateTransparencyMissing,
    &chain_incomplete::ChainIncomplete,
    &chain_out_of_order::ChainOutOfOrder,
    &chain_superfluous_root::ChainSuperfluousRoot,
    &chain_intermediate_expired::ChainIntermediateExpired,
    &chain_duplicate::ChainDuplicate,
    &chain_unrelated::ChainUnrelated,
    &chain_path_length::ChainPathLength,
    &certificate_revoked::CertificateRevoked,
    &stapling_must_staple_missing::StaplingMustStapleMissing,
    &stapling_expired::StaplingExpired,
    &stapling_wrong_certificate::StaplingWrongCertificate,
    &stapling_invalid::StaplingInvalid,
    &stapling_revoked::StaplingRevoked,
    &ssl_2_accepted::Ssl2Accepted,
    &ssl_3_accepted::Ssl3Accepted,
    &tls_1_0_accepted::Tls10Accepted,
    &tls_1_1_accepted::Tls11Accepted,
    &tls_1_2_missing::Tls12Missing,
    &tls_1_3_missing::Tls13Missing,
    &handshake_fails::HandshakeFails,
    &large_hello_dropped::LargeHelloDropped,
    &hello_intolerance::HelloIntolerance,
    &client_certificate_required::ClientCertificateRequired,
    &client_certificate_rejected::ClientCertificateRejected,
    &suite_null::SuiteNull,
    &suite_anonymous::SuiteAnonymous,
    &suite_export::SuiteExport,
    &suite_rc4::SuiteRc4,
    &suite_3des::Suite3Des,
    &suite_cbc_sha1::SuiteCbcSha1,
    &suite_no_forward_secrecy::SuiteNoForwardSecrecy,
    &dh_group_small::DhGroupSmall,
    &group_post_quantum_missing::GroupPostQuantumMissing,
    &renegotiation_insecure::RenegotiationInsecure,
    &renegotiation_client_initiated::RenegotiationClientInitiated,
    &extended_master_secret_missing::ExtendedMasterSecretMissing,
    &compression_accepted::CompressionAccepted,
    &fallback_scsv_missing::FallbackScsvMissing,
    &alpn_http2_missing::AlpnHttp2Missing,
    &dh_public_value_reused::DhPublicValueReused,
    &signature_sha1_accepted::SignatureSha1Accepted,
    &hsts_missing::HstsMissing,
    &http_redirect_missing::HttpRedirectMissing,
    &session_resumption_broken::SessionResumptionBroken,
    &sni_required::SniRequired,
    &sni_default_certificate_differs::SniDefaultCertificateDiffers,
    &sni_unknown_name_rejected::SniUnknownNameRejected,
    &mozilla_profile_missed::MozillaProfileMissed,
    &plaintext_on_tls_port::PlaintextOnTlsPort,
    &starttls_refused::StarttlsRefused,
    &port_closed::PortClosed,
    &port_silent::PortSilent,
    &server_throttles::ServerThrottles,
    &nodes_disagree::NodesDisagree,
    &addresses_disagree::AddressesDisagree,
    &not_measured::NotMeasured,
    // A target behind a balancer.
    &alb_target_no_common_version::AlbTargetNoCommonVersion,
    &alb_target_no_common_suite::AlbTargetNoCommonSuite,
    &alb_target_sni_required::AlbTargetSniRequired,
    &alb_target_client_certificate_required::AlbTargetClientCertificateRequired,
    &alb_target_handshake_fails::AlbTargetHandshakeFails,
    &alb_target_handshake_slow::AlbTargetHandshakeSlow,
    &alb_target_plaintext::AlbTargetPlaintext,
    &alb_target_tls_on_http_group::AlbTargetTlsOnHttpGroup,
    &alb_target_unreachable::AlbTargetUnreachable,
    &alb_target_certificate_invalid::AlbTargetCertificateInvalid,
    &alb_target_keep_alive_too_short::AlbTargetKeepAliveTooShort,
    &alb_target_response_invalid::AlbTargetResponseInvalid,
    &alb_target_response_header_too_large::AlbTargetResponseHeaderTooLarge,
    &alb_target_health_check_fails::AlbTargetHealthCheckFails,
    &alb_target_request_fails::AlbTargetRequestFails,
    &alb_target_protocol_version_mismatch::AlbTargetProtocolVersionMismatch,
];

/// A pure function from facts to findings.
pub trait Check: Sync {
    /// What the check is about.
    fn rule(&self) -> &'static Rule;

    /// Judges one address of a target.
    fn judge(&self, _view: &View<'_>, _out: &mut Findings<'_>) {}

    /// Judges a target as a whole: what its addresses say together.
    fn judge_target(&self, _target: &TargetView<'_>, _out: &mut Findings<'_>) {}
}

/// What a check is about, as `gladhand rules ID` and the docs print it.
#[derive(Debug)]
pub struct Rule {
    /// Kebab-case, names the problem, never changes.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// How bad, unless a finding says otherwise.
    pub severity: Severity,
    /// What is looked for, and what is not.
    pub what: &'static str,
    /// Why it matters: who breaks, and how.
    pub why: &'static str,
    /// What to change, by product.
    pub fix: &'static [RuleFix],
    /// Standards and documentation (URLs).
    pub references: &'static [&'static str],
}

/// One way to mend it.
#[derive(Debug)]
pub struct RuleFix {
    /// For which product: `nginx`, `HAProxy`, `AWS ALB`, `AWS NLB`, `AWS CLB`, `AWS`, `JVM`, `any`.
    pub product: &'static str,
    /// What to do.
    pub text: &'static str,
    /// The configuration or command, where there is one.
    pub snippet: Option<&'static str>,
}

/// One address of a target, as a check sees it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The target.
    pub target: &'a TargetReport,
    /// The address.
    pub endpoint: &'a EndpointReport,
    /// The time of the run.
    pub now: OffsetDateTime,
    /// The type of the server's key, where this is one of several chains.
    pub key_type: Option<&'a str>,
}

impl<'a> View<'a> {
    /// What was observed there.
    pub fn observations(&self) -> &'a Observations {
        &self.endpoint.observations
    }
}

/// A target with all its addresses, as a check sees it.
#[derive(Clone, Copy)]
pub struct TargetView<'a> {
    /// The target.
    pub target: &'a TargetReport,
    /// The time of the run.
    pub now: OffsetDateTime,
}

/// What a check found at one place, before it becomes a [`Finding`].
#[derive(Debug, Default)]
pub struct Found {
    /// Tells findings of one rule at one subject apart: `leaf`, `TLSv1.0`. No dates, no addresses,
    /// no counts: it goes into the fingerprint.
    pub key: String,
    /// What was found, in one sentence that names values.
    pub message: String,
    /// What it stands on, line by line.
    pub seen: Vec<String>,
    /// Commands that show the same without gladhand.
    pub reproduce: Vec<String>,
    /// Fixes with the values of this finding. They stand before the rule's, and in the place of those for
    /// the same product.
    pub fix: Vec<Fix>,
    /// A severity other than the rule's.
    pub severity: Option<Severity>,
    /// The addresses that it concerns, where the target was judged as a whole; a finding at one
    /// address has that one.
    pub addresses: Vec<IpAddr>,
}

/// Collects findings. The same finding at several addresses of a target is one finding that lists
/// the addresses.
pub struct Findings<'a> {
    rule: &'static Rule,
    target: &'a TargetReport,
    endpoint: Option<&'a EndpointReport>,
    chain: Option<&'a Chain>,
    all: &'a mut Vec<Finding>,
}

impl Findings<'_> {
    /// Adds a finding.
    pub fn push(&mut self, mut found: Found) {
        let subject = self.target.target.clone();
        let address = self.endpoint.map(|endpoint| endpoint.ip);
        if let Some(chain) = self.chain {
            let here = |known: &&mut Finding| {
                address.is_some_and(|address| known.evidence.addresses.contains(&address))
            };
            let known = self.all.iter_mut().filter(here);
            let Some(told) = chain.tell(found, known) else {
                return;
            };
            found = told;
        }
        let fingerprint = fingerprint(self.rule.id, &subject, &found.key);
        let same = self
            .all
            .iter_mut()
            .find(|known| known.fingerprint == fingerprint && known.message == found.message);
        if let (Some(known), Some(address)) = (same, address) {
            if !known.evidence.addresses.contains(&address) {
                known.evidence.addresses.push(address);
            }
            return;
        }
        self.all.push(Finding {
            rule: self.rule.id.into(),
            severity: found.severity.unwrap_or(self.rule.severity),
            target: subject.clone(),
            subject,
            message: found.message,
            evidence: Evidence {
                key: found.key,
                seen: found.seen,
                addresses: address.map_or(found.addresses, |address| vec![address]),
            },
            fix: self.rule.fixes(found.fix),
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

impl Rule {
    /// The fixes of a finding: its own, then the rule's for other products.
    fn fixes(&self, own: Vec<Fix>) -> Vec<Fix> {
        let others = self.fix.iter().map(Fix::from);
        let others: Vec<Fix> = others
            .filter(|fix| own.iter().all(|known| known.product != fix.product))
            .collect();
        own.into_iter().chain(others).collect()
    }
}

impl From<&RuleFix> for Fix {
    fn from(fix: &RuleFix) -> Self {
        Self {
            product: fix.product.into(),
            text: fix.text.into(),
            snippet: fix.snippet.map(Into::into),
        }
    }
}

/// What the checks found.
#[derive(Debug)]
pub struct Judged {
    /// The findings, the most severe first.
    pub findings: Vec<Finding>,
    /// The rules whose check panicked, which is a bug: it costs that rule's findings at that target.
    pub panicked: Vec<&'static str>,
}

/// Runs every check over the targets.
pub fn judge(targets: &[TargetReport], now: OffsetDateTime) -> Judged {
    let mut findings = Vec::new();
    let mut panicked = Vec::new();
    for target in targets {
        let chains: Vec<_> = target.endpoints.iter().flat_map(Chain::of).collect();
        for check in CHECKS.iter().filter(|check| concerns(check.rule(), target)) {
            let judged = AssertUnwindSafe(|| judge_one(*check, target, &chains, now));
            let judged = catch_unwind(judged);
            match judged {
                Ok(found) => findings.extend(found),
                Err(_) => panicked.push(check.rule().id),
            }
        }
    }
    findings.sort_by_key(|finding| Reverse(finding.severity));
    Judged { findings, panicked }
}

/// What the ids of rules begin with that are about a target as its load balancer sees it.
const AT_TARGETS: &str = "alb-target-";

/// Other rules that hold for a load balancer as well as for other clients.
const AT_TARGETS_TOO: [&str; 2] = ["not-measured", "server-throttles"];

/// Whether a rule is for this target: what was asked as its load balancer is judged by what that minds. It
/// verifies no certificate, and keeps others from the target's weak suites.
fn concerns(rule: &Rule, target: &TargetReport) -> bool {
    let as_balancer = |endpoint: &EndpointReport| {
        let client = endpoint.client.as_deref();
        client.is_some_and(|client| BalancerKind::of(client).is_some())
    };
    let is_target = target.endpoints.iter().any(as_balancer);
    !is_target || rule.id.starts_with(AT_TARGETS) || AT_TARGETS_TOO.contains(&rule.id)
}

/// What one check finds at one target.
fn judge_one(
    check: &dyn Check,
    target: &TargetReport,
    chains: &[Chain],
    now: OffsetDateTime,
) -> Vec<Finding> {
    let rule = check.rule();
    let mut all = Vec::new();
    let endpoints = target.endpoints.iter().map(|endpoint| (endpoint, None));
    let chains = chains.iter().map(|chain| (&chain.endpoint, Some(chain)));
    for (endpoint, chain) in endpoints.chain(chains) {
        let mut out = Findings {
            rule,
            target,
            endpoint: Some(endpoint),
            chain,
            all: &mut all,
        };
        let view = View {
            target,
            endpoint,
            now,
            key_type: chain.map(|chain| chain.key_type.as_str()),
        };
        check.judge(&view, &mut out);
    }
    let mut out = Findings {
        rule,
        target,
        endpoint: None,
        chain: None,
        all: &mut all,
    };
    check.judge_target(&TargetView { target, now }, &mut out);
    all
}

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}

/// Every rule, in the order of the docs: those of an endpoint, then those of a load balancer.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    let audits = aws::AUDITS.iter().map(|check| check.rule());
    CHECKS.iter().map(|check| check.rule()).chain(audits)
}

/// Rule, subject and key, hashed: no dates, addresses or counts.
pub(crate) fn fingerprint(rule: &str, subject: &str, key: &str) -> String {
    let digest = Sha256::digest(format!("{rule}\0{subject}\0{key}"));
    digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
