//! The server answers only so many connections at once, or a second.

use super::support::s_client;
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct ServerThrottles;

static RULE: Rule = Rule {
    id: "server-throttles",
    title: "The server throttles connections",
    severity: Severity::Low,
    what: "While it was asked, the server stopped answering what it is known to answer, and answered \
           again after a pause; or it lost answers while several connections were open, and none when \
           they came one at a time. gladhand then asks more slowly, and less at once: what it reports \
           was found out in spite of it.",
    why: "Whoever opens connections faster than that is turned away: browsers that open six at once, \
          health checks of several load balancer nodes, scanners, which then report versions and \
          suites as not supported. Clients print `Connection reset by peer`, `unexpected eof while \
          reading` or time out, now and then.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "See which limit it is: `limit_conn` counts open connections, `limit_req` requests \
                   a second, by address.",
            snippet: Some(
                "limit_conn_zone $binary_remote_addr zone=addr:10m; limit_conn addr 100;",
            ),
        },
        RuleFix {
            product: "HAProxy",
            text: "See `maxconn` and `rate-limit sessions`, and stick tables with \
                   `tcp-request connection reject`.",
            snippet: Some("maxconn 20000"),
        },
        RuleFix {
            product: "any",
            text: "See the firewall (`nft list ruleset`, `iptables -S`) for `connlimit`, `limit` or \
                   `recent`, and whether fail2ban or an intrusion prevention system stands before \
                   the port.",
            snippet: None,
        },
    ],
    references: &[
        "https://nginx.org/en/docs/http/ngx_http_limit_conn_module.html",
        "https://docs.haproxy.org/2.8/configuration.html#4.2-rate-limit%20sessions",
    ],
};

impl Check for ServerThrottles {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(limits) = view.observations().limits.seen() else {
            return;
        };
        if !limits.throttles() {
            return;
        }
        let message = match (limits.connections_per_second, limits.connections_at_once) {
            (Some(rate), _) => format!(
                "The server answered about {rate} connections in a second, then none for a while."
            ),
            (None, at_once) => format!(
                "The server loses answers when many connections are open; with {} at once it lost \
                 none.",
                at_once.unwrap_or(1)
            ),
        };
        let mut seen = Vec::new();
        if limits.lost_in_company > 0 {
            seen.push(format!(
                "{} questions were not answered beside others, and answered alone",
                limits.lost_in_company
            ));
        }
        if let Some(rate) = limits.connections_per_second {
            seen.push(format!(
                "a hello that the server is known to answer was not answered after about {rate} \
                 connections in a second, and answered after a pause"
            ));
        }
        out.push(Found {
            message,
            seen,
            reproduce: vec![s_client(view, "")],
            ..Found::default()
        });
    }
}
