//! Enumeration by elimination: offer everything, take away what the server picks, until it refuses. What
//! it is likely to pick is asked ahead, side by side; where the guess is right, a list takes the time of
//! one question.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::cx::Cx;
use crate::tls::ask::{Refusal, Reply, is_ambiguous, question};
use crate::tls::hellos::{Hello, HelloOutcome};
use crate::wire::flight::Flight;
use crate::wire::registry::Suite;

/// A list at most this long is refused as a whole, or not at all; a longer one is taken apart where
/// its refusal may be about its length.
const SMALL: usize = 8;

/// Questions asked ahead: once something was accepted; and after guesses that were all right, at most.
const AHEAD: usize = 2;
const MOST_AHEAD: usize = 4;

/// Wrong guesses, after which a list is better taken apart.
const ASTRAY: usize = 2;

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
    /// How many are likely to be accepted, where one is.
    pub(crate) likely: usize,
    /// In which order the server is likely to pick from a list, after it has picked others.
    pub(crate) expected: fn(&[T], &[T]) -> Vec<T>,
}

/// No guess but the order of the list.
pub(crate) fn in_turn<T: Copy>(list: &[T], _picked: &[T]) -> Vec<T> {
    list.to_vec()
}

/// What became of the candidates; those in neither list were refused.
#[derive(Debug)]
pub(crate) struct Eliminated<T> {
    /// In the order in which the server picked them, each with its flight.
    pub(crate) accepted: Vec<(T, Arc<Flight>)>,
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
    /// What was offered each time that something was accepted, and what was picked.
    pub(crate) picks: Vec<(Vec<T>, T)>,
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
            picks: vec![],
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
        Self::eliminate(cx, ask, candidates, known_good, Until::Done).await
    }

    /// The same, as long as the guesses hold what is picked next; what was not asked is `left`.
    pub(crate) async fn while_guessed(
        cx: &Cx,
        ask: &Question<'_, T>,
        candidates: &[T],
        known_good: Option<T>,
    ) -> Self {
        Self::eliminate(cx, ask, candidates, known_good, Until::Astray).await
    }

    /// Asks until one of them is accepted, or none; what was not asked is `left`.
    pub(crate) async fn first(cx: &Cx, ask: &Question<'_, T>, candidates: &[T]) -> Self {
        Self::eliminate(cx, ask, candidates, None, Until::First).await
    }

    async fn eliminate(
        cx: &Cx,
        ask: &Question<'_, T>,
        candidates: &[T],
        known_good: Option<T>,
        until: Until,
    ) -> Self {
        let mut seen = Self::default();
        let mut known_good = known_good;
        let mut lists = vec![candidates.to_vec()];
        let mut guess = Guess {
            next: VecDeque::new(),
            ahead: ask.likely,
            wrong: 0,
        };
        // What was accepted elsewhere tells what to expect here.
        let mut picked_before: Vec<T> = known_good.into_iter().collect();
        while let Some(mut list) = lists.pop() {
            let enough = match until {
                Until::Done => false,
                Until::First => !seen.accepted.is_empty(),
                Until::Astray => guess.wrong >= ASTRAY,
            };
            if enough {
                seen.left.extend(list);
                continue;
            }
            if list.is_empty() {
                continue;
            }
            if until != Until::First {
                guess.look_ahead(cx, ask, &list, &picked_before).await;
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
                            guess.picked(picked);
                            picked_before.push(picked);
                            seen.picks.push((list.clone(), picked));
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
        self.picks.extend(other.picks);
    }

    fn give_up(&mut self, list: Vec<T>, why: &str) {
        self.undetermined.extend(list);
        self.evidence.push(format!("undetermined: {why}"));
    }
}

/// When to stop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// When everything is decided.
    Done,
    /// When one is accepted.
    First,
    /// When too many guesses were wrong.
    Astray,
}

/// What the server is expected to pick next, and how far that is worth asking ahead.
struct Guess<T> {
    /// The next picks.
    next: VecDeque<T>,
    /// So many questions are asked ahead.
    ahead: usize,
    /// So many guesses were wrong.
    wrong: usize,
}

impl<T: Copy + PartialEq + Send + Sync> Guess<T> {
    /// Asks for the list, for what is left of it after the likeliest pick, and so on.
    async fn look_ahead(&mut self, cx: &Cx, ask: &Question<'_, T>, list: &[T], picked: &[T]) {
        if self.ahead == 0 || picked.is_empty() || cx.knows(&(ask.hello)(list)) {
            return;
        }
        let expected = (ask.expected)(list, picked);
        self.next = expected.iter().copied().take(self.ahead).collect();
        let mut left = list.to_vec();
        let mut hellos = vec![(ask.hello)(&left)];
        for pick in &self.next {
            left.retain(|candidate| candidate != pick);
            if left.is_empty() || left.len() > taken(cx) {
                break;
            }
            hellos.push((ask.hello)(&left));
        }
        cx.look_ahead(hellos).await;
    }

    /// The better the guesses, the further ahead.
    fn picked(&mut self, picked: T) {
        self.ahead = match self.next.pop_front() {
            Some(next) if next != picked => {
                self.next.clear();
                self.wrong += 1;
                self.ahead / 2
            }
            Some(_) if self.next.is_empty() => (self.ahead * 2).clamp(1, MOST_AHEAD),
            Some(_) => self.ahead,
            None => self.ahead.max(AHEAD),
        };
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
