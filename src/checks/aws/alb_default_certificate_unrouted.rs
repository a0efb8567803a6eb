//! The default certificate is for no host that the listener serves.

use gladhand_probes::untrusted::Untrusted;

use super::certificates::{detail, names};
use super::commands::listener as describe;
use super::hosts::{is_covered, routed};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::support::enumeration;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbDefaultCertificateUnrouted;

static RULE: Rule = Rule {
    id: "alb-default-certificate-unrouted",
    title: "The default certificate is for no host that the listener serves",
    severity: Severity::Info,
    what: "Every host that the rules of a listener name is one that the default certificate is not for, and \
           what no rule takes is not forwarded: the listener serves nothing under the certificate's names.",
    why: "The default certificate is what clients get that send no server name, or one that no certificate is \
          for: old clients, health checks, and whoever misspells. It is right where it is a stand-in on \
          purpose; otherwise a certificate that is used saves such clients an error that nobody understands.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Make the certificate of the most used host the default one.",
        snippet: Some(
            "aws elbv2 modify-listener --listener-arn <ARN> --certificates CertificateArn=<CERTIFICATE ARN>",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html",
    ],
};

impl Audit for AlbDefaultCertificateUnrouted {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for listener in view.listeners().filter(|listener| listener.has_tls()) {
            let default = listener.default_certificate.as_deref();
            let Some(detail) = default.and_then(|arn| detail(view, arn)) else {
                continue;
            };
            let names: Vec<&str> = names(detail).collect();
            let hosts = routed(listener);
            let rules = listener.rules.read().into_iter().flatten();
            // A rule without a host takes the certificate's names as well.
            let anything = rules.into_iter().any(|rule| {
                let mut conditions = rule.conditions.iter();
                let host = conditions.find(|condition| condition.field == "host-header");
                host.is_none_or(|host| host.values.is_empty() || !host.regex_values.is_empty())
            });
            let forwards = listener
                .default_actions
                .iter()
                .any(|action| action.kind == "forward");
            if forwards || anything || names.is_empty() || hosts.is_empty() {
                continue;
            }
            if hosts.iter().any(|host| is_covered(host, &names)) {
                continue;
            }
            let certificate = Untrusted::from(enumeration(&names));
            let found = Found {
                message: format!(
                    "The default certificate is for {certificate}, under which nothing is served."
                ),
                seen: vec![format!(
                    "rules route {}",
                    Untrusted::from(enumeration(&hosts))
                )],
                reproduce: vec![describe(view, listener)],
                ..Found::default()
            };
            out.about(listener_subject(listener), found);
        }
    }
}
