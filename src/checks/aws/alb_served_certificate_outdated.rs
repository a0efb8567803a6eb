//! A listener serves another certificate for the same names than ACM has.

use gladhand_probes::aws::inventory::CertificateDetail;
use gladhand_probes::x509::CertificateFacts;

use super::served::{Places, called, configured, is, same_names, tls};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbServedCertificateOutdated;

static RULE: Rule = Rule {
    id: "alb-served-certificate-outdated",
    title: "The certificate that is served is not the one that ACM has now",
    severity: Severity::Medium,
    what: "A listener was probed, and serves a certificate for the same names as one that AWS tells for it, but \
           with another serial number. Medium where the served one is the older one; low where it is newer: the \
           answers were saved before a renewal, or another load balancer or proxy answers. Only where every \
           certificate of the listener was read.",
    why: "ACM renews under the same ARN and puts the new certificate on the load balancer by itself; that takes \
          minutes, and is not at every node at once. Where it stays so, clients will see the old one expire though \
          ACM says that all is well.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Wait some minutes after a renewal or an import, and probe again. Where a node keeps the old \
                   one, set the same certificate on the listener once more.",
            snippet: Some(
                "aws elbv2 modify-listener --listener-arn <ARN> --certificates CertificateArn=<CERTIFICATE ARN>",
            ),
        },
        RuleFix {
            product: "AWS",
            text: "See what ACM has.",
            snippet: Some(
                "aws acm describe-certificate --certificate-arn <CERTIFICATE ARN> --query \
                 'Certificate.[Serial,NotBefore,NotAfter,RenewalSummary.RenewalStatus]'",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html",
    ],
};

impl Audit for AlbServedCertificateOutdated {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for (listener, seen) in tls(view) {
            let Some(known) = configured(view, listener) else {
                continue;
            };
            for (_, detail) in &known {
                for newer in [false, true] {
                    let mut places = Places::default();
                    for &seen in &seen {
                        let Some(leaf) = seen.leaf() else { continue };
                        let other = !known.iter().any(|(_, detail)| is(detail, leaf));
                        if other && same_names(detail, leaf) && is_newer(detail, leaf) == newer {
                            places.add(seen, &line(detail, leaf));
                        }
                    }
                    if places.is_empty() {
                        continue;
                    }
                    let name = called(detail);
                    let at = places.of(&seen);
                    let (key, message, severity) = if newer {
                        let message = format!(
                            "The certificate for {name} is newer than the one that AWS tells{at}."
                        );
                        ("newer", message, Some(Severity::Low))
                    } else {
                        let message = format!(
                            "The certificate for {name} is served as it was before ACM's present one{at}."
                        );
                        ("older", message, None)
                    };
                    let found = Found {
                        severity,
                        ..places.found(format!("{key} {name}"), message)
                    };
                    out.about(listener_subject(listener), found);
                }
            }
        }
    }
}

fn is_newer(detail: &CertificateDetail, leaf: &CertificateFacts) -> bool {
    detail.not_before.is_some_and(|told| leaf.not_before > told)
}

fn line(detail: &CertificateDetail, leaf: &CertificateFacts) -> String {
    let told = detail.not_before.map(|told| format!(" of {}", told.date()));
    format!(
        "serial {} of {}, until {}; ACM has {}{}",
        leaf.serial,
        leaf.not_before.date(),
        leaf.not_after.date(),
        gladhand_probes::Untrusted::from(detail.serial.as_deref().unwrap_or("another one")),
        told.unwrap_or_default()
    )
}
