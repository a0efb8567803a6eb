//! One HTTP/1.1 request, and of the answer no more than is needed: bounded in size and time.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::response::{Head, head};
use crate::net::connect::is_reset;

/// Bytes of a head that are read, at most: as much as AWS load balancers take from a client.
pub(crate) const MOST: usize = 64 * 1024;

/// Bytes of the body of a refusal: some servers say only there what they miss.
const MOST_OF_BODY: usize = 4 * 1024;

/// Interim answers (1xx) before the final one, at most.
const INTERIM: u32 = 8;

/// How long the body of a refusal is waited for, once the head is there.
const BODY_WAIT: Duration = Duration::from_millis(300);

/// How long nothing has to come until it counts as silence: so long at least, and so many times the
/// handshake.
const PATIENCE: Duration = Duration::from_secs(2);
const PATIENCE_FACTOR: u32 = 20;

/// A GET request. Equal values are the same question.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    /// What `Host` says.
    pub(crate) host: String,
    /// The request target, from the slash on.
    pub(crate) path: String,
}

impl Request {
    fn bytes(&self) -> Vec<u8> {
        format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: gladhand/{}\r\nAccept: */*\r\n\r\n",
            self.path,
            self.host,
            env!("CARGO_PKG_VERSION")
        )
        .into_bytes()
    }
}

/// What became of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    /// The head of an answer came.
    Answered(Box<Head>),
    /// Nothing, or no whole head, until the time was up.
    #[default]
    Silent,
    /// The connection was closed before a head was there.
    Closed,
    /// It was reset.
    Reset,
    /// What came is no HTTP/1.
    NotHttp,
    /// The head is longer than [`MOST`], or there are too many interim answers.
    TooLarge,
    /// It begins like HTTP/1, and is none; why.
    Malformed(String),
    /// The session broke; how.
    Broken(String),
}

/// A request and what came back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exchange {
    /// How it ended.
    pub(crate) end: End,
    /// The answer as far as it came: interim answers left out.
    pub(crate) received: Vec<u8>,
    /// From the request to the first byte.
    pub(crate) took: Option<Duration>,
}

impl Exchange {
    /// An exchange on which these bytes came before the request was sent.
    pub(crate) fn after(received: Vec<u8>) -> Self {
        Self {
            received,
            ..Self::default()
        }
    }

    /// Sends the request and reads the answer. Who cuts this short finds in `self` what came so far.
    ///
    /// # Errors
    /// The connection broke, in another way than by its end.
    pub(crate) async fn run<S>(
        &mut self,
        stream: &mut S,
        request: &Request,
        connected_in: Duration,
    ) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let begun = Instant::now();
        let patience = PATIENCE.max(connected_in * PATIENCE_FACTOR);
        // Who has hung up may have said something before: that is read first.
        if timeout(patience, send(stream, request)).await.is_err() {
            return Ok(());
        }
        let mut searched = 0;
        let mut interim = 0;
        let mut buffer = vec![0; 8 * 1024];
        loop {
            if !self.received.is_empty() && self.took.is_none() {
                self.took = Some(begun.elapsed());
            }
            if !may_be_http(&self.received) {
                self.end = End::NotHttp;
                return Ok(());
            }
            if let Some(length) = blank_line(&self.received, searched) {
                match head(&self.received) {
                    Ok((head, length)) if head.status < 200 && head.status != 101 => {
                        interim += 1;
                        self.received.drain(..length.min(self.received.len()));
                        searched = 0;
                        if interim > INTERIM {
                            self.end = End::TooLarge;
                            return Ok(());
                        }
                        continue;
                    }
                    Ok((head, length)) => {
                        let refusal = (400..500).contains(&head.status);
                        self.end = End::Answered(Box::new(head));
                        if refusal {
                            self.body(stream, length).await;
                        }
                        return Ok(());
                    }
                    Err(why) => {
                        self.received.truncate(length);
                        self.end = End::Malformed(why);
                        return Ok(());
                    }
                }
            }
            searched = self.received.len().saturating_sub(3);
            if self.received.len() >= MOST {
                self.end = End::TooLarge;
                return Ok(());
            }
            let left = patience.saturating_sub(begun.elapsed());
            let wait = if self.received.is_empty() {
                left
            } else {
                patience
            };
            let read = match timeout(wait, stream.read(&mut buffer)).await {
                Err(_) => return Ok(()),
                Ok(Ok(read)) => read,
                Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
                Ok(Err(error)) if is_reset(&error) => {
                    self.end = End::Reset;
                    return Ok(());
                }
                Ok(Err(error)) => {
                    self.end = End::Broken(error.to_string());
                    return Err(error);
                }
            };
            if read == 0 {
                self.end = End::Closed;
                return Ok(());
            }
            self.received
                .extend_from_slice(buffer.get(..read).unwrap_or_default());
        }
    }

    /// The beginning of the body, behind the head of so many bytes.
    async fn body<S: AsyncRead + Unpin>(&mut self, stream: &mut S, head: usize) {
        let mut buffer = vec![0; MOST_OF_BODY];
        let end = Instant::now() + BODY_WAIT;
        while self.received.len() < head + MOST_OF_BODY {
            let wait = end.saturating_duration_since(Instant::now());
            match timeout(wait, stream.read(&mut buffer)).await {
                Ok(Ok(read @ 1..)) => {
                    self.received
                        .extend_from_slice(buffer.get(..read).unwrap_or_default());
                }
                _ => break,
            }
            if says_what_it_misses(&self.received) {
                break;
            }
        }
    }

    /// Whether the answer is what nginx gives where a client certificate is missing, or was not taken.
    pub(crate) fn misses_certificate(&self) -> bool {
        says_what_it_misses(&self.received)
    }
}

/// nginx 400, 495 and 496: the words of its own error pages.
fn says_what_it_misses(received: &[u8]) -> bool {
    const WORDS: [&[u8]; 2] = [
        b"No required SSL certificate was sent",
        b"The SSL certificate error",
    ];
    WORDS
        .iter()
        .any(|words| received.windows(words.len()).any(|window| window == *words))
}

/// Sends the request. That the peer has hung up shows with the next read.
async fn send<S: AsyncWrite + Unpin>(stream: &mut S, request: &Request) {
    if stream.write_all(&request.bytes()).await.is_ok() {
        let _ = stream.flush().await;
    }
}

/// Whether an answer of HTTP/1 can begin so (RFC 9112 §4; empty lines in front are put up with).
fn may_be_http(received: &[u8]) -> bool {
    let start = received
        .iter()
        .position(|byte| !matches!(byte, b'\r' | b'\n'))
        .unwrap_or(received.len());
    let rest = received.get(start..).unwrap_or_default();
    b"HTTP/1."
        .iter()
        .zip(rest)
        .all(|(expected, byte)| expected == byte)
}

/// Where the first empty line behind `from` ends.
pub(super) fn blank_line(received: &[u8], from: usize) -> Option<usize> {
    let tail = received.get(from..)?;
    let mut ends = tail.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.find_map(|(at, _)| {
        let before = tail.get(..at)?;
        let line = before.strip_suffix(b"\r").unwrap_or(before);
        line.ends_with(b"\n").then_some(from + at + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request {
            host: "www.example.com".into(),
            path: "/".into(),
        }
    }

    /// What comes of an answer that is there all at once, and then the end.
    async fn answered(answer: &[u8]) -> Exchange {
        let mut stream = tokio_test_stream(answer);
        let mut exchange = Exchange::default();
        let _ = exchange.run(&mut stream, &request(), Duration::ZERO).await;
        exchange
    }

    fn tokio_test_stream(answer: &[u8]) -> impl AsyncRead + AsyncWrite + Unpin {
        tokio::io::join(io::Cursor::new(answer.to_vec()), tokio::io::sink())
    }

    #[tokio::test]
    async fn an_answer_is_read_up_to_the_end_of_its_head() {
        let exchange = answered(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nbody").await;
        let End::Answered(head) = exchange.end else {
            panic!("{exchange:?}");
        };
        assert_eq!(head.status, 200);
    }

    #[tokio::test]
    async fn interim_answers_are_passed_over_and_counted() {
        let exchange = answered(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 x\r\n\r\n").await;
        assert!(matches!(&exchange.end, End::Answered(head) if head.status == 204));
        let flood = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100);
        assert_eq!(answered(&flood).await.end, End::TooLarge);
    }

    #[tokio::test]
    async fn what_is_no_http_is_told_at_once() {
        for other in [
            &b"<html>"[..],
            b"220 mail\r\n",
            b"HTTQ",
            b"\r\n\r\nSSH-2.0-x",
        ] {
            assert_eq!(answered(other).await.end, End::NotHttp);
        }
        assert_eq!(answered(b"").await.end, End::Closed);
        assert_eq!(answered(b"HTTP/1.1 200 OK\r\nServ").await.end, End::Closed);
        let line = [b"HTTP/1.1 200 ".as_slice(), &vec![b'a'; MOST]].concat();
        assert_eq!(answered(&line).await.end, End::TooLarge);
        let broken = answered(b"HTTP/1.1 2x0 OK\r\n\r\n").await.end;
        assert!(matches!(broken, End::Malformed(_)), "{broken:?}");
    }

    #[tokio::test]
    async fn the_body_of_a_refusal_is_read_for_what_it_misses() {
        let nginx = b"HTTP/1.1 400 Bad Request\r\n\r\n<center>No required SSL certificate was sent";
        assert!(answered(nginx).await.misses_certificate());
        let other = b"HTTP/1.1 404 Not Found\r\n\r\nnothing here";
        assert!(!answered(other).await.misses_certificate());
    }

    #[test]
    fn finds_the_empty_line_wherever_it_was_cut() {
        for text in [&b"a\r\n\r\nb"[..], b"a\n\nb", b"a\r\n\nb"] {
            let end = text.len() - 1;
            for from in 0..=1 {
                assert_eq!(blank_line(text, from), Some(end), "{}", text.escape_ascii());
            }
        }
        assert_eq!(blank_line(b"a\r\nb\r\n", 0), None);
    }
}
