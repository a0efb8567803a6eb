//! The health check gets another answer than the one that makes a target healthy.

use gladhand_probes::http::AnswerEnd;
use gladhand_probes::http::target::TargetProtocolVersion;

use super::support::{
    answer_lines, capital, certificate_required_by_http, curl, location, target_answers,
};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbTargetHealthCheckFails;

static RULE: Rule = Rule {
    id: "alb-target-health-check-fails",
    title: "The health check is answered with another code than expected",
    severity: Severity::High,
    what: "The health check is asked for as the load balancer does it: by address, as ELB-HealthChecker/2.0, on \
           a connection of its own. Fires where the code of the answer is none of those that count as healthy, \
           or where an answer to gRPC has no grpc-status. It comes from this machine: a target that lets only \
           some addresses in may answer the load balancer otherwise. That there is no sound answer at all is \
           `alb-target-response-invalid`; that requests are refused alike for want of a client certificate, \
           `alb-target-client-certificate-required`.",
    why: "The target becomes unhealthy (Target.ResponseCodeMismatch) and gets no traffic, though the application \
          may work. Where all targets are unhealthy, all of them get traffic again, the broken ones included. \
          The usual causes: a redirect to HTTPS or to a login, since the health check comes without \
          X-Forwarded-Proto and without cookies; a virtual host that only knows its own name, since Host is the \
          target's address.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Give the health check a path of its own that answers 200, to any Host, without redirect and \
                   without login.",
            snippet: None,
        },
        RuleFix {
            product: "nginx",
            text: "In the `server` block that is the default of this address and port.",
            snippet: Some("location = /health { return 200; }"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "Or name the path and the codes that mean healthy.",
            snippet: Some(
                "aws elbv2 modify-target-group --target-group-arn <ARN> --health-check-path /health \
                 --matcher HttpCode=200-299",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html#target-not-inservice",
    ],
};

impl Check for AlbTargetHealthCheckFails {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().target_response.seen() else {
            return;
        };
        let Some(check) = &seen.health_check else {
            return;
        };
        let answers = target_answers(view);
        let Some(asked) = answers.iter().find(|asked| asked.key == "health-check") else {
            return;
        };
        let answer = asked.answer;
        let is_grpc = seen.protocol_version == TargetProtocolVersion::Grpc;
        let missing = is_grpc
            && answer.outcome == AnswerEnd::Complete
            && answer.head.is_some()
            && answer.grpc_status.is_none();
        if check.matches != Some(false) && !missing {
            return;
        }
        // The same refusal as of every request, which the rule about client certificates tells.
        let request = seen.request.as_ref();
        if certificate_required_by_http(view)
            && request.is_some_and(|request| request.status() == answer.status())
        {
            return;
        }
        let got = match (is_grpc, answer.grpc_status, answer.status()) {
            (true, Some(code), _) => format!("grpc-status {code}"),
            (true, None, _) => "no grpc-status".into(),
            (false, _, status) => format!("HTTP {}", status.unwrap_or_default()),
        };
        let to = location(answer.head.as_ref());
        let to = to
            .map(|location| format!(" to {location}"))
            .unwrap_or_default();
        let works = seen.request.as_ref().filter(|request| {
            request.outcome == AnswerEnd::Complete
                && request.status().is_some_and(|status| status < 400)
        });
        let works =
            match works.and_then(gladhand_probes::http::target_response::TargetAnswer::status) {
                Some(status) if !is_grpc => {
                    format!(" A client's request is answered with HTTP {status}.")
                }
                _ => String::new(),
            };
        out.push(Found {
            key: "code".into(),
            message: format!(
                "{} is answered with {got}{to}, and {} is healthy: the target is taken for unhealthy.{works}",
                capital(&asked.what),
                super::support::text(&check.matcher),
            ),
            seen: answer_lines(asked),
            reproduce: vec![curl(view, asked)],
            ..Found::default()
        });
    }
}
