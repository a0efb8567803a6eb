//! The server's certificate is past its notAfter.

use gladhand_probes::tls::verification::Reason;

use super::fixes::ACM_IMPORT;
use super::support::{certificate_lines, date, leaf, problems, span, x509};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct CertificateExpired;

static RULE: Rule = Rule {
    id: "certificate-expired",
    title: "The certificate has expired",
    severity: Severity::Critical,
    what: "The server's own certificate is past its notAfter. At the very second of notAfter it is \
           still valid.",
    why: "Every client that verifies refuses the connection, most of them with the alert \
          certificate_expired (45). An AWS load balancer does not verify the certificates of its \
          targets: behind one, look for another cause of the failure.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "Renew the certificate and reload: a running nginx keeps serving the old file. \
                   If the file on disk is new already, the reload is all that is missing.",
            snippet: Some("certbot renew && nginx -s reload"),
        },
        RuleFix {
            product: "HAProxy",
            text: "Put the renewed certificate, its chain and the key into the file of the `crt` \
                   argument and reload, or replace it at run time through the stats socket.",
            snippet: Some("systemctl reload haproxy"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "Imported certificates are not renewed by ACM: import the new one under the same \
                   ARN, and every listener takes it up. For one that ACM issued, see why the \
                   renewal failed, most often a DNS validation record that is gone.",
            snippet: Some(ACM_IMPORT),
        },
        RuleFix {
            product: "JVM",
            text: "Import the renewed certificate with its chain under the alias of the key, and \
                   restart unless the server reloads its keystore.",
            snippet: Some(
                "keytool -importcert -alias server -file fullchain.p7b -keystore server.p12",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5",
        "https://docs.aws.amazon.com/acm/latest/userguide/troubleshooting-renewal.html",
    ],
};

impl Check for CertificateExpired {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(leaf) = leaf(view) else { return };
        let problems = problems(view, Reason::CertificateExpired);
        out.push(Found {
            key: "leaf".into(),
            message: match problems.first() {
                _ if view.now > leaf.not_after => format!(
                    "The certificate expired {} ago, on {}.",
                    span(view.now - leaf.not_after),
                    date(leaf.not_after)
                ),
                // The client's clock was another one.
                Some(problem) => format!(
                    "A verifying client refuses the certificate: {}.",
                    problem.detail
                ),
                None => return,
            },
            seen: certificate_lines(leaf),
            reproduce: vec![x509(view, "-subject -dates")],
            ..Found::default()
        });
    }
}
