//! Clients without a server name get another certificate than the listener's default one.

use gladhand_probes::tls::sni::SniOutcome;

use super::served::{Places, called, configured, sha256, tls};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::{Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbServedDefaultCertificateDiffers;

static RULE: Rule = Rule {
    id: "alb-served-default-certificate-differs",
    title: "Without a server name, not the default certificate is served",
    severity: Severity::Medium,
    what: "A listener was probed without a server name, and serves another one of its certificates than the one \
           that AWS tells as its default. Only where the SHA-256 of both is known. A certificate that is none \
           of the listener's is told by another rule.",
    why: "Clients that send no server name (old ones, health checks, everything that goes by the address) get the \
          default certificate, and so do those that ask for a name that no certificate has. A change of the \
          default has not reached every node, or what answers is not this listener.",
    fix: &[RuleFix {
        product: "AWS",
        text: "See which one is the default now; after a change, probe again some minutes later.",
        snippet: Some(
            "aws elbv2 describe-listener-certificates --listener-arn <ARN> --query 'Certificates[?IsDefault]'",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html",
    ],
};

impl Audit for AlbServedDefaultCertificateDiffers {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for (listener, seen) in tls(view) {
            let Some(known) = configured(view, listener) else {
                continue;
            };
            let Some((_, default)) = known.first() else {
                continue;
            };
            let Some(wanted) = sha256(default) else {
                continue;
            };
            let mut places = Places::default();
            let mut instead = None;
            for &seen in &seen {
                let Some(sni) = seen.endpoint.observations.sni.seen() else {
                    continue;
                };
                let served = sni.without.sha256.as_deref();
                let Some(served) =
                    served.filter(|_| sni.without.outcome == SniOutcome::Certificate)
                else {
                    continue;
                };
                let own = |detail: &str| detail.eq_ignore_ascii_case(served);
                if own(wanted) {
                    continue;
                }
                let other = known
                    .iter()
                    .find(|(_, detail)| sha256(detail).is_some_and(own));
                if let Some((_, other)) = other {
                    places.add(seen, &sni.without.evidence);
                    instead.get_or_insert(*other);
                }
            }
            let Some(instead) = instead else { continue };
            let message = format!(
                "Without a server name the certificate for {} is served; the default one is that for {}{}.",
                called(instead),
                called(default),
                places.of(&seen)
            );
            out.about(listener_subject(listener), places.found("default", message));
        }
    }
}
