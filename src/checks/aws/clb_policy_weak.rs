//! The negotiation policy of a Classic Load Balancer has what is broken.

use gladhand_probes::aws::PolicyContent;
use gladhand_probes::wire::registry::ProtocolVersion;

use super::policies::{CLASSIC_POLICIES, describe, is_classic, name, policies, suites};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::fixes::CLB_SUITES;
use crate::checks::support::{SuiteKind, enumeration};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct ClbPolicyWeak;

static RULE: Rule = Rule {
    id: "clb-policy-weak",
    title: "The Classic Load Balancer's policy has broken versions or suites",
    severity: Severity::High,
    what: "The policy of a Classic Load Balancer's listener, predefined or custom, has SSLv2, SSLv3, or a \
           suite without authentication or encryption, of export grade, with RC4, or with single DES. Where \
           it is suites with 3DES alone, the severity is medium.",
    why: "SSLv3 is open to POODLE, RC4 to the recovery of cookies, export suites to FREAK, and 3DES to \
          Sweet32. No other type of load balancer has a policy with any of them; here they stay from policies \
          of 2015 and before, or because somebody listed them.",
    fix: &[
        CLB_SUITES,
        RuleFix {
            product: "AWS",
            text: "Move to an Application or Network Load Balancer, which has TLS 1.3 and none of these: the \
                   console's migration wizard makes one from the Classic one.",
            snippet: None,
        },
    ],
    references: &[
        CLASSIC_POLICIES,
        "https://www.rfc-editor.org/rfc/rfc9325#section-4.1",
    ],
};

/// What a suite is told for: the words, and whether it is of that kind.
type Kind = (&'static str, fn(SuiteKind) -> bool);

/// The worst first; a suite counts where it first fits.
const KINDS: [Kind; 6] = [
    ("without encryption", |kind| kind.null),
    ("without authentication", |kind| kind.anonymous),
    ("of export grade", |kind| kind.export),
    ("with RC4", |kind| kind.rc4),
    ("with single DES", |kind| kind.des),
    (TRIPLE_DES, |kind| kind.block64),
];

const TRIPLE_DES: &str = "with 3DES";

impl Audit for ClbPolicyWeak {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn covers(&self) -> &'static [&'static str] {
        &[
            "ssl-2-accepted",
            "ssl-3-accepted",
            "suite-null",
            "suite-anonymous",
            "suite-export",
            "suite-rc4",
            "suite-3des",
        ]
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        if !is_classic(view) {
            return;
        }
        for (listener, policy) in policies(view) {
            let old = [ProtocolVersion::SSL2, ProtocolVersion::SSL3];
            let old = old.into_iter().filter(|old| policy.versions.contains(old));
            let mut what: Vec<String> = old.map(|version| version.to_string()).collect();
            let mut severity = (!what.is_empty()).then_some(Severity::High);
            let mut seen = Vec::new();
            for (place, (words, _)) in KINDS.iter().enumerate() {
                let meant = first_of(&policy, place);
                if meant.is_empty() {
                    continue;
                }
                what.push(format!("suites {words}"));
                seen.extend(meant);
                let this = if *words == TRIPLE_DES {
                    Severity::Medium
                } else {
                    Severity::High
                };
                severity = severity.max(Some(this));
            }
            if what.is_empty() {
                continue;
            }
            let found = Found {
                message: format!("{} has {}.", name(&policy), enumeration(&what)),
                seen,
                reproduce: vec![describe(view, &policy)],
                severity,
                ..Found::default()
            };
            out.about(listener_subject(listener), found);
        }
    }
}

/// The suites that are of this kind, and of none before.
fn first_of(policy: &PolicyContent, place: usize) -> Vec<String> {
    suites(policy, |kind| {
        KINDS.iter().position(|(_, is)| is(kind)) == Some(place)
    })
}
