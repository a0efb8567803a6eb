//! Below TLS: connections that stall, break, drip or never stop.

use std::net::Shutdown;
use std::time::Duration;

use super::Behaviour;
use crate::net;
use crate::wire::{self, HANDSHAKE};

/// The one whose receive window is next to nothing.
pub(super) const TAKES_NOTHING: &str = "takes-nothing";

pub(super) const ALL: &[Behaviour] = &[
    Behaviour::talks("silent", |connection| {
        connection.silence();
    }),
    // Neither reads what the client sends nor says anything.
    Behaviour::talks(TAKES_NOTHING, |connection| {
        while !connection.shared.stopped() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }),
    Behaviour::talks("resets-at-once", |connection| net::reset(connection.stream)),
    Behaviour::talks("resets-the-hello", |mut connection| {
        connection.hello();
        net::reset(connection.stream);
    }),
    Behaviour::talks("resets-after-server-hello", |mut connection| {
        connection.hello();
        let hello = wire::server_hello(0x0303, 0xC02F, &[]);
        let _ = connection.send(&wire::records(HANDSHAKE, 0x0303, &hello, 16_384));
        // So that it arrives before the reset drops it.
        std::thread::sleep(Duration::from_millis(50));
        net::reset(connection.stream);
    }),
    // Sends FIN first of all, and goes on reading.
    Behaviour::talks("half-closes", |connection| {
        let _ = connection.stream.shutdown(Shutdown::Write);
        connection.silence();
    }),
    Behaviour::talks("half-closes-within-a-record", |mut connection| {
        connection.hello();
        let _ = connection.send(&[HANDSHAKE, 3, 3, 0x20, 0, 2, 0]);
        let _ = connection.stream.shutdown(Shutdown::Write);
        connection.silence();
    }),
    Behaviour::talks("drips-a-server-hello", |mut connection| {
        connection.hello();
        let hello = wire::server_hello(0x0303, 0xC02F, &[]);
        connection.drip(&wire::records(HANDSHAKE, 0x0303, &hello, 16_384));
    }),
    // An octet now and then for as long as the client stays: no single wait is long.
    Behaviour::talks("drips-empty-records", |mut connection| {
        connection.hello();
        connection.drip(&[HANDSHAKE, 3, 3, 0, 0]);
    }),
    Behaviour::talks("garbage", |mut connection| {
        let _ = connection.send(&garbage());
        connection.silence();
    }),
    Behaviour::talks("garbage-without-end", |mut connection| {
        connection.hello();
        let _ = connection.flood(&garbage());
    }),
    // Begins before it has read anything.
    Behaviour::talks("talks-before-the-hello", |mut connection| {
        let hello = wire::server_hello(0x0303, 0xC02F, &[]);
        let _ = connection.flood(&wire::records(HANDSHAKE, 0x0303, &hello, 16_384));
    }),
    // Sends back what it gets.
    Behaviour::talks("echoes", |mut connection| {
        connection.hello();
        let raw = std::mem::take(&mut connection.raw);
        let _ = connection.send(&raw);
        connection.silence();
    }),
    Behaviour::talks("echoes-without-end", |mut connection| {
        connection.hello();
        let raw = std::mem::take(&mut connection.raw);
        let _ = connection.flood(&raw);
    }),
];

/// Four kilobytes that are no protocol.
fn garbage() -> Vec<u8> {
    (0..4096_u32)
        .map(|n| (n * 197 + 13).to_le_bytes()[0])
        .collect()
}
