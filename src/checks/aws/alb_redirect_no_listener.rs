//! A redirect leads to a port on which no listener of the same protocol listens.

use gladhand_probes::aws::inventory::Redirect;
use gladhand_probes::untrusted::Untrusted;

use super::commands::rules as describe;
use super::routing::{is_known_host, listener_on, redirect, routes_http};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbRedirectNoListener;

static RULE: Rule = Rule {
    id: "alb-redirect-no-listener",
    title: "A redirect leads to a port that nothing listens on",
    severity: Severity::High,
    what: "A redirect of an Application Load Balancer keeps the host, or names one that a rule names, and \
           leads to a port without a listener, or to one whose listener has another protocol. Where clients \
           do not come straight to this load balancer, but through a CDN or a proxy that listens on that \
           port, it is right.",
    why: "The client follows the redirect and gets no connection: a timeout or a refusal, or a TLS error where \
          the port speaks plain HTTP. Often the HTTPS listener was deleted, or never created for want of a \
          certificate.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Create the listener that the redirect leads to.",
            snippet: Some(
                "aws elbv2 create-listener --load-balancer-arn <ARN> --protocol HTTPS --port 443 --ssl-policy ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09 --certificates CertificateArn=<CERTIFICATE ARN> --default-actions Type=forward,TargetGroupArn=<TARGET GROUP ARN>",
            ),
        },
        RuleFix {
            product: "AWS",
            text: "Or lead the redirect to the port where HTTPS listens.",
            snippet: Some(
                "aws elbv2 modify-listener --listener-arn <ARN> --default-actions 'Type=redirect,RedirectConfig={Protocol=HTTPS,Port=443,StatusCode=HTTP_301}'",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html",
    ],
};

impl Audit for AlbRedirectNoListener {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        if !routes_http(view) {
            return;
        }
        for listener in view.listeners() {
            let rules = listener.rules.read().into_iter().flatten();
            let rules = rules.map(|rule| &rule.actions);
            for actions in rules.chain([&listener.default_actions]) {
                let Some(redirect) = redirect(actions).filter(|to| stays(view, to)) else {
                    continue;
                };
                let protocol = match redirect.protocol.as_str() {
                    "" | "#{protocol}" => listener.protocol.as_str(),
                    protocol => protocol,
                };
                let port = match redirect.port.as_str() {
                    "" | "#{port}" => listener.port,
                    port => match port.parse() {
                        Ok(port) => port,
                        Err(_) => continue,
                    },
                };
                let fact = match listener_on(view, port) {
                    None => "no listener listens".into(),
                    Some(there) if there.protocol != protocol => {
                        format!("the listener speaks {}", there.protocol)
                    }
                    Some(_) => continue,
                };
                let all = view.listeners();
                let all: Vec<String> = all
                    .map(|one| format!("{}:{}", one.protocol, one.port))
                    .collect();
                let message =
                    format!("A redirect leads to {protocol} on port {port}, where {fact}.");
                let found = Found {
                    key: format!("{}:{port}", Untrusted::from(protocol)),
                    message: Untrusted::from(message).to_string(),
                    seen: vec![
                        Untrusted::from(format!("listeners: {}", all.join(", "))).to_string(),
                    ],
                    reproduce: vec![describe(view, listener)],
                    ..Found::default()
                };
                out.about(listener_subject(listener), found);
            }
        }
    }
}

/// Whether a redirect leads to this load balancer again.
fn stays(view: &AuditView<'_>, redirect: &Redirect) -> bool {
    matches!(redirect.host.as_str(), "" | "#{host}") || is_known_host(view, &redirect.host)
}
