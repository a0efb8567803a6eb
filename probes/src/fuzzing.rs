//! What `fuzz/` calls: each function takes bytes as a peer or a user would give them, and panics where
//! this crate is wrong about them. Not part of the interface.

use std::sync::OnceLock;

use time::OffsetDateTime;

use crate::aws::answers::{Answer, Answers, Refusal};
use crate::aws::{self, Inventory};
use crate::clients::Offer;
use crate::http;
use crate::net::NetError;
use crate::net::opening::{
    BeforeTls, Destination, Next, Opening, Problem, ProxyProtocol, StartTls, Via,
};
use crate::target::{Endpoint, Host, Target};
use crate::wire::client_hello::ClientHello;
use crate::wire::client_hello_read::{HelloReader, HelloState, ReceivedHello};
use crate::wire::flight::{FlightDecoder, State};
use crate::wire::messages::{
    Alert, CertificateRequest, ServerHello, ServerKeyExchange, decode_certificate,
    decode_certificate_status,
};
use crate::wire::registry::{ProtocolVersion, Suite};
use crate::wire::ssl2;
use crate::x509::{
    CertificateFacts, ChainFacts, Issuer, LogList, RevocationStatus, SctSource, Trust,
    certificates_in, chain_facts, crl, ocsp, verify,
};
use crate::x509::{Entry, list_in_certificate, list_in_ocsp, read_list};

/// Records and handshake messages: however the bytes are cut, they amount to the same.
pub fn flight(data: &[u8]) {
    let Some((cut, bytes)) = data.split_first() else {
        return;
    };
    let whole = flight_in_pieces(bytes, bytes.len().max(1));
    let pieces = flight_in_pieces(bytes, usize::from(*cut).max(1));
    assert_eq!(whole, pieces, "pieces of {cut}");

    // The messages by themselves: the records would have to be right to get as far.
    let _ = Alert::decode(bytes);
    let _ = ServerHello::decode(bytes).map(|hello| (hello.version(), hello.group()));
    let _ = decode_certificate(bytes);
    let _ = decode_certificate_status(bytes);
    for version in ProtocolVersion::all() {
        let _ = CertificateRequest::decode(bytes, *version);
        for suite in [0x0033, 0x0034, 0xC02F, 0xC02B, 0x0003, 0x008D].map(Suite) {
            let _ = ServerKeyExchange::decode(bytes, suite, *version);
        }
    }
}

/// An answer of HTTP/1 as a target gives it: however the bytes are cut, they amount to the same.
pub fn answer(data: &[u8]) {
    let Some((cut, bytes)) = data.split_first() else {
        return;
    };
    let whole = http::in_pieces(bytes, bytes.len());
    let pieces = http::in_pieces(bytes, usize::from(*cut));
    assert_eq!(whole, pieces, "pieces of {cut}");
}

fn flight_in_pieces(bytes: &[u8], length: usize) -> State {
    let mut decoder = FlightDecoder::default();
    for piece in bytes.chunks(length) {
        let state = decoder.push(piece);
        if state != State::Incomplete {
            return state;
        }
    }
    let _ = (decoder.first_bytes(), decoder.warnings());
    decoder.end("closed")
}

/// A client's first bytes: however they are cut, they amount to the same, and survive JSON.
pub fn client_hello(data: &[u8]) {
    let Some((cut, bytes)) = data.split_first() else {
        return;
    };
    let in_pieces = |length: usize| {
        let mut reader = HelloReader::default();
        for piece in bytes.chunks(length.max(1)) {
            let state = reader.push(piece);
            if state != HelloState::Incomplete {
                return state;
            }
        }
        HelloState::Incomplete
    };
    let whole = in_pieces(bytes.len());
    assert_eq!(whole, in_pieces(usize::from(*cut)), "pieces of {cut}");
    let offer = match &whole {
        HelloState::Hello(received) => Offer::from(&**received),
        HelloState::Ssl2(offer) => Offer::from(offer),
        _ => {
            // The message by itself: the records would have to be right to get as far.
            let Ok(hello) = ClientHello::decode(0x0301, bytes) else {
                return;
            };
            let again = ClientHello::decode(0x0301, hello.message().get(4..).unwrap_or_default());
            assert_eq!(again.as_ref(), Ok(&hello), "written, and read again");
            Offer::from(&ReceivedHello {
                length: bytes.len(),
                records: 1,
                hello,
            })
        }
    };
    let json = serde_json::to_string(&offer).unwrap_or_default();
    assert_eq!(serde_json::from_str::<Offer>(&json).ok(), Some(offer));
}

/// Answers to an SSLv2 CLIENT-HELLO.
pub fn ssl2(data: &[u8]) {
    for end in 0..=data.len().min(64) {
        let _ = ssl2::decode_answer(data.get(..end).unwrap_or(data));
    }
    let _ = ssl2::decode_answer(data);
}

/// A chain, each certificate behind its length: facts, order, names, and the verdict.
pub fn certificates(data: &[u8]) {
    static TRUST: OnceLock<Trust> = OnceLock::new();
    let trust = TRUST.get_or_init(Trust::mozilla);
    let mut rest = data;
    let mut served = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk().filter(|_| served.len() < 8) {
        let length = usize::from(u16::from_be_bytes(*length)).min(after.len());
        let (der, after) = after.split_at(length);
        served.push(CertificateFacts::read(der));
        rest = after;
    }
    let chain = chain_facts(&served);
    let now = OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_500);
    for name in ["www.example.com", "192.0.2.1", "2001:db8::1", "*", ""] {
        let _ = verify(&served, &chain, trust, name, now);
    }
    for facts in &served {
        let entry = Entry::precertificate(&facts.der, Some(&facts.der));
        let logs = LogList::shipped();
        for list in [
            list_in_certificate(&facts.der),
            list_in_ocsp(data, &facts.der),
        ] {
            if let Ok(Some(list)) = list {
                let _ = read_list(list, SctSource::Certificate, &entry, &logs);
            }
        }
    }
    // The model goes into the report, and comes out of it again.
    let written = |served: &[CertificateFacts], chain: &ChainFacts| {
        serde_json::to_string(&(served, chain)).unwrap_or_default()
    };
    let json = written(&served, &chain);
    let again = serde_json::from_str::<(Vec<CertificateFacts>, ChainFacts)>(&json);
    let again = again.map(|(served, chain)| written(&served, &chain));
    assert_eq!(again.ok(), Some(json));
}

/// What an issuer says of a certificate: an OCSP response, a list, certificates in a container. The
/// octets come behind a certificate and its issuer's, which are good ones, each behind its length. What
/// nobody has signed is never good, and never revoked.
pub fn revocation(data: &[u8]) {
    let mut rest = data;
    let mut part = || {
        let (length, after) = rest.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(after.len());
        let (der, after) = after.split_at(length);
        rest = after;
        Some(der)
    };
    let (Some(subject), Some(above)) = (part(), part()) else {
        return;
    };
    let above = CertificateFacts::read(above);
    let trust = Trust::mozilla();
    for der in certificates_in(rest) {
        let _ = CertificateFacts::read(&der);
    }
    let Some(issuer) = Issuer::find(subject, [&above], &trust) else {
        return;
    };
    let now = OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_778);
    let nonce = [7; 32];
    let _ = ocsp::request(subject, &issuer, &nonce);
    for status in [
        ocsp::read(rest, subject, &issuer, Some(&nonce), now),
        crl::read(rest, subject, &issuer, now),
    ] {
        let decided = status.status != RevocationStatus::Undetermined;
        assert_eq!(decided, status.problem.is_none(), "{status:?}");
        assert!(!decided || status.signer.is_some(), "{status:?}");
    }
}

/// What is said before TLS: the dialogue ends, in a bounded number of steps and bytes, and does not
/// depend on how the peer's bytes are cut.
pub fn opening(data: &[u8]) {
    let Some(([which, cut], bytes)) = data.split_first_chunk() else {
        return;
    };
    let Some(before) = dialogue(*which) else {
        return;
    };
    let whole = play(&before, bytes, bytes.len().max(1));
    let pieces = play(&before, bytes, usize::from(*cut).max(1));
    // PostgreSQL's answer is one byte, and a second one at once shows that it is none.
    if before.starttls != Some(StartTls::Postgres) {
        assert_eq!(whole, pieces, "{before:?} in pieces of {cut}");
    }
}

fn dialogue(which: u8) -> Option<BeforeTls> {
    let starttls = StartTls::all().nth(usize::from(which & 0x0F));
    let via = match which >> 4 & 0x03 {
        0 => None,
        1 => "http://user:password@proxy.example.com:3128".parse().ok(),
        2 => "socks5://proxy.example.com".parse().ok(),
        _ => "socks5://user:password@proxy.example.com".parse().ok(),
    };
    let proxy_protocol = (which & 0x40 != 0).then_some(ProxyProtocol::V2);
    let before = BeforeTls {
        via,
        proxy_protocol,
        starttls,
    };
    (!before.is_nothing()).then_some(before)
}

/// How many bytes of a dialogue were left for TLS; where it failed, whether the peer refused. (How
/// soon it shows that the peer speaks something else depends on the pieces.)
fn play(before: &BeforeTls, bytes: &[u8], length: usize) -> Result<usize, bool> {
    let name = "www.example.com";
    let address = ([192, 0, 2, 1], 443).into();
    let endpoint = Endpoint {
        address,
        sni: Some(name.into()),
        expected: name.into(),
        plaintext: false,
        path: None,
        behind_proxy: Some(Destination {
            host: Host::Name(name.into()),
            port: 443,
        }),
    };
    let local = ([192, 0, 2, 7], 50000).into();
    let Some(mut opening) = Opening::of(&endpoint, before, Some(local), address) else {
        return Ok(bytes.len());
    };
    let mut rest = bytes;
    let mut sent = 0;
    let error = loop {
        match opening.next() {
            Ok(Next::Ready) => return Ok(opening.rest().len() + rest.len()),
            Ok(Next::Send(words)) => {
                sent += 1;
                assert!(sent < 10 && words.len() < 4096, "it talks too much");
            }
            Ok(Next::Wait) if rest.is_empty() => break opening.ended(Problem::Closed),
            Ok(Next::Wait) => {
                let (piece, after) = rest.split_at(length.min(rest.len()));
                opening.push(piece);
                rest = after;
            }
            Err(error) => break error,
        }
    };
    assert!(
        !error.to_string().contains(crate::untrusted::is_unprintable),
        "{error:?}"
    );
    Err(matches!(
        error,
        NetError::StartTls { failure, .. } if failure.problem == Problem::Refused
    ))
}

/// Targets and proxies: what is read is written so that it is read again.
pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(target) = text.parse::<Target>() {
        let again: Result<Target, _> = target.to_string().parse();
        assert!(
            again.is_ok_and(|again| (again.host, again.port) == (target.host, target.port)),
            "{text:?}"
        );
    }
    if let Ok(via) = text.parse::<Via>() {
        let again: Result<Via, _> = via.to_string().parse();
        assert!(
            again.is_ok_and(|again| again.to_string() == via.to_string()),
            "{text:?}"
        );
    }
}

/// Answers of AWS, as a folder of them in one file: `{"elb DescribeTags@legacy": …}`. What is read of them
/// survives JSON, and everything that follows from it can be asked.
pub fn inventory(data: &[u8]) {
    let Ok(folder) = serde_json::from_slice::<serde_json::Map<_, _>>(data) else {
        return;
    };
    let answer = |(key, body): (String, serde_json::Value)| {
        let (action, resource) = match key.split_once('@') {
            Some((action, resource)) => (action.to_owned(), Some(resource.to_owned())),
            None => (key, None),
        };
        let classic = action.starts_with("elb ");
        let refused = || Refusal {
            code: "AccessDenied".into(),
            message: resource.clone().unwrap_or_default(),
        };
        Answer {
            outcome: if body.is_null() {
                Err(refused())
            } else {
                Ok(body)
            },
            action: action.trim_start_matches("elb ").into(),
            classic,
            resource: resource.clone(),
        }
    };
    let answers = Answers {
        all: folder.into_iter().map(answer).collect(),
    };
    let read = aws::read::inventory(&answers);
    let text = serde_json::to_string(&read).unwrap_or_default();
    let again = serde_json::from_str::<Inventory>(&text).ok();
    assert!(again.as_ref() == Some(&read), "an inventory survives JSON");
    for balancer in &read.load_balancers {
        let one = aws::read::inventory_of(&answers, &balancer.arn);
        let is_arn = balancer.arn.trim() == balancer.arn;
        assert!(
            !is_arn || !one.load_balancers.is_empty(),
            "{}",
            balancer.arn
        );
        let _ = (
            aws::policy::backend_policy(balancer),
            read.node_interfaces(balancer).count(),
        );
        for arn in balancer.target_group_arns() {
            assert!(!balancer.routes_to(arn).is_empty(), "{arn}");
        }
        for listener in balancer.listeners.read().into_iter().flatten() {
            let names = read.server_names(listener);
            assert!(names.iter().all(|name| name.is_ascii()), "{names:?}");
            let _ = read.policy_of(listener);
        }
    }
}
