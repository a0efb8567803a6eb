//! A name that the server does not know is rejected, or the very name that was asked for.

use gladhand_probes::tls::sni::{SniAnswer, SniOutcome, SniSeen};
use gladhand_probes::untrusted::Untrusted;
use gladhand_probes::wire::registry::AlertDescription;

use super::support::{alert_words, reach, rejects_the_name, s_client, s_client_named};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct SniUnknownNameRejected;

static RULE: Rule = Rule {
    id: "sni-unknown-name-rejected",
    title: "A server name is rejected",
    severity: Severity::Info,
    what: "The server refuses a hello with a name that it cannot know, and serves its own. That is \
           good practice, and info. If it refuses the very name that was asked for, the severity \
           is high.",
    why: "No client can connect by a name that is rejected: it is missing in the server's \
          configuration, or misspelt in DNS or in the client. Clients show the alert \
          unrecognized_name (112), or only that the connection was closed.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "Add the name to the `server_name` of a block with a certificate. What no block \
                   has goes to the default server of this address and port, and that one has \
                   `ssl_reject_handshake on`.",
            snippet: Some("server_name www.example.com;"),
        },
        RuleFix {
            product: "HAProxy",
            text: "With `strict-sni`, a certificate of the bind line must have the name: add one, \
                   or take `strict-sni` away.",
            snippet: Some("bind :443 ssl crt /etc/haproxy/certs/ strict-sni"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "A load balancer never rejects a name: it sends the listener's default \
                   certificate. So this comes from another server: see where the name points, or \
                   whether a network load balancer passes the connection on.",
            snippet: Some("dig +short www.example.com"),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc6066#section-3",
        "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_reject_handshake",
    ],
};

impl Check for SniUnknownNameRejected {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().sni.seen() else {
            return rejected_at_once(view, out);
        };
        if let Some((name, with)) = rejected_own_name(seen) {
            let shown = Untrusted::from(name);
            out.push(Found {
                key: "own-name".into(),
                message: format!(
                    "The server rejects the name it was asked for, {shown}: {}.",
                    words(with)
                ),
                seen: lines(seen),
                reproduce: vec![s_client_named(view, Some(name), "")],
                severity: Some(Severity::High),
                ..Found::default()
            });
        } else if rejects_unknown_names(seen) {
            out.push(Found {
                key: "unknown-name".into(),
                message: format!(
                    "The server rejects a name that it does not know, as it should: {}.",
                    words(&seen.wrong)
                ),
                seen: lines(seen),
                reproduce: vec![s_client_named(view, Some(&seen.wrong_name), "")],
                ..Found::default()
            });
        }
    }
}

/// Where names were not probed, the first hello may have told as much.
fn rejected_at_once(view: &View<'_>, out: &mut Findings<'_>) {
    let Some(reach) = reach(view).filter(|seen| rejects_the_name(seen)) else {
        return;
    };
    let Some(name) = &view.endpoint.sni else {
        return;
    };
    let alert = AlertDescription::UNRECOGNIZED_NAME;
    let shown = Untrusted::from(name.as_str());
    out.push(Found {
        key: "own-name".into(),
        message: format!("The server rejects the name it was asked for, {shown}: alert {alert}."),
        seen: reach.evidence.clone(),
        reproduce: vec![s_client(view, "")],
        severity: Some(Severity::High),
        ..Found::default()
    });
}

/// The name that was asked for, where the server rejects it because of the name: the alert says so,
/// or a hello that differs in nothing else is answered with a certificate.
fn rejected_own_name(seen: &SniSeen) -> Option<(&str, &SniAnswer)> {
    let with = seen.with.as_ref().filter(|with| is_refusal(with))?;
    let alert_says_so = with.alert == Some(AlertDescription::UNRECOGNIZED_NAME.0);
    let others_are_served = [&seen.without, &seen.wrong]
        .into_iter()
        .any(|answer| answer.outcome == SniOutcome::Certificate);
    (alert_says_so || others_are_served).then_some((seen.name.as_deref()?, with))
}

/// Whether a wrong name is refused, and what stands for the right one is served.
fn rejects_unknown_names(seen: &SniSeen) -> bool {
    let right = seen.with.as_ref().unwrap_or(&seen.without);
    is_refusal(&seen.wrong) && right.outcome == SniOutcome::Certificate
}

fn is_refusal(answer: &SniAnswer) -> bool {
    matches!(
        answer.outcome,
        SniOutcome::Alert | SniOutcome::Closed | SniOutcome::Reset
    )
}

fn words(answer: &SniAnswer) -> String {
    match (answer.outcome, answer.alert) {
        (SniOutcome::Alert, Some(alert)) => format!("alert {}", alert_words(alert)),
        (SniOutcome::Reset, _) => "the connection is reset".into(),
        _ => "the connection is closed".into(),
    }
}

fn lines(seen: &SniSeen) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Some(with), Some(name)) = (&seen.with, &seen.name) {
        lines.push(format!(
            "for {}: {}",
            Untrusted::from(name.as_str()),
            with.evidence
        ));
    }
    lines.push(format!("without a name: {}", seen.without.evidence));
    let wrong = Untrusted::from(seen.wrong_name.as_str());
    lines.push(format!("for {wrong}: {}", seen.wrong.evidence));
    lines
}
