//! The head of the target's answer is larger than the load balancer takes.

use gladhand_probes::http::AnswerEnd;

use super::support::{answer_lines, curl, target_answers};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbTargetResponseHeaderTooLarge;

/// Bytes of an answer's head that an Application Load Balancer takes; it cannot be changed.
const LIMIT: u64 = 32 * 1024;

static RULE: Rule = Rule {
    id: "alb-target-response-header-too-large",
    title: "The target's answer has more header than the load balancer takes",
    severity: Severity::High,
    what: "The head of an answer to a client's request, or to the health check, from the status line to the \
           empty line, has more than 32,768 bytes: the limit of an Application Load Balancer for an answer, which \
           no attribute changes. In HTTP/1.1 only: in HTTP/2 the size on the wire is another one.",
    why: "The load balancer answers 502 in the target's place. It concerns only some users, those with much in \
          their session: cookies, long redirects, Content-Security-Policy, debug headers, tokens.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Send less: keep the session on the server and only its id in a cookie, set each cookie once, \
                   and leave debug headers out in production.",
            snippet: None,
        },
        RuleFix {
            product: "AWS ALB",
            text: "Elastic Load Balancing has no attribute for this limit. The access log shows which requests are \
                   concerned: elb_status_code 502, target_status_code `-`.",
            snippet: None,
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html#http-502-issues",
    ],
};

impl Check for AlbTargetResponseHeaderTooLarge {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let mut all = target_answers(view).into_iter();
        let large = all.find(|asked| asked.answer.header_bytes.is_some_and(|bytes| bytes > LIMIT));
        let Some(asked) = large else {
            return;
        };
        let bytes = asked.answer.header_bytes.unwrap_or_default();
        let more = match asked.answer.outcome {
            AnswerEnd::HeadTooLarge => "more than ",
            _ => "",
        };
        let becomes = match asked.key {
            "request" => "the client gets a 502",
            _ => "the target is taken for unhealthy",
        };
        out.push(Found {
            key: asked.key.into(),
            message: format!(
                "The answer to {} has {more}{bytes} bytes of header, and an Application Load Balancer takes {LIMIT}: \
                 {becomes}.",
                asked.what
            ),
            seen: answer_lines(&asked),
            reproduce: vec![curl(view, &asked).replace("| head -c 1000", "2>&1 >/dev/null | grep -c '^<'")],
            ..Found::default()
        });
    }
}
