//! The target speaks another version of HTTP than the load balancer.

use gladhand_probes::http::AnswerEnd;
use gladhand_probes::http::target::TargetProtocolVersion;

use super::support::{answer_lines, curl, target_answers};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbTargetProtocolVersionMismatch;

static RULE: Rule = Rule {
    id: "alb-target-protocol-version-mismatch",
    title: "The target speaks another version of HTTP than its target group",
    severity: Severity::Critical,
    what: "A request in the protocol version of the target group (HTTP1, HTTP2 or GRPC; `--protocol-version`) is \
           not answered, and the same request in the other version is. HTTP/2 is asked by prior knowledge: with \
           TLS it offers h2 by ALPN. For GRPC also: HTTP/2 is answered, but with another content type than \
           application/grpc, high.",
    why: "No request gets an answer: the load balancer cannot read what the target says, and clients get 502. \
          Its health checks, which come in the same version, fail as well.",
    fix: &[
        RuleFix {
            product: "AWS ALB",
            text: "The protocol version of a target group cannot be changed: create one with the version that the \
                   target speaks, and give it to the rules.",
            snippet: Some(
                "aws elbv2 create-target-group --name <NAME> --vpc-id <VPC> --protocol HTTP --port <PORT> \
                 --protocol-version HTTP2",
            ),
        },
        RuleFix {
            product: "nginx",
            text: "Or let the target speak it. For HTTP/2, with TLS or without (from 1.25.1; before, \
                   `listen … http2`; one port cannot speak both without TLS before 1.25.1).",
            snippet: Some("http2 on;"),
        },
        RuleFix {
            product: "JVM",
            text: "Spring Boot with Tomcat, Jetty or Undertow: HTTP/2, without TLS too.",
            snippet: Some("server.http2.enabled=true"),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html#target-group-protocol-version",
        "https://www.rfc-editor.org/rfc/rfc9113#section-3.3",
    ],
};

impl Check for AlbTargetProtocolVersionMismatch {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().target_response.seen() else {
            return;
        };
        let version = seen.protocol_version;
        if seen.speaks_another_version() {
            let (speaks, not) = match version {
                TargetProtocolVersion::Http1 => ("HTTP/2", "HTTP/1.1"),
                _ => ("HTTP/1.1", "HTTP/2"),
            };
            let facts = [&seen.http1, &seen.http2].into_iter().flatten();
            out.push(Found {
                key: version.name().into(),
                message: format!(
                    "The target speaks {speaks} and not {not}, which a target group of the protocol version {version} \
                     asks it in: no request is answered."
                ),
                seen: facts.map(|fact| fact.evidence.clone()).collect(),
                ..Found::default()
            });
            return;
        }
        if version != TargetProtocolVersion::Grpc {
            return;
        }
        let answers = target_answers(view);
        let Some(asked) = answers
            .iter()
            .find(|asked| asked.answer.outcome == AnswerEnd::Complete)
        else {
            return;
        };
        let answer = asked.answer;
        let content_type = answer.content_type.as_ref();
        let is_grpc = content_type.is_some_and(|of| of.raw().starts_with("application/grpc"));
        if is_grpc || answer.grpc_status.is_some() {
            return;
        }
        let got = match content_type {
            Some(content_type) => format!("the content type {content_type}"),
            None => "no content type".into(),
        };
        out.push(Found {
            key: "no-grpc".into(),
            message: format!(
                "{} in gRPC is answered with HTTP {} and {got}: the target speaks HTTP/2, and no gRPC.",
                asked.what,
                answer.status().unwrap_or_default()
            ),
            seen: answer_lines(asked),
            reproduce: vec![curl(view, asked)],
            severity: Some(Severity::High),
            ..Found::default()
        });
    }
}
