//! What a load balancer meets at a target: its answers, and how long it keeps a connection.

use gladhand_probes::http::keep_alive::{KeepAliveEnd, KeepAliveSeen};
use gladhand_probes::http::target_response::{HealthCheckSeen, TargetAnswer, TargetResponseSeen};
use gladhand_probes::http::{AnswerEnd, Framing};
use gladhand_probes::{Answer, Observations, Untrusted};

use super::super::page::{BAD, DIM, GOOD, Span, WEAK};
use super::{Facts, INDENT, LABEL};
use crate::report::Detail;

impl Facts<'_> {
    /// Nothing, where it was not asked as a target.
    pub(super) fn target(&mut self, seen: &Observations) {
        self.attempt("target", &seen.target_response, Self::target_response);
        self.attempt("keep-alive", &seen.keep_alive, Self::keep_alive);
    }

    fn target_response(&mut self, seen: &TargetResponseSeen) {
        if let Some(check) = &seen.health_check {
            self.health_check(check);
        }
        if let Some(answer) = &seen.request {
            self.field("request", &answered(answer, None));
            self.answer(answer);
        }
        for (name, fact) in [("HTTP/1.1", &seen.http1), ("HTTP/2", &seen.http2)] {
            let Some(fact) = fact else { continue };
            if fact.answer != Answer::Yes || self.detail == Detail::Evidence {
                let mark = match fact.answer {
                    Answer::Yes => "yes",
                    Answer::No => "no",
                    Answer::Undetermined => "?",
                };
                self.bullet(&format!(
                    "{name} {mark}: {}",
                    Untrusted::from(fact.evidence.as_str())
                ));
            }
        }
    }

    fn health_check(&mut self, check: &HealthCheckSeen) {
        let style = match check.matches {
            Some(true) => GOOD,
            Some(false) => BAD,
            None => WEAK,
        };
        let mut told = answered(&check.answer, Some(style));
        let matcher = Untrusted::from(check.matcher.as_str());
        told.text = format!("{}; {matcher} is healthy", told.text);
        self.field("health check", &told);
        self.answer(&check.answer);
    }

    fn answer(&mut self, answer: &TargetAnswer) {
        let mut items = Vec::new();
        if let Some(bytes) = answer.header_bytes {
            items.push(Span::new(DIM, format!("{bytes} bytes of header")));
        }
        if let Some(framing) = answer.framing.filter(|framing| *framing != Framing::None) {
            let by = match framing {
                Framing::ContentLength => "Content-Length",
                Framing::Chunked => "chunked",
                Framing::UntilClose => "until close",
                Framing::Http2 => "HTTP/2",
                Framing::None => "no body",
            };
            items.push(Span::new(
                DIM,
                format!("{} of body ({by})", answer.body_bytes),
            ));
        }
        if !items.is_empty() && self.detail >= Detail::Verbose {
            self.page.items(INDENT, "", LABEL, &items);
        }
        for problem in &answer.problems {
            let kind = serde_json::to_value(problem.kind).unwrap_or_default();
            let kind = kind.as_str().unwrap_or_default().replace('-', " ");
            let told = if problem.detail.is_empty() {
                kind
            } else {
                format!("{kind}: {}", problem.detail)
            };
            self.bullet(&told);
        }
        if let Some(first) = &answer.first {
            self.bullet(&format!("it answers: {}", self.first_line(first)));
        }
    }

    fn keep_alive(&mut self, seen: &KeepAliveSeen) {
        let idle = seen.idle_timeout;
        let seconds = seen.seconds;
        let early = seen.persistent && seconds < idle;
        let (style, told) = match seen.ended_by {
            KeepAliveEnd::StillOpen if seen.interrupted => (
                WEAK,
                format!("? interrupted, still open after {seconds:.1} s"),
            ),
            KeepAliveEnd::StillOpen if seen.persistent => (
                GOOD,
                format!("an idle connection is still open after {seconds:.1} s"),
            ),
            _ if !seen.persistent => (DIM, "none: the connection ends with the answer".into()),
            end => {
                let how = if end == KeepAliveEnd::Reset {
                    "reset"
                } else {
                    "closed"
                };
                let style = if early { BAD } else { GOOD };
                (
                    style,
                    format!("an idle connection is {how} after {seconds:.1} s"),
                )
            }
        };
        let mut told = format!("{told}; idle timeout {idle} s");
        if let Some(advertised) = seen.advertised {
            told = format!("{told}; announced {advertised} s");
        }
        self.field("keep-alive", &Span::new(style, told));
        if let Some(unasked) = &seen.unasked {
            self.bullet(&format!("unasked: {}", self.first_line(unasked)));
        }
        if self.detail == Detail::Evidence {
            for line in &seen.evidence {
                self.bullet(&Untrusted::from(line.as_str()).to_string());
            }
        }
    }
}

/// `GET /api for www.example.com: HTTP 200 OK`.
fn answered(answer: &TargetAnswer, style: Option<anstyle::Style>) -> Span {
    let (path, host) = (answer.path.as_str(), answer.host.as_str());
    let (path, host) = (Untrusted::from(path), Untrusted::from(host));
    let mut told = format!("{} {path} for {host}: {}", answer.method, answer.told());
    let head = answer.head.as_ref();
    if let Some(location) = head.and_then(|head| head.location.as_ref()) {
        told = format!("{told}, to {location}");
    }
    if answer.unsteady.is_some() {
        return Span::new(
            WEAK,
            format!("? {told}, and another answer when asked before"),
        );
    }
    let usual = match answer.outcome {
        AnswerEnd::Silent | AnswerEnd::Unfinished => {
            return Span::new(WEAK, format!("? {told}"));
        }
        AnswerEnd::Complete | AnswerEnd::NotReadFurther => None,
        _ => Some(BAD),
    };
    match style.or(usual) {
        Some(style) => Span::new(style, told),
        None => Span::plain(told),
    }
}
