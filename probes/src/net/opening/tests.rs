//! Every dialogue with what real peers say, cut at every byte.

use super::*;
use crate::target::Endpoint;

const NAME: &str = "mail.example.com";

fn endpoint(to: Option<&str>) -> Endpoint {
    Endpoint {
        address: "192.0.2.1:443".parse().unwrap(),
        sni: Some(NAME.into()),
        expected: NAME.into(),
        plaintext: false,
        path: None,
        behind_proxy: to.map(|to| {
            let target: crate::Target = to.parse().unwrap();
            Destination {
                host: target.host,
                port: target.port,
            }
        }),
    }
}

fn opening(before: &BeforeTls, to: Option<&str>) -> Opening {
    let local = "192.0.2.7:50000".parse().unwrap();
    let peer = "192.0.2.1:443".parse().unwrap();
    Opening::of(&endpoint(to), before, Some(local), peer).unwrap()
}

fn starttls(protocol: StartTls) -> BeforeTls {
    BeforeTls {
        starttls: Some(protocol),
        ..BeforeTls::default()
    }
}

fn via(proxy: &str) -> BeforeTls {
    BeforeTls {
        via: Some(proxy.parse().unwrap()),
        ..BeforeTls::default()
    }
}

/// What is sent, and how it ends, where the peer says these things one after the other, each once
/// its turn has come, and each cut in two there.
fn play(
    mut opening: Opening,
    peer: &[&[u8]],
    cut: usize,
) -> (Vec<Vec<u8>>, Result<Vec<u8>, NetError>) {
    let mut sent = Vec::new();
    let mut peer = peer.iter().flat_map(|said| {
        let (first, second) = said.split_at(cut.min(said.len()));
        [first, second].into_iter().filter(|part| !part.is_empty())
    });
    for _ in 0..1000 {
        match opening.next() {
            Err(error) => return (sent, Err(error)),
            Ok(Next::Ready) => return (sent, Ok(opening.rest())),
            Ok(Next::Send(bytes)) => sent.push(bytes),
            Ok(Next::Wait) => match peer.next() {
                Some(said) => opening.push(said),
                None => return (sent, Err(opening.ended(Problem::Silent))),
            },
        }
    }
    panic!("the dialogue has no end");
}

/// Plays it with a cut at every byte; each time the same has to come of it.
#[track_caller]
fn played(
    before: &BeforeTls,
    to: Option<&str>,
    peer: &[&[u8]],
) -> (Vec<Vec<u8>>, Result<Vec<u8>, NetError>) {
    let longest = peer.iter().map(|said| said.len()).max().unwrap_or(0);
    let whole = play(opening(before, to), peer, usize::MAX);
    for cut in 1..longest {
        assert_eq!(play(opening(before, to), peer, cut), whole, "cut at {cut}");
    }
    whole
}

/// The dialogue ends with TLS, and this was sent.
#[track_caller]
fn opens(protocol: StartTls, peer: &[&[u8]], expected: &[&[u8]]) {
    let (sent, end) = played(&starttls(protocol), None, peer);
    assert_eq!(sent, expected);
    assert_eq!(end, Ok(Vec::new()));
}

/// The dialogue fails in this way.
#[track_caller]
fn fails(protocol: StartTls, peer: &[&[u8]], expected: &str) -> Failure {
    let (_, end) = played(&starttls(protocol), None, peer);
    let Err(NetError::StartTls { failure, .. }) = end else {
        panic!("{end:?}")
    };
    assert_eq!(failure.to_string(), expected);
    failure
}

const EHLO: &[u8] = b"EHLO [192.0.2.7]\r\n";

#[test]
fn smtp() {
    let postfix: [&[u8]; 3] = [
        b"220 mail.example.com ESMTP Postfix (Debian/GNU)\r\n",
        b"250-mail.example.com\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n\
          250-ENHANCEDSTATUSCODES\r\n250 CHUNKING\r\n",
        b"220 2.0.0 Ready to start TLS\r\n",
    ];
    opens(StartTls::Smtp, &postfix, &[EHLO, b"STARTTLS\r\n"]);
    let greeted_in_lines: [&[u8]; 3] = [
        b"220-smtp.example.com ESMTP\r\n220-no spam here\r\n220 ready\r\n",
        b"250-smtp.example.com\r\n250 starttls\r\n",
        b"220 go ahead\n",
    ];
    opens(StartTls::Smtp, &greeted_in_lines, &[EHLO, b"STARTTLS\r\n"]);
}

#[test]
fn smtp_refused() {
    fails(
        StartTls::Smtp,
        &[b"554 5.7.1 no service for you\r\n"],
        "it greets with \"554 5.7.1 no service for you\"",
    );
    fails(
        StartTls::Smtp,
        &[
            b"220 ready\r\n",
            b"250-mail\r\n250 8BITMIME\r\n",
            b"502 5.5.1 Error: command not implemented\r\n",
        ],
        "it answers STARTTLS (which it does not offer in its answer to EHLO) with \
         \"502 5.5.1 Error: command not implemented\"",
    );
    let failure = fails(
        StartTls::Smtp,
        &[
            b"220 ready\r\n",
            b"250-mail\r\n250 STARTTLS\r\n",
            b"454 4.7.0 TLS not available due to local problem\r\n",
        ],
        "it answers STARTTLS with \"454 4.7.0 TLS not available due to local problem\"",
    );
    assert_eq!(failure.problem, Problem::Refused);
}

#[test]
fn a_port_that_greets_with_nothing_and_one_of_another_protocol() {
    let failure = fails(StartTls::Smtp, &[], "no greeting comes in time");
    assert_eq!(failure.problem, Problem::Silent);
    for protocol in [
        StartTls::Smtp,
        StartTls::Imap,
        StartTls::Pop3,
        StartTls::Ftp,
        StartTls::Mysql,
    ] {
        let (_, end) = play(
            opening(&starttls(protocol), None),
            &[b"HTTP/1.1 400 Bad\r\n\r\n"],
            99,
        );
        let Err(NetError::StartTls { failure, .. }) = end else {
            panic!("{end:?}")
        };
        assert_eq!(failure.problem, Problem::NotUnderstood, "{protocol}");
        assert_eq!(failure.said.raw(), "HTTP/1.1 400 Bad", "{protocol}");
    }
    let alert = b"\x15\x03\x01\x00\x02\x02\x0a";
    for protocol in [StartTls::Ldap, StartTls::Xmpp, StartTls::Postgres] {
        let (_, end) = play(opening(&starttls(protocol), None), &[alert], 99);
        let Err(NetError::StartTls { failure, .. }) = end else {
            panic!("{end:?}")
        };
        assert_eq!(failure.problem, Problem::NotUnderstood, "{protocol}");
        assert!(failure.is_tls_alert(), "{protocol}");
    }
}

#[test]
fn lmtp() {
    let dovecot: [&[u8]; 3] = [
        b"220 mail.example.com Dovecot ready.\r\n",
        b"250-mail.example.com\r\n250-8BITMIME\r\n250 STARTTLS\r\n",
        b"220 2.0.0 Begin TLS negotiation now.\r\n",
    ];
    opens(
        StartTls::Lmtp,
        &dovecot,
        &[b"LHLO [192.0.2.7]\r\n", b"STARTTLS\r\n"],
    );
}

#[test]
fn imap() {
    let dovecot: [&[u8]; 2] = [
        b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] Dovecot ready.\r\n",
        b"* CAPABILITY IMAP4rev1\r\na1 OK Begin TLS negotiation now.\r\n",
    ];
    opens(StartTls::Imap, &dovecot, &[b"a1 STARTTLS\r\n"]);
    fails(
        StartTls::Imap,
        &[b"* OK ready\r\n", b"a1 BAD unknown command\r\n"],
        "it answers STARTTLS with \"a1 BAD unknown command\"",
    );
    fails(
        StartTls::Imap,
        &[b"* BYE too many connections\r\n"],
        "it greets with \"* BYE too many connections\"",
    );
    fails(
        StartTls::Imap,
        &[b"* PREAUTH as root\r\n"],
        "it greets with \"* PREAUTH as root\"",
    );
}

#[test]
fn pop3() {
    opens(
        StartTls::Pop3,
        &[
            b"+OK Dovecot ready.\r\n",
            b"+OK Begin TLS negotiation now.\r\n",
        ],
        &[b"STLS\r\n"],
    );
    fails(
        StartTls::Pop3,
        &[b"+OK ready\r\n", b"-ERR unknown command\r\n"],
        "it answers STLS with \"-ERR unknown command\"",
    );
}

#[test]
fn ftp() {
    let pure_ftpd: [&[u8]; 2] = [
        b"220---------- Welcome to Pure-FTPd [privsep] [TLS] ----------\r\n\
          220-You are user number 1 of 50 allowed.\r\n Local time is now 12:00.\r\n\
          220 You will be disconnected after 15 minutes of inactivity.\r\n",
        b"234 AUTH TLS OK.\r\n",
    ];
    opens(StartTls::Ftp, &pure_ftpd, &[b"AUTH TLS\r\n"]);
    opens(
        StartTls::Ftp,
        &[b"120 ready in 1 minute\r\n220 ready\r\n", b"234 go\r\n"],
        &[b"AUTH TLS\r\n"],
    );
    fails(
        StartTls::Ftp,
        &[
            b"220 (vsFTPd 3.0.3)\r\n",
            b"530 Please login with USER and PASS.\r\n",
        ],
        "it answers AUTH TLS with \"530 Please login with USER and PASS.\"",
    );
}

const LDAP_REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

#[test]
fn ldap() {
    // OpenLDAP; with the name of the operation, as Active Directory has it; and with long lengths.
    let answers: [&[u8]; 3] = [
        b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00",
        b"\x30\x24\x02\x01\x01\x78\x1f\x0a\x01\x00\x04\x00\x04\x00\x8a\x161.3.6.1.4.1.1466.20037",
        b"\x30\x84\x00\x00\x00\x10\x02\x01\x01\x78\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00",
    ];
    for answer in answers {
        opens(StartTls::Ldap, &[answer], &[LDAP_REQUEST]);
    }
    fails(
        StartTls::Ldap,
        &[b"\x30\x23\x02\x01\x01\x78\x1e\x0a\x01\x02\x04\x00\x04\x17unsupported extended op"],
        "it answers the StartTLS operation with \
         \"protocolError (2): unsupported extended op\"",
    );
    fails(
        StartTls::Ldap,
        &[b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"],
        "it answers the StartTLS operation in another protocol: \
         \"0\\u{c}\\u{2}\\u{1}\\u{1}a\\u{7}\\n\\u{1}\\u{0}\\u{4}\\u{0}\\u{4}\\u{0}\"",
    );
}

#[test]
fn xmpp() {
    let open = "<?xml version='1.0'?><stream:stream to='mail.example.com' version='1.0' \
                xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
    let ask = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    let prosody: [&[u8]; 2] = [
        b"<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' \
          id='x>y' from='mail.example.com' version='1.0' xmlns='jabber:client'><stream:features>\
          <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>\
          </stream:features>",
        b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    ];
    opens(StartTls::Xmpp, &prosody, &[open.as_bytes(), ask]);
    let server = open.replace("client", "server");
    opens(StartTls::XmppServer, &prosody, &[server.as_bytes(), ask]);
    fails(
        StartTls::Xmpp,
        &[b"<stream:stream version='1.0'><stream:features><mechanisms/></stream:features>"],
        "it answers the opening of a stream with \"features without starttls\"",
    );
    fails(
        StartTls::Xmpp,
        &[
            b"<?xml version='1.0'?><stream:stream id='1'><stream:error><host-unknown \
            xmlns='urn:x'/><text>no such host</text></stream:error></stream:stream>",
        ],
        "it answers the opening of a stream with \"<stream:error><host-unknown xmlns='urn:x'/>\
         <text>no such host</text></stream:error>\"",
    );
    fails(
        StartTls::Xmpp,
        &[
            prosody[0],
            b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>",
        ],
        "it answers <starttls/> with \"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\"",
    );
}

const SSL_REQUEST: &[u8] = &[0, 0, 0, 8, 4, 210, 22, 47];

#[test]
fn postgres() {
    opens(StartTls::Postgres, &[b"S"], &[SSL_REQUEST]);
    let ssh: &[u8] = b"SSH-2.0-OpenSSH_9.2\r\n";
    let (_, end) = play(
        opening(&starttls(StartTls::Postgres), None),
        &[ssh],
        usize::MAX,
    );
    assert!(end.is_err(), "{end:?}");
    fails(
        StartTls::Postgres,
        &[b"N"],
        "it answers the SSLRequest with \"N (no TLS)\"",
    );
    fails(
        StartTls::Postgres,
        &[b"E\0\0\0\x34SFATAL\0C53300\0Msorry, too many clients already\0\0"],
        "it answers the SSLRequest with \"sorry, too many clients already\"",
    );
}

/// MySQL 8.0.36's greeting, with these capabilities.
fn mysql_greeting(low: u16) -> Vec<u8> {
    let mut packet = b"\x0a8.0.36\0\x08\0\0\0abcdefgh\0".to_vec();
    packet.extend(low.to_le_bytes());
    packet.extend(b"\xff\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0ABCDEFGHIJKL\0");
    packet.extend(b"caching_sha2_password\0");
    let mut greeting = vec![u8::try_from(packet.len()).unwrap(), 0, 0, 0];
    greeting.extend(packet);
    greeting
}

#[test]
fn mysql() {
    let request = [
        &[32, 0, 0, 1, 0x00, 0x8A, 0x08, 0x00, 0, 0, 0, 1, 45][..],
        &[0; 23],
    ]
    .concat();
    opens(StartTls::Mysql, &[&mysql_greeting(0xFFFF)], &[&request]);
    fails(
        StartTls::Mysql,
        &[&mysql_greeting(0xF7FF)],
        "it greets with \"capabilities without CLIENT_SSL\"",
    );
    fails(
        StartTls::Mysql,
        &[b"\x17\0\0\0\xff\x10\x04Too many connections"],
        "it greets with \"1040: Too many connections\"",
    );
    fails(
        StartTls::Mysql,
        &[b"\x3a\0\0\0\xff\x69\x04Host '192.0.2.7' is blocked because of many connections"],
        "it greets with \"1129: Host '192.0.2.7' is blocked because of many connections\"",
    );
}

#[test]
fn a_peer_without_an_end_is_left() {
    let endless: [(StartTls, &[u8]); 6] = [
        (StartTls::Smtp, b"220-and so on\r\n"),
        (StartTls::Ftp, b"120 later\r\n"),
        (StartTls::Imap, b"* OK and so on\r\n"),
        (StartTls::Xmpp, b"<features><a/>"),
        (StartTls::Pop3, b"+"),
        (StartTls::Ldap, b"\x30\x84\xff\xff\xff\xff"),
    ];
    for (protocol, said) in endless {
        let mut opening = opening(&starttls(protocol), None);
        let mut heard = 0;
        let error = loop {
            match opening.next() {
                Err(error) => break error,
                Ok(Next::Ready) => panic!("{protocol}: ready"),
                Ok(Next::Send(_)) => {}
                Ok(Next::Wait) => {
                    heard += said.len();
                    opening.push(said);
                }
            }
            assert!(heard < 70_000, "{protocol} goes on");
        };
        let NetError::StartTls { failure, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!(failure.problem, Problem::TooMuch, "{protocol}");
        assert!(failure.said.raw().len() <= MAX_SAID, "{protocol}");
    }
}

#[test]
fn connect() {
    let request = b"CONNECT app.example.com:8443 HTTP/1.1\r\nHost: app.example.com:8443\r\n\r\n";
    let answer = b"HTTP/1.1 200 Connection established\r\nProxy-Agent: x\r\n\r\n";
    let (sent, end) = played(
        &via("http://p:3128"),
        Some("app.example.com:8443"),
        &[answer],
    );
    assert_eq!(sent, [request]);
    assert_eq!(end, Ok(Vec::new()));

    let (sent, _) = played(
        &via("http://aladdin:opensesame@p:3128"),
        Some("[2001:db8::1]:443"),
        &[answer],
    );
    let request: &[u8] = b"CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\
        Proxy-Authorization: Basic YWxhZGRpbjpvcGVuc2VzYW1l\r\n\r\n";
    assert_eq!(sent, [request]);

    for (answer, expected) in [
        (
            &b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"[..],
            "it answers CONNECT app.example.com:443 with \
             \"HTTP/1.1 407 Proxy Authentication Required\"",
        ),
        (
            b"HTTP/1.0 503 Service Unavailable\r\n\r\n<html>",
            "it answers CONNECT app.example.com:443 with \"HTTP/1.0 503 Service Unavailable\"",
        ),
    ] {
        let (_, end) = played(&via("http://p:3128"), Some("app.example.com"), &[answer]);
        let proxy = "http://p:3128".into();
        let why = expected.into();
        assert_eq!(end, Err(NetError::Via { proxy, why }));
    }
}

#[test]
fn socks() {
    let bound: &[u8] = &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let (sent, end) = played(
        &via("socks5://p"),
        Some("app.example.com"),
        &[&[5, 0], bound],
    );
    let request = [&[5, 1, 0, 3, 15][..], b"app.example.com", &[1, 187]].concat();
    assert_eq!(sent, [vec![5, 1, 0], request]);
    assert_eq!(end, Ok(Vec::new()));

    let by_name: &[u8] = &[5, 0, 0, 3, 1, b'x', 0, 0];
    let (sent, end) = played(
        &via("socks5://me:secret@p"),
        Some("192.0.2.1:25"),
        &[&[5, 2], &[1, 0], by_name],
    );
    let request: Vec<u8> = vec![5, 1, 0, 1, 192, 0, 2, 1, 0, 25];
    assert_eq!(
        sent,
        [vec![5, 2, 0, 2], b"\x01\x02me\x06secret".to_vec(), request]
    );
    assert_eq!(end, Ok(Vec::new()));

    let cases: [(&str, &[&[u8]], &str); 4] = [
        ("socks5://p", &[&[5, 255]], "it wants a user and a password"),
        (
            "socks5://me:x@p",
            &[&[5, 2], &[1, 1]],
            "user or password are wrong",
        ),
        (
            "socks5://p",
            &[&[5, 0], &[5, 5, 0, 1]],
            "connection refused (5)",
        ),
        (
            "socks5://p",
            &[b"HTTP/1.1 400 Bad Request\r\n"],
            "in another protocol",
        ),
    ];
    for (proxy, peer, expected) in cases {
        let (_, end) = play(
            opening(&via(proxy), Some("app.example.com")),
            peer,
            usize::MAX,
        );
        let why = end.unwrap_err().to_string();
        assert!(why.contains(expected), "{why}");
        assert!(!why.contains("me:x"), "{why}");
    }
}

/// The server behind a proxy may greet in the same breath.
#[test]
fn all_of_it_in_order() {
    let before = BeforeTls {
        via: Some("http://p:3128".parse().unwrap()),
        proxy_protocol: Some(ProxyProtocol::V1),
        starttls: Some(StartTls::Smtp),
    };
    let peer: [&[u8]; 3] = [
        b"HTTP/1.1 200 OK\r\n\r\n220 mail.example.com\r\n",
        b"250 STARTTLS\r\n",
        b"220 go\r\n\x15\x03",
    ];
    let (sent, end) = play(
        opening(&before, Some("mail.example.com:25")),
        &peer,
        usize::MAX,
    );
    let connect: &[u8] =
        b"CONNECT mail.example.com:25 HTTP/1.1\r\nHost: mail.example.com:25\r\n\r\n";
    // The addresses of the connection that the server sees are the proxy's.
    assert_eq!(sent, [connect, b"PROXY UNKNOWN\r\n", EHLO, b"STARTTLS\r\n"]);
    assert_eq!(end, Ok(b"\x15\x03".to_vec()));
}

#[test]
fn nothing_goes_before_tls_by_default() {
    let peer = "192.0.2.1:443".parse().unwrap();
    assert!(Opening::of(&endpoint(None), &BeforeTls::default(), None, peer).is_none());
}
