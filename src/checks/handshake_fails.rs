//! The server speaks TLS, and an ordinary handshake with it fails.

use gladhand_probes::Answer;
use gladhand_probes::tls::handshake::{HandshakeOutcome, HandshakeSeen};
use gladhand_probes::tls::reach::ReachOutcome;
use gladhand_probes::wire::registry::ProtocolVersion;

use super::large_hello_dropped::explains_a_failure;
use super::support::{reach, s_client};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct HandshakeFails;

static RULE: Rule = Rule {
    id: "handshake-fails",
    title: "An ordinary handshake fails",
    severity: Severity::High,
    what: "The server answers hellos, but the handshake of an ordinary client of TLS 1.2 and 1.3 \
           does not come to its end. Not where no such version is spoken, nor where the server has \
           asked for a client certificate, nor where it is large hellos that are dropped: those have \
           causes of their own.",
    why: "This is what clients meet. What the server accepts in a hello is worth nothing to them \
          while the handshake behind it breaks: no suite or signature algorithm that ordinary clients \
          have (handshake_failure), a certificate and a key that do not belong together, a server \
          that runs out of time or memory, a box on the way that cuts the connection.",
    fix: &[
        RuleFix {
            product: "any",
            text: "The server's own log has the other half of the story: look there for the time \
                   of this check.",
            snippet: None,
        },
        RuleFix {
            product: "nginx",
            text: "See whether certificate and key belong together: both commands must print the \
                   same.",
            snippet: Some(
                "openssl x509 -in fullchain.pem -noout -pubkey | openssl sha256; \
                 openssl pkey -in server.key -pubout | openssl sha256",
            ),
        },
    ],
    references: &["https://www.rfc-editor.org/rfc/rfc9846#section-6.2"],
};

impl Check for HandshakeFails {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().handshake.seen() else {
            return;
        };
        if explains_a_failure(view) {
            return;
        }
        let speaks = reach(view).is_none_or(|reach| reach.outcome == ReachOutcome::Tls);
        // What breaks here and not at the server is not for want of a certificate.
        let asked =
            seen.client_certificate_requested && seen.outcome != HandshakeOutcome::ProtocolError;
        if !speaks || asked || only_older(view) {
            return;
        }
        let Some(how) = broke(seen) else { return };
        out.push(Found {
            key: String::new(),
            message: format!("An ordinary handshake fails: {how}."),
            seen: seen.error.iter().map(ToString::to_string).collect(),
            reproduce: vec![s_client(view, "")],
            ..Found::default()
        });
    }
}

/// How it broke, if it did.
fn broke(seen: &HandshakeSeen) -> Option<String> {
    Some(match (seen.outcome, seen.alert) {
        (HandshakeOutcome::Completed, _) => return None,
        (HandshakeOutcome::Alert, Some(alert)) => {
            let name = seen.alert_name.as_deref().unwrap_or("unknown");
            format!("the server sends the alert {name} ({alert})")
        }
        (HandshakeOutcome::Alert, None) => "the server sends an alert".into(),
        (HandshakeOutcome::Closed, _) => "the server closes the connection".into(),
        (HandshakeOutcome::Reset, _) => "the connection is reset".into(),
        (HandshakeOutcome::Silent, _) => "the server stops answering".into(),
        (HandshakeOutcome::ProtocolError, _) => match &seen.error {
            Some(error) => error.to_string(),
            None => "the server breaks the protocol".into(),
        },
    })
}

/// Whether neither TLS 1.2 nor TLS 1.3 is spoken.
fn only_older(view: &View<'_>) -> bool {
    view.observations().versions.seen().is_some_and(|versions| {
        [ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3]
            .iter()
            .all(|version| versions.answer(*version) == Answer::No)
    })
}

#[cfg(test)]
mod tests {
    use gladhand_probes::Attempt;

    use super::*;
    use crate::checks::tests::{findings_at, fixture};

    #[test]
    fn a_request_for_a_certificate_does_not_hide_a_wrong_key() {
        let fixture = fixture("handshake-fails");
        let mut target = fixture.fires.into_iter().next().unwrap();
        let endpoint = target.endpoints.first_mut().unwrap();
        let Attempt::Seen(seen) = &mut endpoint.observations.handshake else {
            panic!("no handshake");
        };
        seen.outcome = HandshakeOutcome::ProtocolError;
        (seen.alert, seen.alert_name) = (None, None);
        seen.error = Some("key and certificate do not belong together".into());
        seen.client_certificate_requested = true;
        let findings = findings_at(&target, fixture.now);
        let of = |rule: &str| findings.iter().find(|found| found.rule == rule);
        assert!(of("handshake-fails").is_some(), "{findings:?}");
        let asked = of("client-certificate-required").unwrap();
        assert!(!asked.message.contains("without one"), "{}", asked.message);
    }
}
