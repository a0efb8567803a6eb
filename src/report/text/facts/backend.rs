//! What a load balancer gets from its target.

use gladhand_probes::tls::backend::{BackendSeen, Change, HelloAnswer};
use gladhand_probes::{Answer, Fact};

use super::super::page::{BAD, GOOD, PLAIN, Span, WEAK};
use super::{Facts, INDENT, LABEL, time};
use crate::report::Detail;

impl Facts<'_> {
    pub(super) fn backend(&mut self, seen: &BackendSeen) {
        let mut items = vec![hello(seen)];
        items.extend(seen.handshake.as_ref().map(|handshake| {
            let took = handshake.ms.map(|ms| format!(" in {}", time(ms)));
            let took = took.unwrap_or_default();
            match handshake.completes.answer {
                Answer::Yes => Span::new(GOOD, format!("handshake completes{took}")),
                Answer::No => Span::new(
                    BAD,
                    format!("handshake breaks: {}", handshake.completes.evidence),
                ),
                Answer::Undetermined => Span::new(WEAK, "handshake ?"),
            }
        }));
        items.extend(self.asked(seen));
        self.page.items(INDENT, "as balancer", LABEL, &items);
        let assumed = if seen.policy_assumed {
            format!(
                ", assumed: --as {}:POLICY names another",
                seen.balancer.name()
            )
        } else {
            String::new()
        };
        self.bullet(&format!("policy {}{assumed}", seen.policy));
        if seen.hello.taken.answer != Answer::Yes || self.detail == Detail::Evidence {
            self.bullet(&format!("its hello: {}", seen.hello.taken.evidence));
        }
        for instead in &seen.instead {
            let what = change(instead.change);
            let name = if instead.with_name && instead.change != Change::ServerName {
                " and the server name"
            } else {
                ""
            };
            let evidence = match instead.taken.answer {
                Answer::No if self.detail < Detail::Verbose => String::new(),
                _ => format!(": {}", instead.taken.evidence),
            };
            let answer = match instead.taken.answer {
                Answer::Undetermined => "?".into(),
                answer => answer.to_string(),
            };
            self.bullet(&format!("with {what}{name} {answer}{evidence}"));
        }
    }

    /// Whether a client certificate is wanted.
    fn asked(&self, seen: &BackendSeen) -> Option<Span> {
        let asked = seen.client_certificate.as_ref()?;
        let is_yes =
            |fact: &Option<Fact>| fact.as_ref().is_some_and(|fact| fact.answer == Answer::Yes);
        Some(match asked.requested.answer {
            _ if is_yes(&asked.required_by_handshake) => {
                Span::new(BAD, "client certificate required")
            }
            _ if is_yes(&asked.required_by_http) => {
                Span::new(BAD, "client certificate required by HTTP")
            }
            Answer::Yes => Span::new(WEAK, "client certificate asked for"),
            Answer::Undetermined => Span::new(WEAK, "client certificate ?"),
            Answer::No if self.detail < Detail::Verbose => return None,
            Answer::No => Span::new(PLAIN, "no client certificate asked for"),
        })
    }
}

fn hello(seen: &BackendSeen) -> Span {
    let hello = &seen.hello;
    let took = hello.ms.map(|ms| format!(" in {}", time(ms)));
    let took = took.unwrap_or_default();
    match (hello.taken.answer, hello.outcome) {
        (Answer::Yes, _) => {
            let version = hello.version.map(|version| version.to_string());
            let suite = hello.suite.as_ref().map(ToString::to_string);
            let group = hello.group.as_ref().map(ToString::to_string);
            let parts: Vec<_> = [version, suite, group].into_iter().flatten().collect();
            Span::new(GOOD, format!("{}{took}", parts.join(" ")))
        }
        (Answer::No, _) => Span::new(BAD, "hello refused"),
        (Answer::Undetermined, HelloAnswer::Silent) => {
            Span::new(WEAK, format!("hello ?: no answer{took}"))
        }
        (Answer::Undetermined, _) => Span::new(WEAK, "hello ?"),
    }
}

fn change(change: Change) -> &'static str {
    match change {
        Change::ServerName => "the server name",
        Change::Suites => "every suite",
        Change::Groups => "every group",
        Change::SignatureSchemes => "every signature scheme",
        Change::NoPostQuantum => "no post-quantum group",
        Change::EverythingButVersions => "every suite, group and signature scheme",
        Change::OtherVersions => "other versions",
    }
}
