//! The model as canned messages: any version, suite and group, without any cryptography. What stands
//! in the messages is well-formed; signatures and shares are arbitrary, so no handshake completes.

use super::engine::Connection;
use super::{Chain, Model, Order};
use crate::names;
use crate::wire::{self, ClientHello, Incoming, Ssl2Hello};

const TLS13: u16 = 0x0304;
const SCSV: [u16; 2] = [0x00FF, 0x5600];

/// Answers a hello with at most so many messages.
pub(super) fn answer(connection: Connection<'_>, hello: &ClientHello, messages: usize) {
    let model = &connection.shared.model;
    let fault = &connection.shared.fault;
    let spoken = model
        .versions
        .iter()
        .map(|name| names::version(name))
        .collect::<Vec<_>>();
    let offered = hello.versions();
    let common = spoken
        .iter()
        .copied()
        .filter(|version| offered.contains(version))
        .max();
    let forced = fault.unoffered_version.as_deref().map(names::version);
    let Some(version) = forced.or(common) else {
        return connection.refuse(70);
    };
    let suites = suites(model, version);
    let chosen = match &fault.unoffered_suite {
        Some(name) => Some(names::suite(name)),
        None => choose(&suites, &hello.suites, model.order, |suite| {
            version == TLS13 || usable(suite, hello, model)
        }),
    };
    let Some(suite) = chosen else {
        return connection.refuse(40);
    };
    if version == TLS13 {
        tls13(connection, hello, suite);
    } else {
        flight(connection, hello, version, suite, messages);
    }
}

/// Answers an SSLv2 hello: a SERVER-HELLO where the model speaks SSLv2, else a close.
pub(super) fn answer_ssl2(mut connection: Connection<'_>, hello: &Ssl2Hello) {
    let model = &connection.shared.model;
    if model.versions.iter().any(|version| version == "SSLv2") {
        let ours = suites2(model);
        let common: Vec<_> = ours
            .iter()
            .copied()
            .filter(|cipher| hello.ciphers.contains(cipher))
            .collect();
        let certificate = certificates(&connection)
            .into_iter()
            .next()
            .unwrap_or_default();
        let answer = wire::ssl2_server_hello(&common, &certificate);
        let _ = connection.send(&answer);
        return connection.close();
    }
    connection.close();
}

fn tls13(mut connection: Connection<'_>, hello: &ClientHello, suite: u16) {
    let model = &connection.shared.model;
    let ours: Vec<u16> = model.groups.iter().map(|name| names::group(name)).collect();
    let offered = hello.groups().unwrap_or_default();
    let shares = hello.key_shares().unwrap_or_default();
    let share = ours.iter().copied().find(|group| shares.contains(group));
    let Some(group) = share.or_else(|| ours.iter().copied().find(|g| offered.contains(g))) else {
        return connection.refuse(40);
    };
    let message = if share.is_some() {
        wire::server_hello13(hello, suite, group, share_length(group))
    } else {
        wire::hello_retry_request(hello, suite, group)
    };
    if connection
        .send(&framed(&connection, 0x0303, &message))
        .is_err()
    {
        return;
    }
    if share.is_none() {
        let (next, _) =
            wire::read_incoming(&mut connection.stream, std::time::Duration::from_secs(30));
        let Incoming::Tls(second) = next else {
            return connection.close();
        };
        let again = if connection.shared.fault.second_hrr {
            wire::hello_retry_request(&second, suite, group)
        } else {
            wire::server_hello13(&second, suite, group, share_length(group))
        };
        if connection
            .send(&framed(&connection, 0x0303, &again))
            .is_err()
        {
            return;
        }
    }
    // From here on everything is encrypted, with keys that nobody has.
    let noise = wire::records(wire::APPLICATION_DATA, 0x0303, &[0xA5; 600], 16_384);
    let _ = connection.send(&noise);
    connection.close();
}

fn flight(
    mut connection: Connection<'_>,
    hello: &ClientHello,
    version: u16,
    suite: u16,
    messages: usize,
) {
    let name = names::suite_name(suite);
    let mut extensions = Vec::new();
    if hello.suites.contains(&0x00FF) || hello.extension(0xFF01).is_some() {
        extensions = wire::renegotiation_info();
    }
    if version == 0x0300 {
        extensions.clear();
    }
    let mut flight = vec![wire::server_hello(version, suite, &extensions)];
    let anonymous = name.contains("_anon_") || name.contains("_PSK_");
    if !anonymous {
        flight.push(wire::certificate(&certificates(&connection)));
    }
    if let Some(exchange) = server_key_exchange(&name, hello, version, &connection.shared.model) {
        flight.push(exchange);
    }
    flight.push(wire::handshake(14, &[]));
    flight.truncate(messages);
    if connection
        .send(&framed(&connection, version, &flight.concat()))
        .is_err()
    {
        return;
    }
    if messages < usize::MAX {
        return connection.close();
    }
    // The client's answer cannot be verified; a client that goes on gets what a server says then.
    let (next, raw) =
        wire::read_incoming(&mut connection.stream, std::time::Duration::from_secs(30));
    if next == Incoming::Nothing || raw.is_empty() {
        return;
    }
    connection.refuse(40);
}

/// A ServerKeyExchange with an arbitrary signature (RFC 8422, section 5.4; RFC 5246, section 7.4.3).
fn server_key_exchange(
    suite: &str,
    hello: &ClientHello,
    version: u16,
    model: &Model,
) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    if suite.starts_with("TLS_ECDH_anon_") || suite.starts_with("TLS_ECDHE_") {
        let group = ec_group(hello, model)?;
        let point = share_length(group);
        body.push(3);
        body.extend(group.to_be_bytes());
        body.push(u8::try_from(point).expect("a point"));
        body.extend(vec![4; point]);
    } else if suite.starts_with("TLS_DHE_") || suite.starts_with("TLS_DH_anon_") {
        let octets = model.dh_bits / 8;
        let mut prime = vec![0xFF; octets];
        prime[octets - 1] = 0xFB;
        body.extend(wire::vec16(&prime));
        body.extend(wire::vec16(&[2]));
        body.extend(wire::vec16(&vec![0x5A; octets]));
    } else {
        return None;
    }
    if !suite.contains("_anon_") {
        if version == 0x0303 {
            let rsa = suite.contains("_RSA_");
            let scheme = if rsa { 0x0401 } else { 0x0403 };
            let offered = hello.signature_schemes().unwrap_or_default();
            let fitting = offered
                .iter()
                .copied()
                .find(|s| *s == scheme)
                .unwrap_or(scheme);
            body.extend(fitting.to_be_bytes());
        }
        body.extend(wire::vec16(&[0x5A; 72]));
    }
    Some(wire::handshake(12, &body))
}

fn certificates(connection: &Connection<'_>) -> Vec<Vec<u8>> {
    let chain = &connection.shared.identity.chain;
    let chain: Vec<Vec<u8>> = chain.iter().map(|issued| issued.der().to_vec()).collect();
    match connection.shared.model.chain {
        Chain::Good | Chain::ManyNames => chain,
        Chain::Hundred => chain.iter().cycle().take(100).cloned().collect(),
        Chain::Garbage => vec![vec![0xA5; 700], vec![0x30, 0x82, 0xFF, 0xFF, 0, 0]],
    }
}

fn framed(connection: &Connection<'_>, version: u16, payload: &[u8]) -> Vec<u8> {
    let limit = connection.shared.fault.record_size.unwrap_or(16_384);
    wire::records(wire::HANDSHAKE, version, payload, limit)
}

fn choose(
    ours: &[u16],
    offered: &[u16],
    order: Order,
    usable: impl Fn(u16) -> bool,
) -> Option<u16> {
    let fits = |suite: &u16| !SCSV.contains(suite) && usable(*suite);
    match order {
        Order::Server => ours
            .iter()
            .copied()
            .find(|s| offered.contains(s) && fits(s)),
        Order::Client => offered
            .iter()
            .copied()
            .find(|s| ours.contains(s) && fits(s)),
    }
}

/// An ECDHE suite needs a common group.
fn usable(suite: u16, hello: &ClientHello, model: &Model) -> bool {
    let name = names::suite_name(suite);
    !(name.starts_with("TLS_ECDHE_") || name.starts_with("TLS_ECDH_anon_"))
        || ec_group(hello, model).is_some()
}

/// The first of the model's elliptic curves that the client knows, or the first at all where the
/// client does not say what it knows (RFC 8422, section 4).
fn ec_group(hello: &ClientHello, model: &Model) -> Option<u16> {
    let mut ours = model
        .groups
        .iter()
        .map(|name| names::group(name))
        .filter(|group| *group < 0x0100);
    match hello.groups() {
        Some(offered) => ours.find(|group| offered.contains(group)),
        None => ours.next(),
    }
}

fn suites(model: &Model, version: u16) -> Vec<u16> {
    let of_version = model
        .suites
        .iter()
        .find(|(name, _)| names::version(name) == version);
    match of_version {
        Some((_, suites)) => suites.iter().map(|name| names::suite(name)).collect(),
        None if version == TLS13 => vec![0x1301, 0x1302, 0x1303],
        None => vec![0xC02F, 0xC030, 0xC013, 0x002F],
    }
}

/// The SSLv2 cipher specs, in hexadecimal under `"SSLv2"`.
fn suites2(model: &Model) -> Vec<[u8; 3]> {
    let Some(specs) = model.suites.get("SSLv2") else {
        // SSL_CK_RC4_128_WITH_MD5, SSL_CK_DES_192_EDE3_CBC_WITH_MD5.
        return vec![[1, 0, 0x80], [7, 0, 0xC0]];
    };
    let parse = |spec: &String| {
        let digits = spec.strip_prefix("0x").unwrap_or(spec);
        let number = u32::from_str_radix(digits, 16).expect("a cipher spec");
        let [_, a, b, c] = number.to_be_bytes();
        [a, b, c]
    };
    specs.iter().map(parse).collect()
}

/// Octets of a server's share.
fn share_length(group: u16) -> usize {
    match group {
        0x0017 => 65,
        0x0018 => 97,
        0x0019 => 133,
        0x001E => 56,
        0x0100 => 256,
        0x0101 => 384,
        0x0102 => 512,
        0x11EB => 1088 + 65,
        0x11EC => 1088 + 32,
        0x11ED => 1568 + 97,
        _ => 32,
    }
}
