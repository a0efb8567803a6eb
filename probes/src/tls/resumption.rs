//! Whether sessions are resumed: by id, by ticket, by pre-shared key, and each of it tried.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Answer, Fact};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::handshake;
use crate::tls::session::{Means, ResumeSpec, Resumptions};
use crate::tls::versions;
use crate::wire::registry::ProtocolVersion;

/// How often a session is offered again. Where nodes behind one address do not share what it takes, one
/// try may meet the node that issued it.
const TRIES: usize = 2;

/// Reads off the clear flights whether ids are issued; then establishes a session for each means of TLS
/// 1.2 and 1.3, and offers it again.
pub struct Resumption;

impl Probe for Resumption {
    const ID: &'static str = "session";
    const ABOUT: &'static str =
        "whether sessions are resumed: ids, tickets, TLS 1.3 tickets, 0-RTT";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach", "versions"];
    type Seen = SessionSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<SessionSeen, ProbeError> {
        if let Some(why) = handshake::refused(cx).await? {
            return Err(ProbeError::not_applicable(why));
        }
        let all = ProtocolVersion::all().iter().copied();
        let asked = all
            .filter(|version| *version >= ProtocolVersion::TLS1_0)
            .map(|version| async move { (version, Box::pin(of_version(cx, version)).await) });
        let mut seen = BTreeMap::new();
        for (version, sessions) in join_all(asked).await {
            if let Some(sessions) = sessions? {
                seen.insert(version, sessions);
            }
        }
        Ok(SessionSeen(seen))
    }
}

/// None where the version is not spoken, or not known to be.
async fn of_version(
    cx: &Cx,
    version: ProtocolVersion,
) -> Result<Option<VersionSessions>, ProbeError> {
    let spoken = versions::spoken(cx, version).await;
    let (Answer::Yes, Some(flight)) = (spoken.answer.answer, spoken.flight) else {
        return Ok(None);
    };
    if version >= ProtocolVersion::TLS1_3 {
        let made = made(cx, Means::Psk, TRIES).await?;
        return Ok(Some(VersionSessions {
            tickets: Some(ResumptionBy::read(&made, tickets_tls13(&made))),
            ticket_count: made.established.then_some(made.tickets),
            max_early_data_size: made.max_early_data_size,
            ..VersionSessions::default()
        }));
    }
    // This hello offers no ticket.
    let id = flight.hello.session_id.len();
    let issued = if id == 0 {
        Fact::new(Answer::No, "an empty session_id in the ServerHello")
    } else {
        Fact::new(Answer::Yes, format!("a session_id of {id} bytes"))
    };
    if version < ProtocolVersion::TLS1_2 {
        return Ok(Some(VersionSessions {
            ids: Some(ResumptionBy::issued(issued)),
            ..VersionSessions::default()
        }));
    }
    let newer = versions::spoken(cx, ProtocolVersion::TLS1_3).await;
    // Keys and cache serve every version: what nodes do not share shows in TLS 1.3 as well.
    let tries = match newer.answer.answer {
        Answer::Yes => 1,
        _ => TRIES,
    };
    let by_ticket = made(cx, Means::Ticket, tries).await?;
    let tickets = ResumptionBy::read(&by_ticket, ticket_tls12(&by_ticket));
    // Who takes its tickets need not keep sessions in memory: clients that know none are rare.
    let ids = if issued.answer != Answer::Yes || tickets.is_resumed() {
        ResumptionBy::issued(issued)
    } else {
        let made = made(cx, Means::SessionId, tries).await?;
        ResumptionBy::read(&made, issued)
    };
    let hint = by_ticket.ticket.map(|ticket| ticket.lifetime_hint);
    Ok(Some(VersionSessions {
        ids: Some(ids),
        tickets: Some(tickets),
        lifetime_hint_seconds: hint.filter(|hint| *hint > 0),
        ..VersionSessions::default()
    }))
}

async fn made(cx: &Cx, means: Means, tries: usize) -> Result<Arc<Resumptions>, ProbeError> {
    let spec = ResumeSpec {
        sni: cx.sni(),
        means,
        tries,
    };
    Ok(cx.resumptions(&spec).await?)
}

fn tickets_tls13(made: &Resumptions) -> Fact {
    match (made.established, made.tickets) {
        (false, _) => unestablished(made),
        (true, 0) if made.closed => Fact::new(
            Answer::No,
            "no NewSessionTicket from Finished to the end of the connection",
        ),
        (true, 0) => Fact::new(
            Answer::Undetermined,
            "no NewSessionTicket behind Finished, but the connection stays open",
        ),
        (true, count) => Fact::new(
            Answer::Yes,
            format!("{count} NewSessionTicket behind Finished"),
        ),
    }
}

fn ticket_tls12(made: &Resumptions) -> Fact {
    match (made.established, made.ticket) {
        (false, _) => unestablished(made),
        (true, None) => Fact::new(Answer::No, "no NewSessionTicket, which was asked for"),
        (true, Some(ticket)) if ticket.length == 0 => {
            Fact::new(Answer::No, "an empty NewSessionTicket")
        }
        (true, Some(ticket)) => Fact::new(
            Answer::Yes,
            format!("a NewSessionTicket of {} bytes", ticket.length),
        ),
    }
}

fn unestablished(made: &Resumptions) -> Fact {
    let why = made.failures.last().map_or("none was made", String::as_str);
    Fact::new(
        Answer::Undetermined,
        format!("no handshake was completed: {why}"),
    )
}

impl ResumptionBy {
    /// Whether it was resumed each time.
    fn is_resumed(&self) -> bool {
        self.resumptions > 0 && self.resumptions == self.tries
    }

    fn issued(issued: Fact) -> Self {
        Self {
            issued,
            resumed: None,
            tries: 0,
            resumptions: 0,
        }
    }

    fn read(made: &Resumptions, issued: Fact) -> Self {
        if issued.answer != Answer::Yes {
            return Self::issued(issued);
        }
        let tries = made.resumed.len();
        let resumptions = made.resumed.iter().filter(|resumed| **resumed).count();
        let resumed = match (resumptions, tries) {
            (_, 0) => {
                let why = match made.failures.last() {
                    Some(why) => format!("no handshake with the session was completed: {why}"),
                    None => "the session was not offered again".into(),
                };
                Fact::new(Answer::Undetermined, why)
            }
            (0, 1) => Fact::new(
                Answer::Undetermined,
                "offered again once, and answered with a full handshake",
            ),
            (0, tries) => Fact::new(
                Answer::No,
                format!("offered again {tries} times, and each time a full handshake"),
            ),
            (all, tries) if all == tries => Fact::new(
                Answer::Yes,
                format!("offered again and resumed, {all} of {tries} times"),
            ),
            (some, tries) => Fact::new(
                Answer::Yes,
                format!("offered again and resumed {some} of {tries} times, else a full handshake"),
            ),
        };
        Self {
            issued,
            resumed: Some(resumed),
            tries: u32::try_from(tries).unwrap_or(u32::MAX),
            resumptions: u32::try_from(resumptions).unwrap_or(u32::MAX),
        }
    }

    /// Whether sessions are issued and resumed never, or not each time.
    pub fn is_broken(&self) -> bool {
        let answer = self.resumed.as_ref().map(|fact| fact.answer);
        match answer {
            Some(Answer::No) => true,
            Some(Answer::Yes) => self.resumptions < self.tries,
            _ => false,
        }
    }
}

/// What is issued for resumption and whether it is taken, for each of TLS 1.0 to 1.3 that is spoken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SessionSeen(pub BTreeMap<ProtocolVersion, VersionSessions>);

/// Sessions of one version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VersionSessions {
    /// Session ids, by which the server finds what it remembers: TLS 1.2 and below. Below TLS 1.2, and where
    /// tickets are resumed, only whether they are issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<ResumptionBy>,
    /// Tickets, which hold what the server would have to remember, or name it: of RFC 5077 in TLS 1.2,
    /// those of the pre-shared keys in TLS 1.3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tickets: Option<ResumptionBy>,
    /// How many tickets follow a full handshake of TLS 1.3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_count: Option<u32>,
    /// How long the ticket of TLS 1.2 may be kept, in seconds; none where the server does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_hint_seconds: Option<u32>,
    /// Bytes of early data (0-RTT) that a ticket of TLS 1.3 allows; none where none does. That the
    /// server takes early data is not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_early_data_size: Option<u32>,
}

/// One means of resumption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResumptionBy {
    /// Whether the server issues something to resume a session by.
    pub issued: Fact,
    /// Whether a session was resumed by it: `yes` where that happened once at least. None where nothing
    /// is issued, or where it was not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<Fact>,
    /// How many handshakes that offered a session were completed.
    pub tries: u32,
    /// How many of them were resumed.
    pub resumptions: u32,
}
