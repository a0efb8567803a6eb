//! Requests pass where AWS WAF does not answer.

use super::commands::attributes;
use super::{Audit, AuditView, Audited};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbWafFailOpen;

static RULE: Rule = Rule {
    id: "alb-waf-fail-open",
    title: "Requests pass unchecked where AWS WAF does not answer",
    severity: Severity::Low,
    what: "An Application Load Balancer has WAF fail open enabled, and a web ACL is associated with it, or \
           whether one is was not read.",
    why: "When the load balancer cannot reach AWS WAF, or gets no answer in time, requests go to the targets \
          without having been inspected. The default is to refuse them with 500. It is a choice between being \
          down and being open: only whoever made it knows.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Switch it off, where what the web ACL keeps out is worse than errors.",
        snippet: Some(
            "aws elbv2 modify-load-balancer-attributes --load-balancer-arn <ARN> --attributes Key=waf.fail_open.enabled,Value=false",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
    ],
};

impl Audit for AlbWafFailOpen {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        let open = view.balancer.attribute("waf.fail_open.enabled") == Some("true");
        let none = matches!(view.balancer.web_acl.read(), Some(None));
        if open && !none {
            out.push(Found {
                message: "Requests pass unchecked where AWS WAF does not answer.".into(),
                reproduce: vec![attributes(view, "waf")],
                ..Found::default()
            });
        }
    }
}
