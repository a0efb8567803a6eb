//! A listener takes suites that its policy does not have, or refuses some that it has.

use gladhand_probes::Untrusted;
use gladhand_probes::aws::PolicyContent;
use gladhand_probes::tls::suites::SuiteList;
use gladhand_probes::wire::names::SuiteName;
use gladhand_probes::wire::registry::{Authentication, CipherMode, Mac, ProtocolVersion, Suite};

use super::served::{Places, Seen, tls};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbServedSuiteDiffers;

static RULE: Rule = Rule {
    id: "alb-served-suite-differs",
    title: "The cipher suites are not those of the security policy",
    severity: Severity::Medium,
    what: "A listener was probed, and accepts a suite that its policy does not have; or refuses one that it \
           has and that fits the certificate's key (low), where every suite was asked and answered. The policy \
           by content, as AWS tells it, else from the table that ships.",
    why: "What answers is not this listener as AWS describes it: a proxy or CDN stands before it, the address \
          is another load balancer's, or a change of the policy has not reached every node. What is judged by \
          the policy's name does not hold for clients then.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "See whose the addresses are: the load balancer's are those of its network interfaces.",
            snippet: Some(
                "aws ec2 describe-network-interfaces --filters 'Name=description,Values=ELB <TYPE>/<NAME>/<ID>' \
                 --query 'NetworkInterfaces[].[PrivateIpAddress,Association.PublicIp]'",
            ),
        },
        RuleFix {
            product: "AWS",
            text: "See which policy the listener has now; after a change, probe again some minutes later.",
            snippet: Some(
                "aws elbv2 describe-listeners --listener-arns <ARN> --query 'Listeners[].SslPolicy'",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html",
    ],
};

impl Audit for AlbServedSuiteDiffers {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for (listener, seen) in tls(view) {
            let Some(policy) = view.inventory.policy_of(listener) else {
                continue;
            };
            let name = Untrusted::from(policy.name.as_str()).to_string();
            let (mut more, mut less) = (Places::default(), Places::default());
            let (mut extra, mut missing) = (Vec::new(), Vec::new());
            for &seen in &seen {
                let Some(suites) = seen.endpoint.observations.suites.seen() else {
                    continue;
                };
                for (version, list) in &suites.0 {
                    let beyond = beyond(&policy, list);
                    if !beyond.is_empty() {
                        more.add(seen, &format!("{version} takes {}", names(&beyond)));
                        extra.extend(beyond);
                    }
                    let lacking = lacking(&policy, seen, *version, list);
                    if !lacking.is_empty() {
                        less.add(seen, &format!("{version} refuses {}", names(&lacking)));
                        missing.extend(lacking);
                    }
                }
            }
            for (places, suites, key, how, severity) in [
                (more, extra, "accepted", "accepted, though the policy", None),
                (
                    less,
                    missing,
                    "refused",
                    "refused, though the policy",
                    Some(Severity::Low),
                ),
            ] {
                if places.is_empty() {
                    continue;
                }
                let at = places.of(&seen);
                let has = if key == "accepted" {
                    "does not have"
                } else {
                    "has"
                };
                let (it, are) = match distinct(&suites) {
                    1 => ("it", "1 suite is".to_owned()),
                    many => ("them", format!("{many} suites are")),
                };
                let message = format!("{are} {how} {name} {has} {it}{at}: {}.", names(&suites));
                let found = Found {
                    severity,
                    ..places.found(key, message)
                };
                out.about(listener_subject(listener), found);
            }
        }
    }
}

/// Accepted suites that the policy does not have.
fn beyond(policy: &PolicyContent, list: &SuiteList) -> Vec<Suite> {
    // One of these could be what AWS means by a name that is not known here.
    if !policy.unknown.is_empty() {
        return Vec::new();
    }
    let accepted = list.accepted.iter().filter_map(SuiteName::suite);
    accepted
        .filter(|suite| !policy.suites.contains(suite))
        .collect()
}

/// Suites of the policy that were refused, of those that the version and the certificate's key allow.
fn lacking(
    policy: &PolicyContent,
    seen: Seen<'_>,
    version: ProtocolVersion,
    list: &SuiteList,
) -> Vec<Suite> {
    if !list.complete || !policy.versions.contains(&version) {
        return Vec::new();
    }
    let accepted: Vec<Suite> = list.accepted.iter().filter_map(SuiteName::suite).collect();
    let undetermined: Vec<Suite> = list
        .undetermined
        .iter()
        .filter_map(SuiteName::suite)
        .collect();
    let key = seen.leaf().map(|leaf| leaf.key.algorithm.as_str());
    let expected = policy.suites.iter().copied().filter(|suite| {
        fits(*suite, version, key) && !accepted.contains(suite) && !undetermined.contains(suite)
    });
    expected.collect()
}

/// Whether a server with such a key would take the suite in that version.
fn fits(suite: Suite, version: ProtocolVersion, key: Option<&str>) -> bool {
    if suite.is_tls13() || version == ProtocolVersion::TLS1_3 {
        return suite.is_tls13() && version == ProtocolVersion::TLS1_3;
    }
    let Some(traits) = suite.traits() else {
        return false;
    };
    let of_tls12 =
        traits.mode == CipherMode::Aead || matches!(traits.mac, Some(Mac::Sha256 | Mac::Sha384));
    let key_fits = match traits.authentication {
        Authentication::Ecdsa => key == Some("EC"),
        Authentication::Rsa => key == Some("RSA"),
        _ => false,
    };
    key_fits && (!of_tls12 || version == ProtocolVersion::TLS1_2)
}

fn distinct(suites: &[Suite]) -> usize {
    let mut codes: Vec<u16> = suites.iter().map(|suite| suite.0).collect();
    codes.sort_unstable();
    codes.dedup();
    codes.len()
}

/// The first few, each once.
fn names(suites: &[Suite]) -> String {
    const NAMED: usize = 4;
    let mut names: Vec<String> = Vec::new();
    for suite in suites {
        let name = suite.openssl().or_else(|| suite.iana());
        let name = name.map_or_else(|| suite.id(), Into::into);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    match more {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
