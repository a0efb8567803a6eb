//! What is known of how a load balancer fares at a target.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::instead::{Change, Instead};
use crate::fact::{Answer, Fact};
use crate::settings::BalancerKind;
use crate::tls::hellos::HelloOutcome;
use crate::untrusted::Untrusted;
use crate::wire::names::{GroupName, SuiteName};
use crate::wire::registry::{AlertDescription, ProtocolVersion};

/// How a load balancer fares at a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BackendSeen {
    /// The type of the load balancer.
    pub balancer: BalancerKind,
    /// The policy towards its targets.
    pub policy: String,
    /// Nobody named that policy.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub policy_assumed: bool,
    /// After so many milliseconds a load balancer gives a handshake up.
    pub gives_up_ms: f64,
    /// The versions that the policy offers, newest first.
    pub offered: Vec<ProtocolVersion>,
    /// What became of its hello: that policy's versions and suites, no server name.
    pub hello: BackendHello,
    /// The handshake, completed; none where the hello was not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake: Option<BackendHandshake>,
    /// Client certificates, which a load balancer never has; none where nothing shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<BackendClientCertificate>,
    /// The certificate, which a load balancer does not verify; none where none was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<BackendCertificate>,
    /// Other hellos, where this one was not answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instead: Vec<Instead>,
}

/// What became of a load balancer's hello.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BackendHello {
    /// Whether the target takes it up.
    pub taken: Fact,
    /// What came back.
    pub outcome: HelloAnswer,
    /// The version that the target picked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<ProtocolVersion>,
    /// The suite that it picked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<SuiteName>,
    /// The group that it picked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupName>,
    /// The number of the alert that came instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<u8>,
    /// Milliseconds from the hello to the answer, or to the end of the wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<f64>,
}

/// What came back to a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HelloAnswer {
    /// A ServerHello or a HelloRetryRequest.
    ServerHello,
    /// An alert.
    Alert,
    /// FIN.
    Closed,
    /// RST.
    Reset,
    /// Nothing in the time that a load balancer waits.
    Silent,
    /// Something that is no TLS.
    NotTls,
    /// TLS, but broken.
    Malformed,
}

/// A load balancer's handshake, completed by this program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BackendHandshake {
    /// Whether it completes. Undetermined where this program has not what the target picks.
    pub completes: Fact,
    /// The negotiated version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<ProtocolVersion>,
    /// The negotiated suite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<SuiteName>,
    /// The negotiated group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupName>,
    /// The number of the alert that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<u8>,
    /// That alert's IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_name: Option<String>,
    /// Milliseconds from the hello to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<f64>,
}

/// Whether a target wants a client certificate from a load balancer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BackendClientCertificate {
    /// Whether it asks for one.
    pub requested: Fact,
    /// Whether the handshake ends without one; none where it was not asked for in a completed handshake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_by_handshake: Option<Fact>,
    /// Whether requests are refused without one; none where no request was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_by_http: Option<Fact>,
}

/// What a target's certificate says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BackendCertificate {
    /// The subject.
    pub subject: Untrusted,
    /// The issuer.
    pub issuer: Untrusted,
    /// Valid from (RFC 3339).
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String")]
    pub not_before: OffsetDateTime,
    /// Valid to (RFC 3339).
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String")]
    pub not_after: OffsetDateTime,
    /// It is signed by its own key.
    pub self_signed: bool,
    /// SHA-256 of the certificate, in lower-case hex.
    pub sha256: String,
}

/// What keeps a load balancer from being answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The target speaks none of the policy's versions.
    Version,
    /// It has none of the policy's suites.
    Suite,
    /// It has none of the groups.
    Group,
    /// It can sign with none of the signature schemes: the type of its certificate.
    SignatureScheme,
    /// It, or something before it, does not bear a hello with a post-quantum share.
    PostQuantum,
    /// It answers hellos with a server name only.
    ServerName,
}

impl BackendSeen {
    /// What keeps the load balancer from being answered: each stands on a hello that is answered and differs
    /// in that alone, and on refusals of the others beyond doubt. Empty where it is answered, or where
    /// nothing decides.
    pub fn causes(&self) -> Vec<Cause> {
        if self.hello.taken.answer == Answer::Yes {
            return Vec::new();
        }
        // RFC 6066 §3: the name is not known. There was none.
        let unrecognized = self.hello.alert == Some(AlertDescription::UNRECOGNIZED_NAME.0);
        if self.answer(Change::ServerName, true) == Some(Answer::Yes) {
            return match self.hello.taken.answer {
                Answer::No => vec![Cause::ServerName],
                _ => Vec::new(),
            };
        }
        if self.hello.taken.answer != Answer::No {
            let alone = unrecognized && self.instead.is_empty();
            return alone.then_some(Cause::ServerName).into_iter().collect();
        }
        for with_name in [false, true] {
            let mut causes = self.one_of(with_name);
            if !causes.is_empty() {
                causes.extend(with_name.then_some(Cause::ServerName));
                return causes;
            }
        }
        Vec::new()
    }

    /// Whether the load balancer's hello is refused, or what it lacks to be answered is known.
    pub fn is_refused(&self) -> bool {
        self.hello.taken.answer == Answer::No || !self.causes().is_empty()
    }

    /// The parameters whose change alone makes the hello be answered.
    fn one_of(&self, with_name: bool) -> Vec<Cause> {
        let is = |change, wanted| self.answer(change, with_name) == Some(wanted);
        if is(Change::NoPostQuantum, Answer::Yes) {
            return vec![Cause::PostQuantum];
        }
        let changes = [
            (Change::Suites, Cause::Suite),
            (Change::Groups, Cause::Group),
            (Change::SignatureSchemes, Cause::SignatureScheme),
        ];
        let changes = changes.into_iter();
        let causes: Vec<Cause> = changes
            .filter(|(change, _)| is(*change, Answer::Yes))
            .map(|(_, cause)| cause)
            .collect();
        let no_version =
            is(Change::OtherVersions, Answer::Yes) && is(Change::EverythingButVersions, Answer::No);
        if causes.is_empty() && no_version {
            return vec![Cause::Version];
        }
        causes
    }

    fn answer(&self, change: Change, with_name: bool) -> Option<Answer> {
        self.changed(change, with_name)
            .map(|instead| instead.taken.answer)
    }

    /// The hello with this change, with the server name or without.
    pub fn changed(&self, change: Change, with_name: bool) -> Option<&Instead> {
        let mut all = self.instead.iter();
        all.find(|instead| instead.change == change && instead.with_name == with_name)
    }

    /// The longest that the target took: to answer the hello, or to complete the handshake, in milliseconds.
    pub fn slowest_ms(&self) -> Option<f64> {
        let handshake = self.handshake.as_ref().and_then(|handshake| handshake.ms);
        let all = [self.hello.ms, handshake].into_iter().flatten();
        all.reduce(f64::max)
    }

    /// Whether a load balancer would have given up.
    pub fn is_too_slow(&self) -> bool {
        let in_hello = matches!(
            self.hello.outcome,
            HelloAnswer::ServerHello | HelloAnswer::Silent
        );
        let slow = |ms: Option<f64>| ms.is_some_and(|ms| ms >= self.gives_up_ms);
        let handshake = self.handshake.as_ref().and_then(|handshake| handshake.ms);
        (in_hello && slow(self.hello.ms)) || slow(handshake)
    }

    /// Makes every "no" undetermined.
    pub(super) fn doubt(&mut self, why: &str) {
        let handshake = self.handshake.iter_mut().map(|seen| &mut seen.completes);
        let instead = self.instead.iter_mut().map(|seen| &mut seen.taken);
        let facts = [&mut self.hello.taken].into_iter();
        for fact in facts.chain(handshake).chain(instead) {
            if fact.answer == Answer::No {
                fact.answer = Answer::Undetermined;
                fact.evidence = format!("{}; but {why}", fact.evidence);
            }
        }
    }
}

impl Default for BackendHandshake {
    fn default() -> Self {
        Self {
            completes: Fact::new(Answer::Undetermined, "no handshake was made"),
            version: None,
            suite: None,
            group: None,
            alert: None,
            alert_name: None,
            ms: None,
        }
    }
}

impl From<Fact> for BackendClientCertificate {
    fn from(requested: Fact) -> Self {
        Self {
            requested,
            required_by_handshake: None,
            required_by_http: None,
        }
    }
}

impl From<&HelloOutcome> for HelloAnswer {
    fn from(outcome: &HelloOutcome) -> Self {
        match outcome {
            HelloOutcome::ServerHello(_) | HelloOutcome::Retry(_) => Self::ServerHello,
            HelloOutcome::Alert(_) => Self::Alert,
            HelloOutcome::Closed => Self::Closed,
            HelloOutcome::Reset => Self::Reset,
            HelloOutcome::Silent => Self::Silent,
            HelloOutcome::NotTls(_) => Self::NotTls,
            // SSLv2 was not offered.
            HelloOutcome::Ssl2(_) | HelloOutcome::Ssl2Error(_) | HelloOutcome::Malformed(_) => {
                Self::Malformed
            }
        }
    }
}
