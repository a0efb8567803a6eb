//! The target closes idle connections before the load balancer does.

use gladhand_probes::http::keep_alive::{KeepAliveEnd, KeepAliveSeen};

use super::support::idle_command;
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbTargetKeepAliveTooShort;

/// Seconds by which the target has to outlast the load balancer: clocks tick in seconds, and an end takes
/// its time to arrive.
const APART: f64 = 1.0;

static RULE: Rule = Rule {
    id: "alb-target-keep-alive-too-short",
    title: "The target closes idle connections before the load balancer",
    severity: Severity::High,
    what: "With `--idle-timeout`: one request is sent, and its connection left alone for the load balancer's \
           idle timeout and a margin. Fires where the target ends it earlier, by closing or by a reset; with \
           less than a second after the idle timeout: medium. An answer with `Connection: close`, or whose body \
           ends with the connection, is no finding: no load balancer sends a second request there.",
    why: "An Application Load Balancer keeps connections to its targets open for its idle timeout (60 seconds \
          unless set) and sends the next request on them. Where the target closes at that very moment, the \
          request meets a closed connection and the client gets a 502: sporadic, on any path, more often with \
          little traffic, and with nothing in the target's log. In the access log, elb_status_code is 502, \
          target_status_code `-`, target_processing_time a few milliseconds, and response_processing_time -1.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "More than the idle timeout.",
            snippet: Some("keepalive_timeout 75s;"),
        },
        RuleFix {
            product: "Apache",
            text: "More than the idle timeout; the default is 5 seconds.",
            snippet: Some("KeepAliveTimeout 75"),
        },
        RuleFix {
            product: "HAProxy",
            text: "In the frontend or in `defaults`; without it `timeout http-request` counts, then `timeout \
                   client`.",
            snippet: Some("timeout http-keep-alive 75s"),
        },
        RuleFix {
            product: "Node.js",
            text: "The default is 5 seconds. The time for the headers has to be longer still.",
            snippet: Some("server.keepAliveTimeout = 65000; server.headersTimeout = 66000;"),
        },
        RuleFix {
            product: "JVM",
            text: "Spring Boot with Tomcat; for Jetty it is `server.jetty.connection-idle-timeout`, for Undertow \
                   `server.undertow.no-request-timeout`.",
            snippet: Some("server.tomcat.keep-alive-timeout=75s"),
        },
        RuleFix {
            product: "any",
            text: "gunicorn (threaded and asynchronous workers; the sync worker keeps no connection): \
                   --keep-alive 75. uvicorn: --timeout-keep-alive 75. Puma: persistent_timeout 75. Go: \
                   IdleTimeout of http.Server.",
            snippet: None,
        },
        RuleFix {
            product: "AWS ALB",
            text: "Where the target cannot be changed, shorten the idle timeout of the load balancer. It counts \
                   for clients and for slow answers, too: a request that takes longer gets a 504.",
            snippet: Some(
                "aws elbv2 modify-load-balancer-attributes --load-balancer-arn <ARN> \
                 --attributes Key=idle_timeout.timeout_seconds,Value=<SECONDS>",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html#http-502-issues",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
        "https://www.rfc-editor.org/rfc/rfc9112#section-9.5",
        "https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout",
        "https://nodejs.org/api/http.html#serverkeepalivetimeout",
    ],
};

impl Check for AlbTargetKeepAliveTooShort {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().keep_alive.seen() else {
            return;
        };
        let Some(severity) = too_short(seen) else {
            return;
        };
        let how = match seen.ended_by {
            KeepAliveEnd::Reset => "resets",
            _ => "closes",
        };
        let (seconds, idle) = (seen.seconds, seen.idle_timeout);
        let mut lines = vec![format!(
            "{} {} for {}: HTTP {}, and the connection may persist",
            seen.method,
            super::support::text(&seen.path),
            super::support::text(&seen.host),
            seen.status
        )];
        lines.extend(seen.server.iter().map(|server| format!("Server: {server}")));
        lines.extend(
            seen.advertised
                .map(|seconds| format!("Keep-Alive: timeout={seconds}")),
        );
        let unasked = seen.unasked.as_ref();
        lines.extend(unasked.map(|text| format!("before the end it says \"{text}\"")));
        lines.extend(seen.evidence.iter().cloned());
        out.push(Found {
            key: "idle".into(),
            message: format!(
                "The target {how} an idle connection after {seconds:.1} s, and the load balancer uses it for up to \
                 {idle} s: sporadic 502. Set the target's keep-alive above {idle} s."
            ),
            seen: lines,
            reproduce: vec![idle_command(view, &seen.path, &seen.host)],
            severity: Some(severity),
            ..Found::default()
        });
    }
}

fn too_short(seen: &KeepAliveSeen) -> Option<Severity> {
    if seen.ended_by == KeepAliveEnd::StillOpen || !seen.persistent {
        return None;
    }
    match seen.seconds - seen.idle_timeout {
        before if before < 0.0 => Some(Severity::High),
        near if near < APART => Some(Severity::Medium),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_to_outlast_the_load_balancer_by_a_second() {
        let fixture = crate::checks::tests::fixture(RULE.id);
        let endpoint = &fixture.fires[0].endpoints[0];
        let seen = endpoint.observations.keep_alive.seen().unwrap();
        let at = |seconds| {
            let seen = KeepAliveSeen {
                seconds,
                idle_timeout: 60.0,
                ..seen.clone()
            };
            too_short(&seen)
        };
        assert_eq!(at(0.0), Some(Severity::High));
        assert_eq!(at(59.999), Some(Severity::High));
        assert_eq!(at(60.0), Some(Severity::Medium));
        assert_eq!(at(60.999), Some(Severity::Medium));
        assert_eq!(at(61.0), None);
    }
}
