use gladhand_probes::aws::inventory::TargetGroup;

use super::matcher::Codes;
use super::targets::{HEALTH_DOCS, describe_group, shown};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::{Fix, Severity};

/// What AWS asks where no path is given: a method that no server has.
const NO_METHOD: &str = "/AWS.ALB/healthcheck";

/// The gRPC status of success.
const OK: u16 = 0;

/// The gRPC status of a method that is not there.
const UNIMPLEMENTED: u16 = 12;

pub(super) struct AlbHealthCheckGrpcMatcher;

static RULE: Rule = Rule {
    id: "alb-health-check-grpc-matcher",
    title: "The gRPC health check asks for one thing and takes the answer to another",
    severity: Severity::Medium,
    what: "A gRPC target group checks AWS's default path, `/AWS.ALB/healthcheck`, and does not take 12 \
           (UNIMPLEMENTED); or it checks a method of its own and does not take 0 (OK). Where targets are \
           healthy with a method of its own: low, since it seems not to exist. Silent where they are healthy \
           with the default path.",
    why: "By default AWS asks for a method that no server has, and takes 12 for healthy. When only the path or \
          only the code is changed, servers that work are unhealthy, and those without the method healthy.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Check the standard health service, and take 0.",
        snippet: Some(
            "aws elbv2 modify-target-group --target-group-arn <ARN> --health-check-path /grpc.health.v1.Health/Check --matcher GrpcCode=0",
        ),
    }],
    references: &[
        HEALTH_DOCS,
        "https://grpc.io/docs/guides/status-codes/",
        "https://github.com/grpc/grpc/blob/master/doc/health-checking.md",
    ],
};

impl Audit for AlbHealthCheckGrpcMatcher {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for group in view.target_groups() {
            if let Some(mut found) = judge_group(group) {
                found.reproduce = vec![describe_group(view, group)];
                out.about(group_subject(group), found);
            }
        }
    }
}

fn judge_group(group: &TargetGroup) -> Option<Found> {
    let check = &group.health_check;
    if group.protocol_version.as_deref() != Some("GRPC") || !check.enabled {
        return None;
    }
    let path = check.path.as_deref()?;
    let codes = Codes::parse(check.matcher.as_deref()?)?;
    let (wanted, name) = if path == NO_METHOD {
        (UNIMPLEMENTED, "UNIMPLEMENTED")
    } else {
        (OK, "OK")
    };
    if codes.contains(wanted) {
        return None;
    }
    let mut targets = group.targets.read().into_iter().flatten();
    let healthy = targets.any(|target| target.state == "healthy");
    if healthy && path == NO_METHOD {
        return None;
    }
    let fix = (path != NO_METHOD).then(|| Fix {
        product: "AWS".into(),
        text: "Take 0 (OK), which a method that works answers with.".into(),
        snippet: Some(
            "aws elbv2 modify-target-group --target-group-arn <ARN> --matcher GrpcCode=0".into(),
        ),
    });
    Some(Found {
        message: format!(
            "{} is asked for, and its answer {wanted} ({name}) does not count as healthy.",
            shown(Some(path)),
        ),
        seen: vec![format!(
            "success codes: {}",
            shown(check.matcher.as_deref())
        )],
        severity: healthy.then_some(Severity::Low),
        fix: fix.into_iter().collect(),
        ..Found::default()
    })
}
