//! Captures of real clients, held against what tshark says of them; and what captures can be.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gladhand_probes::Untrusted;
use gladhand_probes::wire::registry::{Group, ProtocolVersion, Suite, is_grease};
use serde_json::Value;

use super::*;
use crate::hello::model::{AlertSeen, How, Side};
use crate::hello::room::MAX_HELLOS;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hello")
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

fn captured(bytes: &[u8]) -> Captured {
    read(bytes, || false).unwrap()
}

fn code(id: &str) -> u64 {
    u64::from_str_radix(id.strip_prefix("0x").unwrap(), 16).unwrap()
}

fn codes(expected: &Value) -> Vec<u64> {
    let all = expected.as_array().unwrap();
    all.iter().map(|one| one.as_u64().unwrap()).collect()
}

/// Without what gladhand lists elsewhere.
fn without_grease(expected: &Value) -> Vec<u64> {
    let mut all = codes(expected);
    all.retain(|one| !is_grease(u16::try_from(*one).unwrap()));
    all
}

#[test]
fn every_capture_is_read_as_tshark_reads_it() {
    let index: Value = serde_json::from_slice(&bytes("index.json")).unwrap();
    let captures = index["captures"].as_array().unwrap();
    assert!(captures.len() >= 12);
    for capture in captures {
        let name = capture["file"].as_str().unwrap();
        let seen = captured(&bytes(name));
        let expected = capture["hellos"].as_array().unwrap();
        assert_eq!(seen.hellos.len(), expected.len(), "{name}");
        assert!(seen.others.is_empty(), "{name}: {:?}", seen.others);
        assert_eq!(seen.facts.cut_short, None, "{name}");
        for (hello, expected) in seen.hellos.iter().zip(expected) {
            hello_is(name, hello, expected);
        }
    }
}

fn hello_is(name: &str, hello: &Hello, expected: &Value) {
    let offer = &hello.offer;
    assert!(hello.at.is_some(), "{name}");
    assert_eq!(hello.source, expected["source"].as_str().unwrap(), "{name}");
    assert_eq!(
        code(offer.record_version.as_ref().unwrap()),
        expected["record_version"],
        "{name}"
    );
    assert_eq!(
        code(&offer.hello_version),
        expected["hello_version"],
        "{name}"
    );
    assert_eq!(
        offer.sni.as_ref().map(Untrusted::raw),
        expected["sni"].as_str(),
        "{name}"
    );
    let alpn: Vec<_> = offer.alpn.iter().map(Untrusted::raw).collect();
    assert_eq!(
        serde_json::to_value(alpn).unwrap(),
        expected["alpn"],
        "{name}"
    );
    let mut suites = without_grease(&expected["suites"]);
    suites.retain(|suite| !Suite(u16::try_from(*suite).unwrap()).is_scsv());
    let ids = |ids: &mut dyn Iterator<Item = &String>| ids.map(|id| code(id)).collect::<Vec<_>>();
    assert_eq!(
        ids(&mut offer.suites.iter().map(|suite| &suite.id)),
        suites,
        "{name}"
    );
    let groups = without_grease(&expected["groups"]);
    assert_eq!(
        ids(&mut offer.groups.iter().map(|group| &group.id)),
        groups,
        "{name}"
    );
    let shares = without_grease(&expected["key_shares"]);
    assert_eq!(
        ids(&mut offer.key_shares.iter().map(|group| &group.id)),
        shares,
        "{name}"
    );
    let schemes = without_grease(&expected["signature_algorithms"]);
    let mine = offer
        .signature_algorithms
        .iter()
        .chain(&offer.signature_algorithms_cert);
    assert_eq!(ids(&mut mine.map(|scheme| &scheme.id)), schemes, "{name}");
    let extensions = codes(&expected["extensions"]);
    assert_eq!(
        ids(&mut offer.extensions.iter().map(|one| &one.id)),
        extensions,
        "{name}"
    );
    let versions = without_grease(&expected["supported_versions"]);
    if !versions.is_empty() {
        let named = versions.iter().map(|one| version(*one));
        assert_eq!(offer.versions, named.collect::<Vec<_>>(), "{name}");
    }
    assert_eq!(offer.length, expected["length"], "{name}");
    assert_eq!(
        offer.session_id_bytes, expected["session_id_bytes"],
        "{name}"
    );
    assert_eq!(offer.ja3.as_deref(), expected["ja3"].as_str(), "{name}");
    assert_eq!(
        offer.ja3_md5.as_deref(),
        expected["ja3_md5"].as_str(),
        "{name}"
    );
    assert_eq!(offer.ja4.as_deref(), expected["ja4"].as_str(), "{name}");

    let server = hello.server.as_ref();
    let chosen = &expected["server"];
    assert_eq!(
        server.and_then(|server| server.version.clone()),
        chosen["version"].as_u64().map(version),
        "{name}"
    );
    let suite = server
        .and_then(|server| server.suite.as_ref())
        .map(|suite| code(&suite.id));
    assert_eq!(suite, chosen["suite"].as_u64(), "{name}");
    let group = server
        .and_then(|server| server.group.as_ref())
        .map(|group| code(&group.id));
    assert_eq!(group, chosen["group"].as_u64(), "{name}");
    let retry = server
        .and_then(|server| server.retry.as_ref())
        .map(|group| code(&group.id));
    assert_eq!(retry, expected["retry"].as_u64(), "{name}");
    assert_eq!(
        server.is_some_and(|server| server.requests_certificate),
        chosen["requests_certificate"].as_bool().unwrap_or_default(),
        "{name}"
    );
    let clear: Vec<Value> = hello
        .alerts
        .iter()
        .filter(|alert| !alert.encrypted)
        .map(|alert| serde_json::json!({"from": alert.from, "level": alert.level, "number": alert.number}))
        .collect();
    assert_eq!(Value::from(clear), expected["alerts"], "{name}");
}

fn version(number: u64) -> String {
    ProtocolVersion(u16::try_from(number).unwrap()).to_string()
}

#[test]
fn alerts_are_told_as_far_as_they_can_be() {
    let alerts = |name: &str| captured(&bytes(name)).hellos.remove(0).alerts;
    let told =
        |name: &str| -> Vec<String> { alerts(name).iter().map(ToString::to_string).collect() };
    assert_eq!(told("java.pcap"), ["certificate_unknown (46), fatal"]);
    assert_eq!(told("curl-refuses-tls12.pcap"), ["unknown_ca (48), fatal"]);
    assert_eq!(
        told("openssl-tls11-refused.pcap"),
        ["protocol_version (70), fatal"]
    );
    // OpenSSL has no keys to encrypt it with yet.
    for name in ["curl-refuses-tls13.pcap", "python.pcap"] {
        assert_eq!(told(name), ["unknown_ca (48), fatal"], "{name}");
    }
    // Java has, which hides which alert it is, and not that it is one.
    let java = alerts("java-tls13.pcap");
    assert_eq!(java, [AlertSeen::encrypted(Side::Client)]);
    for name in ["curl.pcap", "node.pcapng", "openssl.pcap"] {
        assert!(
            alerts(name).iter().all(|alert| alert.number.is_none()),
            "{name}"
        );
    }
}

#[test]
fn the_formats_are_told_apart() {
    assert_eq!(captured(&bytes("node.pcapng")).facts.format, "pcapng");
    assert_eq!(captured(&bytes("curl.pcap")).facts.format, "pcap");
    let ended = captured(&bytes("curl.pcap"))
        .hellos
        .remove(0)
        .ended
        .unwrap();
    assert_eq!((ended.by, ended.how), (Side::Server, How::Close));
}

struct Failing;
impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is on fire"))
    }
}

#[test]
fn what_is_no_capture_is_refused() {
    for bytes in [
        &b""[..],
        b"x",
        b"GET / HTTP/1.1\r\n\r\n",
        &[0; 4096],
        b"\x1f\x8b\x08\0 gzip",
    ] {
        let refused = read(bytes, || false);
        assert!(matches!(refused, Err(CaptureError::NoCapture)), "{bytes:?}");
    }
    let refused = read(Failing, || false).unwrap_err();
    assert_eq!(refused.to_string(), "the disk is on fire");
}

#[test]
fn a_capture_cut_at_any_length_is_read_as_far_as_it_goes() {
    for name in ["openssl.pcap", "node.pcapng"] {
        let whole = bytes(name);
        let all = captured(&whole).facts.packets;
        for length in (48..whole.len()).step_by(11) {
            if let Ok(seen) = read(&whole[..length], || false) {
                assert!(seen.facts.packets <= all);
                assert!(seen.hellos.len() + seen.others.len() <= 1);
            }
        }
        let seen = captured(&whole[..whole.len() - 1]);
        assert!(seen.facts.cut_short.is_some(), "{name}");
        assert_eq!(seen.hellos.len(), 1, "{name}");
    }
}

struct Slowly(Vec<u8>);
impl Read for Slowly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() || buffer.is_empty() {
            return Ok(0);
        }
        buffer[0] = self.0.remove(0);
        Ok(1)
    }
}

#[test]
fn a_pipe_may_give_a_byte_at_a_time() {
    for name in ["openssl-tls11-refused.pcap", "node.pcapng"] {
        let seen = read(Slowly(bytes(name)), || false).unwrap();
        assert_eq!(seen.hellos.len(), 1, "{name}");
        assert_eq!(seen.facts, captured(&bytes(name)).facts, "{name}");
    }
}

/// A capture of these packets.
fn pcap(big: bool, magic: u32, link: u32, all: &[(u32, u32, Vec<u8>)]) -> Vec<u8> {
    let word = |value: u32| {
        if big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let half = |value: u16| {
        if big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let mut out = Vec::new();
    out.extend(word(magic));
    out.extend([half(2), half(4)].concat());
    for value in [0, 0, 262_144, link] {
        out.extend(word(value));
    }
    for (seconds, fraction, data) in all {
        let length = u32::try_from(data.len()).unwrap();
        for value in [*seconds, *fraction, length, length] {
            out.extend(word(value));
        }
        out.extend(data);
    }
    out
}

const MICROSECONDS: u32 = 0xA1B2_C3D4;
const NANOSECONDS: u32 = 0xA1B2_3C4D;

/// The packets of a little-endian file: seconds, fraction, bytes.
fn packets(file: &[u8]) -> Vec<(u32, u32, Vec<u8>)> {
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let mut at = 24;
    let mut all = Vec::new();
    while at < file.len() {
        let length = word(at + 8) as usize;
        let data = file[at + 16..at + 16 + length].to_vec();
        all.push((word(at), word(at + 4), data));
        at += 16 + length;
    }
    all
}

#[test]
fn both_byte_orders_and_both_units_of_time() {
    let file = bytes("openssl.pcap");
    let all = packets(&file);
    let expected = captured(&file).hellos;
    assert!(
        !expected[0].at.unwrap().nanosecond().is_multiple_of(1000),
        "it was captured in nanoseconds"
    );
    for big in [false, true] {
        assert_eq!(captured(&pcap(big, NANOSECONDS, 1, &all)).hellos, expected);
        let coarse: Vec<_> = all
            .iter()
            .map(|(s, f, data)| (*s, f / 1000, data.clone()))
            .collect();
        let at = captured(&pcap(big, MICROSECONDS, 1, &coarse)).hellos[0]
            .at
            .unwrap();
        assert_eq!(
            at.nanosecond(),
            expected[0].at.unwrap().nanosecond() / 1000 * 1000
        );
    }
}

#[test]
fn every_link_type() {
    let file = bytes("openssl.pcap");
    let all = packets(&file);
    let expected = captured(&file).hellos;
    let with = |link: u32, before: &[u8]| {
        let wrapped: Vec<_> = all
            .iter()
            .map(|(s, f, data)| (*s, *f, [before, &data[14..]].concat()))
            .collect();
        captured(&pcap(false, NANOSECONDS, link, &wrapped))
    };
    let mut vlan = vec![0; 12];
    vlan.extend([0x81, 0, 0, 7, 8, 0]);
    let mut twice = vec![0; 12];
    twice.extend([0x88, 0xA8, 0, 9, 0x81, 0, 0, 7, 8, 0]);
    let mut sll = vec![0; 14];
    sll.extend([8, 0]);
    let mut sll2 = vec![8, 0];
    sll2.extend([0; 18]);
    for (link, before) in [
        (1, &vlan),
        (1, &twice),
        (113, &sll),
        (276, &sll2),
        (101, &vec![]),
        (12, &vec![]),
        (14, &vec![]),
        (228, &vec![]),
        (0, &vec![2, 0, 0, 0]),
        (0, &vec![0, 0, 0, 2]),
        (108, &vec![0, 0, 0, 2]),
    ] {
        assert_eq!(with(link, before).hellos, expected, "link type {link}");
    }
    let unknown = with(147, &[]);
    assert_eq!(
        (unknown.hellos.len(), unknown.facts.undecoded),
        (0, unknown.facts.packets)
    );
}

/// A capture of a client's and a server's bytes, in segments as they are given.
struct Wire {
    packets: Vec<(u32, u32, Vec<u8>)>,
}

const CLIENT_ISN: u32 = 0xFFFF_FF00;
const SERVER_ISN: u32 = 7000;

impl Wire {
    fn new() -> Self {
        Self {
            packets: Vec::new(),
        }
    }

    fn opened() -> Self {
        let mut wire = Self::new();
        wire.segment(Side::Client, 0, 0x02, &[]);
        wire.segment(Side::Server, 0, 0x12, &[]);
        wire
    }

    /// A segment at so many bytes behind the SYN.
    fn segment(&mut self, from: Side, offset: u32, flags: u8, payload: &[u8]) {
        let data = ip(from, offset, flags, payload);
        let number = u32::try_from(self.packets.len()).unwrap();
        self.packets.push((1_700_000_000 + number, 0, data));
    }

    fn data(&mut self, from: Side, offset: usize, payload: &[u8]) {
        let offset = u32::try_from(offset).unwrap() + 1;
        self.segment(from, offset, 0x18, payload);
    }

    fn read(&self) -> Captured {
        captured(&pcap(false, MICROSECONDS, 101, &self.packets))
    }
}

fn ip(from: Side, offset: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let (client, server) = ([192, 0, 2, 7], [192, 0, 2, 1]);
    let (isn, ports, ends) = match from {
        Side::Client => (CLIENT_ISN, [40000_u16, 443], [client, server]),
        Side::Server => (SERVER_ISN, [443, 40000], [server, client]),
    };
    let length = u16::try_from(40 + payload.len()).unwrap();
    let mut data = vec![0x45, 0];
    data.extend(length.to_be_bytes());
    data.extend([0, 0, 0, 0, 64, 6, 0, 0]);
    data.extend(ends.concat());
    data.extend(ports.map(u16::to_be_bytes).concat());
    data.extend(isn.wrapping_add(offset).to_be_bytes());
    data.extend([0, 0, 0, 0, 0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]);
    data.extend(payload);
    data
}

/// The records of a hello, of about 1,700 bytes.
fn hello() -> Vec<u8> {
    use gladhand_probes::wire::client_hello::{ClientHello, Extension};
    let hello = ClientHello {
        record_version: 0x0301,
        legacy_version: 0x0303,
        random: [7; 32],
        session_id: vec![8; 32],
        suites: vec![0x1301, 0xC02F],
        compression: vec![0],
        extensions: Some(vec![
            Extension::server_name("lb.example.test"),
            Extension::supported_versions(&[ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_2]),
            Extension::supported_groups(&[Group::X25519_MLKEM768, Group::X25519]),
            Extension::key_share(&[
                (Group::X25519_MLKEM768, vec![9; 1216]),
                (Group::X25519, vec![9; 32]),
            ]),
        ]),
    };
    hello.records()
}

#[test]
fn segments_come_in_any_order() {
    let hello = hello();
    let pieces: Vec<_> = hello
        .chunks(300)
        .enumerate()
        .map(|(n, piece)| (n * 300, piece))
        .collect();
    let mut turned = pieces.clone();
    turned.reverse();
    let mut twice = [pieces.clone(), pieces.clone()].concat();
    twice.swap(0, 7);
    // Each one reaches over the one behind it.
    let overlapping = pieces
        .iter()
        .map(|(at, _)| (*at, &hello[*at..(at + 500).min(hello.len())]));
    let overlapping: Vec<_> = overlapping.rev().collect();
    let single: Vec<_> = hello.chunks(1).enumerate().collect();
    for order in [pieces.clone(), turned, twice, overlapping, single] {
        let mut wire = Wire::opened();
        for (at, piece) in &order {
            wire.data(Side::Client, *at, piece);
        }
        wire.data(Side::Server, 0, &[21, 3, 3, 0, 2, 2, 40]);
        let seen = wire.read();
        assert_eq!(seen.hellos.len(), 1, "{order:?}");
        let hello = &seen.hellos[0];
        assert_eq!(hello.offer.sni.as_ref().unwrap().raw(), "lb.example.test");
        assert_eq!(hello.source, "192.0.2.7:40000");
        assert_eq!(hello.alerts[0].to_string(), "handshake_failure (40), fatal");
        assert_eq!(hello.alerts[0].from, Side::Server);
    }
}

#[test]
fn a_connection_may_have_begun_before_the_capture() {
    let hello = hello();
    let mut wire = Wire::new();
    wire.data(Side::Client, 800, &hello[800..]);
    wire.data(Side::Client, 0, &hello[..800]);
    let seen = wire.read();
    assert_eq!(seen.hellos.len(), 1);

    let mut wire = Wire::new();
    wire.data(Side::Server, 0, &[21, 3, 3, 0, 2, 2, 70]);
    let seen = wire.read();
    assert_eq!((seen.hellos.len(), seen.others.len()), (0, 1));
    assert_eq!(
        seen.others[0].source, "192.0.2.7:40000",
        "who gets the answer is the client"
    );
    assert_eq!(seen.others[0].alerts[0].number, Some(70));
}

#[test]
fn a_segment_that_is_missing_is_told() {
    let hello = hello();
    let mut wire = Wire::opened();
    wire.data(Side::Client, 0, &hello[..300]);
    wire.data(Side::Client, 600, &hello[600..]);
    let seen = wire.read();
    assert_eq!((seen.hellos.len(), seen.others.len()), (0, 1));
    assert!(
        seen.others[0].what.contains("missing from the capture"),
        "{:?}",
        seen.others
    );
}

#[test]
fn tls_may_begin_behind_something_else() {
    let hello = hello();
    for before in [
        "PROXY TCP4 192.0.2.9 192.0.2.1 5 443\r\n",
        "EHLO x\r\nSTARTTLS\r\n",
    ] {
        let together = [before.as_bytes(), &hello].concat();
        let mut wire = Wire::opened();
        wire.data(Side::Client, 0, &together);
        assert_eq!(wire.read().hellos.len(), 1, "{before}");
        let mut wire = Wire::opened();
        wire.data(Side::Client, 0, before.as_bytes());
        wire.data(Side::Server, 0, b"220 ready\r\n");
        wire.data(Side::Client, before.len(), &hello);
        wire.data(Side::Server, 11, &[21, 3, 3, 0, 2, 2, 40]);
        let seen = wire.read();
        assert_eq!(seen.hellos[0].alerts.len(), 1, "{before}");
    }
    let mut plain = Wire::opened();
    plain.data(Side::Client, 0, b"GET / HTTP/1.1\r\n\r\n");
    let seen = plain.read();
    assert_eq!(
        (seen.hellos.len(), seen.others.len(), seen.facts.without_tls),
        (0, 0, 1)
    );
}

#[test]
fn a_port_is_used_again() {
    let mut wire = Wire::opened();
    wire.data(Side::Client, 0, &hello());
    let mut again = Wire::opened();
    again.data(Side::Client, 0, &hello());
    for (_, _, data) in &mut again.packets {
        // Another initial sequence number.
        data[24] ^= 0x40;
    }
    wire.packets.extend(again.packets);
    assert_eq!(wire.read().hellos.len(), 2);
    // The same SYN once more is the same connection.
    let mut same = Wire::opened();
    same.data(Side::Client, 0, &hello());
    same.packets.extend(Wire::opened().packets);
    assert_eq!(same.read().hellos.len(), 1);
}

#[test]
fn an_ssl2_hello_and_its_answer() {
    let mut record = vec![0x80, 28, 1, 3, 1, 0, 3, 0, 0, 0, 16, 0, 0, 0x2F];
    record.extend([9; 16]);
    let mut wire = Wire::opened();
    wire.data(Side::Client, 0, &record);
    wire.data(Side::Server, 0, &[21, 3, 1, 0, 2, 2, 70]);
    let seen = wire.read();
    let offer = &seen.hellos[0].offer;
    assert_eq!(offer.versions, ["TLSv1.0", "SSLv3"]);
    assert_eq!((offer.suites.len(), &offer.ja3), (1, &None));
    assert_eq!(seen.hellos[0].alerts[0].number, Some(70));
}

#[test]
fn fragments_are_counted_and_options_and_ipv6_extensions_are_passed() {
    let plain = ip(Side::Client, 1, 0x18, &hello()[..100]);
    let mut fragment = plain.clone();
    fragment[6] = 0x20;
    let mut options = plain.clone();
    options[0] = 0x46;
    options.splice(20..20, [1, 1, 1, 0]);
    let length = u16::try_from(options.len()).unwrap();
    options[2..4].copy_from_slice(&length.to_be_bytes());
    let mut ipv6 = vec![0x60, 0, 0, 0];
    let payload = &plain[20..];
    ipv6.extend(u16::try_from(payload.len() + 8).unwrap().to_be_bytes());
    ipv6.extend([0, 64]);
    ipv6.extend([0x20; 32]);
    // Hop-by-hop options, then TCP.
    ipv6.extend([6, 0, 1, 4, 0, 0, 0, 0]);
    ipv6.extend(payload);
    let all = [fragment, options, ipv6].map(|data| (0, 0, data));
    let seen = captured(&pcap(false, MICROSECONDS, 101, &all));
    assert_eq!(
        (
            seen.facts.fragments,
            seen.facts.segments,
            seen.facts.undecoded
        ),
        (1, 2, 0)
    );
}

#[test]
fn a_flood_of_connections_takes_no_more_memory_than_allowed() {
    let mut flows = flows::Flows::default();
    let hello = hello();
    for number in 0..40_000_u32 {
        let [_, a, b, c] = number.to_be_bytes();
        let segment = link::Segment {
            source: ([10, a, b, c], 1000).into(),
            destination: ([192, 0, 2, 1], 443).into(),
            sequence: 1,
            syn: false,
            ack: true,
            fin: false,
            rst: false,
            // All but its end: each waits for it.
            payload: &hello[..hello.len() - 1],
        };
        flows.segment(&segment, None);
    }
    let seen = flows.end();
    assert_eq!(seen.others.len(), MAX_HELLOS);
    assert_eq!(seen.left_out, 40_000 - MAX_HELLOS);
}

#[test]
fn never_panics_on_garbage() {
    let files = ["node.pcapng", "python.pcap", "openssl-retried.pcap"].map(bytes);
    let mut seed = 1_u64;
    for file in &files {
        for _ in 0..500 {
            let mut broken = file.clone();
            for _ in 0..4 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = usize::try_from(seed >> 33).unwrap() % broken.len();
                broken[at] = u8::try_from(seed >> 24 & 0xFF).unwrap();
            }
            let _ = read(broken.as_slice(), || false);
        }
    }
}
