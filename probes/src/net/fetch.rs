//! Fetches what a certificate points to: OCSP responses, revocation lists, issuers' certificates. Each
//! is signed, so that HTTP does; each URL is the choice of whoever made the certificate, so that little
//! is allowed: few redirects, few bytes, little time, and no address nearer to this machine than the
//! server that sent the certificate.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, SemaphorePermit};
use url::{Host, Url};

use super::NetError;
use super::gate::Gate;
use super::resolve::{fits, resolve};
use super::scope::Scope;
use crate::settings::Family;
use crate::untrusted::Untrusted;

/// Redirects that are followed, at most.
const MAX_REDIRECTS: usize = 2;

/// Octets of a URL, and of an answer's head, at most.
const MAX_URL: usize = 2048;
const MAX_HEAD: u64 = 16 * 1024;
const MAX_HEADERS: usize = 64;

/// Addresses of a name that are tried, at most.
const MAX_ADDRESSES: usize = 2;

/// What may be longer waits for its turn, within the endpoint's deadline: four of them are in memory at
/// once, whatever is probed. They may take longer, too.
const LARGE: usize = 1024 * 1024;
const LARGE_TIMES: u32 = 4;
const A_DAY: Duration = Duration::from_secs(86_400);
static LARGE_ONES: Semaphore = Semaphore::const_new(4);

/// What to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    /// From where.
    pub(crate) url: &'a str,
    /// What to send, and of which media type; nothing: GET.
    pub(crate) post: Option<(&'static str, Vec<u8>)>,
    /// Octets of the answer, at most.
    pub(crate) limit: usize,
}

/// On whose behalf, and within which limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    /// Deadline and interruption.
    pub(crate) gate: &'a Gate,
    /// The address of the server whose certificate has the URL.
    pub(crate) target: IpAddr,
    /// How long it may take in all; several times as long, where it may be large.
    pub(crate) timeout: Duration,
    /// Which addresses may be contacted.
    pub(crate) family: Family,
}

/// Why nothing was fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FetchError {
    /// Not a URL.
    #[error("it is no URL")]
    NoUrl,
    /// Not HTTP without TLS: verifying its certificate could need this very answer.
    #[error("only http:// is fetched, and not {0}://")]
    Scheme(Untrusted),
    /// An address that a certificate has no business with.
    #[error("{0} is not contacted: certificates may not point there")]
    Address(IpAddr),
    /// Past the proxy there may be no way, or one that must not be taken.
    #[error("it is not fetched past the proxy")]
    Proxy,
    /// No connection.
    #[error(transparent)]
    Net(#[from] NetError),
    /// It is not there in time.
    #[error("no whole answer within {0} s")]
    Timeout(String),
    /// Another status than 200.
    #[error("the answer is HTTP status {0}")]
    Status(u16),
    /// From one place to the next.
    #[error("more than {MAX_REDIRECTS} redirects")]
    Redirects,
    /// More than can be of use.
    #[error("the answer is longer than {0} octets")]
    TooLarge(usize),
    /// The connection ended before the answer did.
    #[error("the answer breaks off")]
    Cut,
    /// No HTTP.
    #[error("the answer is no HTTP")]
    NoHttp,
}

/// What was fetched. Large ones give way for the next when they are dropped.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) body: Vec<u8>,
    _turn: Option<SemaphorePermit<'static>>,
}

/// Fetches it.
pub(crate) async fn fetch(request: &Request<'_>, terms: &Terms<'_>) -> Result<Fetched, FetchError> {
    let is_large = request.limit > LARGE;
    let turn = if is_large {
        let end = terms.gate.end_of(A_DAY);
        let turn = terms.gate.until(end, LARGE_ONES.acquire()).await?;
        Some(turn.and_then(Result::ok).ok_or_else(|| terms.late())?)
    } else {
        None
    };
    let timeout = terms.timeout * if is_large { LARGE_TIMES } else { 1 };
    let terms = &Terms { timeout, ..*terms };
    let end = terms.gate.end_of(timeout);
    let body = terms.gate.until(end, follow(request, terms)).await?;
    let body = body.unwrap_or_else(|| Err(terms.late()))?;
    Ok(Fetched { body, _turn: turn })
}

impl Terms<'_> {
    fn late(&self) -> FetchError {
        if self.gate.is_late() {
            return self.gate.late().into();
        }
        FetchError::Timeout(self.timeout.as_secs_f64().to_string())
    }
}

async fn follow(request: &Request<'_>, terms: &Terms<'_>) -> Result<Vec<u8>, FetchError> {
    let mut url = read_url(request.url)?;
    for _ in 0..=MAX_REDIRECTS {
        match once(&url, request, terms).await? {
            Answer::Body(body) => return Ok(body),
            Answer::Elsewhere(location) => {
                let next = url.join(&location).map_err(|_| FetchError::NoUrl)?;
                url = read_url(next.as_str())?;
            }
        }
    }
    Err(FetchError::Redirects)
}

enum Answer {
    Body(Vec<u8>),
    Elsewhere(String),
}

fn read_url(text: &str) -> Result<Url, FetchError> {
    if text.len() > MAX_URL {
        return Err(FetchError::NoUrl);
    }
    let url = Url::parse(text).map_err(|_| FetchError::NoUrl)?;
    if url.scheme() != "http" {
        return Err(FetchError::Scheme(url.scheme().into()));
    }
    Ok(url)
}

async fn once(url: &Url, request: &Request<'_>, terms: &Terms<'_>) -> Result<Answer, FetchError> {
    let mut stream = BufReader::new(connect(url, terms).await?);
    // Who does not want it all may have answered already: that can still be read.
    let _ = stream.write_all(&head(url, request)).await;
    if let Some((_, body)) = &request.post {
        let _ = stream.write_all(body).await;
    }
    let head = read_head(&mut stream).await?;
    match head.status {
        200 => {}
        301 | 302 | 307 | 308 => {
            return match head.location {
                Some(location) => Ok(Answer::Elsewhere(location)),
                None => Err(FetchError::Status(head.status)),
            };
        }
        other => return Err(FetchError::Status(other)),
    }
    let body = match head.length {
        Length::Chunked => chunks(&mut stream, request.limit).await?,
        Length::Known(length) if length > request.limit as u64 => {
            return Err(FetchError::TooLarge(request.limit));
        }
        Length::Known(length) => {
            let mut body = Vec::new();
            take(&mut stream, length, &mut body).await?;
            body
        }
        Length::ToTheEnd => {
            let mut body = Vec::new();
            let one_more = request.limit as u64 + 1;
            let read = (&mut stream).take(one_more).read_to_end(&mut body).await;
            read.map_err(|_| FetchError::Cut)?;
            if body.len() > request.limit {
                return Err(FetchError::TooLarge(request.limit));
            }
            body
        }
    };
    Ok(Answer::Body(body))
}

/// Connects to an address that may be contacted; that very address, whatever the name means next.
async fn connect(url: &Url, terms: &Terms<'_>) -> Result<TcpStream, FetchError> {
    let port = url.port_or_known_default().unwrap_or(80);
    let addresses = match url.host().ok_or(FetchError::NoUrl)? {
        Host::Ipv4(ip) => vec![SocketAddr::new(ip.into(), port)],
        Host::Ipv6(ip) => vec![SocketAddr::new(ip.into(), port)],
        Host::Domain(name) => resolve(name, port, terms.family, terms.timeout).await?,
    };
    let mut failed = FetchError::NoUrl;
    for address in addresses.into_iter().take(MAX_ADDRESSES) {
        let ip = address.ip();
        if !Scope::of(ip).is_allowed_for(terms.target) || !fits(ip, terms.family) {
            return Err(FetchError::Address(ip));
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "net/ is where connections are made"
        )]
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = super::connect::explain(&error, terms.timeout).into(),
        }
    }
    Err(failed)
}

fn head(url: &Url, request: &Request<'_>) -> Vec<u8> {
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let mut lines = match &request.post {
        None => format!("GET {path} HTTP/1.1\r\n"),
        Some((media_type, body)) => format!(
            "POST {path} HTTP/1.1\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n",
            body.len()
        ),
    };
    lines.push_str("Host: ");
    lines.push_str(host);
    lines.push_str("\r\nUser-Agent: gladhand\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    lines.into_bytes()
}

struct Head {
    status: u16,
    length: Length,
    location: Option<String>,
}

enum Length {
    Known(u64),
    Chunked,
    ToTheEnd,
}

async fn read_head(stream: &mut BufReader<TcpStream>) -> Result<Head, FetchError> {
    let mut bytes = Vec::new();
    let mut stream = stream.take(MAX_HEAD);
    loop {
        let read = stream.read_until(b'\n', &mut bytes).await;
        match read.map_err(|_| FetchError::Cut)? {
            0 if bytes.is_empty() => return Err(FetchError::Cut),
            0 => return Err(FetchError::NoHttp),
            _ => {}
        }
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(&bytes) {
            Ok(httparse::Status::Partial) => {}
            Ok(httparse::Status::Complete(_)) => return understand(&response),
            Err(_) => return Err(FetchError::NoHttp),
        }
    }
}

fn understand(response: &httparse::Response<'_, '_>) -> Result<Head, FetchError> {
    let header = |name: &str| {
        let mut all = response.headers.iter();
        let found = all.find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok().map(str::trim)
    };
    let length = match (header("Transfer-Encoding"), header("Content-Length")) {
        (Some(coding), _) if coding.eq_ignore_ascii_case("chunked") => Length::Chunked,
        (Some(_), _) => return Err(FetchError::NoHttp),
        (None, Some(length)) => Length::Known(length.parse().map_err(|_| FetchError::NoHttp)?),
        (None, None) => Length::ToTheEnd,
    };
    Ok(Head {
        status: response.code.ok_or(FetchError::NoHttp)?,
        length,
        location: header("Location").map(Into::into),
    })
}

/// A body in chunks (RFC 9112 §7.1); what stands behind the last one does not matter.
async fn chunks(stream: &mut BufReader<TcpStream>, limit: usize) -> Result<Vec<u8>, FetchError> {
    const MAX_LINE: u64 = 256;
    let mut body = Vec::new();
    loop {
        let mut line = Vec::new();
        let mut begin = (&mut *stream).take(MAX_LINE);
        let read = begin.read_until(b'\n', &mut line).await;
        if read.map_err(|_| FetchError::Cut)? == 0 {
            return Err(FetchError::Cut);
        }
        let Ok(httparse::Status::Complete((_, size))) = httparse::parse_chunk_size(&line) else {
            return Err(FetchError::NoHttp);
        };
        if size == 0 {
            return Ok(body);
        }
        if size > (limit - body.len()) as u64 {
            return Err(FetchError::TooLarge(limit));
        }
        take(stream, size, &mut body).await?;
        let mut end = Vec::new();
        take(stream, 2, &mut end).await?;
        if end != b"\r\n" {
            return Err(FetchError::NoHttp);
        }
    }
}

/// Exactly so many octets.
async fn take(
    stream: &mut BufReader<TcpStream>,
    length: u64,
    body: &mut Vec<u8>,
) -> Result<(), FetchError> {
    let read = stream.take(length).read_to_end(body).await;
    match read {
        Ok(read) if read as u64 == length => Ok(()),
        _ => Err(FetchError::Cut),
    }
}
