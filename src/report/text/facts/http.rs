//! The facts about HTTP: the answer over the session, and the redirect from plaintext.

use gladhand_probes::http::{Head, HttpAnswer, HttpOutcome, HttpSeen};

use super::super::page::{BAD, DIM, GOOD, Span, WEAK};
use super::{Facts, INDENT, LABEL};
use crate::report::Detail;

impl Facts<'_> {
    pub(super) fn http(&mut self, seen: &HttpSeen) {
        let told = answer_words(&seen.answer);
        let style = match seen.answer.outcome {
            HttpOutcome::Answered => Span::plain(told),
            _ => Span::new(WEAK, told),
        };
        self.field("HTTP", &style);
        if let Some(head) = &seen.answer.head {
            let hsts = match &head.hsts {
                Some(hsts) => match (&hsts.error, hsts.max_age) {
                    (Some(error), _) => Span::new(BAD, format!("HSTS ignored: {error}")),
                    (None, age) => {
                        let age = age.unwrap_or_default();
                        Span::new(GOOD, format!("HSTS for {} days", age / 86_400))
                    }
                },
                None => Span::new(DIM, "no HSTS"),
            };
            let mut items = vec![hsts];
            let server = head.server.as_ref();
            items.extend(server.map(|server| Span::plain(format!("server {server}"))));
            items.push(Span::new(
                DIM,
                match (&head.keep_alive, head.persistent) {
                    (Some(keep), true) => format!("keep-alive {keep}"),
                    (None, true) => "keep-alive".into(),
                    (_, false) => "closes".into(),
                },
            ));
            items.extend(head.aws.iter().map(Span::plain));
            self.page.items(INDENT, "", LABEL, &items);
        }
        if let Some(first) = &seen.answer.first {
            self.bullet(&format!("it answers: {}", self.first_line(first)));
        }
        if let Some(redirect) = &seen.redirect {
            let told = format!("{}: {}", redirect.port, answer_words(&redirect.answer));
            let span = match redirect.to_https {
                Some(true) => Span::new(GOOD, told),
                Some(false) => Span::new(WEAK, told),
                None => Span::new(DIM, told),
            };
            self.field("port", &span);
        }
        if self.detail == Detail::Evidence {
            self.bullet(&format!("GET {} of {}", seen.path, seen.host));
        }
    }
}

fn answer_words(answer: &HttpAnswer) -> String {
    let told = match (answer.outcome, &answer.head) {
        (_, Some(head)) => head_words(head),
        (HttpOutcome::Answered, None) => "an answer".into(),
        (HttpOutcome::Silent, _) => "no answer".into(),
        (HttpOutcome::Closed, _) => "the connection is closed".into(),
        (HttpOutcome::Reset, _) => "the connection is reset".into(),
        (HttpOutcome::NotHttp, _) => "not HTTP/1".into(),
        (HttpOutcome::TooLarge, _) => "an answer without end".into(),
        (HttpOutcome::Malformed, _) => "an answer that cannot be read".into(),
        (HttpOutcome::Broken, _) => "the session breaks".into(),
        (HttpOutcome::Refused, _) => "nothing listens".into(),
        (HttpOutcome::Unreachable, _) => "no way there".into(),
    };
    match &answer.error {
        Some(error) => format!("{told}: {error}"),
        None if answer.client_certificate_missed => {
            format!("{told}, because of the client certificate")
        }
        None => told,
    }
}

fn head_words(head: &Head) -> String {
    let mut told = format!("{} {}", head.version, head.status);
    if !head.reason.is_empty() {
        told = format!("{told} {}", head.reason);
    }
    match &head.location {
        Some(location) => format!("{told}, to {location}"),
        None => told,
    }
}
