//! The model as canned messages: any version, suite and group, without any cryptography. What stands
//! in the messages is well-formed; signatures and shares are arbitrary, so no handshake completes.

use super::engine::Connection;
use super::{Chain, Model, Order, Renegotiation};
use crate::names;
use crate::wire::{self, ClientHello, Incoming, Ssl2Hello};

const TLS13: u16 = 0x0304;
const FALLBACK: u16 = 0x5600;
const SCSV: [u16; 2] = [0x00FF, FALLBACK];

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
    let newest = spoken.iter().copied().max().unwrap_or(version);
    let fell_back = hello.suites.contains(&FALLBACK) && offered.iter().all(|v| *v < newest);
    if fell_back && model.features.fallback_scsv {
        return connection.refuse(86);
    }
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
    if version == 0x0303 && scheme(&name, hello, &connection.shared.model).is_none() {
        return connection.refuse(40);
    }
    let Some(begin) = server_hello(&connection.shared.model, hello, version, suite) else {
        return connection.refuse(120);
    };
    let mut flight = vec![begin];
    let anonymous = name.contains("_anon_") || name.contains("_PSK_");
    if !anonymous {
        flight.push(wire::certificate(&certificates(&connection)));
    }
    if let Some(exchange) = server_key_exchange(&name, hello, version, &connection) {
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

/// The ServerHello with what the model answers of the hello's offers; none where they have no
/// protocol of ALPN in common.
fn server_hello(model: &Model, hello: &ClientHello, version: u16, suite: u16) -> Option<Vec<u8>> {
    let features = &model.features;
    let mut extensions = Vec::new();
    let signalled = hello.suites.contains(&0x00FF);
    let extended = hello.extension(0xFF01).is_some();
    if match features.renegotiation {
        Renegotiation::Both => signalled || extended,
        Renegotiation::Extension => extended,
        Renegotiation::None => false,
    } {
        extensions.extend(wire::renegotiation_info());
    }
    if features.extended_master_secret && hello.extension(23).is_some() {
        extensions.extend(wire::extension(23, &[]));
    }
    let cbc = names::suite_name(suite).contains("_CBC_");
    if features.encrypt_then_mac && cbc && hello.extension(22).is_some() {
        extensions.extend(wire::extension(22, &[]));
    }
    if let Some(offered) = hello.alpn().filter(|_| !features.alpn.is_empty()) {
        match features.alpn.iter().find(|name| offered.contains(name)) {
            Some(name) => extensions.extend(wire::alpn(name)),
            None if features.alpn_lenient => {}
            None => return None,
        }
    }
    if version == 0x0300 {
        extensions.clear();
    }
    let deflate = features.deflate && hello.compression.contains(&1);
    let random = random(model, version);
    Some(wire::server_hello_with(
        version,
        random,
        suite,
        u8::from(deflate),
        &extensions,
    ))
}

/// A random with the sentinel of a server that has a newer version (RFC 8446, section 4.1.3).
fn random(model: &Model, version: u16) -> [u8; 32] {
    let mut random = [0x5A; 32];
    let newest = model.versions.iter().map(|name| names::version(name)).max();
    let newest = newest.unwrap_or(version);
    let last = match version {
        0x0303 => 1,
        _ => 0,
    };
    if model.features.sentinel && newest >= 0x0303 && version < newest {
        random[24..].copy_from_slice(b"DOWNGRD\0");
        random[31] = last;
    }
    random
}

/// A ServerKeyExchange with an arbitrary signature (RFC 8422, section 5.4; RFC 5246, section 7.4.3).
fn server_key_exchange(
    suite: &str,
    hello: &ClientHello,
    version: u16,
    connection: &Connection<'_>,
) -> Option<Vec<u8>> {
    let model = &connection.shared.model;
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
        let mut public = vec![0x5A; octets];
        if !model.features.dh_reuse {
            let number = connection.number.to_be_bytes();
            public[..number.len()].copy_from_slice(&number);
            public[0] = 0x5A;
        }
        body.extend(wire::vec16(&public));
    } else {
        return None;
    }
    if !suite.contains("_anon_") {
        if version == 0x0303 {
            body.extend(scheme(suite, hello, model)?.to_be_bytes());
        }
        body.extend(wire::vec16(&[0x5A; 72]));
    }
    Some(wire::handshake(12, &body))
}

/// The scheme that the key exchange is signed with; none where the model names schemes and the client
/// offers none of them.
fn scheme(suite: &str, hello: &ClientHello, model: &Model) -> Option<u16> {
    let ours = &model.features.schemes;
    let offered = hello.signature_schemes().unwrap_or_default();
    match ours.is_empty() {
        true if suite.contains("_RSA_") => Some(0x0401),
        true => Some(0x0403),
        false => ours.iter().copied().find(|ours| offered.contains(ours)),
    }
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
