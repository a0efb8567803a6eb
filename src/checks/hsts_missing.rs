//! Browsers are not told to come by HTTPS alone.

use std::net::IpAddr;

use gladhand_probes::http::{Head, HttpSeen};

use super::support::{quote, span};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct HstsMissing;

/// Half a year, in seconds.
const SHORT: u64 = 15_768_000;

static RULE: Rule = Rule {
    id: "hsts-missing",
    title: "Browsers are not told to use HTTPS alone",
    severity: Severity::Low,
    what: "An answer over HTTPS, of status 2xx or 3xx, without a field `Strict-Transport-Security`, or \
           with a max-age of less than half a year. Medium where a field is there that browsers \
           ignore, or that switches it off (max-age=0): somebody means it to work. Only the answer \
           to one request is seen. Not where the host is an address, for which browsers ignore the \
           field.",
    why: "A browser that was told so never asks the name without TLS again, and does not let its user \
          pass over a certificate error. Without it, the first request of each visit may go out in \
          plaintext, where anybody on the way can take the redirect to HTTPS away (SSL stripping). \
          For what only programs use, it matters little.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "`always` puts it on errors, too. A block with an `add_header` of its own inherits \
                   none: repeat it there.",
            snippet: Some(
                "add_header Strict-Transport-Security \"max-age=31536000; includeSubDomains\" always;",
            ),
        },
        RuleFix {
            product: "HAProxy",
            text: "In the frontend that has TLS.",
            snippet: Some(
                "http-response set-header Strict-Transport-Security \"max-age=31536000; includeSubDomains\"",
            ),
        },
        RuleFix {
            product: "AWS ALB",
            text: "A listener can add the field by itself.",
            snippet: Some(
                "aws elbv2 modify-listener-attributes --listener-arn <ARN> --attributes \
                 Key=routing.http.response.strict_transport_security.header_value,Value=max-age=31536000",
            ),
        },
        RuleFix {
            product: "any",
            text: "Begin with a max-age of minutes, and with `includeSubDomains` only when every name \
                   below has HTTPS: browsers cannot be told otherwise before the time is over.",
            snippet: None,
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc6797#section-6.1",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html",
    ],
};

impl Check for HstsMissing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().http.seen() else {
            return;
        };
        let Some(head) = &seen.answer.head else {
            return;
        };
        if !(200..400).contains(&head.status) || is_address(&seen.host) {
            return;
        }
        let Some((key, message, severity)) = lacking(head) else {
            return;
        };
        let mut lines = vec![format!(
            "GET {} of {}: HTTP {}",
            seen.path, seen.host, head.status
        )];
        let value = head.hsts.as_ref().map(|hsts| &hsts.value);
        lines.extend(value.map(|value| format!("Strict-Transport-Security: {value}")));
        out.push(Found {
            key: key.into(),
            message,
            seen: lines,
            reproduce: vec![curl(view, seen)],
            severity,
            ..Found::default()
        });
    }
}

/// What is wrong with the field: key, message and a severity other than the rule's.
fn lacking(head: &Head) -> Option<(&'static str, String, Option<Severity>)> {
    let Some(hsts) = &head.hsts else {
        let message = "The answer has no field Strict-Transport-Security.";
        return Some(("missing", message.into(), None));
    };
    match (&hsts.error, hsts.max_age) {
        (Some(error), _) => {
            let message = format!("Browsers ignore the field Strict-Transport-Security: {error}.");
            Some(("ignored", message, Some(Severity::Medium)))
        }
        (None, Some(0)) => {
            let message = "Strict-Transport-Security has a max-age of 0, which switches it off.";
            Some(("off", message.into(), Some(Severity::Medium)))
        }
        (None, Some(age)) if age < SHORT => {
            let age = time::Duration::seconds(i64::try_from(age).unwrap_or(i64::MAX));
            let message = format!(
                "Strict-Transport-Security is for {} only, which is less than half a year.",
                span(age)
            );
            Some(("short", message, None))
        }
        _ => None,
    }
}

/// Whether a `Host` field is an address (RFC 6797 §8.1.1).
fn is_address(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.parse::<IpAddr>().is_ok() || host.parse::<IpAddr>().is_ok()
}

/// The same request.
fn curl(view: &View<'_>, seen: &HttpSeen) -> String {
    let name = view.endpoint.sni.as_deref();
    let (ip, port) = (view.endpoint.ip, view.endpoint.port);
    let url = |name: &str| quote(&format!("https://{name}:{port}{}", seen.path));
    match name {
        Some(name) => format!(
            "curl -skI -X GET --resolve {} {} | grep -i strict-transport-security",
            quote(&format!("{name}:{port}:{ip}")),
            url(name)
        ),
        None => format!(
            "curl -skI -X GET -H {} {} | grep -i strict-transport-security",
            quote(&format!("Host: {}", seen.host)),
            url(&match ip {
                IpAddr::V6(ip) => format!("[{ip}]"),
                IpAddr::V4(ip) => ip.to_string(),
            })
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_addresses_from_names() {
        for address in [
            "192.0.2.1",
            "192.0.2.1:8443",
            "[2001:db8::1]",
            "[::1]:8443",
            "::1",
        ] {
            assert!(is_address(address), "{address}");
        }
        for name in ["www.example.com", "www.example.com:8443", "a"] {
            assert!(!is_address(name), "{name}");
        }
    }
}
