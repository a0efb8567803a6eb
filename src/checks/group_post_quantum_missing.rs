//! No post-quantum key exchange.

use gladhand_probes::Answer;
use gladhand_probes::wire::names::GroupName;
use gladhand_probes::wire::registry::ProtocolVersion;

use super::fixes::ALB_POLICIES;
use super::support::{answer, enumeration, listeners_command, s_client};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct GroupPostQuantumMissing;

static RULE: Rule = Rule {
    id: "group-post-quantum-missing",
    title: "No post-quantum key exchange",
    severity: Severity::Info,
    what: "The server speaks TLS 1.3 and refuses every post-quantum group: X25519MLKEM768, \
           SecP256r1MLKEM768, SecP384r1MLKEM1024 and ML-KEM alone. Drafts that no client offers \
           any more (Kyber) do not count.",
    why: "Traffic that is recorded today can be decrypted once quantum computers are large enough. \
          Browsers, OpenSSL 3.5 and Go 1.24 offer X25519MLKEM768 by default; a server without it \
          still works with all of them.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "Needs OpenSSL 3.5, which offers it by default: then remove an `ssl_ecdh_curve` \
                   that leaves it out, or name it there.",
            snippet: Some("ssl_ecdh_curve X25519MLKEM768:X25519:prime256v1:secp384r1;"),
        },
        RuleFix {
            product: "HAProxy",
            text: "Needs OpenSSL 3.5 or AWS-LC; name it where curves are named.",
            snippet: Some("ssl-default-bind-curves X25519MLKEM768:X25519:P-256:P-384"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "Choose a policy with PQ in the name: the same suites as its twin, and the three \
                   hybrids.",
            snippet: Some(
                "aws elbv2 modify-listener --listener-arn <ARN> \
                 --ssl-policy ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
            ),
        },
    ],
    references: &["https://www.rfc-editor.org/rfc/rfc10024", ALB_POLICIES],
};

impl Check for GroupPostQuantumMissing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        // Without TLS 1.3 there can be none: `tls-1-3-missing` tells the cause.
        if answer(view, ProtocolVersion::TLS1_3) != Answer::Yes {
            return;
        }
        let Some(groups) = view.observations().groups.seen() else {
            return;
        };
        // An incomplete list without open questions was cut short: what is missing, nobody knows.
        let decided = groups.complete
            || (!groups.undetermined.is_empty() && !groups.undetermined.iter().any(counts));
        if !decided || groups.accepted.is_empty() || groups.accepted.iter().any(counts) {
            return;
        }
        let names: Vec<String> = groups.accepted.iter().map(ToString::to_string).collect();
        let mut reproduce = vec![s_client(view, "-tls1_3 -groups X25519MLKEM768")];
        reproduce.extend(listeners_command(view));
        out.push(Found {
            message: "The server accepts no post-quantum group.".into(),
            seen: vec![format!("it accepts {}", enumeration(&names))],
            reproduce,
            ..Found::default()
        });
    }
}

/// Whether it is a post-quantum group that clients offer.
fn counts(name: &GroupName) -> bool {
    name.group()
        .is_some_and(|group| group.post_quantum() && !group.obsolete())
}
