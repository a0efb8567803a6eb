//! Enumeration by elimination: offer everything, take away what the server picks, until it refuses.

use crate::cx::Cx;
use crate::tls::ask::{Refusal, Reply, is_ambiguous, question};
use crate::tls::hellos::{Hello, HelloOutcome};
use crate::wire::flight::Flight;
use crate::wire::registry::Suite;

/// A list at most this long is refused as a whole, or not at all; a longer one is taken apart where
/// its refusal may be about its length.
const SMALL: usize = 8;

/// What is enumerated, and how to ask for it.
#[expect(
    clippy::type_complexity,
    reason = "two closures; a name for their types says no more"
)]
pub(crate) struct Question<'a, T> {
    /// A hello that offers just these.
    pub(crate) hello: Box<dyn Fn(&[T]) -> Hello + Send + Sync + 'a>,
    /// Whether the pick shows in the ServerHello itself, not in what follows it.
    pub(crate) in_hello: bool,
    /// Which of them the server picked; none where its answer is another one's (another version).
    pub(crate) pick: Box<dyn Fn(&Flight) -> Option<T> + Send + Sync + 'a>,
}

/// What became of the candidates; those in neither list were refused.
#[derive(Debug)]
pub(crate) struct Eliminated<T> {
    /// In the order in which the server picked them, each with its flight.
    pub(crate) accepted: Vec<(T, Box<Flight>)>,
    /// Neither accepted nor refused.
    pub(crate) undetermined: Vec<T>,
    /// What the last refusal was, and why something is undetermined.
    pub(crate) evidence: Vec<String>,
    /// Not asked, because enough was accepted.
    pub(crate) left: Vec<T>,
    /// The alert of a refusal.
    pub(crate) alert: Option<u8>,
    /// The server answered with another version, or another kind of key exchange.
    pub(crate) other_version: bool,
}

impl<T> Default for Eliminated<T> {
    fn default() -> Self {
        Self {
            accepted: vec![],
            undetermined: vec![],
            left: vec![],
            evidence: vec![],
            alert: None,
            other_version: false,
        }
    }
}

impl<T: Copy + PartialEq + Send + Sync + std::fmt::Display> Eliminated<T> {
    /// Asks until everything is accepted, refused or undetermined. `known_good` is something that
    /// this server accepts: it makes the control for an ambiguous refusal.
    pub(crate) async fn run(
        cx: &Cx,
        ask: &Question<'_, T>,
        candidates: &[T],
        known_good: Option<T>,
    ) -> Self {
        Self::eliminate(cx, ask, candidates, known_good, usize::MAX).await
    }

    /// Asks until one of them is accepted, or none.
    pub(crate) async fn first(cx: &Cx, ask: &Question<'_, T>, candidates: &[T]) -> Self {
        Self::eliminate(cx, ask, candidates, None, 1).await
    }

    /// Asks until so many are accepted, or everything is decided; what was not asked is `left`.
    pub(crate) async fn at_most(
        cx: &Cx,
        ask: &Question<'_, T>,
        candidates: &[T],
        most: usize,
    ) -> Self {
        Self::eliminate(cx, ask, candidates, None, most).await
    }

    async fn eliminate(
        cx: &Cx,
        ask: &Question<'_, T>,
        candidates: &[T],
        known_good: Option<T>,
        most: usize,
    ) -> Self {
        let mut seen = Self::default();
        let mut known_good = known_good;
        let mut lists = vec![candidates.to_vec()];
        while let Some(mut list) = lists.pop() {
            if seen.accepted.len() >= most {
                seen.left.extend(list);
                continue;
            }
            if list.is_empty() {
                continue;
            }
            // Longer than anything that was answered: where the answer is not clear, shorter first.
            if list.len() > taken(cx) && is_ambiguous(&cx.ask(&(ask.hello)(&list)).await) {
                lists.extend(list.chunks(part(cx)).map(<[T]>::to_vec));
                continue;
            }
            // The same offer and one that is accepted: one thing changed.
            let control = known_good.map(|good| {
                let longer: Vec<T> = list.iter().copied().chain([good]).collect();
                (ask.hello)(&longer)
            });
            match question(cx, &(ask.hello)(&list), control.as_ref()).await {
                Reply::Accepted(outcome) => {
                    let flight = match outcome {
                        HelloOutcome::ServerHello(flight) | HelloOutcome::Retry(flight) => flight,
                        other => {
                            seen.give_up(list, &other.to_string());
                            continue;
                        }
                    };
                    match (ask.pick)(&flight) {
                        Some(picked) if list.contains(&picked) => {
                            list.retain(|candidate| *candidate != picked);
                            lists.push(list);
                            known_good = Some(picked);
                            seen.accepted.push((picked, flight));
                        }
                        Some(picked) => {
                            seen.give_up(list, &format!("{picked}, which was not offered"));
                        }
                        // What the pick would have been was still to come.
                        None if !ask.in_hello && !flight.whole => {
                            let trouble = flight.trouble.as_deref().unwrap_or("cut short");
                            seen.give_up(list, &format!("a ServerHello, and then: {trouble}"));
                        }
                        // Another version, or another key exchange: nothing of this is taken.
                        None => {
                            let (version, suite) = (flight.hello.version(), flight.hello.suite);
                            seen.evidence
                                .push(format!("answered with {version} {suite}"));
                            seen.other_version = true;
                        }
                    }
                }
                Reply::Refused(refusal)
                    if list.len() > taken(cx)
                        && length_matters(cx, &refusal, control.is_some()) =>
                {
                    // No hello so long was ever answered: it may be the length that is refused.
                    lists.extend(list.chunks(part(cx)).map(<[T]>::to_vec));
                }
                Reply::Refused(refusal) => {
                    seen.alert = refusal.alert.or(seen.alert);
                    seen.evidence.push(format!("refused: {}", refusal.evidence));
                }
                Reply::Unclear(_) if list.len() > SMALL && control.is_some() => {
                    // Even with something acceptable in it, a hello so long is not answered.
                    let second = list.split_off(list.len() / 2);
                    lists.push(second);
                    lists.push(list);
                }
                Reply::Unclear(why) => seen.give_up(list, &why),
                Reply::Unasked(error) => seen.give_up(list, &error.to_string()),
            }
        }
        seen.evidence.dedup();
        seen
    }

    /// What was accepted, without the flights.
    pub(crate) fn picked(&self) -> Vec<T> {
        self.accepted.iter().map(|(picked, _)| *picked).collect()
    }

    /// Adds what another run found.
    pub(crate) fn join(&mut self, other: Self) {
        self.accepted.extend(other.accepted);
        self.undetermined.extend(other.undetermined);
        self.evidence.extend(other.evidence);
        self.evidence.dedup();
        self.alert = self.alert.or(other.alert);
        self.other_version |= other.other_version;
    }

    fn give_up(&mut self, list: Vec<T>, why: &str) {
        self.undetermined.extend(list);
        self.evidence.push(format!("undetermined: {why}"));
    }
}

/// Whether the refusal of a list longer than any that was answered may be about its length. An
/// ambiguous one may, unless its control was as long; a clear one only from a server that has shown
/// that it takes less than the usual.
fn length_matters(cx: &Cx, refusal: &Refusal, same_length_control: bool) -> bool {
    refusal.may_be_about_length()
        && if refusal.by_control {
            !same_length_control
        } else {
            taken(cx) < Suite::common().len()
        }
}

/// How long the parts of a list are that is taken apart: as long as what was answered.
fn part(cx: &Cx) -> usize {
    cx.longest_answered().max(SMALL)
}

/// How long a list is known to be taken, with some tolerance: nobody's limit is just there.
fn taken(cx: &Cx) -> usize {
    (cx.longest_answered() * 5 / 4).max(SMALL)
}
