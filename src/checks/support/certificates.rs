//! The served chain, what a verifying client said of it, and both in words.

use gladhand_probes::tls::certificate::CertificateSeen;
use gladhand_probes::tls::verification::{Problem, Reason, Verdict, VerificationSeen};
use gladhand_probes::untrusted::Untrusted;
use gladhand_probes::x509::CertificateFacts;

use super::words::{date, enumeration};
use crate::checks::{Findings, Found, View};

/// The served chain.
pub(in crate::checks) fn certificate<'a>(view: &View<'a>) -> Option<&'a CertificateSeen> {
    view.observations().certificate.seen()
}

/// The server's own certificate, if it can be read.
pub(in crate::checks) fn leaf<'a>(view: &View<'a>) -> Option<&'a CertificateFacts> {
    certificate(view)?
        .served
        .first()
        .filter(|facts| facts.error.is_none())
}

/// A served certificate and its place.
#[derive(Clone, Copy)]
pub(in crate::checks) struct Place<'a> {
    /// Counted from 0 in the order as sent.
    pub(in crate::checks) index: usize,
    /// What it says.
    pub(in crate::checks) facts: &'a CertificateFacts,
}

impl Place<'_> {
    /// `leaf`, `intermediate` or `root`: the evidence key.
    pub(in crate::checks) fn role(&self) -> &'static str {
        match self.index {
            0 => "leaf",
            _ if self.facts.self_signed => "root",
            _ => "intermediate",
        }
    }

    /// The certificate at the head of a sentence.
    pub(in crate::checks) fn name(&self) -> String {
        match self.role() {
            "leaf" => "The certificate".into(),
            role => format!("The {role} certificate {}", subject(self.facts)),
        }
    }
}

/// The path from the server's certificate upwards, through what was served and can be read.
pub(in crate::checks) fn path<'a>(view: &View<'a>) -> Vec<Place<'a>> {
    let Some(seen) = certificate(view) else {
        return Vec::new();
    };
    let indices = if seen.chain.path.is_empty() {
        &[0]
    } else {
        seen.chain.path.as_slice()
    };
    indices
        .iter()
        .filter_map(|&index| seen.served.get(index).map(|facts| Place { index, facts }))
        .filter(|place| place.facts.error.is_none())
        .collect()
}

/// The path's certificates between the server's own and a root: those that clients do not have.
pub(in crate::checks) fn intermediates<'a>(view: &View<'a>) -> impl Iterator<Item = Place<'a>> {
    path(view)
        .into_iter()
        .filter(|place| place.role() == "intermediate")
}

/// What a verifying client said, unless that could not be decided.
pub(in crate::checks) fn verification<'a>(view: &View<'a>) -> Option<&'a VerificationSeen> {
    let seen = view.observations().verification.seen()?;
    (seen.verdict != Verdict::Undetermined).then_some(seen)
}

/// Whether a verifying client accepts the chain.
pub(in crate::checks) fn is_trusted(view: &View<'_>) -> bool {
    verification(view).is_some_and(|seen| seen.verdict == Verdict::Trusted)
}

/// What a verifying client objects to, for one reason. Of a certificate that cannot be read,
/// nothing that is said about its content counts.
pub(in crate::checks) fn problems<'a>(view: &View<'a>, reason: Reason) -> Vec<&'a Problem> {
    let Some(seen) = view.observations().verification.seen() else {
        return Vec::new();
    };
    let is_readable = |problem: &&Problem| {
        let served = certificate(view)
            .map(|seen| seen.served.as_slice())
            .unwrap_or_default();
        let about = problem.certificate.and_then(|index| served.get(index));
        about.is_none_or(|facts| facts.error.is_none())
    };
    seen.problems
        .iter()
        .filter(|problem| problem.reason == reason)
        .filter(is_readable)
        .collect()
}

/// Whether a verifying client objects for this reason.
pub(in crate::checks) fn objects(view: &View<'_>, reason: Reason) -> bool {
    !problems(view, reason).is_empty()
}

/// Whether the server's certificate is signed by its own key, and nobody trusts it for itself. A
/// verifier may have another word for that, as where such a certificate says that it is a CA.
pub(in crate::checks) fn is_self_signed(view: &View<'_>) -> bool {
    let by_its_own_key = leaf(view).is_some_and(|leaf| leaf.self_signed);
    match verification(view) {
        None => by_its_own_key,
        Some(seen) if seen.verdict == Verdict::Trusted => false,
        Some(seen) => {
            let unexplained = seen
                .problems
                .iter()
                .all(|problem| problem.reason == Reason::Other);
            objects(view, Reason::CertificateSelfSigned) || (by_its_own_key && unexplained)
        }
    }
}

/// The evidence key of a problem: the role of the certificate that it concerns.
pub(in crate::checks) fn problem_key(view: &View<'_>, problem: &Problem) -> &'static str {
    let served = certificate(view)
        .map(|seen| seen.served.as_slice())
        .unwrap_or_default();
    let index = problem.certificate.unwrap_or(0);
    match served.get(index) {
        Some(facts) => Place { index, facts }.role(),
        None if index == 0 => "leaf",
        None => "intermediate",
    }
}

/// One finding for each certificate role that a verifying client objects to for this reason.
pub(in crate::checks) fn push_problems(
    view: &View<'_>,
    reason: Reason,
    message: impl Fn(&Problem) -> String,
    command: &str,
    out: &mut Findings<'_>,
) {
    let mut told: Vec<&str> = Vec::new();
    for problem in problems(view, reason) {
        let key = problem_key(view, problem);
        if told.contains(&key) {
            continue;
        }
        told.push(key);
        let about = problem
            .certificate
            .and_then(|index| certificate(view)?.served.get(index));
        out.push(Found {
            key: key.into(),
            message: message(problem),
            seen: about.map(certificate_lines).unwrap_or_default(),
            reproduce: vec![command.into()],
            ..Found::default()
        });
    }
}

/// A certificate's subject, or what there is instead.
pub(in crate::checks) fn subject(facts: &CertificateFacts) -> String {
    if facts.subject.is_empty() {
        return match facts.sans.first() {
            Some(name) => format!("for {name}"),
            None => format!("with the serial number {}", facts.serial),
        };
    }
    facts.subject.to_string()
}

/// Who a certificate is, line by line.
pub(in crate::checks) fn certificate_lines(facts: &CertificateFacts) -> Vec<String> {
    vec![
        format!("subject {}", subject(facts)),
        format!("issuer {}", facts.issuer),
        format!(
            "valid from {} to {}",
            date(facts.not_before),
            date(facts.not_after)
        ),
        format!("SHA-256 {}", Untrusted::from(facts.sha256.as_str())),
    ]
}

/// The names that a certificate is for: `a.example, b.example and 3 more`.
pub(in crate::checks) fn names_presented(facts: &CertificateFacts) -> Option<String> {
    const SHOWN: usize = 4;
    let mut names: Vec<String> = facts
        .sans
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    if names.is_empty() {
        return None;
    }
    if facts.sans.len() > SHOWN {
        names.push(format!("{} more", facts.sans.len() - SHOWN));
    }
    Some(enumeration(&names))
}

/// The trust store in words.
pub(in crate::checks) fn trust_words(seen: &VerificationSeen) -> String {
    match seen.trust.as_str() {
        "mozilla" => "Mozilla's root store".into(),
        "system" => "this system's trust store".into(),
        path => format!("the trust store {}", Untrusted::from(path)),
    }
}

/// `RSA with 1024 bits`.
pub(in crate::checks) fn key_words(facts: &CertificateFacts) -> String {
    let algorithm = Untrusted::from(facts.key.algorithm.as_str());
    match facts.key.bits {
        Some(bits) => format!("{algorithm} with {bits} bits"),
        None => algorithm.to_string(),
    }
}
