//! The handshake takes longer than the load balancer waits, or nearly.

use gladhand_probes::tls::backend::{BackendSeen, HelloAnswer};
use gladhand_probes::tls::reach::ReachOutcome;

use super::support::{backend, reach, s_client_as_balancer};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbTargetHandshakeSlow;

static RULE: Rule = Rule {
    id: "alb-target-handshake-slow",
    title: "The handshake takes longer than the load balancer waits",
    severity: Severity::High,
    what: "The target answers the load balancer's hello, or completes the handshake, after more than the 10 \
           seconds that a load balancer waits; or it accepts the connection and answers no hello at all. \
           From half of that time on the finding is a medium.",
    why: "The load balancer gives up: clients get 504, health checks fail with Target.Timeout or \
          Target.FailedHealthChecks. A handshake takes milliseconds: a target that needs seconds waits for \
          something (entropy, DNS of the client's address, an OCSP responder, a thread that is free).",
    fix: &[
        RuleFix {
            product: "any",
            text: "See on the target what the process waits for while a handshake hangs.",
            snippet: Some("strace -f -tt -e trace=network -p <PID>"),
        },
        RuleFix {
            product: "any",
            text: "Look at the accept queue: where Recv-Q has reached Send-Q, connections wait for the process.",
            snippet: Some("ss -ltn"),
        },
        RuleFix {
            product: "HAProxy",
            text: "A bind line with `accept-proxy` waits for a PROXY protocol header; only a Network Load \
                   Balancer sends one, and only where its target group says so.",
            snippet: None,
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html",
    ],
};

impl Check for AlbTargetHandshakeSlow {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = backend(view) else { return };
        let Some((key, message, severity)) = judged(view, seen) else {
            return;
        };
        let mut lines = vec![format!(
            "as the load balancer: {}",
            seen.hello.taken.evidence
        )];
        let times = [
            ("to the answer", seen.hello.ms),
            (
                "the handshake",
                seen.handshake.as_ref().and_then(|seen| seen.ms),
            ),
        ];
        for (what, ms) in times {
            lines.extend(ms.map(|ms| format!("{what}: {}", seconds(ms))));
        }
        let command = s_client_as_balancer(view, seen);
        out.push(Found {
            key: key.into(),
            message,
            seen: lines,
            reproduce: vec![format!("time {command}")],
            severity: Some(severity),
            ..Found::default()
        });
    }
}

fn judged(view: &View<'_>, seen: &BackendSeen) -> Option<(&'static str, String, Severity)> {
    let limit = seconds(seen.gives_up_ms);
    let took = seen.slowest_ms()?;
    if seen.hello.outcome == HelloAnswer::Silent {
        // Silence about this hello alone is a refusal: that is another rule's.
        let reach = reach(view).filter(|reach| reach.outcome == ReachOutcome::Silent);
        reach.filter(|_| took >= seen.gives_up_ms)?;
        let told = format!(
            "The target accepts the connection and answers no hello within {}; the load balancer gives up after {limit}.",
            seconds(took)
        );
        return Some(("silent", told, Severity::High));
    }
    if seen.is_too_slow() {
        let told = format!(
            "The handshake takes {} from here; the load balancer gives up after {limit}.",
            seconds(took)
        );
        return Some(("slow", told, Severity::High));
    }
    let answered = seen.hello.outcome == HelloAnswer::ServerHello;
    (answered && took >= seen.gives_up_ms / 2.0).then(|| {
        let told = format!(
            "The handshake takes {} from here, over half of the {limit} that the load balancer waits.",
            seconds(took)
        );
        ("slow", told, Severity::Medium)
    })
}

fn seconds(ms: f64) -> String {
    let seconds = ms / 1000.0;
    if seconds.fract() < 0.05 {
        format!("{seconds:.0} s")
    } else {
        format!("{seconds:.1} s")
    }
}
