//! What becomes of one connection: rules, faults, and the actions of both.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::script::{Action, AlertAs, Engine, Kind, When};
use super::{Identity, Shared, rustls_engine, synthetic};
use crate::pki::unhex;
use crate::wire::{self, ClientHello, Incoming};
use crate::{names, net};

/// How long a client may take for its first message.
const PATIENCE: Duration = Duration::from_secs(30);
/// When a silent or flooding server gives up, should a test hang.
const AT_MOST: Duration = Duration::from_secs(120);
/// TLS 1.2, in most records.
const RECORD: u16 = 0x0303;

/// A connection, and what was read from it before the engine saw it.
#[derive(Debug)]
pub(crate) struct Connection<'a> {
    pub(crate) stream: TcpStream,
    pub(crate) raw: Vec<u8>,
    /// Counted from 1.
    pub(crate) number: usize,
    pub(crate) shared: &'a Shared,
}

/// Serves one connection until it ends.
pub(super) fn serve(mut stream: TcpStream, number: usize, shared: &Shared) {
    if let Some(talk) = shared.talk {
        return talk(Connection {
            stream,
            raw: Vec::new(),
            number,
            shared,
        });
    }
    if let Some(greeting) = &shared.model.greeting {
        let bytes = banner(greeting).map_or_else(|| greeting.as_bytes().to_vec(), <[u8]>::to_vec);
        if stream.write_all(&bytes).is_err() {
            return;
        }
    }
    let (incoming, raw) = wire::read_incoming(&mut stream, PATIENCE);
    shared.keep(incoming.clone());
    let mut connection = Connection {
        stream,
        raw,
        number,
        shared,
    };
    if shared.fault.delay_ms > 0 {
        thread::sleep(Duration::from_millis(shared.fault.delay_ms));
    }
    let rule = shared
        .rules
        .iter()
        .find(|rule| holds(&rule.when, number, &incoming));
    if let Some(rule) = rule {
        for action in &rule.then {
            match connection.act(action, &incoming) {
                Some(rest) => connection = rest,
                None => return,
            }
        }
        return connection.close();
    }
    if let Incoming::Tls(hello) = &incoming
        && let Some(fault) = fault(hello, shared)
    {
        return connection.instead(fault);
    }
    connection.base(&incoming, usize::MAX);
}

impl Connection<'_> {
    /// What the server presents.
    pub(crate) fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    /// The first message of the client.
    pub(crate) fn hello(&mut self) -> Incoming {
        let (incoming, raw) = wire::read_incoming(&mut self.stream, PATIENCE);
        self.raw = raw;
        self.shared.keep(incoming.clone());
        incoming
    }

    /// Sends what is left to say, and ends with FIN.
    pub(crate) fn close(mut self) {
        let _ = self.stream.flush();
        let _ = self.stream.shutdown(Shutdown::Write);
        // Reads what the client still sends: unread octets would turn the FIN into a reset.
        self.wait_for_client(Duration::from_secs(2));
    }

    /// Stays open without a word until the client leaves.
    pub(crate) fn silence(mut self) {
        self.wait_for_client(AT_MOST);
    }

    /// Does something else than it should.
    pub(super) fn instead(mut self, what: AlertAs) {
        match what {
            AlertAs::Reset => net::reset(self.stream),
            AlertAs::Close => self.close(),
            AlertAs::Silence => self.silence(),
            AlertAs::InternalError => self.fatal(80),
            AlertAs::IllegalParameter => self.fatal(47),
            AlertAs::HandshakeFailure => self.fatal(40),
        }
    }

    /// Refuses as a sound server would, unless the fault says otherwise.
    pub(super) fn refuse(mut self, alert: u8) {
        match self.shared.fault.alert_as {
            Some(instead) => self.instead(instead),
            None => self.fatal(alert),
        }
    }

    fn fatal(&mut self, alert: u8) {
        let _ = self.send(&wire::alert(RECORD, 2, alert));
        let _ = self.stream.shutdown(Shutdown::Write);
        self.wait_for_client(Duration::from_secs(2));
    }

    /// Writes, in pieces where the fault says so.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let size = self
            .shared
            .fault
            .write_size
            .unwrap_or(usize::MAX)
            .clamp(1, bytes.len().max(1));
        for piece in bytes.chunks(size) {
            self.stream.write_all(piece)?;
            if size < bytes.len() {
                thread::sleep(Duration::from_micros(300));
            }
        }
        Ok(())
    }

    /// Does one thing of a rule; nothing comes back where the connection has ended with it.
    fn act(mut self, action: &Action, incoming: &Incoming) -> Option<Self> {
        let sent = match action {
            Action::Hex(hex) => self.send(&unhex(hex)),
            Action::Text(text) => self.send(text.as_bytes()),
            Action::Banner(name) => {
                let text = banner(name).unwrap_or_else(|| panic!("no banner of {name}"));
                self.send(text)
            }
            Action::Alert(number) => self.send(&wire::alert(RECORD, 2, *number)),
            Action::Warning(number) => self.send(&wire::alert(RECORD, 1, *number)),
            Action::Drip(hex) => {
                self.drip(&unhex(hex));
                return None;
            }
            Action::ServerHello(suite) => {
                let hello = wire::server_hello(RECORD, names::suite(suite), &[]);
                self.send(&wire::records(wire::HANDSHAKE, RECORD, &hello, 16_384))
            }
            Action::WaitMs(ms) => {
                thread::sleep(Duration::from_millis(*ms));
                Ok(())
            }
            Action::Messages(count) => {
                self.base(incoming, *count);
                return None;
            }
            Action::Base => {
                self.base(incoming, usize::MAX);
                return None;
            }
            Action::Http400 => self.send(HTTP_400),
            Action::EndlessCertificate => {
                let mut begin = wire::server_hello(RECORD, 0xC02F, &[]);
                begin.extend([11, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFC, 0xFF, 0xFF, 0xF9]);
                let begin = wire::records(wire::HANDSHAKE, RECORD, &begin, 16_384);
                let more = wire::records(wire::HANDSHAKE, RECORD, &[0; 16_384], 16_384);
                self.send(&begin).and_then(|()| self.flood(&more))
            }
            Action::WarningFlood => {
                // no_renegotiation: the one warning that never ends a connection.
                let flood = wire::alert(RECORD, 1, 100).repeat(100);
                self.flood(&flood)
            }
            Action::HelloRequestFlood => {
                let request = wire::handshake(0, &[]);
                let flood = wire::records(wire::HANDSHAKE, RECORD, &request, 16_384).repeat(100);
                self.flood(&flood)
            }
            Action::ZeroLengthRecords => self.flood(&[wire::HANDSHAKE, 3, 3, 0, 0].repeat(100)),
            Action::Garbage => {
                let bytes: Vec<u8> = (0..4096_u32)
                    .map(|n| (n * 197 + 13).to_le_bytes()[0])
                    .collect();
                self.send(&bytes)
            }
            Action::Close => {
                self.close();
                return None;
            }
            Action::Reset => {
                net::reset(self.stream);
                return None;
            }
            Action::Silence => {
                self.silence();
                return None;
            }
        };
        sent.is_ok().then_some(self)
    }

    fn base(self, incoming: &Incoming, messages: usize) {
        let hello = match incoming {
            Incoming::Nothing => return self.close(),
            Incoming::Ssl2(hello) if self.shared.model.engine == Engine::Synthetic => {
                return synthetic::answer_ssl2(self, hello);
            }
            Incoming::Tls(hello) => hello,
            _ if self.shared.model.engine == Engine::None => return self.silence(),
            // What OpenSSL does with what is no hello, near enough.
            _ => return self.refuse(70),
        };
        match self.shared.model.engine {
            Engine::None => self.silence(),
            Engine::Synthetic => synthetic::answer(self, hello, messages),
            Engine::Rustls => rustls_engine::answer(self, hello),
        }
    }

    /// One octet a second, over and over, until the client leaves.
    pub(crate) fn drip(&mut self, bytes: &[u8]) {
        let begin = Instant::now();
        for byte in bytes.iter().cycle() {
            let over = begin.elapsed() > AT_MOST || self.shared.stopped();
            if over || self.stream.write_all(&[*byte]).is_err() {
                return;
            }
            self.wait_for_client(Duration::from_secs(1));
        }
    }

    /// The same octets without end, until the client leaves.
    pub(crate) fn flood(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let begin = Instant::now();
        let _ = self.stream.set_write_timeout(Some(Duration::from_secs(5)));
        while begin.elapsed() < AT_MOST && !self.shared.stopped() {
            self.stream.write_all(bytes)?;
        }
        Ok(())
    }

    /// Reads and forgets, until the client leaves or the time is over.
    fn wait_for_client(&mut self, limit: Duration) {
        let begin = Instant::now();
        let mut buffer = [0; 4096];
        let _ = self
            .stream
            .set_read_timeout(Some(Duration::from_millis(100).min(limit)));
        while begin.elapsed() < limit && !self.shared.stopped() {
            match self.stream.read(&mut buffer) {
                Ok(0) => return,
                Ok(_) => {}
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return,
            }
        }
    }
}

/// What a fault does to this hello, if anything.
fn fault(hello: &ClientHello, shared: &Shared) -> Option<AlertAs> {
    let fault = &shared.fault;
    let over = |limit: Option<usize>, value| limit.is_some_and(|limit| value > limit);
    if over(fault.close_if_suites_over, hello.suites.len()) {
        return Some(AlertAs::Close);
    }
    if fault
        .silent_if_hello_between
        .is_some_and(|[a, b]| (a..=b).contains(&hello.length))
    {
        return Some(AlertAs::Silence);
    }
    if over(fault.drop_if_hello_over, hello.length) {
        return Some(AlertAs::Silence);
    }
    if over(fault.reset_if_hello_over, hello.length) {
        return Some(AlertAs::Reset);
    }
    let tls13 = hello.versions().contains(&0x0304);
    if fault.needs_scsv && !tls13 {
        let signalled = hello.suites.contains(&0x00FF) || hello.extension(0xFF01).is_some();
        if !signalled {
            return Some(fault.alert_as.unwrap_or(AlertAs::HandshakeFailure));
        }
    }
    let speaks13 = shared
        .model
        .versions
        .iter()
        .any(|version| version == "TLSv1.3");
    if let Some(refusal) = fault.no_hrr
        && tls13
        && speaks13
    {
        let ours = shared
            .model
            .groups
            .iter()
            .map(|name| names::group(name))
            .collect::<Vec<_>>();
        let sent = hello.key_shares().unwrap_or_default();
        if !sent.iter().any(|group| ours.contains(group)) {
            return Some(refusal);
        }
    }
    None
}

fn holds(when: &When, number: usize, incoming: &Incoming) -> bool {
    let kind = match incoming {
        Incoming::Tls(_) => Kind::Tls,
        Incoming::Ssl2(_) => Kind::Ssl2,
        Incoming::Http => Kind::Http,
        Incoming::Other => Kind::Other,
        Incoming::Nothing => Kind::Nothing,
    };
    let general = when.hello.is_none_or(|wanted| wanted == kind)
        && when.connection.is_none_or(|wanted| wanted == number)
        && when.connections_over.is_none_or(|limit| number > limit);
    let When {
        offers_version,
        highest_version,
        offers_suite,
        offers_group,
        ..
    } = when;
    let Incoming::Tls(hello) = incoming else {
        let asks_for_tls = offers_version.is_some()
            || highest_version.is_some()
            || offers_suite.is_some()
            || offers_group.is_some()
            || when.suites_over.is_some()
            || when.hello_over.is_some()
            || when.key_share.is_some()
            || when.has_sni.is_some()
            || when.compression.is_some()
            || when.extension.is_some()
            || when.odd.is_some()
            || when.sni.is_some();
        return general && !asks_for_tls;
    };
    let versions = hello.versions();
    let name = hello.server_name();
    general
        && offers_version
            .as_ref()
            .is_none_or(|v| versions.contains(&names::version(v)))
        && highest_version
            .as_ref()
            .is_none_or(|v| versions.iter().all(|offered| *offered <= names::version(v)))
        && offers_suite
            .as_ref()
            .is_none_or(|s| hello.suites.contains(&names::suite(s)))
        && offers_group.as_ref().is_none_or(|g| {
            hello
                .groups()
                .unwrap_or_default()
                .contains(&names::group(g))
        })
        && when
            .suites_over
            .is_none_or(|limit| hello.suites.len() > limit)
        && when.hello_over.is_none_or(|limit| hello.length > limit)
        && when.key_share.is_none_or(|wanted| {
            wanted == hello.key_shares().is_some_and(|shares| !shares.is_empty())
        })
        && when.has_sni.is_none_or(|wanted| wanted == name.is_some())
        && when
            .compression
            .is_none_or(|wanted| wanted == (hello.compression != [0]))
        && when
            .extension
            .is_none_or(|id| hello.extension(id).is_some())
        && when.odd.is_none_or(|odd| odd.is_in(hello))
        && when
            .sni
            .as_ref()
            .is_none_or(|wanted| Some(wanted) == name.as_ref())
}

const HTTP_400: &[u8] = b"HTTP/1.1 400 Bad Request\r\nServer: scripted\r\nContent-Length: 12\r\n\
    Connection: close\r\n\r\nBad Request\n";

fn banner(name: &str) -> Option<&'static [u8]> {
    Some(match name {
        "ssh" => b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
        "smtp" => b"220 mail.example.test ESMTP Postfix\r\n",
        "imap" => b"* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.\r\n",
        "pop3" => b"+OK Dovecot ready.\r\n",
        "ftp" => b"220 (vsFTPd 3.0.3)\r\n",
        "mysql" => {
            b"\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00abcdefgh\x00\xff\xff\xff\x02\x00\xff\xdf\
              \x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00abcdefghijkl\x00caching_sha2_password\x00"
        }
        "redis" => b"-ERR Protocol error: unauthenticated multibulk length\r\n",
        "postgresql" => {
            b"E\x00\x00\x00\x4dSFATAL\x00C0A000\x00Munsupported frontend protocol 5635.778\x00\
              Fpostmaster.c\x00\x00"
        }
        _ => return None,
    })
}
