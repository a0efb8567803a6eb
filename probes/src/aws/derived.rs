//! What follows from the inventory and is not said in it: which listener leads to which target group, by which
//! names clients come, which interfaces are the load balancer's nodes. Facts only, as far as they were read.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::inventory::{
    Action, Certificate, CertificateDetail, Interface, Inventory, Listener, LoadBalancer, Rule,
    TargetGroup,
};

/// A way to a target group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Route<'a> {
    /// From this listener.
    pub listener: &'a Listener,
    /// By this rule; none: by the listener's default action.
    pub rule: Option<&'a Rule>,
    /// Its weight among the target groups of the action; nothing comes this way where it is 0, unless it
    /// is the only one.
    pub weight: u32,
}

impl Inventory {
    /// The target group with this ARN.
    pub fn target_group(&self, arn: &str) -> Option<&TargetGroup> {
        let mut all = self.target_groups.read().into_iter().flatten();
        all.find(|group| group.arn == arn)
    }

    /// The certificate with this ARN.
    pub fn certificate(&self, arn: &str) -> Option<&Certificate> {
        self.certificates
            .iter()
            .find(|certificate| certificate.arn == arn)
    }

    /// The names by which clients may come to a listener: those of its certificates, the default one's first,
    /// then the hosts of its rules. Lower-case, each once; no wildcards, no addresses, nothing that is no name.
    pub fn server_names(&self, listener: &Listener) -> Vec<String> {
        let (mut all, mut known) = (Vec::new(), BTreeSet::new());
        let certificates = listener.certificate_arns();
        let details = certificates.filter_map(|arn| self.certificate(arn)?.detail.read());
        let presented = details.flat_map(|detail| detail.domain_name.iter().chain(&detail.names));
        let rules = listener.rules.read().into_iter().flatten();
        let hosts = rules.flat_map(Rule::hosts);
        for name in presented.map(String::as_str).chain(hosts) {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            if is_host_name(&name) && known.insert(name.clone()) {
                all.push(name);
            }
        }
        all
    }

    /// The interfaces of a load balancer's nodes: AWS tells them by their description. Empty where interfaces
    /// were not read, too.
    pub fn node_interfaces<'a>(
        &'a self,
        balancer: &'a LoadBalancer,
    ) -> impl Iterator<Item = &'a Interface> + use<'a> {
        let all = self.interfaces.read().into_iter().flatten();
        all.filter(move |interface| balancer.has_interface(interface))
    }

    /// The interface that has this private address.
    pub fn interface_at(&self, address: IpAddr) -> Option<&Interface> {
        let mut all = self.interfaces.read().into_iter().flatten();
        all.find(|interface| interface.addresses.contains(&address))
    }
}

impl LoadBalancer {
    /// Every way to a target group, in the order of listeners and rules, as far as those were read.
    pub fn routes_to<'a>(&'a self, target_group: &str) -> Vec<Route<'a>> {
        let listeners = self.listeners.read().into_iter().flatten();
        let routes = listeners.flat_map(|listener| {
            let rules = listener.rules.read().into_iter().flatten();
            let by_rule = rules.map(|rule| (Some(rule), &rule.actions));
            by_rule
                .chain([(None, &listener.default_actions)])
                .flat_map(move |(rule, actions)| {
                    actions.iter().map(move |action| (listener, rule, action))
                })
        });
        let mut all = Vec::new();
        for (listener, rule, action) in routes {
            let groups = action.target_groups.iter();
            for group in groups.filter(|group| group.target_group_arn == target_group) {
                all.push(Route {
                    listener,
                    rule,
                    weight: group.weight,
                });
            }
        }
        all
    }

    /// The target groups that its listeners and their rules forward to, as far as those were read.
    pub fn target_group_arns(&self) -> BTreeSet<&str> {
        let listeners = self.listeners.read().into_iter().flatten();
        listeners
            .flat_map(Listener::actions)
            .flat_map(|action| &action.target_groups)
            .map(|group| group.target_group_arn.as_str())
            .collect()
    }

    /// The listener with this ARN.
    pub fn listener(&self, arn: &str) -> Option<&Listener> {
        let mut all = self.listeners.read().into_iter().flatten();
        all.find(|listener| listener.arn == arn)
    }
}

impl Listener {
    /// Its certificates, the default one first, as far as they were read.
    pub fn certificate_arns(&self) -> impl Iterator<Item = &str> {
        let further = self.certificates.read().into_iter().flatten();
        self.default_certificate
            .iter()
            .chain(further)
            .map(String::as_str)
    }

    /// Every action of its rules, then the default ones.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        let rules = self.rules.read().into_iter().flatten();
        rules
            .flat_map(|rule| &rule.actions)
            .chain(&self.default_actions)
    }
}

impl Rule {
    /// The hosts that it takes, wildcards (`*`, `?`) left out; empty: any, or only such as patterns take.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.values("host-header")
            .filter(|host| !host.contains(['*', '?']))
    }

    /// The hosts that it takes, also as patterns; empty: any, unless it has regular expressions.
    pub fn host_patterns(&self) -> impl Iterator<Item = &str> {
        self.values("host-header")
    }

    /// A path that it takes: the first of its patterns, with nothing for each `*` and a letter for each `?`.
    /// None where it takes any, or has regular expressions alone.
    pub fn path(&self) -> Option<String> {
        let pattern = self.values("path-pattern").next()?;
        let path = pattern.replace('*', "").replace('?', "x");
        Some(if path.starts_with('/') {
            path
        } else {
            format!("/{path}")
        })
    }

    fn values<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a str> {
        let conditions = self.conditions.iter();
        conditions
            .filter(move |condition| condition.field == field)
            .flat_map(|condition| &condition.values)
            .map(String::as_str)
    }
}

impl CertificateDetail {
    /// Whether one of its names is this one, or a wildcard that covers it (RFC 9525 §6.3).
    pub fn covers(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let mut names = self.domain_name.iter().chain(&self.names);
        names.any(|name| {
            let name = name.to_ascii_lowercase();
            let parent = host.split_once('.').map(|(_, parent)| parent);
            name == host
                || name
                    .strip_prefix("*.")
                    .is_some_and(|own| Some(own) == parent)
        })
    }
}

/// Letters, digits, hyphens and underscores between dots, and no address.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(known)
    };
    name.len() <= 253 && name.split('.').all(is_label) && name.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Section;
    use crate::aws::inventory::{Condition, Weighted};

    fn rule(priority: u32, field: &str, values: &[&str], groups: &[(&str, u32)]) -> Rule {
        let weighted = |(arn, weight): &(&str, u32)| Weighted {
            target_group_arn: (*arn).into(),
            weight: *weight,
        };
        Rule {
            priority,
            conditions: vec![Condition {
                field: field.into(),
                values: values.iter().map(|value| (*value).into()).collect(),
                ..Condition::default()
            }],
            actions: vec![Action {
                kind: "forward".into(),
                target_groups: groups.iter().map(weighted).collect(),
                ..Action::default()
            }],
            ..Rule::default()
        }
    }

    fn balancer() -> LoadBalancer {
        let listener = Listener {
            arn: "l".into(),
            default_certificate: Some("c".into()),
            certificates: Section::Read(vec!["d".into()]),
            default_actions: rule(0, "", &[], &[("web", 1)]).actions,
            rules: Section::Read(vec![
                rule(
                    1,
                    "host-header",
                    &["API.example.com", "*.x.example"],
                    &[("api", 9), ("web", 0)],
                ),
                rule(2, "path-pattern", &["/img/*.pn?"], &[("api", 1)]),
            ]),
            ..Listener::default()
        };
        LoadBalancer {
            arn: "arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/app/shop/50dc".into(),
            listeners: Section::Read(vec![listener]),
            ..LoadBalancer::default()
        }
    }

    #[test]
    fn every_way_to_a_target_group_is_told() {
        let balancer = balancer();
        let told = |group: &str| -> Vec<_> {
            let routes = balancer.routes_to(group).into_iter();
            routes
                .map(|route| (route.rule.map(|rule| rule.priority), route.weight))
                .collect()
        };
        assert_eq!(told("api"), [(Some(1), 9), (Some(2), 1)]);
        assert_eq!(told("web"), [(Some(1), 0), (None, 1)]);
        assert_eq!(told("other"), []);
        assert_eq!(
            balancer.target_group_arns().into_iter().collect::<Vec<_>>(),
            ["api", "web"]
        );
    }

    #[test]
    fn names_come_from_certificates_and_rules() {
        let named = |arn: &str, names: &[&str]| Certificate {
            arn: arn.into(),
            detail: Section::Read(CertificateDetail {
                names: names.iter().map(|name| (*name).into()).collect(),
                ..CertificateDetail::default()
            }),
        };
        let balancer = balancer();
        let listener = balancer.listener("l").unwrap();
        let inventory = Inventory {
            certificates: vec![
                named("d", &["shop.example", "*.example.com", "192.0.2.1", "a b"]),
                named("c", &["www.example.com"]),
                Certificate::default(),
            ],
            ..Inventory::default()
        };
        assert_eq!(
            inventory.server_names(listener),
            ["www.example.com", "shop.example", "api.example.com"]
        );
    }

    #[test]
    fn a_path_that_a_pattern_takes() {
        let balancer = balancer();
        let rules = balancer.listener("l").unwrap().rules.read().unwrap();
        let paths: Vec<_> = rules.iter().map(Rule::path).collect();
        assert_eq!(paths, [None, Some("/img/.pnx".to_owned())]);
    }

    #[test]
    fn a_wildcard_covers_one_label() {
        let detail = CertificateDetail {
            names: vec!["*.example.com".into(), "Example.org".into()],
            ..CertificateDetail::default()
        };
        for host in ["a.example.com", "A.Example.Com.", "example.org"] {
            assert!(detail.covers(host), "{host}");
        }
        for host in ["example.com", "a.b.example.com", "www.example.org", ""] {
            assert!(!detail.covers(host), "{host}");
        }
    }

    #[test]
    fn nodes_are_told_by_their_description() {
        let interface = |description: &str| Interface {
            description: description.into(),
            addresses: vec![[10, 0, 0, 1].into()],
            ..Interface::default()
        };
        let inventory = Inventory {
            interfaces: Section::Read(vec![
                interface("ELB app/shop/50dc"),
                interface("ELB app/shop2/50dd"),
                interface("ELB "),
            ]),
            ..Inventory::default()
        };
        assert_eq!(inventory.node_interfaces(&balancer()).count(), 1);
        assert_eq!(
            inventory.node_interfaces(&LoadBalancer::default()).count(),
            0
        );
        assert!(inventory.interface_at([10, 0, 0, 1].into()).is_some());
        assert!(inventory.interface_at([10, 0, 0, 2].into()).is_none());
    }
}
