//! No TLS at all: text that never ends, and numbers that lie.

use super::Behaviour;
use crate::scripted::Connection;

pub(super) const ALL: &[Behaviour] = &[
    Behaviour::talks("banner-without-a-line-end", |connection| {
        flood(connection, b"220 ", &b"mail.example.test ".repeat(50));
    }),
    Behaviour::talks("banner-that-drips", |mut connection| {
        connection.drip(b"220-mail.example.test ");
    }),
    // What SSH servers may send before their version (RFC 4253, section 4.2), without end.
    Behaviour::talks("lines-before-the-banner", |connection| {
        flood(connection, b"", &b"please wait\r\n".repeat(50));
    }),
    Behaviour::talks("http-headers-without-end", |connection| {
        let header = b"X-More: and more\r\n".repeat(50);
        http(connection, b"HTTP/1.1 200 OK\r\n", &header);
    }),
    Behaviour::talks("http-header-that-drips", |mut connection| {
        connection.hello();
        let _ = connection.send(b"HTTP/1.1 200 OK\r\nX-Slow: ");
        connection.drip(b"x");
    }),
    Behaviour::talks("http-body-without-end", |connection| {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n";
        http(connection, head, &[b'x'; 4096]);
    }),
    Behaviour::talks("http-continues-without-end", |connection| {
        let interim = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(50);
        http(connection, b"", &interim);
    }),
    Behaviour::talks("http-chunk-extension-without-end", |connection| {
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=";
        http(connection, head, &[b'y'; 4096]);
    }),
    Behaviour::talks("http-reason-without-end", |connection| {
        http(connection, b"HTTP/1.1 400 ", &[b'z'; 4096]);
    }),
    // A gigabyte of zeros begins like this; it never ends here.
    Behaviour::talks("http-gzip-bomb", |connection| {
        let head =
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\x02\x03";
        let mut block = vec![
            0xED, 0xC1, 1, 1, 0, 0, 0, 0x80, 0x90, 0xFE, 0xAF, 0xEE, 8, 0x0A,
        ];
        block.resize(1024, 0);
        http(connection, head, &block);
    }),
    Behaviour::talks("mysql-packet-of-16-megabytes", |connection| {
        flood(connection, b"\xff\xff\xff\0\x0a8", &[0x30; 4096]);
    }),
    Behaviour::talks("postgresql-error-of-2-gigabytes", |mut connection| {
        connection.hello();
        let _ = connection.send(b"E\x7f\xff\xff\xffSFATAL\0M");
        let _ = connection.flood(&[b'x'; 4096]);
    }),
];

/// Says this without being asked, and then that without end.
fn flood(mut connection: Connection<'_>, first: &[u8], then: &[u8]) {
    let _ = connection.send(first);
    let _ = connection.flood(then);
}

/// The same once something has come: HTTP servers wait for a request, and a hello is one to them.
fn http(mut connection: Connection<'_>, first: &[u8], then: &[u8]) {
    connection.hello();
    flood(connection, first, then);
}
