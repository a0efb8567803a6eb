//! HTTP over a sound session: answers that do not end, that come too slowly, or that are none.

use std::io::Write;
use std::thread::sleep;
use std::time::Duration;

use rustls::ServerConnection;

use super::Behaviour;
use super::completed::{complete, flush};
use crate::scripted::Connection;

pub(super) const ALL: &[Behaviour] = &[
    Behaviour::talks("https-endless-headers", |connection| {
        endless(
            connection,
            b"HTTP/1.1 200 OK\r\n",
            b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaa\r\n",
        );
    }),
    Behaviour::talks("https-header-line-of-1-mb", |connection| {
        let line = [b"X-Filler: ".as_slice(), &vec![b'a'; 1024 * 1024]].concat();
        once(
            connection,
            &[b"HTTP/1.1 200 OK\r\n".as_slice(), &line].concat(),
        );
    }),
    Behaviour::talks("https-endless-interim-answers", |connection| {
        endless(
            connection,
            b"",
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        );
    }),
    Behaviour::talks("https-one-byte-a-second", |connection| {
        let slowly = |tls: &mut ServerConnection, connection: &mut Connection<'_>| {
            for byte in b"HTTP/1.1 200 OK\r\nServer: slow\r\n".iter().cycle() {
                if connection.shared.stopped() || say(tls, connection, &[*byte]).is_err() {
                    break;
                }
                sleep(Duration::from_secs(1));
            }
            false
        };
        established(connection, slowly);
    }),
    Behaviour::talks("https-1000-header-fields", |connection| {
        let fields = b"A: b\r\n".repeat(1000);
        once(
            connection,
            &[b"HTTP/1.1 200 OK\r\n", fields.as_slice(), b"\r\n"].concat(),
        );
    }),
    // Whoever speaks no HTTP/1 has answered by that.
    Behaviour::talks("https-0.9-body", |connection| {
        once(connection, b"<html>\r\n<body>hello</body>\r\n</html>\r\n");
    })
    .measurable(),
    Behaviour::talks("https-answer-before-the-request", |connection| {
        let early = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";
        established(connection, |tls, connection| {
            say(tls, connection, early).is_ok()
        });
    })
    .measurable(),
    Behaviour::talks("https-closed-in-the-head", |connection| {
        established(connection, |tls, connection| {
            let _ = say(tls, connection, b"HTTP/1.1 200 OK\r\nServer: x");
            false
        });
    }),
    Behaviour::talks("https-body-without-end", |connection| {
        endless(
            connection,
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            &[b'x'; 4096],
        );
    })
    .measurable(),
];

/// Makes the handshake, and then does this; says nothing more, where that is to be.
fn established(
    mut connection: Connection<'_>,
    then: impl FnOnce(&mut ServerConnection, &mut Connection<'_>) -> bool,
) {
    if let Some(mut tls) = complete(&mut connection, 2)
        && then(&mut tls, &mut connection)
    {
        connection.silence();
    }
}

fn say(
    tls: &mut ServerConnection,
    connection: &mut Connection<'_>,
    bytes: &[u8],
) -> std::io::Result<()> {
    // What a session buffers is limited.
    for part in bytes.chunks(16 * 1024) {
        tls.writer().write_all(part)?;
        flush(tls, connection)?;
    }
    Ok(())
}

/// Says this, and nothing after it.
fn once(connection: Connection<'_>, bytes: &[u8]) {
    established(connection, |tls, connection| {
        say(tls, connection, bytes).is_ok()
    });
}

/// Says this once, and that again and again.
fn endless(connection: Connection<'_>, first: &[u8], more: &[u8]) {
    established(connection, |tls, connection| {
        let mut said = say(tls, connection, first);
        while said.is_ok() && !connection.shared.stopped() {
            said = say(tls, connection, more);
        }
        false
    });
}
