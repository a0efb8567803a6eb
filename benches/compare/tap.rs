//! A proxy that counts connections and notes when each began, was answered and ended.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use gladhand_testkit::net;
use gladhand_testkit::wire::ClientHello;

/// Passes connections on to one server, byte for byte.
#[derive(Debug)]
pub(crate) struct Tap {
    port: u16,
    seen: Arc<Mutex<Vec<Passage>>>,
    stop: Arc<AtomicBool>,
}

/// One connection, seen from the servers' side of the link. Times are since the first one began.
#[derive(Clone, Debug)]
pub(crate) struct Passage {
    begin: Instant,
    asked: Option<Instant>,
    answered: Option<Instant>,
    end: Option<Instant>,
    what: String,
}

impl Tap {
    /// In front of a server on this port of this machine.
    pub(crate) fn before(server: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        let port = listener.local_addr()?.port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        {
            let (seen, stop) = (Arc::clone(&seen), Arc::clone(&stop));
            thread::spawn(move || {
                for client in listener.incoming().flatten() {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let log = Log::new(&seen);
                    thread::spawn(move || pass_on(client, server, &log));
                }
            });
        }
        Ok(Self { port, seen, stop })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Every connection so far, in the order of their beginning.
    pub(crate) fn passages(&self) -> Vec<Passage> {
        lock(&self.seen).clone()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = net::connect(self.port);
    }
}

/// A line a connection: begin, hello, answer and end in milliseconds, and what was asked.
pub(crate) fn timeline(passages: &[Passage]) -> String {
    let Some(first) = passages.iter().map(|passage| passage.begin).min() else {
        return String::new();
    };
    let since = |time: Option<Instant>| {
        let since =
            |time: Instant| format!("{:7.1}", millis(time.saturating_duration_since(first)));
        time.map_or_else(|| "      –".into(), since)
    };
    let line = |passage: &Passage| {
        format!(
            "{} {} {} {}  {}\n",
            since(Some(passage.begin)),
            since(passage.asked),
            since(passage.answered),
            since(passage.end),
            passage.what
        )
    };
    let head = "  begin   hello  answer     end  question\n";
    head.to_owned() + &passages.iter().map(line).collect::<String>()
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The entry of one connection.
#[derive(Clone, Debug)]
struct Log {
    seen: Arc<Mutex<Vec<Passage>>>,
    index: usize,
}

impl Log {
    fn new(seen: &Arc<Mutex<Vec<Passage>>>) -> Self {
        let mut all = lock(seen);
        all.push(Passage {
            begin: Instant::now(),
            asked: None,
            answered: None,
            end: None,
            what: String::new(),
        });
        Self {
            seen: Arc::clone(seen),
            index: all.len() - 1,
        }
    }

    fn note(&self, change: impl FnOnce(&mut Passage)) {
        if let Some(passage) = lock(&self.seen).get_mut(self.index) {
            change(passage);
        }
    }

    fn asked(&self, bytes: &[u8]) {
        self.note(|passage| {
            if passage.asked.is_none() {
                passage.asked = Some(Instant::now());
                passage.what = question(bytes);
            }
        });
    }

    fn answered(&self, _: &[u8]) {
        self.note(|passage| {
            passage.answered.get_or_insert_with(Instant::now);
        });
    }
}

fn lock(seen: &Mutex<Vec<Passage>>) -> MutexGuard<'_, Vec<Passage>> {
    seen.lock().expect("nobody panics with the list")
}

fn pass_on(client: TcpStream, server: u16, log: &Log) {
    let Ok(server) = net::connect(server) else {
        return net::reset(client);
    };
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    let (Ok(from_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let up = {
        let log = log.clone();
        thread::spawn(move || {
            copy(from_client, to_server, |bytes| log.asked(bytes));
            log.note(|passage| passage.end = Some(Instant::now()));
        })
    };
    copy(server, client, |bytes| log.answered(bytes));
    let _ = up.join();
}

fn copy(mut from: TcpStream, mut to: TcpStream, note: impl Fn(&[u8])) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut buffer) {
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        note(bytes);
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}

/// A hello in a few words: the highest version, how many suites, and which where they are few.
fn question(bytes: &[u8]) -> String {
    let hello = match bytes {
        [22, high, low, _, _, message @ ..] => {
            ClientHello::parse(u16::from_be_bytes([*high, *low]), message)
        }
        _ => None,
    };
    let Some(hello) = hello else {
        return format!("{} octets, no ClientHello", bytes.len());
    };
    let versions = hello.versions();
    let highest = versions.iter().max().copied().unwrap_or(hello.version);
    let suites: Vec<_> = hello
        .suites
        .iter()
        // The SCSVs are no suites.
        .filter(|suite| !matches!(suite, 0x00FF | 0x5600))
        .collect();
    let mut text = format!("{highest:04X}, {} suites", suites.len());
    if suites.len() <= 4 {
        text.push_str(
            &suites
                .iter()
                .map(|suite| format!(" {suite:04X}"))
                .collect::<String>(),
        );
    }
    let groups = hello.groups().unwrap_or_default();
    text + &format!(
        ", {} groups, name {}",
        groups.len(),
        hello.server_name().unwrap_or_else(|| "none".into())
    )
}
