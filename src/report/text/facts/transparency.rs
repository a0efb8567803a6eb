//! The SCTs: how many came in which way, from which logs, and whether they are good.

use gladhand_probes::tls::certificate_transparency::CertificateTransparencySeen;
use gladhand_probes::x509::{SctFacts, SctSource};
use gladhand_probes::{Answer, Untrusted};

use super::super::page::{DIM, GOOD, Span, WEAK};
use super::super::words::plural;
use super::Facts;
use crate::report::Detail;

impl Facts<'_> {
    pub(super) fn certificate_transparency(&mut self, seen: &CertificateTransparencySeen) {
        let ways = [
            (SctSource::Certificate, "in the certificate"),
            (SctSource::Ocsp, "in the stapled OCSP response"),
            (SctSource::Tls, "in the handshake"),
        ];
        let mut label = "CT";
        for (source, place) in ways {
            let scts: Vec<_> = seen.scts.iter().filter(|s| s.source == source).collect();
            if scts.is_empty() {
                continue;
            }
            let (style, told) = standing(&scts);
            let told = format!("{} {place}, {told}", plural(scts.len(), "SCT"));
            self.field(label, &Span::new(style, told));
            label = "";
            for sct in scts {
                if sct.verified.answer != Answer::Yes || self.detail >= Detail::Verbose {
                    self.bullet(&line(sct));
                }
            }
        }
        // A finding tells where browsers want some.
        if self.detail < Detail::Verbose {
            return;
        }
        if seen.scts.is_empty() {
            self.field(label, &Span::new(DIM, "no SCTs"));
        }
        for fact in [Some(&seen.ocsp), seen.tls.as_ref()].into_iter().flatten() {
            if fact.answer == Answer::Undetermined {
                self.bullet(&format!("? {}", fact.evidence));
            }
        }
    }
}

/// What the signatures say together.
fn standing(scts: &[&SctFacts]) -> (anstyle::Style, String) {
    let count = |answer| scts.iter().filter(|s| s.verified.answer == answer).count();
    let (yes, no) = (count(Answer::Yes), count(Answer::No));
    match (yes, no, scts.len()) {
        (yes, _, all) if yes == all => (GOOD, "verified".into()),
        (0, 0, _) => (WEAK, "? not verified".into()),
        (yes, 0, _) => (WEAK, format!("{yes} verified")),
        (yes, no, _) => (WEAK, format!("{yes} verified, {no} not good")),
    }
}

/// `Google 'Argon2026h2' log, 2026-10-01: the log's signature verifies`.
fn line(sct: &SctFacts) -> String {
    let log = match &sct.log {
        Some(log) => Untrusted::from(log.name.as_str()),
        None => Untrusted::from(format!("log {}", sct.log_id)),
    };
    let date = sct.timestamp.map(|time| format!(", {}", time.date()));
    let date = date.unwrap_or_default();
    format!("{log}{date}: {}", sct.verified.evidence)
}
