//! Another handshake, asked for by the client on a connection that has finished one.

use std::fmt;
use std::time::Duration;

use crate::fact::{Answer, Fact};
use crate::net::NetError;
use crate::net::connect::{Connection, Heard};
use crate::wire::registry::AlertDescription;
use crate::wire::tls12::{Broken, Client, Event};

/// close_notify, and internal_error: the end of a connection rather than an answer.
const ENDS: &[u8] = &[0, 80];

/// no_renegotiation (RFC 5246 §7.2.2), which is a warning.
const NO_RENEGOTIATION: u8 = 100;

/// What came of it on one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A ServerHello: the server renegotiates.
    Begun,
    /// An alert that says no.
    Refused(AlertDescription),
    /// Nothing that says it: the connection ended, or stayed silent.
    Ended(How),
    /// The server asked for a handshake itself, at the same time.
    Crossed,
    /// The first handshake was not finished.
    Unfinished {
        /// Why.
        why: String,
        /// Whether it may have been chance.
        may_be_chance: bool,
    },
}

/// How a connection ends that has had no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Alert(AlertDescription),
    Closed,
    Reset,
    Silent,
}

/// Finishes a handshake and asks for another one. What comes back is waited for as long as silence
/// takes to say something.
pub(crate) async fn ask(
    mut connection: Connection<'_>,
    sni: Option<String>,
    random: impl Fn() -> [u8; 32],
    silence: Duration,
) -> Result<Asked, NetError> {
    let (mut client, hello) = Client::new(sni, random());
    connection.send(&hello).await?;
    let mut buffer = vec![0; 4096];
    let (mut asked, mut crossed) = (false, false);
    loop {
        let event = match client.next() {
            Ok(event) => event,
            Err(broken) => return Ok(Asked::broken(&broken)),
        };
        match event {
            Event::Send(bytes) => connection.send(&bytes).await?,
            Event::Connected => {
                match client.renegotiate(random()) {
                    Ok(again) => connection.send(&again).await?,
                    Err(broken) => return Ok(Asked::broken(&broken)),
                }
                asked = true;
            }
            Event::HelloRequest => crossed = true,
            Event::ServerHello if crossed => return Ok(Asked::Crossed),
            Event::ServerHello => return Ok(Asked::Begun),
            Event::Alert(alert) if ENDS.contains(&alert.description.0) => {
                return Ok(Asked::Ended(How::Alert(alert.description)));
            }
            Event::Alert(alert) if alert.is_fatal() || alert.description.0 == NO_RENEGOTIATION => {
                return Ok(Asked::Refused(alert.description));
            }
            Event::Alert(_) => {}
            Event::Wait => {
                let heard = if asked {
                    connection.hear_within(&mut buffer, silence).await?
                } else {
                    connection.hear(&mut buffer).await?
                };
                let how = match heard {
                    Heard::Bytes(read) => {
                        client.push(buffer.get(..read).unwrap_or_default());
                        continue;
                    }
                    Heard::Closed => How::Closed,
                    Heard::Reset => How::Reset,
                    Heard::Nothing | Heard::TooMuch => How::Silent,
                };
                return Ok(if asked {
                    Asked::Ended(how)
                } else {
                    Asked::Unfinished {
                        why: format!("{how} in the handshake"),
                        may_be_chance: true,
                    }
                });
            }
        }
    }
}

impl Asked {
    fn broken(broken: &Broken) -> Self {
        Self::Unfinished {
            why: broken.to_string(),
            may_be_chance: matches!(broken, Broken::Alert(alert) if ENDS.contains(&alert.description.0)),
        }
    }

    /// Whether the same on another connection could tell more.
    pub(crate) fn may_be_chance(&self) -> bool {
        match self {
            Self::Begun | Self::Refused(_) => false,
            Self::Ended(_) | Self::Crossed => true,
            Self::Unfinished { may_be_chance, .. } => *may_be_chance,
        }
    }
}

/// What several connections say together, the last one being decisive unless it may be chance: an end
/// without a word counts where it came twice in a row.
pub(crate) fn fact(asked: &[Asked]) -> Fact {
    let question = "in answer to a ClientHello on the finished connection";
    match asked {
        [.., Asked::Begun] => Fact::new(Answer::Yes, format!("a ServerHello {question}")),
        [.., Asked::Refused(alert)] => Fact::new(Answer::No, format!("alert {alert} {question}")),
        [.., Asked::Ended(before), Asked::Ended(how)] if before == how => {
            Fact::new(Answer::No, format!("{how} {question}, twice"))
        }
        [.., Asked::Ended(how)] => Fact::new(
            Answer::Undetermined,
            format!("{how} {question}, and not the same each time"),
        ),
        [.., Asked::Crossed] => Fact::new(
            Answer::Undetermined,
            "the server asks for another handshake itself",
        ),
        [.., Asked::Unfinished { why, .. }] => Fact::new(
            Answer::Undetermined,
            format!("no handshake to follow: {why}"),
        ),
        [] => Fact::new(Answer::Undetermined, "not asked"),
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alert(alert) => write!(f, "alert {alert}"),
            Self::Closed => f.write_str("the connection closed"),
            Self::Reset => f.write_str("the connection reset"),
            Self::Silent => f.write_str("silence"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_counts_where_it_comes_twice_in_a_row() {
        let (closed, silent) = (Asked::Ended(How::Closed), Asked::Ended(How::Silent));
        let broken = Asked::Unfinished {
            why: "the connection reset in the handshake".into(),
            may_be_chance: true,
        };
        for (asked, answer) in [
            (vec![closed.clone()], Answer::Undetermined),
            (vec![closed.clone(), closed.clone()], Answer::No),
            (vec![closed.clone(), silent.clone()], Answer::Undetermined),
            (
                vec![silent.clone(), closed.clone(), closed.clone()],
                Answer::No,
            ),
            (
                vec![closed.clone(), broken.clone(), closed.clone()],
                Answer::Undetermined,
            ),
            (vec![broken.clone()], Answer::Undetermined),
            (vec![closed.clone(), Asked::Begun], Answer::Yes),
            (
                vec![broken, Asked::Refused(AlertDescription(100))],
                Answer::No,
            ),
            (vec![Asked::Crossed], Answer::Undetermined),
            (vec![], Answer::Undetermined),
        ] {
            assert_eq!(fact(&asked).answer, answer, "{asked:?}");
        }
    }
}
