//! The security policy of a listener is the one that comes by omission.

use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// What the API, CloudFormation and Terraform put where nobody names a policy.
const TAKEN_BY_OMISSION: &str = "ELBSecurityPolicy-2016-08";

/// See [`RULE`].
pub(super) struct AlbPolicyDefault;

static RULE: Rule = Rule {
    id: "alb-policy-default",
    title: "The security policy is the one that comes by omission",
    severity: Severity::Low,
    what: "A listener has `ELBSecurityPolicy-2016-08`, which the API, the AWS CLI, CloudFormation and \
           Terraform put where none is named. What that policy lets in is told by rules of its own.",
    why: "Mostly nobody chose it: the console's default is another one. It knows no TLS 1.3, and takes TLS 1.0, \
          suites with CBC and SHA-1, and RSA key exchange.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Name the policy that AWS recommends; clients older than TLS 1.2 are shut out then, so look \
                   at who they are in the access log first.",
            snippet: Some(
                "aws elbv2 modify-listener --listener-arn <ARN> --ssl-policy ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
            ),
        },
        RuleFix {
            product: "Terraform",
            text: "Set `ssl_policy` in the `aws_lb_listener`.",
            snippet: Some("ssl_policy = \"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09\""),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html",
    ],
};

impl Audit for AlbPolicyDefault {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for listener in view.listeners() {
            if listener.ssl_policy.as_deref() == Some(TAKEN_BY_OMISSION) && listener.has_tls() {
                let found = Found {
                    message: format!(
                        "The policy is {TAKEN_BY_OMISSION}, which AWS takes where none is named."
                    ),
                    ..Found::default()
                };
                out.about(listener_subject(listener), found);
            }
        }
    }
}
