//! The server names that clients can be expected to ask a listener for. Pure.

use std::collections::BTreeSet;

use gladhand_probes::aws::Inventory;
use gladhand_probes::aws::inventory::{CertificateDetail, Listener};
use gladhand_probes::target::{Host, Target};

/// Names that a listener is asked for, at most: each costs a handshake or two at every node.
const MOST: usize = 8;

/// The label in the place of a wildcard, where nothing tells a name that it stands for.
const GUESS: &str = "www";

/// Names that a listener serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerNames {
    /// In the form that is sent, the most telling first; [`MOST`] at most.
    pub names: Vec<String>,
    /// How many more there are.
    pub left_out: usize,
}

/// The names that the listener's certificates and rules tell: first one of each certificate, the default
/// one's before the others', then those of rules, then the rest. A wildcard counts last, with a guess in its
/// place.
pub fn server_names(inventory: &Inventory, listener: &Listener) -> ServerNames {
    let details: Vec<&CertificateDetail> = certificates(listener)
        .filter_map(|arn| {
            let known = inventory.certificates.iter();
            let found = known.into_iter().find(|known| known.arn == arn)?;
            found.detail.read()
        })
        .collect();
    let of = |detail: &CertificateDetail| -> Vec<String> {
        let main = detail.domain_name.iter();
        main.chain(&detail.names)
            .filter_map(|name| exact(name))
            .collect()
    };
    let first = details
        .iter()
        .filter_map(|detail| of(detail).into_iter().next());
    let hosts = listener
        .rules
        .read()
        .into_iter()
        .flatten()
        .flat_map(|rule| &rule.conditions)
        .filter(|condition| condition.field == "host-header")
        .flat_map(|condition| &condition.values);
    let routed = hosts.clone().filter_map(|host| exact(host));
    let rest = details.iter().flat_map(|detail| of(detail));
    let wild = details
        .iter()
        .flat_map(|detail| detail.domain_name.iter().chain(&detail.names))
        .chain(hosts)
        .filter_map(|name| guessed(name));
    let mut all: Vec<String> = Vec::new();
    // Beside the list, so that many names do not take the square of their number.
    let mut known = BTreeSet::new();
    let mut parents = BTreeSet::new();
    for name in first.chain(routed).chain(rest) {
        if known.insert(name.clone()) {
            parents.extend(name.split_once('.').map(|(_, parent)| parent.to_owned()));
            all.push(name);
        }
    }
    for (name, parent) in wild {
        if parents.insert(parent) {
            all.push(name);
        }
    }
    let left_out = all.len().saturating_sub(MOST);
    all.truncate(MOST);
    ServerNames {
        names: all,
        left_out,
    }
}

/// The ARNs of a listener's certificates, the default one's first.
pub(crate) fn certificates(listener: &Listener) -> impl Iterator<Item = &str> {
    let default = listener.default_certificate.as_deref();
    let others = listener.certificates.read().into_iter().flatten();
    let others = others.map(String::as_str);
    default
        .into_iter()
        .chain(others.filter(move |arn| Some(*arn) != default))
}

/// A name as it is sent; none for a wildcard, an address, or what is no name.
fn exact(name: &str) -> Option<String> {
    if name.contains(['*', '?', ':', '/', '@', '#']) {
        return None;
    }
    match name.parse::<Target>().ok()?.host {
        Host::Name(name) => Some(name),
        Host::Ip(_) => None,
    }
}

/// A name that `*.example.com` stands for, and `example.com`.
fn guessed(name: &str) -> Option<(String, String)> {
    let parent = exact(name.strip_prefix("*.")?)?;
    Some((format!("{GUESS}.{parent}"), parent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gladhand_probes::aws::Section;
    use gladhand_probes::aws::inventory::{Certificate, Condition, Rule};

    fn certificate(arn: &str, names: &[&str]) -> Certificate {
        Certificate {
            arn: arn.into(),
            detail: Section::Read(CertificateDetail {
                domain_name: names.first().map(ToString::to_string),
                names: names.iter().map(ToString::to_string).collect(),
                ..CertificateDetail::default()
            }),
        }
    }

    fn names(certificates: &[(&str, &[&str])], hosts: &[&str]) -> ServerNames {
        let inventory = Inventory {
            certificates: certificates
                .iter()
                .map(|(arn, names)| certificate(arn, names))
                .collect(),
            ..Inventory::default()
        };
        let listener = Listener {
            default_certificate: certificates.first().map(|(arn, _)| (*arn).into()),
            certificates: Section::Read(
                certificates.iter().map(|(arn, _)| (*arn).into()).collect(),
            ),
            rules: Section::Read(vec![Rule {
                conditions: vec![Condition {
                    field: "host-header".into(),
                    values: hosts.iter().map(ToString::to_string).collect(),
                    ..Condition::default()
                }],
                ..Rule::default()
            }]),
            ..Listener::default()
        };
        server_names(&inventory, &listener)
    }

    #[test]
    fn one_name_of_each_certificate_comes_before_the_rest() {
        let told = names(
            &[
                ("a", &["www.example.com", "example.com"]),
                ("b", &["api.example.net"]),
            ],
            &["Shop.example.com"],
        );
        assert_eq!(
            told.names,
            [
                "www.example.com",
                "api.example.net",
                "shop.example.com",
                "example.com"
            ]
        );
        assert_eq!(told.left_out, 0);
    }

    #[test]
    fn a_wildcard_is_guessed_only_where_no_name_stands_for_it() {
        assert_eq!(
            names(&[("a", &["*.example.com"])], &[]).names,
            ["www.example.com"]
        );
        assert_eq!(
            names(&[("a", &["*.example.com"])], &["api.example.com"]).names,
            ["api.example.com"]
        );
    }

    #[test]
    fn what_is_no_name_is_never_sent() {
        let hostile = ["a b", "192.0.2.1", "x\u{1b}[2J", "", "*", "a:443", "-/x"];
        assert_eq!(names(&[("a", &hostile)], &hostile).names, [""; 0]);
    }

    #[test]
    fn there_are_not_more_than_can_be_asked() {
        let many: Vec<String> = (0..20).map(|n| format!("n{n}.example.com")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let told = names(&[("a", &many)], &[]);
        assert_eq!((told.names.len(), told.left_out), (MOST, 20 - MOST));
    }
}
