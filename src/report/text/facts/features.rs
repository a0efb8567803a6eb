//! What is answered below TLS 1.3 besides version and suite, in one line.

use std::collections::BTreeMap;

use gladhand_probes::tls::alpn::AlpnSeen;
use gladhand_probes::tls::dh_parameters::DhParametersSeen;
use gladhand_probes::tls::renegotiation::SecureRenegotiation;
use gladhand_probes::wire::registry::ProtocolVersion;
use gladhand_probes::{Answer, Attempt, Observations};

use super::super::page::{DIM, GOOD, Span, WEAK};
use super::{Facts, INDENT, LABEL};
use crate::report::Detail;

/// One feature: its name, whether it is good to have, what was seen, and the evidence.
struct Feature {
    name: &'static str,
    wanted: bool,
    answer: Answer,
    evidence: Vec<String>,
}

impl Facts<'_> {
    /// The application protocols.
    pub(super) fn alpn(&mut self, seen: &AlpnSeen) {
        let mut items: Vec<Span> = seen.accepted.iter().map(Span::plain).collect();
        if items.is_empty() && seen.complete {
            items.push(Span::new(DIM, "none negotiated"));
        }
        if !seen.complete {
            items.push(Span::new(WEAK, "the others ?"));
        }
        self.page.items(INDENT, "protocols", LABEL, &items);
        if !seen.complete || self.detail == Detail::Evidence {
            for line in &seen.evidence {
                self.bullet(line);
            }
        }
    }

    /// The finite-field group.
    pub(super) fn dh_parameters(&mut self, seen: &DhParametersSeen) {
        let group = seen.group.as_deref().unwrap_or("a group of its own");
        let reused = match seen.reused.answer {
            Answer::Yes => ", the same key in several handshakes",
            Answer::No => "",
            Answer::Undetermined => ", reuse ?",
        };
        let told = format!("{} bits, {group}{reused}", seen.bits);
        self.field("DHE", &Span::plain(told));
        if self.detail == Detail::Evidence {
            self.bullet(&format!("SHA-256 of the prime: {}", seen.prime_sha256));
            self.bullet(&seen.reused.evidence);
        }
    }

    /// The features that were observed; what was not asked for, or makes no sense here, has no place.
    pub(super) fn features(&mut self, seen: &Observations) {
        let features = features(seen);
        if features.is_empty() {
            return;
        }
        let items: Vec<Span> = features.iter().map(item).collect();
        self.page.items(INDENT, "features", LABEL, &items);
        for feature in &features {
            if feature.answer == Answer::Undetermined || self.detail == Detail::Evidence {
                for line in &feature.evidence {
                    self.bullet(&format!("{}: {line}", feature.name));
                }
            }
        }
    }
}

fn features(seen: &Observations) -> Vec<Feature> {
    let mut features = Vec::new();
    if let Some(seen) = seen.renegotiation.seen() {
        let each = each(&seen.0, |fact| (fact.answer, &fact.evidence));
        features.push(Feature::of("secure renegotiation", true, each));
        let tried = |(version, seen): (&ProtocolVersion, &SecureRenegotiation)| {
            let fact = seen.client_initiated.as_ref()?;
            Some((fact.answer, format!("{version}: {}", fact.evidence)))
        };
        let by_client: Vec<_> = seen.0.iter().filter_map(tried).collect();
        if !by_client.is_empty() {
            features.push(Feature::of("clients renegotiate", false, by_client));
        }
    }
    if let Some(seen) = seen.extended_master_secret.seen() {
        let each = each(&seen.0, |fact| (fact.answer, &fact.evidence));
        features.push(Feature::of("extended master secret", true, each));
    }
    if let Attempt::Seen(seen) = &seen.encrypt_then_mac {
        let one = vec![(seen.answer, seen.evidence.clone())];
        features.push(Feature::of("encrypt-then-MAC", true, one));
    }
    if let Attempt::Seen(seen) = &seen.compression {
        let one = vec![(seen.answer, seen.evidence.clone())];
        features.push(Feature::of("compression", false, one));
    }
    if let Attempt::Seen(seen) = &seen.fallback_scsv {
        let one = vec![(seen.answer, seen.evidence.clone())];
        features.push(Feature::of("fallback refused", true, one));
    }
    features
}

fn each<T>(
    by_version: &BTreeMap<ProtocolVersion, T>,
    read: impl Fn(&T) -> (Answer, &String),
) -> Vec<(Answer, String)> {
    let told = by_version.iter().rev().map(|(version, fact)| {
        let (answer, evidence) = read(fact);
        (answer, format!("{version}: {evidence}"))
    });
    told.collect()
}

impl Feature {
    /// What several answers say together: no better than the worst.
    fn of(name: &'static str, wanted: bool, each: Vec<(Answer, String)>) -> Self {
        let (worst, best) = if wanted {
            (Answer::No, Answer::Yes)
        } else {
            (Answer::Yes, Answer::No)
        };
        let has = |answer| each.iter().any(|(one, _)| *one == answer);
        let answer = if has(worst) {
            worst
        } else if has(Answer::Undetermined) {
            Answer::Undetermined
        } else {
            best
        };
        Self {
            name,
            wanted,
            answer,
            evidence: each.into_iter().map(|(_, evidence)| evidence).collect(),
        }
    }
}

fn item(feature: &Feature) -> Span {
    let name = feature.name;
    match (feature.answer, feature.wanted) {
        (Answer::Undetermined, _) => Span::new(WEAK, format!("{name} ?")),
        (Answer::Yes, true) => Span::new(GOOD, format!("{name} yes")),
        (Answer::No, true) => Span::new(WEAK, format!("{name} no")),
        (Answer::Yes, false) => Span::new(WEAK, format!("{name} yes")),
        (Answer::No, false) => Span::new(DIM, format!("{name} no")),
    }
}
