//! The target's answer is not what HTTP says it has to be.

use gladhand_probes::http::target_response::TargetAnswer;
use gladhand_probes::http::{AnswerEnd, Problem, ProblemKind};

use super::support::{
    answer_lines, capital, certificate_required_by_handshake, curl, enumeration, target_answers,
};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbTargetResponseInvalid;

static RULE: Rule = Rule {
    id: "alb-target-response-invalid",
    title: "The target's answer is invalid HTTP",
    severity: Severity::High,
    what: "The answer to a client's request, and to the health check, is read as strictly as RFC 9112 has it. \
           High, since the load balancer answers 502 or 504 for it: no status line; a header field that is \
           none, or holds NUL; a length that is no number, or two that differ; broken chunks; an answer that \
           ends or stops too early; no answer at all, twice. Medium, since it depends on who reads it: lines \
           that end with LF alone, folded fields, white space before the colon, other control characters, \
           Content-Length beside Transfer-Encoding, codings other than chunked, bytes behind the end. Low: \
           Content-Length repeated. The body of an answer is not read beyond 1 MiB. Not where no answer comes \
           because the handshake ends without a client certificate: that is \
           `alb-target-client-certificate-required`.",
    why: "A load balancer is stricter than curl or a browser, which is why the target works when it is asked \
          directly. An answer that cannot be read becomes `502 Bad Gateway`; one whose body is shorter than its \
          Content-Length, on a connection that stays open, `504 Gateway Time-out` after the idle timeout. What \
          two readers understand differently is also what response splitting and desync attacks live on.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Let the server library write status line, lengths and chunks. Set no Content-Length and no \
                   Transfer-Encoding by hand, least of all behind a middleware that compresses or rewrites \
                   bodies, and no header whose value comes from outside without taking control characters out.",
            snippet: None,
        },
        RuleFix {
            product: "nginx",
            text: "Where nginx is the target and passes the answers of an application on, its error log names \
                   what is wrong with them: `upstream sent invalid header`, `upstream prematurely closed \
                   connection`.",
            snippet: Some("error_log /var/log/nginx/error.log info;"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "In the access log, target_status_code `-` beside elb_status_code 502 or 504 tells which \
                   requests are concerned.",
            snippet: Some(
                "aws elbv2 modify-load-balancer-attributes --load-balancer-arn <ARN> --attributes \
                 Key=access_logs.s3.enabled,Value=true Key=access_logs.s3.bucket,Value=<BUCKET>",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9112#section-6.3",
        "https://www.rfc-editor.org/rfc/rfc9110#section-5.5",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html#http-502-issues",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html#http-504-issues",
    ],
};

impl Check for AlbTargetResponseInvalid {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let mut known: Vec<Vec<&'static str>> = Vec::new();
        for asked in target_answers(view) {
            let Some((severity, problems)) = problems(asked.answer) else {
                continue;
            };
            // That is no answer of HTTP's, and told by the rule about client certificates.
            if unanswered(asked.answer.outcome).is_some() && certificate_required_by_handshake(view)
            {
                continue;
            }
            // What is wrong with both is told of the client's request.
            if known.contains(&problems) {
                continue;
            }
            let mut seen = answer_lines(&asked);
            seen.extend(asked.answer.problems.iter().map(line));
            let becomes = becomes(asked.answer, severity);
            let what = &asked.what;
            let mut message = if let Some(how) = unanswered(asked.answer.outcome) {
                format!("{} is not answered: {how}{becomes}.", capital(what))
            } else {
                let problems = enumeration(&problems);
                format!("The answer to {what} is invalid: {problems}{becomes}.")
            };
            if asked.key == "request" && is_healthy(view) {
                message.push_str(
                    " The health check is answered well, so the target counts as healthy.",
                );
            }
            out.push(Found {
                key: asked.key.into(),
                message,
                seen,
                reproduce: vec![curl(view, &asked)],
                severity: Some(severity),
                ..Found::default()
            });
            known.push(problems);
        }
    }
}

/// Whether the health check is answered as it has to be, in content and in form.
fn is_healthy(view: &View<'_>) -> bool {
    let seen = view.observations().target_response.seen();
    let check = seen.and_then(|seen| seen.health_check.as_ref());
    check.is_some_and(|check| {
        check.matches == Some(true)
            && problems(&check.answer).is_none()
            && check.answer.unsteady.is_none()
    })
}

/// What is wrong with an answer, the worst of it first, and how bad that is.
fn problems(answer: &TargetAnswer) -> Option<(Severity, Vec<&'static str>)> {
    let mut all: Vec<(Severity, &'static str)> = answer
        .problems
        .iter()
        .map(|problem| words(problem.kind))
        .collect();
    let high = Severity::High;
    match answer.outcome {
        AnswerEnd::NotHttp => all.push((high, "it has no status line")),
        AnswerEnd::Tls => all.push((high, "it is TLS")),
        AnswerEnd::Closed | AnswerEnd::Reset => {
            all.extend(unanswered(answer.outcome).map(|how| (high, how)));
        }
        AnswerEnd::Stalled if answer.head.is_none() => {
            all.push((high, "its head stops before its end"));
        }
        // Who speaks HTTP/1.1 instead is told by the rule about that.
        AnswerEnd::Http2Error => all.push((high, "it breaks HTTP/2")),
        AnswerEnd::BrokenOff if all.is_empty() => all.push((high, "it breaks off")),
        _ => {}
    }
    all.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    let worst = all.first()?.0;
    Some((worst, all.into_iter().map(|(_, words)| words).collect()))
}

/// How the connection ends, where no answer comes.
fn unanswered(outcome: AnswerEnd) -> Option<&'static str> {
    match outcome {
        AnswerEnd::Closed => Some("the connection is closed"),
        AnswerEnd::Reset => Some("the connection is reset"),
        _ => None,
    }
}

/// How bad a problem is, in which words.
fn words(kind: ProblemKind) -> (Severity, &'static str) {
    use Severity::{High, Low, Medium};
    match kind {
        ProblemKind::StatusLine => (High, "its first line is no status line"),
        ProblemKind::FieldLine => (High, "a line of its head is no header field"),
        ProblemKind::Nul => (High, "a header field holds NUL"),
        ProblemKind::ContentLengthInvalid => (High, "Content-Length is no number"),
        ProblemKind::ContentLengthConflict => (High, "there are two Content-Length that differ"),
        ProblemKind::Chunk => (High, "its chunks are broken"),
        ProblemKind::HeadBrokenOff => (High, "the connection ends in the middle of its head"),
        ProblemKind::BodyBrokenOff => (High, "the connection ends before the body does"),
        ProblemKind::BodyStalled => (High, "the body stops before its end"),
        ProblemKind::SwitchingProtocols => (High, "it switches protocols unasked (101)"),
        ProblemKind::Interim => (High, "interim answers (1xx) without end come before it"),
        ProblemKind::EmptyLineBefore => (Medium, "empty lines stand before the status line"),
        ProblemKind::SpaceBeforeColon => (Medium, "there is white space before a colon"),
        ProblemKind::LineFolding => (Medium, "a header field is folded over two lines"),
        ProblemKind::ControlCharacter => (Medium, "a header field holds a control character"),
        ProblemKind::BareLf => (Medium, "lines end with LF alone"),
        ProblemKind::ContentLengthAndTransferEncoding => (
            Medium,
            "there are both Content-Length and Transfer-Encoding",
        ),
        ProblemKind::TransferEncoding => (Medium, "its transfer coding is another than chunked"),
        ProblemKind::BytesAfterEnd => (Medium, "bytes follow behind its end"),
        ProblemKind::ContentLengthRepeated => (Low, "Content-Length is repeated"),
    }
}

/// What the load balancer makes of it.
fn becomes(answer: &TargetAnswer, severity: Severity) -> &'static str {
    match severity {
        Severity::High if answer.outcome == AnswerEnd::Stalled => {
            "; the load balancer waits for the rest and answers 504"
        }
        Severity::High => "; the load balancer answers 502",
        _ => "; a strict reader may refuse it",
    }
}

fn line(problem: &Problem) -> String {
    let (_, words) = words(problem.kind);
    if problem.detail.is_empty() {
        words.into()
    } else {
        format!("{words}: \"{}\"", problem.detail)
    }
}
