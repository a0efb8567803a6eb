//! What a load balancer gets from a target, in words and commands.

use gladhand_probes::clients::balancer::groups;
use gladhand_probes::elb_policies::elb_policy;
use gladhand_probes::fact::{Answer, Fact};
use gladhand_probes::settings::BalancerKind;
use gladhand_probes::tls::backend::{BackendSeen, Cause, Change};
use gladhand_probes::wire::registry::{Group, ProtocolVersion};

use super::s_client_named;
use crate::checks::View;

/// What a load balancer gets, where it was asked as one.
pub(in crate::checks) fn backend<'a>(view: &View<'a>) -> Option<&'a BackendSeen> {
    view.observations().backend.seen()
}

/// Whether the target ends the handshake where the load balancer shows no certificate. In TLS 1.3 the client
/// hears of it only after its request (RFC 8446 §2).
pub(in crate::checks) fn certificate_required_by_handshake(view: &View<'_>) -> bool {
    let asked = backend(view).and_then(|seen| seen.client_certificate.as_ref());
    asked.is_some_and(|asked| is_yes(asked.required_by_handshake.as_ref()))
}

/// Whether the target refuses requests for want of a certificate.
pub(in crate::checks) fn certificate_required_by_http(view: &View<'_>) -> bool {
    let asked = backend(view).and_then(|seen| seen.client_certificate.as_ref());
    asked.is_some_and(|asked| is_yes(asked.required_by_http.as_ref()))
}

fn is_yes(fact: Option<&Fact>) -> bool {
    fact.is_some_and(|fact| fact.answer == Answer::Yes)
}

/// The type of the load balancer as which the endpoint was asked.
pub(in crate::checks) fn balancer(view: &View<'_>) -> Option<BalancerKind> {
    BalancerKind::of(view.endpoint.client.as_deref()?)
}

/// `The load balancer (policy ELBSecurityPolicy-2016-08)`.
pub(in crate::checks) fn with_policy(seen: &BackendSeen) -> String {
    let assumed = if seen.policy_assumed { ", assumed" } else { "" };
    format!("the load balancer ({}{assumed})", seen.policy)
}

/// What is missing besides the server name, where it is one thing.
pub(in crate::checks) fn sole_cause(seen: &BackendSeen) -> Option<Cause> {
    let causes = seen.causes();
    let mut others = causes.iter().filter(|cause| **cause != Cause::ServerName);
    let first = others.next().copied();
    first.filter(|_| others.next().is_none())
}

/// What was asked and answered, line by line.
pub(in crate::checks) fn backend_lines(seen: &BackendSeen) -> Vec<String> {
    let mut lines = vec![format!(
        "as the load balancer: {}",
        seen.hello.taken.evidence
    )];
    lines.extend(seen.instead.iter().map(|instead| {
        let what = change_words(instead.change);
        let name = match (instead.change, instead.with_name) {
            (Change::ServerName, _) | (_, false) => "",
            (_, true) => ", with the server name",
        };
        format!("{what}{name}: {}", instead.taken.evidence)
    }));
    lines
}

fn change_words(change: Change) -> &'static str {
    match change {
        Change::ServerName => "with the server name",
        Change::Suites => "with every suite",
        Change::Groups => "with every group",
        Change::SignatureSchemes => "with every signature scheme",
        Change::NoPostQuantum => "without post-quantum groups",
        Change::EverythingButVersions => "with every suite, group and signature scheme",
        Change::OtherVersions => "in other versions",
    }
}

/// `openssl s_client` with the versions and suites of the load balancer, and no server name.
pub(in crate::checks) fn s_client_as_balancer(view: &View<'_>, seen: &BackendSeen) -> String {
    let bound = |version: &ProtocolVersion| match *version {
        ProtocolVersion::TLS1_0 => "TLSv1",
        ProtocolVersion::TLS1_1 => "TLSv1.1",
        ProtocolVersion::TLS1_2 => "TLSv1.2",
        _ => "TLSv1.3",
    };
    let mut options = Vec::new();
    if let (Some(newest), Some(oldest)) = (seen.offered.first(), seen.offered.last()) {
        let (oldest, newest) = (bound(oldest), bound(newest));
        options.push(format!("-min_protocol {oldest} -max_protocol {newest}"));
    }
    let policy = elb_policy(&seen.policy);
    let suites = policy.map(|policy| policy.suites.as_slice());
    let legacy = suites.unwrap_or_default().iter();
    let legacy: Vec<&str> = legacy
        .filter(|suite| !suite.is_tls13())
        .filter_map(|suite| suite.openssl())
        .collect();
    if !legacy.is_empty() {
        options.push(format!("-cipher '{}:@SECLEVEL=0'", legacy.join(":")));
    }
    let groups = policy.map(groups).unwrap_or_default();
    let curves: Vec<&str> = groups.into_iter().filter_map(curve).collect();
    if !curves.is_empty() {
        options.push(format!("-curves {}", curves.join(":")));
    }
    if seen.causes().contains(&Cause::SignatureScheme) {
        options.push("-sigalgs ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256:RSA+SHA1".into());
    }
    s_client_named(view, None, &options.join(" "))
}

/// OpenSSL's name of a curve; none for groups that old versions do not have.
fn curve(group: Group) -> Option<&'static str> {
    match group {
        Group::X25519 => Some("X25519"),
        Group::SECP256R1 => Some("P-256"),
        Group::SECP384R1 => Some("P-384"),
        Group::SECP521R1 => Some("P-521"),
        _ => None,
    }
}
