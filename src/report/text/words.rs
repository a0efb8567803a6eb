//! Facts in words, as the verdict and the facts of the text report share them.

use gladhand_probes::tls::handshake::{HandshakeOutcome, HandshakeSeen};
use gladhand_probes::tls::reach::{OpeningSeen, ReachOutcome, ReachSeen};
use gladhand_probes::tls::verification::{Reason, VerificationSeen};
use gladhand_probes::wire::registry::AlertDescription;
use gladhand_probes::x509::CertificateFacts;
use gladhand_probes::{Observations, Untrusted};
use time::{Duration, OffsetDateTime};

/// `1 finding`, `2 findings`, `3 addresses`.
pub(super) fn plural(count: usize, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ if one.ends_with('s') => format!("{count} {one}es"),
        _ => format!("{count} {one}s"),
    }
}

/// `2026-11-08`.
pub(super) fn date(moment: OffsetDateTime) -> String {
    moment.date().to_string()
}

/// A span in days, in hours or minutes where it is short, in years where it is long: `12 days`.
pub(super) fn span(duration: Duration) -> String {
    let duration = duration.abs();
    let (days, hours, minutes) = (
        duration.whole_days(),
        duration.whole_hours(),
        duration.whole_minutes(),
    );
    let (count, unit) = match (days, hours) {
        (731.., _) => (days / 365, "year"),
        (0, 0) => (minutes, "minute"),
        (0, 1..) | (1, ..48) => (hours, "hour"),
        _ => (days, "day"),
    };
    plural(usize::try_from(count).unwrap_or_default(), unit)
}

/// `EC secp256r1 (256 bits)`, `RSA (2048 bits)`.
pub(super) fn key(certificate: &CertificateFacts) -> String {
    let key = &certificate.key;
    let mut words = key.algorithm.clone();
    if let Some(curve) = &key.curve {
        words = format!("{words} {curve}");
    }
    match key.bits {
        Some(bits) if key.curve.is_none() => format!("{words} {bits} bits"),
        _ => words,
    }
}

/// How an ordinary handshake broke, as the end of a sentence; none where it completed.
pub(super) fn handshake_break(handshake: &HandshakeSeen) -> Option<String> {
    let how = match handshake.outcome {
        HandshakeOutcome::Completed => return None,
        HandshakeOutcome::Alert => {
            format!("the server ends it with {}", alert(handshake.alert))
        }
        HandshakeOutcome::Closed => "the server closes the connection".into(),
        HandshakeOutcome::Reset => "the server resets the connection".into(),
        HandshakeOutcome::Silent => "the server stops answering".into(),
        HandshakeOutcome::ProtocolError => match &handshake.error {
            Some(error) => format!("the server breaks the protocol: {error}"),
            None => "the server breaks the protocol".into(),
        },
    };
    Some(how)
}

/// `the alert handshake_failure (40)`.
pub(super) fn alert(alert: Option<u8>) -> String {
    match alert {
        Some(alert) => format!("the alert {}", AlertDescription(alert)),
        None => "an alert".into(),
    }
}

/// Which plaintext protocol answers, for `Speaks … without TLS`.
pub(super) fn protocol(reach: &ReachSeen) -> String {
    match (reach.outcome, &reach.protocol) {
        (ReachOutcome::PlaintextHttp, _) => "HTTP".into(),
        (_, Some(protocol)) => protocol.to_uppercase(),
        (_, None) => "something other than TLS,".into(),
    }
}

/// What was said on every connection before TLS.
pub(super) fn before_tls(before: &OpeningSeen) -> String {
    let mut said = Vec::new();
    if let Some(via) = &before.via {
        let to = before.to.as_deref().unwrap_or("the target");
        said.push(format!(
            "through {} to {}",
            Untrusted::from(via.as_str()),
            Untrusted::from(to)
        ));
    }
    if let Some(version) = before.proxy_protocol {
        said.push(format!("PROXY protocol {version}"));
    }
    if let Some(protocol) = before.starttls {
        said.push(format!("STARTTLS for {protocol}"));
    }
    said.join(", ")
}

/// Why a verifying client refuses, as the end of a sentence: `it expired 12 days ago`.
pub(super) fn refusal(seen: &Observations, why: &VerificationSeen, now: OffsetDateTime) -> String {
    let Some(reason) = why.reason else {
        return why
            .error
            .clone()
            .unwrap_or_else(|| "the reason is undetermined".into());
    };
    let problem = why.problems.iter().find(|problem| problem.reason == reason);
    let served = seen
        .certificate
        .seen()
        .map(|seen| seen.served.as_slice())
        .unwrap_or_default();
    let at = problem
        .and_then(|problem| problem.certificate)
        .unwrap_or_default();
    let certificate = served.get(at);
    let detail = problem
        .map(|problem| problem.detail.to_string())
        .unwrap_or_default();
    let name = Untrusted::from(why.name.as_str());
    match reason {
        Reason::CertificateExpired => match certificate {
            Some(leaf) if leaf.not_after < now => {
                format!("it expired {} ago", span(now - leaf.not_after))
            }
            _ => "it has expired".into(),
        },
        Reason::CertificateNotYetValid => match certificate {
            Some(leaf) if leaf.not_before > now => format!(
                "it is not valid before {}, in {}",
                date(leaf.not_before),
                span(leaf.not_before - now)
            ),
            _ => "it is not valid yet".into(),
        },
        Reason::CertificateNameMismatch => match served.first().map(|leaf| leaf.sans.as_slice()) {
            Some([only]) => format!("it is for {only}, not for {name}"),
            Some([first, second]) => format!("it is for {first} and {second}, not for {name}"),
            Some([first, rest @ ..]) => {
                format!(
                    "it is for {first} and {} more names, not for {name}",
                    rest.len()
                )
            }
            _ => format!("it is not for {name}"),
        },
        Reason::CertificateIpSanMissing => format!("it does not name the address {name}"),
        Reason::CertificateCnOnly => {
            format!("{name} stands only in its common name, which clients do not read")
        }
        Reason::CertificateSelfSigned => "it is signed by its own key".into(),
        Reason::CertificateUntrustedRoot => {
            format!("its chain ends in a root that is not among {}", trust(why))
        }
        // Whether that issuer is an intermediate or a private root cannot be seen from here.
        Reason::ChainIncomplete => match certificate {
            Some(lowest) => format!(
                "the server does not send the certificate of the issuer, {}",
                lowest.issuer
            ),
            None => "the server does not send the issuer's certificate".into(),
        },
        Reason::ChainIntermediateExpired => match certificate {
            Some(ca) if ca.not_after < now => format!(
                "the intermediate {} expired {} ago",
                ca.common_name.as_ref().unwrap_or(&ca.subject),
                span(now - ca.not_after)
            ),
            _ => with("an intermediate certificate is out of date", &detail),
        },
        Reason::CertificateWeakKey => with("its key is too weak", &detail),
        Reason::CertificateWeakSignature => with("it is signed over a broken hash", &detail),
        Reason::CertificateWrongUsage => with("it is not made for TLS servers", &detail),
        Reason::CertificateNameConstraints => {
            with("its issuer may not issue for this name", &detail)
        }
        Reason::CertificateX509V1 => "it is an X.509 version 1 certificate".into(),
        Reason::ChainPathLength => with("the chain is longer than its CA allows", &detail),
        Reason::BadSignature => with("a signature in the chain does not verify", &detail),
        _ if detail.is_empty() => "it does not verify".into(),
        _ => detail,
    }
}

/// Whose roots: `Mozilla's roots`, `the system's roots`, a file's path.
pub(super) fn trust(seen: &VerificationSeen) -> String {
    match seen.trust.as_str() {
        "mozilla" => "Mozilla's roots".into(),
        "system" => "the system's roots".into(),
        other => Untrusted::from(other).to_string(),
    }
}

fn with(words: &str, detail: &str) -> String {
    if detail.is_empty() {
        words.into()
    } else {
        format!("{words}: {detail}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_a_fitting_unit() {
        assert_eq!(span(Duration::days(12)), "12 days");
        assert_eq!(span(Duration::days(-2)), "2 days");
        assert_eq!(span(Duration::days(731)), "2 years");
        assert_eq!(span(Duration::hours(30)), "30 hours");
        assert_eq!(span(Duration::hours(1)), "1 hour");
        assert_eq!(span(Duration::minutes(59)), "59 minutes");
        assert_eq!(span(Duration::seconds(5)), "0 minutes");
    }
}
