//! A rule is never reached, because an earlier one takes all its requests.

use super::commands::rules as describe;
use super::routing::shadows;
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::support::{enumeration, plural};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbRuleNeverReached;

/// Pairs of rules that a message names at most.
const SHOWN: usize = 3;

/// Rules of a listener that are compared, at most: far above AWS's quota.
const MOST: usize = 1000;

static RULE: Rule = Rule {
    id: "alb-rule-never-reached",
    title: "A rule is never reached",
    severity: Severity::Low,
    what: "A rule of a listener whose every request an earlier rule takes: each condition of the earlier one \
           holds wherever the later one's do. Regular expressions and addresses count only where they are the \
           same.",
    why: "The first rule that fits decides, by priority. What the later one says never happens: the request \
          goes to other targets than somebody thinks.",
    fix: &[RuleFix {
        product: "AWS",
        text: "Put the narrower rule in front, by its priority, or delete it.",
        snippet: Some(
            "aws elbv2 set-rule-priorities --rule-priorities RuleArn=<RULE ARN>,Priority=5",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html#listener-rules",
    ],
};

impl Audit for AlbRuleNeverReached {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for listener in view.listeners() {
            let rules = listener.rules.read().map(Vec::as_slice).unwrap_or_default();
            let rules = rules.get(..MOST).unwrap_or(rules);
            let mut pairs = Vec::new();
            for (place, later) in rules.iter().enumerate() {
                let earlier = rules
                    .iter()
                    .take(place)
                    .find(|earlier| shadows(earlier, later));
                pairs.extend(earlier.map(|earlier| (later.priority, earlier.priority)));
            }
            if pairs.is_empty() {
                continue;
            }
            let count = i64::try_from(pairs.len()).unwrap_or(i64::MAX);
            let mut words: Vec<String> = pairs
                .iter()
                .take(SHOWN)
                .map(|(later, earlier)| format!("rule {later} by rule {earlier}"))
                .collect();
            if pairs.len() > SHOWN {
                words.push(format!("{} more", pairs.len() - SHOWN));
            }
            let are = if count == 1 { "is" } else { "are" };
            let found = Found {
                message: format!(
                    "{} {are} never reached: {}.",
                    plural(count, "rule"),
                    enumeration(&words)
                ),
                reproduce: vec![describe(view, listener)],
                ..Found::default()
            };
            out.about(listener_subject(listener), found);
        }
    }
}
