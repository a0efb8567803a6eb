//! A listener without TLS forwards requests instead of redirecting them to HTTPS.

use gladhand_probes::aws::inventory::{Listener, Permission, Rule as ListenerRule, SecurityGroup};

use super::commands::rules as describe;
use super::routing::{forwards, routes_http, takes_all};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbHttpNotRedirected;

static RULE: Rule = Rule {
    id: "alb-http-not-redirected",
    title: "A listener forwards requests without TLS",
    severity: Severity::Medium,
    what: "An HTTP listener of an Application Load Balancer forwards requests to targets instead of \
           redirecting them to HTTPS. Low where the load balancer is internal, or its security groups do not \
           let everybody come to the port, or where only rules for some requests forward; info where it is \
           not for everybody and has no HTTPS listener at all. Rules for \
           /.well-known/ alone, and those with a condition on a header or a source address, do not count: \
           they are for certificate validation and for what stands in front.",
    why: "Who types the name, or follows an old link, comes without TLS and stays there, unless every target \
          redirects by itself after a look at X-Forwarded-Proto. What is sent, cookies and forms as well, can \
          be read and changed on the way.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Give the HTTP listener a redirect as its default action, and no rules that forward.",
            snippet: Some(
                "aws elbv2 modify-listener --listener-arn <ARN> --default-actions 'Type=redirect,RedirectConfig={Protocol=HTTPS,Port=443,StatusCode=HTTP_301}'",
            ),
        },
        RuleFix {
            product: "Terraform",
            text: "In the `aws_lb_listener` of port 80.",
            snippet: Some(
                "default_action {\n\
                 type = \"redirect\"\n\
                 redirect {\n\
                 protocol = \"HTTPS\"\n\
                 port = \"443\"\n\
                 status_code = \"HTTP_301\"\n\
                 }\n\
                 }",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html",
        "https://www.rfc-editor.org/rfc/rfc6797#section-7.2",
    ],
};

impl Audit for AlbHttpNotRedirected {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn covers(&self) -> &'static [&'static str] {
        &["http-redirect-missing"]
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        if !routes_http(view) {
            return;
        }
        let secure = view.listeners().any(Listener::has_tls);
        for listener in view
            .listeners()
            .filter(|listener| listener.protocol == "HTTP")
        {
            let Some(served) = served(listener) else {
                continue;
            };
            let internal = view.balancer.scheme == "internal" || is_shut(view, listener.port);
            let severity = match (served, internal, secure) {
                (Served::All, false, _) => Severity::Medium,
                (_, true, false) => Severity::Info,
                _ => Severity::Low,
            };
            let what = match served {
                Served::All => "The listener forwards requests",
                Served::Some => "Some rules of the listener forward requests",
            };
            let instead = if secure {
                "instead of redirecting them to HTTPS"
            } else {
                "without TLS, and no other listener has it"
            };
            let found = Found {
                message: format!("{what} {instead}."),
                reproduce: vec![describe(view, listener)],
                severity: Some(severity),
                ..Found::default()
            };
            out.about(listener_subject(listener), found);
        }
    }
}

/// Whether the security groups let in some addresses alone: a CDN's, an office's, another load balancer's.
fn is_shut(view: &AuditView<'_>, port: u16) -> bool {
    let Some(groups) = view.inventory.security_groups.read() else {
        return false;
    };
    let of_it = |group: &&SecurityGroup| view.balancer.security_groups.contains(&group.id);
    let mut groups = groups.iter().filter(of_it).peekable();
    let port = i32::from(port);
    let open = |permission: &Permission| {
        let all = permission.protocol == "-1" || permission.from_port.is_none();
        let within = permission.from_port.is_some_and(|from| from <= port)
            && permission.to_port.is_some_and(|to| port <= to);
        let everybody = ["0.0.0.0/0", "::/0"];
        (all || within)
            && permission
                .cidrs
                .iter()
                .any(|cidr| everybody.contains(&cidr.as_str()))
    };
    groups.peek().is_some() && !groups.any(|group| group.ingress.iter().any(open))
}

#[derive(Clone, Copy)]
enum Served {
    /// What no rule takes.
    All,
    /// What a rule takes.
    Some,
}

/// What goes to targets; none where nothing does, as far as was read.
fn served(listener: &Listener) -> Option<Served> {
    let mut some = None;
    for rule in listener.rules.read().into_iter().flatten() {
        if forwards(&rule.actions) && !is_special(rule) {
            some = Some(Served::Some);
        }
        if takes_all(rule) {
            let all = forwards(&rule.actions);
            return if all { Some(Served::All) } else { some };
        }
    }
    if forwards(&listener.default_actions) {
        return Some(Served::All);
    }
    some
}

/// Whether a rule is for what has to stay without TLS, or comes through something that has had it.
fn is_special(rule: &ListenerRule) -> bool {
    rule.conditions
        .iter()
        .any(|condition| match condition.field.as_str() {
            "http-header" | "source-ip" => true,
            "path-pattern" => {
                let mut values = condition.values.iter();
                condition.regex_values.is_empty()
                    && values.all(|path| path.starts_with("/.well-known/"))
            }
            _ => false,
        })
}
