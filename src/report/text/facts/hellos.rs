//! Which hellos are answered: long ones, and odd ones.

use gladhand_probes::tls::intolerance::IntoleranceSeen;
use gladhand_probes::tls::large_hello::{Cause, LargeHelloSeen};
use gladhand_probes::{Answer, Fact};

use super::super::page::{GOOD, Span, WEAK};
use super::{Facts, INDENT, LABEL, mark};
use crate::report::Detail;

impl Facts<'_> {
    /// The lengths that were tried, and what is in the way.
    pub(super) fn large_hello(&mut self, seen: &LargeHelloSeen) {
        let lengths = [Some(&seen.large), seen.larger.as_ref()];
        let lengths = lengths.into_iter().flatten();
        let mut items: Vec<Span> = lengths
            .clone()
            .map(|seen| item(&format!("{} bytes", seen.bytes), seen.answer))
            .collect();
        items.push(item("in two pieces", seen.in_two.answer));
        self.page.items(INDENT, "large hello", LABEL, &items);
        match seen.cause {
            Cause::None => {}
            Cause::Server => self.bullet("the length of the hello is in the way"),
            Cause::KeyShare => self.bullet("the post-quantum key share is in the way"),
            Cause::PathMtu => self.bullet("the size of the packets is in the way"),
            Cause::Segmentation => self.bullet("more than one segment is in the way"),
            _ => self.bullet("what is in the way is undetermined"),
        }
        if seen.cause == Cause::None && self.detail < Detail::Evidence {
            return;
        }
        for seen in lengths {
            self.bullet(&format!("{} bytes: {}", seen.bytes, seen.evidence));
        }
        self.bullet(&format!("in two pieces: {}", seen.in_two.evidence));
        let clamped = format!("in segments of {} bytes", seen.segment_bytes);
        for (how, fact) in [
            (clamped.as_str(), &seen.clamped),
            ("without the post-quantum share", &seen.without_share),
        ] {
            if let Some(Fact { answer, evidence }) = fact {
                self.bullet(&format!("{how} {}: {evidence}", mark(*answer)));
            }
        }
    }

    /// What is not tolerated; all of it where everything is to be shown.
    pub(super) fn intolerance(&mut self, seen: &IntoleranceSeen) {
        let all = seen.0.iter();
        let told: Vec<_> = all
            .clone()
            .filter(|(_, fact)| fact.answer != Answer::Yes)
            .collect();
        let mut items: Vec<Span> = told
            .iter()
            .map(|(quirk, fact)| item(&quirk.to_string(), fact.answer))
            .collect();
        if items.is_empty() && !seen.0.is_empty() {
            items.push(Span::new(GOOD, "tolerated"));
        }
        self.page.items(INDENT, "odd hellos", LABEL, &items);
        for (quirk, fact) in all {
            if fact.answer != Answer::Yes || self.detail == Detail::Evidence {
                self.bullet(&format!("{quirk} {}: {}", mark(fact.answer), fact.evidence));
            }
        }
    }
}

fn item(what: &str, answer: Answer) -> Span {
    match answer {
        Answer::Yes => Span::new(GOOD, format!("{what} yes")),
        Answer::No => Span::new(WEAK, format!("{what} no")),
        Answer::Undetermined => Span::new(WEAK, format!("{what} ?")),
    }
}
