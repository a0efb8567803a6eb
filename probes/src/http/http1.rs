//! One request of HTTP/1.1 over a stream, and its answer read strictly.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::strict::{Answer, Ending, Reader};
use super::target::Asked;
use crate::net::NetError;
use crate::net::connect::{Limit, is_reset};
use crate::tls::session::Stream;

/// How long the end of an answer is watched for bytes behind it.
const BEHIND: Duration = Duration::from_millis(50);

/// What has paused so long has stopped, and is not still coming.
const PAUSE: Duration = Duration::from_secs(1);

/// A request and its answer.
#[derive(Debug)]
pub(super) struct Exchanged {
    pub(super) answer: Answer,
    /// From the request to the first byte.
    pub(super) took: Option<Duration>,
    /// When the last byte of the answer was there.
    pub(super) ended: Instant,
}

/// Sends a request and reads the answer, until it is over or the connection's time is up. `behind`: also
/// what comes behind it.
///
/// # Errors
/// The endpoint's time is used up, or the run is interrupted.
pub(super) async fn exchange(
    stream: &mut Stream<'_>,
    limit: Limit<'_>,
    asked: &Asked,
    behind: bool,
) -> Result<Exchanged, NetError> {
    let begun = Instant::now();
    let mut reader = Reader::new(asked.method == "HEAD");
    let mut first = None;
    let mut last = begun;
    let work = async {
        // Who has hung up may have said something before: that is read first.
        if stream.write_all(&asked.http1()).await.is_ok() {
            let _ = stream.flush().await;
        }
        let mut buffer = vec![0; 16 * 1024];
        while !reader.is_done() {
            match stream.read(&mut buffer).await {
                Ok(0) => return Ending::Closed,
                Ok(read) => {
                    last = Instant::now();
                    first.get_or_insert(last);
                    reader.push(buffer.get(..read).unwrap_or_default());
                }
                Err(error) => return ending(&error),
            }
        }
        if behind
            && let Ok(Ok(read @ 1..)) = timeout_at(last + BEHIND, stream.read(&mut buffer)).await
        {
            reader.push(buffer.get(..read).unwrap_or_default());
        }
        Ending::Silence
    };
    let ending = match limit.run(work).await? {
        Some(ending) => ending,
        None if last.elapsed() < PAUSE => Ending::OutOfTime,
        None => Ending::Silence,
    };
    Ok(Exchanged {
        answer: reader.end(ending),
        took: first.map(|first: Instant| first - begun),
        ended: last,
    })
}

/// How an error of reading ended the connection: a FIN without close_notify, a reset, or broken TLS.
pub(super) fn ending(error: &io::Error) -> Ending {
    if is_reset(error) {
        Ending::Reset
    } else {
        Ending::Closed
    }
}
