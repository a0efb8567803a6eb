use super::matcher::Codes;
use super::targets::{HEALTH_DOCS, describe_group, shown};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbHealthCheckAcceptsErrors;

static RULE: Rule = Rule {
    id: "alb-health-check-accepts-errors",
    title: "The health check takes errors for healthy",
    severity: Severity::Low,
    what: "The success codes of a health check by HTTP or HTTPS hold codes of 400 and more, as `200-499` does. \
           The codes of gRPC are other ones.",
    why: "A target that answers 404 to everything, or 400 because it got plain HTTP on a TLS port, stays \
          healthy, and clients get its errors.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Check a path that answers 200 while the application works, and take only that.",
        snippet: Some(
            "aws elbv2 modify-target-group --target-group-arn <ARN> --health-check-path /health --matcher HttpCode=200",
        ),
    }],
    references: &[HEALTH_DOCS],
};

impl Audit for AlbHealthCheckAcceptsErrors {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for group in view.target_groups() {
            let check = &group.health_check;
            let http = matches!(check.protocol.as_deref(), Some("HTTP" | "HTTPS"));
            if !http || !check.enabled || group.protocol_version.as_deref() == Some("GRPC") {
                continue;
            }
            let Some(codes) = check.matcher.as_deref().and_then(Codes::parse) else {
                continue;
            };
            let Some(error) = codes.first_of(400..=599) else {
                continue;
            };
            let found = Found {
                message: format!(
                    "A target that answers {} with {error} counts as healthy.",
                    shown(check.path.as_deref()),
                ),
                seen: vec![format!(
                    "success codes: {}",
                    shown(check.matcher.as_deref())
                )],
                reproduce: vec![describe_group(view, group)],
                ..Found::default()
            };
            out.about(group_subject(group), found);
        }
    }
}
