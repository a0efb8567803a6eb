//! The security policies of a load balancer's listeners, by content, and what several rules ask of them.

use gladhand_probes::aws::PolicyContent;
use gladhand_probes::aws::inventory::{Listener, LoadBalancerType};
use gladhand_probes::untrusted::Untrusted;
use gladhand_probes::wire::names::SuiteName;
use gladhand_probes::wire::registry::ProtocolVersion;

use super::commands::aws;
use super::{AuditView, Audited, listener_subject};
use crate::checks::support::{SuiteKind, kind_of, plural, quote, version_list};
use crate::checks::{Found, RuleFix};

/// Another policy: ALB and NLB.
pub(super) const CHOOSE: RuleFix = RuleFix {
    product: "AWS",
    text: "Give the listener the policy that AWS recommends: TLS 1.2 and 1.3, ECDHE and AEAD alone, and the \
           post-quantum hybrids. The access log's ssl_protocol and ssl_cipher tell which clients that shuts \
           out.",
    snippet: Some(
        "aws elbv2 modify-listener --listener-arn <ARN> --ssl-policy ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
    ),
};

/// Another policy: Terraform.
pub(super) const CHOOSE_TERRAFORM: RuleFix = RuleFix {
    product: "Terraform",
    text: "Set `ssl_policy` in the `aws_lb_listener`, or the next apply takes it back.",
    snippet: Some("ssl_policy = \"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09\""),
};

/// The documentation of Classic Load Balancers' policies.
pub(super) const CLASSIC_POLICIES: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-security-policy-table.html";

/// Every listener whose policy's content is known, with that content.
pub(super) fn policies<'a>(
    view: &AuditView<'a>,
) -> impl Iterator<Item = (&'a Listener, PolicyContent)> + use<'a> {
    let inventory = view.inventory;
    view.listeners()
        .filter_map(move |listener| Some((listener, inventory.policy_of(listener)?)))
}

/// One finding for each listener whose policy takes a version.
pub(super) fn version_allowed(
    view: &AuditView<'_>,
    version: ProtocolVersion,
    out: &mut Audited<'_>,
) {
    for (listener, policy) in policies(view) {
        if policy.versions.contains(&version) {
            let found = Found {
                message: format!("{} allows {version}.", name(&policy)),
                seen: vec![versions_line(&policy)],
                reproduce: vec![describe(view, &policy)],
                ..Found::default()
            };
            out.about(listener_subject(listener), found);
        }
    }
}

/// One finding for each listener whose policy takes suites of a kind. `what` follows "suites": `with RC4`.
pub(super) fn suites_allowed(
    view: &AuditView<'_>,
    what: &str,
    is_meant: impl Fn(SuiteKind) -> bool,
    out: &mut Audited<'_>,
) {
    for (listener, policy) in policies(view) {
        let meant = suites(&policy, &is_meant);
        if meant.is_empty() {
            continue;
        }
        let count = plural(i64::try_from(meant.len()).unwrap_or(i64::MAX), "suite");
        let found = Found {
            message: format!("{} allows {count} {what}.", name(&policy)),
            seen: meant,
            reproduce: vec![describe(view, &policy)],
            ..Found::default()
        };
        out.about(listener_subject(listener), found);
    }
}

/// The suites of a kind, by both names: `AES128-SHA (TLS_RSA_WITH_AES_128_CBC_SHA)`.
pub(super) fn suites(policy: &PolicyContent, is_meant: impl Fn(SuiteKind) -> bool) -> Vec<String> {
    let named = policy.suites.iter().map(|suite| SuiteName::from(*suite));
    let meant = named.filter(|suite| kind_of(suite).is_some_and(&is_meant));
    let line = |suite: SuiteName| match &suite.openssl {
        Some(openssl) => format!("{openssl} ({suite})"),
        None => suite.to_string(),
    };
    meant.map(line).collect()
}

/// Its name, as a sentence's subject.
pub(super) fn name(policy: &PolicyContent) -> String {
    format!("The policy {}", Untrusted::from(policy.name.as_str()))
}

/// `it has TLSv1.0, TLSv1.1 and TLSv1.2`.
pub(super) fn versions_line(policy: &PolicyContent) -> String {
    let mut versions = policy.versions.clone();
    versions.sort_unstable();
    format!("it has {}", version_list(&versions))
}

/// The command that shows a policy's content.
pub(super) fn describe(view: &AuditView<'_>, policy: &PolicyContent) -> String {
    if is_classic(view) {
        let balancer = quote(&view.balancer.name);
        let command =
            format!("elb describe-load-balancer-policies --load-balancer-name {balancer}");
        return aws(view, &command);
    }
    let names = quote(&policy.name);
    let query = "'SslPolicies[0].[SslProtocols,Ciphers[].Name]'";
    aws(
        view,
        &format!("elbv2 describe-ssl-policies --names {names} --query {query}"),
    )
}

/// Whether it is a Classic Load Balancer: no policy of those has TLS 1.3.
pub(super) fn is_classic(view: &AuditView<'_>) -> bool {
    view.balancer.kind == LoadBalancerType::Classic
}
