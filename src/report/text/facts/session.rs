//! What a completed handshake tells: signatures, and whether sessions are resumed.

use gladhand_probes::tls::resumption::{ResumptionBy, SessionSeen, VersionSessions};
use gladhand_probes::tls::signature_algorithms::SignatureAlgorithmsSeen;
use gladhand_probes::wire::registry::ProtocolVersion;
use gladhand_probes::{Answer, Fact};

use super::super::page::{DIM, GOOD, Span, WEAK};
use super::super::words::plural;
use super::{Facts, INDENT, LABEL};
use crate::report::Detail;

impl Facts<'_> {
    /// What the server signs with.
    pub(super) fn signature_algorithms(&mut self, seen: &SignatureAlgorithmsSeen) {
        let mut items = Vec::new();
        let mut names: Vec<String> = seen.preferred.iter().map(ToString::to_string).collect();
        for scheme in seen.tls13.iter().flat_map(|tls13| &tls13.accepted) {
            let name = scheme.to_string();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        items.extend(names.into_iter().map(Span::plain));
        if let Some(scheme) = &seen.weak_scheme {
            items.push(Span::new(WEAK, format!("{scheme} if asked to")));
        }
        let facts = [
            ("SHA-1 and MD5", seen.weak.as_ref()),
            (
                "SHA-1 in TLSv1.3",
                seen.tls13.as_ref().map(|tls13| &tls13.sha1),
            ),
        ];
        let open = |fact: &Fact| fact.answer == Answer::Undetermined;
        if facts.iter().any(|(_, fact)| fact.is_some_and(open)) {
            items.push(Span::new(WEAK, "SHA-1 ?"));
        }
        self.page.items(INDENT, "signatures", LABEL, &items);
        for (what, fact) in facts {
            let Some(fact) = fact else { continue };
            if open(fact) || self.detail == Detail::Evidence {
                self.bullet(&format!("{what}: {}", fact.evidence));
            }
        }
    }

    /// Whether sessions are resumed.
    pub(super) fn sessions(&mut self, seen: &SessionSeen) {
        let newest_first = || seen.0.iter().rev();
        let items: Vec<Span> = newest_first()
            .filter_map(|(version, sessions)| item(*version, sessions))
            .collect();
        self.page.items(INDENT, "resumption", LABEL, &items);
        for (version, sessions) in newest_first() {
            for (what, by) in [("tickets", &sessions.tickets), ("ids", &sessions.ids)] {
                let Some(by) = by else { continue };
                let fact = by.resumed.as_ref().unwrap_or(&by.issued);
                let wanted = fact.answer == Answer::Undetermined || by.is_broken();
                if wanted || self.detail == Detail::Evidence {
                    self.bullet(&format!("{version}, {what}: {}", fact.evidence));
                }
            }
        }
    }
}

/// `TLSv1.3 by 2 tickets, 16384 bytes of early data`; none below TLS 1.2, where it is not tried.
fn item(version: ProtocolVersion, sessions: &VersionSessions) -> Option<Span> {
    if version < ProtocolVersion::TLS1_2 {
        return None;
    }
    let tickets = match sessions.ticket_count {
        Some(count) if count > 0 => plural(count as usize, "ticket"),
        _ => "ticket".into(),
    };
    let means = [(tickets.as_str(), &sessions.tickets), ("id", &sessions.ids)];
    let of = |is_meant: fn(&ResumptionBy) -> bool| -> Vec<&str> {
        let means = means
            .iter()
            .filter(|(_, by)| by.as_ref().is_some_and(is_meant));
        means.map(|(name, _)| *name).collect()
    };
    // Issued, and not tried: that is no resumption.
    let resumed = of(|by| by.resumed.is_some() && answer(by) == Answer::Yes && !by.is_broken());
    let sometimes = of(|by| answer(by) == Answer::Yes && by.is_broken());
    let open = of(|by| answer(by) == Answer::Undetermined);
    let (style, mut told) = if !resumed.is_empty() {
        (GOOD, format!("{version} by {}", resumed.join(" and ")))
    } else if !sometimes.is_empty() {
        let by = sometimes.join(" and ");
        (WEAK, format!("{version} by {by}, not each time"))
    } else if !open.is_empty() {
        (WEAK, format!("{version} ?"))
    } else {
        (DIM, format!("{version} no"))
    };
    if let Some(size) = sessions.max_early_data_size {
        told = format!("{told}, {size} bytes of early data");
    }
    Some(Span::new(style, told))
}

/// Whether it resumes; what is not issued does not.
fn answer(by: &ResumptionBy) -> Answer {
    by.resumed.as_ref().unwrap_or(&by.issued).answer
}
