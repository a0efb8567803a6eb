//! The target has no suite that the load balancer offers.

use gladhand_probes::tls::backend::{Cause, Change};

use super::support::{backend, backend_lines, nmap, s_client_as_balancer, sole_cause, with_policy};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbTargetNoCommonSuite;

static RULE: Rule = Rule {
    id: "alb-target-no-common-suite",
    title: "The target has no suite that the load balancer offers",
    severity: Severity::High,
    what: "The target refuses the load balancer's suites and answers the same hello with others. Which \
           suites those are follows from the policies of all listeners; no policy towards targets has \
           CHACHA20 below TLS 1.3, DHE, or CCM.",
    why: "The handshake between load balancer and target fails: clients get 502, health checks fail with \
          Target.FailedHealthChecks. An RSA certificate with ECDSA suites alone, or the other way round, \
          has the same effect.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "Add suites with AES-GCM for the type of the certificate's key.",
            snippet: Some(
                "ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384;",
            ),
        },
        RuleFix {
            product: "HAProxy",
            text: "Add suites with AES-GCM to `ssl-default-bind-ciphers`, or to the bind line.",
            snippet: Some(
                "ssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384",
            ),
        },
        RuleFix {
            product: "AWS",
            text: "See what the policy offers; the one towards targets is named in the finding.",
            snippet: Some(
                "aws elbv2 describe-ssl-policies --names ELBSecurityPolicy-TLS13-1-0-2021-06 --query 'SslPolicies[].Ciphers[].Name'",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html",
        "https://www.rfc-editor.org/rfc/rfc5246#section-7.4.1.3",
    ],
};

impl Check for AlbTargetNoCommonSuite {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = backend(view).filter(|seen| sole_cause(seen) == Some(Cause::Suite)) else {
            return;
        };
        let mut with_suites = [false, true].into_iter();
        let picked = with_suites.find_map(|name| {
            let instead = seen.changed(Change::Suites, name)?;
            Some(format!(
                "; the target takes {} {}",
                instead.version?,
                instead.suite.as_ref()?
            ))
        });
        out.push(Found {
            message: format!(
                "No common suite: the target refuses all that {} offers{}.",
                with_policy(seen),
                picked.unwrap_or_default(),
            ),
            seen: backend_lines(seen),
            reproduce: vec![s_client_as_balancer(view, seen), nmap(view)],
            ..Found::default()
        });
    }
}
