//! Which rule of a listener takes a request, and where a redirect leads: of one request at a time, for
//! certain or not at all.

use gladhand_probes::aws::inventory::{
    Action, Condition, Listener, LoadBalancerType, Redirect, Rule,
};

use super::AuditView;
use super::certificates::{arns, detail, names};
use super::globs::{includes, matches, sample};

/// A request of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) protocol: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) path: String,
    pub(super) query: String,
}

/// What a URL is cut off at: a redirect may add to it with every step.
const LONGEST: usize = 2048;

impl Request {
    /// `https://www.example.com:8443/a?b=c`; the usual port is left out.
    pub(super) fn url(&self) -> String {
        let scheme = self.protocol.to_ascii_lowercase();
        let port = match (scheme.as_str(), self.port) {
            ("http", 80) | ("https", 443) => String::new(),
            (_, port) => format!(":{port}"),
        };
        let query = match self.query.as_str() {
            "" => String::new(),
            query => format!("?{query}"),
        };
        format!("{scheme}://{}{port}{}{query}", self.host, self.path)
    }

    /// Where a redirect leads; none where that cannot be told.
    pub(super) fn redirected(&self, redirect: &Redirect) -> Option<Self> {
        let fill = |template: &str, default: &str| {
            let template = if template.is_empty() {
                default
            } else {
                template
            };
            let mut text = template.replace("#{protocol}", &self.protocol);
            text = text.replace("#{host}", &self.host);
            text = text.replace("#{port}", &self.port.to_string());
            text = text.replace("#{path}", self.path.trim_start_matches('/'));
            text.replace("#{query}", &self.query)
        };
        let to = Self {
            protocol: fill(&redirect.protocol, "#{protocol}"),
            host: fill(&redirect.host, "#{host}"),
            port: fill(&redirect.port, "#{port}").parse().ok()?,
            path: fill(&redirect.path, "/#{path}"),
            // An empty query is one: it takes the request's away.
            query: match redirect.query.as_str() {
                "" => String::new(),
                query => fill(query, ""),
            },
        };
        (to.path.len() + to.query.len() + to.host.len() <= LONGEST).then_some(to)
    }
}

/// The listener of an Application Load Balancer that a request reaches.
pub(super) fn listener_on<'a>(view: &AuditView<'a>, port: u16) -> Option<&'a Listener> {
    view.listeners().find(|listener| listener.port == port)
}

/// Whether the rules of HTTP apply to this load balancer.
pub(super) fn routes_http(view: &AuditView<'_>) -> bool {
    view.balancer.kind == LoadBalancerType::Application
}

/// The actions that take a request, with their rule if it is not the default one. None where that depends on
/// what is not known: rules that were not read, or conditions on headers, addresses and the like.
pub(super) fn taken<'a>(
    listener: &'a Listener,
    request: &Request,
) -> Option<(Option<&'a Rule>, &'a [Action])> {
    for rule in listener.rules.read()? {
        if all_hold(rule, request)? {
            return Some((Some(rule), &rule.actions));
        }
    }
    Some((None, &listener.default_actions))
}

/// Whether all conditions of a rule hold; none where that cannot be told.
fn all_hold(rule: &Rule, request: &Request) -> Option<bool> {
    if rule.conditions.is_empty() {
        return None;
    }
    let mut unknown = false;
    for condition in &rule.conditions {
        match holds(condition, request) {
            Some(false) => return Some(false),
            Some(true) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(true)
}

fn holds(condition: &Condition, request: &Request) -> Option<bool> {
    let any = |text: &str, fold: bool| {
        let mut values = condition.values.iter();
        let matched = values.any(|pattern| {
            if fold {
                matches(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
            } else {
                matches(pattern, text)
            }
        });
        // What a regular expression takes is not known here.
        let known = condition.regex_values.is_empty() && !condition.values.is_empty();
        (matched || known).then_some(matched)
    };
    match condition.field.as_str() {
        "host-header" => any(&request.host, true),
        "path-pattern" => any(&request.path, false),
        "http-request-method" => any("GET", false),
        "query-string" if request.query.is_empty() => Some(false),
        _ => None,
    }
}

/// The redirect among actions. What authenticates before it answers by itself at first.
pub(super) fn redirect(actions: &[Action]) -> Option<&Redirect> {
    let first = actions.first().filter(|action| action.kind == "redirect")?;
    first.redirect.as_ref()
}

/// Whether requests end at a target.
pub(super) fn forwards(actions: &[Action]) -> bool {
    actions.iter().any(|action| action.kind == "forward")
}

/// Whether a host is known to come to this load balancer: a rule names it.
pub(super) fn is_known_host(view: &AuditView<'_>, host: &str) -> bool {
    let rules = view
        .listeners()
        .filter_map(|listener| listener.rules.read());
    let conditions = rules.flatten().flat_map(|rule| &rule.conditions);
    let mut hosts = conditions.filter(|condition| condition.field == "host-header");
    hosts.any(|hosts| {
        hosts
            .values
            .iter()
            .any(|value| value.eq_ignore_ascii_case(host))
    })
}

/// Requests that a rule, or the default action, may take: one for each host that is known.
pub(super) fn samples(
    view: &AuditView<'_>,
    listener: &Listener,
    rule: Option<&Rule>,
) -> Vec<Request> {
    const MOST: usize = 8;
    let values = |field: &str| {
        let conditions = rule.into_iter().flat_map(|rule| &rule.conditions);
        let mut of = conditions.filter(|condition| condition.field == field);
        of.next().map(|condition| &condition.values)
    };
    let paths = values("path-pattern").and_then(|paths| paths.first());
    let path = paths.map_or("/".into(), |path| sample(path));
    let hosts: Vec<String> = if let Some(hosts) = values("host-header") {
        hosts.iter().take(MOST).map(|host| sample(host)).collect()
    } else {
        let all = view.listeners().flat_map(arns);
        let certified = all.filter_map(|arn| detail(view, arn)).flat_map(names);
        let exact = certified.filter(|name| !name.starts_with('*'));
        let own = std::iter::once(view.balancer.dns_name.as_str());
        exact.take(MOST).chain(own).map(str::to_owned).collect()
    };
    let request = |host| Request {
        protocol: listener.protocol.clone(),
        host,
        port: listener.port,
        path: path.clone(),
        query: String::new(),
    };
    hosts.into_iter().map(request).collect()
}

/// Whether a rule takes every request.
pub(super) fn takes_all(rule: &Rule) -> bool {
    let everything = |condition: &Condition| {
        let all = match condition.field.as_str() {
            "host-header" => "*",
            "path-pattern" => "/*",
            _ => return false,
        };
        condition.values.iter().any(|value| includes(value, all))
    };
    !rule.conditions.is_empty() && rule.conditions.iter().all(everything)
}

/// Whether an earlier rule takes every request that a later one would. False where that is not certain.
pub(super) fn shadows(earlier: &Rule, later: &Rule) -> bool {
    let implied = |wide: &Condition| {
        takes_any(wide) || later.conditions.iter().any(|narrow| covers(wide, narrow))
    };
    !earlier.conditions.is_empty() && earlier.conditions.iter().all(implied)
}

fn takes_any(condition: &Condition) -> bool {
    let any = match condition.field.as_str() {
        "host-header" => "*",
        "path-pattern" => "/*",
        _ => return false,
    };
    condition.values.iter().any(|value| includes(value, any))
}

/// Whether the one condition holds wherever the other one does.
fn covers(wide: &Condition, narrow: &Condition) -> bool {
    let header = |condition: &Condition| {
        condition
            .header
            .as_ref()
            .map(|name| name.to_ascii_lowercase())
    };
    if wide.field != narrow.field || header(wide) != header(narrow) {
        return false;
    }
    let patterns = matches!(
        wide.field.as_str(),
        "host-header" | "path-pattern" | "http-header" | "query-string"
    );
    // Only of paths the case counts; methods are words.
    let fold = wide.field != "path-pattern" && wide.field != "http-request-method";
    let case = |text: &str| {
        if fold {
            text.to_ascii_lowercase()
        } else {
            text.to_owned()
        }
    };
    let values = narrow.values.iter().all(|value| {
        wide.values.iter().any(|other| {
            let (other, value) = (case(other), case(value));
            if patterns {
                includes(&other, &value)
            } else {
                other == value
            }
        })
    });
    let expressions = &narrow.regex_values;
    let something = !narrow.values.is_empty() || !expressions.is_empty();
    something
        && values
        && expressions
            .iter()
            .all(|value| wide.regex_values.contains(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(field: &str, values: &[&str]) -> Condition {
        Condition {
            field: field.into(),
            values: values.iter().map(ToString::to_string).collect(),
            ..Condition::default()
        }
    }

    fn rule(conditions: &[Condition]) -> Rule {
        Rule {
            conditions: conditions.to_vec(),
            ..Rule::default()
        }
    }

    fn request() -> Request {
        Request {
            protocol: "HTTP".into(),
            host: "www.example.com".into(),
            port: 80,
            path: "/a/b".into(),
            query: "c=d".into(),
        }
    }

    #[test]
    fn a_redirect_fills_in_what_the_request_had() {
        let to = Redirect {
            protocol: "HTTPS".into(),
            port: "443".into(),
            host: "shop.#{host}".into(),
            path: "/new/#{path}".into(),
            query: "#{query}&e=f".into(),
            status_code: "HTTP_301".into(),
        };
        let url = request().redirected(&to).unwrap().url();
        assert_eq!(url, "https://shop.www.example.com/new/a/b?c=d&e=f");
    }

    #[test]
    fn what_a_redirect_does_not_name_stays() {
        let to = request().redirected(&Redirect::default()).unwrap();
        assert_eq!(to.url(), "http://www.example.com/a/b");
    }

    #[test]
    fn what_is_no_port_leads_nowhere() {
        let to = Redirect {
            port: "#{host}".into(),
            ..Redirect::default()
        };
        assert_eq!(request().redirected(&to), None);
    }

    #[test]
    fn what_depends_on_a_header_is_not_decided() {
        let header = Condition {
            header: Some("X-Forwarded-Proto".into()),
            ..condition("http-header", &["https"])
        };
        let host = condition("host-header", &["*.EXAMPLE.com"]);
        let other = condition("host-header", &["example.org"]);
        assert_eq!(
            all_hold(&rule(&[header.clone(), host.clone()]), &request()),
            None
        );
        assert_eq!(all_hold(&rule(&[header, other]), &request()), Some(false));
        assert_eq!(all_hold(&rule(&[host]), &request()), Some(true));
        assert_eq!(all_hold(&rule(&[]), &request()), None);
        let path = condition("path-pattern", &["/A/*"]);
        assert_eq!(
            all_hold(&rule(&[path]), &request()),
            Some(false),
            "case counts"
        );
    }

    #[test]
    fn a_rule_is_shadowed_by_one_that_asks_for_less() {
        let shadows = |wide: &[&Condition], narrow: &[&Condition]| {
            let owned = |all: &[&Condition]| -> Vec<Condition> {
                all.iter().map(|one| (*one).clone()).collect()
            };
            shadows(&rule(&owned(wide)), &rule(&owned(narrow)))
        };
        let host = condition("host-header", &["www.example.com", "*.example.org"]);
        let one = condition("host-header", &["a.example.ORG"]);
        let path = condition("path-pattern", &["/api/*"]);
        let deep = condition("path-pattern", &["/api/v1/*"]);
        assert!(shadows(&[&host], &[&one, &path]));
        assert!(!shadows(&[&one, &path], &[&host]));
        assert!(shadows(&[&path], &[&deep]) && !shadows(&[&deep], &[&path]));
        assert!(!shadows(&[&one], &[&host]), "one of two hosts");
        let all = condition("path-pattern", &["/*"]);
        let source = condition("source-ip", &["10.0.0.0/8"]);
        assert!(shadows(&[&all], &[&source]) && !shadows(&[&source], &[&all]));
        let regex = Condition {
            regex_values: vec!["^/api".into()],
            ..condition("path-pattern", &[])
        };
        assert!(!shadows(&[&path], &[&regex]) && shadows(&[&regex], &[&regex]));
    }
}
