//! The TLS of a connection as its bytes go by: the hello, the answer, the alerts. Nothing is decrypted.

use gladhand_probes::Untrusted;
use gladhand_probes::clients::Offer;
use gladhand_probes::wire::client_hello_read::{
    CLIENT_HELLO, HelloCollector, HelloReader, HelloState,
};
use gladhand_probes::wire::messages::{Alert, ServerHello, ServerKeyExchange};
use gladhand_probes::wire::record::{ContentType, Deframer, Record};
use gladhand_probes::wire::registry::ProtocolVersion;

use crate::hello::model::{AlertSeen, ServerSide, Side};

/// Alerts of a connection that are kept, at most.
const MAX_ALERTS: usize = 16;

/// Bytes of a server's message that is read, at most.
const MAX_MESSAGE: usize = 64 * 1024;

/// Bytes that go into a deframer at once: it moves what is left for each record that it gives.
const PIECE: usize = 2048;

/// What is read of a hello takes more bytes than it came in: so many times, as far as room is concerned.
const READ: usize = 4;

/// Bytes of an encrypted alert in TLS 1.3: its two, the content type, and a tag of 16 or 8; Java pads it
/// with 16. Nothing else that a client can send first behind a ServerHello has such a length: not an
/// EndOfEarlyData (4 bytes), an empty Certificate (8) or a Finished (36), with the same around them.
const ENCRYPTED_ALERT: [usize; 4] = [19, 11, 35, 27];

/// What the two sides said.
#[derive(Debug, Default)]
pub(super) struct Tls {
    client: Client,
    server: Server,
    alerts: Vec<AlertSeen>,
}

#[derive(Debug, Default)]
struct Client {
    begun: Begun,
    deframer: Deframer,
    collector: HelloCollector,
    hello: Option<Box<Offer>>,
    /// What is wrong with the hello.
    problem: Option<String>,
    /// Where it may be an SSLv2 hello.
    ssl2: Option<HelloReader>,
    collected: usize,
    encrypted: bool,
    done: bool,
    first: Vec<u8>,
}

#[derive(Debug, Default)]
struct Server {
    begun: Begun,
    deframer: Deframer,
    messages: Vec<u8>,
    /// Bytes of a message that is not read.
    skip: usize,
    seen: ServerSide,
    hello: Option<ServerHello>,
    dark: bool,
    encrypted: bool,
    done: bool,
}

/// Whether the TLS of a direction was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Begun {
    /// Nothing came so far.
    #[default]
    No,
    /// Something else came first: STARTTLS, the PROXY protocol, or the beginning was not captured.
    Later,
    Yes,
}

impl Tls {
    /// Takes what a side says. `start` says that nothing of the direction is missing before the first.
    pub(super) fn push(&mut self, side: Side, bytes: &[u8], start: bool) {
        match side {
            Side::Client => self.client(bytes, start),
            Side::Server => self.server(bytes, start),
        }
    }

    /// What the client offers, once it is known.
    pub(super) fn hello(&self) -> Option<&Offer> {
        self.client.hello.as_deref()
    }

    /// Takes the results.
    pub(super) fn end(self) -> Seen {
        let Self {
            client,
            server,
            alerts,
        } = self;
        let known = server.seen != ServerSide::default();
        let unfinished = client.begun == Begun::Yes && client.hello.is_none();
        let problem = client
            .problem
            .or_else(|| unfinished.then(|| "the ClientHello breaks off".into()));
        let text = client.begun == Begun::Later && !client.first.is_empty();
        Seen {
            hello: client.hello,
            problem,
            first_bytes: text.then(|| Untrusted::from_bytes(&client.first)),
            server: known.then_some(server.seen),
            alerts,
        }
    }

    /// Bytes that are kept, about.
    pub(super) fn held(&self) -> usize {
        let client = self.client.collected + self.client.deframer.buffered();
        let ssl2 = self
            .client
            .ssl2
            .as_ref()
            .map_or(0, |reader| reader.first_bytes().len());
        let hello = self.client.hello.as_ref();
        let hello = hello.map_or(0, |offer| offer.length.saturating_mul(READ));
        client + ssl2 + hello + self.server.messages.len() + self.server.deframer.buffered()
    }

    fn client(&mut self, bytes: &[u8], start: bool) {
        let client = &mut self.client;
        if client.done {
            return;
        }
        let room = 64_usize.saturating_sub(client.first.len());
        client.first.extend(bytes.iter().take(room));
        let mut bytes = bytes;
        if client.begun == Begun::No && start {
            match bytes.first() {
                Some(22) => client.begun = Begun::Yes,
                Some(first) if first & 0x80 != 0 => {
                    client.begun = Begun::Yes;
                    client.ssl2 = Some(HelloReader::default());
                }
                Some(_) => client.begun = Begun::Later,
                None => return,
            }
        }
        if let Some(reader) = &mut client.ssl2 {
            match reader.push(bytes) {
                HelloState::Incomplete => {}
                HelloState::Ssl2(offer) => {
                    client.hello = Some(Box::new(Offer::from(&offer)));
                    client.ssl2 = None;
                    // The record is all that came: a client waits for the answer (RFC 5246 §E.2).
                }
                _ => {
                    client.ssl2 = None;
                    client.begun = Begun::Later;
                }
            }
            return;
        }
        if client.begun != Begun::Yes {
            client.begun = Begun::Later;
            let Some(rest) = behind(bytes, hello_begins) else {
                return;
            };
            bytes = rest;
            client.begun = Begun::Yes;
        }
        for piece in bytes.chunks(PIECE) {
            self.client.deframer.push(piece);
            self.client_records();
        }
    }

    fn client_records(&mut self) {
        while !self.client.done {
            match self.client.deframer.pop() {
                Ok(Some(record)) => self.client_record(&record),
                Ok(None) => return,
                Err(error) => {
                    let client = &mut self.client;
                    if client.hello.is_none() && client.problem.is_none() {
                        client.problem = Some(error.to_string());
                    }
                    client.done = true;
                    client.deframer = Deframer::default();
                }
            }
        }
    }

    fn client_record(&mut self, record: &Record) {
        let tls13 = self.is_tls13();
        let client = &mut self.client;
        match record.content_type {
            ContentType::Handshake if client.hello.is_none() && client.problem.is_none() => {
                client.collected += record.fragment.len();
                match client.collector.fragment(record.version, &record.fragment) {
                    HelloState::Hello(received) => {
                        client.hello = Some(Box::new(Offer::from(&*received)));
                    }
                    HelloState::Malformed(error) => client.problem = Some(error.to_string()),
                    _ => return,
                }
                client.collector = HelloCollector::default();
                client.collected = 0;
            }
            ContentType::Alert => {
                let after_data = client.encrypted;
                self.alert(alert(Side::Client, &record.fragment), after_data);
            }
            ContentType::ApplicationData => {
                let first = !std::mem::replace(&mut client.encrypted, true);
                if first && tls13 && ENCRYPTED_ALERT.contains(&record.fragment.len()) {
                    self.alert(AlertSeen::encrypted(Side::Client), false);
                }
            }
            _ => {}
        }
    }

    fn server(&mut self, bytes: &[u8], start: bool) {
        if self.server.done {
            return;
        }
        let mut bytes = bytes;
        if self.server.begun == Begun::No && start && matches!(bytes.first(), Some(21 | 22)) {
            self.server.begun = Begun::Yes;
        }
        if self.server.begun != Begun::Yes {
            self.server.begun = Begun::Later;
            let Some(rest) = behind(bytes, answer_begins) else {
                return;
            };
            bytes = rest;
            self.server.begun = Begun::Yes;
        }
        for piece in bytes.chunks(PIECE) {
            self.server.deframer.push(piece);
            self.server_records();
        }
    }

    fn server_records(&mut self) {
        while !self.server.done {
            match self.server.deframer.pop() {
                Ok(Some(record)) => self.server_record(&record),
                Ok(None) => return,
                Err(error) => {
                    if self.server.hello.is_none() {
                        self.server.seen.broken = Some(error.to_string());
                    }
                    self.server.done = true;
                    self.server.deframer = Deframer::default();
                }
            }
        }
    }

    fn server_record(&mut self, record: &Record) {
        match record.content_type {
            ContentType::Alert => {
                let after_data = self.server.encrypted;
                self.alert(alert(Side::Server, &record.fragment), after_data);
            }
            ContentType::ChangeCipherSpec if !self.is_tls13() => self.server.dark = true,
            ContentType::Handshake if !self.server.dark => self.server.handshake(&record.fragment),
            ContentType::ApplicationData => self.server.encrypted = true,
            _ => {}
        }
    }

    /// Notes an alert. One that is encrypted, and comes behind data, is how connections end.
    fn alert(&mut self, alert: AlertSeen, after_data: bool) {
        if self.alerts.len() < MAX_ALERTS && !(alert.encrypted && after_data) {
            self.alerts.push(alert);
        }
    }

    fn is_tls13(&self) -> bool {
        let hello = self.server.hello.as_ref();
        hello.is_some_and(|hello| hello.version() >= ProtocolVersion::TLS1_3)
    }
}

/// What became of a connection's TLS.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) hello: Option<Box<Offer>>,
    pub(super) problem: Option<String>,
    /// The client's first bytes, where they are no TLS.
    pub(super) first_bytes: Option<Untrusted>,
    pub(super) server: Option<ServerSide>,
    pub(super) alerts: Vec<AlertSeen>,
}

impl Server {
    fn handshake(&mut self, fragment: &[u8]) {
        let skipped = self.skip.min(fragment.len());
        self.skip -= skipped;
        self.messages
            .extend_from_slice(fragment.get(skipped..).unwrap_or_default());
        let messages = std::mem::take(&mut self.messages);
        let mut left = messages.as_slice();
        while let Some((&[typ, high, middle, low], rest)) = left.split_first_chunk::<4>() {
            let length = u32::from_be_bytes([0, high, middle, low]) as usize;
            let wanted = matches!(typ, 2 | 12 | 13) && length <= MAX_MESSAGE;
            match rest.split_at_checked(length) {
                Some((body, after)) => {
                    if wanted {
                        self.message(typ, body);
                    }
                    left = after;
                }
                None if wanted => break,
                None => {
                    self.skip = length - rest.len();
                    left = &[];
                }
            }
        }
        self.messages = left.to_vec();
    }

    fn message(&mut self, typ: u8, body: &[u8]) {
        match typ {
            2 => match ServerHello::decode(body) {
                Ok(hello) => self.server_hello(hello),
                Err(error) => self.seen.broken = Some(error.to_string()),
            },
            12 => {
                let exchange = self.hello.as_ref().and_then(|hello| {
                    ServerKeyExchange::decode(body, hello.suite, hello.version())
                        .ok()
                        .flatten()
                });
                self.seen.group = exchange.and_then(|exchange| exchange.group).map(Into::into);
            }
            _ => self.seen.requests_certificate = true,
        }
    }

    fn server_hello(&mut self, hello: ServerHello) {
        if hello.is_retry() {
            self.seen.retry = hello.group().map(Into::into);
            // It says TLS 1.3, in which a ChangeCipherSpec means nothing (RFC 8446 §D.4).
            self.hello = Some(hello);
            return;
        }
        let version = hello.version();
        self.seen.version = Some(version.to_string());
        self.seen.suite = Some(hello.suite.into());
        self.seen.group = hello.group().map(Into::into);
        self.seen.alpn = hello.alpn().ok().flatten().map(Untrusted::from_bytes);
        self.dark = version >= ProtocolVersion::TLS1_3;
        self.hello = Some(hello);
    }
}

/// An alert in clear has two bytes, one that is encrypted has more.
fn alert(from: Side, fragment: &[u8]) -> AlertSeen {
    match Alert::decode(fragment) {
        Ok(alert) if fragment.len() == 2 => AlertSeen::clear(from, alert),
        _ => AlertSeen::encrypted(from),
    }
}

/// Whether a ClientHello's record begins here.
pub(super) fn hello_begins(bytes: &[u8]) -> bool {
    // Record header, message header, legacy_version.
    matches!(
        bytes,
        [22, 3, 0..=4, _, _, CLIENT_HELLO, 0, _, _, 3, 0..=4, ..]
    )
}

/// Whether a server's answer begins here: the record of a ServerHello, or of an alert in clear.
pub(super) fn answer_begins(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [22, 3, 0..=4, _, _, 2, 0, _, _, 3, 0..=4, ..] | [21, 3, 0..=4, 0, 2, 1 | 2, _, ..]
    )
}

/// What stands behind something else, from where TLS begins.
pub(super) fn behind(bytes: &[u8], begins: impl Fn(&[u8]) -> bool) -> Option<&[u8]> {
    let mut places = (0..bytes.len()).filter_map(|at| bytes.get(at..));
    places.find(|rest| begins(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_that_was_read_still_takes_memory() {
        // A ClientHello of 60,000 bytes, nearly all of it suites, in records of 15,000.
        let mut body = vec![3, 3];
        body.extend([0; 33]);
        body.extend(59_000_u16.to_be_bytes());
        body.extend(vec![0; 59_000]);
        body.extend([1, 0]);
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        let message = [&[1][..], &length[1..], &body].concat();
        let mut tls = Tls::default();
        for fragment in message.chunks(15_000) {
            let length = u16::try_from(fragment.len()).unwrap().to_be_bytes();
            tls.push(
                Side::Client,
                &[&[22, 3, 1][..], &length, fragment].concat(),
                true,
            );
        }
        assert!(tls.hello().is_some());
        assert!(tls.held() > message.len(), "{}", tls.held());
    }
}
