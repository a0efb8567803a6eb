use gladhand_probes::aws::inventory::{LoadBalancerType, TargetGroup};

use super::targets::{HEALTH_DOCS, aws_command, describe_group, shown};
use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::support::quote;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::{Fix, Severity};

pub(super) struct AlbHealthCheckProtocolMismatch;

static RULE: Rule = Rule {
    id: "alb-health-check-protocol-mismatch",
    title: "Traffic and health checks of one port differ in whether they use TLS",
    severity: Severity::High,
    what: "A target group speaks TLS with its targets (HTTPS, TLS, SSL) and checks the same port by HTTP, or \
           speaks HTTP and checks by HTTPS. A health check at another port may have another protocol, and one \
           by TCP fits both. Medium where targets are healthy all the same.",
    why: "A port speaks TLS or it does not, so one of the two fails. Checked by plain HTTP, a TLS port closes \
          or answers 400, and `Target.FailedHealthChecks` or `Target.ResponseCodeMismatch` follows; where the \
          success codes take 400, targets are healthy and nothing was checked. The API's default is HTTP, also \
          for an HTTPS target group.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Check by the protocol of the traffic.",
            snippet: Some(
                "aws elbv2 modify-target-group --target-group-arn <ARN> --health-check-protocol HTTPS",
            ),
        },
        RuleFix {
            product: "Terraform",
            text: "Name the protocol in the `health_check` block of the `aws_lb_target_group`.",
            snippet: Some("protocol = \"HTTPS\""),
        },
    ],
    references: &[HEALTH_DOCS],
};

impl Audit for AlbHealthCheckProtocolMismatch {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for group in view.target_groups() {
            let check = &group.health_check;
            let spoken = group.protocol.as_deref();
            let checked = check.protocol.as_deref();
            let (Some(spoken_tls), Some(checked_tls)) = (has_tls(spoken), has_tls(checked)) else {
                continue;
            };
            if !check.enabled || spoken_tls == checked_tls || !checks_the_traffic_port(group) {
                continue;
            }
            let healthy = group.targets.read().into_iter().flatten();
            let healthy = healthy.filter(|target| target.state == "healthy").count();
            let port = group
                .port
                .map(|port| format!(" {port}"))
                .unwrap_or_default();
            let mut message = format!(
                "Targets are spoken to by {}, and checked by {} at the same port{port}",
                shown(spoken),
                shown(checked),
            );
            let mut seen = vec![format!(
                "health check: {} to {}, success codes {}",
                shown(checked),
                shown(check.port.as_deref()),
                shown(check.matcher.as_deref()),
            )];
            if healthy > 0 {
                message.push_str(", by which some are healthy");
                seen.push("so the port answers both, or an error counts as healthy".into());
            }
            let found = Found {
                message: format!("{message}."),
                seen,
                reproduce: vec![describe_group(view, group)],
                severity: (healthy > 0).then_some(Severity::Medium),
                fix: vec![fix(view, group, spoken_tls)],
                ..Found::default()
            };
            out.about(group_subject(group), found);
        }
    }
}

fn fix(view: &AuditView<'_>, group: &TargetGroup, tls: bool) -> Fix {
    let to = if tls { "HTTPS" } else { "HTTP" };
    let command = match view.balancer.kind {
        LoadBalancerType::Classic => classic(view, group, to),
        _ => format!(
            "elbv2 modify-target-group --target-group-arn {} --health-check-protocol {to}",
            quote(&group.arn)
        ),
    };
    Fix {
        product: "AWS".into(),
        text: format!(
            "Check by {to}, if the targets really speak {}; else it is the protocol of the traffic that is \
             wrong. A target group keeps its own: make another one, and forward to that.",
            if tls { "TLS" } else { "plain HTTP" },
        ),
        snippet: Some(aws_command(view, &command)),
    }
}

/// All of a Classic one's health check has to be said again.
fn classic(view: &AuditView<'_>, group: &TargetGroup, to: &str) -> String {
    let check = &group.health_check;
    let target = format!(
        "Target={to}:{}{},Interval={},Timeout={},UnhealthyThreshold={},HealthyThreshold={}",
        check.port.as_deref().unwrap_or("<PORT>"),
        check.path.as_deref().unwrap_or("/"),
        check.interval.unwrap_or(30),
        check.timeout.unwrap_or(5),
        check.unhealthy_threshold.unwrap_or(2),
        check.healthy_threshold.unwrap_or(10),
    );
    let name = quote(&view.balancer.name);
    let target = quote(&target);
    format!("elb configure-health-check --load-balancer-name {name} --health-check {target}")
}

/// Whether a protocol is over TLS; none for those that have no say in it.
fn has_tls(protocol: Option<&str>) -> Option<bool> {
    match protocol? {
        "HTTPS" | "TLS" | "SSL" => Some(true),
        "HTTP" => Some(false),
        _ => None,
    }
}

/// Whether health checks go where traffic goes, for one target at least.
fn checks_the_traffic_port(group: &TargetGroup) -> bool {
    let targets = group.targets.read().map_or(&[][..], Vec::as_slice);
    let checked = match group.health_check.port.as_deref() {
        None | Some("traffic-port") => return true,
        Some(port) => port.parse::<u16>().ok(),
    };
    let mut ports = targets.iter().filter_map(|target| target.port);
    checked.is_some()
        && (checked == group.port && targets.is_empty() || ports.any(|port| Some(port) == checked))
}
