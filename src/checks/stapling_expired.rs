//! The stapled OCSP response is past its nextUpdate.

use gladhand_probes::x509::StatusProblem;

use super::support::{date, span, stapled_with, status_command, status_lines};
use super::{Check, Findings, Found, Rule, RuleFix, View, fixes};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct StaplingExpired;

static RULE: Rule = Rule {
    id: "stapling-expired",
    title: "The stapled OCSP response has expired",
    severity: Severity::High,
    what: "The response that the server staples is the issuer's, for this certificate, and past \
           its nextUpdate; one without a nextUpdate, more than ten days old. Five minutes are \
           allowed for clocks that differ.",
    why: "Firefox refuses the connection where it gets no fresh response itself \
           (SEC_ERROR_OCSP_OLD_RESPONSE), as do clients that insist on stapling. Others ignore \
           what is stapled: it fails for some only.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "`ssl_stapling_file` is never renewed by nginx: leave it out, and let nginx \
                    fetch the response itself. It needs a resolver, and the chain of the issuer \
                    to verify it with.",
            snippet: Some(
                "ssl_stapling on;\nssl_stapling_verify on;\nssl_trusted_certificate /etc/nginx/chain.pem;\nresolver 127.0.0.53;",
            ),
        },
        fixes::HAPROXY_STAPLING,
        RuleFix {
            product: "any",
            text: "See why the server no longer gets a response: its way to the responder, its \
                    name server, its clock.",
            snippet: Some(
                "openssl ocsp -issuer chain.pem -cert leaf.pem -url http://ocsp.example.com -no_nonce",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc6960#section-4.2.2.1",
        "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_stapling",
    ],
};

impl Check for StaplingExpired {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(response) = stapled_with(view, &[StatusProblem::Expired]) else {
            return;
        };
        let message = match (response.next_update, response.this_update) {
            (Some(next), _) => format!(
                "The stapled OCSP response expired {} ago, on {}.",
                span(view.now - next),
                date(next)
            ),
            (None, Some(this)) => format!(
                "The stapled OCSP response is of {}, and says nothing of a newer one.",
                date(this)
            ),
            (None, None) => "The stapled OCSP response has expired.".into(),
        };
        out.push(Found {
            key: "leaf".into(),
            message,
            seen: status_lines(response),
            reproduce: vec![status_command(view)],
            ..Found::default()
        });
    }
}
