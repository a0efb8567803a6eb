//! One TCP connection of a capture.

use std::net::SocketAddr;

use gladhand_probes::Untrusted;
use time::OffsetDateTime;

use super::link::Segment;
use super::stream::Stream;
use super::tls::{self, Tls, answer_begins, hello_begins};
use crate::hello::model::{Ended, Hello, How, Other, Side};

/// A connection.
#[derive(Debug)]
pub(super) struct Flow {
    /// Who sent the first segment that was seen, and to whom.
    ends: [SocketAddr; 2],
    /// Which of the two is the client, once it shows.
    client: Option<usize>,
    /// The sequence number of the client's SYN.
    syn: Option<u32>,
    streams: [Stream; 2],
    tls: Tls,
    ended: Option<Ended>,
    /// When the hello was there.
    at: Option<OffsetDateTime>,
    last_at: Option<OffsetDateTime>,
    /// The number of the last segment, to tell which flow is the oldest.
    pub(super) last: u64,
    /// The place of its hello among all.
    pub(super) place: u64,
}

/// What a connection amounts to.
pub(super) enum Outcome {
    Hello(Box<Hello>),
    Other(Box<Other>),
    WithoutTls,
}

impl Flow {
    pub(super) fn new(segment: &Segment<'_>) -> Self {
        Self {
            ends: [segment.source, segment.destination],
            client: None,
            syn: None,
            streams: [Stream::default(), Stream::default()],
            tls: Tls::default(),
            ended: None,
            at: None,
            last_at: None,
            last: 0,
            place: u64::MAX,
        }
    }

    /// Whether a segment opens another connection between the same ends.
    pub(super) fn is_followed_by(&self, segment: &Segment<'_>) -> bool {
        let opens = segment.syn && !segment.ack;
        let other = self.syn.is_none_or(|syn| syn != segment.sequence);
        // A SYN that was seen after the answer to it is the same connection's.
        let under_way = self.syn.is_some() || self.tls.hello().is_some() || self.ended.is_some();
        opens && other && under_way
    }

    /// Bytes that are kept.
    pub(super) fn held(&self) -> usize {
        let [a, b] = &self.streams;
        a.held() + b.held() + self.tls.held()
    }

    /// Takes a segment, the `number`th of the capture.
    pub(super) fn push(&mut self, segment: &Segment<'_>, at: Option<OffsetDateTime>, number: u64) {
        let from = usize::from(segment.source != self.ends[0]);
        self.last = number;
        self.last_at = at.or(self.last_at);
        if segment.syn {
            let client = if segment.ack { 1 - from } else { from };
            self.client = Some(client);
            if !segment.ack {
                self.syn = Some(segment.sequence);
            }
            self.streams[from].syn(segment.sequence);
        }
        if self.client.is_none() {
            if tls::behind(segment.payload, hello_begins).is_some() {
                self.client = Some(from);
            } else if tls::behind(segment.payload, answer_begins).is_some() {
                self.client = Some(1 - from);
            }
        }
        let side = self.client.map(|client| {
            if from == client {
                Side::Client
            } else {
                Side::Server
            }
        });
        self.bytes(from, side, segment, at, number);
        if let Some(side) = side {
            self.end_of(side, segment);
        }
    }

    fn bytes(
        &mut self,
        from: usize,
        side: Option<Side>,
        segment: &Segment<'_>,
        at: Option<OffsetDateTime>,
        number: u64,
    ) {
        // Data of a SYN stands behind it (RFC 7413).
        let sequence = segment.sequence.wrapping_add(u32::from(segment.syn));
        let begins = |payload: &[u8]| match side {
            Some(Side::Client) => tls::behind(payload, hello_begins).is_some(),
            Some(Side::Server) => tls::behind(payload, answer_begins).is_some(),
            None => false,
        };
        let mut ready: Vec<u8> = Vec::new();
        let stream = &mut self.streams[from];
        stream.push(sequence, segment.payload, begins, |bytes| {
            ready.extend_from_slice(bytes);
        });
        let Some(side) = side.filter(|_| !ready.is_empty()) else {
            return;
        };
        let start = stream.is_whole();
        let before = self.tls.hello().is_some();
        self.tls.push(side, &ready, start);
        if !before && self.tls.hello().is_some() {
            self.at = at;
            self.place = number;
        }
    }

    fn end_of(&mut self, side: Side, segment: &Segment<'_>) {
        let how = if segment.rst {
            How::Reset
        } else if segment.fin {
            How::Close
        } else {
            return;
        };
        self.ended.get_or_insert(Ended { by: side, how });
    }

    /// What it amounts to.
    pub(super) fn outcome(self) -> Outcome {
        let client = self.client.unwrap_or_default();
        let source = self.ends[client].to_string();
        let destination = self.ends[1 - client].to_string();
        let gap = self.streams[client].has_gap();
        let seen = self.tls.end();
        if let Some(offer) = seen.hello {
            return Outcome::Hello(Box::new(Hello {
                source,
                destination,
                at: self.at,
                offer: *offer,
                server: seen.server,
                alerts: seen.alerts,
                ended: self.ended,
                against: None,
            }));
        }
        let what = match seen.problem {
            Some(_) if gap => "segments of the ClientHello are missing from the capture".into(),
            // The error may quote what came.
            Some(problem) => Untrusted::from(problem).to_string(),
            None if seen.server.is_some() || !seen.alerts.is_empty() => {
                "the server's answer, but no ClientHello: it is missing from the capture".into()
            }
            None => return Outcome::WithoutTls,
        };
        Outcome::Other(Box::new(Other {
            source,
            destination,
            at: self.last_at,
            what,
            first_bytes: seen.first_bytes,
            server: seen.server,
            alerts: seen.alerts,
            ended: self.ended,
        }))
    }
}
