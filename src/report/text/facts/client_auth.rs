//! The facts about client certificates, and the chains by type of key.

use gladhand_probes::tls::client_auth::ClientAuthSeen;
use gladhand_probes::tls::key_types::CertificatesSeen;
use gladhand_probes::{Answer, Untrusted};

use super::super::page::{BAD, GOOD, PLAIN, Span, WEAK};
use super::{Facts, INDENT, LABEL, NAMES};
use crate::report::Detail;

impl Facts<'_> {
    pub(super) fn client_auth(&mut self, seen: &ClientAuthSeen) {
        let open = |answer| answer == Answer::Undetermined;
        let any_open = seen.versions.values().any(|fact| open(fact.answer));
        if !seen.is_asked() && !any_open && seen.ours.is_none() && self.detail < Detail::Verbose {
            // Nothing that most servers do not do as well.
            return;
        }
        let mut items: Vec<Span> = Vec::new();
        for (version, fact) in seen.versions.iter().rev() {
            items.push(match fact.answer {
                Answer::Yes => Span::new(WEAK, format!("asked for in {version}")),
                Answer::No => Span::new(PLAIN, format!("not in {version}")),
                Answer::Undetermined => Span::new(WEAK, format!("{version} ?")),
            });
        }
        let levels = [
            ("the handshake", &seen.required_by_handshake),
            ("HTTP", &seen.required_by_http),
        ];
        for (what, fact) in levels {
            items.extend(fact.as_ref().map(|fact| match fact.answer {
                Answer::Yes => Span::new(BAD, format!("required by {what}")),
                Answer::No => Span::new(PLAIN, format!("not required by {what}")),
                Answer::Undetermined => Span::new(WEAK, format!("required by {what} ?")),
            }));
        }
        if let Some(ours) = &seen.ours {
            items.push(match ours.accepted.as_ref().map(|fact| fact.answer) {
                Some(Answer::Yes) => Span::new(GOOD, "ours accepted"),
                Some(Answer::No) => Span::new(BAD, "ours rejected"),
                Some(Answer::Undetermined) => Span::new(WEAK, "ours ?"),
                None => Span::new(WEAK, "ours not sent"),
            });
        }
        self.page.items(INDENT, "client auth", LABEL, &items);
        if !seen.authorities.is_empty() {
            let shown = if self.detail >= Detail::Verbose {
                usize::MAX
            } else {
                NAMES
            };
            let names: Vec<_> = seen.authorities.iter().take(shown).collect();
            for name in &names {
                self.bullet(&format!("takes certificates of {name}"));
            }
            if let Some(more @ 1..) = seen.authorities_sent.checked_sub(names.len()) {
                self.bullet(&format!("and of {more} more"));
            }
        }
        if self.detail == Detail::Evidence {
            for (version, fact) in seen.versions.iter().rev() {
                self.bullet(&format!("{version}: {}", fact.evidence));
            }
            let facts = [&seen.required_by_handshake, &seen.required_by_http];
            let accepted = seen.ours.as_ref().and_then(|ours| ours.accepted.as_ref());
            for fact in facts.into_iter().filter_map(Option::as_ref).chain(accepted) {
                self.bullet(&fact.evidence);
            }
        }
    }

    /// The chains besides the ordinary one.
    pub(super) fn certificates(&mut self, seen: &CertificatesSeen) {
        let items: Vec<Span> = seen
            .key_types
            .iter()
            .map(|(name, fact)| {
                let name = Untrusted::from(name.as_str());
                match fact.answer {
                    Answer::Yes => Span::plain(format!("{name} yes")),
                    Answer::No => Span::plain(format!("{name} no")),
                    Answer::Undetermined => Span::new(WEAK, format!("{name} ?")),
                }
            })
            .collect();
        let open = seen
            .key_types
            .values()
            .any(|fact| fact.answer == Answer::Undetermined);
        if seen.others.is_empty() && !open && self.detail < Detail::Verbose {
            return;
        }
        self.page.items(INDENT, "key types", LABEL, &items);
        for (name, fact) in &seen.key_types {
            if fact.answer == Answer::Undetermined || self.detail == Detail::Evidence {
                self.bullet(&format!("{name}: {}", fact.evidence));
            }
        }
        for other in &seen.others {
            self.certificate(&other.certificate);
            self.verification(&other.verification);
        }
    }
}
