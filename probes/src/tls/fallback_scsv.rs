//! Whether the server ends the handshake of a client that was made to fall back (RFC 7507).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::Answer;
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::ask::{Reply, question};
use crate::tls::hellos::{Extras, HelloOutcome};
use crate::tls::versions;
use crate::wire::registry::ProtocolVersion;

/// inappropriate_fallback: the alert that is about nothing else.
const INAPPROPRIATE_FALLBACK: u8 = 86;

/// Offers the oldest version that is spoken, with the signalling value of a client that has tried a
/// newer one.
pub struct FallbackScsv;

impl Probe for FallbackScsv {
    const ID: &'static str = "fallback_scsv";
    const ABOUT: &'static str = "whether a client that was made to fall back is stopped";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach", "versions"];
    type Seen = FallbackScsvSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<FallbackScsvSeen, ProbeError> {
        let (oldest, newest) = range(cx).await?;
        let control = versions::answered_hello(cx, oldest, cx.sni()).await;
        let hello = control.clone().with(Extras {
            fallback: true,
            ..Extras::default()
        });
        let seen = |answer, evidence| FallbackScsvSeen {
            answer,
            version: oldest,
            newest,
            evidence,
        };
        // The one alert that is about the fallback needs no second opinion.
        if let Ok(HelloOutcome::Alert(alert)) = cx.ask(&hello).await.outcome
            && alert.description.0 == INAPPROPRIATE_FALLBACK
        {
            return Ok(seen(Answer::Yes, HelloOutcome::Alert(alert).to_string()));
        }
        Ok(match question(cx, &hello, Some(&control)).await {
            Reply::Accepted(outcome) => {
                let version = outcome.flight().map(|flight| flight.hello.version());
                let answer = if version == Some(oldest) {
                    Answer::No
                } else {
                    Answer::Undetermined
                };
                seen(answer, outcome.to_string())
            }
            // Whatever it says: the same hello without the value is answered.
            Reply::Refused(refusal) => seen(Answer::Yes, refusal.evidence),
            Reply::Unclear(why) => seen(Answer::Undetermined, why),
            Reply::Unasked(error) => return Err(error.into()),
        })
    }
}

/// The oldest version to fall back to, and the newest to fall from.
async fn range(cx: &Cx) -> Result<(ProtocolVersion, ProtocolVersion), ProbeError> {
    let versions = versions::all(cx).await;
    let of = |answer| {
        let with = versions
            .0
            .iter()
            .filter(move |(_, seen)| seen.answer == answer);
        // SSLv2 is asked in another way, and has no such value.
        with.map(|(version, _)| *version)
            .filter(|version| *version >= ProtocolVersion::SSL3)
    };
    let (oldest, newest) = (of(Answer::Yes).min(), of(Answer::Yes).max());
    let open = of(Answer::Undetermined).next();
    let (Some(oldest), Some(newest)) = (oldest, newest) else {
        return Err(match open {
            Some(open) => undecided(open),
            None => ProbeError::not_applicable("SSLv2 has no signalling values"),
        });
    };
    if oldest == newest {
        return Err(match open {
            Some(open) => undecided(open),
            None => ProbeError::not_applicable(format!("nothing but {newest} is spoken")),
        });
    }
    // A client of TLS 1.3 that meets the sentinel in TLS 1.2 knows that it was made to fall back.
    if oldest == ProtocolVersion::TLS1_2 && open.is_none() {
        let flight = versions::spoken(cx, oldest).await.flight;
        if flight.is_some_and(|flight| flight.hello.warns_of_downgrade()) {
            return Err(ProbeError::not_applicable(
                "nothing older than TLSv1.2 is spoken, and there the sentinel of TLS 1.3 protects",
            ));
        }
    }
    Ok((oldest, newest))
}

fn undecided(version: ProtocolVersion) -> ProbeError {
    ProbeError::undecided(format!("whether {version} is spoken is undetermined"))
}

/// Whether the server refuses a fallback.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FallbackScsvSeen {
    /// Refused, or answered as any other client.
    pub answer: Answer,
    /// The version that it was asked in: the oldest that is spoken, from SSLv3 on.
    pub version: ProtocolVersion,
    /// The newest version that is spoken.
    pub newest: ProtocolVersion,
    /// What was sent and what came back.
    pub evidence: String,
}
