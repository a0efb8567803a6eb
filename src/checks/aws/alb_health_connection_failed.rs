use gladhand_probes::aws::inventory::{LoadBalancerType, Target};

use super::targets::{Group, HEALTH_DOCS, TROUBLE_DOCS, share, shown, unhealthy_by, verb};
use super::{Audit, AuditView, Audited};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbHealthConnectionFailed;

static RULE: Rule = Rule {
    id: "alb-health-connection-failed",
    title: "Health checks find no connection, no handshake or no valid answer",
    severity: Severity::High,
    what: "Targets are unhealthy with `Target.FailedHealthChecks`. At an Application Load Balancer that is a \
           refused or broken connection, a TLS handshake that fails, or an answer that is not HTTP; a Network \
           Load Balancer also says it of timeouts and of status codes. Medium where other targets of the group \
           are healthy; low where nothing is sent to the group, and where the health check is one of \
           Kubernetes' `healthCheckNodePort`, by which only nodes with a pod of the service are healthy \
           (externalTrafficPolicy: Local).",
    why: "Nothing listens on the port, or it listens on the loopback only; or it speaks another protocol than \
          the health check; or there is no TLS version or cipher suite in common. The target's certificate is \
          never the reason by its name, issuer or date: load balancers do not validate it.",
    fix: &[
        RuleFix {
            product: "any",
            text: "See on the target that something listens on the health check's port, on an address that is \
                   not the loopback.",
            snippet: Some("ss -ltnp"),
        },
        RuleFix {
            product: "AWS",
            text: "Where the port speaks TLS, the health check's protocol is to be HTTPS, and HTTP where not. \
                   Where both are TLS, give the target a version and a suite of the load balancer's: TLS 1.2 \
                   with ECDHE and AES-GCM is always among them.",
            snippet: Some(
                "aws elbv2 modify-target-group --target-group-arn <ARN> --health-check-protocol HTTPS",
            ),
        },
    ],
    references: &[HEALTH_DOCS, TROUBLE_DOCS],
};

impl Audit for AlbHealthConnectionFailed {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        unhealthy_by(view, "Target.FailedHealthChecks", out, |group, targets| {
            tell(view, group, targets)
        });
    }
}

fn tell(view: &AuditView<'_>, group: Group<'_>, targets: &[&Target]) -> Found {
    let (part, all) = (targets.len(), group.targets.len());
    let check = &group.group.health_check;
    let protocol = shown(check.protocol.as_deref());
    let failed = if view.balancer.kind == LoadBalancerType::Network {
        format!(
            "{} the health check by {protocol}",
            verb(part, "fails", "fail")
        )
    } else {
        format!(
            "{} the connection of the health check by {protocol}, or break{} it off",
            verb(part, "refuses", "refuse"),
            verb(part, "s", ""),
        )
    };
    let by_design = is_of_kubernetes(group) && !group.in_state("healthy").is_empty();
    let why = "usual in Kubernetes with externalTrafficPolicy: Local: only nodes with a pod of the service answer";
    Found {
        message: format!("{} {failed}.", share(part, all)),
        seen: by_design.then(|| why.to_owned()).into_iter().collect(),
        severity: by_design.then_some(Severity::Low),
        ..Found::default()
    }
}

/// Whether nodes are asked on a `healthCheckNodePort`: a port of the range of node ports that is not the
/// traffic's, by HTTP.
/// <https://kubernetes.io/docs/reference/networking/virtual-ips/#external-traffic-policy>
fn is_of_kubernetes(group: Group<'_>) -> bool {
    const NODE_PORTS: std::ops::RangeInclusive<u16> = 30000..=32767;
    let check = &group.group.health_check;
    group.group.target_type == "instance"
        && check.protocol.as_deref() == Some("HTTP")
        && check.path.as_deref() == Some("/healthz")
        && group.targets.iter().all(|target| {
            target
                .health_check_port
                .is_some_and(|port| NODE_PORTS.contains(&port) && Some(port) != target.port)
        })
}
