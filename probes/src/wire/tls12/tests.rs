//! Against published vectors, and against another implementation.

use std::io::Read;
use std::sync::Arc;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use aws_lc_rs::tls_prf::{P_SHA256, P_SHA384};
use rustls::crypto::aws_lc_rs::{default_provider, kx_group, sign};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, ServerConfig, ServerConnection};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::schedule::{Master, Seed, Side, prf};
use super::suite::SUITES;
use super::*;
use crate::wire::registry::Suite;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

/// The vectors that were posted to the list of the TLS working group for RFC 5246's function.
#[test]
fn the_pseudorandom_function_is_that_of_rfc_5246() {
    let made = prf(
        &P_SHA256,
        &bytes("9bbe436ba940f017b17652849a71db35"),
        b"test label",
        &bytes("a0ba9f936cda311827a6f796ffd5198c"),
        100,
    );
    let expected = "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a\
                    6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab\
                    4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701\
                    87347b66";
    assert_eq!(made.unwrap(), bytes(expected));
    let made = prf(
        &P_SHA384,
        &bytes("b80b733d6ceefcdc71566ea48e5567df"),
        b"test label",
        &bytes("cd665cf6a8447dd6ff8b27555edb7465"),
        148,
    );
    let expected = "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cd\
                    e9ca0faa60be9fe34f82b1233c9146a0e534cb400fed2700884f9dc236f80edd\
                    8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425\
                    9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee6\
                    91c8f3a26854308d5eaa3be85e0990703d73e56f";
    assert_eq!(made.unwrap(), bytes(expected));
}

#[derive(Debug)]
struct OneKey(Arc<CertifiedKey>);

impl ResolvesServerCert for OneKey {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// A server with one suite and one group; its certificate is none, since nobody looks at it.
fn server(suite: Suite, group: usize) -> ServerConnection {
    let random = SystemRandom::new();
    let key = if suite.name().unwrap().contains("ECDSA") {
        let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random);
        pair.unwrap().as_ref().to_vec()
    } else {
        let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        pair.as_der().unwrap().as_ref().to_vec()
    };
    let key = sign::any_supported_type(&PrivatePkcs8KeyDer::from(key).into()).unwrap();
    let key = CertifiedKey::new(vec![CertificateDer::from(vec![0x30, 0])], key);
    let mut provider = default_provider();
    provider
        .cipher_suites
        .retain(|known| known.suite() == CipherSuite::from(suite.0));
    let groups = [kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];
    provider.kx_groups = vec![groups[group]];
    let config = ServerConfig::builder_with_provider(provider.into())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(OneKey(Arc::new(key))));
    ServerConnection::new(config.into()).unwrap()
}

/// Passes bytes between both until the client wants more than the server has.
fn talk(client: &mut Client, server: &mut ServerConnection, mut out: Vec<u8>) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let mut left = out.as_slice();
        while !left.is_empty() {
            server.read_tls(&mut left).unwrap();
            server.process_new_packets().unwrap();
        }
        out.clear();
        let mut answer = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut answer).unwrap();
        }
        if answer.is_empty() {
            return events;
        }
        // Byte by byte: nothing depends on how they come.
        for byte in answer {
            client.push(&[byte]);
            loop {
                match client.next().unwrap() {
                    Event::Wait => break,
                    Event::Send(bytes) => out.extend(bytes),
                    event => events.push(event),
                }
            }
        }
    }
}

#[test]
fn finishes_a_handshake_with_every_suite_and_group_of_another_stack() {
    for parts in &SUITES {
        for group in 0..3 {
            let mut server = server(parts.suite, group);
            let (mut client, hello) = Client::new(Some("lb.example.test".into()), [7; 32]);
            let events = talk(&mut client, &mut server, hello);
            assert_eq!(events, [Event::Connected], "{}", parts.suite);
            assert!(!server.is_handshaking());
            // rustls never renegotiates, and says so.
            let again = client.renegotiate([8; 32]).unwrap();
            let events = talk(&mut client, &mut server, again);
            let [Event::Alert(alert)] = events.as_slice() else {
                panic!("{}: {events:?}", parts.suite)
            };
            assert_eq!((alert.level, alert.description.0), (1, 100));
            assert!(server.reader().read(&mut [0; 1]).is_err(), "no data");
        }
    }
}

#[test]
fn a_record_that_was_touched_is_refused() {
    let suite = &SUITES[0];
    let master = Master::new(suite, &[1; 32], Seed::Randoms(&[2; 64])).unwrap();
    let both = || master.protections(&[3; 32], &[4; 32]).unwrap();
    let (mut ours, _) = both();
    let sealed = ours.seal(22, b"content").unwrap();
    let record = |bytes: &[u8]| {
        let mut deframer = crate::wire::record::Deframer::default();
        deframer.push(bytes);
        deframer.pop().unwrap().unwrap()
    };
    let (mut theirs, _) = both();
    assert_eq!(theirs.open(&record(&sealed)).unwrap(), b"content");
    // The number of the record is part of it.
    assert!(theirs.open(&record(&sealed)).is_err());
    for at in (0..sealed.len()).filter(|at| !matches!(at, 1..5)) {
        let mut touched = sealed.clone();
        // The type as well: to application_data.
        touched[at] ^= 1;
        let (mut theirs, _) = both();
        assert!(theirs.open(&record(&touched)).is_err(), "{at}");
    }
    let (mut theirs, _) = both();
    let cut = [&sealed[..3], &[0, 3, 1, 2, 3]].concat();
    assert!(theirs.open(&record(&cut)).is_err());
}

#[test]
fn finished_depends_on_side_and_handshake() {
    let master = Master::new(&SUITES[2], &[1; 32], Seed::SessionHash(&[2; 48])).unwrap();
    let of = |side, hash: &[u8]| master.verify_data(side, hash).unwrap();
    let ours = of(Side::Client, &[5; 48]);
    assert_eq!(ours.len(), 12);
    assert_ne!(ours, of(Side::Server, &[5; 48]));
    assert_ne!(ours, of(Side::Client, &[6; 48]));
}

/// What the server says to these bytes.
fn answer(server: &mut ServerConnection, mut said: &[u8]) -> Vec<u8> {
    server.read_tls(&mut said).unwrap();
    server.process_new_packets().unwrap();
    let mut answer = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut answer).unwrap();
    }
    answer
}

#[test]
fn a_finished_that_does_not_fit_ends_the_connection() {
    let mut server = server(SUITES[0].suite, 0);
    let (mut client, hello) = Client::new(None, [7; 32]);
    client.push(&answer(&mut server, &hello));
    let Ok(Event::Send(flight)) = client.next() else {
        panic!()
    };
    client.transcript.push(0);
    client.push(&answer(&mut server, &flight));
    assert!(matches!(client.next(), Err(Broken::Crypto(_))));
}

#[test]
fn never_panics_whatever_comes() {
    let mut seed = 1_u64;
    for _ in 0..500 {
        let mut server = server(SUITES[0].suite, 0);
        let (mut client, hello) = Client::new(None, [7; 32]);
        let mut answer = answer(&mut server, &hello);
        for _ in 0..3 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = usize::try_from(seed >> 33).unwrap() % answer.len();
            answer[at] = u8::try_from(seed >> 24 & 0xFF).unwrap();
        }
        client.push(&answer);
        while let Ok(event) = client.next() {
            if event == Event::Wait {
                break;
            }
        }
    }
}
