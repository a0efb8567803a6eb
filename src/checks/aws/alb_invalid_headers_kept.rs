//! The load balancer passes on header fields with invalid names.

use super::commands::attributes;
use super::{Audit, AuditView, Audited};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbInvalidHeadersKept;

static RULE: Rule = Rule {
    id: "alb-invalid-headers-kept",
    title: "Header fields with invalid names are passed on",
    severity: Severity::Info,
    what: "An Application Load Balancer does not drop header fields whose names have other characters than \
           letters, digits and hyphens, which is the default.",
    why: "A target that takes `X_Forwarded_For` for X-Forwarded-For believes what a client wrote there (CGI \
          and WSGI make one of both). The security standards of AWS ask for it (Security Hub ELB.4).",
    fix: &[RuleFix {
        product: "AWS",
        text: "Drop them, unless a client needs a field with an underscore or a dot in its name.",
        snippet: Some(
            "aws elbv2 modify-load-balancer-attributes --load-balancer-arn <ARN> --attributes Key=routing.http.drop_invalid_header_fields.enabled,Value=true",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
        "https://docs.aws.amazon.com/securityhub/latest/userguide/elb-controls.html#elb-4",
    ],
};

impl Audit for AlbInvalidHeadersKept {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        let key = "routing.http.drop_invalid_header_fields.enabled";
        if view.balancer.attribute(key) == Some("false") {
            out.push(Found {
                message: "Header fields with invalid names are passed on to targets.".into(),
                reproduce: vec![attributes(view, "drop_invalid")],
                ..Found::default()
            });
        }
    }
}
