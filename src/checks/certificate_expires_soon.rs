//! The server's certificate, or an intermediate, expires soon.

use time::Duration;

use super::support::{Place, certificate_lines, date, intermediates, leaf, showcerts, span, x509};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct CertificateExpiresSoon;

/// How early to tell.
const DAYS: Duration = Duration::days(30);

/// Certificates that live shorter are renewed more often: for them it is a third of the lifetime.
const SHORT_LIVED: Duration = Duration::days(90);

static RULE: Rule = Rule {
    id: "certificate-expires-soon",
    title: "The certificate expires soon",
    severity: Severity::Medium,
    what: "The server's certificate, or an intermediate of its chain, has less than 30 days left. \
           Where the whole lifetime is under 90 days, the limit is a third of it, so that a 47-day \
           certificate does not alarm for most of its life. With less than a third of that limit \
           left, the severity is high.",
    why: "Automatic renewal should have replaced it by now: ACM starts 45 days ahead, ACME clients \
          with a third of the lifetime left. A certificate that gets this far was usually \
          forgotten, or its renewal fails silently.",
    fix: &[
        RuleFix {
            product: "any",
            text: "See when the renewal last ran and why it failed. If the renewed file is on \
                   disk, the server has not been reloaded since.",
            snippet: Some("certbot renew --dry-run"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "Ask ACM for the renewal's state. PENDING_VALIDATION wants the DNS record back; \
                   an imported certificate (INELIGIBLE) has to be imported anew.",
            snippet: Some(
                "aws acm describe-certificate --certificate-arn <ARN> \
                 --query 'Certificate.[Type,NotAfter,RenewalEligibility,RenewalSummary]'",
            ),
        },
        RuleFix {
            product: "any",
            text: "For an intermediate: take the current chain from the CA and deploy it with the \
                   next renewal. The server's own certificate may stay.",
            snippet: None,
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5",
        "https://docs.aws.amazon.com/acm/latest/userguide/troubleshooting-renewal.html",
    ],
};

impl Check for CertificateExpiresSoon {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let leaf = leaf(view).map(|facts| Place { index: 0, facts });
        let mut told = false;
        for place in leaf.into_iter().chain(intermediates(view)) {
            let left = place.facts.not_after - view.now;
            let limit = limit(place.facts.not_after - place.facts.not_before);
            if left.is_negative() || left >= limit {
                continue;
            }
            let is_leaf = place.index == 0;
            // One finding for all intermediates: the remedy is one, too.
            if !is_leaf && std::mem::replace(&mut told, true) {
                continue;
            }
            out.push(Found {
                key: place.role().into(),
                message: format!(
                    "{} expires in {}, on {}.",
                    place.name(),
                    span(left),
                    date(place.facts.not_after)
                ),
                seen: certificate_lines(place.facts),
                reproduce: vec![if is_leaf {
                    x509(view, "-subject -dates")
                } else {
                    showcerts(view)
                }],
                severity: (left < limit / 3).then_some(Severity::High),
                ..Found::default()
            });
        }
    }
}

/// With how much time left a certificate of this lifetime is told about.
pub(super) fn limit(lifetime: Duration) -> Duration {
    if lifetime < SHORT_LIVED {
        lifetime / 3
    } else {
        DAYS
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;
    use time::macros::datetime;

    use super::*;
    use crate::checks::tests::{findings_at, fixture};

    const BEFORE: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

    /// The severity with this much of this lifetime left, if there is a finding.
    fn severity(lifetime: Duration, left: Duration) -> Option<Severity> {
        let mut target = fixture("certificate-expires-soon").silent.remove(0);
        let seen = &mut target.endpoints[0].observations;
        let gladhand_probes::Attempt::Seen(seen) = &mut seen.certificate else {
            panic!()
        };
        seen.served.truncate(1);
        seen.chain.path = vec![0];
        seen.served[0].not_before = BEFORE;
        seen.served[0].not_after = BEFORE + lifetime;
        let findings = findings_at(&target, BEFORE + lifetime - left);
        findings
            .iter()
            .find(|found| found.rule == RULE.id)
            .map(|found| found.severity)
    }

    const SECOND: Duration = Duration::SECOND;

    #[test]
    fn a_year_long_certificate_is_told_about_under_30_days() {
        let year = Duration::days(365);
        assert_eq!(severity(year, Duration::days(30)), None);
        assert_eq!(
            severity(year, Duration::days(30) - SECOND),
            Some(Severity::Medium)
        );
        assert_eq!(severity(year, Duration::days(10)), Some(Severity::Medium));
        assert_eq!(
            severity(year, Duration::days(10) - SECOND),
            Some(Severity::High)
        );
    }

    #[test]
    fn a_short_lived_certificate_is_told_about_under_a_third() {
        let short = Duration::days(45);
        assert_eq!(severity(short, Duration::days(15)), None);
        assert_eq!(
            severity(short, Duration::days(15) - SECOND),
            Some(Severity::Medium)
        );
        assert_eq!(
            severity(short, Duration::days(5) - SECOND),
            Some(Severity::High)
        );
        assert_eq!(severity(Duration::days(6), Duration::days(3)), None);
    }

    #[test]
    fn ninety_days_are_not_short() {
        assert_eq!(severity(Duration::days(90), Duration::days(30)), None);
        assert_eq!(
            severity(Duration::days(90), Duration::days(30) - SECOND),
            Some(Severity::Medium)
        );
    }

    #[test]
    fn at_not_after_it_is_valid_still_and_then_another_rule_tells() {
        let year = Duration::days(365);
        assert_eq!(severity(year, Duration::ZERO), Some(Severity::High));
        assert_eq!(severity(year, -SECOND), None);
    }
}
