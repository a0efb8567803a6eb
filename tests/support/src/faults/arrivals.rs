//! What becomes of a connection before it has said anything: limits, bans and chance.

use std::collections::VecDeque;
use std::net::TcpStream;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::{Arrivals, Fault, Instead, chance};
use crate::net;

const SECOND: Duration = Duration::from_secs(1);

/// The connections so far, as the limits see them.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    let_in: VecDeque<Instant>,
    attempts: VecDeque<Instant>,
    open: Vec<Weak<TcpStream>>,
    banned_until: Option<Instant>,
}

impl Arrived {
    /// Notes the connection with this number, and says what it gets instead of the server.
    pub(super) fn next(
        &mut self,
        faults: &[Fault],
        number: usize,
        client: &Arc<TcpStream>,
    ) -> Option<Instead> {
        let now = Instant::now();
        for times in [&mut self.let_in, &mut self.attempts] {
            while times.front().is_some_and(|time| now - *time >= SECOND) {
                times.pop_front();
            }
        }
        self.attempts.push_back(now);
        let instead = faults.iter().find_map(|fault| match fault {
            Fault::Arrival(which, instead) => self.turned_away(*which, number).then_some(*instead),
            _ => None,
        });
        if instead.is_none() {
            self.let_in.push_back(now);
            self.open.push(Arc::downgrade(client));
        }
        instead
    }

    fn turned_away(&mut self, which: Arrivals, number: usize) -> bool {
        match which {
            Arrivals::Any => true,
            Arrivals::PerSecond(limit) => self.let_in.len() >= limit,
            Arrivals::AttemptsPerSecond(limit) => self.attempts.len() > limit,
            Arrivals::BannedAbove { per_second, ban } => {
                let now = Instant::now();
                if self.let_in.len() >= per_second && self.banned_until.is_none() {
                    self.banned_until = Some(now + ban);
                }
                let banned = self.banned_until.is_some_and(|until| now < until);
                if !banned {
                    self.banned_until = None;
                }
                banned
            }
            Arrivals::AtOnce(limit) => {
                let there = |client: &Weak<TcpStream>| {
                    client
                        .upgrade()
                        .is_some_and(|client| !net::hung_up(&client))
                };
                self.open.retain(there);
                self.open.len() >= limit
            }
            Arrivals::InTotal(limit) => number > limit,
            Arrivals::EverySecond => number.is_multiple_of(2),
            Arrivals::Chance { percent, seed } => chance(seed, number) % 100 < percent,
        }
    }
}
