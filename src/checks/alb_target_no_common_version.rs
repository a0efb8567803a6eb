//! The target speaks no version that the load balancer offers.

use gladhand_probes::tls::backend::{Cause, Change};

use super::support::{
    backend, backend_lines, s_client_as_balancer, s_client_named, sole_cause, version_list,
    with_policy,
};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbTargetNoCommonVersion;

static RULE: Rule = Rule {
    id: "alb-target-no-common-version",
    title: "The target speaks no version that the load balancer offers",
    severity: Severity::High,
    what: "The target refuses every suite, group and signature scheme in the versions of the load \
           balancer's policy towards targets, and answers in another version. That policy cannot be \
           chosen: it follows from the policies of all listeners, and has TLS 1.3 only where one of them \
           has a policy of the TLS13 families.",
    why: "The handshake between load balancer and target fails: clients get 502, health checks fail with \
          Target.FailedHealthChecks. The usual case is a target with TLS 1.3 alone behind listeners whose \
          policies end at TLS 1.2.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "Add TLS 1.2 in the `server` block that listens first on this address and port.",
            snippet: Some("ssl_protocols TLSv1.2 TLSv1.3;"),
        },
        RuleFix {
            product: "HAProxy",
            text: "Let the bind line begin at TLS 1.2.",
            snippet: Some("ssl-default-bind-options ssl-min-ver TLSv1.2"),
        },
        RuleFix {
            product: "AWS",
            text: "Or give one HTTPS or TLS listener a policy of a TLS13 family: the load balancer then \
                   offers its targets TLS 1.0 to 1.3.",
            snippet: Some(
                "aws elbv2 modify-listener --listener-arn <ARN> --ssl-policy ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html",
        "https://www.rfc-editor.org/rfc/rfc9846#section-4.2.1",
    ],
};

impl Check for AlbTargetNoCommonVersion {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = backend(view).filter(|seen| sole_cause(seen) == Some(Cause::Version))
        else {
            return;
        };
        let mut others = [false, true].into_iter();
        let version = others.find_map(|name| seen.changed(Change::OtherVersions, name)?.version);
        let spoken = version.map_or_else(String::new, |version| {
            format!("; the target speaks {version}")
        });
        out.push(Found {
            message: format!(
                "No common version: {} offers {}{spoken}.",
                with_policy(seen),
                version_list(&seen.offered),
            ),
            seen: backend_lines(seen),
            reproduce: vec![
                s_client_as_balancer(view, seen),
                s_client_named(view, view.endpoint.sni.as_deref(), ""),
            ],
            ..Found::default()
        });
    }
}
