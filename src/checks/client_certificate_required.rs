//! The server asks for a client certificate.

use gladhand_probes::tls::client_auth::ClientAuthSeen;
use gladhand_probes::tls::handshake::{HandshakeOutcome, HandshakeSeen};
use gladhand_probes::{Answer, Fact};

use super::support::{s_client, version_list};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct ClientCertificateRequired;

static RULE: Rule = Rule {
    id: "client-certificate-required",
    title: "The server asks for a client certificate",
    severity: Severity::Medium,
    what: "The server sends a CertificateRequest. Medium where the handshake then fails without a \
           certificate, or where requests are answered with an error, as nginx does (400, `No \
           required SSL certificate was sent`); info where neither is seen, and where the \
           certificate given with `--client-cert` is accepted.",
    why: "Clients without a certificate get no further, or get 400 for every request. AWS load \
          balancers send no certificate to their targets: such a target is unhealthy behind one, \
          or answers 502. Clients show the alert certificate_required (116), handshake_failure \
          (40) or bad_certificate (42).",
    fix: &[
        RuleFix {
            product: "any",
            text: "If this is meant to be so, give the client its certificate and key, issued by a \
                   CA that the server names.",
            snippet: Some("curl --cert client.pem --key client.key https://www.example.com/"),
        },
        RuleFix {
            product: "nginx",
            text: "If not, take the demand away, or make it optional for the paths that need none.",
            snippet: Some("ssl_verify_client off;"),
        },
        RuleFix {
            product: "HAProxy",
            text: "The same on the bind line.",
            snippet: Some("bind :443 ssl crt /etc/haproxy/certs/ verify none"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "A listener asks for one where its mutual authentication is `verify` or \
                   `passthrough`.",
            snippet: Some(
                "aws elbv2 describe-listeners --listener-arns <ARN> \
                 --query 'Listeners[].MutualAuthentication'",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9846#section-4.3.2",
        "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_verify_client",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html",
    ],
};

impl Check for ClientCertificateRequired {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let seen = view.observations().client_auth.seen();
        let handshake = view.observations().handshake.seen();
        let asked = handshake.is_some_and(|seen| seen.client_certificate_requested);
        if !asked && !seen.is_some_and(ClientAuthSeen::is_asked) {
            return;
        }
        let (key, message) = what_becomes(seen, handshake);
        // Who has the right certificate wants to know no more than that there has to be one.
        let ours = seen.and_then(|seen| seen.ours.as_ref()?.accepted.as_ref());
        let taken = ours.is_some_and(|fact| fact.answer == Answer::Yes);
        out.push(Found {
            key: key.into(),
            message: message.into(),
            seen: lines(seen, handshake),
            reproduce: vec![format!(
                "{} 2>/dev/null | grep -A5 'client certificate CA names'",
                s_client(view, "")
            )],
            severity: (taken || key == "requested").then_some(Severity::Info),
            ..Found::default()
        });
    }
}

/// What becomes of a client without a certificate.
fn what_becomes(
    seen: Option<&ClientAuthSeen>,
    handshake: Option<&HandshakeSeen>,
) -> (&'static str, &'static str) {
    let is = |fact: Option<&Fact>, answer| fact.is_some_and(|fact| fact.answer == answer);
    let by_handshake = seen.and_then(|seen| seen.required_by_handshake.as_ref());
    let by_http = seen.and_then(|seen| seen.required_by_http.as_ref());
    // Where none was given, the ordinary handshake went without one.
    let without = handshake.filter(|_| seen.is_none_or(|seen| seen.ours.is_none()));
    let outcome = without.map(|seen| seen.outcome);
    // What ends it here is something else: `handshake-fails` tells it.
    let elsewhere = outcome == Some(HandshakeOutcome::ProtocolError);
    let broke = !elsewhere && outcome.is_some_and(|outcome| outcome != HandshakeOutcome::Completed);
    if is(by_handshake, Answer::Yes) || broke {
        let message =
            "The server asks for a client certificate, and ends the handshake without one.";
        ("required", message)
    } else if is(by_http, Answer::Yes) {
        let message = "The server asks for a client certificate, and answers every request without \
                       one with an error.";
        ("required-by-http", message)
    } else if is(by_http, Answer::No) {
        let message = "The server asks for a client certificate, and serves clients without one.";
        ("requested", message)
    } else if elsewhere {
        ("requested", "The server asks for a client certificate.")
    } else {
        let message = "The server asks for a client certificate, and goes on without one: it may \
                       still answer every request with an error.";
        ("requested", message)
    }
}

fn lines(seen: Option<&ClientAuthSeen>, handshake: Option<&HandshakeSeen>) -> Vec<String> {
    /// Names of authorities that are shown.
    const SHOWN: usize = 5;
    let Some(seen) = seen else {
        let error = handshake.and_then(|seen| seen.error.as_ref());
        return error.iter().map(ToString::to_string).collect();
    };
    let facts = [&seen.required_by_handshake, &seen.required_by_http];
    let facts = facts.into_iter().filter_map(Option::as_ref);
    let mut lines: Vec<String> = facts.map(|fact| fact.evidence.clone()).collect();
    let asking = seen.versions.iter().rev();
    let asking: Vec<_> = asking
        .filter(|(_, fact)| fact.answer == Answer::Yes)
        .map(|(version, _)| *version)
        .collect();
    lines.push(format!("asked for in {}", version_list(&asking)));
    let names = seen.authorities.iter().take(SHOWN);
    lines.extend(names.map(|name| format!("it takes certificates of {name}")));
    if let Some(more @ 1..) = seen.authorities_sent.checked_sub(SHOWN) {
        lines.push(format!("and of {more} more"));
    }
    lines
}
