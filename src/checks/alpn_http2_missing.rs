//! HTTP/2 is not negotiated.

use gladhand_probes::tls::alpn::WithoutOverlap;

use super::support::{enumeration, s_client};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlpnHttp2Missing;

/// Where a server that answers no ALPN is taken for one of HTTP.
const HTTPS: u16 = 443;

static RULE: Rule = Rule {
    id: "alpn-http2-missing",
    title: "HTTP/2 is not negotiated",
    severity: Severity::Info,
    what: "By ALPN the server takes http/1.1 and not h2, or on port 443 it answers no ALPN at all. A \
           server that negotiates other protocols only is no server of HTTP and left out.",
    why: "Browsers and most clients speak HTTP/2 only where ALPN chooses h2; without it they fall back to \
          HTTP/1.1 and open six connections. gRPC does not: grpc-go says `missing selected ALPN \
          property` and ends the connection.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "Switch it on in the `server` block that listens first on this address and port; \
                   before 1.25.1 it is a parameter of `listen`.",
            snippet: Some("http2 on;"),
        },
        RuleFix {
            product: "HAProxy",
            text: "Since 2.8 it is the default of a TLS bind line; before that name it there.",
            snippet: Some("bind :443 ssl crt /etc/haproxy/site.pem alpn h2,http/1.1"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "HTTP/2 is an attribute of the load balancer, on by default: somebody has switched it \
                   off. A TLS listener of a Network Load Balancer has an ALPN policy instead, by \
                   default None: HTTP2Preferred is the one that is wanted.",
            snippet: Some(
                "aws elbv2 modify-load-balancer-attributes --load-balancer-arn <ARN> \
                 --attributes Key=routing.http2.enabled,Value=true\n\
                 aws elbv2 modify-listener --listener-arn <ARN> --alpn-policy HTTP2Preferred",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9113#section-3.2",
        "https://www.rfc-editor.org/rfc/rfc7301",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-listeners.html#alpn-policies",
    ],
};

impl Check for AlpnHttp2Missing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().alpn.seen() else {
            return;
        };
        let has = |list: &[String], name: &str| list.iter().any(|known| known == name);
        if has(&seen.accepted, "h2") || has(&seen.undetermined, "h2") {
            return;
        }
        let silent = seen.accepted.is_empty() && seen.without_overlap == WithoutOverlap::Ignored;
        let message = if has(&seen.accepted, "http/1.1") {
            "The server negotiates http/1.1 and not h2."
        } else if silent && view.endpoint.port == HTTPS {
            "The server answers no ALPN: no client gets HTTP/2."
        } else {
            return;
        };
        let mut lines = seen.evidence.clone();
        if !seen.accepted.is_empty() {
            lines.insert(0, format!("it takes {}", enumeration(&seen.accepted)));
        }
        out.push(Found {
            message: message.into(),
            seen: lines,
            reproduce: vec![format!(
                "{} 2>/dev/null | grep ALPN",
                s_client(view, "-alpn h2,http/1.1")
            )],
            ..Found::default()
        });
    }
}
