//! Sessions are issued, and not resumed.

use gladhand_probes::Answer;
use gladhand_probes::tls::resumption::{ResumptionBy, VersionSessions};
use gladhand_probes::wire::registry::ProtocolVersion;

use super::support::{flag, s_client, version_list};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct SessionResumptionBroken;

static RULE: Rule = Rule {
    id: "session-resumption-broken",
    title: "Sessions are issued, and not resumed",
    severity: Severity::Low,
    what: "In TLS 1.2 or 1.3 the server issues tickets, or session ids where it issues no tickets, and \
           answers the client that comes back with a full handshake: each time, or sometimes. \
           Sometimes is medium. Ids of a server whose tickets work do not matter here, and a server \
           that issues nothing is none of this. Where nodes differ in more than that, `nodes-disagree` \
           tells it.",
    why: "Sometimes: several nodes behind the address do not share their keys or their cache, so that \
          it depends on the node whether a handshake is short. Each time: every connection costs the \
          server a signature and, in TLS 1.2, the client a round trip more, and 0-RTT never works; \
          what is issued is dead weight. No client fails by it.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "Give every node the same ticket key, and change it daily. With `ssl_session_tickets \
                   off`, OpenSSL still issues tickets of TLS 1.3, which a cache has to back; without \
                   `ssl_session_cache` there is none.",
            snippet: Some(
                "ssl_session_ticket_key /etc/nginx/ticket.key;\nssl_session_cache shared:TLS:10m;",
            ),
        },
        RuleFix {
            product: "HAProxy",
            text: "Give every node the same file of ticket keys.",
            snippet: Some("bind :443 ssl crt … tls-ticket-keys /etc/haproxy/ticket.keys"),
        },
        RuleFix {
            product: "any",
            text: "A balancer that passes TCP on, such as a TCP listener of an NLB, spreads connections \
                   over targets that each have a key of their own: share it between the targets, or \
                   send a client to the same one.",
            snippet: Some(
                "aws elbv2 modify-target-group-attributes --target-group-arn <ARN> --attributes \
                 Key=stickiness.enabled,Value=true Key=stickiness.type,Value=source_ip",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc8446#section-2.2",
        "https://www.rfc-editor.org/rfc/rfc5077",
        "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_session_ticket_key",
        "https://docs.haproxy.org/3.0/configuration.html#5.1-tls-ticket-keys",
    ],
};

impl Check for SessionResumptionBroken {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().session.seen() else {
            return;
        };
        let of_each = seen.0.iter().filter_map(|(version, sessions)| {
            let (what, by) = ordinary(sessions)?;
            by.is_broken().then_some((*version, what, by))
        });
        let broken: Vec<_> = of_each.collect();
        let versions: Vec<ProtocolVersion> = broken.iter().map(|(version, ..)| *version).collect();
        let Some(newest) = versions.last() else {
            return;
        };
        let sometimes = broken.iter().any(|(_, _, by)| by.resumptions > 0);
        let nodes = view.observations().nodes.seen();
        if sometimes && nodes.is_some_and(|nodes| nodes.agree == Answer::No) {
            // Nodes that are set up differently have a rule of their own.
            return;
        }
        let how = if sometimes {
            "resumed only sometimes"
        } else {
            "never resumed"
        };
        out.push(Found {
            message: format!(
                "Sessions of {} are issued, and {how}.",
                version_list(&versions)
            ),
            seen: broken
                .iter()
                .map(|(version, what, by)| {
                    let resumed = by
                        .resumed
                        .as_ref()
                        .map_or("", |fact| fact.evidence.as_str());
                    format!("{version}: {}; the {what} {resumed}", by.issued.evidence)
                })
                .collect(),
            reproduce: vec![reproduce(view, *newest)],
            severity: sometimes.then_some(Severity::Medium),
            ..Found::default()
        });
    }
}

/// By what an ordinary client resumes: with a ticket, where there are any.
fn ordinary(sessions: &VersionSessions) -> Option<(&'static str, &ResumptionBy)> {
    let tried = |by: &&ResumptionBy| by.resumed.is_some();
    let tickets = sessions.tickets.as_ref().filter(tried);
    let ids = sessions.ids.as_ref().filter(tried);
    tickets
        .map(|by| ("ticket", by))
        .or_else(|| ids.map(|by| ("id", by)))
}

fn reproduce(view: &View<'_>, version: ProtocolVersion) -> String {
    if version < ProtocolVersion::TLS1_3 {
        let client = s_client(view, &format!("{} -reconnect", flag(version)));
        return format!("{client} 2>/dev/null | grep -E '^(New|Reused)'");
    }
    // The ticket comes after the handshake: s_client has to stay for it.
    let first = s_client(view, "-tls1_3 -sess_out session.pem")
        .trim_end_matches(" </dev/null")
        .to_owned();
    let second = s_client(view, "-tls1_3 -sess_in session.pem");
    format!("sleep 1 | {first} >/dev/null 2>&1; {second} 2>/dev/null | grep -E '^(New|Reused)'")
}
