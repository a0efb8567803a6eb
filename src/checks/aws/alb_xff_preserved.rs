//! The load balancer passes X-Forwarded-For on as the client sent it.

use super::commands::attributes;
use super::{Audit, AuditView, Audited};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbXffPreserved;

static RULE: Rule = Rule {
    id: "alb-xff-preserved",
    title: "X-Forwarded-For is passed on as the client sent it",
    severity: Severity::Info,
    what: "The mode of X-Forwarded-For of an Application Load Balancer is preserve. The default is append.",
    why: "The load balancer does not add the address that the request came from: whatever a client writes in \
          the field is what the targets see, and log, and let in. It is right only behind a proxy that \
          everybody has to pass and that sets the field.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Have the address appended, and let targets believe the last entry alone.",
        snippet: Some(
            "aws elbv2 modify-load-balancer-attributes --load-balancer-arn <ARN> --attributes Key=routing.http.xff_header_processing.mode,Value=append",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html",
    ],
};

impl Audit for AlbXffPreserved {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        let mode = view
            .balancer
            .attribute("routing.http.xff_header_processing.mode");
        if mode == Some("preserve") {
            out.push(Found {
                message: "X-Forwarded-For reaches the targets as the client sent it.".into(),
                reproduce: vec![attributes(view, "xff")],
                ..Found::default()
            });
        }
    }
}
