//! The record layer: empty, endless, torn and lying records.

use super::Behaviour;
use crate::scripted::Connection;
use crate::wire::{self, ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE};

/// TLS 1.2, as most records say.
const TLS12: u16 = 0x0303;

pub(super) const ALL: &[Behaviour] = &[
    Behaviour::talks("empty-handshake-records", |connection| {
        flood(connection, &[HANDSHAKE, 3, 3, 0, 0]);
    }),
    Behaviour::talks("empty-application-data", |connection| {
        flood(connection, &[APPLICATION_DATA, 3, 3, 0, 0]);
    }),
    Behaviour::talks("empty-alerts", |connection| {
        flood(connection, &[ALERT, 3, 3, 0, 0]);
    }),
    Behaviour::talks("change-cipher-spec-flood", |connection| {
        flood(connection, &[CHANGE_CIPHER_SPEC, 3, 3, 0, 1, 1]);
    }),
    // no_renegotiation: the one warning that never ends a connection.
    Behaviour::talks("warning-flood", |connection| {
        flood(connection, &wire::alert(TLS12, 1, 100));
    }),
    // The same warning in records of 16 KB.
    Behaviour::talks("warnings-in-large-records", |connection| {
        flood(
            connection,
            &wire::records(ALERT, TLS12, &[1, 90].repeat(8192), 16_384),
        );
    }),
    Behaviour::talks("record-of-65535", |mut connection| {
        connection.hello();
        let _ = connection.send(&[HANDSHAKE, 3, 3, 0xFF, 0xFF, 2]);
        let _ = connection.flood(&[0xA5; 4096]);
    }),
    Behaviour::talks("unknown-record-types", |mut connection| {
        connection.hello();
        let hello = wire::server_hello(TLS12, 0xC02F, &[]);
        let _ = connection.send(&wire::records(HANDSHAKE, TLS12, &hello, 16_384));
        let _ = connection.flood(&[99, 3, 3, 0, 1, 0]);
    }),
    Behaviour::talks("alert-of-one-octet", |mut connection| {
        connection.hello();
        let _ = connection.send(&wire::records(ALERT, TLS12, &[2], 2));
        connection.close();
    }),
    Behaviour::talks("alert-of-sixteen-kilobytes", |mut connection| {
        connection.hello();
        let _ = connection.send(&wire::records(ALERT, TLS12, &[1; 16_384], 16_384));
        connection.close();
    }),
    Behaviour::talks("alert-that-nobody-knows", |mut connection| {
        connection.hello();
        let _ = connection.send(&wire::alert(TLS12, 99, 255));
        connection.close();
    }),
    // A message of 60 KB, which may be, in records of one octet, the last of which never comes.
    Behaviour::talks("one-octet-fragments", |mut connection| {
        connection.hello();
        let begin = [2, 0, 0xEA, 0x60];
        let _ = connection.send(&wire::records(HANDSHAKE, TLS12, &begin, 1));
        let _ = connection.flood(&wire::records(HANDSHAKE, TLS12, &[0; 100], 1));
    }),
    Behaviour::talks("record-versions-that-change", |mut connection| {
        connection.hello();
        let hello = wire::server_hello(TLS12, 0xC02F, &[]);
        let mut bytes = Vec::new();
        for (number, octet) in hello.iter().enumerate() {
            let [minor, ..] = number.to_le_bytes();
            bytes.extend([HANDSHAKE, 3, minor, 0, 1, *octet]);
        }
        let _ = connection.flood(&bytes);
    }),
];

/// A short record, a hundred in a write, without end.
fn flood(mut connection: Connection<'_>, record: &[u8]) {
    connection.hello();
    let _ = connection.flood(&record.repeat(100));
}
