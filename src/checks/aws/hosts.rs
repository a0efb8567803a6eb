//! The hosts that the rules of a listener name, and the certificates that are for them.

use std::net::IpAddr;

use gladhand_probes::aws::inventory::{Listener, Rule};

use super::AuditView;
use super::certificates::{arns, detail, names};
use super::globs::overlaps;
use crate::checks::support::is_aws_name;

/// The hosts and host patterns of a listener's rules, each once, in the order of the rules. Addresses, the
/// names that AWS gives and what matches every host are left out: no certificate is meant for them.
pub(super) fn routed(listener: &Listener) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    let rules = listener.rules.read().into_iter().flatten();
    // A host that is only refused needs no certificate.
    let answered = |rule: &&Rule| {
        rule.actions
            .iter()
            .any(|action| action.kind != "fixed-response")
    };
    let conditions = rules.filter(answered).flat_map(|rule| &rule.conditions);
    let hosts = conditions.filter(|condition| condition.field == "host-header");
    for host in hosts.flat_map(|condition| &condition.values) {
        let any = host.chars().all(|c| matches!(c, '*' | '?' | '.'));
        let known = all.iter().any(|known| known.eq_ignore_ascii_case(host));
        let address = host.parse::<IpAddr>().is_ok() || !host.contains('.');
        if !any && !known && !address && !is_aws_name(&host.to_ascii_lowercase()) {
            all.push(host);
        }
    }
    all
}

/// Every name of the listener's certificates; none unless all of them were read.
pub(super) fn certified<'a>(view: &AuditView<'a>, listener: &'a Listener) -> Option<Vec<&'a str>> {
    listener.certificates.read()?;
    let mut all = Vec::new();
    for arn in arns(listener) {
        all.extend(names(detail(view, arn)?));
    }
    Some(all)
}

/// Whether there is a host that a rule's host and one of the names take.
pub(super) fn is_covered(host: &str, names: &[&str]) -> bool {
    names.iter().any(|name| overlaps(host, name))
}
