//! Which protocol versions the server speaks, from SSLv2 to TLS 1.3.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::Answer;
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::ask::{NOT_ABOUT_SUITES, Reply, question};
use crate::tls::enumerate::{Eliminated, Question};
use crate::tls::hellos::{Hello, HelloOutcome};
use crate::wire::flight::Flight;
use crate::wire::key_share::SMALL_SHARES;
use crate::wire::registry::{Group, ProtocolVersion, Ssl2Cipher, Suite};

/// Asks each version on its own.
pub struct Versions;

impl Probe for Versions {
    const ID: &'static str = "versions";
    const ABOUT: &'static str = "which protocol versions are spoken, SSLv2 to TLS 1.3";
    const STAGE: Stage = Stage::Hello;
    const NEEDS: &'static [&'static str] = &["reach"];
    type Seen = VersionsSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<VersionsSeen, ProbeError> {
        use ProtocolVersion as V;
        let (ssl2, ssl3, tls10, tls11, tls12, tls13) = tokio::join!(
            ssl2(cx),
            legacy(cx, V::SSL3),
            legacy(cx, V::TLS1_0),
            legacy(cx, V::TLS1_1),
            legacy(cx, V::TLS1_2),
            tls13(cx),
        );
        Ok(VersionsSeen(BTreeMap::from([
            (V::SSL2, ssl2),
            (V::SSL3, ssl3),
            (V::TLS1_0, tls10),
            (V::TLS1_1, tls11),
            (V::TLS1_2, tls12),
            (V::TLS1_3, tls13),
        ])))
    }
}

async fn ssl2(cx: &Cx) -> VersionAnswer {
    let hello = Hello::Ssl2 {
        ciphers: Ssl2Cipher::all().to_vec(),
    };
    match question(cx, &hello, None).await {
        Reply::Accepted(HelloOutcome::Ssl2(hello)) if hello.ciphers.is_empty() => {
            VersionAnswer::new(
                Answer::Undetermined,
                "SSLv2 SERVER-HELLO, no cipher in common",
            )
        }
        Reply::Accepted(outcome @ HelloOutcome::Ssl2(_)) => {
            VersionAnswer::new(Answer::Yes, outcome.to_string())
        }
        // A ServerHello of a newer version in answer to an SSLv2 hello (RFC 5246 appendix E.2).
        Reply::Accepted(outcome) => VersionAnswer::new(Answer::No, outcome.to_string()),
        Reply::Refused(refusal) => VersionAnswer::new(Answer::No, refusal.evidence),
        Reply::Unclear(why) => VersionAnswer::new(Answer::Undetermined, why),
        Reply::Unasked(error) => VersionAnswer::new(Answer::Undetermined, error.to_string()),
    }
}

/// SSLv3 to TLS 1.2: the usual suites, and where they may be refused for their own sake, the rare
/// ones.
async fn legacy(cx: &Cx, version: ProtocolVersion) -> VersionAnswer {
    let usual = first(cx, version, Suite::common()).await;
    if usual.answer.answer != Answer::No || !usual.about_suites {
        return usual.answer;
    }
    // A server picks the newest version that it has, up to the one that is asked for (RFC 5246
    // appendix E.1): TLS 1.1 with rare suites asks for what is below as well, once for all three.
    if version < ProtocolVersion::TLS1_1 {
        let below = first(cx, ProtocolVersion::TLS1_1, Suite::rare()).await;
        if below.answer.answer == Answer::No && !below.other_version {
            return usual.answer;
        }
    }
    let rare = first(cx, version, Suite::rare()).await.answer;
    if rare.answer == Answer::No {
        usual.answer
    } else {
        rare
    }
}

struct First {
    answer: VersionAnswer,
    /// Other suites might be taken.
    about_suites: bool,
    /// The server answered with another version.
    other_version: bool,
}

/// Whether one of the suites is accepted in the version.
async fn first(cx: &Cx, version: ProtocolVersion, suites: &[Suite]) -> First {
    let ask = Question::<Suite> {
        in_hello: true,
        hello: Box::new(|suites| Hello::suites(version, suites, cx.sni())),
        pick: Box::new(|flight: &Flight| {
            (flight.hello.version() == version).then_some(flight.hello.suite)
        }),
    };
    let seen = Eliminated::first(cx, &ask, suites).await;
    let (answer, evidence) = match seen.accepted.first() {
        Some((_, flight)) => (
            Answer::Yes,
            HelloOutcome::ServerHello(flight.clone()).to_string(),
        ),
        None if seen.undetermined.is_empty() => (Answer::No, seen.evidence.join("; ")),
        None => (Answer::Undetermined, seen.evidence.join("; ")),
    };
    First {
        answer: VersionAnswer::new(answer, evidence),
        about_suites: !seen
            .alert
            .is_some_and(|alert| NOT_ABOUT_SUITES.contains(&alert))
            && !seen.other_version,
        other_version: seen.other_version,
    }
}

async fn tls13(cx: &Cx) -> VersionAnswer {
    let mut last = VersionAnswer::new(Answer::Undetermined, "not asked");
    // First without key shares: the server names suite and group, and has nothing to compute. Then
    // with shares, for servers that know no HelloRetryRequest.
    for shares in [&[][..], SMALL_SHARES] {
        let hello = Hello::tls13(Suite::tls13(), Group::tls13(), shares, cx.sni());
        last = match question(cx, &hello, None).await {
            Reply::Accepted(outcome) => {
                let hello = outcome.flight().map(|flight| &flight.hello);
                let spoken = hello.is_some_and(|hello| {
                    hello.is_retry() || hello.version() == ProtocolVersion::TLS1_3
                });
                let offered = hello.is_some_and(|hello| {
                    Suite::tls13().contains(&hello.suite)
                        && hello
                            .group()
                            .is_none_or(|group| Group::tls13().contains(&group))
                });
                if spoken && !offered {
                    let why = format!("{outcome}, which was not offered");
                    return VersionAnswer::new(Answer::Undetermined, why);
                }
                if spoken {
                    let mut answer = VersionAnswer::new(Answer::Yes, outcome.to_string());
                    answer.needs_key_share = !shares.is_empty();
                    return answer;
                }
                VersionAnswer::new(Answer::No, format!("answered with {outcome}"))
            }
            Reply::Refused(refusal) => {
                let settled = refusal
                    .alert
                    .is_some_and(|alert| NOT_ABOUT_SUITES.contains(&alert));
                let answer = VersionAnswer::new(Answer::No, refusal.evidence);
                if settled {
                    return answer;
                }
                answer
            }
            Reply::Unclear(why) => VersionAnswer::new(Answer::Undetermined, why),
            Reply::Unasked(error) => VersionAnswer::new(Answer::Undetermined, error.to_string()),
        };
    }
    last
}

/// The answer for each version, keyed `SSLv2` `SSLv3` `TLSv1.0` … `TLSv1.3`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct VersionsSeen(pub BTreeMap<ProtocolVersion, VersionAnswer>);

/// Whether one version is spoken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VersionAnswer {
    /// Spoken or not.
    pub answer: Answer,
    /// What was sent and what came back.
    pub evidence: String,
    /// TLS 1.3 only: the server answers hellos only when they carry a key share (it knows no
    /// HelloRetryRequest).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_key_share: bool,
}

impl VersionsSeen {
    /// The answer for one version; undetermined where there is none.
    pub fn answer(&self, version: ProtocolVersion) -> Answer {
        self.0
            .get(&version)
            .map_or(Answer::Undetermined, |seen| seen.answer)
    }

    /// The versions that are spoken, oldest first.
    pub fn spoken(&self) -> impl Iterator<Item = ProtocolVersion> + '_ {
        self.0
            .iter()
            .filter(|(_, seen)| seen.answer == Answer::Yes)
            .map(|(version, _)| *version)
    }
}

impl VersionAnswer {
    fn new(answer: Answer, evidence: impl Into<String>) -> Self {
        Self {
            answer,
            evidence: evidence.into(),
            needs_key_share: false,
        }
    }
}
