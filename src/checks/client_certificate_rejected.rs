//! The server does not take the client certificate that was given.

use gladhand_probes::Answer;
use gladhand_probes::tls::client_auth::{ClientAuthSeen, Ours};

use super::support::{alert_words, s_client};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct ClientCertificateRejected;

static RULE: Rule = Rule {
    id: "client-certificate-rejected",
    title: "The client certificate is rejected",
    severity: Severity::High,
    what: "A server that asks for a client certificate gets the one given with `--client-cert`, and \
           ends the handshake with an alert about it, or answers as nginx does (400, `The SSL \
           certificate error`). Also where it cannot be presented at all, because the server takes \
           no signature scheme that its key has.",
    why: "The client gets no further. The alert is all that it learns, and often no more than that \
          something is wrong; the server's log has the reason. In TLS 1.3 the alert comes behind a \
          handshake that looks complete: clients report it with their first read. An AWS load \
          balancer in `verify` mode has no alerts of its own for it: its connection log has the \
          reason.",
    fix: &[
        RuleFix {
            product: "any",
            text: "See whether the certificate leads to an authority that the server names, is \
                   within its dates, and is for clients (extended key usage `clientAuth`). Send the \
                   intermediates with it: behind the certificate in the same file.",
            snippet: Some(
                "openssl x509 -in client.pem -noout -issuer -dates -ext extendedKeyUsage",
            ),
        },
        RuleFix {
            product: "nginx",
            text: "`ssl_client_certificate` must hold the issuing CAs up to their root, and \
                   `ssl_verify_depth`, 1 by default, must allow for each intermediate.",
            snippet: Some("ssl_client_certificate /etc/nginx/clients-ca.pem;\nssl_verify_depth 2;"),
        },
        RuleFix {
            product: "HAProxy",
            text: "`ca-file` on the bind line must hold the issuing CAs up to their root.",
            snippet: Some(
                "bind :443 ssl crt /etc/haproxy/certs/ ca-file /etc/haproxy/clients-ca.pem verify required",
            ),
        },
        RuleFix {
            product: "AWS ALB",
            text: "The trust store of the listener must hold the CAs, and no revocation list may \
                   name the certificate. Keys have to be RSA of 2048 to 8192 bits, P-256, P-384 or \
                   P-521.",
            snippet: Some(
                "aws elbv2 get-trust-store-ca-certificates-bundle --trust-store-arn <ARN>",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9846#section-6.2",
        "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_verify_depth",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html",
    ],
};

impl Check for ClientCertificateRejected {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().client_auth.seen() else {
            return;
        };
        let Some((ours, (key, message))) = seen
            .ours
            .as_ref()
            .and_then(|ours| Some((ours, rejected(seen, ours)?)))
        else {
            return;
        };
        let accepted = ours.accepted.iter().map(|fact| fact.evidence.clone());
        let mut lines: Vec<String> = accepted.collect();
        if ours.authority_named == Some(false) {
            lines.push(
                "none of the authorities that the server names issued a certificate of the chain \
                 that was given"
                    .into(),
            );
        }
        let names = seen.authorities.iter().take(SHOWN);
        lines.extend(names.map(|name| format!("it takes certificates of {name}")));
        if !ours.sent {
            let schemes: Vec<_> = seen.schemes.iter().map(ToString::to_string).collect();
            lines.push(format!("it takes the schemes {}", schemes.join(", ")));
        }
        out.push(Found {
            key: key.into(),
            message,
            seen: lines,
            reproduce: vec![s_client(view, "-cert client.pem -key client.key")],
            ..Found::default()
        });
    }
}

/// Names of authorities that are shown.
const SHOWN: usize = 5;

/// How it is rejected, if it is.
fn rejected(seen: &ClientAuthSeen, ours: &Ours) -> Option<(&'static str, String)> {
    if !ours.sent && seen.required_by_handshake.is_some() {
        let message = "The client certificate cannot be presented: the server takes no signature \
                       scheme that its key has.";
        return Some(("not-sent", message.into()));
    }
    if ours.accepted.as_ref()?.answer != Answer::No {
        return None;
    }
    Some(match ours.alert {
        Some(alert) => {
            let words = alert_words(alert);
            let meaning = meaning(alert);
            let message =
                format!("The server rejects the client certificate with the alert {words}{meaning}.");
            ("alert", message)
        }
        None => (
            "http",
            "The server takes the handshake with the client certificate, and answers requests with \
             an error because of it."
                .into(),
        ),
    })
}

/// What an alert says of a certificate (RFC 8446 §6.2).
fn meaning(alert: u8) -> &'static str {
    match alert {
        42 => ": it is corrupt, its signature does not verify, or something in it is not allowed",
        43 => ": it is of a kind that the server does not support",
        44 => ": it was revoked by its issuer",
        45 => ": it has expired or is not yet valid",
        46 => ": something about it is unacceptable",
        48 => ": no authority that the server trusts issued it, or an intermediate is missing",
        49 => ": it is valid, and its holder has no access",
        116 => ": the server has not taken it for one",
        _ => "",
    }
}
