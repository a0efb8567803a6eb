//! Something that was asked could not be measured.

use gladhand_probes::tls::reach::{ReachOutcome, ReachSeen};
use gladhand_probes::untrusted::Untrusted;

use super::support::{
    balancer, enumeration, group_by, is_covered, quote, reach, rejects_the_name, s_client,
};
use super::{Check, Findings, Found, Rule, RuleFix, TargetView, View};
use crate::gaps;
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct NotMeasured;

static RULE: Rule = Rule {
    id: "not-measured",
    title: "Not everything could be measured",
    severity: Severity::Info,
    what: "A probe could not put its question, an answer does not decide, every hello is turned \
           away, or the name does not resolve. Closed and silent ports, and rejected names, have \
           rules of their own.",
    why: "What was not measured is unknown, not fine: the checks that need it have said nothing. \
          Without other findings the run ends with exit code 3.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Where time or connections ran out, give more; where a server or a firewall \
                   limits connections, ask more slowly.",
            snippet: Some(
                "gladhand check www.example.com --timeout 10 --deadline 120 --max-connections 2",
            ),
        },
        RuleFix {
            product: "any",
            text: "Where every hello is closed, reset or answered with an alert, look at what \
                   stands before the server: a firewall with an allow list, a proxy that wants the \
                   PROXY protocol, a server without a certificate for this name. Its log has the \
                   reason.",
            snippet: None,
        },
        RuleFix {
            product: "any",
            text: "Where the name does not resolve, see whether it is spelt right and whether this \
                   machine asks the right resolver: private zones answer inside their network \
                   only.",
            snippet: Some("dig www.example.com A www.example.com AAAA"),
        },
    ],
    references: &["https://www.rfc-editor.org/rfc/rfc9846#section-6"],
};

impl Check for NotMeasured {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        // Plaintext is covered by a finding of its own, but where it is expected.
        let expected = reach(view).is_some_and(|seen| {
            view.target.plaintext_expected && seen.outcome == ReachOutcome::PlaintextHttp
        });
        let told = |seen: &ReachSeen| is_covered(seen) || rejects_the_name(seen);
        if !expected && reach(view).is_some_and(told) {
            return;
        }
        // TLS on a port that gets plaintext has a rule of its own there.
        let tls = reach(view).is_some_and(|seen| seen.outcome == ReachOutcome::Tls);
        if view.target.plaintext_expected && tls && balancer(view).is_some() {
            return;
        }
        let subject = gaps::subject(view.target, view.endpoint);
        let gaps: Vec<(String, String)> = gaps::not_measured(std::slice::from_ref(view.target))
            .into_iter()
            .filter(|gap| gap.subject == subject)
            .map(|gap| (Untrusted::from(gap.reason).to_string(), gap.what))
            .collect();
        let Some((reason, what)) = gaps.first().cloned() else {
            return;
        };
        let everything = what == "tls" || what == "reach";
        let mut all: Vec<String> = gaps.iter().map(|(_, what)| what.clone()).collect();
        all.dedup();
        let message = if what == "reach" && view.target.plaintext_expected {
            format!("No plaintext HTTP was found: {reason}.")
        } else if everything {
            format!("No TLS could be measured: {reason}.")
        } else {
            format!("Not measured in full: {}.", enumeration(&all))
        };
        let mut seen: Vec<String> = group_by(gaps)
            .into_iter()
            .map(|(reason, mut what)| {
                what.dedup();
                format!("{}: {reason}", enumeration(&what))
            })
            .collect();
        seen.extend(usual_causes(view).map(Into::into));
        out.push(Found {
            message,
            seen,
            reproduce: if expected {
                Vec::new()
            } else {
                vec![s_client(view, "")]
            },
            ..Found::default()
        });
    }

    fn judge_target(&self, view: &TargetView<'_>, out: &mut Findings<'_>) {
        let Some(error) = &view.target.error else {
            return;
        };
        let error = Untrusted::from(error.as_str());
        let target = &view.target.target;
        let host = target
            .rsplit_once(':')
            .map_or(target.as_str(), |(host, _)| host);
        out.push(Found {
            key: "name".into(),
            message: format!("Nothing could be measured: {error}."),
            reproduce: vec![format!("getent ahosts {}", quote(host))],
            ..Found::default()
        });
    }
}

/// What most often makes a server end the connection on every hello.
fn usual_causes(view: &View<'_>) -> Option<&'static str> {
    match reach(view)?.outcome {
        ReachOutcome::Reset | ReachOutcome::Closed => Some(
            "usual causes: the listener waits for the PROXY protocol (nginx `proxy_protocol`, HAProxy \
             `accept-proxy`), an access list, a TLS passthrough without a living backend",
        ),
        ReachOutcome::OpeningFailed => Some(
            "usual causes: the port speaks TLS from its first byte (then probe it without --starttls), \
             another protocol, an access list, a server that greets strangers late (then raise --timeout)",
        ),
        _ => None,
    }
}
