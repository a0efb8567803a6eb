//! The facts about certificates: the chain as sent, the verdict of a verifying client, and which
//! certificate which server name gets.

use gladhand_probes::tls::certificate::CertificateSeen;
use gladhand_probes::tls::sni::{SniAnswer, SniOutcome, SniSeen};
use gladhand_probes::tls::verification::{Verdict, VerificationSeen};
use gladhand_probes::x509::CertificateFacts;
use time::OffsetDateTime;

use super::super::page::{BAD, BOLD, DIM, GOOD, PLAIN, Span, WEAK};
use super::super::words;
use super::{Facts, INDENT, LABEL, NAMES};
use crate::report::Detail;

impl Facts<'_> {
    pub(super) fn certificate(&mut self, seen: &CertificateSeen) {
        if seen.served.is_empty() {
            self.field("certificate", &Span::new(WEAK, "the server sends none"));
        }
        for (number, certificate) in seen.served.iter().enumerate() {
            let label = if number == 0 { "certificate" } else { "" };
            self.one_certificate(label, number, certificate);
        }
    }

    fn one_certificate(&mut self, label: &str, number: usize, certificate: &CertificateFacts) {
        const AT: usize = INDENT + LABEL;
        const KEY: usize = 9;
        let head = format!("{number}  {}", certificate.subject);
        let lead = Span::new(DIM, format!("{label:LABEL$}"));
        self.page
            .paragraph(INDENT, &[lead], LABEL + 3, &Span::new(BOLD, head));
        let issuer = if certificate.self_signed {
            "itself".into()
        } else {
            certificate.issuer.to_string()
        };
        self.page.field(AT + 3, "issuer", KEY, &Span::plain(issuer));
        let key = format!(
            "{}, signed with {}",
            words::key(certificate),
            certificate.signature
        );
        self.page.field(AT + 3, "key", KEY, &Span::plain(key));
        self.page
            .field(AT + 3, "valid", KEY, &self.validity(certificate));
        if !certificate.sans.is_empty() {
            let names: Vec<_> = certificate.sans.iter().map(ToString::to_string).collect();
            let names = shorten(&names, self.detail);
            self.page.field(AT + 3, "names", KEY, &Span::plain(names));
        }
        let lead = Span::new(DIM, format!("{:KEY$}", "sha256"));
        self.page
            .line(AT + 3, &[lead, Span::new(DIM, &certificate.sha256)]);
    }

    fn validity(&self, certificate: &CertificateFacts) -> Span {
        let (from, to) = (certificate.not_before, certificate.not_after);
        let dates = format!("{} to {}", words::date(from), words::date(to));
        let span = |moment: OffsetDateTime| words::span(moment - self.now);
        if to < self.now {
            Span::new(BAD, format!("{dates}, expired {} ago", span(to)))
        } else if from > self.now {
            Span::new(BAD, format!("{dates}, begins in {}", span(from)))
        } else {
            Span::new(PLAIN, format!("{dates}, {} left", span(to)))
        }
    }

    pub(super) fn verification(&mut self, seen: &VerificationSeen) {
        let (name, trust) = (&seen.name, words::trust(seen));
        let told = match (seen.verdict, &seen.anchor) {
            (Verdict::Trusted, Some(anchor)) => Span::new(
                GOOD,
                format!("trusted for {name}, up to {anchor} ({trust})"),
            ),
            (Verdict::Trusted, None) => Span::new(GOOD, format!("trusted for {name} ({trust})")),
            (Verdict::Untrusted, _) => Span::new(BAD, format!("refused for {name} ({trust})")),
            (Verdict::Undetermined, _) => {
                Span::new(WEAK, format!("? undetermined for {name} ({trust})"))
            }
        };
        self.field("verification", &told);
        for problem in &seen.problems {
            self.bullet(&problem.detail.to_string());
        }
        let unexplained = seen.problems.is_empty() || self.detail >= Detail::Verbose;
        if let Some(error) = seen.error.as_ref().filter(|_| unexplained) {
            self.bullet(&format!("the verifier says: {error}"));
        }
    }

    pub(super) fn sni(&mut self, seen: &SniSeen) {
        let first = seen
            .with
            .as_ref()
            .and_then(|answer| answer.sha256.as_deref());
        let same = |answer: &SniAnswer| first.is_some() && answer.sha256.as_deref() == first;
        if same(&seen.without) && same(&seen.wrong) && self.detail < Detail::Verbose {
            let told = "makes no difference: the same certificate with none and with a wrong one";
            self.field("server name", &Span::plain(told));
            return;
        }
        let mut label = "server name";
        if let (Some(name), Some(with)) = (&seen.name, &seen.with) {
            self.field(
                label,
                &Span::plain(format!("{name}: {}", answer(with, None))),
            );
            label = "";
        }
        self.field(
            label,
            &Span::plain(format!("none: {}", answer(&seen.without, first))),
        );
        self.field(
            "",
            &Span::plain(format!("a wrong one: {}", answer(&seen.wrong, first))),
        );
    }
}

/// What a server name was answered with; `first` is the certificate for the right name.
fn answer(seen: &SniAnswer, first: Option<&str>) -> String {
    match seen.outcome {
        SniOutcome::Certificate => {
            let subject = seen
                .subject
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            match (first, seen.sha256.as_deref()) {
                (Some(first), Some(this)) if first == this => "the same certificate".into(),
                (Some(_), _) => format!("another certificate, {subject}"),
                (None, _) => format!("the certificate {subject}"),
            }
        }
        SniOutcome::NoCertificate => "a ServerHello without a certificate".into(),
        SniOutcome::Alert => words::alert(seen.alert),
        SniOutcome::Closed => "the connection is closed".into(),
        SniOutcome::Reset => "the connection is reset".into(),
        SniOutcome::Silent => "silence".into(),
        SniOutcome::Undetermined => format!("? {}", seen.evidence),
    }
}

/// The first names, and how many more there are.
fn shorten(names: &[String], detail: Detail) -> String {
    let shown = if detail >= Detail::Verbose {
        usize::MAX
    } else {
        NAMES
    };
    let mut told = names
        .iter()
        .take(shown)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if let Some(more @ 1..) = names.len().checked_sub(shown) {
        told = format!("{told}, +{more} more (-v)");
    }
    told
}
