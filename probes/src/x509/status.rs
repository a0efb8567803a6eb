//! Whether a certificate is revoked: the words that OCSP responses and CRLs have in common.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::facts::rfc3339;
use crate::untrusted::Untrusted;

/// How far the clocks of this machine and of an issuer may be apart.
pub(super) const SKEW: Duration = Duration::minutes(5);

/// What an issuer says of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationStatus {
    /// It is not revoked.
    Good,
    /// It is revoked.
    Revoked,
    /// The responder does not know the certificate (RFC 6960 §2.2).
    Unknown,
    /// Nothing that can be relied on says so.
    Undetermined,
}

impl fmt::Display for RevocationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "good",
            Self::Revoked => "revoked",
            Self::Unknown => "unknown",
            Self::Undetermined => "undetermined",
        })
    }
}

/// Why an OCSP response or a CRL cannot be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StatusProblem {
    /// It cannot be fetched.
    Unavailable,
    /// It cannot be read.
    Unreadable,
    /// The responder answers with an error: try later, unauthorized (RFC 6960 §4.2.1).
    Refused,
    /// It is about another certificate.
    WrongCertificate,
    /// Its signature does not verify.
    BadSignature,
    /// Who signed it may not speak for the issuer.
    WrongSigner,
    /// It is past its nextUpdate.
    Expired,
    /// It is before its thisUpdate.
    NotYetValid,
    /// It answers another request: the nonce is another one.
    OldAnswer,
    /// Something that this program does not evaluate: an algorithm, an indirect or a delta CRL.
    Unsupported,
    /// The issuer's certificate is not known, so nothing of it can be verified.
    NoIssuer,
}

/// What an OCSP response or a CRL says of one certificate, verified.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatusFacts {
    /// What it says; undetermined unless it can be relied on.
    pub status: RevocationStatus,
    /// Why it cannot be relied on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<StatusProblem>,
    /// What the status stands on, in words.
    pub evidence: Untrusted,
    /// From when on it is right (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(with = "time::serde::rfc3339::option")]
    #[schemars(with = "Option<String>")]
    pub this_update: Option<OffsetDateTime>,
    /// When there is something newer at the latest (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(with = "time::serde::rfc3339::option")]
    #[schemars(with = "Option<String>")]
    pub next_update: Option<OffsetDateTime>,
    /// Since when the certificate is revoked (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(with = "time::serde::rfc3339::option")]
    #[schemars(with = "Option<String>")]
    pub revoked_at: Option<OffsetDateTime>,
    /// Why, by the name of RFC 5280 §5.3.1: `keyCompromise`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who signed it: the issuer, or a responder that it has delegated this to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<Untrusted>,
}

/// What keeps a response or a list from being relied on.
pub(super) type Trouble = (StatusProblem, String);

impl StatusFacts {
    /// Nothing, for a reason.
    pub(crate) fn undetermined(problem: StatusProblem, why: impl Into<Untrusted>) -> Self {
        Self {
            status: RevocationStatus::Undetermined,
            problem: Some(problem),
            evidence: why.into(),
            this_update: None,
            next_update: None,
            revoked_at: None,
            reason: None,
            signer: None,
        }
    }

    /// What was found out; where something is wrong, what of it was seen up to there.
    pub(super) fn judge(find_out: impl FnOnce(&mut Self) -> Result<(), Trouble>) -> Self {
        let mut facts = Self::undetermined(StatusProblem::Unreadable, "");
        facts.problem = None;
        if let Err((problem, why)) = find_out(&mut facts) {
            facts.status = RevocationStatus::Undetermined;
            facts.problem = Some(problem);
            facts.evidence = why.into();
        }
        facts
    }

    /// Whether it is current. One without a nextUpdate is, for `without` from its thisUpdate on.
    pub(super) fn check_dates(
        &self,
        now: OffsetDateTime,
        without: Duration,
    ) -> Result<(), Trouble> {
        let Some(this) = self.this_update else {
            return Ok(());
        };
        if this > now.saturating_add(SKEW) {
            let why = format!("it is right only from {} on", rfc3339(this));
            return Err((StatusProblem::NotYetValid, why));
        }
        let (end, told) = match self.next_update {
            Some(next) => (next, "its nextUpdate"),
            None => (
                this.saturating_add(without),
                "what it may be used without a nextUpdate",
            ),
        };
        if end < now.saturating_sub(SKEW) {
            let why = format!("it is past {told}, {}", rfc3339(end));
            return Err((StatusProblem::Expired, why));
        }
        Ok(())
    }

    /// Notes a revocation.
    pub(super) fn revoked(&mut self, at: OffsetDateTime, reason: Option<u32>) {
        self.status = RevocationStatus::Revoked;
        self.revoked_at = Some(at);
        self.reason = reason.map(reason_name);
    }
}

/// RFC 5280 §5.3.1.
fn reason_name(code: u32) -> String {
    let names = [
        "unspecified",
        "keyCompromise",
        "cACompromise",
        "affiliationChanged",
        "superseded",
        "cessationOfOperation",
        "certificateHold",
        "",
        "removeFromCRL",
        "privilegeWithdrawn",
        "aACompromise",
    ];
    let name = usize::try_from(code).ok().and_then(|code| names.get(code));
    match name {
        Some(name) if !name.is_empty() => (*name).into(),
        _ => format!("reason {code}"),
    }
}
