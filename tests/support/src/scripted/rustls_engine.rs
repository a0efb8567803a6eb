//! The model as a rustls server: its handshakes complete. Faults stand between it and the socket.

use std::collections::BTreeMap;
use std::io::{Cursor, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection};

use super::engine::Connection;
use super::{Identity, Model, Order};
use crate::names;
use crate::pki::Issued;
use crate::wire::ClientHello as Hello;

/// What rustls is configured with.
///
/// # Panics
/// Where the model has a suite, group or version that rustls does not know: use the synthetic engine.
pub(crate) fn configuration(model: &Model, identity: &Identity) -> ServerConfig {
    let mut provider = aws_lc_rs::default_provider();
    let wanted: Vec<u16> = model
        .suites
        .values()
        .flatten()
        .map(|name| names::suite(name))
        .collect();
    if !wanted.is_empty() {
        provider.cipher_suites = pick(&wanted, aws_lc_rs::ALL_CIPHER_SUITES, |suite| {
            u16::from(suite.suite())
        });
    }
    let wanted: Vec<u16> = model.groups.iter().map(|name| names::group(name)).collect();
    provider.kx_groups = pick(&wanted, aws_lc_rs::ALL_KX_GROUPS, |group| {
        u16::from(group.name())
    });
    let versions: Vec<_> = model
        .versions
        .iter()
        .map(|version| match version.as_str() {
            "TLSv1.2" => &rustls::version::TLS12,
            "TLSv1.3" => &rustls::version::TLS13,
            _ => panic!("rustls does not speak {version}"),
        })
        .collect();
    let chains = Chains::new(identity, &provider);
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&versions)
        .expect("suites and versions fit")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(chains));
    config.ignore_client_order = model.order == Order::Server;
    let names = model.features.alpn.iter();
    config.alpn_protocols = names.map(|name| name.as_bytes().to_vec()).collect();
    config
}

fn pick<T: Copy>(wanted: &[u16], all: &[T], id: impl Fn(&T) -> u16) -> Vec<T> {
    wanted
        .iter()
        .map(|number| {
            let found = all.iter().find(|item| id(item) == *number);
            *found.unwrap_or_else(|| panic!("rustls does not know {number:#06x}"))
        })
        .collect()
}

/// The configuration for this hello: the server's own, or where it knows no HelloRetryRequest, one
/// with the groups that the hello has shares of.
fn configuration_for(connection: &Connection<'_>, hello: &Hello) -> Arc<ServerConfig> {
    let shared = connection.shared;
    let sent = hello.key_shares().unwrap_or_default();
    if shared.fault.no_hrr.is_none() || sent.is_empty() {
        return shared.tls.clone().expect("configured for this engine");
    }
    let mut model = shared.model.clone();
    model
        .groups
        .retain(|name| sent.contains(&names::group(name)));
    let mut config = configuration(&model, &shared.identity);
    if let Some(own) = &shared.tls {
        config.session_storage = Arc::clone(&own.session_storage);
    }
    Arc::new(config)
}

/// Serves what comes after the first message, which `connection.raw` holds.
pub(super) fn answer(mut connection: Connection<'_>, hello: &Hello) {
    let config = configuration_for(&connection, hello);
    let mut tls = ServerConnection::new(config).expect("a connection");
    let mut first = Cursor::new(std::mem::take(&mut connection.raw));
    let begin = Instant::now();
    let _ = connection
        .stream
        .set_read_timeout(Some(Duration::from_millis(100)));
    let mut answered = false;
    loop {
        let read = if first.position() < first.get_ref().len() as u64 {
            tls.read_tls(&mut first)
        } else {
            tls.read_tls(&mut connection.stream)
        };
        match read {
            Ok(0) => return,
            Ok(_) => {}
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if connection.shared.stopped() || begin.elapsed() > Duration::from_secs(120) {
                    return;
                }
                continue;
            }
            Err(_) => return,
        }
        if tls.process_new_packets().is_err() {
            // rustls has its alert ready; a fault may put something else in its place.
            if let Some(instead) = connection.shared.fault.alert_as
                && !answered
            {
                return connection.instead(instead);
            }
            let _ = flush(&mut tls, &mut connection);
            return connection.close();
        }
        answered |= tls.wants_write();
        if flush(&mut tls, &mut connection).is_err() {
            return;
        }
        let mut request = [0; 4096];
        if matches!(tls.reader().read(&mut request), Ok(count) if count > 0) {
            let answers = &connection.shared.identity.answers;
            let answer = tls.server_name().and_then(|name| answers.get(name));
            let answer = answer.map_or(HTTP_200, Vec::as_slice).to_vec();
            let _ = tls.writer().write_all(&answer);
            tls.send_close_notify();
            let _ = flush(&mut tls, &mut connection);
            let _ = connection.stream.shutdown(Shutdown::Write);
        }
    }
}

const HTTP_200: &[u8] = b"HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=31536000\r\n\
    Content-Length: 3\r\nConnection: close\r\n\r\nok\n";

fn flush(tls: &mut ServerConnection, connection: &mut Connection<'_>) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    while tls.wants_write() {
        tls.write_tls(&mut bytes)?;
    }
    connection.send(&bytes)
}

/// Chains by server name. rustls's own resolver would refuse the faulty ones.
#[derive(Debug)]
struct Chains {
    default: Arc<CertifiedKey>,
    by_name: BTreeMap<String, Arc<CertifiedKey>>,
}

impl Chains {
    fn new(identity: &Identity, provider: &CryptoProvider) -> Self {
        let by_name = identity
            .by_name
            .iter()
            .map(|(name, chain)| (name.clone(), Arc::new(certified(chain, provider))))
            .collect();
        let mut default = certified(&identity.chain, provider);
        default.ocsp = Some(identity.staple.clone()).filter(|staple| !staple.is_empty());
        Self {
            default: Arc::new(default),
            by_name,
        }
    }
}

impl ResolvesServerCert for Chains {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().and_then(|name| self.by_name.get(name));
        Some(Arc::clone(named.unwrap_or(&self.default)))
    }
}

fn certified(chain: &[Issued], provider: &CryptoProvider) -> CertifiedKey {
    let leaf = chain.first().expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(leaf.key().private_pem().as_bytes()).expect("a key");
    let key = provider
        .key_provider
        .load_private_key(key)
        .expect("a key that rustls can use");
    let chain = chain
        .iter()
        .map(|issued| CertificateDer::from(issued.der().to_vec()))
        .collect();
    CertifiedKey::new(chain, key)
}
