//! The stapled OCSP response says that the certificate is revoked.

use gladhand_probes::x509::RevocationStatus;

use super::support::{revoked_words, stapling, status_command, status_lines};
use super::{Check, Findings, Found, Rule, View, fixes};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct StaplingRevoked;

static RULE: Rule = Rule {
    id: "stapling-revoked",
    title: "The stapled OCSP response says that the certificate is revoked",
    severity: Severity::Critical,
    what: "The response that the server staples is valid and the issuer's, and says `revoked`. \
           Where `--revocation` finds the same, `certificate-revoked` tells it.",
    why: "Every client that reads stapled responses refuses the connection (Firefox: \
           SEC_ERROR_REVOKED_CERTIFICATE, alert certificate_revoked (44)). A certificate is \
           revoked because its key may be in other hands, or because it should not have been \
           issued.",
    fix: &[fixes::NEW_KEY, fixes::ACM_NEW_CERTIFICATE],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc6960#section-2.2",
        "https://www.rfc-editor.org/rfc/rfc5280#section-5.3.1",
    ],
};

impl Check for StaplingRevoked {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let response = stapling(view).and_then(|seen| seen.response.as_ref());
        let Some(response) = response.filter(|r| r.status == RevocationStatus::Revoked) else {
            return;
        };
        let asked = view.observations().revocation.seen();
        let told = asked.is_some_and(|seen| {
            seen.certificates
                .iter()
                .any(|one| one.certificate == Some(0) && one.status == RevocationStatus::Revoked)
        });
        if told {
            return;
        }
        out.push(Found {
            key: "leaf".into(),
            message: format!(
                "The stapled OCSP response says that the certificate {}.",
                revoked_words(response)
            ),
            seen: status_lines(response),
            reproduce: vec![status_command(view)],
            ..Found::default()
        });
    }
}
