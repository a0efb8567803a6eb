//! What issuers say of the certificates: stapled, asked, fetched.

use anstyle::Style;
use gladhand_probes::Answer;
use gladhand_probes::tls::issuers::IssuersSeen;
use gladhand_probes::tls::revocation::{CertificateRevocation, RevocationSeen, SourceKind};
use gladhand_probes::tls::stapling::StaplingSeen;
use gladhand_probes::x509::{RevocationStatus, StatusFacts};

use super::super::page::{BAD, DIM, GOOD, Span, WEAK};
use super::super::words;
use super::Facts;
use crate::report::Detail;

impl Facts<'_> {
    /// The issuers' certificates that were fetched.
    pub(super) fn issuers(&mut self, seen: &IssuersSeen) {
        for (number, issuer) in seen.fetched.iter().enumerate() {
            let label = if number == 0 { "issuers" } else { "" };
            let told = format!(
                "{}, fetched from {}",
                issuer.certificate.subject, issuer.url
            );
            self.field(label, &Span::plain(told));
        }
        if seen.fetched.is_empty() {
            self.field("issuers", &Span::new(WEAK, "none could be fetched"));
        }
        for failed in &seen.failed {
            self.bullet(&format!("{}: {}", failed.url, failed.reason));
        }
    }

    /// The stapled OCSP response.
    pub(super) fn stapling(&mut self, seen: &StaplingSeen) {
        let demanded = if seen.must_staple {
            ", and the certificate demands it"
        } else {
            ""
        };
        let told = match (&seen.response, seen.stapled.answer) {
            (Some(response), _) => {
                status(response, &format!("stapled response says {{}}{demanded}"))
            }
            (None, Answer::No) if seen.must_staple => Span::new(BAD, format!("no{demanded}")),
            (None, Answer::No) => Span::new(DIM, "no"),
            (None, answer) => {
                let mark = if answer == Answer::Yes { "yes" } else { "?" };
                Span::new(WEAK, format!("{mark}{demanded}"))
            }
        };
        self.field("stapling", &told);
        let open = seen.stapled.answer == Answer::Undetermined;
        if open || self.detail == Detail::Evidence {
            self.bullet(&seen.stapled.evidence);
        }
        if let Some(response) = &seen.response {
            self.particulars(response);
        }
    }

    /// Each certificate, and each source that was asked about it.
    pub(super) fn revocation(&mut self, seen: &RevocationSeen) {
        for (number, certificate) in seen.certificates.iter().enumerate() {
            let label = if number == 0 { "revocation" } else { "" };
            self.one_revocation(label, certificate);
        }
    }

    fn one_revocation(&mut self, label: &str, certificate: &CertificateRevocation) {
        let style = style(certificate.status);
        let told = format!("{}  {}", mark(certificate.status), certificate.subject);
        self.field(label, &Span::new(style, told));
        if certificate.sources.is_empty() {
            self.bullet("the certificate names neither an OCSP responder nor a CRL");
        }
        for source in &certificate.sources {
            let kind = match source.kind {
                SourceKind::Ocsp => "OCSP",
                SourceKind::Crl => "CRL",
            };
            let result = &source.result;
            let told = match result.status {
                RevocationStatus::Undetermined => format!("? {}", result.evidence),
                _ => dated(result),
            };
            self.bullet(&format!("{kind} {}: {told}", source.url));
        }
    }

    fn particulars(&mut self, seen: &StatusFacts) {
        if seen.problem.is_some() || self.detail == Detail::Evidence {
            self.bullet(&seen.evidence.to_string());
        }
        if let (Some(signer), true) = (&seen.signer, self.detail >= Detail::Verbose) {
            self.bullet(&format!("signed by {signer}"));
        }
    }
}

/// A status in a sentence, where `{}` stands for it.
fn status(seen: &StatusFacts, sentence: &str) -> Span {
    match seen.status {
        RevocationStatus::Undetermined => {
            Span::new(WEAK, "? a response is stapled that cannot be relied on")
        }
        status => Span::new(style(status), sentence.replace("{}", &dated(seen))),
    }
}

/// `good, to 2026-11-27`; `revoked since 2026-11-01 (keyCompromise)`.
fn dated(seen: &StatusFacts) -> String {
    let mut told = mark(seen.status).to_owned();
    if let Some(at) = seen.revoked_at {
        told = format!("{told} since {}", words::date(at));
    }
    if let Some(reason) = &seen.reason {
        told = format!("{told} ({reason})");
    }
    match seen.next_update {
        Some(next) if seen.revoked_at.is_none() => format!("{told}, to {}", words::date(next)),
        _ => told,
    }
}

fn mark(status: RevocationStatus) -> &'static str {
    match status {
        RevocationStatus::Good => "good",
        RevocationStatus::Revoked => "revoked",
        RevocationStatus::Unknown => "unknown to the responder",
        RevocationStatus::Undetermined => "?",
    }
}

fn style(status: RevocationStatus) -> Style {
    match status {
        RevocationStatus::Good => GOOD,
        RevocationStatus::Revoked => BAD,
        RevocationStatus::Unknown | RevocationStatus::Undetermined => WEAK,
    }
}
