//! A profile of Mozilla's guidelines that was asked for is not met.

use gladhand_probes::Answer;

use super::support::nmap;
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::mozilla::{Kind, compare, is_met, wanted};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct MozillaProfileMissed;

static RULE: Rule = Rule {
    id: "mozilla-profile-missed",
    title: "The Mozilla profile that was asked for is missed",
    severity: Severity::Medium,
    what: "With `--mozilla`, a server that differs from that profile of Mozilla's guidelines. What the \
           profile lists is an upper bound: every version, suite and group beyond it counts, and so \
           does a certificate with another kind of key, a smaller one, another signature or a longer \
           life, and a smaller group for DHE. A server may have less, but it must speak TLS 1.3, and \
           have a suite and a group of the profile; X25519MLKEM768 need not be among them. Where the \
           profile leaves the order of suites to the client, a server's own does not count. HSTS, the \
           stapled OCSP response (not every CA has one) and the recommended life of a certificate are \
           not judged; of a server with two certificates, only the one that ordinary clients get.",
    why: "Who promises a profile, to customers or to an auditor, wants to know where a server leaves it.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Mozilla's generator writes the configuration for many servers, by their version.",
            snippet: Some("https://ssl-config.mozilla.org/"),
        },
        RuleFix {
            product: "nginx",
            text: "The directives that make the difference for the profile intermediate; modern has \
                   TLSv1.3 alone and no `ssl_ciphers`.",
            snippet: Some(
                "ssl_protocols TLSv1.2 TLSv1.3;\nssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;\nssl_ecdh_curve X25519:prime256v1:secp384r1;\nssl_prefer_server_ciphers off;",
            ),
        },
        RuleFix {
            product: "HAProxy",
            text: "The same on the bind line.",
            snippet: Some(
                "bind :443 ssl crt /etc/haproxy/certs/ ssl-min-ver TLSv1.2 ciphers ECDHE+AESGCM:ECDHE+CHACHA20 curves X25519:P-256:P-384 prefer-client-ciphers",
            ),
        },
        RuleFix {
            product: "AWS ALB",
            text: "The policies with `Res` in their name have ECDHE and AEAD only; those with `TLS13-1-3` \
                   have TLS 1.3 alone. Groups cannot be chosen.",
            snippet: Some(
                "aws elbv2 modify-listener --listener-arn <ARN> --ssl-policy ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
            ),
        },
    ],
    references: &[
        "https://wiki.mozilla.org/Security/Server_Side_TLS",
        "https://ssl-config.mozilla.org/guidelines/6.0.json",
        "https://ssl-config.mozilla.org/guidelines/5.8.json",
    ],
};

impl Check for MozillaProfileMissed {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(profile) = wanted(view.endpoint) else {
            return;
        };
        let differences = compare(view.observations(), profile);
        if is_met(&differences) != Answer::No {
            return;
        }
        let decides = |kind| matches!(kind, Kind::Excess | Kind::Lacking);
        let points = differences.iter().filter(|one| decides(one.kind)).count();
        let points = match points {
            1 => "1 point".into(),
            many => format!("{many} points"),
        };
        out.push(Found {
            key: profile.name.clone(),
            message: format!(
                "The server misses the profile {} of Mozilla's guidelines {} in {points}.",
                profile.name, profile.guideline
            ),
            seen: differences.iter().map(ToString::to_string).collect(),
            reproduce: vec![nmap(view)],
            ..Found::default()
        });
    }
}
