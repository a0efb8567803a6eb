//! What several checks share: reading facts, putting them in words, and the commands that show the
//! same without gladhand. Nothing here decides whether something is bad.

mod backend;
mod certificates;
mod commands;
mod revocation;
mod suites;
mod target;
mod words;

use gladhand_probes::Answer;
use gladhand_probes::tls::reach::{ReachOutcome, ReachSeen};
use gladhand_probes::untrusted::Untrusted;
use gladhand_probes::wire::registry::{AlertDescription, ProtocolVersion};

use super::{Findings, Found, View};

pub(super) use backend::*;
pub(super) use certificates::*;
pub(super) use commands::*;
pub(super) use revocation::*;
pub(super) use suites::*;
pub(super) use target::*;
pub(super) use words::*;

/// What is on the port, where that was observed.
pub(super) fn reach<'a>(view: &View<'a>) -> Option<&'a ReachSeen> {
    view.observations().reach.seen()
}

/// Whether another check already says why nothing of TLS can be measured here.
pub(super) fn is_covered(seen: &ReachSeen) -> bool {
    match seen.outcome {
        ReachOutcome::Refused
        | ReachOutcome::Timeout
        | ReachOutcome::Silent
        | ReachOutcome::PlaintextHttp
        | ReachOutcome::PlaintextOther => true,
        ReachOutcome::OpeningFailed => seen
            .starttls_failure()
            .is_some_and(|(_, failure)| failure.problem.is_answer()),
        _ => false,
    }
}

/// The port that was asked for: behind a proxy it is not the one that was connected to.
pub(super) fn port(view: &View<'_>) -> u16 {
    let before = reach(view).and_then(|seen| seen.before_tls.as_ref());
    let behind = before
        .and_then(|before| before.to.as_deref())
        .and_then(|to| to.rsplit_once(':')?.1.parse().ok());
    behind.unwrap_or(view.endpoint.port)
}

/// Whether every hello is turned away because of the server name, or for want of one: the rules
/// about SNI tell that.
pub(super) fn rejects_the_name(seen: &ReachSeen) -> bool {
    seen.outcome == ReachOutcome::Alert && seen.alert == Some(AlertDescription::UNRECOGNIZED_NAME.0)
}

/// An outcome in words that follow an address: `speaks TLS`.
pub(super) fn reach_words(seen: &ReachSeen) -> String {
    match seen.outcome {
        ReachOutcome::Tls => "speaks TLS".into(),
        ReachOutcome::PlaintextHttp => "speaks HTTP without TLS".into(),
        ReachOutcome::PlaintextOther => match &seen.protocol {
            Some(protocol) => format!("speaks {} without TLS", Untrusted::from(protocol.as_str())),
            None => "speaks something other than TLS".into(),
        },
        ReachOutcome::Silent => "accepts the connection and never answers".into(),
        ReachOutcome::Refused => "refuses the connection".into(),
        ReachOutcome::Timeout => "does not answer".into(),
        ReachOutcome::Reset => "resets the connection after every hello".into(),
        ReachOutcome::Closed => "closes the connection after every hello".into(),
        ReachOutcome::Alert => match seen.alert {
            Some(alert) => format!("answers every hello with the alert {}", alert_words(alert)),
            None => "answers every hello with an alert".into(),
        },
        ReachOutcome::ProtocolError => match &seen.error {
            Some(error) => format!("answers with broken TLS: {error}"),
            None => "answers with broken TLS".into(),
        },
        ReachOutcome::OpeningFailed => "does not begin with TLS".into(),
    }
}

/// `handshake_failure (40)`.
pub(super) fn alert_words(alert: u8) -> String {
    AlertDescription(alert).to_string()
}

/// One finding where a version is accepted, with the command that shows the same.
pub(super) fn version_accepted(view: &View<'_>, version: ProtocolVersion, out: &mut Findings<'_>) {
    let Some(versions) = view.observations().versions.seen() else {
        return;
    };
    let Some(seen) = versions
        .0
        .get(&version)
        .filter(|seen| seen.answer == Answer::Yes)
    else {
        return;
    };
    let mut reproduce = vec![match version {
        ProtocolVersion::SSL2 => sslscan(view, "--ssl2"),
        ProtocolVersion::SSL3 => sslscan(view, "--ssl3"),
        _ => s_client(
            view,
            &format!("{} -cipher 'DEFAULT@SECLEVEL=0'", flag(version)),
        ),
    }];
    reproduce.extend(listeners_command(view));
    out.push(Found {
        key: version.to_string(),
        message: format!("The server accepts {version}."),
        seen: vec![seen.evidence.clone()],
        reproduce,
        ..Found::default()
    });
}

/// The answer for one version; undetermined where the versions were not probed.
pub(super) fn answer(view: &View<'_>, version: ProtocolVersion) -> Answer {
    let versions = view.observations().versions.seen();
    versions.map_or(Answer::Undetermined, |seen| seen.answer(version))
}

/// `TLSv1.0, TLSv1.1 and TLSv1.2`.
pub(super) fn version_list(versions: &[ProtocolVersion]) -> String {
    let names: Vec<String> = versions.iter().map(ToString::to_string).collect();
    enumeration(&names)
}

/// `openssl s_client`'s option for one version.
pub(super) fn flag(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLS1_0 => "-tls1",
        ProtocolVersion::TLS1_1 => "-tls1_1",
        ProtocolVersion::TLS1_2 => "-tls1_2",
        ProtocolVersion::TLS1_3 => "-tls1_3",
        _ => "",
    }
}
