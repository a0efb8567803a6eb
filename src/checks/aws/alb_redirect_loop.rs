//! A redirect leads back to itself.

use gladhand_probes::aws::inventory::{Listener, Rule as ListenerRule};
use gladhand_probes::untrusted::Untrusted;

use super::commands::rules as describe;
use super::routing::{Request, is_known_host, listener_on, redirect, routes_http, samples, taken};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::support::quote;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbRedirectLoop;

/// Redirects after which browsers give up.
const STEPS: usize = 20;

/// Steps that are followed at one load balancer: far more than AWS's quota of rules needs.
const BUDGET: usize = 10_000;

/// URLs that a finding shows.
const SHOWN: usize = 4;

static RULE: Rule = Rule {
    id: "alb-redirect-loop",
    title: "A redirect leads back to itself",
    severity: Severity::High,
    what: "A request that a redirect of an Application Load Balancer takes is redirected by this load \
           balancer again and again, over its listeners and rules, 20 times. Followed for one request of each \
           rule, and only as far as it is certain: not past conditions on headers and addresses, and not to \
           hosts that no rule names.",
    why: "Browsers say ERR_TOO_MANY_REDIRECTS, curl with -L `Maximum (50) redirects followed`. No target ever \
          sees the request. AWS refuses only a redirect that changes nothing at all.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Narrow the rule's conditions to what is to be redirected, or put a rule in front of it that \
                   forwards the place where it leads.",
            snippet: Some(
                "aws elbv2 modify-rule --rule-arn <RULE ARN> --conditions Field=host-header,Values=example.com",
            ),
        },
        RuleFix {
            product: "AWS",
            text: "The default action of an HTTPS listener is to forward, not to redirect to HTTPS.",
            snippet: Some(
                "aws elbv2 modify-listener --listener-arn <ARN> --default-actions Type=forward,TargetGroupArn=<TARGET GROUP ARN>",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html",
    ],
};

impl Audit for AlbRedirectLoop {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        if !routes_http(view) {
            return;
        }
        // Many ways lead into one loop: it is told once.
        let mut told: Vec<Step<'_>> = Vec::new();
        let mut budget = BUDGET;
        for listener in view.listeners() {
            let rules = listener.rules.read().into_iter().flatten();
            for rule in rules.map(Some).chain([None]) {
                let actions = rule.map_or(&listener.default_actions, |rule| &rule.actions);
                if redirect(actions).is_none() {
                    continue;
                }
                let looping = samples(view, listener, rule)
                    .into_iter()
                    .filter(|request| took(listener, request, rule))
                    .find_map(|request| follow(view, request, &mut budget));
                let Some(way) = looping else {
                    continue;
                };
                let known = |step: &Step<'_>| told.iter().any(|known| same(known, step));
                if way.iter().skip(STEPS / 2).any(|(_, step)| known(step)) {
                    continue;
                }
                let Some((first, culprit)) = culprit(&way) else {
                    continue;
                };
                told.extend(way.iter().skip(STEPS / 2).map(|(_, step)| *step));
                let urls = way.iter().skip(first).map(|(request, _)| request.url());
                let urls: Vec<String> = urls.take(SHOWN).collect();
                out.about(listener_subject(culprit.0), found(view, &urls, culprit));
            }
        }
    }
}

/// A rule of a listener; without one, its default action.
type Step<'a> = (&'a Listener, Option<&'a ListenerRule>);

fn same(a: &Step<'_>, b: &Step<'_>) -> bool {
    a.0.arn == b.0.arn && a.1.map(|rule| &rule.arn) == b.1.map(|rule| &rule.arn)
}

/// Whether it is this rule that takes the request.
fn took(listener: &Listener, request: &Request, rule: Option<&ListenerRule>) -> bool {
    taken(listener, request).is_some_and(|(by, _)| match (by, rule) {
        (Some(by), Some(rule)) => std::ptr::eq(by, rule),
        (by, rule) => by.is_none() && rule.is_none(),
    })
}

/// The requests on the way and what redirects each, where the way has no end.
fn follow<'a>(
    view: &AuditView<'a>,
    start: Request,
    budget: &mut usize,
) -> Option<Vec<(Request, Step<'a>)>> {
    let mut way = Vec::new();
    let mut request = start;
    for _ in 0..STEPS {
        *budget = budget.checked_sub(1)?;
        let listener = listener_on(view, request.port)?;
        if listener.protocol != request.protocol {
            return None;
        }
        let (rule, actions) = taken(listener, &request)?;
        if rule.is_some_and(|rule| rule.rewrites) {
            return None;
        }
        let next = request.redirected(redirect(actions)?)?;
        let stays = next.host.eq_ignore_ascii_case(&request.host);
        if !stays && !is_known_host(view, &next.host) {
            return None;
        }
        way.push((request, (listener, rule)));
        request = next;
    }
    Some(way)
}

/// What keeps the way from its end, and where it first comes in: of the steps that come again and again, the
/// first with TLS, since to redirect without TLS is right.
fn culprit<'a>(way: &[(Request, Step<'a>)]) -> Option<(usize, Step<'a>)> {
    let again = || way.iter().skip(STEPS / 2).map(|(_, step)| *step);
    let culprit = again()
        .find(|step| step.0.has_tls())
        .or_else(|| again().next())?;
    let first = way.iter().position(|(_, step)| same(step, &culprit))?;
    Some((first, culprit))
}

fn found(view: &AuditView<'_>, urls: &[String], culprit: Step<'_>) -> Found {
    let first = urls.first().map(String::as_str).unwrap_or_default();
    let (listener, rule) = culprit;
    let who = match rule {
        Some(rule) => format!("rule {}", rule.priority),
        None => "the default action".into(),
    };
    Found {
        message: format!(
            "{} is redirected without end, by {who}.",
            Untrusted::from(first)
        ),
        key: who,
        seen: vec![Untrusted::from(urls.join(" → ") + " → …").to_string()],
        reproduce: vec![
            format!(
                "curl -sIL --max-redirs 5 {} | grep -i ^location",
                quote(first)
            ),
            describe(view, listener),
        ],
        ..Found::default()
    }
}
