//! What several checks of target groups share: which targets count, how they are told, the commands that
//! show the same.

use gladhand_probes::aws::inventory::{Action, Listener, LoadBalancerType, Target, TargetGroup};
use gladhand_probes::untrusted::Untrusted;

use super::routing::takes_all;
use super::{AuditView, Audited, group_subject};
use crate::checks::Found;
use crate::checks::support::{enumeration, group_by, plural, quote};
use crate::report::model::Severity;

/// Targets that a line names; the others are counted.
const NAMED: usize = 10;

/// A target group with its targets, both read.
#[derive(Clone, Copy)]
pub(super) struct Group<'a> {
    /// The target group.
    pub(super) group: &'a TargetGroup,
    /// Its targets.
    pub(super) targets: &'a [Target],
}

/// The target groups of which the targets were read.
pub(super) fn groups<'a>(view: &AuditView<'a>) -> impl Iterator<Item = Group<'a>> + use<'a> {
    view.target_groups().filter_map(|group| {
        let targets = group.targets.read()?;
        Some(Group { group, targets })
    })
}

impl<'a> Group<'a> {
    /// The targets of one state.
    pub(super) fn in_state(&self, state: &str) -> Vec<&'a Target> {
        let targets = self.targets.iter();
        targets.filter(|target| target.state == state).collect()
    }

    /// Those that requests could go to: neither leaving nor out of use.
    pub(super) fn in_use(&self) -> Vec<&'a Target> {
        let gone = ["unused", "draining", "unhealthy.draining"];
        let targets = self.targets.iter();
        targets
            .filter(|target| !gone.contains(&target.state.as_str()))
            .collect()
    }

    /// Those of one reason.
    pub(super) fn with_reason(&self, state: &str, reason: &str) -> Vec<&'a Target> {
        let mut found = self.in_state(state);
        found.retain(|target| target.reason.as_deref() == Some(reason));
        found
    }

    /// What clients get, where none of the targets can take a request; for the end of a sentence.
    pub(super) fn consequence(&self, view: &AuditView<'_>) -> String {
        if self.in_use().is_empty() {
            format!(": {}", no_target_answer(view))
        } else {
            String::new()
        }
    }

    /// How bad it is that some targets get no traffic: less where others do, or where nothing is sent to the
    /// group.
    pub(super) fn severity(&self, view: &AuditView<'_>) -> Severity {
        if is_routed(view, self.group) == Some(false) {
            Severity::Low
        } else if self.in_state("healthy").is_empty() {
            Severity::High
        } else {
            Severity::Medium
        }
    }
}

/// One finding for each target group with unhealthy targets of this reason.
pub(super) fn unhealthy_by(
    view: &AuditView<'_>,
    reason: &str,
    out: &mut Audited<'_>,
    tell: impl Fn(Group<'_>, &[&Target]) -> Found,
) {
    for group in groups(view) {
        let affected = group.with_reason("unhealthy", reason);
        if affected.is_empty() {
            continue;
        }
        let mut found = tell(group, &affected);
        found.severity.get_or_insert_with(|| group.severity(view));
        let mut seen = described(&affected);
        seen.append(&mut found.seen);
        found.seen = seen;
        found.reproduce.push(describe_health(view, group.group));
        out.about(group_subject(group.group), found);
    }
}

/// The targets with AWS's words about them, equal words together.
pub(super) fn described(targets: &[&Target]) -> Vec<String> {
    let by_words = targets.iter().map(|target| {
        let reason = target.reason.as_deref().unwrap_or_default();
        let words = target.description.as_deref().unwrap_or_default();
        ((target.state.as_str(), reason, words), *target)
    });
    let line = |((state, reason, words), targets): ((&str, &str, &str), Vec<&Target>)| {
        let mut line = format!("{}: {}", names(&targets), Untrusted::from(state));
        for more in [reason, words] {
            if !more.is_empty() {
                line = format!("{line}, {}", Untrusted::from(more));
            }
        }
        line
    };
    group_by(by_words.collect()).into_iter().map(line).collect()
}

/// `10.0.1.25:8443, 10.0.2.25:8443 and 3 others`.
pub(super) fn names(targets: &[&Target]) -> String {
    let mut names: Vec<String> = targets
        .iter()
        .take(NAMED)
        .map(|target| name(target))
        .collect();
    match targets.len().saturating_sub(NAMED) {
        0 => {}
        1 => names.push("1 other".into()),
        more => names.push(format!("{more} others")),
    }
    enumeration(&names)
}

/// `10.0.1.25:8443`.
pub(super) fn name(target: &Target) -> String {
    let id = Untrusted::from(target.id.as_str());
    match (target.port, target.id.contains(':')) {
        (Some(port), true) => format!("[{id}]:{port}"),
        (Some(port), false) => format!("{id}:{port}"),
        (None, _) => id.to_string(),
    }
}

/// `2 of 3 targets`, `Both targets`, `All 3 targets`, `The only target`, for the start of a sentence.
pub(super) fn share(part: usize, of: usize) -> String {
    match (part, of) {
        (1, 1) => "The only target".into(),
        (2, 2) => "Both targets".into(),
        (part, of) if part == of => format!("All {of} targets"),
        (part, of) => format!("{part} of {of} targets"),
    }
}

/// `is`, `are`: for what [`share`] begins.
pub(super) fn verb<'a>(part: usize, one: &'a str, many: &'a str) -> &'a str {
    if part == 1 { one } else { many }
}

/// `3 targets`.
pub(super) fn count(targets: usize) -> String {
    plural(i64::try_from(targets).unwrap_or(i64::MAX), "target")
}

/// The listeners that may send requests to a group, by their rules too.
pub(super) fn listeners_to<'a>(view: &AuditView<'a>, group: &TargetGroup) -> Vec<&'a Listener> {
    let sends = |listener: &&Listener| {
        reached(listener).any(|action| weight(action, group).is_some_and(|weight| weight > 0))
    };
    view.listeners().filter(sends).collect()
}

/// Whether requests are sent to a group; none where that cannot be told.
pub(super) fn is_routed(view: &AuditView<'_>, group: &TargetGroup) -> Option<bool> {
    if !listeners_to(view, group).is_empty() {
        return Some(true);
    }
    all_rules_read(view).then_some(false)
}

/// Whether a listener or a rule names a group, be it with weight 0; none where that cannot be told.
pub(super) fn is_named(view: &AuditView<'_>, group: &TargetGroup) -> Option<bool> {
    let mut actions = view.listeners().flat_map(actions);
    if actions.any(|action| weight(action, group).is_some()) {
        return Some(true);
    }
    all_rules_read(view).then_some(false)
}

fn all_rules_read(view: &AuditView<'_>) -> bool {
    let listeners = view.balancer.listeners.read();
    listeners.is_some_and(|all| all.iter().all(|listener| listener.rules.read().is_some()))
}

fn actions(listener: &Listener) -> impl Iterator<Item = &Action> {
    let rules = listener.rules.read().into_iter().flatten();
    let of_rules = rules.flat_map(|rule| rule.actions.iter());
    listener.default_actions.iter().chain(of_rules)
}

/// The actions that some request may meet: behind a rule that takes every request there are none.
fn reached(listener: &Listener) -> impl Iterator<Item = &Action> {
    let rules = listener.rules.read().map_or(&[][..], Vec::as_slice);
    let all = rules.iter().position(takes_all);
    let rules = all.map_or(rules, |last| rules.get(..=last).unwrap_or(rules));
    let default = listener
        .default_actions
        .iter()
        .filter(move |_| all.is_none());
    rules
        .iter()
        .flat_map(|rule| rule.actions.iter())
        .chain(default)
}

fn weight(action: &Action, group: &TargetGroup) -> Option<u32> {
    let mut named = action.target_groups.iter();
    let named = named.find(|named| named.target_group_arn == group.arn)?;
    Some(named.weight)
}

/// What clients get where no target can take a request.
pub(super) fn no_target_answer(view: &AuditView<'_>) -> &'static str {
    match view.balancer.kind {
        LoadBalancerType::Network | LoadBalancerType::Gateway => "connections have nowhere to go",
        LoadBalancerType::Application | LoadBalancerType::Classic => "requests get 503",
    }
}

/// `aws …` in the region of the load balancer. What the command names must be quoted.
pub(super) fn aws_command(view: &AuditView<'_>, command: &str) -> String {
    match &view.inventory.region {
        Some(region) => format!("aws {command} --region {}", quote(region)),
        None => format!("aws {command}"),
    }
}

/// The health of a group's targets.
pub(super) fn describe_health(view: &AuditView<'_>, group: &TargetGroup) -> String {
    let command = match view.balancer.kind {
        LoadBalancerType::Classic => format!(
            "elb describe-instance-health --load-balancer-name {}",
            quote(&view.balancer.name)
        ),
        _ => format!(
            "elbv2 describe-target-health --target-group-arn {}",
            quote(&group.arn)
        ),
    };
    aws_command(view, &command)
}

/// A group's protocol, port and health check.
pub(super) fn describe_group(view: &AuditView<'_>, group: &TargetGroup) -> String {
    let command = match view.balancer.kind {
        LoadBalancerType::Classic => format!(
            "elb describe-load-balancers --load-balancer-names {}",
            quote(&view.balancer.name)
        ),
        _ => format!(
            "elbv2 describe-target-groups --target-group-arns {}",
            quote(&group.arn)
        ),
    };
    aws_command(view, &command)
}

/// A group's attributes.
pub(super) fn describe_attributes(view: &AuditView<'_>, group: &TargetGroup) -> String {
    let arn = quote(&group.arn);
    let command = format!("elbv2 describe-target-group-attributes --target-group-arn {arn}");
    aws_command(view, &command)
}

/// Text of AWS's that users may have written, for a message: `-` where there is none.
pub(super) fn shown(text: Option<&str>) -> String {
    match text {
        Some(text) if !text.is_empty() => Untrusted::from(text).to_string(),
        _ => "-".into(),
    }
}

/// The documentation of target groups' health checks.
pub(super) const HEALTH_DOCS: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html";

/// The documentation of target groups.
pub(super) const GROUP_DOCS: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html";

/// The documentation of a target group's attributes.
pub(super) const ATTRIBUTE_DOCS: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html";

/// The documentation of errors.
pub(super) const TROUBLE_DOCS: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html";
