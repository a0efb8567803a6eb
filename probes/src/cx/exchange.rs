//! One hello on a connection of its own, and what comes back.

use std::time::Duration;

use tokio::time::Instant;

use super::Cx;
use crate::net::NetError;
use crate::net::connect::{Connection, Heard};
use crate::tls::hellos::{Delivery, Hello, HelloOutcome};
use crate::wire::flight::{FlightDecoder, State};
use crate::wire::messages::Alert;
use crate::wire::registry::AlertDescription;
use crate::wire::ssl2::{self, Ssl2Answer};

/// How long the rest of a banner is waited for, once its first bytes are there.
const BANNER_WAIT: Duration = Duration::from_millis(300);

/// One hello and its answer.
pub(super) struct HelloExchange {
    pub(super) outcome: HelloOutcome,
    pub(super) sent: usize,
    pub(super) begun: Instant,
    pub(super) connect_time: Duration,
    pub(super) took: Duration,
    pub(super) in_company: bool,
}

impl Cx {
    pub(super) async fn exchange(
        &self,
        hello: &Hello,
        timeout: Duration,
        own_slot: bool,
    ) -> Result<HelloExchange, NetError> {
        let delivery = hello.delivery();
        let mut connection = self.connect(timeout, delivery.segment(), own_slot).await?;
        let begun = Instant::now();
        let crowd = self.gate.busy();
        let bytes = hello.encode(random());
        match delivery {
            Delivery::InTwo => connection.send_in_two(&bytes).await?,
            Delivery::Whole | Delivery::Clamped => connection.send(&bytes).await?,
        }
        let mut answer = match hello {
            Hello::Ssl2 { .. } => Answer::Ssl2(Vec::new()),
            Hello::Tls(_) => Answer::Tls(FlightDecoder::default()),
        };
        let mut buffer = vec![0; 4096];
        let outcome = loop {
            let heard = connection.hear(&mut buffer).await?;
            if let Heard::Bytes(read) = heard {
                let outcome = answer.push(buffer.get(..read).unwrap_or_default());
                if let Some(outcome) = outcome {
                    break outcome;
                }
            } else {
                break answer.end(heard);
            }
        };
        let took = begun.elapsed();
        let outcome = match outcome {
            HelloOutcome::NotTls(first) => {
                HelloOutcome::NotTls(rest_of_banner(&mut connection, first).await?)
            }
            outcome => outcome,
        };
        Ok(HelloExchange {
            outcome,
            sent: bytes.len(),
            begun: begun - connection.connect_time,
            connect_time: connection.connect_time,
            took,
            in_company: own_slot && crowd.max(self.gate.busy()) > 1,
        })
    }
}

/// What a server sends, while it comes.
enum Answer {
    Ssl2(Vec<u8>),
    Tls(FlightDecoder),
}

impl Answer {
    /// Takes bytes; the outcome, once they decide it.
    fn push(&mut self, bytes: &[u8]) -> Option<HelloOutcome> {
        match self {
            Self::Tls(decoder) => outcome_of(decoder.push(bytes), decoder),
            Self::Ssl2(received) => {
                received.extend_from_slice(bytes);
                // s2n-tls puts the client's version on its alert: 2.0, which is no version of a record.
                if let [21, 0, 2, 0, 2, level, description] = *received.as_slice() {
                    return Some(HelloOutcome::Alert(Alert {
                        level,
                        description: AlertDescription(description),
                    }));
                }
                match ssl2::decode_answer(received) {
                    Ok(Ssl2Answer::Incomplete) => None,
                    Ok(Ssl2Answer::Hello(hello)) => Some(HelloOutcome::Ssl2(hello)),
                    Ok(Ssl2Answer::Error(code)) => Some(HelloOutcome::Ssl2Error(code)),
                    Ok(Ssl2Answer::NotSsl2) => {
                        let mut decoder = FlightDecoder::default();
                        let outcome = outcome_of(decoder.push(received), &decoder);
                        *self = Self::Tls(decoder);
                        outcome
                    }
                    Err(error) => Some(HelloOutcome::Malformed(error)),
                }
            }
        }
    }

    /// The outcome where no more bytes come.
    fn end(&mut self, heard: Heard) -> HelloOutcome {
        let (how, outcome) = match heard {
            Heard::Reset => ("reset", HelloOutcome::Reset),
            Heard::Nothing => ("silent", HelloOutcome::Silent),
            Heard::TooMuch => ("too many bytes", HelloOutcome::Silent),
            Heard::Closed | Heard::Bytes(_) => ("closed", HelloOutcome::Closed),
        };
        let Self::Tls(decoder) = self else {
            return outcome;
        };
        let state = decoder.end(how);
        outcome_of(state, decoder).unwrap_or_else(|| {
            // A warning, and then nothing: the warning is what the server had to say. Some (s2n-tls)
            // refuse with close_notify alone.
            let mut warnings = decoder.warnings().iter();
            match warnings
                .rfind(|alert| alert.description.0 != 0)
                .or(decoder.warnings().last())
            {
                Some(alert) => HelloOutcome::Alert(*alert),
                None => outcome,
            }
        })
    }
}

fn outcome_of(state: State, decoder: &FlightDecoder) -> Option<HelloOutcome> {
    Some(match state {
        State::Incomplete => return None,
        State::Hello(flight) if flight.hello.is_retry() => HelloOutcome::Retry(flight.into()),
        State::Hello(flight) => HelloOutcome::ServerHello(flight.into()),
        State::Alert(alert) => HelloOutcome::Alert(alert),
        State::NotTls => HelloOutcome::NotTls(decoder.first_bytes().to_vec()),
        State::Malformed(error) => HelloOutcome::Malformed(error),
    })
}

/// A banner's first line is seldom cut, but its server may write it in pieces.
async fn rest_of_banner(
    connection: &mut Connection<'_>,
    mut first: Vec<u8>,
) -> Result<Vec<u8>, NetError> {
    let mut buffer = vec![0; 512];
    while first.len() < 512 && !first.contains(&b'\n') {
        let Heard::Bytes(read) = connection.hear_within(&mut buffer, BANNER_WAIT).await? else {
            break;
        };
        first.extend(buffer.iter().take(read));
    }
    Ok(first)
}

/// 32 bytes for a hello's random: from the system, since they need not be secret, and the start of the
/// crypto library takes longer than a question to a server nearby.
pub(super) fn random() -> [u8; 32] {
    let mut bytes = [0x5A; 32];
    // Where the system has no randomness, a constant random still asks the question.
    let _ = getrandom::fill(&mut bytes);
    bytes
}
