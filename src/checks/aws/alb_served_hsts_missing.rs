//! A listener is to add HSTS, and the answer has none.

use gladhand_probes::Untrusted;

use super::served::{Places, tls};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::{Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbServedHstsMissing;

/// The listener's attribute.
const HSTS: &str = "routing.http.response.strict_transport_security.header_value";

static RULE: Rule = Rule {
    id: "alb-served-hsts-missing",
    title: "HSTS is configured at the listener, and not served",
    severity: Severity::Medium,
    what: "A listener has a value for the field `Strict-Transport-Security`, and an answer of status 2xx that \
           came over it has no such field, or another one. Other answers are not judged, nor is one whose \
           field is a target's own with the same meaning.",
    why: "Browsers are not told to use HTTPS alone, though somebody set it. What answers may not be this listener \
          (a proxy or CDN that takes the field away), or the change has not reached every node.",
    fix: &[RuleFix {
        product: "AWS",
        text: "See what the listener has; after a change, probe again some minutes later.",
        snippet: Some("aws elbv2 describe-listener-attributes --listener-arn <ARN>"),
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html",
        "https://www.rfc-editor.org/rfc/rfc6797#section-6.1",
    ],
};

impl Audit for AlbServedHstsMissing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn covers(&self) -> &'static [&'static str] {
        &["hsts-missing"]
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for (listener, seen) in tls(view) {
            let wanted = listener.attribute(HSTS).unwrap_or_default();
            if wanted.is_empty() {
                continue;
            }
            let mut places = Places::default();
            let mut other = false;
            for &seen in &seen {
                let http = seen.endpoint.observations.http.seen();
                let Some(head) = http.and_then(|http| http.answer.head.as_ref()) else {
                    continue;
                };
                if !(200..300).contains(&head.status) {
                    continue;
                }
                match &head.hsts {
                    Some(hsts) if same(hsts.value.raw(), wanted) => {}
                    Some(hsts) => {
                        other = true;
                        places.add(seen, &format!("HTTP {}, {}", head.status, hsts.value));
                    }
                    None => places.add(seen, &format!("HTTP {}, no such field", head.status)),
                }
            }
            if places.is_empty() {
                continue;
            }
            let at = places.of(&seen);
            let wanted = Untrusted::from(wanted);
            let how = if other {
                "another one is served"
            } else {
                "there is none"
            };
            let message = format!(
                "The listener is to add `Strict-Transport-Security: {wanted}`, and {how}{at}."
            );
            out.about(listener_subject(listener), places.found("hsts", message));
        }
    }
}

/// Whether two values have the same directives (RFC 6797 §6.1): order, blanks and case tell nothing.
fn same(a: &str, b: &str) -> bool {
    let directives = |value: &str| {
        let mut all: Vec<String> = value
            .split(';')
            .map(|part| part.trim().replace('"', "").to_ascii_lowercase())
            .filter(|part| !part.is_empty())
            .collect();
        all.sort_unstable();
        all
    };
    directives(a) == directives(b)
}
