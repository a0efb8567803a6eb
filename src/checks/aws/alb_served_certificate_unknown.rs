//! A listener serves a certificate that it does not have.

use super::served::{Places, configured, is, same_names, tls};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::{Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbServedCertificateUnknown;

static RULE: Rule = Rule {
    id: "alb-served-certificate-unknown",
    title: "The certificate that is served is none of the listener's",
    severity: Severity::High,
    what: "A listener was probed, and serves a certificate that is none of those that AWS tells for it: neither \
           by its SHA-256 nor, where that is not known, by its serial number. Only where every certificate of \
           the listener was read. One for the same names as one of them is told as outdated instead.",
    why: "Something else answers at these addresses: a proxy or CDN before the load balancer, an inspecting \
          firewall between it and here, a DNS name or `--resolve` that leads to another one. What is renewed and \
          checked in ACM is not what clients see.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "See whose the addresses are: the load balancer's are those of its network interfaces.",
            snippet: Some(
                "aws ec2 describe-network-interfaces --filters 'Name=description,Values=ELB <TYPE>/<NAME>/<ID>' \
                 --query 'NetworkInterfaces[].[PrivateIpAddress,Association.PublicIp]'",
            ),
        },
        RuleFix {
            product: "AWS",
            text: "See which certificates the listener has now.",
            snippet: Some("aws elbv2 describe-listener-certificates --listener-arn <ARN>"),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html",
    ],
};

impl Audit for AlbServedCertificateUnknown {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for (listener, seen) in tls(view) {
            let Some(known) = configured(view, listener) else {
                continue;
            };
            let mut places = Places::default();
            let mut subject = None;
            for &seen in &seen {
                let Some(leaf) = seen.leaf() else { continue };
                let mut known = known.iter().map(|(_, detail)| *detail);
                if known.any(|detail| is(detail, leaf) || same_names(detail, leaf)) {
                    continue;
                }
                let line = format!(
                    "{}, by {}, serial {}",
                    leaf.subject, leaf.issuer, leaf.serial
                );
                places.add(seen, &line);
                subject.get_or_insert_with(|| leaf.subject.to_string());
            }
            let Some(subject) = subject else { continue };
            let message = format!(
                "The certificate {subject} is served, which is none of the listener's{}.",
                places.of(&seen)
            );
            out.about(listener_subject(listener), places.found("leaf", message));
        }
    }
}
