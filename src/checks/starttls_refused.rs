//! The server does not begin with TLS where it is asked to.

use gladhand_probes::net::opening::{Failure, Problem, StartTls};

use super::support::{port, reach, s_client};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct StarttlsRefused;

static RULE: Rule = Rule {
    id: "starttls-refused",
    title: "STARTTLS is refused",
    severity: Severity::High,
    what: "`--starttls` was given, and the server refuses to begin with TLS in the words of that \
           protocol, refuses the session before, or speaks another protocol. A connection that \
           ends or stays silent on the way proves nothing and is not told here.",
    why: "Clients that insist on TLS cannot connect. Mail servers that do not insist send mail in \
          the clear, and nobody notices; so does a client to which a box on the way hides the \
          offer.",
    fix: &[
        RuleFix {
            product: "any",
            text: "A port that speaks TLS from its first byte (465, 993, 995, 636, 990) has no \
                   STARTTLS: probe it without.",
            snippet: Some("gladhand check mail.example.com:465"),
        },
        RuleFix {
            product: "any",
            text: "Mail: give the server a certificate and let it offer STARTTLS. Postfix says \
                   `454 4.7.0 TLS not available` where it cannot read certificate or key: see its \
                   log.",
            snippet: Some("postconf -e smtpd_tls_security_level=may"),
        },
        RuleFix {
            product: "any",
            text: "PostgreSQL answers `N` as long as `ssl` is off; MySQL without `ssl_cert` and \
                   `ssl_key` does not offer it. A MySQL server also blocks a client for its \
                   broken handshakes (error 1129): FLUSH HOSTS lets it in again.",
            snippet: Some("psql -c 'ALTER SYSTEM SET ssl = on' -c 'SELECT pg_reload_conf()'"),
        },
        RuleFix {
            product: "any",
            text: "Where the server offers it on its own host, and not from here, a firewall on \
                   the way rewrites the session: turn off its inspection of this protocol (Cisco: \
                   `no inspect esmtp`).",
            snippet: None,
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc3207",
        "https://www.rfc-editor.org/rfc/rfc8314#section-4.1",
    ],
};

impl Check for StarttlsRefused {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = reach(view) else { return };
        let Some((protocol, failure)) = seen.starttls_failure() else {
            return;
        };
        let Some(message) = message(port(view), protocol, failure) else {
            return;
        };
        out.push(Found {
            key: protocol.to_string(),
            message,
            seen: seen.evidence.clone(),
            reproduce: vec![s_client(view, "")],
            ..Found::default()
        });
    }
}

fn message(port: u16, protocol: StartTls, failure: &Failure) -> Option<String> {
    Some(match failure.problem {
        Problem::Refused => {
            format!("Port {port} refuses to begin with TLS by STARTTLS for {protocol}: {failure}.")
        }
        Problem::NotUnderstood if failure.is_tls_alert() => {
            format!("Port {port} speaks TLS from its first byte, and not {protocol} with STARTTLS.")
        }
        Problem::NotUnderstood | Problem::TooMuch => {
            format!("Port {port} does not speak {protocol}: {failure}.")
        }
        Problem::Closed | Problem::Reset | Problem::Silent => return None,
    })
}
