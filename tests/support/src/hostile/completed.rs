//! Behind a handshake that was completed: what comes encrypted.

use std::io::{Cursor, Write};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};

use super::Behaviour;
use crate::scripted::{Connection, Model, tls_configuration};

pub(super) const ALL: &[Behaviour] = &[
    Behaviour::talks("key-update-flood", |connection| {
        then(connection, 1, |tls| {
            for _ in 0..50 {
                let _ = tls.refresh_traffic_keys();
            }
        });
    })
    .measurable(),
    Behaviour::talks("session-ticket-flood", |connection| {
        then(connection, 5_000, |_| ());
    })
    .measurable(),
    Behaviour::talks("application-data-flood", |connection| {
        then(connection, 1, |tls| {
            let _ = tls.writer().write_all(&[b'x'; 16_384]);
        });
    })
    .measurable(),
];

/// Completes the handshake with so many tickets, and then does one thing over and over.
fn then(mut connection: Connection<'_>, tickets: usize, what: fn(&mut ServerConnection)) {
    let Some(mut tls) = complete(&mut connection, tickets) else {
        return;
    };
    while !connection.shared.stopped() {
        what(&mut tls);
        if !tls.wants_write() {
            return connection.silence();
        }
        if flush(&mut tls, &mut connection).is_err() {
            return;
        }
    }
}

/// Completes the handshake with so many tickets.
pub(super) fn complete(
    connection: &mut Connection<'_>,
    tickets: usize,
) -> Option<ServerConnection> {
    connection.hello();
    let mut config: ServerConfig = tls_configuration(&Model::default(), connection.identity());
    config.send_tls13_tickets = tickets;
    let mut tls = ServerConnection::new(Arc::new(config)).expect("a connection");
    let mut first = Cursor::new(std::mem::take(&mut connection.raw));
    let _ = connection.stream.set_read_timeout(None);
    while tls.is_handshaking() {
        let read = if first.position() < first.get_ref().len() as u64 {
            tls.read_tls(&mut first)
        } else {
            tls.read_tls(&mut connection.stream)
        };
        let sound = read.is_ok_and(|count| count > 0) && tls.process_new_packets().is_ok();
        if flush(&mut tls, connection).is_err() || !sound {
            return None;
        }
    }
    Some(tls)
}

pub(super) fn flush(
    tls: &mut ServerConnection,
    connection: &mut Connection<'_>,
) -> std::io::Result<()> {
    while tls.wants_write() {
        tls.write_tls(&mut connection.stream)?;
    }
    Ok(())
}
