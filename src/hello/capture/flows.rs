//! The TCP connections of a capture, as many as memory is allowed for.

use std::collections::HashMap;
use std::net::SocketAddr;

use time::OffsetDateTime;

use super::Captured;
use super::flow::{Flow, Outcome};
use super::link::Segment;
use crate::hello::model::{Hello, Other};
use crate::hello::room::{MAX_HELLOS, Room};

/// Connections under way at once, at most: the longest idle ones are taken as ended.
const MAX_FLOWS: usize = 16 * 1024;

/// Bytes that are kept for all of them, at most.
const MAX_HELD: usize = 64 << 20;

/// The connections.
#[derive(Debug, Default)]
pub(super) struct Flows {
    under_way: HashMap<[SocketAddr; 2], Flow>,
    held: usize,
    segments: u64,
    hellos: Vec<(u64, Hello)>,
    room: Room,
    others: Vec<(u64, Other)>,
    left_out: usize,
    connections: u64,
    without_tls: u64,
}

impl Flows {
    /// Takes a segment.
    pub(super) fn segment(&mut self, segment: &Segment<'_>, at: Option<OffsetDateTime>) {
        self.segments += 1;
        let mut key = [segment.source, segment.destination];
        key.sort_unstable();
        if let Some(flow) = self.under_way.get(&key)
            && flow.is_followed_by(segment)
        {
            self.finish(key);
        }
        if !self.under_way.contains_key(&key) {
            if self.under_way.len() >= MAX_FLOWS {
                self.make_room();
            }
            self.connections += 1;
        }
        let flow = self
            .under_way
            .entry(key)
            .or_insert_with(|| Flow::new(segment));
        let before = flow.held();
        flow.push(segment, at, self.segments);
        self.held = (self.held + flow.held()).saturating_sub(before);
        if self.held > MAX_HELD {
            self.make_room();
        }
    }

    /// What all of them amount to.
    pub(super) fn end(mut self) -> Captured {
        let keys: Vec<_> = self.under_way.keys().copied().collect();
        for key in keys {
            self.finish(key);
        }
        self.hellos.sort_by_key(|(place, _)| *place);
        self.others.sort_by_key(|(place, _)| *place);
        let mut captured = Captured {
            hellos: self.hellos.into_iter().map(|(_, hello)| hello).collect(),
            others: self.others.into_iter().map(|(_, other)| other).collect(),
            left_out: self.left_out,
            ..Captured::default()
        };
        captured.facts.connections = self.connections;
        captured.facts.without_tls = self.without_tls;
        captured
    }

    /// Takes the quarter that was idle longest as ended.
    fn make_room(&mut self) {
        let mut keys: Vec<_> = self
            .under_way
            .iter()
            .map(|(key, flow)| (flow.last, *key))
            .collect();
        keys.sort_unstable();
        let quarter = keys.len().div_ceil(4);
        for (_, key) in keys.into_iter().take(quarter) {
            self.finish(key);
        }
    }

    fn finish(&mut self, key: [SocketAddr; 2]) {
        let Some(flow) = self.under_way.remove(&key) else {
            return;
        };
        self.held = self.held.saturating_sub(flow.held());
        let (place, last) = (flow.place, flow.last);
        match flow.outcome() {
            Outcome::Hello(hello) if !self.room.take(hello.offer.length) => self.left_out += 1,
            Outcome::Other(_) if self.others.len() >= MAX_HELLOS => self.left_out += 1,
            Outcome::Hello(hello) => self.hellos.push((place, *hello)),
            Outcome::Other(other) => self.others.push((last, *other)),
            Outcome::WithoutTls => self.without_tls += 1,
        }
    }
}
