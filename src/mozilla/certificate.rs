//! The server's certificate against a profile: the one that an ordinary client gets.

use gladhand_probes::x509::CertificateFacts;
use gladhand_probes::{Attempt, Observations, Untrusted};
use time::Duration;

use super::{Comparison, Kind};

const ASPECT: &str = "certificate";

impl Comparison<'_> {
    pub(super) fn certificate(&mut self, seen: &Observations) {
        let leaf = match &seen.certificate {
            Attempt::Seen(seen) => seen.served.first(),
            Attempt::NotApplicable(_) => None,
            other => return self.unmeasured(ASPECT, other),
        };
        match leaf {
            None => self.add(Kind::Lacking, ASPECT, "one at all"),
            Some(leaf) if leaf.error.is_some() => {
                self.add(Kind::Undetermined, ASPECT, "it cannot be read");
            }
            Some(leaf) => {
                self.key(leaf);
                self.signature(leaf);
                self.lifespan(leaf);
            }
        }
    }

    fn key(&mut self, leaf: &CertificateFacts) {
        let allowed = &self.profile.certificate;
        let key = &leaf.key;
        let algorithm = Untrusted::from(key.algorithm.as_str());
        if !allowed.keys.contains(&key.algorithm) {
            let kinds = allowed.keys.join(" or ");
            let what = format!("a key of the kind {algorithm}, not {kinds}");
            return self.add(Kind::Excess, ASPECT, what);
        }
        if key.algorithm == "EC" {
            let curve = key.curve.as_deref().unwrap_or("an unknown curve");
            if !allowed.curves.iter().any(|known| known == curve) {
                let curve = Untrusted::from(curve);
                self.add(Kind::Excess, ASPECT, format!("a key on {curve}"));
            }
            return;
        }
        match (key.bits, allowed.rsa_bits) {
            (Some(bits), Some(least)) if bits < least => {
                let what = format!("a key of {bits} bits, and {least} is the least");
                self.add(Kind::Excess, ASPECT, what);
            }
            (None, Some(_)) => self.add(Kind::Undetermined, ASPECT, "the size of its key"),
            _ => {}
        }
    }

    fn signature(&mut self, leaf: &CertificateFacts) {
        if !self
            .profile
            .certificate
            .signatures
            .contains(&leaf.signature)
        {
            let signature = Untrusted::from(leaf.signature.as_str());
            self.add(Kind::Excess, ASPECT, format!("the signature {signature}"));
        }
    }

    fn lifespan(&mut self, leaf: &CertificateFacts) {
        let allowed = &self.profile.certificate;
        let valid = leaf.not_after - leaf.not_before;
        // A day that has begun is one.
        let days = (valid.whole_seconds() + 86_399) / 86_400;
        if valid > Duration::days(allowed.days.into()) {
            let what = format!("a life of {days} days, and {} is the most", allowed.days);
            self.add(Kind::Excess, ASPECT, what);
        } else if valid > Duration::days(allowed.recommended_days.into()) {
            let better = allowed.recommended_days;
            let what = format!("it lives {days} days, and {better} are recommended");
            self.add(Kind::Note, ASPECT, what);
        }
    }
}
