//! Browsers want proof that a public certificate is in public logs, and there is none, or too little.

use gladhand_probes::Answer;
use gladhand_probes::tls::certificate_transparency::CertificateTransparencySeen;
use gladhand_probes::tls::verification::VerificationSeen;
use gladhand_probes::untrusted::Untrusted;
use gladhand_probes::x509::{SCTS_OUTSIDE, SctFacts, SctSource, scts_suffice, scts_wanted};

use super::support::{date, leaf, s_client, x509};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct CertificateTransparencyMissing;

static RULE: Rule = Rule {
    id: "certificate-transparency-missing",
    title: "Too few signed certificate timestamps",
    severity: Severity::High,
    what: "A certificate that Mozilla's roots vouch for comes with no SCT that counts, or (medium) with \
           too few: browsers want two in a certificate valid for up to 180 days and three in a longer \
           one, or two of which one comes by the TLS extension or the stapled OCSP response; from as \
           many logs, and not all of one operator. An SCT counts unless its signature is wrong, its \
           time is in the future, or Chrome has rejected or retired its log before. One of a log that \
           is not in the list here counts, too. Private CAs need none.",
    why: "Chrome refuses it with ERR_CERTIFICATE_TRANSPARENCY_REQUIRED, Safari does not trust it, and \
          Firefox says MOZILLA_PKIX_ERROR_INSUFFICIENT_CERTIFICATE_TRANSPARENCY. curl, OpenSSL, Java \
          and load balancers do not look.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Order the certificate again, with the SCTs in it, as every public CA does by \
                   default: look for an option of the order that keeps names out of public logs.",
            snippet: None,
        },
        RuleFix {
            product: "AWS ALB",
            text: "ACM logs certificates unless told otherwise: turn logging on and have the \
                   certificate renewed, or request a new one.",
            snippet: Some(
                "aws acm update-certificate-options --certificate-arn <ARN> --options CertificateTransparencyLoggingPreference=ENABLED",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc6962",
        "https://googlechrome.github.io/CertificateTransparency/ct_policy.html",
        "https://support.apple.com/en-us/103214",
        "https://wiki.mozilla.org/SecurityEngineering/Certificate_Transparency",
    ],
};

impl Check for CertificateTransparencyMissing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let seen = view.observations().certificate_transparency.seen();
        let verification = view.observations().verification.seen();
        let (Some(seen), Some(leaf)) = (seen, leaf(view)) else {
            return;
        };
        if !verification.is_some_and(VerificationSeen::publicly_trusted) {
            return;
        }
        let count = |sct: &&SctFacts| sct.may_count(view.now);
        let good: Vec<&SctFacts> = seen.scts.iter().filter(count).collect();
        let inside = |sct: &&SctFacts| sct.source == SctSource::Certificate;
        let wanted = scts_wanted(leaf.not_after - leaf.not_before);
        let in_certificate = good.iter().copied().filter(inside);
        let some_outside = !good.iter().all(inside);
        if scts_suffice(in_certificate, wanted)
            || some_outside && scts_suffice(good.iter().copied(), SCTS_OUTSIDE)
            || is_open(seen)
        {
            return;
        }
        let (key, severity, message) = match (good.len(), seen.scts.len()) {
            (0, 0) => (
                "none",
                Severity::High,
                "The certificate comes without any SCT.".to_owned(),
            ),
            (0, all) => (
                "none",
                Severity::High,
                format!("The certificate comes with {}, and none counts.", scts(all)),
            ),
            (some, _) => (
                "few",
                Severity::Medium,
                format!(
                    "The certificate comes with {} that may count; browsers want {wanted}, from as \
                     many logs and more than one operator.",
                    scts(some)
                ),
            ),
        };
        out.push(Found {
            key: key.into(),
            message,
            seen: lines(seen),
            reproduce: vec![x509(view, "-ext ct_precert_scts"), handshake(view)],
            severity: Some(severity),
            ..Found::default()
        });
    }
}

/// Whether SCTs may come in a way that could not be looked at.
fn is_open(seen: &CertificateTransparencySeen) -> bool {
    let tls = seen.tls.as_ref().map(|fact| fact.answer);
    [Some(seen.ocsp.answer), tls].contains(&Some(Answer::Undetermined))
}

fn scts(count: usize) -> String {
    match count {
        1 => "1 SCT".into(),
        many => format!("{many} SCTs"),
    }
}

fn lines(seen: &CertificateTransparencySeen) -> Vec<String> {
    let ways = [Some(&seen.certificate), Some(&seen.ocsp), seen.tls.as_ref()];
    let ways = ways.into_iter().flatten().map(|fact| fact.evidence.clone());
    let scts = seen.scts.iter().map(|sct| {
        let log = sct.log.as_ref().map_or(&sct.log_id, |log| &log.name);
        let log = Untrusted::from(log.as_str());
        let time = sct.timestamp.map_or_else(|| "no date".into(), date);
        format!("{log}, {time}: {}", sct.verified.evidence)
    });
    ways.chain(scts).collect()
}

/// What `openssl` sees of the ways outside of the certificate; its `-ct` wants a list of logs.
fn handshake(view: &View<'_>) -> String {
    format!(
        "{} 2>/dev/null | grep -E 'SCTs|OCSP response:|SERVERINFO'",
        s_client(view, "-tls1_2 -status -serverinfo 18")
    )
}
