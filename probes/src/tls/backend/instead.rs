//! What is answered in place of a load balancer's hello that is not: one parameter changed at a time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact;
use crate::cx::Cx;
use crate::fact::{Answer, Fact};
use crate::target::Target;
use crate::tls::ask::{Reply, question};
use crate::tls::hellos::{Extras, Hello, TlsHello};
use crate::wire::names::SuiteName;
use crate::wire::registry::{Group, ProtocolVersion, Suite};

/// What was changed in a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Nothing but the server name.
    ServerName,
    /// Every suite of the policy's versions.
    Suites,
    /// Every group.
    Groups,
    /// Every signature scheme: other types of certificates.
    SignatureSchemes,
    /// Without post-quantum groups: a short hello.
    NoPostQuantum,
    /// Every suite, group and signature scheme, in the policy's versions.
    EverythingButVersions,
    /// The versions that the policy has not, with everything else.
    OtherVersions,
}

/// A hello that differs from the load balancer's, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Instead {
    /// What was changed.
    pub change: Change,
    /// Whether the server name went with it.
    pub with_name: bool,
    /// Whether it is answered.
    pub taken: Fact,
    /// The version that the target picked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<ProtocolVersion>,
    /// The suite that it picked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<SuiteName>,
}

/// The name that other clients send: the endpoint's, or that of the HTTP requests.
pub(super) fn name(cx: &Cx) -> Option<String> {
    let host = || {
        let host = cx.settings.http.host.as_deref()?;
        host.parse::<Target>().ok()?.name().map(Into::into)
    };
    cx.sni().or_else(host)
}

/// Changes one parameter after the other; where none of them is what is missing, the same with the name.
pub(super) async fn ask(cx: &Cx, hello: &Hello, name: Option<&str>) -> Vec<Instead> {
    let Hello::Tls(hello) = hello else {
        return Vec::new();
    };
    let mut all = Vec::new();
    if let Some(name) = name {
        let named = vec![with_name(hello.clone(), Some(name))];
        all.push(put(cx, Change::ServerName, true, named).await);
        if is_taken(&all) {
            return all;
        }
    }
    for name in [None, name]
        .into_iter()
        .take(1 + usize::from(name.is_some()))
    {
        for (change, hellos) in changes(hello) {
            let hellos = hellos.into_iter().map(|hello| with_name(hello, name));
            all.push(put(cx, change, name.is_some(), hellos.collect()).await);
        }
        if is_taken(&all) {
            break;
        }
    }
    all
}

fn is_taken(all: &[Instead]) -> bool {
    all.iter()
        .any(|instead| instead.taken.answer == Answer::Yes)
}

/// The first of the hellos that is answered; refused only where each of them is.
async fn put(cx: &Cx, change: Change, with_name: bool, hellos: Vec<Hello>) -> Instead {
    let mut refused = Vec::new();
    let mut open = None;
    for hello in hellos {
        let reply = question(cx, &hello, None).await;
        let picked = match &reply {
            Reply::Accepted(outcome) => outcome.flight().map(|flight| {
                let (version, suite) = (flight.hello.version(), flight.hello.suite);
                (version, SuiteName::from(suite))
            }),
            _ => None,
        };
        let taken = fact(reply);
        match taken.answer {
            Answer::Yes => {
                let (version, suite) = picked.unzip();
                return Instead {
                    change,
                    with_name,
                    taken,
                    version,
                    suite,
                };
            }
            Answer::No => refused.push(taken.evidence),
            Answer::Undetermined => open = Some(taken),
        }
    }
    refused.dedup();
    Instead {
        change,
        with_name,
        taken: open.unwrap_or_else(|| Fact::new(Answer::No, refused.join("; "))),
        version: None,
        suite: None,
    }
}

fn with_name(mut hello: TlsHello, name: Option<&str>) -> Hello {
    let has_extensions = hello.versions.first() != Some(&ProtocolVersion::SSL3);
    hello.sni = name.filter(|_| has_extensions).map(Into::into);
    Hello::Tls(hello)
}

/// Each change with the hellos that make it: the usual suites, and the rare ones, are a hello each.
fn changes(hello: &TlsHello) -> Vec<(Change, Vec<TlsHello>)> {
    let mut all = Vec::new();
    if hello.groups.iter().any(|group| group.post_quantum()) {
        let mut short = hello.clone();
        short.groups.retain(|group| !group.post_quantum());
        short.shares.retain(|group| !group.post_quantum());
        all.push((Change::NoPostQuantum, vec![short]));
    }
    let suites = suites(hello).into_iter().map(|suites| TlsHello {
        suites,
        ..hello.clone()
    });
    all.push((Change::Suites, suites.collect()));
    all.push((Change::Groups, vec![every_group(hello.clone())]));
    all.push((Change::SignatureSchemes, vec![every_scheme(hello.clone())]));
    all.push((Change::EverythingButVersions, everything(hello)));
    let others = other_versions(hello);
    if !others.is_empty() {
        all.push((Change::OtherVersions, others));
    }
    all
}

/// Every suite of the versions, in lists that servers bear.
fn suites(hello: &TlsHello) -> Vec<Vec<Suite>> {
    let newest = hello.versions.first().copied();
    let tls13 = newest.filter(|version| *version >= ProtocolVersion::TLS1_3);
    let tls13 = tls13.map_or(&[] as &[Suite], |_| Suite::tls13());
    let oldest = hello.versions.last().copied();
    if oldest >= Some(ProtocolVersion::TLS1_3) {
        return vec![tls13.to_vec()];
    }
    let lists = [Suite::common(), Suite::rare()].into_iter();
    lists
        .map(|list| tls13.iter().chain(list).copied().collect())
        .collect()
}

fn every_group(mut hello: TlsHello) -> TlsHello {
    let tls13 = hello.versions.first() >= Some(&ProtocolVersion::TLS1_3);
    let all = if tls13 {
        Group::tls13()
    } else {
        Group::tls12_curves()
    };
    for group in all {
        if !hello.groups.contains(group) {
            hello.groups.push(*group);
        }
    }
    hello
}

fn every_scheme(mut hello: TlsHello) -> TlsHello {
    let extras = hello.extras.take().map(|extras| Extras {
        schemes: None,
        ..*extras
    });
    hello.extras = extras
        .filter(|extras| *extras != Extras::default())
        .map(Box::new);
    hello
}

fn everything(hello: &TlsHello) -> Vec<TlsHello> {
    let all = every_scheme(every_group(hello.clone()));
    let lists = suites(hello).into_iter();
    lists
        .map(|suites| TlsHello {
            suites,
            ..all.clone()
        })
        .collect()
}

/// Hellos of the versions that the policy has not, newest first.
fn other_versions(hello: &TlsHello) -> Vec<TlsHello> {
    use ProtocolVersion as V;
    let missing = |version: &V| !hello.versions.contains(version);
    let mut all = Vec::new();
    if missing(&V::TLS1_3) {
        let tls13 = Hello::tls13(Suite::tls13(), Group::tls13(), &[Group::X25519], None);
        all.push(tls13);
    }
    let older: Vec<V> = [V::TLS1_2, V::TLS1_1, V::TLS1_0]
        .into_iter()
        .filter(missing)
        .collect();
    if let Some(newest) = older.first() {
        for list in [Suite::common(), Suite::rare()] {
            let mut hello = Hello::suites(*newest, list, None);
            if let Hello::Tls(hello) = &mut hello {
                hello.versions.clone_from(&older);
            }
            all.push(hello);
        }
    }
    if missing(&V::SSL3) {
        all.push(Hello::common(V::SSL3, None));
    }
    let tls = |hello| match hello {
        Hello::Tls(hello) => Some(hello),
        Hello::Ssl2 { .. } => None,
    };
    all.into_iter().filter_map(tls).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::BalancerClient;

    fn hello(client: &str) -> TlsHello {
        match client.parse::<BalancerClient>().unwrap().hello().unwrap() {
            Hello::Tls(hello) => hello,
            Hello::Ssl2 { .. } => panic!("SSLv2"),
        }
    }

    #[test]
    fn each_change_is_one_parameter() {
        for client in ["alb", "alb:ELBSecurityPolicy-2016-08"] {
            let hello = hello(client);
            for (change, others) in changes(&hello) {
                for other in others {
                    let same = [
                        (other.versions == hello.versions, Change::OtherVersions),
                        (other.suites == hello.suites, Change::Suites),
                        (other.groups == hello.groups, Change::Groups),
                        (other.extras == hello.extras, Change::SignatureSchemes),
                    ];
                    let differs: Vec<Change> = same
                        .into_iter()
                        .filter_map(|(same, change)| (!same).then_some(change))
                        .collect();
                    match change {
                        Change::EverythingButVersions => {
                            assert!(!differs.contains(&Change::OtherVersions));
                        }
                        Change::OtherVersions => {
                            assert!(differs.contains(&Change::OtherVersions));
                            let policy = &hello.versions;
                            assert!(other.versions.iter().all(|v| !policy.contains(v)));
                        }
                        change => assert_eq!(differs, [change], "{client}"),
                    }
                }
            }
        }
    }

    #[test]
    fn a_post_quantum_policy_is_asked_without_as_well() {
        let changes = changes(&hello("alb:ELBSecurityPolicy-TLS13-1-2-PQ-2025-09"));
        let (change, hellos) = &changes[0];
        assert_eq!(*change, Change::NoPostQuantum);
        assert!(hellos[0].shares == [Group::X25519]);
    }
}
