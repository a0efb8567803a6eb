//! The quota of certificates is nearly used up.

use std::collections::BTreeSet;

use gladhand_probes::aws::inventory::LoadBalancerType;

use super::commands::aws;
use super::{Audit, AuditView, Audited};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbCertificateQuota;

/// Certificates of a load balancer, without the default ones, unless the account's quota was raised.
const QUOTA: usize = 25;

/// So many left are worth a word.
const NEAR: usize = 2;

static RULE: Rule = Rule {
    id: "alb-certificate-quota",
    title: "The quota of certificates is nearly used up",
    severity: Severity::Low,
    what: "The listeners of an Application or Network Load Balancer have at least 23 certificates for SNI \
           together; the quota is 25 unless it was raised, which is not asked for. Default certificates do \
           not count. With more than 25 the quota has been raised, and the severity is info: the same \
           configuration fails in another account or region.",
    why: "One more is refused with `TooManyCertificates`, often in the middle of a deployment or of a \
          customer's first day.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Have the quota \"Certificates per Application Load Balancer\" raised in time.",
            snippet: Some(
                "aws service-quotas list-service-quotas --service-code elasticloadbalancing --query \"Quotas[?contains(QuotaName,'ertificates per')]\"",
            ),
        },
        RuleFix {
            product: "AWS",
            text: "Or join names in fewer certificates: a wildcard, or several names in one; and take away \
                   those of names that are not served any more.",
            snippet: Some(
                "aws elbv2 remove-listener-certificates --listener-arn <ARN> --certificates CertificateArn=<CERTIFICATE ARN>",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-limits.html",
    ],
};

impl Audit for AlbCertificateQuota {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        let types = [LoadBalancerType::Application, LoadBalancerType::Network];
        if !types.contains(&view.balancer.kind) {
            return;
        }
        let mut all = BTreeSet::new();
        let mut defaults = BTreeSet::new();
        for listener in view.listeners().filter(|listener| listener.has_tls()) {
            all.extend(listener.certificates.read().into_iter().flatten());
            defaults.extend(&listener.default_certificate);
        }
        let count = all.difference(&defaults).count();
        if count + NEAR < QUOTA {
            return;
        }
        let (words, severity) = if count > QUOTA {
            let words = "more than the quota gives unless it was raised";
            (words.to_owned(), Some(Severity::Info))
        } else {
            (
                format!("of {QUOTA} that the quota gives unless it was raised"),
                None,
            )
        };
        let arn = crate::checks::support::quote(&view.balancer.arn);
        out.push(Found {
            message: format!("The listeners have {count} certificates for SNI, {words}."),
            reproduce: vec![aws(
                view,
                &format!("elbv2 describe-listeners --load-balancer-arn {arn} --query 'Listeners[].ListenerArn'"),
            )],
            severity,
            ..Found::default()
        });
    }
}
