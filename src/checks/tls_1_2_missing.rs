//! TLS 1.2 is refused.

use gladhand_probes::Answer;
use gladhand_probes::wire::registry::ProtocolVersion;

use super::fixes::{ALB_POLICIES, ALB_RES};
use super::support::{listeners_command, s_client, version_list};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct Tls12Missing;

static RULE: Rule = Rule {
    id: "tls-1-2-missing",
    title: "TLS 1.2 is refused",
    severity: Severity::High,
    what: "The server refuses TLS 1.2 beyond doubt, and speaks another version. Where that is TLS \
           1.3, the severity is low: that may be meant.",
    why: "With nothing newer than TLS 1.1, every client of today is turned away. With TLS 1.3 \
          alone, older ones are: Java 8 before update 261, OpenSSL 1.0.2, Windows before Server \
          2022, and an AWS load balancer as the client, if none of its listeners has a policy with \
          TLS 1.3.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "Enable both in the `server` block that listens first on this address and port. \
                   TLS 1.2 also needs suites of its own in `ssl_ciphers`.",
            snippet: Some("ssl_protocols TLSv1.2 TLSv1.3;"),
        },
        RuleFix {
            product: "HAProxy",
            text: "Lower the minimum to TLS 1.2.",
            snippet: Some("ssl-default-bind-options ssl-min-ver TLSv1.2"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "For clients of a listener: a policy with both. For a target that speaks TLS 1.3 \
                   alone: any TLS13 policy on a listener makes the load balancer offer TLS 1.3 to \
                   its targets; with ELBSecurityPolicy-2016-08, the default of the API, it does \
                   not.",
            snippet: Some(ALB_RES),
        },
        RuleFix {
            product: "JVM",
            text: "Java enables it by default: see whether the connector's protocols, or \
                   `jdk.tls.server.protocols`, leave it out.",
            snippet: Some("server.ssl.enabled-protocols=TLSv1.2,TLSv1.3"),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9325#section-3.1.1",
        ALB_POLICIES,
    ],
};

impl Check for Tls12Missing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(versions) = view.observations().versions.seen() else {
            return;
        };
        if versions.answer(ProtocolVersion::TLS1_2) != Answer::No {
            return;
        }
        let spoken: Vec<ProtocolVersion> = versions.spoken().collect();
        let Some(newest) = spoken.last() else { return };
        let severity = match versions.answer(ProtocolVersion::TLS1_3) {
            Answer::Yes => Severity::Low,
            Answer::No => Severity::High,
            Answer::Undetermined => Severity::Medium,
        };
        let mut reproduce = vec![s_client(view, "-tls1_2")];
        reproduce.extend(listeners_command(view));
        out.push(Found {
            key: ProtocolVersion::TLS1_2.to_string(),
            message: if *newest > ProtocolVersion::TLS1_2 {
                format!(
                    "The server refuses TLSv1.2 and accepts {}.",
                    version_list(&spoken)
                )
            } else {
                format!("The server refuses TLSv1.2; the newest version it accepts is {newest}.")
            },
            seen: versions
                .0
                .get(&ProtocolVersion::TLS1_2)
                .map(|seen| seen.evidence.clone())
                .into_iter()
                .collect(),
            reproduce,
            severity: Some(severity),
            ..Found::default()
        });
    }
}
