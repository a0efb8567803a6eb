//! The health-check port answers and the traffic port does not, or the other way round.

use std::net::IpAddr;

use gladhand_probes::aws::inventory::{Target, TargetGroup};
use gladhand_probes::http::AnswerEnd;
use gladhand_probes::http::target_response::TargetResponseSeen;
use gladhand_probes::settings::BalancerKind;
use gladhand_probes::tls::backend::BackendSeen;
use gladhand_probes::tls::reach::ReachOutcome;
use gladhand_probes::{Answer, Untrusted};

use super::{Audit, AuditView, Audited, group_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::{EndpointReport, Purpose, Severity, TargetReport};

/// Targets that a finding names, at most.
const NAMED: usize = 20;

/// Why a port fails to which there is no connection from here.
const REFUSED: &str = "the connection is refused, from here";

/// See [`RULE`].
pub(super) struct AlbTargetHealthCheckDiffers;

static RULE: Rule = Rule {
    id: "alb-target-health-check-differs",
    title: "Health checks and requests do not meet the same at a target",
    severity: Severity::High,
    what: "At the same target, the load balancer gets through on the port of the health check and not on \
           that of the traffic, or the other way round, by what was probed from here: the connection, the \
           handshake, and over HTTP a request that is answered with 5xx or not validly, a health check with \
           another code than wanted. Ports that do not \
           answer at all decide nothing: a security group may let nobody in but the load balancer. Where one \
           of them refuses the connection, the finding is a medium: it is refused from here.",
    why: "A target that is healthy by its health check alone gets requests that end with 502; one that is \
          unhealthy by it alone gets none, though it could answer them.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Check health where the traffic goes, with the same protocol.",
            snippet: Some(
                "aws elbv2 modify-target-group --target-group-arn <ARN> --health-check-port traffic-port --health-check-protocol HTTPS",
            ),
        },
        RuleFix {
            product: "any",
            text: "Then mend the port that fails: the findings about the target group tell what is wrong there.",
            snippet: None,
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html",
    ],
};

impl Audit for AlbTargetHealthCheckDiffers {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for group in view.target_groups() {
            for differing in differing(view, group) {
                out.about(group_subject(group), differing.into());
            }
        }
    }
}

/// Targets of a group that differ in the same way.
struct Differing {
    healthy: bool,
    why: String,
    targets: Vec<String>,
    addresses: Vec<IpAddr>,
}

fn differing(view: &AuditView<'_>, group: &TargetGroup) -> Vec<Differing> {
    let mut all: Vec<Differing> = Vec::new();
    for target in group.targets.read().into_iter().flatten() {
        let probed = |purpose| view.probed_target(&group.arn, target, purpose);
        let (Some(traffic), Some(checks)) =
            (probed(Purpose::Traffic), probed(Purpose::HealthCheck))
        else {
            continue;
        };
        let (healthy, why) = match (gets_through(traffic), gets_through(checks)) {
            (Fate::Fails(why), Fate::Works) => (true, why),
            (Fate::Works, Fate::Fails(why)) => (false, why),
            _ => continue,
        };
        let address = traffic.endpoints.first().map(|endpoint| endpoint.ip);
        let same = all
            .iter_mut()
            .find(|known| known.healthy == healthy && known.why == why);
        if let Some(known) = same {
            known.targets.push(told(target, checks));
            known.addresses.extend(address);
        } else {
            all.push(Differing {
                healthy,
                why,
                targets: vec![told(target, checks)],
                addresses: address.into_iter().collect(),
            });
        }
    }
    all
}

/// `targets: …, … and 3 more`.
fn named(targets: &[String]) -> String {
    let shown: Vec<&str> = targets.iter().take(NAMED).map(String::as_str).collect();
    let more = match targets.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("targets: {}{more}", shown.join(", "))
}

/// `10.0.1.25:8443 (checked on 8081, healthy)`.
fn told(target: &Target, checks: &TargetReport) -> String {
    let port = |port: Option<u16>| port.map_or_else(|| "?".into(), |port| port.to_string());
    let checked = checks.endpoints.first().map(|endpoint| endpoint.port);
    let (traffic, checked) = (port(target.port), port(checked));
    let told = format!(
        "{}:{traffic} (checked on {checked}, {})",
        target.id, target.state
    );
    Untrusted::from(told).to_string()
}

impl From<Differing> for Found {
    fn from(differing: Differing) -> Self {
        let (key, message) = if differing.healthy {
            (
                "traffic-fails",
                format!(
                    "Health checks get through, and requests do not: on the traffic port {}.",
                    differing.why
                ),
            )
        } else {
            (
                "health-check-fails",
                format!(
                    "Requests would get through, and health checks do not: on their port {}.",
                    differing.why
                ),
            )
        };
        Self {
            key: key.into(),
            message,
            seen: vec![named(&differing.targets)],
            severity: (differing.why == REFUSED).then_some(Severity::Medium),
            addresses: differing.addresses,
            ..Self::default()
        }
    }
}

/// How a load balancer fares at a port.
enum Fate {
    Works,
    Fails(String),
    Unknown,
}

/// How it fares at all addresses of a target; where it fares differently, nothing is said.
fn gets_through(report: &TargetReport) -> Fate {
    let mut fates = report
        .endpoints
        .iter()
        .map(|endpoint| at_endpoint(report.plaintext_expected, endpoint));
    match (fates.next(), fates.next()) {
        (Some(fate), None) => fate,
        _ => Fate::Unknown,
    }
}

fn at_endpoint(plaintext: bool, endpoint: &EndpointReport) -> Fate {
    let client = endpoint.client.as_deref();
    let reach = endpoint.observations.reach.seen();
    let Some(reach) = reach.filter(|_| client.and_then(BalancerKind::of).is_some()) else {
        return Fate::Unknown;
    };
    let backend = endpoint.observations.backend.seen();
    let answer = endpoint.observations.target_response.seen();
    match (plaintext, reach.outcome) {
        // Something refuses one port and not the other: from the same place, that is the host's doing or a
        // firewall's that lets the load balancer no further than anybody else.
        (_, ReachOutcome::Refused) => Fate::Fails(REFUSED.into()),
        (true, ReachOutcome::PlaintextHttp) => answer.map_or(Fate::Works, of_answer),
        (true, ReachOutcome::Tls) => Fate::Fails("it speaks TLS, and gets plaintext".into()),
        (false, ReachOutcome::PlaintextHttp | ReachOutcome::PlaintextOther) => {
            Fate::Fails("it speaks plaintext, and gets TLS".into())
        }
        (false, _) => match (backend.map_or(Fate::Unknown, of_backend), answer) {
            (Fate::Works, Some(answer)) => of_answer(answer),
            (fate, _) => fate,
        },
        _ => Fate::Unknown,
    }
}

/// How requests, or the health check where there are none on this port, are answered.
fn of_answer(seen: &TargetResponseSeen) -> Fate {
    let Some(answer) = seen
        .request
        .as_ref()
        .or(seen.health_check.as_ref().map(|check| &check.answer))
    else {
        return Fate::Works;
    };
    if answer.unsteady.is_some() || seen.speaks_another_version() {
        return Fate::Unknown;
    }
    let what = if seen.request.is_some() {
        "a client's request"
    } else {
        "the health check"
    };
    match answer.outcome {
        AnswerEnd::Complete | AnswerEnd::NotReadFurther => {}
        // Asked twice with the same end. Who is silent may only be slow.
        AnswerEnd::Closed | AnswerEnd::Reset | AnswerEnd::BrokenOff => {
            return Fate::Fails(format!("{what} gets no whole answer"));
        }
        AnswerEnd::Malformed | AnswerEnd::NotHttp | AnswerEnd::HeadTooLarge => {
            return Fate::Fails(format!("{what} is answered with what is no valid HTTP"));
        }
        _ => return Fate::Unknown,
    }
    let Some(status) = answer.status() else {
        return Fate::Unknown;
    };
    let check = seen
        .health_check
        .as_ref()
        .filter(|_| seen.request.is_none());
    match check {
        Some(check) if check.matches == Some(false) => {
            Fate::Fails(format!("{what} is answered with HTTP {status}"))
        }
        Some(check) if check.matches.is_none() => Fate::Unknown,
        Some(_) => Fate::Works,
        // gRPC tells its errors by grpc-status, and what a client's error deserves nobody knows here.
        None if (500..600).contains(&status) => {
            Fate::Fails(format!("{what} is answered with HTTP {status}"))
        }
        None => Fate::Works,
    }
}

fn of_backend(seen: &BackendSeen) -> Fate {
    if seen.is_refused() {
        return Fate::Fails("its hello is refused".into());
    }
    if seen.is_too_slow() {
        return Fate::Fails("the handshake takes longer than it waits".into());
    }
    let completes = seen
        .handshake
        .as_ref()
        .map(|handshake| handshake.completes.answer);
    match completes {
        Some(Answer::No) => Fate::Fails("the handshake breaks".into()),
        Some(Answer::Yes) => Fate::Works,
        _ => Fate::Unknown,
    }
}
