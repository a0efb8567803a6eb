//! The extended master secret is missing.

use gladhand_probes::Answer;
use gladhand_probes::wire::registry::ProtocolVersion;

use super::support::{flag, s_client, version_list};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct ExtendedMasterSecretMissing;

static RULE: Rule = Rule {
    id: "extended-master-secret-missing",
    title: "The extended master secret is missing",
    severity: Severity::Low,
    what: "In TLS 1.0, 1.1 or 1.2 the server does not take up extended_master_secret when it is \
           offered.",
    why: "Without it the master secret is not bound to the handshake, and two connections can be \
          made to share one (the triple handshake attack on client certificates). RHEL 9 in FIPS \
          mode and rustls with its FIPS provider refuse TLS 1.2 without it.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Update the TLS stack: OpenSSL has it since 1.1.0, GnuTLS since 3.4, Java since 8u161. \
                   Or leave only TLS 1.3, where there is no such extension since it is the rule.",
            snippet: None,
        },
        RuleFix {
            product: "JVM",
            text: "Java takes it up unless a property says otherwise: remove that.",
            snippet: Some("-Djdk.tls.useExtendedMasterSecret=false"),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc7627",
        "https://www.rfc-editor.org/rfc/rfc9325",
        "https://mitls.org/pages/attacks/3SHAKE",
    ],
};

impl Check for ExtendedMasterSecretMissing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().extended_master_secret.seen() else {
            return;
        };
        let without = seen.0.iter().filter(|(_, fact)| fact.answer == Answer::No);
        let without: Vec<_> = without.collect();
        let Some((newest, _)) = without.last() else {
            return;
        };
        let versions: Vec<ProtocolVersion> = without.iter().map(|(version, _)| **version).collect();
        let options = format!("{} -cipher 'DEFAULT@SECLEVEL=0'", flag(**newest));
        out.push(Found {
            message: format!(
                "The server has no extended master secret in {}.",
                version_list(&versions)
            ),
            seen: without
                .iter()
                .map(|(version, fact)| format!("{version}: {}", fact.evidence))
                .collect(),
            reproduce: vec![format!(
                "{} 2>/dev/null | grep 'Extended master secret'",
                s_client(view, &options)
            )],
            ..Found::default()
        });
    }
}
