//! An HTTP server that answers as it is told, well or badly, and counts who asks.

use std::collections::HashMap;
use std::fmt;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::net;

/// Makes a body of another.
type Make = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

/// What a path is answered with.
#[derive(Clone)]
pub enum Answer {
    /// 200, with a length.
    Body(Vec<u8>),
    /// 200, in chunks of so many octets.
    Chunks(Vec<u8>, usize),
    /// 200, of no length: the end of the connection is the end of it.
    ToTheEnd(Vec<u8>),
    /// Whatever it is.
    Raw(Vec<u8>),
    /// The same, and the connection stays open as long as the client wants.
    Held(Vec<u8>),
    /// The same, the connection idle for so long, and then its end with these last words: by a reset, or not.
    Idle {
        /// What is answered.
        answer: Vec<u8>,
        /// For how long nothing happens.
        kept: Duration,
        /// What is said then, unasked.
        last_words: Vec<u8>,
        /// Whether the end is a reset.
        reset: bool,
    },
    /// What the first and every other asking is answered with, and what the others are.
    InTurn(Box<Answer>, Box<Answer>),
    /// No answer: the end of the connection.
    Nothing,
    /// A status without a body.
    Status(u16),
    /// 302 to there.
    Redirect(String),
    /// 200, an octet at a time, each a tenth of a second after the other.
    Drip(Vec<u8>),
    /// 200, without an end.
    Endless,
    /// 200, made of the request's body; by GET, of what is in the path (RFC 6960 §A.1).
    Made(Arc<Make>),
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}

/// What was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET` or `POST`.
    pub method: String,
    /// The path.
    pub path: String,
    /// The head as it came.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

/// A server on 127.0.0.1; it ends with the value.
#[derive(Debug)]
pub struct HttpServer {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    answers: Mutex<HashMap<String, Answer>>,
    asked: Mutex<Vec<Asked>>,
    turns: AtomicUsize,
    stop: AtomicBool,
}

impl HttpServer {
    /// One that knows no path yet.
    pub fn new() -> Self {
        let listener = TcpListener::bind(net::loopback(0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if served.stop.load(Ordering::Relaxed) {
                    break;
                }
                let shared = Arc::clone(&served);
                // Who hangs up early has its reasons.
                thread::spawn(move || _ = serve(client, &shared));
            }
        });
        Self { port, shared }
    }

    /// Answers a path from now on; `*` is every other one.
    pub fn put(&self, path: &str, answer: Answer) {
        let mut answers = self.shared.answers.lock().expect("the answers");
        answers.insert(path.into(), answer);
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().expect("what was asked").clone()
    }
}

impl Default for HttpServer {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let _ = net::connect(self.port);
    }
}

fn serve(mut client: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let Some(asked) = read(&mut client)? else {
        return Ok(());
    };
    let answers = shared
        .answers
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let answer = answers.get(&asked.path).or(answers.get("*")).cloned();
    drop(answers);
    let body = match asked.method.as_str() {
        "GET" => in_path(&asked.path),
        _ => asked.body.clone(),
    };
    shared
        .asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(asked);
    let ok = |length: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
    let mut answer = answer.unwrap_or(Answer::Status(404));
    if let Answer::InTurn(odd, even) = answer {
        let turns = shared.turns.fetch_add(1, Ordering::Relaxed);
        answer = if turns.is_multiple_of(2) { *odd } else { *even };
    }
    match answer {
        Answer::InTurn(..) | Answer::Nothing => Ok(()),
        Answer::Held(bytes) => {
            client.write_all(&bytes)?;
            let _ = client.read(&mut [0; 1]);
            Ok(())
        }
        Answer::Idle {
            answer,
            kept,
            last_words,
            reset,
        } => {
            client.write_all(&answer)?;
            thread::sleep(kept);
            client.write_all(&last_words)?;
            if reset {
                net::reset(client);
            }
            Ok(())
        }
        Answer::Body(body) => client.write_all(&[ok(body.len()).as_bytes(), &body].concat()),
        Answer::Made(make) => {
            let body = make(&body);
            client.write_all(&[ok(body.len()).as_bytes(), &body].concat())
        }
        Answer::ToTheEnd(body) => {
            client.write_all(b"HTTP/1.0 200 OK\r\n\r\n")?;
            client.write_all(&body)
        }
        Answer::Chunks(body, size) => {
            client.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            for chunk in body.chunks(size) {
                client.write_all(format!("{:x}\r\n", chunk.len()).as_bytes())?;
                client.write_all(chunk)?;
                client.write_all(b"\r\n")?;
            }
            client.write_all(b"0\r\n\r\n")
        }
        Answer::Raw(bytes) => client.write_all(&bytes),
        Answer::Status(status) => {
            client.write_all(format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n").as_bytes())
        }
        Answer::Redirect(to) => client.write_all(
            format!("HTTP/1.1 302 x\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").as_bytes(),
        ),
        Answer::Drip(body) => {
            client.write_all(ok(body.len()).as_bytes())?;
            for octet in body {
                client.write_all(&[octet])?;
                thread::sleep(Duration::from_millis(100));
            }
            Ok(())
        }
        Answer::Endless => {
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            let octets = vec![0x30; 64 * 1024];
            loop {
                client.write_all(&octets)?;
            }
        }
    }
}

/// What stands behind the first slash, in base64 with escapes.
fn in_path(path: &str) -> Vec<u8> {
    let path = path.trim_start_matches('/');
    let text = ["%2B", "%2F", "%3D"].iter().zip(["+", "/", "="]);
    let text = text.fold(path.to_owned(), |text, (from, to)| text.replace(from, to));
    let digit = |c: u8| match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u8> = text.bytes().map_while(digit).collect();
    let mut bytes = Vec::new();
    for group in digits.chunks(4) {
        let bits = group
            .iter()
            .fold(0_u32, |bits, digit| bits << 6 | u32::from(*digit));
        let bits = bits << (6 * (4 - group.len()));
        bytes.extend(&bits.to_be_bytes()[1..group.len()]);
    }
    bytes
}

fn read(client: &mut TcpStream) -> std::io::Result<Option<Asked>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse().ok())?
            });
            let body = bytes[end + 4..].to_vec();
            if body.len() >= length.unwrap_or(0) {
                let mut words = head.split_whitespace();
                let mut word = || words.next().unwrap_or_default().to_owned();
                return Ok(Some(Asked {
                    method: word(),
                    path: word(),
                    head,
                    body,
                }));
            }
        }
        match client.read(&mut buffer)? {
            0 => return Ok(None),
            // A hello of TLS: this is no server of that.
            _ if bytes.is_empty() && buffer[0] == 22 => return Ok(None),
            read => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}
