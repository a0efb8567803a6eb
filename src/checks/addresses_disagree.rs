//! The addresses of one name say different things.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use gladhand_probes::Answer;
use gladhand_probes::tls::reach::{ReachOutcome, ReachSeen};
use gladhand_probes::untrusted::Untrusted;
use gladhand_probes::wire::registry::ProtocolVersion;

use super::support::{client, date, enumeration, quote, reach_words, subject};
use super::{Check, Findings, Found, Rule, RuleFix, TargetView};
use crate::report::model::{EndpointReport, Severity};

/// See [`RULE`].
pub(super) struct AddressesDisagree;

static RULE: Rule = Rule {
    id: "addresses-disagree",
    title: "The addresses of the name disagree",
    severity: Severity::Medium,
    what: "The name has several addresses, and they differ in what answers there, in the server's \
           certificate, in the versions, or in the accepted suites or groups. Undetermined facts \
           are not compared.",
    why: "It fails sometimes, for some: which address a client takes changes with each lookup. A \
          dead address costs every client that tries it first a timeout. Usual causes: a node that \
          missed a deployment, a stale DNS record, a load balancer zone without healthy targets, \
          IPv6 that nobody tests.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Deploy the same certificate and configuration to the node that differs, and \
                   reload it; take dead addresses out of DNS.",
            snippet: Some("dig +short www.example.com A www.example.com AAAA"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "The addresses of one load balancer always agree: differing ones point at two \
                   load balancers behind one name (weighted or stale records), or at a change that \
                   is still on its way. For a dead one, see the zones and their subnets.",
            snippet: Some(
                "aws elbv2 describe-load-balancers --query \
                 'LoadBalancers[].[LoadBalancerName,DNSName,State.Code,AvailabilityZones[].ZoneName]'",
            ),
        },
    ],
    references: &["https://www.rfc-editor.org/rfc/rfc8305"],
};

impl Check for AddressesDisagree {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge_target(&self, view: &TargetView<'_>, out: &mut Findings<'_>) {
        // Only what was asked in the same way can disagree.
        let mut asked: BTreeMap<_, Vec<&EndpointReport>> = BTreeMap::new();
        for endpoint in &view.target.endpoints {
            let how = (endpoint.port, &endpoint.sni, &endpoint.client);
            asked.entry(how).or_default().push(endpoint);
        }
        for endpoints in asked.values().filter(|endpoints| endpoints.len() > 1) {
            let disagreements = [
                reach(endpoints),
                certificates(endpoints),
                versions(endpoints),
                suites(endpoints),
                groups(endpoints),
            ];
            for found in disagreements.into_iter().flatten() {
                out.push(found);
            }
        }
    }
}

/// What answers at each address: one speaks TLS, another does not.
fn reach(endpoints: &[&EndpointReport]) -> Option<Found> {
    let seen: Vec<(&EndpointReport, &ReachSeen)> = endpoints
        .iter()
        .filter_map(|endpoint| Some((*endpoint, endpoint.observations.reach.seen()?)))
        .collect();
    let (live, dead): (Vec<_>, Vec<_>) = seen
        .iter()
        .partition(|(_, seen)| seen.outcome == ReachOutcome::Tls);
    let (_, first) = dead.first()?;
    let (alive, _) = live.first()?;
    let dead_ips: Vec<IpAddr> = dead.iter().map(|(endpoint, _)| endpoint.ip).collect();
    let live_ips: Vec<IpAddr> = live.iter().map(|(endpoint, _)| endpoint.ip).collect();
    let mut lines: Vec<String> = seen
        .iter()
        .map(|(endpoint, seen)| format!("{} {}", endpoint.ip, reach_words(seen)))
        .collect();
    let family = dead_ips.iter().all(IpAddr::is_ipv6) && live_ips.iter().all(IpAddr::is_ipv4);
    if family && first.outcome == ReachOutcome::Timeout {
        lines.push("only IPv6 fails: see whether this machine has a route for it".into());
    }
    let same = dead.iter().all(|(_, seen)| seen.outcome == first.outcome);
    let what = if same {
        reach_words(first)
    } else {
        "does not speak TLS".into()
    };
    Some(Found {
        key: "reach".into(),
        message: match dead_ips.as_slice() {
            [ip] => format!("{ip} {what}, while {} speaks TLS.", alive.ip),
            ips => format!(
                "{} of {} addresses do not speak TLS: {}.",
                ips.len(),
                seen.len(),
                addresses(ips)
            ),
        },
        seen: lines,
        reproduce: commands(&dead_ips, alive, ""),
        addresses: dead_ips,
        ..Found::default()
    })
}

/// The server's own certificate at each address.
fn certificates(endpoints: &[&EndpointReport]) -> Option<Found> {
    let facts = collect(endpoints, |endpoint| {
        let leaf = endpoint.observations.certificate.seen()?.served.first()?;
        Some(format!(
            "{}, valid to {}, SHA-256 {}",
            subject(leaf),
            date(leaf.not_after),
            Untrusted::from(leaf.sha256.as_str())
        ))
    });
    let kinds = differing(&facts)?;
    Some(Found {
        key: "certificate".into(),
        message: format!(
            "The addresses send {kinds} different certificates: {}.",
            partition(&facts)
        ),
        seen: facts
            .iter()
            .map(|fact| format!("{}: {}", fact.ip, fact.value))
            .collect(),
        reproduce: commands(
            &facts.iter().map(|fact| fact.ip).collect::<Vec<_>>(),
            endpoints.first()?,
            " 2>/dev/null | openssl x509 -noout -subject -enddate",
        ),
        addresses: facts.iter().map(|fact| fact.ip).collect(),
        ..Found::default()
    })
}

/// The versions that are spoken at one address and refused at another.
fn versions(endpoints: &[&EndpointReport]) -> Option<Found> {
    let mut messages = Vec::new();
    let mut lines = Vec::new();
    let mut involved = BTreeSet::new();
    for &version in ProtocolVersion::all() {
        let with = |wanted: Answer| -> Vec<IpAddr> {
            let says = |endpoint: &&&EndpointReport| {
                let versions = endpoint.observations.versions.seen();
                versions.is_some_and(|seen| seen.answer(version) == wanted)
            };
            endpoints
                .iter()
                .filter(says)
                .map(|endpoint| endpoint.ip)
                .collect()
        };
        let (yes, no) = (with(Answer::Yes), with(Answer::No));
        if yes.is_empty() || no.is_empty() {
            continue;
        }
        messages.push(version.to_string());
        lines.push(format!(
            "{version}: accepted by {}, refused by {}",
            addresses(&yes),
            addresses(&no)
        ));
        involved.extend(yes.into_iter().chain(no));
    }
    if messages.is_empty() {
        return None;
    }
    Some(Found {
        key: "versions".into(),
        message: format!(
            "Some addresses accept {}, and others refuse.",
            enumeration(&messages)
        ),
        seen: lines,
        addresses: involved.into_iter().collect(),
        ..Found::default()
    })
}

/// The suites of the versions that several addresses speak.
fn suites(endpoints: &[&EndpointReport]) -> Option<Found> {
    let mut differ = Vec::new();
    let mut seen = Vec::new();
    let mut involved = BTreeSet::new();
    for &version in ProtocolVersion::all() {
        let facts: Vec<Fact<BTreeSet<String>>> = collect(endpoints, |endpoint| {
            let list = endpoint.observations.suites.seen()?.0.get(&version)?;
            list.complete
                .then(|| list.accepted.iter().map(ToString::to_string).collect())
        });
        if differing(&facts).is_none() {
            continue;
        }
        differ.push(version.to_string());
        seen.extend(
            difference(&facts)
                .into_iter()
                .map(|line| format!("{version}: {line}")),
        );
        involved.extend(facts.iter().map(|fact| fact.ip));
    }
    if differ.is_empty() {
        return None;
    }
    Some(Found {
        key: "suites".into(),
        message: format!(
            "The addresses accept different suites in {}.",
            enumeration(&differ)
        ),
        seen,
        addresses: involved.into_iter().collect(),
        ..Found::default()
    })
}

/// The groups of the key exchange.
fn groups(endpoints: &[&EndpointReport]) -> Option<Found> {
    let facts: Vec<Fact<BTreeSet<String>>> = collect(endpoints, |endpoint| {
        let groups = endpoint
            .observations
            .groups
            .seen()
            .filter(|groups| groups.complete)?;
        Some(groups.accepted.iter().map(ToString::to_string).collect())
    });
    differing(&facts)?;
    Some(Found {
        key: "groups".into(),
        message: "The addresses accept different groups for the key exchange.".into(),
        seen: difference(&facts),
        addresses: facts.iter().map(|fact| fact.ip).collect(),
        ..Found::default()
    })
}

/// What one address says.
struct Fact<T> {
    ip: IpAddr,
    value: T,
}

/// What is known of each address.
fn collect<T>(
    endpoints: &[&EndpointReport],
    fact: impl Fn(&EndpointReport) -> Option<T>,
) -> Vec<Fact<T>> {
    let one = |endpoint: &&EndpointReport| {
        fact(endpoint).map(|value| Fact {
            ip: endpoint.ip,
            value,
        })
    };
    endpoints.iter().filter_map(one).collect()
}

/// How many different things are said, where it is more than one.
fn differing<T: Ord>(facts: &[Fact<T>]) -> Option<usize> {
    let kinds: BTreeSet<&T> = facts.iter().map(|fact| &fact.value).collect();
    (kinds.len() > 1).then_some(kinds.len())
}

/// `192.0.2.1 and 192.0.2.2 against 192.0.2.3`.
fn partition<T: Ord>(facts: &[Fact<T>]) -> String {
    let mut sides: Vec<(&T, Vec<IpAddr>)> = Vec::new();
    for fact in facts {
        match sides.iter_mut().find(|(value, _)| *value == &fact.value) {
            Some((_, ips)) => ips.push(fact.ip),
            None => sides.push((&fact.value, vec![fact.ip])),
        }
    }
    let sides: Vec<String> = sides.iter().map(|(_, ips)| addresses(ips)).collect();
    sides.join(" against ")
}

/// What each address accepts that not all of them do.
fn difference(facts: &[Fact<BTreeSet<String>>]) -> Vec<String> {
    let in_all = |name: &&String| facts.iter().all(|fact| fact.value.contains(*name));
    facts
        .iter()
        .map(|fact| {
            let own: Vec<&String> = fact.value.iter().filter(|name| !in_all(name)).collect();
            match own.as_slice() {
                [] => format!("{} accepts only what all accept", fact.ip),
                own => format!("{} also accepts {}", fact.ip, enumeration(own)),
            }
        })
        .collect()
}

/// Addresses in words; of many, the first ones.
fn addresses(ips: &[IpAddr]) -> String {
    const SHOWN: usize = 4;
    let mut shown: Vec<String> = ips.iter().take(SHOWN).map(ToString::to_string).collect();
    if let Some(more) = ips.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        shown.push(format!("{more} more"));
    }
    enumeration(&shown)
}

/// The same question, put to two of the addresses.
fn commands(ips: &[IpAddr], like: &EndpointReport, then: &str) -> Vec<String> {
    let name = match &like.sni {
        Some(name) => format!("-servername {}", quote(name)),
        None => "-noservername".into(),
    };
    ips.iter()
        .take(2)
        .map(|ip| {
            let client = client(&EndpointReport {
                ip: *ip,
                ..like.clone()
            });
            format!("{client} {name} </dev/null{then}")
        })
        .collect()
}
