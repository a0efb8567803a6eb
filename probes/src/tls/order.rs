//! Whose preference decides, and what the server's is.

use std::collections::HashMap;

use futures_util::future::join_all;

use crate::cx::Cx;
use crate::tls::ask::{Reply, question};
use crate::tls::enumerate::Question;
use crate::tls::hellos::is_chacha;
use crate::tls::parts::orders;
use crate::tls::suites::Order;
use crate::wire::registry::Suite;

/// A guess of which so many parts are wrong is none: then one by one.
const WRONG_OF: usize = 3;

/// So few wrong neighbours are asked for again in any case.
const SMALL: usize = 6;

/// What was offered, in that order, and what the server picked.
pub(crate) type Pick = (Vec<Suite>, Suite);

/// Whose preference explains every pick: none of `Server` and `Client` where both do, or none.
pub(crate) fn whose(picks: &[Pick], found: &[Suite]) -> Option<Order> {
    let of_client = picks.iter().all(|(offered, picked)| {
        // ChaCha20 may be put behind or before the rest by the server for reasons of its own.
        let firsts = offered.iter().filter(|suite| found.contains(suite));
        let mut firsts = firsts.skip_while(|suite| is_chacha(**suite) && *suite != picked);
        firsts.next().is_none_or(|first| first == picked)
    });
    let of_server = Preferences::new(picks, found).is_order();
    match (of_client, of_server) {
        (true, false) => Some(Order::Client),
        (false, true) => Some(Order::Server),
        _ => None,
    }
}

/// Puts the suites in the server's order of preference: guesses it, asks about the neighbours that no
/// pick has told about yet, all at once (and those of the second guess with them), and guesses again. `None` where the guesses are no good, or the
/// answers make no order.
pub(crate) async fn sorted(
    cx: &Cx,
    ask: &Question<'_, Suite>,
    found: &[Suite],
    picks: &mut Vec<Pick>,
) -> Option<Vec<Suite>> {
    let most = picks.len() + found.len();
    loop {
        let preferences = Preferences::new(picks, found);
        let mut guesses = preferences.likeliest()?.into_iter();
        let guess = guesses.next()?;
        let mut doubts = preferences.doubts(&guess);
        if doubts.is_empty() {
            return Some(guess);
        }
        if picks.len() + doubts.len() > most {
            return None;
        }
        // Where the second guess is right, it is not known a round trip later.
        let of_first = doubts.len();
        for (better, worse) in guesses.flat_map(|guess| preferences.doubts(&guess)) {
            if !doubts.contains(&(worse, better)) && !doubts.contains(&(better, worse)) {
                doubts.push((better, worse));
            }
        }
        doubts.truncate(of_first.max(SMALL));
        let asked = doubts.iter().map(|(better, worse)| async move {
            let (better, worse) = (*better, *worse);
            // The better one last, so that a client's order would show; ChaCha20 never first.
            let offered = if is_chacha(worse) {
                vec![better, worse]
            } else {
                vec![worse, better]
            };
            match question(cx, &(ask.hello)(&offered), None).await {
                Reply::Accepted(outcome) => {
                    let picked = (ask.pick)(outcome.flight()?)?;
                    offered.contains(&picked).then_some((offered, picked))
                }
                _ => None,
            }
        });
        let mut wrong = 0;
        for (at, (pick, (better, _))) in join_all(asked).await.into_iter().zip(&doubts).enumerate()
        {
            let pick = pick?;
            wrong += usize::from(at < of_first && pick.1 != *better);
            picks.push(pick);
        }
        if wrong > SMALL && wrong * WRONG_OF > of_first {
            return None;
        }
    }
}

/// What is known of the server's preferences among the suites it accepts.
struct Preferences<'a> {
    found: &'a [Suite],
    picks: &'a [Pick],
    at: HashMap<Suite, usize>,
    /// `better[a][b]`: a is preferred to b.
    better: Vec<Vec<bool>>,
}

impl<'a> Preferences<'a> {
    fn new(picks: &'a [Pick], found: &'a [Suite]) -> Self {
        let at: HashMap<_, _> = found.iter().copied().zip(0..).collect();
        let mut better = vec![vec![false; found.len()]; found.len()];
        for (offered, picked) in picks {
            let Some(row) = at.get(picked).and_then(|at| better.get_mut(*at)) else {
                continue;
            };
            for other in offered.iter().filter(|other| *other != picked) {
                if let Some(cell) = at.get(other).and_then(|at| row.get_mut(*at)) {
                    *cell = true;
                }
            }
        }
        // What is better than something better is better.
        for through in 0..found.len() {
            let Some(behind) = better.get(through).cloned() else {
                continue;
            };
            for row in &mut better {
                if row.get(through) == Some(&true) {
                    for (cell, also) in row.iter_mut().zip(&behind) {
                        *cell |= also;
                    }
                }
            }
        }
        Self {
            found,
            picks,
            at,
            better,
        }
    }

    /// Whether it is known that the one is preferred to the other.
    fn holds(&self, better: Suite, worse: Suite) -> bool {
        let row = self.at.get(&better).and_then(|at| self.better.get(*at));
        let cell = row.zip(self.at.get(&worse));
        cell.is_some_and(|(row, at)| row.get(*at) == Some(&true))
    }

    /// Nothing is better than itself.
    fn is_order(&self) -> bool {
        self.found.iter().all(|suite| !self.holds(*suite, *suite))
    }

    /// The neighbours of an order about which nothing is known.
    fn doubts(&self, order: &[Suite]) -> Vec<(Suite, Suite)> {
        let neighbours = order.iter().copied().zip(order.iter().copied().skip(1));
        neighbours
            .filter(|(better, worse)| !self.holds(*better, *worse))
            .collect()
    }

    /// The two likeliest orders that agree with everything known; none where nothing does.
    fn likeliest(&self) -> Option<Vec<Vec<Suite>>> {
        if !self.is_order() {
            return None;
        }
        // Usual orders, measured by what they get wrong.
        let picked: Vec<Suite> = self.picks.iter().map(|(_, picked)| *picked).collect();
        let wrong = |order: &Vec<Suite>| {
            order
                .iter()
                .enumerate()
                .map(|(at, before)| {
                    let behind = order.iter().skip(at + 1);
                    behind.filter(|after| self.holds(**after, *before)).count()
                })
                .sum::<usize>()
        };
        let mut guesses = orders(self.found, &picked);
        guesses.sort_by_key(wrong);
        let mut likeliest: Vec<Vec<Suite>> = Vec::new();
        for guess in guesses {
            let order = self.agreeing(guess)?;
            if !likeliest.contains(&order) {
                likeliest.push(order);
            }
        }
        likeliest.truncate(2);
        Some(likeliest)
    }

    /// What the guess has first, of all that nothing left is better than.
    fn agreeing(&self, guess: Vec<Suite>) -> Option<Vec<Suite>> {
        let mut left = guess;
        let mut order = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let best = left.iter().position(|candidate| {
                let mut others = left.iter();
                !others.any(|other| self.holds(*other, *candidate))
            })?;
            order.push(left.remove(best));
        }
        Some(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Suite = Suite(0xC02F);
    const B: Suite = Suite(0xC030);
    const C: Suite = Suite(0xC013);

    #[test]
    fn tells_whose_order_counts() {
        let found = [A, B, C];
        let same = vec![(vec![A, B, C], A), (vec![C, B, A], A)];
        assert_eq!(whose(&same, &found), Some(Order::Server));
        let first = vec![(vec![A, B, C], A), (vec![C, B, A], C)];
        assert_eq!(whose(&first, &found), Some(Order::Client));
        assert_eq!(whose(&[(vec![A, B, C], A)], &found), None);
        // Neither an order nor the client's first.
        let chance = vec![(vec![A, B], B), (vec![B, A], A)];
        assert_eq!(whose(&chance, &found), None);
    }

    #[test]
    fn what_is_better_than_the_better_is_better() {
        let picks = [(vec![A, B], A), (vec![B, C], B)];
        let preferences = Preferences::new(&picks, &[A, B, C]);
        assert!(preferences.holds(A, C) && !preferences.holds(C, A));
        assert_eq!(preferences.likeliest().unwrap(), [[A, B, C]]);
    }

    #[test]
    fn a_guess_never_goes_against_a_pick() {
        let picks = [(vec![A, B, C], C), (vec![A, B], B)];
        let preferences = Preferences::new(&picks, &[A, B, C]);
        assert_eq!(preferences.likeliest().unwrap(), [[C, B, A]]);
    }

    #[test]
    fn a_circle_is_no_order() {
        let picks = [(vec![A, B], A), (vec![B, A], B)];
        let preferences = Preferences::new(&picks, &[A, B]);
        assert!(!preferences.is_order());
        assert_eq!(preferences.likeliest(), None);
    }
}
