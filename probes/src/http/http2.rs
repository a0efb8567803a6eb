//! One request of HTTP/2 (RFC 9113) over a stream: with TLS, or by prior knowledge.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use http::{HeaderMap, Request, Response, Version};
use tokio::time::Instant;

use super::http1::Exchanged;
use super::strict::{Answer, AnswerEnd, Framing};
use super::target::Asked;
use crate::net::NetError;
use crate::net::connect::Limit;
use crate::tls::session::Stream;

/// Bytes of a body that are read, at most.
const MOST_OF_BODY: u64 = 1024 * 1024;
/// Size of a field section that is taken, at most (RFC 9113 §6.5.2).
const MOST_OF_HEAD: u32 = 128 * 1024;

/// A gRPC message without content: not compressed, of length 0.
const EMPTY_MESSAGE: &[u8] = &[0; 5];

/// A connection of HTTP/2 that has been asked something.
pub(super) struct Asking<'a> {
    connection: Connection<Stream<'a>, Bytes>,
    /// Who holds none ends the connection.
    _sender: SendRequest<Bytes>,
}

/// What there is to an answer of HTTP/2 besides what every answer has.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Extra {
    /// `grpc-status`, of the trailers or the head.
    pub(super) grpc_status: Option<u32>,
    /// `content-type`.
    pub(super) content_type: Option<String>,
    /// What went wrong.
    pub(super) error: Option<String>,
    /// Whether the peer has sent frames of HTTP/2.
    pub(super) spoken: bool,
}

/// Sends a request and reads the answer, until it is over or the connection's time is up. The connection
/// stays open with what is given back.
///
/// # Errors
/// The endpoint's time is used up, or the run is interrupted.
pub(super) async fn exchange<'a>(
    stream: Stream<'a>,
    limit: Limit<'_>,
    request: Request<()>,
) -> Result<(Exchanged, Extra, Option<Asking<'a>>), NetError> {
    let begun = Instant::now();
    let mut exchanged = Exchanged {
        answer: Answer::default(),
        took: None,
        ended: begun,
    };
    let mut extra = Extra::default();
    let mut asking = None;
    let mut over = None;
    let work = async {
        let mut builder = Builder::new();
        builder
            .enable_push(false)
            .max_header_list_size(MOST_OF_HEAD);
        let (sender, connection) = builder.handshake::<_, Bytes>(stream).await?;
        let asking = asking.insert(Asking {
            connection,
            _sender: sender.clone(),
        });
        let answering = answer(sender, request, (&mut exchanged, &mut extra, begun));
        let mut answering = pin!(answering);
        // The connection is what moves frames; it does so beside whoever waits for them.
        poll_fn(|cx| {
            if over.is_none()
                && let Poll::Ready(end) = Pin::new(&mut asking.connection).poll(cx)
            {
                over = Some(end);
            }
            match answering.as_mut().poll(cx) {
                Poll::Ready(done) => Poll::Ready(done),
                // An end without an error leaves the request to say so.
                Poll::Pending => match &mut over {
                    Some(end) => Poll::Ready(std::mem::replace(end, Ok(()))),
                    None => Poll::Pending,
                },
            }
        })
        .await
    };
    match limit.run(work).await? {
        Some(Ok(())) if exchanged.answer.end == AnswerEnd::Silent => {
            exchanged.answer.end = AnswerEnd::Closed;
        }
        Some(Err(error)) => failed(&error, &mut exchanged.answer, &mut extra),
        None if exchanged.answer.head.is_some() => exchanged.answer.end = AnswerEnd::Unfinished,
        Some(Ok(())) | None => {}
    }
    extra.spoken |= exchanged.answer.head.is_some();
    let open = asking.filter(|_| exchanged.answer.end == AnswerEnd::Complete && over.is_none());
    Ok((exchanged, extra, open))
}

/// The request of HTTP/2; none where host or path cannot be asked for in it.
pub(super) fn request(asked: &Asked, https: bool) -> Option<Request<()>> {
    let scheme = if https { "https" } else { "http" };
    let mut request = Request::builder()
        .method(asked.method)
        .version(Version::HTTP_2)
        .uri(format!("{scheme}://{}{}", asked.host, asked.path));
    if is_grpc(asked.method) {
        request = request
            .header("content-type", "application/grpc")
            .header("te", "trailers");
    }
    for (name, value) in &asked.fields {
        request = request.header(*name, value);
    }
    request.body(()).ok()
}

/// Nothing else is asked by POST.
fn is_grpc(method: &str) -> bool {
    method == "POST"
}

async fn answer(
    sender: SendRequest<Bytes>,
    request: Request<()>,
    (exchanged, extra, begun): (&mut Exchanged, &mut Extra, Instant),
) -> Result<(), h2::Error> {
    let grpc = is_grpc(request.method().as_str());
    let mut sender = sender.ready().await?;
    let (response, mut body) = sender.send_request(request, !grpc)?;
    if grpc {
        body.send_data(Bytes::from_static(EMPTY_MESSAGE), true)?;
    }
    let response = response.await?;
    exchanged.took = Some(begun.elapsed());
    let answer = &mut exchanged.answer;
    answer.head = super::response::head(&head(&response))
        .ok()
        .map(|(head, _)| head);
    answer.framing = Some(Framing::Http2);
    let fields = response.headers();
    extra.content_type = text(fields, "content-type");
    extra.grpc_status = text(fields, "grpc-status").and_then(|code| code.parse().ok());
    let mut stream = response.into_body();
    while let Some(data) = stream.data().await {
        let data = data?;
        answer.body_bytes += data.len() as u64;
        let _ = stream.flow_control().release_capacity(data.len());
        exchanged.ended = Instant::now();
        if answer.body_bytes > MOST_OF_BODY {
            answer.end = AnswerEnd::NotReadFurther;
            return Ok(());
        }
    }
    if let Some(trailers) = stream.trailers().await? {
        let status = text(&trailers, "grpc-status").and_then(|code| code.parse().ok());
        extra.grpc_status = status.or(extra.grpc_status);
    }
    answer.end = AnswerEnd::Complete;
    exchanged.ended = Instant::now();
    Ok(())
}

fn text(fields: &HeaderMap, name: &str) -> Option<String> {
    let value = fields.get(name)?.as_bytes();
    Some(String::from_utf8_lossy(value).into_owned())
}

/// The head in the form of HTTP/1, of which the facts are read.
fn head(response: &Response<h2::RecvStream>) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} \r\n", response.status().as_u16()).into_bytes();
    for (name, value) in response.headers() {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn failed(error: &h2::Error, answer: &mut Answer, extra: &mut Extra) {
    // GOAWAY and RST_STREAM of the peer's are frames of HTTP/2.
    extra.spoken |= error.is_remote();
    extra.error = Some(error.to_string());
    let began = answer.head.is_some();
    answer.end = match error.get_io() {
        _ if began => AnswerEnd::BrokenOff,
        Some(io) if crate::net::connect::is_reset(io) => AnswerEnd::Reset,
        Some(_) => AnswerEnd::Closed,
        None => AnswerEnd::Http2Error,
    };
}

/// How an idle connection of HTTP/2 ended: none, if not within that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdleEnd {
    Closed,
    Reset,
}

impl Asking<'_> {
    /// Waits for the end of the connection, answering what the peer asks of it (PING, SETTINGS).
    pub(super) async fn idle(&mut self, wait: Duration) -> Option<IdleEnd> {
        let ended = tokio::time::timeout(wait, &mut self.connection).await;
        Some(match ended.ok()? {
            Err(error) if error.get_io().is_some_and(crate::net::connect::is_reset) => {
                IdleEnd::Reset
            }
            _ => IdleEnd::Closed,
        })
    }
}
