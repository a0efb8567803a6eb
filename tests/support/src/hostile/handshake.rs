//! Handshake messages: lengths that lie, messages that come again and again, answers that nobody
//! asked for.

use super::Behaviour;
use crate::scripted::Connection;
use crate::wire::{self, HANDSHAKE, Incoming, handshake, vec16};

const TLS12: u16 = 0x0303;
/// TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_DHE_RSA_WITH_AES_128_GCM_SHA256.
const ECDHE: u16 = 0xC02F;
const DHE: u16 = 0x009E;

pub(super) const ALL: &[Behaviour] = &[
    Behaviour::talks("message-of-16-megabytes", |connection| {
        after(connection, &[], &[2, 0xFF, 0xFF, 0xFF]);
    }),
    // A Certificate message that announces 16 MB, and the zeros to fill it.
    Behaviour::talks("endless-certificate", |connection| {
        let begin = [11, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFC, 0xFF, 0xFF, 0xF9];
        after(connection, &server_hello(ECDHE), &begin);
    }),
    Behaviour::talks("hello-requests", |connection| {
        again(connection, &[], &handshake(0, &[]));
    }),
    // Asks for renegotiation as soon as its flight is out.
    Behaviour::talks("asks-for-renegotiation", |connection| {
        let flight = [server_hello(ECDHE), handshake(14, &[])].concat();
        again(connection, &flight, &handshake(0, &[]));
    }),
    Behaviour::talks("session-tickets-in-clear", |connection| {
        let ticket = handshake(
            4,
            &[&[0, 0, 0xFF, 0xFF], vec16(&[7; 500]).as_slice()].concat(),
        );
        again(connection, &server_hello(ECDHE), &ticket);
    }),
    Behaviour::talks("server-hellos", |connection| {
        again(connection, &[], &server_hello(ECDHE));
    }),
    Behaviour::talks("ends-before-it-begins", |connection| {
        again(connection, &[], &handshake(14, &[]));
    }),
    // The extensions announce more than the message holds.
    Behaviour::talks("extensions-beyond-the-message", |connection| {
        once(connection, &hello_with(&[0xFF, 0xFF, 0, 0]));
    }),
    Behaviour::talks("extension-beyond-the-list", |connection| {
        once(connection, &hello_with(&vec16(&[0, 16, 0xFF, 0xFF, 0])));
    }),
    Behaviour::talks("fifteen-thousand-extensions", |connection| {
        let list: Vec<u8> = (0..15_000_u16)
            .flat_map(|id| [id.to_be_bytes(), [0, 0]].concat())
            .collect();
        once(connection, &hello_with(&vec16(&list)));
    }),
    Behaviour::talks("the-same-extension-a-thousand-times", |connection| {
        let list = [0, 43, 0, 2, 3, 4].repeat(1000);
        once(connection, &hello_with(&vec16(&list)));
    }),
    Behaviour::talks("session-id-of-255", |connection| {
        let mut body = TLS12.to_be_bytes().to_vec();
        body.extend([0x5A; 32]);
        body.push(255);
        body.extend([7; 255]);
        body.extend([0xC0, 0x2F, 0]);
        once(connection, &handshake(2, &body));
    }),
    // A version that nobody has defined, in the extension and in the old field.
    Behaviour::talks("version-65535", |connection| {
        once(connection, &hello_with(&vec16(&[0, 43, 0, 2, 0xFF, 0xFF])));
    }),
    Behaviour::talks("suite-and-group-that-do-not-exist", |mut connection| {
        let Incoming::Tls(hello) = connection.hello() else {
            return connection.close();
        };
        let answer = wire::server_hello13(&hello, 0xFEFE, 0xFEFE, 60_000);
        let _ = connection.send(&wire::records(HANDSHAKE, TLS12, &answer, 16_384));
        connection.silence();
    }),
    // A HelloRetryRequest to every hello, also to the one that does what it asked for.
    Behaviour::talks("retries-for-ever", |mut connection| {
        while let Incoming::Tls(hello) = connection.hello() {
            let groups = hello.groups().unwrap_or_default();
            let sent = hello.key_shares().unwrap_or_default();
            let other = groups.iter().find(|group| !sent.contains(group));
            let retry = wire::hello_retry_request(&hello, 0x1301, *other.unwrap_or(&0x001D));
            let records = wire::records(HANDSHAKE, TLS12, &retry, 16_384);
            if connection.send(&records).is_err() {
                return;
            }
        }
    }),
    Behaviour::talks("retry-flood", |mut connection| {
        let Incoming::Tls(hello) = connection.hello() else {
            return connection.close();
        };
        let retry = wire::hello_retry_request(&hello, 0x1301, 0x001D);
        let _ = connection.flood(&wire::records(HANDSHAKE, TLS12, &retry, 16_384));
    }),
    // The cookie comes back with the next hello: this one is as large as can be.
    Behaviour::talks("retry-with-a-cookie-of-64-kilobytes", |mut connection| {
        let Incoming::Tls(hello) = connection.hello() else {
            return connection.close();
        };
        let plain = wire::hello_retry_request(&hello, 0x1301, 0x001D);
        // Everything up to the extensions: header, version, random, session id, suite, compression.
        let head = plain.get(4..4 + 2 + 32 + 1 + hello.session_id.len() + 3);
        let cookie = vec16(&vec16(&[7; 65_000]));
        let list = [&[0, 43, 0, 2, 3, 4, 0, 44], cookie.as_slice()].concat();
        let body = [head.unwrap_or_default(), &vec16(&list)].concat();
        let retry = wire::records(HANDSHAKE, TLS12, &handshake(2, &body), 16_384);
        let _ = connection.send(&retry);
        connection.silence();
    }),
    Behaviour::talks("certificate-list-beyond-the-message", |connection| {
        let list = handshake(11, &[0xFF, 0xFF, 0xFF, 0, 0, 1, 0]);
        once(connection, &[server_hello(ECDHE), list].concat());
    }),
    Behaviour::talks("twenty-thousand-empty-certificates", |connection| {
        let list = handshake(11, &[&[0, 0xEA, 0x60], vec![0; 60_000].as_slice()].concat());
        once(connection, &[server_hello(ECDHE), list].concat());
    }),
    Behaviour::talks("prime-of-half-a-million-bits", |connection| {
        let prime = vec![0xFB; 65_000];
        let body = [vec16(&prime), vec16(&[2]), vec16(&prime), vec![4, 1]].concat();
        once(
            connection,
            &[server_hello(DHE), handshake(12, &body), handshake(14, &[])].concat(),
        );
    }),
    Behaviour::talks("curve-by-its-parameters", |connection| {
        let body = [&[1_u8, 255], [0xFF; 255].as_slice(), &[0; 300]].concat();
        once(
            connection,
            &[
                server_hello(ECDHE),
                handshake(12, &body),
                handshake(14, &[]),
            ]
            .concat(),
        );
    }),
    Behaviour::talks("ten-thousand-client-authorities", |connection| {
        let name = vec16(&[0x30, 0]).repeat(10_000);
        let body = [&[1, 1], vec16(&[4, 1]).as_slice(), &vec16(&name)].concat();
        once(
            connection,
            &[
                server_hello(ECDHE),
                handshake(13, &body),
                handshake(14, &[]),
            ]
            .concat(),
        );
    }),
    Behaviour::talks("stapled-nonsense", |connection| {
        let status = handshake(
            22,
            &[&[1, 0xFF, 0xFF, 0xFF], [0x30; 900].as_slice()].concat(),
        );
        once(connection, &[server_hello(ECDHE), status].concat());
    }),
    // An SSLv2 SERVER-HELLO whose three lengths are all too large.
    Behaviour::talks("ssl2-with-absurd-lengths", |mut connection| {
        connection.hello();
        let mut answer = vec![0x80, 27, 4, 0, 1, 0, 2];
        answer.extend([0xFF; 6]);
        answer.extend([0x5A; 16]);
        let _ = connection.send(&answer);
        connection.silence();
    }),
    // One that announces 32 KB, and sends nothing but.
    Behaviour::talks("ssl2-without-end", |mut connection| {
        connection.hello();
        let _ = connection.send(&[0xFF, 0xFF, 4, 0, 1, 0, 2]);
        let _ = connection.flood(&[0xFF; 4096]);
    }),
    Behaviour::talks("ssl2-errors", |mut connection| {
        connection.hello();
        let _ = connection.flood(&[0x80, 3, 0, 0xFF, 0xFF].repeat(100));
    }),
];

fn server_hello(suite: u16) -> Vec<u8> {
    wire::server_hello(TLS12, suite, &[])
}

/// A ServerHello with these octets where the extensions stand, their length included.
fn hello_with(extensions: &[u8]) -> Vec<u8> {
    let plain = server_hello(ECDHE);
    let body = plain.get(4..).unwrap_or_default();
    handshake(2, &[body, extensions].concat())
}

/// These messages, and then nothing.
fn once(mut connection: Connection<'_>, messages: &[u8]) {
    connection.hello();
    let _ = connection.send(&wire::records(HANDSHAKE, TLS12, messages, 16_384));
    connection.silence();
}

/// First these messages, and then another one without end.
fn again(mut connection: Connection<'_>, first: &[u8], message: &[u8]) {
    connection.hello();
    let _ = connection.send(&wire::records(HANDSHAKE, TLS12, first, 16_384));
    let _ = connection.flood(&wire::records(HANDSHAKE, TLS12, message, 16_384).repeat(20));
}

/// First these messages, then the beginning of one, and zeros without end.
fn after(mut connection: Connection<'_>, first: &[u8], begin: &[u8]) {
    connection.hello();
    let messages = [first, begin].concat();
    let _ = connection.send(&wire::records(HANDSHAKE, TLS12, &messages, 16_384));
    let _ = connection.flood(&wire::records(HANDSHAKE, TLS12, &[0; 16_384], 16_384));
}
