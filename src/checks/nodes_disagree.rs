//! One address gives different answers to the same question.

use gladhand_probes::Answer;

use super::support::s_client;
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct NodesDisagree;

static RULE: Rule = Rule {
    id: "nodes-disagree",
    title: "Nodes behind one address are set up differently",
    severity: Severity::High,
    what: "The same hello was answered clearly in two ways: accepted and refused, with another version \
           or suite, or with another certificate for the same name. Connections that were lost do not \
           count. What only some nodes refuse is then reported as undetermined, never as refused.",
    why: "A balancer that passes TCP on (NLB with TCP listeners, HAProxy `mode tcp`, IPVS, DNS to \
          shared addresses) has targets with different settings: a deploy that stopped half way, a \
          certificate renewed on one node only. Clients fail now and then, and every retry hides it.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Ask each node by its own address, and compare.",
            snippet: Some("gladhand check www.example.com --connect 10.0.1.25"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "Behind a Network Load Balancer the targets terminate TLS: list them, and roll the same \
                   configuration out to all.",
            snippet: Some("aws elbv2 describe-target-health --target-group-arn ARN"),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/introduction.html",
        "https://www.rfc-editor.org/rfc/rfc8446#section-4.1.3",
    ],
};

impl Check for NodesDisagree {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(nodes) = view.observations().nodes.seen() else {
            return;
        };
        if nodes.agree != Answer::No {
            return;
        }
        let seen = nodes
            .differences
            .iter()
            .map(|difference| {
                format!(
                    "{}: {}",
                    difference.question,
                    difference.answers.join(" | ")
                )
            })
            .collect();
        out.push(Found {
            message:
                "The same question is answered in two ways: there are several nodes behind this \
                      address, and they are set up differently."
                    .into(),
            seen,
            reproduce: vec![s_client(view, "")],
            ..Found::default()
        });
    }
}
