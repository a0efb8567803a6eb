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

#[cfg(test)]
mod tests {
    use gladhand_probes::aws::Section;
    use gladhand_probes::aws::inventory::{Inventory, LoadBalancer};
    use time::macros::datetime;

    use super::*;

    /// What AWS's documentation says of its policies: the rules that fire, and the names without
    /// `ELBSecurityPolicy-`.
    const DOCUMENTED: &[(&[&str], &[&str])] = &[
        (
            &[],
            &[
                "TLS13-1-3-2021-06",
                "TLS13-1-3-PQ-2025-09",
                "TLS13-1-2-2021-06",
                "TLS13-1-2-PQ-2025-09",
                "TLS13-1-2-Res-2021-06",
                "TLS13-1-2-Res-PQ-2025-09",
                "TLS13-1-3-FIPS-2023-04",
                "TLS13-1-3-FIPS-PQ-2025-09",
                "TLS13-1-2-FIPS-2023-04",
                "TLS13-1-2-FIPS-PQ-2025-09",
                "TLS13-1-2-Res-FIPS-2023-04",
                "TLS13-1-2-Res-FIPS-PQ-2025-09",
                "TLS13-1-3-RFC9151-FIPS-2023-07",
                "TLS13-1-2-RFC9151-FIPS-2023-07",
                "TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07",
                "TLS13-1-2-RFC9151-INTEROP2-FIPS-2023-07",
            ],
        ),
        (
            &["alb-policy-cbc-sha1", "alb-policy-rsa-key-exchange"],
            &[
                "TLS13-1-2-Ext2-2021-06",
                "TLS13-1-2-Ext2-PQ-2025-09",
                "TLS13-1-2-Ext2-FIPS-2023-04",
                "TLS13-1-2-Ext2-FIPS-PQ-2025-09",
                "TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07",
            ],
        ),
        (
            &["alb-policy-rsa-key-exchange"],
            &[
                "TLS13-1-2-Ext1-2021-06",
                "TLS13-1-2-Ext1-PQ-2025-09",
                "TLS13-1-2-Ext1-FIPS-2023-04",
                "TLS13-1-2-Ext1-FIPS-PQ-2025-09",
                "TLS13-1-2-Ext0-RFC9151-FIPS-2023-07",
            ],
        ),
        (
            &[
                "alb-policy-tls-1-1-allowed",
                "alb-policy-cbc-sha1",
                "alb-policy-rsa-key-exchange",
            ],
            &["TLS13-1-1-2021-06", "TLS13-1-1-FIPS-2023-04"],
        ),
        (
            &[
                "alb-policy-tls-1-0-allowed",
                "alb-policy-tls-1-1-allowed",
                "alb-policy-cbc-sha1",
                "alb-policy-rsa-key-exchange",
            ],
            &[
                "TLS13-1-0-2021-06",
                "TLS13-1-0-PQ-2025-09",
                "TLS13-1-0-FIPS-2023-04",
                "TLS13-1-0-FIPS-PQ-2025-09",
            ],
        ),
        (
            &[
                "alb-policy-cbc-sha1",
                "alb-policy-rsa-key-exchange",
                "alb-policy-tls-1-3-missing",
            ],
            &["TLS-1-2-Ext-2018-06"],
        ),
        (
            &["alb-policy-rsa-key-exchange", "alb-policy-tls-1-3-missing"],
            &["TLS-1-2-2017-01"],
        ),
        (
            &[
                "alb-policy-tls-1-1-allowed",
                "alb-policy-cbc-sha1",
                "alb-policy-rsa-key-exchange",
                "alb-policy-tls-1-3-missing",
            ],
            &["TLS-1-1-2017-01"],
        ),
        (
            &[
                "alb-policy-tls-1-0-allowed",
                "alb-policy-tls-1-1-allowed",
                "alb-policy-cbc-sha1",
                "alb-policy-rsa-key-exchange",
                "alb-policy-tls-1-3-missing",
            ],
            &["2016-08", "2015-05"],
        ),
        (
            &["alb-policy-cbc-sha1"],
            &[
                "TLS13-1-2-Ext0-FIPS-2023-04",
                "TLS13-1-2-Ext0-FIPS-PQ-2025-09",
                "TLS13-1-2-RFC9151-INTEROP3-FIPS-2023-07",
            ],
        ),
        (
            &["alb-policy-tls-1-3-missing"],
            &["FS-1-2-Res-2020-10", "FS-1-2-Res-2019-08"],
        ),
        (
            &["alb-policy-cbc-sha1", "alb-policy-tls-1-3-missing"],
            &["FS-1-2-2019-08"],
        ),
        (
            &[
                "alb-policy-tls-1-1-allowed",
                "alb-policy-cbc-sha1",
                "alb-policy-tls-1-3-missing",
            ],
            &["FS-1-1-2019-08"],
        ),
        (
            &[
                "alb-policy-tls-1-0-allowed",
                "alb-policy-tls-1-1-allowed",
                "alb-policy-cbc-sha1",
                "alb-policy-tls-1-3-missing",
            ],
            &["FS-2018-06"],
        ),
    ];

    /// The rules about policies that fire for a listener with this one.
    fn fired(policy: &str, kind: LoadBalancerType) -> Vec<String> {
        let listener = Listener {
            protocol: "HTTPS".into(),
            port: 443,
            ssl_policy: Some(policy.into()),
            default_certificate: Some("arn:aws:acm:eu-central-1:123456789012:certificate/1".into()),
            ..Listener::default()
        };
        let inventory = Inventory {
            load_balancers: vec![LoadBalancer {
                kind,
                listeners: Section::Read(vec![listener]),
                ..LoadBalancer::default()
            }],
            ssl_policies: Section::Read(Vec::new()),
            ..Inventory::default()
        };
        let now = datetime!(2026-11-20 12:00 UTC);
        let findings = super::super::audit(&inventory, &[], now).findings;
        let mut rules: Vec<String> = findings.into_iter().map(|found| found.rule).collect();
        // Groups are documented nowhere, and that one was chosen by nobody has nothing to do with its content.
        let apart = ["alb-policy-post-quantum-missing", "alb-policy-default"];
        rules.retain(|rule| rule.contains("-policy-") && !apart.contains(&rule.as_str()));
        rules.sort();
        rules
    }

    #[test]
    fn every_documented_policy_is_judged_by_what_it_takes() {
        let mut count = 0;
        for (rules, names) in DOCUMENTED {
            for name in *names {
                // AWS lists that one for Network Load Balancers alone.
                let kind = match *name {
                    "2015-05" => LoadBalancerType::Network,
                    _ => LoadBalancerType::Application,
                };
                let mut expected = rules.to_vec();
                expected.sort_unstable();
                assert_eq!(
                    fired(&format!("ELBSecurityPolicy-{name}"), kind),
                    expected,
                    "{name}"
                );
                count += 1;
            }
        }
        assert_eq!(count, 45);
    }
}
