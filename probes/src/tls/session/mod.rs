//! One real handshake, completed by rustls, with everything on the way recorded. The only place of
//! this crate that knows rustls.

mod identity;
mod record;
mod resume;
mod stream;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, Error, SupportedProtocolVersion};
use rustls_pki_types::ServerName;
use tokio::io::AsyncReadExt;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub use self::identity::{ClientIdentity, IdentityError};
pub(crate) use self::record::ClientCertificateRequest;
pub(crate) use self::resume::{Means, ResumeSpec, Resumer, Resumptions};
pub(crate) use self::stream::Stream;
use crate::http::{Exchange, Request};
use crate::net::NetError;
use crate::net::connect::{Connection, is_reset};
use crate::target::Endpoint;
use crate::tls::handshake::HandshakeOutcome;
use crate::wire::messages::Alert;
use crate::wire::record::{ContentType, Deframer};
use crate::wire::registry::{AlertDescription, Group, ProtocolVersion, SignatureScheme, Suite};

/// How long an alert is waited for that a TLS 1.3 server sends after the handshake, when it asked
/// for a client certificate and got none: so long at least, and so many times the handshake.
const AFTERMATH: Duration = Duration::from_millis(300);
const AFTERMATH_FACTOR: u32 = 4;

/// Bytes that are read when no more can be written.
const LAST_WORD: u64 = 1024;

/// Which handshake. Equal values are the same handshake.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SessionSpec {
    /// The server name to send, if any.
    pub(crate) sni: Option<String>,
    /// Wait for what a server says after the handshake, and for its answer to an HTTP request where one
    /// is asked for.
    pub(crate) aftermath: bool,
    /// The protocols of ALPN, most preferred first.
    pub(crate) alpn: Vec<String>,
    /// Present the client certificate, where there is one and the server asks for it.
    pub(crate) client_certificate: bool,
    /// The signature schemes, most preferred first; none: the usual ones.
    pub(crate) schemes: Vec<SignatureScheme>,
    /// What else is offered, as far as rustls has it; none: everything.
    pub(crate) parameters: Option<Parameters>,
}

/// What another client offers. Equal values are the same offer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Parameters {
    /// The versions.
    pub(crate) versions: Vec<ProtocolVersion>,
    /// The suites, most preferred first.
    pub(crate) suites: Vec<Suite>,
    /// The groups, most preferred first.
    pub(crate) groups: Vec<Group>,
    /// The signature schemes, most preferred first.
    pub(crate) schemes: Vec<SignatureScheme>,
}

impl SessionSpec {
    /// The handshake of an ordinary client.
    pub(crate) fn ordinary(sni: Option<String>) -> Self {
        Self {
            sni,
            aftermath: true,
            alpn: Vec::new(),
            client_certificate: true,
            schemes: Vec::new(),
            parameters: None,
        }
    }

    /// The handshake of a client that offers this, with neither server name nor certificate.
    pub(crate) fn with(parameters: Parameters) -> Self {
        Self {
            client_certificate: false,
            schemes: parameters.schemes.clone(),
            parameters: Some(parameters),
            ..Self::ordinary(None)
        }
    }

    /// The same without waiting for anything after it.
    pub(crate) fn brief(sni: Option<String>) -> Self {
        Self {
            aftermath: false,
            ..Self::ordinary(sni)
        }
    }
}

/// Starts the crypto library, which takes tens of milliseconds, once: beside the first questions, and not
/// while a server waits for a handshake.
pub(crate) async fn warm_up() {
    static WARM: OnceCell<()> = OnceCell::const_new();
    let start = async || {
        let random = || aws_lc_rs::rand::fill(&mut [0; 16]);
        let _ = tokio::task::spawn_blocking(random).await;
    };
    WARM.get_or_init(start).await;
}

/// How a handshake went.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) outcome: HandshakeOutcome,
    pub(crate) version: Option<ProtocolVersion>,
    pub(crate) suite: Option<Suite>,
    pub(crate) group: Option<Group>,
    /// The protocol that the server chose of those offered by ALPN.
    pub(crate) alpn: Option<Vec<u8>>,
    pub(crate) alert: Option<AlertDescription>,
    pub(crate) error: Option<String>,
    /// The chain as sent; empty where none came.
    pub(crate) chain: Vec<Vec<u8>>,
    /// The stapled OCSP response; empty where none came.
    pub(crate) staple: Vec<u8>,
    /// What the server said when it asked for a client certificate; none where it did not.
    pub(crate) client_certificate: Option<ClientCertificateRequest>,
    /// Whether it got one.
    pub(crate) client_certificate_sent: bool,
    /// Whether the server has gone on behind our Finished, so that nothing is left to be refused: in TLS 1.2
    /// by its own Finished, in TLS 1.3 by a ticket or application data.
    pub(crate) settled: bool,
    /// The HTTP request over it, where there was one.
    pub(crate) http: Option<Exchange>,
    /// With what the server signed the handshake.
    pub(crate) signature: Option<SignatureScheme>,
    pub(crate) took: Duration,
}

impl Session {
    /// Makes the handshake. Every certificate is accepted: the verdict is another probe's.
    pub(crate) async fn run(
        connection: Connection<'_>,
        spec: &SessionSpec,
        endpoint: &Endpoint,
        identity: Option<&ClientIdentity>,
        request: Option<&Request>,
    ) -> Result<Self, NetError> {
        let identity = identity.filter(|_| spec.client_certificate).cloned();
        let recorder = record::Recorder::new(provider(), identity, &spec.schemes);
        let recorder = Arc::new(recorder);
        let begun = Instant::now();
        let mut session = Self {
            outcome: HandshakeOutcome::Silent,
            version: None,
            suite: None,
            group: None,
            alpn: None,
            alert: None,
            error: None,
            chain: Vec::new(),
            staple: Vec::new(),
            client_certificate: None,
            client_certificate_sent: false,
            settled: false,
            http: None,
            signature: None,
            took: Duration::ZERO,
        };
        let config = match config(&recorder, spec) {
            Ok(config) => config,
            Err(error) => {
                return Err(NetError::Other {
                    why: error.to_string(),
                });
            }
        };
        let name = server_name(spec, endpoint.address.ip());
        let limit = connection.limit();
        let work = async {
            let connector = TlsConnector::from(Arc::new(config));
            match connector.connect(name, connection).into_fallible().await {
                Ok(mut stream) => {
                    session.outcome = HandshakeOutcome::Completed;
                    session.took = begun.elapsed();
                    session.negotiated(stream.get_ref().1);
                    if spec.aftermath {
                        let asked = recorder.client_certificate_requested();
                        session.afterwards(&mut stream, asked, request).await;
                    }
                    session.settled |= stream.get_ref().1.tls13_tickets_received() > 0;
                }
                Err((error, mut connection)) => {
                    session.broke(&error);
                    if is_reset(&error) {
                        session.last_word(&mut connection).await;
                    }
                }
            }
        };
        let done = limit.run(work).await?;
        if done.is_none() && session.outcome == HandshakeOutcome::Silent {
            session.error = Some("the server stopped answering in the handshake".into());
        }
        if session.took.is_zero() {
            session.took = begun.elapsed();
        }
        let seen = recorder.seen();
        session.chain = seen.chain;
        session.staple = seen.staple;
        session.client_certificate = seen.client_certificate;
        session.client_certificate_sent = seen.client_certificate_sent;
        session.signature = seen.signature;
        Ok(session)
    }

    /// Whether both sides sent Finished.
    pub(crate) fn completed(&self) -> bool {
        self.outcome == HandshakeOutcome::Completed
    }

    /// Whether the connection just ended, or the server has trouble of its own (close_notify,
    /// internal_error): that may have been chance.
    pub(crate) fn may_be_chance(&self) -> bool {
        use HandshakeOutcome::{Closed, Reset, Silent};
        matches!(self.outcome, Closed | Reset | Silent)
            || self.alert.is_some_and(|alert| matches!(alert.0, 0 | 80))
    }

    fn negotiated(&mut self, connection: &rustls::ClientConnection) {
        self.version = connection
            .protocol_version()
            .map(|version| ProtocolVersion(version.into()));
        self.suite = connection
            .negotiated_cipher_suite()
            .map(|s| Suite(s.suite().into()));
        self.group = connection
            .negotiated_key_exchange_group()
            .map(|group| Group(group.name().into()));
        self.alpn = connection.alpn_protocol().map(<[u8]>::to_vec);
        self.settled = self.version == Some(ProtocolVersion::TLS1_2);
    }

    /// What comes behind the handshake: first the verdict on a client certificate, then the answer to a
    /// request.
    async fn afterwards(
        &mut self,
        stream: &mut TlsStream<Connection<'_>>,
        asked: bool,
        request: Option<&Request>,
    ) {
        let mut early = Vec::new();
        if asked {
            early = self.aftermath(stream).await;
        }
        if let (Some(request), HandshakeOutcome::Completed) = (request, self.outcome) {
            let exchange = self.http.insert(Exchange::after(early));
            let ended = exchange.run(stream, request, self.took).await;
            self.settled |= exchange.took.is_some();
            // Servers that take their time say only now that they wanted a certificate.
            if let Err(error) = ended
                && asked
                && exchange.took.is_none()
            {
                self.http = None;
                self.broke(&error);
            }
        }
    }

    /// In TLS 1.3 a server learns only from our flight that there is no client certificate, or which one.
    /// What it sends besides an alert is handed back.
    async fn aftermath(&mut self, stream: &mut TlsStream<Connection<'_>>) -> Vec<u8> {
        let wait = AFTERMATH.max(self.took * AFTERMATH_FACTOR);
        let mut byte = [0; 1];
        match tokio::time::timeout(wait, stream.read(&mut byte)).await {
            // An alert, a reset, an end without close_notify: the handshake was for nothing.
            Ok(Err(error)) => self.broke(&error),
            Ok(Ok(1)) => {
                self.settled = true;
                return byte.to_vec();
            }
            _ => {}
        }
        Vec::new()
    }

    /// A server that ends the handshake while our flight is still on its way may have said why: that is
    /// there to be read when no more can be written. Up to TLS 1.2 it comes in clear.
    async fn last_word(&mut self, connection: &mut Connection<'_>) {
        let mut bytes = Vec::new();
        let mut rest = connection.take(LAST_WORD);
        let _ = tokio::time::timeout(AFTERMATH, rest.read_to_end(&mut bytes)).await;
        let mut deframer = Deframer::default();
        deframer.push(&bytes);
        while let Ok(Some(record)) = deframer.pop() {
            let alert = Alert::decode(&record.fragment);
            if let (ContentType::Alert, Ok(alert)) = (record.content_type, alert)
                && record.fragment.len() == 2
                && alert.is_fatal()
            {
                self.alerted(alert.description);
            }
        }
    }

    fn alerted(&mut self, alert: AlertDescription) {
        self.alert = Some(alert);
        self.error = Some(format!("alert {alert} from the server"));
        self.outcome = HandshakeOutcome::Alert;
    }

    fn broke(&mut self, error: &io::Error) {
        let rustls = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Error>());
        self.error = Some(error.to_string());
        self.outcome = match rustls {
            Some(Error::AlertReceived(alert)) => {
                return self.alerted(AlertDescription((*alert).into()));
            }
            None if is_reset(error) => HandshakeOutcome::Reset,
            None if error.kind() == io::ErrorKind::UnexpectedEof => HandshakeOutcome::Closed,
            _ => HandshakeOutcome::ProtocolError,
        };
    }
}

/// Whether a handshake with this version, suite and group can be completed here.
pub(crate) fn can_complete(version: ProtocolVersion, suite: Suite, group: Option<Group>) -> bool {
    let provider = provider();
    let suites = provider
        .cipher_suites
        .iter()
        .any(|known| u16::from(known.suite()) == suite.0);
    let groups = group.is_none_or(|group| {
        provider
            .kx_groups
            .iter()
            .any(|known| u16::from(known.name()) == group.0)
    });
    version >= ProtocolVersion::TLS1_2 && suites && groups
}

fn provider() -> Arc<CryptoProvider> {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.kx_groups = rustls::crypto::aws_lc_rs::ALL_KX_GROUPS.to_vec();
    Arc::new(provider)
}

fn config(recorder: &Arc<record::Recorder>, spec: &SessionSpec) -> Result<ClientConfig, Error> {
    let (provider, versions) = match &spec.parameters {
        Some(parameters) => (parameters.provider(), parameters.versions()),
        None => (provider(), rustls::ALL_VERSIONS.to_vec()),
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(recorder) as _)
        .with_client_cert_resolver(Arc::clone(recorder) as _);
    config.enable_sni = spec.sni.is_some();
    let names = spec.alpn.iter();
    config.alpn_protocols = names.map(|name| name.clone().into_bytes()).collect();
    Ok(config)
}

impl Parameters {
    /// The versions that rustls has of them.
    fn versions(&self) -> Vec<&'static SupportedProtocolVersion> {
        let known = rustls::ALL_VERSIONS.iter().copied();
        let offered = |version: &&SupportedProtocolVersion| {
            let version = ProtocolVersion(version.version.into());
            self.versions.contains(&version)
        };
        known.filter(offered).collect()
    }

    /// What rustls has of the suites and groups, in their order.
    fn provider(&self) -> Arc<CryptoProvider> {
        let all = provider();
        let suites = self.suites.iter().filter_map(|suite| {
            let mut known = all.cipher_suites.iter().copied();
            known.find(|known| u16::from(known.suite()) == suite.0)
        });
        let groups = self.groups.iter().filter_map(|group| {
            let mut known = all.kx_groups.iter().copied();
            known.find(|known| u16::from(known.name()) == group.0)
        });
        Arc::new(CryptoProvider {
            cipher_suites: suites.collect(),
            kx_groups: groups.collect(),
            ..(*all).clone()
        })
    }
}

/// The name for rustls; with an address it sends no SNI.
fn server_name(spec: &SessionSpec, ip: IpAddr) -> ServerName<'static> {
    spec.sni
        .as_ref()
        .and_then(|name| ServerName::try_from(name.clone()).ok())
        .unwrap_or_else(|| ServerName::IpAddress(ip.into()))
}
