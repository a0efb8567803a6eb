//! Rules route hosts that no certificate of the listener is for.

use gladhand_probes::untrusted::Untrusted;

use super::commands::rules;
use super::hosts::{certified, is_covered, routed};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::support::enumeration;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbHostNotCovered;

/// Hosts that a message names at most.
const SHOWN: usize = 4;

static RULE: Rule = Rule {
    id: "alb-host-not-covered",
    title: "Rules route hosts that no certificate of the listener is for",
    severity: Severity::Medium,
    what: "A rule of an HTTPS listener has a host, or a pattern of hosts, in its condition that no name of \
           the listener's certificates covers; a wildcard stands for exactly one label. Judged only where all \
           certificates of the listener were read; regular expressions, addresses and names that AWS gives to \
           load balancers are left out.",
    why: "A client that asks for such a host gets the default certificate, and refuses it for its name: the \
          rule is never reached by anybody who verifies.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Add a certificate for the host to the listener.",
            snippet: Some(
                "aws elbv2 add-listener-certificates --listener-arn <ARN> --certificates CertificateArn=<CERTIFICATE ARN>",
            ),
        },
        RuleFix {
            product: "AWS",
            text: "Or delete the rule, where the host is not served any more.",
            snippet: Some("aws elbv2 delete-rule --rule-arn <RULE ARN>"),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html",
        "https://www.rfc-editor.org/rfc/rfc9525#section-6.3",
    ],
};

impl Audit for AlbHostNotCovered {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for listener in view.listeners().filter(|listener| listener.has_tls()) {
            let Some(names) = certified(view, listener).filter(|names| !names.is_empty()) else {
                continue;
            };
            let routed = routed(listener);
            let missing: Vec<String> = routed
                .iter()
                .filter(|host| !is_covered(host, &names))
                .map(|host| Untrusted::from(*host).to_string())
                .collect();
            if missing.is_empty() {
                continue;
            }
            let mut first: Vec<String> = missing.iter().take(SHOWN).cloned().collect();
            if missing.len() > SHOWN {
                first.push(format!("{} more", missing.len() - SHOWN));
            }
            let names: Vec<&str> = names.into_iter().take(20).collect();
            let found = Found {
                message: format!(
                    "No certificate of the listener is for {}.",
                    enumeration(&first)
                ),
                seen: vec![format!(
                    "the certificates are for {}",
                    Untrusted::from(enumeration(&names))
                )],
                reproduce: vec![rules(view, listener)],
                ..Found::default()
            };
            out.about(listener_subject(listener), found);
        }
    }
}
