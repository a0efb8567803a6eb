//! The issuer has revoked a certificate of the chain.

use gladhand_probes::tls::revocation::{CertificateRevocation, SourceKind, SourceSeen};
use gladhand_probes::x509::RevocationStatus;

use super::support::{quote, revoked_words, status_lines};
use super::{Check, Findings, Found, Rule, View, fixes};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct CertificateRevoked;

static RULE: Rule = Rule {
    id: "certificate-revoked",
    title: "A certificate of the chain is revoked",
    severity: Severity::Critical,
    what: "With `--revocation`: the issuer's OCSP responder or its revocation list says that the \
           server's certificate, or an intermediate on its path, is revoked. Both are asked \
           where the certificate names both, and each answer is verified; one of them is enough.",
    why: "Browsers refuse it, each by a list of its own and some hours later (Firefox: \
           SEC_ERROR_REVOKED_CERTIFICATE, Chrome: ERR_CERT_REVOKED); Java and OpenSSL where they \
           are told to look. An intermediate takes every certificate below it along. A \
           certificate is revoked because its key may be in other hands, or because it should \
           not have been issued.",
    fix: &[fixes::NEW_KEY, fixes::ACM_NEW_CERTIFICATE],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc5280#section-6.3",
        "https://www.rfc-editor.org/rfc/rfc6960#section-2.2",
    ],
};

impl Check for CertificateRevoked {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().revocation.seen() else {
            return;
        };
        let mut told: Vec<&str> = Vec::new();
        for certificate in &seen.certificates {
            let key = match certificate.certificate {
                Some(0) => "leaf",
                _ => "intermediate",
            };
            let revoked = |source: &&SourceSeen| source.result.status == RevocationStatus::Revoked;
            let Some(source) = certificate.sources.iter().find(revoked) else {
                continue;
            };
            if told.contains(&key) {
                continue;
            }
            told.push(key);
            let about = match key {
                "leaf" => "The certificate".into(),
                _ => format!("The intermediate certificate {}", certificate.subject),
            };
            out.push(Found {
                key: key.into(),
                message: format!("{about} {}.", revoked_words(&source.result)),
                seen: lines(certificate),
                reproduce: vec![command(source)],
                ..Found::default()
            });
        }
    }
}

/// What every source says.
fn lines(certificate: &CertificateRevocation) -> Vec<String> {
    let each = certificate.sources.iter().flat_map(|source| {
        let head = format!(
            "{} {} says {}",
            kind(source),
            source.url,
            source.result.status
        );
        std::iter::once(head).chain(status_lines(&source.result))
    });
    std::iter::once(format!("subject {}", certificate.subject))
        .chain(each)
        .collect()
}

fn kind(source: &SourceSeen) -> &'static str {
    match source.kind {
        SourceKind::Ocsp => "OCSP",
        SourceKind::Crl => "CRL",
    }
}

fn command(source: &SourceSeen) -> String {
    let url = quote(&source.url.to_string());
    match source.kind {
        SourceKind::Ocsp => {
            format!("openssl ocsp -issuer issuer.pem -cert certificate.pem -url {url} -text")
        }
        SourceKind::Crl => {
            format!("curl -s {url} | openssl crl -inform der -noout -text | less")
        }
    }
}
