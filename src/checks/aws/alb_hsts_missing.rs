//! The listener adds no Strict-Transport-Security.

use gladhand_probes::aws::inventory::Listener;

use super::commands::aws;
use super::routing::{forwards, routes_http};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::support::quote;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbHstsMissing;

/// The attribute that adds the field.
const ATTRIBUTE: &str = "routing.http.response.strict_transport_security.header_value";

static RULE: Rule = Rule {
    id: "alb-hsts-missing",
    title: "The listener adds no Strict-Transport-Security",
    severity: Severity::Info,
    what: "An HTTPS listener of an Application Load Balancer on port 443 has no value for the attribute that \
           adds the field Strict-Transport-Security, and no answer of it was seen: targets may send the field \
           by themselves. Not where clients have to present a certificate. Where an answer was seen, that decides, and `hsts-missing` tells.",
    why: "A browser that was told so never asks the name without TLS again, and does not let its user pass \
          over a certificate error. Targets that send it miss what the load balancer answers by itself: \
          redirects, fixed responses, and its errors.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Have the listener add the field; begin with a max-age of minutes.",
            snippet: Some(
                "aws elbv2 modify-listener-attributes --listener-arn <ARN> --attributes Key=routing.http.response.strict_transport_security.header_value,Value=max-age=31536000",
            ),
        },
        RuleFix {
            product: "Terraform",
            text: "In the `aws_lb_listener`.",
            snippet: Some(
                "routing_http_response_strict_transport_security_header_value = \"max-age=31536000\"",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html",
        "https://www.rfc-editor.org/rfc/rfc6797#section-6.1",
    ],
};

impl Audit for AlbHstsMissing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        if !routes_http(view) {
            return;
        }
        for listener in view.listeners() {
            // Browsers go to 443; another port is for programs.
            if listener.protocol != "HTTPS" || listener.port != 443 || !serves(listener) {
                continue;
            }
            let Some(attributes) = listener.attributes.read() else {
                continue;
            };
            let set = attributes
                .get(ATTRIBUTE)
                .is_some_and(|value| !value.is_empty());
            if set || was_answered(view, listener) {
                continue;
            }
            let arn = quote(&listener.arn);
            let command = format!("elbv2 describe-listener-attributes --listener-arn {arn}");
            let found = Found {
                message: "The listener adds no Strict-Transport-Security; whether targets do was not seen."
                    .into(),
                reproduce: vec![aws(view, &command)],
                ..Found::default()
            };
            out.about(listener_subject(listener), found);
        }
    }
}

/// Whether something is forwarded: what only redirects or refuses serves no pages.
fn serves(listener: &Listener) -> bool {
    let rules = listener.rules.read().into_iter().flatten();
    // Clients that need a certificate are programs.
    let mutual = listener.mutual_authentication.as_ref();
    if mutual.is_some_and(|mutual| mutual.mode == "verify") {
        return false;
    }
    let mut actions = rules
        .map(|rule| &rule.actions)
        .chain([&listener.default_actions]);
    actions.any(|actions| forwards(actions))
}

/// Whether an answer over HTTPS was seen, which tells by itself. Errors do not.
fn was_answered(view: &AuditView<'_>, listener: &Listener) -> bool {
    let endpoints = view
        .probed_listener(&listener.arn)
        .flat_map(|probed| &probed.endpoints);
    endpoints.into_iter().any(|endpoint| {
        let seen = endpoint.observations.http.seen();
        let head = seen.and_then(|seen| seen.answer.head.as_ref());
        head.is_some_and(|head| head.hsts.is_some() || (200..400).contains(&head.status))
    })
}
